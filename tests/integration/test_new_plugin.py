"""The package route: `bench new`, install, list, verify, run, test; and what a broken package does to the rest."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from commands import call
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import UserError
from bench.registry import Registry
from bench.scaffold.names import NewName
from bench.scaffold.trying import run_command
from bench.scaffold.writing import write_package

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


BROKEN = {
    "syntax-error": ("def (:\n", "SyntaxError"),
    "raises": ("raise RuntimeError('the licence server is down')\n", "the licence server is down"),
    "wrong-base": ("class Found:\n    pass\n", "not a subclass of bench.method.Method"),
    "no-attribute": ("x = 1\n", "has no attribute 'Found'"),
}
"""Methods of other packages: their module, and what is said of it."""


@pytest.fixture(scope="module")
def site(packages, tmp_path_factory):
    """A folder that both are installed in, beside broken packages."""
    site = tmp_path_factory.mktemp("site")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", site]
    command = [sys.executable, "-m", "pip", "install", *options, *(packages / name for name in NAMES.values())]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (source, _) in BROKEN.items():
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(source)
        facts = site / f"{module}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[bench.methods]\n{name} = {module}:Found\n")
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


def test_what_to_try_is_what_is_there(packages):
    """The first two methods that need no network; the first task whose documents are here."""
    registry = Registry.discover()
    task, method = run_command("task", "letters", registry), run_command("method", "counts", registry)
    assert task == "bench run -t letters -m prior -m tfidf"
    names = [plugin.name for plugin in registry.of("task").values()]
    assert method.split()[3] in names
    assert method.split()[4:6] == ["-m", "counts"]
    bare = replace(registry, plugins=())
    assert run_command("task", "letters", bare) == "bench run -t letters"
    for kind, name in NAMES.items():
        assert f"$ {run_command(kind, name, registry)}\n" in (packages / name / "README.md").read_text()


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


def test_installed_they_are_listed_and_broken_ones_beside_them_are_listed_as_broken(outside):
    found = listed(outside)
    for name in NAMES.values():
        assert (found[name]["status"], found[name]["origin"]) == ("ok", name)
        assert found[name]["about"]
    for name, (_, said) in BROKEN.items():
        assert (found[name]["status"], found[name]["origin"]) == ("broken", name)
        assert said in found[name]["reason"]
    assert found["prior"]["status"] == found["synthetic-clv"]["status"] == "ok"


@pytest.mark.parametrize("kind", NAMES)
def test_installed_they_keep_the_contract(outside, kind):
    done = call("verify", NAMES[kind], "--json", cwd=outside)
    report = json.loads(done.out)
    assert done.code == 0, done.out
    assert (report["name"], report["kind"]) == (NAMES[kind], kind)
    states = [finding["state"] for finding in report["findings"]]
    assert "note" not in states
    assert states.count("passed") > 14


def test_installed_they_run_together_whatever_is_broken_beside_them(outside):
    done = call("run", "-t", NAMES["task"], "-m", NAMES["method"], "-m", "prior", "--json", cwd=outside)
    assert done.code == 0, done.err
    records = {record["method"]: record for record in json.loads(done.out)}
    assert {record["status"] for record in records.values()} == {"ok"}
    assert records[NAMES["method"]]["metrics"]["macro_f1"] > records["prior"]["metrics"]["macro_f1"]


def test_their_own_tests_pass(packages, outside, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NAMES.values()]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_a_broken_package_is_told_by_one_line_or_one_check(outside):
    verified = call("verify", "raises", cwd=outside)
    assert verified.code == 1
    assert "failed          can be imported" in verified.out
    assert "the licence server is down" in verified.out
    named = call("run", "-t", NAMES["task"], "-m", "syntax-error", cwd=outside)
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
def test_names_that_would_not_work_are_refused(name, said):
    with pytest.raises(UserError, match=said):
        NewName.of(name, "method", [plugin.name for plugin in Registry.discover().plugins])


def test_a_refused_name_is_one_line_and_nothing_is_written(tmp_path):
    done = call("new", "method", "../up", "--to", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "cannot name a plugin" in done.err
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("place", ["a-file", "a-file/below"])
def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path, place):
    (tmp_path / "a-file").write_text("")
    checked = NewName.of("letters", "task", ())
    with pytest.raises(UserError, match=r"cannot be written: .*; choose another place with --to"):
        write_package("task", checked, tmp_path / place, "bench run")


def test_an_existing_folder_stays_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.py").write_text("years of work")
    done = call("new", "task", "mine", "--to", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "exists" in done.err
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "work.py"]


def test_verify_tells_by_its_exit_code(plugins, bench):
    file = plugins / "contract" / "sample_methods.py"
    bad = bench("verify", "mixes-up", "--plugins", file)
    assert bad.code == 1
    assert bad.out.splitlines()[-1].startswith("25 checks: ")
    assert "failed          learns what anyone can tell apart: " in bad.out
    unknown = bench("verify", "mixes-pu", "--plugins", file)
    assert (unknown.code, unknown.err) == (2, "bench: unknown task or method 'mixes-pu'; did you mean 'mixes-up'?\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tfidf", "--set", "ngram=1"), "unknown setting of tfidf 'ngram'; did you mean 'ngrams'?"),
        (("bert", "--model", "nonsense"), "model 'nonsense' is not on this machine"),
        (("bert", "--model", "embedded-decoder"), "is a model of kind decoder; bert starts from an encoder"),
        (("tfidf", "--model", "embedded-encoder"), "tfidf starts from none"),
        (("synthetic-clv", "--model", "embedded-encoder"), "synthetic-clv starts from none"),
    ],
)
def test_a_slip_is_no_fault_of_the_plugin(words, said):
    done = CliRunner().invoke(app, ["verify", *words])
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)
    assert done.output == ""


def test_what_is_unavailable_is_told_with_its_remedy(plugins, bench):
    done = bench("verify", "absent", "--plugins", plugins / "contract" / "sample_tasks.py")
    assert done.code == 1
    assert "unavailable: no file letters.csv; run: bench prepare absent" in done.out
