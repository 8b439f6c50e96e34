from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from bench.settings import resolve_settings
from tasks.hierarchy_codes import CAPACITY, ancestors, codes
from tasks.invented import Weighted, Zipf, stream, word
from tasks.synthetic import ClvSettings, SyntheticClv, SyntheticWipo, WipoSettings


def test_golden_clv() -> None:
    assert SyntheticClv().load().fingerprint() == "2d4b41cecab1d323fc60b8991b0e8c14"


def test_golden_wipo() -> None:
    assert SyntheticWipo().load().fingerprint() == "097109a3d2360e9de5ce1a95a70a22c0"


def test_golden_words() -> None:
    assert [word("a", number) for number in range(3)] == ["vokesstin", "loszon", "mopen"]


def test_clv_shape() -> None:
    data = SyntheticClv().load()
    data.check()
    assert [len(part) for _, part in data.splits()] == [1600, 200, 600]
    counts = Counter(row[0] for row in data.train.labels)
    assert len(counts) == 5
    assert max(counts.values()) > 3 * min(counts.values())
    assert all(30 <= len(text.split()) <= 80 for text in data.train.texts)


def test_wipo_shape() -> None:
    data = SyntheticWipo().load()
    data.check()
    assert [len(part) for _, part in data.splits()] == [2000, 250, 750]
    assert len(data.labels) == 120
    assert sum(map(len, data.train.labels)) / 2000 == pytest.approx(1.8, abs=0.1)
    counts = sorted(Counter(label for row in data.train.labels for label in row).values(), reverse=True)
    assert sum(counts[:12]) > sum(counts[60:])  # a tenth of the labels outweighs the rarer half


@pytest.mark.parametrize(("depth", "labels"), [(1, 8), (2, 30), (3, 100), (4, 3000)])
def test_ancestors_follow_the_codes(depth: int, labels: int) -> None:
    space = SyntheticWipo(WipoSettings(documents=24, depth=depth, labels=labels)).load().labels
    assert space.ancestors is not None
    assert len(space) == labels
    assert {len(path) for path in space.ancestors} == {depth - 1}
    assert all(name.startswith(path) for name, row in zip(space.names, space.ancestors, strict=True) for path in row)


def test_every_label_has_its_place_in_the_order_of_popularity() -> None:
    config = WipoSettings(labels=30, documents=2400)
    data = SyntheticWipo(config).load()
    assert {label for row in data.train.labels for label in row} == set(range(30))


def test_main_groups_look_like_ipc() -> None:
    assert ancestors("A01B 003") == ("A", "A01", "A01B")
    assert codes(9, 4)[:2] == ["A01A 001", "A02A 001"]


@pytest.mark.slow
def test_a_million_labels() -> None:
    config = WipoSettings(documents=60, depth=4, labels=1_000_000)
    data = SyntheticWipo(config).load()
    assert len(set(data.labels.names)) == 1_000_000


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.integers(1, 5000))
def test_codes_are_distinct_and_sorted(depth: int, count: int) -> None:
    count = min(count, CAPACITY[depth - 1])
    made = codes(count, depth)
    assert len(made) == count
    assert all(one < other for one, other in itertools.pairwise(made))


def test_a_document_does_not_depend_on_how_many_there_are() -> None:
    few, many = (SyntheticClv(ClvSettings(documents=count)).load() for count in (24, 240))
    assert list(few.train.texts) == list(many.train.texts)[: len(few.train)]


def test_seeds_make_other_collections() -> None:
    one, other = (SyntheticClv(ClvSettings(documents=24, data_seed=seed)).load() for seed in (0, 1))
    assert not set(one.train.texts) & set(other.train.texts)


def test_noise_changes_labels_and_not_texts() -> None:
    clean, noisy = (SyntheticClv(ClvSettings(documents=1200, label_noise=noise)).load() for noise in (0, 0.5))
    assert clean.train.texts == noisy.train.texts
    changed = sum(one != other for one, other in zip(clean.train.labels, noisy.train.labels, strict=True))
    assert changed / len(clean.train) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    "given",
    [{"labels": 9, "depth": 1}, {"shortest": 9, "longest": 8}, {"topical": 0.9, "confusable": 0.2}],
)
def test_settings_that_contradict_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(UserError):
        resolve_settings(WipoSettings, given, "synthetic-wipo")


def test_draws_follow_their_weights() -> None:
    random = stream("test")
    ranks = Zipf(3)
    zipf = Counter(ranks.draw(random) for _ in range(11_000))
    assert [zipf[rank] / 11_000 for rank in range(3)] == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.02)
    weighted = Weighted((1, 0, 3))
    drawn = Counter(weighted.draw(random) for _ in range(4000))
    assert drawn[1] == 0
    assert drawn[2] / 4000 == pytest.approx(0.75, abs=0.03)
