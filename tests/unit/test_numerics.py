"""What low precision does to scores is looked at, and told where it is more than rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert
from bench.meters.instruments import CellInstruments
from bench.method import Context
from bench.model import ResolvedModel
from bench.numerics import PROBED, compared, probe_numerics
from bench.prediction import Scores, TopScores, rank
from bench.task import Documents, Kind, LabelSpace

QUICK = {"epochs": 12, "keep": "last", "batch_size": 8, "max_tokens": 32, "learning_rate": 2e-3}


def scores(seed: int, documents: int = 40) -> Any:
    return np.random.default_rng(seed).normal(size=(documents, 5)).astype(np.float32)


def ranked(values: Any) -> Any:
    return rank(Scores(values))


def test_rounding_does_not_stray() -> None:
    full = scores(0)
    found = compared("bfloat16", ranked(full + np.float32(0.001)), ranked(full))
    assert (found.documents, found.changed_share, found.strays) == (40, 0.0, False)
    assert found.greatest_difference == pytest.approx(0.001, rel=0.01)
    assert found.spread == pytest.approx(full.std(), rel=1e-4)


def test_one_score_far_off_strays_though_no_label_changes() -> None:
    full = scores(0)
    low = full.copy()
    low[3, full[3].argmax()] += 0.3
    found = compared("bfloat16", ranked(low), ranked(full))
    assert (found.changed_share, found.strays) == (0.0, True)


@pytest.mark.parametrize(("changed", "strays"), [(2, False), (3, True)])
def test_labels_may_change_for_one_document_in_twenty(changed: int, strays: bool) -> None:
    full = np.tile(np.float32([0.0, 0.01, 5.0, 9.0]), (40, 1))
    full[:, 2] = 8.99  # nearly as good as the best
    low = full.copy()
    low[:changed, 2] = 9.01
    found = compared("bfloat16", ranked(low), ranked(full))
    assert (found.changed_share, found.strays) == (changed / 40, strays)


def test_best_scores_of_many_labels_are_compared_where_both_have_them() -> None:
    from scipy.sparse import csr_matrix

    full = csr_matrix(np.float32([[0, 3, 2, 0], [4, 0, 0, 1]]))
    low = csr_matrix(np.float32([[0, 3.5, 0, 9], [4, 0, 0, 1]]))
    found = compared("bfloat16", rank(TopScores(low)), rank(TopScores(full)))
    assert (found.greatest_difference, found.changed_share) == (0.5, 0.5)


@pytest.fixture
def fitted(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> Callable[..., tuple[Bert, CellInstruments]]:
    def fit(method_class: type[Bert] = Bert, **settings: Any) -> tuple[Bert, CellInstruments]:
        instruments = CellInstruments(tell=lambda _: None)
        instruments.start()
        context = replace(make_context(tiny_model("bert")), instruments=instruments)
        method = method_class(method_class.Config(**QUICK | settings))
        with context.phase("train"):
            method.fit(sixteen("single"), sixteen("single"), labels, context)
        return method, instruments

    return fit


def test_a_run_in_low_precision_says_how_near_it_is(
    fitted: Callable[..., Any], make_context: Callable[..., Context], sixteen: Callable[[Kind], Documents]
) -> None:
    method, instruments = fitted(precision="bfloat16")
    facts = instruments.facts["numerics"]
    assert (facts["precision"], facts["documents"], facts["strays"]) == ("bfloat16", 16, False)
    texts, context = sixteen("single").texts, make_context(None)
    full, low = (method._scores(texts, context, precision).values for precision in ("float32", "bfloat16"))
    np.testing.assert_array_equal(method.predict(texts, context).values, low)
    assert facts["greatest_difference"] == pytest.approx(float(np.abs(low - full).max()))
    assert 0 < facts["greatest_difference"] < facts["spread"] / 4
    measured = instruments.measured()
    assert measured.seconds["probe"] > 0
    assert set(measured.speed) == {"train"}


def test_training_is_in_the_precision_that_is_set(fitted: Callable[..., Any]) -> None:
    curves = [fitted(epochs=1, precision=word)[1].facts["loss_curve"] for word in ("auto", "float32", "bfloat16")]
    assert curves[0] == curves[1] != curves[2]
    np.testing.assert_allclose(curves[1], curves[2], rtol=0.05)


def test_full_precision_has_nothing_to_compare(fitted: Callable[..., Any]) -> None:
    for precision in ("auto", "float32"):
        _, instruments = fitted(epochs=1, precision=precision)
        assert "numerics" not in instruments.facts
        assert "probe" not in instruments.measured().seconds


class Broken(Bert):
    """As if a kernel were wrong in low precision."""

    def _forward(self, batch: Any) -> Any:
        import torch

        logits = super()._forward(batch)
        return logits.flip(1) if torch.is_autocast_enabled("cpu") else logits


def test_a_kernel_that_is_wrong_in_low_precision_strays(fitted: Callable[..., Any]) -> None:
    facts = fitted(Broken, precision="bfloat16")[1].facts["numerics"]
    assert facts["strays"] is True
    assert facts["changed_share"] == 1.0


def test_a_few_documents_are_looked_at_chosen_by_seed(make_context: Callable[..., Context]) -> None:
    many = Documents([str(n) for n in range(200)], [f"text {n}" for n in range(200)], [[n % 4] for n in range(200)])
    asked: list[Any] = []

    def predict(texts: Any, context: Context, precision: str) -> Scores:
        asked.append((precision, list(texts)))
        return Scores(np.eye(len(texts), 4, dtype=np.float32))

    context = make_context(None)
    for _ in range(2):
        probe_numerics(predict, many, "bfloat16", context)
    assert [precision for precision, _ in asked] == ["bfloat16", "float32"] * 2
    assert [len(texts) for _, texts in asked] == [PROBED] * 4
    assert len({tuple(texts) for _, texts in asked}) == 1
    probe_numerics(predict, many, "auto", context)
    assert len(asked) == 4
