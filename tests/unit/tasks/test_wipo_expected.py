"""WIPO-alpha says how large it is while it is not here, as published and only then."""

from __future__ import annotations

import pytest

from bench.estimating.tasks import size_expected, token_lengths
from bench.settings import resolve_settings
from tasks.wipo_alpha import WipoAlpha


def task(**given):
    return WipoAlpha(resolve_settings(WipoAlpha.Config, given, "wipo-alpha"))


def test_sizes_are_the_published_ones():
    expected = task().expected()
    assert sum(expected.documents[split] for split in ("train", "validation")) == 46_324
    assert expected.documents["validation"] == 4632
    assert (expected.documents["test"], expected.n_labels, expected.words, expected.kind) == (
        28_926,
        451,
        300,
        "single",
    )
    assert task(level="class", labels="all", words=50).expected().n_labels == 114
    assert task(labels="all").expected().kind == "multi"


@pytest.mark.parametrize(
    "given",
    [{"level": "main-group"}, {"mapping": "mine.tsv"}, {"sections": "AB"}, {"text": "abstract"},
     {"labels": "all", "secondary": "keep"}],
)  # fmt: skip
def test_what_nobody_published_is_not_expected(given):
    assert task(**given).expected() is None
    assert size_expected(task(**given)) is None


def test_limits_apply():
    size = size_expected(task(train_documents=500))
    assert size.documents == {"train": 500, "validation": 4632, "test": 28_926}
    assert size.is_expected
    assert token_lengths(size, None)["train"] == [450]
