"""Train sizes: what is read, which cells they span, and that nothing but the training documents differs among them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from commands import PLUGINS

from bench.errors import UserError
from bench.estimating.cells import Estimator, quick
from bench.estimating.estimate import Estimate
from bench.estimating.memory import Machine
from bench.registry import Registry
from bench.runner.plan import PlannedCell, Planner
from bench.selection import Selection
from bench.store import Store
from bench.suite import Suite, parse_suite
from bench.task_cache import freeze
from bench.telling import telling_words
from bench.train_sizes import parse_sizes

SMALL = Registry.discover([PLUGINS / "small.py"])
TASK = ("small-single",)


def planned(suite: Suite, tmp_path, registry: Registry = SMALL, say=str) -> list[PlannedCell]:
    return Planner(suite, registry, Store(tmp_path), say, pytest.fail).plan()


def sizes(cells):
    return [cell.identity.task_settings["train_documents"] for cell in cells]


@pytest.mark.parametrize(
    ("words", "found"),
    [(["100,300,all"], (100, 300, "all")), (["10", "20,30"], (10, 20, 30)), ([" 5 , all "], (5, "all")), (None, ())],
)
def test_sizes_are_read_from_one_word_or_several(words, found):
    assert parse_sizes(words) == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0"], "'0' is not a size; write whole numbers from 1, or all"),
        (["1.5"], "'1.5' is not a size"),
        (["many"], "'many' is not a size"),
        (["100,,300"], "'' is not a size"),
        ([""], "'' is not a size"),
        (["-5"], "'-5' is not a size"),
        (["300,100"], "sizes ascend and stand once: 100,300"),
        (["all", "100"], "sizes ascend and stand once: 100,all"),
        (["100,100"], "sizes ascend and stand once: 100"),
    ],
)
def test_sizes_that_are_off_are_refused_by_the_name_of_the_option(words, said):
    with pytest.raises(UserError) as caught:
        parse_sizes(words)
    assert str(caught.value).startswith(f"--train-size {','.join(words)}: ")
    assert said in str(caught.value)


def test_a_suite_may_have_sizes():
    assert parse_suite("train_sizes: [10, 20, all]", "mine", "mine.yaml").train_sizes == (10, 20, "all")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train_sizes: [0]", "0 is not a size"),
        ("train_sizes: [true]", "True is not a size"),
        ("train_sizes: [10.5]", "10.5 is not a size"),
        ("train_sizes: [null]", "None is not a size"),
        ("train_sizes: [20, 10]", "sizes ascend"),
        ("train_sizes: 10", "train_sizes: "),
        ("train_size: [10]", "'train_sizes'"),
    ],
)
def test_a_suites_sizes_that_are_off_are_refused_by_the_name_of_the_key(text, said):
    with pytest.raises(UserError, match=said):
        parse_suite(text, "mine", "mine.yaml")


def test_every_task_method_and_seed_has_a_cell_at_every_size(tmp_path):
    tasks, methods = ("small-single", "small-multi"), ("words", "chance")
    cells = planned(Suite(tasks=tasks, methods=methods, seeds=(0, 1), train_sizes=(10, 20)), tmp_path)
    spanned = [(cell.identity.task, cell.identity.method, cell.identity.seed) for cell in cells]
    assert [(task, size, *rest) for (task, *rest), size in zip(spanned, sizes(cells), strict=True)] == [
        (task, size, method, seed) for task in tasks for size in (10, 20) for method in methods for seed in (0, 1)
    ]
    assert len({cell.cell for cell in cells}) == len({cell.slot for cell in cells}) == 16
    assert [cell.frozen.facts.documents["train"] for cell in cells[::4]] == [10, 20, 10, 20]


def test_sizes_combine_with_variants_and_are_told_apart_in_words(tmp_path):
    suite = Suite(tasks=TASK, methods=("words",), variants={"words": {"weight": [2, 3]}}, train_sizes=(10, "all"))
    words = telling_words([cell.identity for cell in planned(suite, tmp_path)])
    assert words == [f"train_documents={size}, weight={weight}" for size in (10, "all") for weight in ("2.0", "3.0")]


def test_what_the_split_does_not_exceed_is_all_once_and_told(tmp_path):
    said: list[str] = []
    suite = Suite(tasks=("small-single", "small-multi"), methods=("words",), train_sizes=(10, 60, 1000))
    suite = suite.model_copy(update={"settings": {"small-multi": {"size": 500}}})
    cells = planned(suite, tmp_path, say=said.append)
    assert sizes(cells) == [10, None, 10, 60, None]
    told = [line for line in said if "train size" in line]
    assert told == [
        "small-single: train size 60 and 1,000: there are 60 training documents, so that is all, and runs once",
        "small-multi: train size 1,000: there are 500 training documents, so that is all, and runs once",
    ]


def test_all_is_not_run_where_no_size_reaches_it(tmp_path):
    said: list[str] = []
    cells = planned(Suite(tasks=TASK, methods=("words",), train_sizes=(10, 59)), tmp_path, say=said.append)
    assert sizes(cells) == [10, 59]
    assert not [line for line in said if "train size" in line]


def test_a_size_outranks_what_the_suite_says_of_the_task(tmp_path):
    suite = Suite(
        tasks=TASK,
        methods=("words",),
        every_task={"train_documents": 5, "test_documents": 7},
        settings={"small-single": {"train_documents": 6}},
        train_sizes=(10, "all"),
    )
    cells = planned(suite, tmp_path)
    assert sizes(cells) == [10, None]
    assert {cell.frozen.facts.documents["test"] for cell in cells} == {7}


@pytest.mark.parametrize("word", ["train_documents", "small-single.train_documents"])
@pytest.mark.parametrize("of_suite", [True, False])
def test_a_size_of_the_task_beside_train_sizes_is_refused(word, of_suite):
    suite = Suite(tasks=TASK, methods=("words",), train_sizes=(10, 20) if of_suite else ())
    selection = Selection(settings={word: 7}, train_sizes=() if of_suite else (10, 20))
    with pytest.raises(UserError, match=rf"--set {word}=7: the train sizes 10,20 .* --train-size 7"):
        selection.of(suite, SMALL)


def test_the_users_sizes_take_the_place_of_the_suites():
    suite = Suite(tasks=TASK, train_sizes=(10, 20))
    assert Selection(train_sizes=(30,)).of(suite, SMALL).train_sizes == (30,)
    assert Selection(settings={"test_documents": 7}).of(suite, SMALL).train_sizes == (10, 20)


def test_cells_that_cannot_run_have_a_name_at_every_size(tmp_path):
    (tmp_path / "gone.py").write_text(
        "from bench.task import Availability, Task\n"
        "class Gone(Task):\n    name = 'gone'\n"
        "    def availability(self): return Availability(False, 'no file', 'fetch it')\n"
        "    def load(self): ...\n"
    )
    registry = Registry.discover([tmp_path / "gone.py", PLUGINS / "small.py"])
    cells = planned(Suite(tasks=("gone",), methods=("words",), train_sizes=(10, 20, "all")), tmp_path, registry)
    assert [cell.state for cell in cells] == ["unavailable"] * 3
    assert len({cell.cell for cell in cells}) == 3


def test_a_broken_task_has_one_cell_that_says_so(tmp_path):
    bad = replace(SMALL.get("task", "small-single"), name="bad", error="it does not import")
    only = replace(SMALL, plugins=(bad, SMALL.get("method", "words")))
    (cell,) = planned(Suite(methods=("words",), train_sizes=(10, 20)), tmp_path, only)
    assert (cell.identity.task, cell.state) == ("bad", "unavailable")


@pytest.mark.parametrize("sampling", ["hashed", "stratified"])
@pytest.mark.parametrize("task", ["small-single", "small-multi", "synthetic-clv", "synthetic-wipo"])
def test_nothing_but_training_documents_differs_among_sizes_and_samples_are_nested(task, sampling, tmp_path):
    settings = {task: {"sampling": sampling, "validation_documents": 15, "test_documents": 25}}
    suite = Suite(tasks=(task,), methods=("words",), settings=settings, train_sizes=(5, 17, 40, "all"))
    found = [cell.frozen.load() for cell in planned(suite, tmp_path)]
    assert [len(data.train) for data in found[:3]] == [5, 17, 40]
    for small, large in pairwise(found):
        assert set(small.train.ids) < set(large.train.ids)
        texts = dict(zip(large.train.ids, large.train.texts, strict=True))
        assert all(texts[i] == text for i, text in zip(small.train.ids, small.train.texts, strict=True))
        assert (small.validation, small.test, small.labels) == (large.validation, large.test, large.labels)
        assert (small.kind, small.primary_metric) == (large.kind, large.primary_metric)


def test_seeds_share_the_sample(tmp_path):
    suite = Suite(tasks=TASK, methods=("chance",), seeds=(0, 1, 2), train_sizes=(10,))
    assert len({cell.identity.task_fingerprint for cell in planned(suite, tmp_path)}) == 1


def counting_task(folder):
    """A task that writes a line whenever its documents are read."""
    (folder / "counting.py").write_text(
        "from pathlib import Path\nfrom bench.task import Documents, LabelSpace, Task, TaskData\n"
        "class Counting(Task):\n    name = 'counting'\n"
        "    def load(self):\n"
        f"        with Path({str(folder / 'read')!r}).open('a') as log: log.write('read\\n')\n"
        "        def split(name, n):\n"
        "            return Documents([f'{name}{i}' for i in range(n)], ['text'] * n, [[i % 2] for i in range(n)])\n"
        "        return TaskData(split('a', 40), split('b', 9), split('c', 9), LabelSpace(('x', 'y')), 'single')\n"
    )
    return Registry.discover([folder / "counting.py", PLUGINS / "small.py"])


def test_a_source_is_read_once_for_all_sizes_and_gives_what_reading_it_for_one_does(tmp_path, monkeypatch):
    registry = counting_task(tmp_path)
    plugin, given = registry.get("task", "counting"), {"train_documents": 12, "test_documents": 5}
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "alone"))
    alone = freeze(plugin, given, str)
    assert (tmp_path / "read").read_text() == "read\n"
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "together"))
    suite = Suite(tasks=("counting",), methods=("words",), settings={"counting": {"test_documents": 5}})
    suite = suite.model_copy(update={"train_sizes": (6, 12, 20)})
    cells = planned(suite, tmp_path, registry)
    assert (tmp_path / "read").read_text() == "read\n" * 2
    assert cells[1].frozen.fingerprint == alone.fingerprint
    assert cells[1].frozen.unlimited == alone.unlimited == {"train": 40, "validation": 9, "test": 9}


def test_estimates_are_of_the_size(tmp_path):
    suite = Suite(tasks=("synthetic-clv",), methods=("bert",), train_sizes=(100, 400))
    registry = Registry.discover()
    estimator = Estimator(registry, suite, Machine.of("cpu", bf16=False), Fixed(), quick())
    small, large = (estimator.of(cell) for cell in planned(suite, tmp_path, registry))
    assert isinstance(small, Estimate)
    assert isinstance(large, Estimate)
    assert large.seconds["train"] == pytest.approx(4 * small.seconds["train"], rel=0.15)
    assert large.seconds["predict"] == pytest.approx(small.seconds["predict"])


class Fixed:
    """A device that computes at one rate."""

    def learning(self, subject, reading, length):
        return 1e9

    def reading(self, subject, reading, length):
        return 1e9
