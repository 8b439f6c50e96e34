"""What ``tfidf`` takes where there are five times as many labels as documents."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np

from baselines.tfidf import Tfidf
from bench.method import Context, QuietInstruments
from bench.prediction import TopScores, rank
from bench.seeds import Seeds
from bench.task import Documents, LabelSpace, TaskProfile

DOCUMENTS, LABELS, ASKED = 100_000, 500_000, 1_000
VOCABULARY, WORDS, OWN_WORDS, EACH = 200_000, 60, 3, 5
THREADS = len(os.sched_getaffinity(0))


def documents(rng: np.random.Generator, count: int, labels: int) -> Documents:
    """Documents of five labels, every label at its turn, each with three words of its own among Zipf's."""
    turns = -(-count * EACH // labels)
    dealt = np.concatenate([rng.permutation(labels) for _ in range(turns)])[: count * EACH].reshape(count, EACH)
    own = (dealt[:, :, None] * 7 + np.arange(OWN_WORDS) * 31_337) % VOCABULARY
    common = np.minimum(rng.zipf(1.3, size=(count, WORDS)), VOCABULARY)
    words = np.concatenate([own.reshape(count, -1), common], axis=1)
    texts = [" ".join(f"w{word}" for word in row) for row in words.tolist()]
    return Documents([str(number) for number in range(count)], texts, [sorted(set(row)) for row in dealt.tolist()])


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def test_half_a_million_labels_within_eight_gib(figure):
    train = documents(np.random.default_rng(0), DOCUMENTS, LABELS)
    labels = LabelSpace(tuple(map(str, range(LABELS))))
    profile = TaskProfile("many", "multi", LABELS, "micro_f1")
    context = Context(profile, Seeds(0), "cpu", THREADS, Path(), QuietInstruments())
    method = Tfidf()

    started, worked = time.perf_counter(), time.process_time()
    method.fit(train, train.take(range(ASKED)), labels, context)
    fitted = time.perf_counter()
    prediction = method.predict(train.texts[:ASKED], context)
    ended = time.perf_counter()

    assert isinstance(prediction, TopScores)
    best = rank(prediction).labels
    precision = np.mean([best[row, 0] in train.labels[row] for row in range(ASKED)])
    assert best.shape == (ASKED, 100)
    name = f"tfidf on {DOCUMENTS:,} documents × {LABELS:,} labels"
    seen = f"fit {fitted - started:.0f} s, predict {ASKED:,} {ended - fitted:.1f} s, {method._model.size:,} weights"
    figure(f"{name}, peak of host memory", peak_gib(), unit="GiB", most=8, seen=seen)
    figure(f"{name}, processor seconds", time.process_time() - worked, unit="s")
    figure(f"{name}, P@1 of training documents", precision, least=0.9)
