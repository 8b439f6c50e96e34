"""For every promise of the contract a plugin that breaks it, and it alone, and what its author is told."""

import os
import pickle
import subprocess
from dataclasses import replace

import pytest
from commands import PLUGINS

from bench.registry import Plugin, Registry
from bench.verification import shared_checks, task_checks
from bench.verification.apart import apart
from bench.verification.method_checks import METHOD_CHECKS
from bench.verification.suite import verify
from bench.verification.task_checks import TASK_CHECKS

CONTRACT = PLUGINS / "contract"
FILES = (CONTRACT / "sample_methods.py", CONTRACT / "sample_tasks.py")


def plugin(name, *files):
    return Registry.discover(files or FILES).find(name)


@pytest.fixture
def _near(monkeypatch):
    """Without fresh interpreters, which only some checks need and all would wait for."""
    for module in (shared_checks, task_checks):
        monkeypatch.setattr(module, "apart", lambda function, *arguments: function(*arguments))


def failed(findings):
    return {finding.check: finding for finding in findings if finding.state == "failed"}


METHODS = [
    ("no-docstring", "has a docstring", "NoDocstring has no docstring; write one"),
    ("undescribed", "its settings are declared and described", "weight of UndescribedSettings has no description"),
    ("bad-default", "its settings are declared and described", "bad-default.weight=-1.0"),
    ("other-config", "its settings are declared and described", "make it a subclass of bench.settings.Settings"),
    ("lax", "refuses unknown settings", 'extra="forbid"'),
    ("lacks-library", "its libraries are here", "abacus is not installed; run: pip install abacus"),
    ("says-true", "says which tasks it can learn", "supports returned True for a single-label task"),
    ("refuses-dumbly", "says which tasks it can learn", "refuses multi-label tasks without a reason"),
    ("refuses-all", "says which tasks it can learn", "refuses every task"),
    ("raises-in-fit", "learns and labels small documents", "ValueError: no learning today"),
    ("returns-list", "learns and labels small documents", "predict returned list"),
    ("too-few", "labels every document", "7 × 4 documents and labels for single-label documents, not 8 × 4"),
    ("double", "returns float32 scores", "astype(numpy.float32)"),
    ("logarithm", "returns finite scores", "scores of single-label documents are NaN or infinite"),
    ("out-of-range", "returns sets of known labels", "labels [4], of 4"),
    ("twice", "returns sets of known labels", "one of them twice"),
    ("two-of-one", "returns sets of known labels", "2 labels in a single-label task"),
    ("emits-any-order", "gives the same predictions for the same seed", "two fits with the same seed label"),
    ("unseeded", "gives the same predictions for the same seed", "context.seeds.of('…')"),
    ("batch-normalised", "labels each document by itself", "labelled one by one"),
    ("remembers", "labels each document by itself", "in another order 8 of 8"),
    ("changes-inputs", "leaves its inputs as they are", "it changed train; work on copies"),
    ("short-words", "labels odd texts", "predict raised IndexError for a single character"),
    ("sparse-nan", "labels odd texts", "4 of 4 scores of a single character are NaN or infinite"),
    ("odd-label", "labels odd texts", "labels [-1], of 4"),
    ("odd-column", "labels odd texts", "1 × 1 documents and labels for a single character, not 1 × 4"),
    ("counts-labels", "bears labels without training documents", "take the number of labels from len(labels)"),
    ("needs-labels", "bears documents without labels", "IndexError: list index out of range"),
    ("saves-only", "predicts the same after save and load", "write load"),
    ("forgets", "predicts the same after save and load", "after save and load 8 of 8"),
    (
        "loads-short",
        "predicts the same after save and load",
        "7 × 4 documents and labels for single-label documents after",
    ),
    ("greedy", "keeps to its threads", "leave the libraries' numbers of threads alone"),
    ("greedy-later", "keeps to its threads", "leave the libraries' numbers of threads alone"),
    ("litters", "writes only into its scratch folder", "checkpoint.bin"),
    ("litters-later", "writes only into its scratch folder", "answer.txt"),
    ("notes-arrays", "notes plain values", "note plain Python values"),
    ("notes-nan", "notes plain values", "context.note(loss=nan)"),
    ("half-broken", "learns what anyone can tell apart", "sixteen multi-label documents"),
    ("mixes-up", "learns what anyone can tell apart", "labels that are mixed up"),
]

