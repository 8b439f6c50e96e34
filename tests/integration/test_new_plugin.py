"""The package route: `bench new`, install, list, verify, run, test; and what a broken package does to the rest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import call

ROOT = Path(__file__).parents[2]
NAMES = {"task": "paper-desk", "method": "paper-bayes"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with a new task and a new method."""
    folder = tmp_path_factory.mktemp("new")
    for kind, name in NAMES.items():
        done = call("new", kind, name, "--to", folder, cwd=folder)
        assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def site(packages, tmp_path_factory):
    """A folder that both are installed in, and nothing else."""
    site = tmp_path_factory.mktemp("site")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", site]
    command = [sys.executable, "-m", "pip", "install", *options, *(packages / name for name in NAMES.values())]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture
def outside(site, tmp_path, monkeypatch):
    """An empty folder far from the repository, from which both packages can be imported."""
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path


def listed(folder):
    done = call("list", "--json", cwd=folder)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    return {row["name"]: row for row in (*found["tasks"], *found["methods"])}


def test_the_next_commands_are_printed(tmp_path):
    done = call("new", "task", "letters", "--to", tmp_path / "deep" / "er", cwd=tmp_path)
    assert done.code == 0
    commands = [line.strip() for line in done.out.splitlines() if line.startswith("  ")]
    assert [words.split()[:2] for words in commands] == [["pip", "install"], ["bench", "verify"], ["bench", "run"]]
    assert commands[0].split()[-1] == str(tmp_path / "deep" / "er" / "letters")


def test_nothing_machine_specific_is_written(packages):
    for path in packages.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text()
            assert str(ROOT) not in text
            assert str(packages) not in text
            assert "{{" not in text


@pytest.mark.parametrize("kind", NAMES)
def test_it_is_written_as_the_project_is(packages, kind):
    folder = packages / NAMES[kind]
    config = str(ROOT / "pyproject.toml")
    for words in (["check", "--ignore", "D103"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "--config", config, str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_installed_they_are_listed(outside):
    found = listed(outside)
    for name in NAMES.values():
        assert (found[name]["status"], found[name]["origin"]) == ("ok", name)
        assert found[name]["about"]


@pytest.mark.parametrize("kind", NAMES)
def test_installed_they_keep_the_contract(outside, kind):
    done = call("verify", NAMES[kind], "--json", cwd=outside)
    report = json.loads(done.out)
    assert done.code == 0, done.out
    assert (report["name"], report["kind"]) == (NAMES[kind], kind)
    states = [finding["state"] for finding in report["findings"]]
    assert "note" not in states
    assert states.count("passed") > 14


def test_installed_they_run_together(outside):
    done = call("run", "-t", NAMES["task"], "-m", NAMES["method"], "-m", "prior", "--json", cwd=outside)
    assert done.code == 0, done.err
    records = {record["method"]: record for record in json.loads(done.out)}
    assert {record["status"] for record in records.values()} == {"ok"}
    assert records[NAMES["method"]]["metrics"]["macro_f1"] > records["prior"]["metrics"]["macro_f1"]


@pytest.mark.parametrize("kind", NAMES)
def test_their_own_tests_pass(packages, outside, kind):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=packages / NAMES[kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


BROKEN = {
    "syntax error": ("def (:\n", "SyntaxError"),
    "exception on import": ("raise RuntimeError('the licence server is down')\n", "the licence server is down"),
    "wrong base class": ("class PaperBayesMethod:\n    pass\n", "not a subclass of bench.method.Method"),
    "missing attribute": ("x = 1\n", "has no attribute 'PaperBayesMethod'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_package_is_listed_as_broken_and_the_rest_works(site, outside, fault):
    source, said = BROKEN[fault]
    module = site / "paper_bayes" / "method.py"
    whole = module.read_text()
    module.write_text(source)
    try:
        found = listed(outside)
        verified = call("verify", NAMES["method"], cwd=outside)
    finally:
        module.write_text(whole)
    assert found[NAMES["method"]]["status"] == "broken"
    assert said in found[NAMES["method"]]["reason"]
    assert found[NAMES["task"]]["status"] == found["prior"]["status"] == found["synthetic-clv"]["status"] == "ok"
    assert verified.code == 1
    assert "failed          can be imported" in verified.out
    assert said in verified.out


def test_beside_a_broken_package_others_run(site, outside):
    module = site / "paper_bayes" / "method.py"
    whole = module.read_text()
    module.write_text("def (:\n")
    try:
        ran = call("run", "-t", NAMES["task"], "-m", "prior", cwd=outside)
        named = call("run", "-t", NAMES["task"], "-m", NAMES["method"], cwd=outside)
    finally:
        module.write_text(whole)
    assert ran.code == 0, ran.err
    assert (named.code, named.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("table", "taken by a plugin"),
        ("tfidf", "taken by a plugin"),
        ("numpy", "taken by the Python package numpy"),
        ("json", "taken by the Python package json"),
        ("tests", "taken by the Python package tests"),
        ("3d", "cannot name a plugin"),
        ("class", "cannot name a plugin"),
        ("a b", "cannot name a plugin"),
        ("../up", "cannot name a plugin"),
    ],
)
def test_names_that_would_not_work_are_refused(tmp_path, name, said):
    done = call("new", "method", name, "--to", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
    assert not list(tmp_path.rglob("*"))


def test_an_existing_folder_stays_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.py").write_text("years of work")
    done = call("new", "task", "mine", "--to", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "exists" in done.err
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "work.py"]


def test_verify_tells_by_its_exit_code(plugins, bench):
    file = plugins / "contract" / "methods.py"
    bad = bench("verify", "mixes-up", "--plugins", file)
    assert bad.code == 1
    assert bad.out.splitlines()[-1].startswith("24 checks: ")
    assert "failed          learns what anyone can tell apart: " in bad.out
    unknown = bench("verify", "mixes-pu", "--plugins", file)
    assert (unknown.code, unknown.err) == (2, "bench: unknown task or method 'mixes-pu'; did you mean 'mixes-up'?\n")
    slip = bench("verify", "tfidf", "--set", "ngram=1")
    assert (slip.code, slip.err) == (2, "bench: unknown setting of tfidf 'ngram'; did you mean 'ngrams'?\n")


def test_what_is_unavailable_is_told_with_its_remedy(plugins, bench):
    done = bench("verify", "absent", "--plugins", plugins / "contract" / "tasks.py")
    assert done.code == 1
    assert "unavailable: no file letters.csv; run: bench prepare absent" in done.out
