from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import baselines.tfidf as module
from baselines.features import Features, FeatureSettings
from baselines.linear_model import ALWAYS, NEVER, LinearModel
from baselines.tfidf import Tfidf, TfidfSettings
from bench.errors import UserError
from bench.method import Context, QuietInstruments
from bench.prediction import Scores, TopScores, rank
from bench.seeds import Seeds
from bench.task import Documents, Kind, LabelSpace, TaskData, TaskProfile
from bench.work import Workload
from tasks.synthetic import ClvSettings, SyntheticClv, SyntheticWipo, WipoSettings

SPLIT = ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11])


def context(data: TaskData, threads: int = 2) -> Context:
    profile = TaskProfile("toy", data.kind, len(data.labels), data.primary_metric)
    return Context(profile, Seeds(0), "cpu", threads, Path(), QuietInstruments())


def fitted(data: TaskData, threads: int = 2, **config: Any) -> Tfidf:
    method = Tfidf(TfidfSettings(**config))
    method.fit(data.train, data.validation, data.labels, context(data, threads))
    return method


def dense(method: Tfidf, data: TaskData) -> np.ndarray[Any, np.dtype[np.float32]]:
    scores = method.predict(data.test.texts, context(data))
    assert isinstance(scores, Scores)
    return scores.values


@pytest.fixture(scope="module")
def wipo() -> TaskData:
    return SyntheticWipo(WipoSettings(documents=600, labels=40)).load()


def test_learns_the_default_clv() -> None:
    data = SyntheticClv().load()
    right = dense(fitted(data), data).argmax(axis=1) == [row[0] for row in data.test.labels]
    assert 0.75 <= right.mean() <= 0.9


def test_learns_the_default_wipo() -> None:
    data = SyntheticWipo().load()
    scores = dense(fitted(data), data)
    gold = data.test.label_matrix(len(data.labels)).toarray()
    taken = scores > -0.63
    f1 = 2 * (taken & (gold > 0)).sum() / (taken.sum() + gold.sum())
    assert 0.5 <= f1 <= 0.8


def test_the_number_of_threads_leaves_no_trace(wipo: TaskData) -> None:
    assert np.array_equal(dense(fitted(wipo, threads=1), wipo), dense(fitted(wipo, threads=3), wipo))


def test_blocks_leave_no_trace(wipo: TaskData, monkeypatch: pytest.MonkeyPatch) -> None:
    method = fitted(wipo)
    whole = dense(method, wipo)
    monkeypatch.setattr("baselines.linear_model._BLOCK", 7 * len(wipo.labels))
    assert np.array_equal(whole, dense(method, wipo))


def test_top_scores_are_the_best_of_all_scores(wipo: TaskData, monkeypatch: pytest.MonkeyPatch) -> None:
    method = fitted(wipo)
    everything = rank(Scores(dense(method, wipo)), 5)
    monkeypatch.setattr(module, "DENSE_LABELS", 10)
    monkeypatch.setattr(module, "RANKED", 5)
    top = method.predict(wipo.test.texts, context(wipo))
    assert isinstance(top, TopScores)
    assert top.values.nnz == 5 * len(wipo.test)
    assert np.array_equal(rank(top).scores[:, :5], everything.scores)
    assert np.array_equal(rank(top).labels[:, :5], everything.labels)


def test_labels_of_no_document_and_of_every_document() -> None:
    texts = [f"red apple {number}" if number % 2 else f"green pear {number}" for number in range(12)]
    train = Documents([str(number) for number in range(12)], texts, [[0, 2] if n % 2 else [2] for n in range(12)])
    data = TaskData(train, train, train, LabelSpace(("apple", "never", "always")), "multi")
    scores = dense(fitted(data), data)
    assert (scores[:, 1] == NEVER).all()
    assert (scores[:, 2] == ALWAYS).all()
    assert ((scores[:, 0] > 0) == [bool(number % 2) for number in range(12)]).all()


def test_a_saved_model_predicts_the_same(wipo: TaskData, tmp_path: Path) -> None:
    method, again = fitted(wipo), Tfidf()
    method.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npz"}
    again.load(tmp_path, wipo.labels, context(wipo))
    assert np.array_equal(dense(method, wipo), dense(again, wipo))


def test_texts_without_words_are_refused() -> None:
    train = Documents(["a", "b"], ["!!!", "…"], [[0], [1]])
    with pytest.raises(UserError, match="leave no features"):
        fitted(TaskData(train, train, train, LabelSpace(("x", "y")), "single"), characters=0)


def test_no_kind_of_features_is_refused() -> None:
    train = Documents(["a", "b"], ["one", "two"], [[0], [1]])
    with pytest.raises(UserError, match="both ngrams and characters are 0"):
        fitted(TaskData(train, train, train, LabelSpace(("x", "y")), "single"), characters=0, ngrams=0)


def test_tells_progress_and_size() -> None:
    data = SyntheticClv(ClvSettings(documents=60)).load()
    instruments = QuietInstruments()
    profile = TaskProfile("toy", data.kind, len(data.labels), data.primary_metric)
    Tfidf().fit(data.train, data.validation, data.labels, Context(profile, Seeds(0), "cpu", 2, Path(), instruments))
    assert instruments.progressed[-1].step == instruments.progressed[-1].total == len(data.labels)
    assert instruments.facts["features"] > 0
    assert set(instruments.facts["parameters"]) == {"total", "trainable", "stored"}
    assert instruments.facts["parameters"]["total"] > 0


