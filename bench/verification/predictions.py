"""What the harness takes from ``predict``: the right shape, finite scores, sets of known labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.prediction import LabelSets, Prediction, Scores, TopScores
from bench.task import Kind
from bench.verification.findings import Fault


@dataclass(frozen=True)
class Asked:
    """What a prediction answers.

    Attributes:
        what: The documents in words, for messages.
        texts: Their texts.
        n_labels: Labels of the task.
        kind: Kind of the task.
    """

    what: str
    texts: Sequence[str]
    n_labels: int
    kind: Kind


def check_prediction(prediction: Prediction, asked: Asked) -> None:
    """Everything that the harness would refuse.

    Raises:
        Fault: It is of another class, or of the wrong shape, or holds what is no score and no label.
    """
    for check in (check_class, check_shape, check_finite, check_sets):
        check(prediction, asked)


def check_class(prediction: Prediction, asked: Asked) -> None:
    """It is one of the three classes."""
    if not isinstance(prediction, Scores | TopScores | LabelSets):
        raise Fault(
            f"predict returned {type(prediction).__name__} for {asked.what}",
            "return bench.prediction.Scores, TopScores or LabelSets",
        )


def check_shape(prediction: Prediction, asked: Asked) -> None:
    """One row a document, in scores one column a label."""
    documents = len(asked.texts)
    if isinstance(prediction, LabelSets):
        found: tuple[int, ...] = (len(prediction.sets), len(prediction.texts))
        wanted: tuple[int, ...] = (documents, documents)
        what = "label sets and generated texts"
    else:
        found, wanted, what = tuple(prediction.values.shape), (documents, asked.n_labels), "documents and labels"
    if found != wanted:
        raise Fault(
            f"predict returned {_by(found)} {what} for {asked.what}, not {_by(wanted)}",
            "return one row a text, in their order, and take the number of labels from len(labels)",
        )


def check_finite(prediction: Prediction, asked: Asked) -> None:
    """No score is NaN or infinite."""
    import numpy as np

    if isinstance(prediction, LabelSets):
        return
    stored = prediction.values if isinstance(prediction, Scores) else prediction.values.data
    wrong = int((~np.isfinite(stored)).sum())
    if wrong:
        raise Fault(
            f"{wrong} of {stored.size} scores of {asked.what} are NaN or infinite",
            "return finite scores: smooth what is divided by and what the logarithm is taken of",
        )


def check_sets(prediction: Prediction, asked: Asked) -> None:
    """Bare sets hold known labels, each once, and one at most where a document has one."""
    if isinstance(prediction, LabelSets):
        for text, labels in zip(asked.texts, prediction.sets, strict=True):
            _check_set(text, list(labels), asked)


def _check_set(text: str, labels: list[int], asked: Asked) -> None:
    if any(not 0 <= label < asked.n_labels for label in labels):
        fault, remedy = f"labels {labels}, of {asked.n_labels}", "return positions in labels.names, 0 being the first"
    elif len(set(labels)) != len(labels):
        fault, remedy = f"labels {labels}, one of them twice", "keep the first of each: list(dict.fromkeys(labels))"
    elif asked.kind == "single" and len(labels) > 1:
        fault, remedy = (
            f"{len(labels)} labels in a single-label task",
            "keep the first where context.task.kind is single",
        )
    else:
        return
    raise Fault(f"of {asked.what} {text!r:.40} got {fault}", remedy)


def _by(numbers: Iterable[int]) -> str:
    return " × ".join(map(str, numbers))
