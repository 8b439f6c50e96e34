"""The promises of a task."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from time import perf_counter
from typing import Any, get_args

from bench.audit.texts import key
from bench.errors import UserError, unknown_name
from bench.registry import Plugin
from bench.task import SPLITS, Availability, Sampling, Task, TaskData
from bench.verification.apart import apart
from bench.verification.findings import Advice, Check, Fault
from bench.verification.shared_checks import IMPORTS, SETTINGS, SHARED, Loaded

QUICK_SECONDS = 1.0
"""Seconds within which ``availability`` should have answered, on one of two calls."""

_ANSWERS = "says quickly whether its documents are here"
_AVAILABLE = "its documents are here"
_LOADS = "loads documents that keep the contract"
_IDS = "gives the same ids every time"


@dataclass(frozen=True)
class TaskLab(Loaded):
    """A task and what it loaded."""

    @cached_property
    def answer(self) -> Answer:
        """What the task says of its documents; it may not load them for that. The quicker of two times counts."""
        first, second = Answer.of(self.fresh()), Answer.of(self.fresh())
        return min(first, second, key=lambda answer: answer.seconds)

    @cached_property
    def data(self) -> TaskData:
        """The documents, loaded once."""
        data: TaskData = self.fresh().load()
        return data

    @cached_property
    def elsewhere(self) -> Glimpse:
        """What a process with another order of sets loads."""
        return apart(glimpse, self.plugin, self.given)


@dataclass(frozen=True)
class Answer:
    """What ``availability`` returned.

    Attributes:
        availability: It, whatever it is.
        seconds: How long that took, waiting included.
        loaded: Whether it called ``load``.
    """

    availability: Any
    seconds: float
    loaded: bool

    @classmethod
    def of(cls, task: Task) -> Answer:
        """Ask a task; its documents are not loaded, even if it tries."""
        calls: list[str] = []

        def refuse() -> TaskData:
            calls.append("load")
            raise _loading()

        vars(task)["load"] = refuse
        started = perf_counter()
        try:
            found = task.availability()
        except Exception:
            if not calls:
                raise
            found = None
        return cls(found, perf_counter() - started, bool(calls))


@dataclass(frozen=True)
class Glimpse:
    """What tells loaded documents from others.

    Attributes:
        ids: The ids of all splits, in order.
        fingerprint: Of all documents.
    """

    ids: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(cls, data: TaskData) -> Glimpse:
        """Of these documents."""
        return cls(tuple(id_ for _, documents in data.splits() for id_ in documents.ids), data.fingerprint())


def glimpse(plugin: Plugin, given: Mapping[str, Any]) -> Glimpse:
    """Load a task and say what came."""
    return Glimpse.of(TaskLab(plugin, given).data)


def answers_quickly(lab: TaskLab) -> None:
    """``availability`` is asked by every `bench list`."""
    if lab.answer.loaded:
        raise _loading()
    answer, seconds = lab.answer.availability, lab.answer.seconds
    if not isinstance(answer, Availability):
        raise Fault(f"availability returned {answer!r}", "return bench.task.Availability(…)")
    if not answer.ok and not (answer.reason.strip() and answer.remedy.strip()):
        raise Fault(
            "availability says no without a reason and a remedy",
            "return Availability(False, 'what is missing', 'the one command that brings it')",
        )
    if seconds > QUICK_SECONDS:
        raise Fault(
            f"availability took {seconds:.1f} s, twice",
            "look whether the files exist; open nothing, ask no network and wait for nothing",
        )


def is_available(lab: TaskLab) -> None:
    """What is not here cannot be looked at."""
    answer = lab.answer.availability
    if not answer.ok:
        raise Fault(f"unavailable: {answer.reason}", f"run: {answer.remedy}")


def stamp_is_stable(lab: TaskLab) -> None:
    """The stamp is part of a key in JSON; it may change with the source only."""
    one, other = lab.fresh().stamp(), lab.fresh().stamp()
    try:
        texts = [json.dumps(stamp, sort_keys=True) for stamp in (one, other)]
    except (TypeError, ValueError) as error:
        raise Fault(f"stamp is no JSON value: {error}", "return numbers, strings, and lists of them") from error
    if texts[0] != texts[1]:
        raise Fault(
            f"two stamps of the same source differ: {texts[0]:.60} and {texts[1]:.60}",
            "return what changes with the source alone, such as name, size and time of its files",
        )


def loads(lab: TaskLab) -> None:
    """``load`` returns data that the harness takes: splits filled, texts, ids that occur once, known labels."""
    if not isinstance(lab.data, TaskData):
        raise Fault(f"load returned {type(lab.data).__name__}", "return bench.task.TaskData(…)")
    try:
        lab.data.check()
    except UserError as error:
        raise Fault(str(error), "mend these documents in load, or leave them out and count them in skipped") from error


def ids_are_stable(lab: TaskLab) -> None:
    """An id means the same document tomorrow."""
    here, there = Glimpse.of(lab.data).ids, lab.elsewhere.ids
    if here == there:
        return
    if Counter(here) == Counter(there):
        found, remedy = "the same ids come in another order", "sort what comes out of a set, a folder or a dictionary"
    else:
        found, remedy = "other ids come", "make ids of the source's own keys or of row numbers, not of hash() or time"
    raise Fault(f"loaded once more in another process, {found}", remedy)


def loads_the_same(lab: TaskLab) -> None:
    """Two loads give equal documents, or no two runs can be compared."""
    if lab.data.fingerprint() != lab.elsewhere.fingerprint:
        raise Fault(
            "loaded once more in another process, texts, labels or label names differ",
            "sort what comes out of a set, and seed what is drawn",
        )


def limits_work(lab: TaskLab) -> None:
    """``train_documents`` and its like give so many documents, and smaller samples are part of larger ones."""
    for split in SPLITS:
        whole = len(getattr(lab.data, split))
        sizes = sorted({max(1, whole // 4), max(1, whole // 2), whole})
        for sampling in get_args(Sampling):
            samples = [_sample(lab, split, size, sampling) for size in sizes]
            if [len(sample) for sample in samples] != sizes:
                raise Fault(
                    f"{split}_documents={sizes[0]} leaves {len(samples[0])} of {whole} documents",
                    "leave limits() and the four settings of bench.task.TaskSettings as they are",
                )
            if any(not small <= large for small, large in pairwise(samples)):
                raise Fault(
                    f"a sample of {split} is no part of a larger one",
                    "leave limits() and the four settings of bench.task.TaskSettings as they are",
                )


def label_names_are_printable(lab: TaskLab) -> None:
    """Names stand in tables, prompts and file names."""
    wrong = [
        name for name in lab.data.labels.names if not name.isprintable() or not name.strip() or name != name.strip()
    ]
    if wrong:
        raise Fault(
            f"{len(wrong)} label names are blank, or hold line breaks or spaces at their ends: {wrong[:3]!r}",
            'clean them: " ".join(name.split())',
        )


def primary_metric_is_defined(lab: TaskLab) -> None:
    """The metric that names the winner exists, and has a value for documents of this kind and these labels."""
    from bench.metrics.definitions import DEFINITIONS, describe

    name = lab.data.primary_metric
    try:
        describe(name)
    except KeyError:
        raise Fault(str(unknown_name("primary metric", name, DEFINITIONS)), "docs/metrics.md lists them all") from None
    value = _perfect_metrics(lab.data).get(name)
    if value is None:
        raise Fault(
            f"{name} is undefined for these {lab.data.kind}-label documents even where all answers are right",
            "choose another, or give LabelSpace the ancestors that metrics of a hierarchy need",
        )


def tests_what_can_be_learnt(lab: TaskLab) -> None:
    """Labels of test documents occur in training."""
    known = {label for row in lab.data.train.labels for label in row}
    tested = [label for row in lab.data.test.labels for label in row]
    unseen = Counter(label for label in tested if label not in known)
    if not unseen:
        return
    names = ", ".join(lab.data.labels.names[label] for label, _ in unseen.most_common(3))
    found = f"{unseen.total():,} of {len(tested):,} labels of test documents are on no training document: {names}"
    found += ", …" if len(unseen) > 3 else ""
    if unseen.total() * 2 > len(tested):
        raise Fault(found, "split at random, not in the order of a file sorted by label: bench.splitting.assign_splits")
    raise Advice(found, "fine where the tail is long; bench.splitting.assign_splits keeps every label in training")


def splits_share_no_text(lab: TaskLab) -> None:
    """A test text that was trained on measures memory, not learning."""
    texts = [{key(text) for text in documents.texts} for _, documents in lab.data.splits()]
    shared = sum(count > 1 for count in Counter(text for split in texts for text in split).values())
    if shared:
        raise Advice(
            f"{shared:,} texts are in more than one split",
            "keep documents of one text together: the groups of bench.splitting.assign_splits",
        )


TASK_CHECKS: tuple[Check[TaskLab], ...] = (
    *SHARED,
    Check(_ANSWERS, answers_quickly, at="availability", needs=(IMPORTS, SETTINGS)),
    Check(_AVAILABLE, is_available, needs=(IMPORTS, SETTINGS, _ANSWERS)),
    Check("has a stable stamp", stamp_is_stable, at="stamp", needs=(_AVAILABLE,)),
    Check(_LOADS, loads, at="load", needs=(_AVAILABLE,)),
    Check(_IDS, ids_are_stable, at="load", needs=(_LOADS,)),
    Check("loads the same every time", loads_the_same, at="load", needs=(_LOADS, _IDS)),
    Check("takes fewer documents where asked", limits_work, at="Config", needs=(_LOADS,)),
    Check("has label names that can be printed", label_names_are_printable, at="load", needs=(_LOADS,)),
    Check("has a primary metric that is defined", primary_metric_is_defined, at="load", needs=(_LOADS,)),
    Check("tests labels that occur in training", tests_what_can_be_learnt, at="load", needs=(_LOADS,)),
    Check("has no text in two splits", splits_share_no_text, at="load", needs=(_LOADS,)),
)
"""In the order in which they are looked at."""


def _loading() -> Fault:
    return Fault("availability calls load", "look whether the files exist, and open nothing")


def _sample(lab: TaskLab, split: str, size: int, sampling: Sampling) -> set[str]:
    key = f"{split}_documents"
    config: Any = lab.plugin.settings({**lab.given, key: size, "sampling": sampling})
    documents = getattr(lab.data.limited(config.limits(), config.sampling), split)
    return set(documents.ids)


def _perfect_metrics(data: TaskData) -> Mapping[str, float | None]:
    """Every metric of predictions that are all right."""
    import numpy as np

    from bench.metrics.evaluate import evaluate
    from bench.prediction import TopScores, rank

    n_labels = len(data.labels)
    gold = data.test.label_matrix(n_labels)
    counts = np.asarray(data.train.label_matrix(n_labels).sum(axis=0)).ravel().astype(np.int64)
    ranking = rank(TopScores(gold.astype(np.float32)))
    return evaluate(gold, gold, ranking, data.labels, counts, len(data.train), data.kind).metrics
