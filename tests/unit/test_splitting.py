from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.splitting import Shares, assign_splits, sample

SHARES = Shares(validation=0.1, test=0.2)


def ids_of(n):
    return [f"d{i}" for i in range(n)]


def test_every_label_has_its_share_of_every_split():
    labels = [[0] for _ in range(600)] + [[1] for _ in range(300)] + [[2] for _ in range(100)]
    splits = assign_splits(ids_of(1000), labels, SHARES)
    for label, size in ((0, 600), (1, 300), (2, 100)):
        counts = Counter(split for split, row in zip(splits, labels, strict=True) if row == [label])
        assert counts["test"] == pytest.approx(0.2 * size, abs=3)
        assert counts["validation"] == pytest.approx(0.1 * size, abs=3)


def test_many_small_labels_do_not_shift_the_shares():
    labels = [[i // 4] for i in range(2000)]
    counts = Counter(assign_splits(ids_of(2000), labels, SHARES))
    assert counts["test"] == pytest.approx(400, abs=40)
    assert counts["validation"] == pytest.approx(200, abs=40)


def test_labels_on_one_document_or_two_are_all_shown_in_training():
    labels = [[i] for i in range(100)] + [[100 + i // 2] for i in range(200)]
    splits = assign_splits(ids_of(300), labels, Shares(validation=0.3, test=0.4))
    trained = {row[0] for row, split in zip(labels, splits, strict=True) if split == "train"}
    assert trained == set(range(200))


@given(st.lists(st.tuples(st.sets(st.integers(0, 6)), st.integers(0, 15)), min_size=1, max_size=80))
def test_groups_stay_whole_and_every_label_is_shown_in_training(rows):
    ids, labels, groups = ids_of(len(rows)), [sorted(row) for row, _ in rows], [f"g{group}" for _, group in rows]
    splits = assign_splits(ids, labels, SHARES, groups)
    for group in set(groups):
        assert len({split for split, g in zip(splits, groups, strict=True) if g == group}) == 1
    trained = {label for row, split in zip(labels, splits, strict=True) if split == "train" for label in row}
    assert trained == {label for row in labels for label in row}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_no_group_is_held_out_that_is_larger_than_what_is_wanted(sizes):
    groups = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
    splits = assign_splits(ids_of(len(groups)), [[0] for _ in groups], SHARES, groups)
    wanted = 0.3 * len(groups) + 1e-9
    if min(sizes) <= wanted:
        held_out = {group for group, split in zip(groups, splits, strict=True) if split != "train"}
        assert all(sizes[int(group[1:])] <= wanted for group in held_out)


@given(st.permutations(list(range(40))))
def test_the_order_of_documents_plays_no_part(order):
    ids, labels = ids_of(40), [[i % 3] for i in range(40)]
    splits = dict(zip(ids, assign_splits(ids, labels, SHARES), strict=True))
    shuffled = assign_splits([ids[i] for i in order], [labels[i] for i in order], SHARES)
    assert [splits[ids[i]] for i in order] == shuffled


@given(st.integers(1, 200), st.integers(1, 200))
def test_smaller_samples_are_part_of_larger_ones(one, two):
    ids, labels = ids_of(200), [[i % 7] if i % 3 else [i % 7, 7] for i in range(200)]
    small, large = (set(sample(ids, labels, size)) for size in sorted((one, two)))
    assert len(small) == min(one, two)
    assert small <= large


def test_a_sample_holds_every_label_in_its_share():
    labels = [[0] for _ in range(900)] + [[1] for _ in range(90)] + [[2] for _ in range(10)]
    counts = Counter(labels[i][0] for i in sample(ids_of(1000), labels, 100))
    assert counts[0] == pytest.approx(90, abs=2)
    assert counts[1] == pytest.approx(9, abs=2)
    assert counts[2] == pytest.approx(1, abs=1)
