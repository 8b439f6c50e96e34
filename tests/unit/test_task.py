"""What the harness guarantees of a task's documents."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import TaskDataError
from bench.task import Documents, LabelSpace, TaskData


def documents(prefix, n=4):
    return Documents(
        [f"{prefix}{i}" for i in range(n)], [f"text {prefix} {i}" for i in range(n)], [[i % 2] for i in range(n)]
    )


DATA = TaskData(documents("a"), documents("b"), documents("c"), LabelSpace(("x", "y")), "single")


def changed(**parts):
    return dataclasses.replace(DATA, **parts)


def test_good_data_pass():
    DATA.check()


@pytest.mark.parametrize(
    "rows", [[0, 1, 0, 1], ["0", "1", "0", "1"], [[0.0, 1.0]] * 4, [[True, False]] * 4, [["0"]] * 4]
)
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_labels_that_are_no_positions_are_refused(rows, kind):
    """Numbers alone, words, and the rows of zeros and ones that other libraries want."""
    bad = changed(kind=kind, train=dataclasses.replace(DATA.train, labels=rows))
    with pytest.raises(TaskDataError, match=r"whole numbers, the positions of labels, such as \[2, 5\]"):
        bad.check()


@pytest.mark.parametrize(
    "other",
    [
        changed(kind="multi"),
        changed(primary_metric="macro_f1"),
        changed(labels=LabelSpace(("x", "z"))),
        changed(labels=LabelSpace(("x", "y"), (("p",), ("p",)))),
        changed(test=documents("d")),
        changed(validation=DATA.test, test=DATA.validation),
        changed(train=dataclasses.replace(DATA.train, texts=["other", *DATA.train.texts[1:]])),
        changed(train=dataclasses.replace(DATA.train, labels=[[1], *DATA.train.labels[1:]])),
        changed(train=DATA.train.take([1, 0, 2, 3])),
    ],
)
def test_the_fingerprint_sees_every_change(other):
    assert other.fingerprint() != DATA.fingerprint()


def test_the_fingerprint_does_not_run_texts_together():
    one = changed(train=dataclasses.replace(DATA.train, texts=["ab", "c", "d", "e"]))
    two = changed(train=dataclasses.replace(DATA.train, texts=["a", "bc", "d", "e"]))
    assert one.fingerprint() != two.fingerprint()


@given(st.integers(1, 40), st.integers(1, 40))
def test_smaller_samples_are_part_of_larger_ones(one, two):
    data = changed(train=documents("a", 40))
    small, large = (data.limited({"train": n}).train.ids for n in sorted((one, two)))
    assert set(small) <= set(large)
    assert (len(small), len(large)) == (min(one, two), max(one, two))
    assert large == [i for i in data.train.ids if i in set(large)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (changed(test=documents("a")), "'a0', 'a1', 'a2', 'a3'"),
        (changed(labels=LabelSpace(("x", "x"))), "'x'"),
        (changed(labels=LabelSpace(("x", "y"), (("p",),))), "1 rows of ancestors for 2"),
        (changed(train=dataclasses.replace(DATA.train, labels=[[0], [0, 1], [1], [0]])), "'a1'"),
        (changed(train=dataclasses.replace(DATA.train, labels=[[0], [1], [-1], [0]])), "'a2'"),
        (changed(train=Documents([1, 2], ["a", "b"], [[0], [1]])), "not a string"),
        (changed(train=Documents(["p"], ["a", "b"], [[0], [1]])), "1 ids, 2 texts"),
        (changed(train=Documents([], [], [])), "no documents"),
        (changed(kind="multi", train=dataclasses.replace(DATA.train, labels=[[0, 0], [1], [1], []])), "'a0'"),
    ],
)
def test_bad_data_are_refused_by_name(data, said):
    with pytest.raises(TaskDataError, match=said):
        data.check()


def test_multi_label_documents_may_have_no_label():
    changed(kind="multi", train=dataclasses.replace(DATA.train, labels=[[], [0, 1], [1], []])).check()


def test_label_matrix():
    rows = Documents(["a", "b", "c"], ["x"] * 3, [[2, 0], [], [1]])
    assert rows.label_matrix(4).toarray().tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
