"""``bench inspect`` and the warnings of ``bench run``."""

import json
import shlex

import pytest

COPIED = '''
"""A task of which a tenth of the test documents are copies, or nearly."""
import random
from bench.task import Documents, LabelSpace, Task, TaskData

class Copied(Task):
    """See above."""
    name = "{name}"
    def load(self):
        rng = random.Random(1)
        def text():
            return " ".join("w%d" % rng.randrange(900) for _ in range(40))
        def split(name, n):
            return Documents([name + str(i) for i in range(n)], [text() for _ in range(n)], [[i % 2] for i in range(n)])
        train, validation, test = split("a", 60), split("b", 40), split("c", 40)
        for i in range(4):
            test.texts[i] = train.texts[i] {change}
        return TaskData(train, validation, test, LabelSpace(("x|y", "z")), "single")
'''


@pytest.fixture
def copied(tmp_path):
    def write(name, change):
        path = tmp_path / "my plugins" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(COPIED.format(name=name, change=change))
        return path

    return write


@pytest.fixture
def exact(copied):
    return copied("exact", "")


@pytest.fixture
def near(copied):
    return copied("near", '+ " indeed"')


def faults(done):
    return [line for line in done.err.splitlines() if "warning" in line]


def test_json_holds_findings_and_every_part(bench, exact):
    done = bench("inspect", "exact", "--plugins", exact, "--json")
    facts = json.loads(done.out)
    assert done.code == 0
    assert facts["documents"] == {"train": 60, "validation": 40, "test": 40}
    fault = next(finding for finding in facts["findings"] if finding["severity"] == "fault")
    assert (fault["name"], fault["count"]) == ("texts-across-splits", 4)
    assert fault["remedy"]
    parts = ("duplicates", "words", "tokens", "label_names", "near_duplicates", "floors")
    assert all(facts[part] is not None for part in parts)


def test_quick_leaves_out_what_takes_long_and_the_second_time_nothing_is_measured(bench, near):
    words = ("inspect", "near", "--plugins", near, "--json")
    quick = json.loads(bench(*words, "--quick").out)
    assert quick["tokens"] is not None
    assert quick["near_duplicates"] is quick["floors"] is None
    whole = bench(*words)
    assert "near duplicates" in whole.err
    again = bench(*words)
    assert (again.out, again.err) == (whole.out, "")
    assert json.loads(again.out)["near_duplicates"]["shared"]["test"]["documents"] == 4


def test_the_terminal_shows_findings_first_within_a_hundred_columns(bench, exact):
    shown = bench("inspect", "exact", "--plugins", exact).out
    lines = shown.splitlines()
    assert lines[0] == "exact: single-label, 2 labels, judged by micro_f1"
    assert shown.index("fault  4 test documents (10.0 %)") < shown.index("Documents\n")
    assert max(map(len, lines)) <= 100
    for title in (
        "Labels",
        "Lengths",
        "Copies in earlier splits",
        "Names of labels in texts",
        "What trivial methods reach",
    ):
        assert title in lines


def test_a_markdown_page_goes_to_a_file_or_to_standard_output(bench, exact, tmp_path):
    words = ("inspect", "exact", "--plugins", exact, "--quick", "--markdown")
    page = bench(*words, "-").out
    assert page.startswith("# exact: single-label")
    assert "- **fault**: 4 test documents" in page
    assert "x\\|y" in page
    assert bench(*words, tmp_path / "page.md").out == ""
    assert (tmp_path / "page.md").read_text() == page


def test_slips_are_one_line(bench, exact):
    for words, said in (
        (("--json", "--markdown", "-"), "name a file"),
        (("--model", "nobody/nothing"), "bench prepare nobody/nothing"),
        (("--markdown", exact.parent), "this is a folder"),
        (("--markdown", exact / "page.md", "--quick"), "cannot be written"),
    ):
        done = bench("inspect", "exact", "--plugins", exact, *words)
        assert done.code == 2
        assert said in done.err.splitlines()[-1]
        assert done.out == ""


def test_run_warns_of_faults_in_the_tasks_that_will_run(bench, exact, tmp_path):
    words = ("run", "-t", "exact", "-m", "prior", "--plugins", exact, "--out", tmp_path / "out", "--json")
    dry = bench(*words, "--dry-run")
    (line,) = faults(dry)
    assert "task exact: 4 test documents (10.0 %)" in line
    assert "bench inspect exact" in line
    assert len(json.loads(dry.out)) == 1
    run = bench(*words)
    assert (run.code, faults(run)) == (0, [line])
    assert faults(bench(*words)) == []  # nothing of it will run


def test_run_does_not_warn_of_sound_tasks(bench, plugins, tmp_path):
    words = ("run", "-t", "small-single", "-m", "prior", "--plugins", plugins / "small.py", "--dry-run")
    assert faults(bench(*words, "--out", tmp_path)) == []


def advised(line):
    """The words of the command that a warning names."""
    return shlex.split("inspect" + line.removesuffix(")").rpartition("bench inspect")[2])


def test_run_warns_of_near_duplicates_once_these_very_documents_were_inspected(bench, copied, tmp_path):
    plugin = copied("near-at-first-unseen", '+ (" indeed" if i else "")')  # one copy and three that are nearly equal
    whole = ("run", "-t", "near-at-first-unseen", "-m", "prior", "--plugins", plugin, "--out", tmp_path, "--dry-run")
    limited = (*whole, "--set", "test_documents=40")
    (line,) = faults(bench(*limited))
    inspected = bench(*advised(line), "--json")
    assert inspected.code == 0
    assert "loading" not in inspected.err
    assert len(json.loads(inspected.out)["findings"]) >= 2
    _, near = faults(bench(*limited))
    assert "3 test documents (7.5 %) are near duplicates" in near
    assert len(faults(bench(*whole))) == 1


def test_the_command_that_a_warning_names_works_for_a_file_of_the_users(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"text {i} of the desk,{'rare' if i % 40 == 0 else 'common'}" for i in range(400)]
    (tmp_path / "skewed mail.csv").write_text("\n".join(["body,queue", *rows]))
    given = ("--data", "skewed mail.csv", "--text", "body", "--label", "queue")
    done = bench("run", *given, "-m", "prior", "--dry-run", "--set", "test_documents=35", "--out", tmp_path / "out")
    (line,) = faults(done)
    command = advised(line)
    assert command == ["inspect", *given, "--set", "test_documents=35"]
    shown = bench(*command, "--quick")
    assert (shown.code, shown.out.splitlines()[0].partition(":")[0]) == (0, "skewed-mail")
    assert "loading" not in shown.err
    assert line.partition("common")[2].partition(":")[0] in shown.out