def test_no_trained_label_gives_empty_rankings() -> None:
    model = LinearModel(
        np.empty(0, np.int32), csr_matrix(np.empty((3, 0), np.float32)), np.empty(0, np.float32), 20_000
    )
    assert model.top_scores(csr_matrix(np.ones((2, 3), np.float32)), 100).nnz == 0


@pytest.mark.parametrize("classifier", ["svm", "logistic"])
@pytest.mark.parametrize("calibration", ["none", "sigmoid"])
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_learns_sixteen_documents(
    kind: Kind, calibration: str, classifier: str, sixteen: Callable[[Kind], Documents], labels: LabelSpace
) -> None:
    train = sixteen(kind)
    data = TaskData(train, train, train, labels, kind)
    scores = dense(fitted(data, classifier=classifier, calibration=calibration, c=10.0), data)
    decided = np.eye(4)[scores.argmax(axis=1)] if kind == "single" else scores > 0
    assert np.array_equal(decided, train.label_matrix(4).toarray())


@pytest.mark.parametrize("kind", ["words", "characters"])
def test_each_kind_of_features_tells_what_the_other_cannot(kind: str) -> None:
    """Order of words that all share; endings of words that none shares."""
    if kind == "words":
        texts = ["cats eat fish" if number % 2 else "fish eat cats" for number in range(12)]
        without = {"ngrams": 1}
    else:
        texts = [f"w{number}{'ation' if number % 2 else 'esque'}" for number in range(12)]
        without = {"characters": 0}
    rows = [[number % 2] for number in range(12)]
    train, test = (Documents(list(map(str, part)), [texts[n] for n in part], [rows[n] for n in part]) for part in SPLIT)
    data = TaskData(train, test, test, LabelSpace(("a", "b")), "single")
    gold = [row[0] for row in test.labels]
    assert (dense(fitted(data), data).argmax(axis=1) == gold).all()
    assert not (dense(fitted(data, **without), data).argmax(axis=1) == gold).all()


def test_rows_have_unit_length_and_both_kinds_weigh_the_same() -> None:
    features, rows = Features.fit(["red apples", "green pears"], FeatureSettings())
    words = len(features.vectorisers["words"].vocabulary_)
    assert rows.power(2).sum(axis=1) == pytest.approx(1.0)
    assert rows[:, :words].power(2).sum(axis=1) == pytest.approx(0.5)
    assert rows.dtype == np.float32


def test_runs_of_characters_of_too_many_documents_are_left_out() -> None:
    texts = [f"common w{number % 130:05d}" for number in range(390)]
    kept, _ = Features.fit(texts, FeatureSettings(ngrams=0, min_df=1))
    everything, _ = Features.fit(texts, FeatureSettings(ngrams=0, min_df=1, characters_max_df=1.0))
    assert "comm" in everything.vectorisers["characters"].vocabulary_
    assert "comm" not in kept.vectorisers["characters"].vocabulary_


def test_damped_weights_find_more_of_the_rare_labels(wipo: TaskData) -> None:
    gold = wipo.test.label_matrix(len(wipo.labels)).toarray() > 0
    rare = np.asarray(wipo.train.label_matrix(len(wipo.labels)).sum(axis=0)).ravel() < 15
    found = [
        (dense(fitted(wipo, class_weight=weight), wipo)[:, rare][gold[:, rare]] > 0).mean()
        for weight in ("none", "damped", "balanced")
    ]
    assert found[0] < found[1] < found[2]


def test_settings_of_machines_reach_them(wipo: TaskData) -> None:
    usual = dense(fitted(wipo), wipo)
    for setting in ({"classifier": "logistic"}, {"c": 0.1}, {"class_weight": "none"}, {"negatives": 50}):
        assert not np.allclose(dense(fitted(wipo, **setting), wipo), usual, atol=1e-3)


@pytest.mark.parametrize("validation", [0, 1, 40])
def test_calibration_keeps_absent_labels_last_whatever_the_validation_documents(
    wipo: TaskData, validation: int, tmp_path: Path
) -> None:
    data = replace(wipo, validation=wipo.validation.take(range(validation)), train=wipo.train.take(range(60)))
    method = fitted(data, calibration="sigmoid")
    scores = dense(method, data)
    absent = np.asarray(data.train.label_matrix(len(data.labels)).sum(axis=0)).ravel() == 0
    assert absent.any()
    assert np.isfinite(scores).all()
    assert scores[:, absent].max() < scores[:, ~absent].min()
    method.save(tmp_path)
    again = Tfidf(method.config)
    again.load(tmp_path, data.labels, context(data))
    assert np.array_equal(dense(again, data), scores)


def test_work_says_how_many_weights_there_may_be() -> None:
    profile = TaskProfile("toy", "multi", 500_000, "micro_f1")
    workload = Workload(profile, LabelSpace(("a",)), {}, 1.0, {})
    assert "at most 100,000,000 weights;" in Tfidf().work(workload).reason
    assert (
        "at most 9,000 weights, 2,000 features"
        in Tfidf(TfidfSettings(max_features=1000, max_weights=9000)).work(workload).reason
    )


def test_many_labels_are_told_from_some_documents_unless_told_otherwise(
    wipo: TaskData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY_LABELS_NEGATIVES", 20)
    everything, some = dense(fitted(wipo), wipo), dense(fitted(wipo, negatives=20), wipo)
    monkeypatch.setattr(module, "DENSE_LABELS", 10)
    usual, chosen = fitted(wipo), fitted(wipo, negatives=10_000)
    monkeypatch.setattr(module, "DENSE_LABELS", 10_000)
    assert np.array_equal(dense(usual, wipo), some)
    assert np.array_equal(dense(chosen, wipo), everything)
