"""What pretraining reads, and in which order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.pretraining.rows import reading_order, rows_of
from bench.pretraining.settings import BuildSettings


@given(st.lists(st.lists(st.integers(0, 99), max_size=70), max_size=8), st.integers(1, 20))
def test_rows_hold_every_token_once_in_order_and_within_the_budget(documents: list[list[int]], budget: int) -> None:
    rows = rows_of(documents, budget)
    assert [token for row in rows for token in row] == [token for ids in documents for token in ids]
    assert all(0 < len(row) <= budget for row in rows)


def test_a_document_leaves_no_crumb() -> None:
    assert [len(row) for row in rows_of([list(range(101))], 50)] == [33, 34, 34]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 40))
def test_all_rows_are_read_equally_often(lengths: list[int], batch_size: int, steps: int) -> None:
    read = reading_order(lengths, BuildSettings(steps=steps, batch_size=batch_size))
    assert len(read) == steps * batch_size
    counts = [Counter(read)[row] for row in range(len(lengths))]
    assert max(counts) - min(counts) <= 1


def test_the_order_follows_from_the_seed() -> None:
    orders = [reading_order(range(1, 90), BuildSettings(steps=40, batch_size=16, seed=seed)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_rows_of_a_step_are_of_like_length_to_the_end() -> None:
    lengths = [n % 97 + 1 for n in range(1_003)]  # no whole number of batches
    read = reading_order(lengths, BuildSettings(steps=300, batch_size=16))
    for start in range(0, len(read), 1_600):  # the first reading as well as the fifth
        steps = [[lengths[row] for row in read[at : at + 16]] for at in range(start, min(start + 1_600, len(read)), 16)]
        assert sum(max(step) - min(step) for step in steps) / len(steps) < 10