TASKS = [
    ("loads-to-answer", "says quickly whether its documents are here", "availability calls load"),
    ("swallows", "says quickly whether its documents are here", "availability calls load"),
    ("answers-true", "says quickly whether its documents are here", "availability returned True"),
    ("no-remedy", "says quickly whether its documents are here", "without a reason and a remedy"),
    ("absent", "its documents are here", "unavailable: no file letters.csv; run: bench prepare absent"),
    ("stamps-time", "has a stable stamp", "two stamps of the same source differ"),
    ("stamps-object", "has a stable stamp", "stamp is no JSON value"),
    ("returns-dict", "loads documents that keep the contract", "load returned dict"),
    ("no-test", "loads documents that keep the contract", "split 'test' has no documents"),
    ("bytes-texts", "loads documents that keep the contract", "text is empty or not a string in document 'train-0'"),
    ("new-ids", "gives the same ids every time", "other ids come"),
    ("new-texts", "loads the same every time", "seed what is drawn"),
    ("unlimited", "takes fewer documents where asked", "train_documents=6 leaves 24 of 24"),
    ("line-breaks", "has label names that can be printed", r"['b\nb']"),
    ("unknown-metric", "has a primary metric that is defined", "did you mean 'macro_f1'?"),
    ("undefined-metric", "has a primary metric that is defined", "ancestors"),
    ("sorted-splits", "tests labels that occur in training", "12 of 12 labels of test documents"),
]


@pytest.mark.usefixtures("_near")
@pytest.mark.parametrize(("name", "check", "said"), METHODS + TASKS, ids=lambda value: value.replace(" ", "-")[:24])
def test_a_broken_promise_is_found_alone(name, check, said):
    found = failed(verify(plugin(name), {}))
    assert list(found) == [check]
    assert said in found[check].line()


@pytest.mark.usefixtures("_near")
@pytest.mark.parametrize("name", ["keeps", "emits", "single-only", "saves", "keeps-task"])
def test_what_keeps_all_promises_passes(name):
    assert {finding.state for finding in verify(plugin(name), {})} <= {"passed", "not applicable"}


def test_every_check_has_a_plugin_that_fails_it():
    """Those of the two tables, and those of the tests below."""
    below = {
        "can be imported",
        "imports nothing heavy at its top",
        "has no text in two splits",
        "supports single-label tasks",
        "supports multi-label tasks",
    }
    names = {check.name for check in (*METHOD_CHECKS, *TASK_CHECKS)}
    assert names - {check for _, check, _ in METHODS + TASKS} == below


@pytest.mark.usefixtures("_near")
def test_a_fault_is_found_at_its_line():
    finding = failed(verify(plugin("raises-in-fit"), {}))["learns and labels small documents"]
    lines = FILES[0].read_text().splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if "no learning today" in line)
    assert f"sample_methods.py:{number} fit" in finding.place


@pytest.mark.usefixtures("_near")
def test_a_wrong_answer_is_laid_to_the_function_that_gave_it():
    assert failed(verify(plugin("returns-list"), {})).popitem()[1].place.endswith("ReturnsList.predict")


@pytest.mark.usefixtures("_near")
def test_what_hangs_on_a_failed_check_is_not_looked_at():
    states = {finding.check: finding for finding in verify(plugin("raises-in-fit"), {})}
    blocked = states["predicts the same after save and load"]
    assert blocked.state == "not applicable"
    assert "learns and labels small documents" in blocked.found


@pytest.mark.usefixtures("_near")
def test_a_kind_that_is_not_supported_is_not_run_and_the_reason_is_told():
    findings = {finding.check: finding for finding in verify(plugin("single-only"), {})}
    assert findings["supports multi-label tasks"].found == "it says: one label a document"
    assert findings["bears documents without labels"].state == "not applicable"


