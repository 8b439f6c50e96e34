"""Which document is in which split, and what that depends on."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_tables import load, split_of, tickets, write_csv

from bench.errors import UserError
from tasks.tabular.assembling import Assembler
from tasks.tabular.rows import Row
from tasks.tabular.settings import TabularSettings

LABELS = ("a", "b", "c", "d")

# Enough rows of two labels that every split has some; then rows of any text, label and group.
BASE = [Row(f"base {i}", f"base text {i}", (LABELS[i % 2],), f"base{i}") for i in range(40)]
drawn = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", " two\n", "three", "four", "five"]),
        st.sets(st.sampled_from(LABELS), min_size=1),
        st.sampled_from([None, "g1", "g2", "g3"]),
    ),
    max_size=40,
)


def rows_of(drawn, ids=True):
    rows = [
        Row(f"row {i}", text, tuple(sorted(labels)), f"d{i}" if ids else None, group)
        for i, (text, labels, group) in enumerate(drawn)
    ]
    return BASE + rows


def assemble(rows, kind="multi", **settings):
    data = Assembler(TabularSettings(**settings), kind, "rows").assemble(rows)
    data.check()
    return data


def documents_of(data):
    return {
        id_: (split, text, tuple(labels))
        for split, part in data.splits()
        for id_, text, labels in zip(part.ids, part.texts, part.labels, strict=True)
    }


@given(drawn)
def test_groups_and_equal_texts_are_never_parted(drawn):
    rows = rows_of(drawn)
    splits = split_of(assemble(rows))
    for key in (lambda row: row.group, lambda row: " ".join(row.text.split())):
        found = {}
        for row in rows:
            if key(row) is not None:
                found.setdefault(key(row), set()).add(splits[row.id])
        assert all(len(parts) == 1 for parts in found.values())


@given(drawn)
def test_every_label_is_on_a_training_document(drawn):
    data = assemble(rows_of(drawn))
    assert {label for row in data.train.labels for label in row} == set(range(len(data.labels)))


@given(drawn, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_rows_changes_no_split(drawn, random, ids):
    rows = rows_of(drawn, ids)
    shuffled = random.sample(rows, len(rows))
    one, two = (assemble(order) for order in (rows, shuffled))
    assert split_of(one) == split_of(two)
    assert documents_of(one) == documents_of(two)


@given(drawn)
def test_a_named_split_is_kept_and_the_others_are_chosen_around_it(drawn):
    rows = [Row(row.place, row.text, row.labels, row.id, row.group, "test" if i % 5 == 4 else None)
            for i, row in enumerate(rows_of(drawn))]  # fmt: skip
    data = assemble(rows, unseen="keep")
    assert data.test.ids == [row.id for row in rows if row.split == "test"]
    assert len(data.validation)
    free = [row for row in rows if row.split is None]
    groups = {}
    for row in free:
        groups.setdefault(row.group or row.id, set()).add(split_of(data)[row.id])
    assert all(len(parts) == 1 for parts in groups.values())


@given(drawn, st.integers(1, 60), st.integers(1, 60))
def test_a_limit_keeps_every_stratum_and_smaller_ones_are_part_of_larger(drawn, one, two):
    data = assemble(rows_of(drawn))
    small, large = (data.limited({"train": size}, "stratified") for size in sorted((one, two)))
    assert len(small.train) == min(one, two, len(data.train))
    assert set(small.train.ids) <= set(large.train.ids)
    assert small.labels == data.labels
    assert small.test == data.test


def test_a_limit_on_a_table_is_by_stratum(tmp_path):
    assert TabularSettings().sampling == "stratified"
    rows = [{"text": f"text {i}", "label": "rare" if i % 20 == 0 else "often"} for i in range(2000)]
    data = load(write_csv(tmp_path / "t.csv", rows)).limited({"train": 100}, "stratified")
    counts = Counter(data.labels.names[row[0]] for row in data.train.labels)
    assert counts["rare"] == pytest.approx(5, abs=1)


def test_shares_hold_and_every_label_has_its_share(tmp_path):
    rows = [{"text": f"text {i}", "label": ("x", "x", "x", "y")[i % 4]} for i in range(1000)]
    data = load(write_csv(tmp_path / "t.csv", rows), validation_share=0.2, test_share=0.3)
    assert len(data.validation) == pytest.approx(200, abs=5)
    assert len(data.test) == pytest.approx(300, abs=5)
    for _, documents in data.splits():
        assert sum(row == [1] for row in documents.labels) == pytest.approx(len(documents) / 4, abs=2)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 21, 34])
def test_groups_of_every_size_have_their_share_of_every_split(size):
    rows = [Row(f"row {i}", f"text {i}", (LABELS[i % 2],), str(i), f"g{i // size}") for i in range(20 * size)]
    counts = Counter(split_of(assemble(rows)).values())
    assert counts["test"] / len(rows) == pytest.approx(0.2, abs=0.06)
    assert counts["validation"] / len(rows) == pytest.approx(0.1, abs=0.06)


def test_a_split_column_is_kept_whatever_its_words(tmp_path):
    words = ("train", "Training", "VAL", "dev", "test", "train")
    rows = [{**row, "part": words[i % 6]} for i, row in enumerate(tickets(60))]
    data = load(write_csv(tmp_path / "t.csv", rows), split="part", id="id")
    for split, found in (("train", {0, 1, 5}), ("validation", {2, 3}), ("test", {4})):
        assert getattr(data, split).ids == [row["id"] for i, row in enumerate(rows) if i % 6 in found]


def test_groups_that_the_user_parts_are_told(tmp_path):
    rows = [{**row, "part": ("train", "train", "val", "test")[i // 15], "customer": f"c{i % 20}"}
            for i, row in enumerate(tickets(60))]  # fmt: skip
    data = load(write_csv(tmp_path / "t.csv", rows), split="part", group="customer")
    assert any("groups that the given splits part: 20" in line for line in data.remarks)
    assert not load(write_csv(tmp_path / "t.csv", rows), group="customer").remarks


def test_what_hangs_together_by_a_common_text_is_told(tmp_path):
    rows = [{"text": "thanks" if i % 5 == 0 else f"text {i}", "label": "ab"[i % 2], "customer": f"c{i // 5}"}
            for i in range(200)]  # fmt: skip
    path = write_csv(tmp_path / "t.csv", rows)
    said = "200 of 200 rows hang together through group or equal texts, 40 of them as 'thanks'; take out texts"
    with pytest.raises(UserError, match=f"t.csv: no documents for validation and test .*; {said}"):
        load(path, group="customer")
    assert not load(path).remarks


def test_a_group_of_most_rows_is_learnt_from_and_told(tmp_path):
    rows = [{"text": f"text {i}", "label": "ab"[i % 2], "customer": "big" if i < 120 else f"c{i}"} for i in range(200)]
    data = load(write_csv(tmp_path / "t.csv", rows), group="customer")
    assert {f"text {i}" for i in range(120)} <= set(data.train.texts)
    sizes = len(data.validation), len(data.test)
    assert sizes == (pytest.approx(8, abs=2), pytest.approx(16, abs=2))
    assert data.remarks == (
        "120 of 200 rows hang together through group or equal texts; splits are far from their shares: "
        f"validation {sizes[0]} (20 wanted), test {sizes[1]} (40 wanted)",
    )


def test_few_rows_are_enough_for_three_splits(tmp_path):
    for count in range(10, 40):
        data = load(write_csv(tmp_path / "t.csv", tickets(count)))
        assert all(len(part) for _, part in data.splits())


def test_rows_that_make_no_three_splits_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"t.csv: no documents for .*; give more rows, larger validation_share"):
        load(write_csv(tmp_path / "t.csv", tickets(3)))
    with pytest.raises(UserError, match=r"t.csv: no documents for train"):
        load(write_csv(tmp_path / "t.csv", [{**row, "p": "test"} for row in tickets()]), split="p", unseen="keep")
