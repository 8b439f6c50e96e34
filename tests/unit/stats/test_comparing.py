"""Two rows compared: figures, the deciding test, several seeds, documents that differ, corrections."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from unit.stats.judged_runs import judged, noisy, of_classes

from bench.errors import UserError
from bench.stats.comparing import Comparer, DifferentDocuments, UnsupportedMetric, compare, holm, verdicts
from bench.stats.judged import Judged
from bench.stats.pairs import mcnemar
from bench.stats.ranks import critical_difference


def classes(wrong: float, seed: int = 0, documents: int = 400, **more: Any) -> Judged:
    gold = np.arange(documents) % 5
    missed = np.random.default_rng(seed).random(documents) < wrong
    return of_classes(gold, np.where(missed, (gold + 1) % 5, gold), 5, seed=seed, **more)


def sets(missed: float, seed: int = 0, **more: Any) -> Judged:
    gold = (np.random.default_rng(99).random((300, 6)) < 0.3).astype(np.int8)
    return judged(gold, noisy(np.random.default_rng(seed), gold, missed, 0.05), seed=seed, **more)


def test_mcnemar_decides_on_accuracy_of_one_run_each() -> None:
    a, b = classes(0.1, 1), classes(0.3, 2)
    found = compare([a], [b], "micro_f1", resamples=500)
    assert found.test == "McNemar (mid-p)"
    assert found.mcnemar is not None
    assert found.p == found.mcnemar.mid_p < found.mcnemar.exact < 0.01
    assert found.a - found.b == pytest.approx(found.difference.value)
    assert found.difference.low > 0
    assert found.difference.value == pytest.approx((found.mcnemar.b10 - found.mcnemar.b01) / 400)
    assert (found.effect_name, found.documents) == ("Cohen's g", 400)
    assert found.effect == pytest.approx(found.mcnemar.cohens_g)
    assert found.p_bootstrap < 0.01 > found.p_randomisation


def test_bootstrap_and_randomisation_decide_on_everything_else() -> None:
    a, b = classes(0.1, 1), classes(0.3, 2)
    macro = compare([a], [b], "macro_f1", resamples=500)
    assert macro.test == "bootstrap and randomisation"
    assert macro.p == max(macro.p_bootstrap, macro.p_randomisation)
    assert macro.mcnemar is not None
    seeds = compare([a, classes(0.1, 3)], [b], "micro_f1", resamples=500)
    assert (seeds.test, seeds.mcnemar) == ("bootstrap and randomisation", None)
    assert seeds.p == max(seeds.p_bootstrap, seeds.p_randomisation)
    labels = compare([sets(0.2)], [sets(0.4, 1)], "exact_match", resamples=500)
    assert (labels.test, labels.mcnemar) == ("bootstrap and randomisation", None)


def test_the_interval_of_a_share_is_one() -> None:
    for wrong in (0.01, 0.99):
        found = Comparer([[classes(wrong, documents=60)]], "macro_f1", 500, 0).interval(0)
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_hardly_any_documents_prove_nothing() -> None:
    """The bootstrap draws one document again and again, and is sure of it."""
    gold = np.array([[1, 0, 0], [0, 1, 1]], dtype=np.int8)
    found = compare([judged(gold, gold)], [judged(gold, 1 - gold)], "micro_f1", resamples=2000)
    assert found.difference.value == 1
    assert found.p_bootstrap < 0.05 < found.p
    assert verdicts([found])[0].word == "tie"


def test_seeds_are_averaged_and_their_spread_told() -> None:
    a, b = [sets(0.2, 1), sets(0.2, 2), sets(0.25, 3)], [sets(0.3, 4), sets(0.4, 5)]
    found = compare(a, b, "macro_f1", resamples=300)
    each = [compare([one], [b[0]], "macro_f1", resamples=2).a for one in a]
    assert found.a == pytest.approx(np.mean(each))
    assert found.seed_spread[0] == pytest.approx(np.std(each, ddof=1))
    assert found.seed_spread[1] is not None
    assert compare([a[0]], b, "macro_f1", resamples=2).seed_spread[0] is None
    assert found.p_randomisation < 0.05


def test_a_row_against_itself_is_a_tie_however_it_is_measured() -> None:
    run = sets(0.2)
    found = compare([run], [run], "macro_f1", resamples=200)
    assert (found.difference.value, found.p, found.p_bootstrap, found.p_randomisation) == (0, 1, 1, 1)
    assert (found.effect, found.detectable) == (None, 0)
    assert verdicts([found])[0].word == "tie"


def test_the_order_of_documents_does_not_matter() -> None:
    a, b = classes(0.1, 1), classes(0.3, 2)
    order = np.random.default_rng(0).permutation(400)
    split = b.split
    ids = [split.ids[place] for place in order]
    shuffled = dataclasses.replace(split, ids=ids, gold=split.gold[order], predicted=split.predicted[order])
    moved = dataclasses.replace(b, split=shuffled)
    assert compare([a], [moved], "macro_f1", resamples=50) == compare([a], [b], "macro_f1", resamples=50)


def other(run: Judged, **changes: Any) -> Judged:
    return dataclasses.replace(run, cell="other", split=dataclasses.replace(run.split, **changes))


def test_other_documents_are_refused_with_the_first_that_differs() -> None:
    a = classes(0.1, cell="one")
    names = list(a.split.ids)
    gold = a.split.gold.copy()
    gold.indices[7] = (gold.indices[7] + 1) % 5
    refused = {
        "'d3' is only in one": other(a, ids=[*names[:3], "new", *names[4:]]),
        "'d7' has other gold labels": other(a, gold=gold),
        "'more' is only in other": classes(0.1, documents=401, cell="other", ids=[*names, "more"]),
        "single-label with 5 labels against multi-label with 6 labels": sets(0.1, cell="other"),
    }
    for words, run in refused.items():
        with pytest.raises(DifferentDocuments) as caught:
            compare([a], [run], "micro_f1", resamples=2)
        assert str(caught.value) == f"cells one and other are not of the same test documents: {words}"
    twice = other(a, ids=["d0", "d0", *names[2:]])
    with pytest.raises(DifferentDocuments, match="share an id"):
        compare([twice], [a], "micro_f1", resamples=2)


def test_a_row_that_cannot_be_compared_does_not_stop_the_others() -> None:
    from unit.stats.judged_runs import ranked

    plain = sets(0.2)
    ranking = ranked(np.random.default_rng(0), plain.split.gold.toarray())
    good = [other(plain, ranking=ranking), other(sets(0.2, 1), ranking=ranking)]
    comparer = Comparer([[good[0]], [plain], [good[1]], []], "ndcg@5", resamples=20)
    assert comparer.compare(0, 2).difference.value == 0
    with pytest.raises(UnsupportedMetric):
        comparer.compare(0, 1)
    with pytest.raises(UserError, match="without a finished run"):
        comparer.interval(3)


def test_the_same_seed_gives_the_same_numbers() -> None:
    a, b = sets(0.2), sets(0.25, 1)
    first, again, another = (compare([a], [b], "macro_f1", resamples=200, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.difference.low != another.difference.low


def test_holm_corrects_over_all_pairs() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    found = [compare([classes(0.1, 1)], [classes(0.3, 2)], "micro_f1", resamples=50)]
    found += [dataclasses.replace(found[0], p=0.03), dataclasses.replace(found[0], p=0.03)]
    assert [one.word for one in verdicts(found)] == ["better", "tie", "tie"]
    swapped = compare([classes(0.3, 2)], [classes(0.1, 1)], "micro_f1", resamples=50)
    assert verdicts([swapped])[0].word == "worse"


@pytest.mark.parametrize(("b10", "b01"), [(0, 0), (3, 3), (1, 8), (30, 12)])
def test_mcnemar_is_the_binomial_test_and_mid_p_half_of_what_was_seen_less(b10: int, b01: int) -> None:
    from scipy.stats import binom, binomtest

    a = np.array([True] * b10 + [False] * b01 + [True, False])
    b = np.array([False] * b10 + [True] * b01 + [True, False])
    found = mcnemar(a, b)
    n = b10 + b01
    assert (found.b10, found.b01) == (b10, b01)
    assert found.exact == pytest.approx(binomtest(b10, n).pvalue if n else 1)
    less = 0 if b10 == b01 else binom.pmf(b10, n, 0.5)
    assert found.mid_p == pytest.approx(found.exact - less)


def test_the_critical_difference_is_that_of_demsar() -> None:
    """The quantiles of table 5 of Demšar (2006), for 2 to 10 rows."""
    quantiles = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for rows, quantile in zip(range(2, 11), quantiles, strict=True):
        found = critical_difference(np.random.default_rng(0).random((14, rows)))
        assert found.critical == pytest.approx(quantile * (rows * (rows + 1) / (6 * 14)) ** 0.5, abs=0.002)


def test_rows_are_ranked_and_those_not_told_apart_grouped() -> None:
    generator = np.random.default_rng(0)
    table = generator.random((14, 4)) * 0.1 + np.array([0.0, 0.12, 0.12, 0.3])
    table[:, 2] = table[:, 1]  # ties share the mean of their ranks
    found = critical_difference(table)
    assert found.ranks == (4.0, 2.5, 2.5, 1.0)
    assert found.cliques == ((1, 2),)
    assert found.friedman_p is not None
    assert found.friedman_p < 1e-6
    assert critical_difference(table[:2]).cliques == ((3, 1, 2, 0),)
    assert critical_difference(table[:, :2]).friedman_p is None


@pytest.mark.filterwarnings("error")
def test_rows_that_tie_everywhere_are_not_told_apart() -> None:
    assert critical_difference([[0.5] * 3, [0.7] * 3]).friedman_p == 1


def test_ranks_refuse_what_is_missing() -> None:
    with pytest.raises(ValueError, match="missing"):
        critical_difference([[0.1, float("nan")]])
    with pytest.raises(ValueError, match="two rows"):
        critical_difference([[0.1], [0.2]])