@pytest.mark.usefixtures("_near")
@pytest.mark.parametrize(
    ("name", "check", "said"),
    [
        (
            "varies",
            "gives the same predictions for the same seed",
            "the abacus takes no seed; judge it by several seeds",
        ),
        ("ignores", "learns what anyone can tell apart", "right for a floor, which guesses"),
        ("rare-unseen", "tests labels that occur in training", "1 of 12 labels of test documents"),
        ("leaks", "has no text in two splits", "4 texts are in more than one split"),
        ("leaks-in-capitals", "has no text in two splits", "4 texts are in more than one split"),
    ],
)
def test_what_may_be_meant_is_a_note(name, check, said):
    (note,) = [finding for finding in verify(plugin(name), {}) if finding.state != "passed" and check == finding.check]
    assert note.state == "note"
    assert said in note.line()
    assert not failed(verify(plugin(name), {}))


def test_a_heavy_import_is_named_though_it_is_imported_here_already():
    found = failed(verify(plugin("heavy-top", CONTRACT / "heavy_top.py"), {}))
    assert "imports scipy at its top" in found["imports nothing heavy at its top"].found


def test_the_order_of_sets_is_seen():
    found = failed(verify(plugin("order-of-sets"), {}))
    assert "the same ids come in another order" in found["gives the same ids every time"].found


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Plugin("method", "gone", "no_such_module", "Gone", "somewhere"), "No module named 'no_such_module'"),
        (Plugin("method", "gone", "json", "Gone", "somewhere"), "has no attribute 'Gone'"),
        (Plugin("method", "gone", "json", "JSONDecoder", "somewhere"), "not a subclass of bench.method.Method"),
        (Plugin("method", "gone", "bench.method", "Method", "somewhere"), "does not define fit, predict"),
    ],
)
def test_what_does_not_import_fails_that_check_alone(broken, said):
    findings = list(verify(broken, {}))
    assert list(failed(findings)) == ["can be imported"]
    assert said in findings[0].found
    assert {finding.state for finding in findings[1:]} == {"not applicable"}


class FakeTime:
    """Time in which nobody waits: seconds pass where somebody sleeps."""

    def __init__(self, *sleeps):
        self.now, self.left = 0.0, list(sleeps)

    def sleep(self, seconds):
        self.now += self.left.pop(0)


@pytest.mark.usefixtures("_near")
@pytest.mark.parametrize(("waits", "state"), [((4, 3), "failed"), ((4, 0.1), "passed")])
def test_an_answer_that_waits_twice_is_a_fault_whoever_it_waits_for(monkeypatch, waits, state):
    clock = FakeTime(*waits)
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr(task_checks, "perf_counter", lambda: clock.now)
    check = "says quickly whether its documents are here"
    (finding,) = [found for found in verify(plugin("waits"), {}) if found.check == check]
    assert finding.state == state
    assert state == "passed" or finding.found == "availability took 3.0 s, twice"


def test_files_in_the_current_folder_are_not_imported(tmp_path, monkeypatch):
    for name in ("bench", "selectors", "pickle"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')\n")
    monkeypatch.chdir(tmp_path)
    assert apart(len, [1, 2]) == 2
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize(("code", "said"), [(0, "and no answer"), (3, "ended with code 3")])
def test_a_process_that_ends_without_an_answer_is_an_error(code, said):
    with pytest.raises(RuntimeError, match=said):
        apart(os._exit, code)


@pytest.mark.parametrize(
    ("code", "answer", "said"), [(3, pickle.dumps((1, None)), "code 3"), (0, b"no pickle", "read")]
)
def test_an_answer_that_is_cut_short_or_of_a_process_that_failed_is_an_error(monkeypatch, code, answer, said):
    monkeypatch.setattr(subprocess, "run", lambda *words, **options: subprocess.CompletedProcess(words, code, answer))
    with pytest.raises(RuntimeError, match=said):
        apart(len, [])


@pytest.mark.usefixtures("_near")
def test_settings_reach_the_plugin():
    found = failed(verify(replace(plugin("bad-default")), {"weight": 2.0}))
    assert not found


@pytest.mark.usefixtures("_near")
@pytest.mark.parametrize("name", ["prior", "tfidf", "synthetic-clv", "synthetic-wipo"])
def test_what_comes_with_the_harness_passes(name):
    given = {"documents": 400} if name.startswith("synthetic") else {}
    assert not failed(verify(Registry.discover().find(name), given))
