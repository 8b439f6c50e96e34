from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import baselines.tfidf as module
from baselines.one_vs_rest import ALWAYS, NEVER, LinearModel
from baselines.tfidf import Tfidf, TfidfSettings
from bench.errors import UserError
from bench.method import Context, QuietInstruments
from bench.prediction import Scores, TopScores, rank
from bench.seeds import Seeds
from bench.task import Documents, LabelSpace, TaskData, TaskProfile
from tasks.synthetic import ClvSettings, SyntheticClv, SyntheticWipo, WipoSettings


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
    monkeypatch.setattr("baselines.one_vs_rest._BLOCK", 7 * len(wipo.labels))
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
        fitted(TaskData(train, train, train, LabelSpace(("x", "y")), "single"))


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
        np.empty(0, np.int32), csr_matrix(np.empty((0, 3), np.float32)), np.empty(0, np.float32), 20_000
    )
    assert model.top_scores(csr_matrix(np.ones((2, 3))), 100).nnz == 0
