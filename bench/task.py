"""The contract of a task: a labelled collection with frozen splits, a label space and a primary metric."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bench.errors import TaskDataError, UserError
from bench.settings import Settings
from bench.splitting import id_hash, sample

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Kind = Literal["single", "multi"]
Sampling = Literal["hashed", "stratified"]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Availability:
    """Whether a plugin can be used here and now.

    Attributes:
        ok: True where it can.
        reason: Why it cannot.
        remedy: The one command that mends it.
    """

    ok: bool = True
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class LabelSpace:
    """The ordered labels of a task, fixed before any subsampling.

    Attributes:
        names: One name a label; a label is known everywhere by its position here.
        ancestors: For each label its ancestors from the top level down, itself and the root left out,
            e.g. ``("A", "A01", "A01B")`` for ``A01B 1/00``; None where the labels have no hierarchy.
    """

    names: tuple[str, ...]
    ancestors: tuple[tuple[str, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Documents:
    """The documents of one split, in a fixed order.

    Attributes:
        ids: One stable id a document, unique in the task.
        texts: One text a document.
        labels: For each document the positions of its labels in the label space.
        categories: For each document the positions of all its categories, the main one first, where a collection has
            a main one; whichever of them are the ``labels``. Methods do not see them; the measures of patent
            categorisation need them. An empty row: unknown.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    labels: Sequence[Sequence[int]]
    categories: Sequence[Sequence[int]] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def label_matrix(self, n_labels: int) -> csr_matrix:
        """The labels as a sparse 0/1 matrix, shape ``(len(self), n_labels)``, dtype int8, indices sorted."""
        import numpy as np
        from scipy.sparse import csr_matrix

        indptr = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in self.labels], out=indptr[1:])
        indices = np.fromiter((label for row in self.labels for label in row), dtype=np.int32, count=int(indptr[-1]))
        matrix = csr_matrix((np.ones(len(indices), dtype=np.int8), indices, indptr), shape=(len(self), n_labels))
        matrix.sort_indices()
        return matrix

    def take(self, positions: Sequence[int]) -> Documents:
        """The documents at these positions, in the order given."""
        return Documents(
            [self.ids[i] for i in positions],
            [self.texts[i] for i in positions],
            [self.labels[i] for i in positions],
            [self.categories[i] for i in positions] if self.categories is not None else None,
        )


@dataclass(frozen=True)
class TaskData:
    """Everything of a task that can change a number.

    Attributes:
        train: What methods learn from.
        validation: What thresholds and choices are made on.
        test: What is reported.
        labels: The label space.
        kind: ``single`` (exactly one label a document) or ``multi`` (any number).
        primary_metric: The metric that names the winner, one of :mod:`bench.metrics`.
        skipped: Reason → number of source records that were left out, for ``bench inspect``.
        skipped_files: Names of source files that could not be read.
        remarks: Lines for who inspects the task: what was tolerated and how often, counts beside published ones.
    """

    train: Documents
    validation: Documents
    test: Documents
    labels: LabelSpace
    kind: Kind
    primary_metric: str = "micro_f1"
    skipped: Mapping[str, int] = field(default_factory=dict)
    skipped_files: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def splits(self) -> Iterator[tuple[str, Documents]]:
        """The three splits with their names, train first."""
        for name in SPLITS:
            yield name, getattr(self, name)

    def check(self) -> None:
        """Refuse data that would make the numbers lie.

        Raises:
            TaskDataError: Splits overlap, an id recurs, a label is unknown, a text is empty or not a string, or
                a single-label document has not exactly one label. The message names up to five ids.
        """
        for split, documents in self.splits():
            _check_documents(split, documents, len(self.labels), self.kind)
        _check_ids(self)
        self._check_label_space()

    def _check_label_space(self) -> None:
        if len(set(self.labels.names)) != len(self.labels.names):
            recurring = [name for name, count in Counter(self.labels.names).items() if count > 1]
            raise TaskDataError(f"label names recur: {_some(recurring)}")
        if self.labels.ancestors is not None and len(self.labels.ancestors) != len(self.labels.names):
            raise TaskDataError(
                f"{len(self.labels.ancestors)} rows of ancestors for {len(self.labels.names)} labels; give one a label"
            )

    def fingerprint(self) -> str:
        """A hash of ids, texts, labels, splits, label names and hierarchy; equal data, equal fingerprint."""
        digest = hashlib.blake2b(digest_size=16)
        _feed(digest.update, self.kind, self.primary_metric, *self.labels.names)
        for path in self.labels.ancestors or ():
            _feed(digest.update, "/", *path)
        for split, documents in self.splits():
            _feed(digest.update, split, str(len(documents)))
            for id_, text, labels in zip(documents.ids, documents.texts, documents.labels, strict=True):
                _feed(digest.update, id_, text, ",".join(map(str, sorted(labels))))
            for row in documents.categories or ():
                _feed(digest.update, ",".join(map(str, row)))
        return digest.hexdigest()

    def limited(self, limits: Mapping[str, int | None], sampling: Sampling = "hashed") -> TaskData:
        """At most so many documents of each split; a sample keeps the order of the whole.

        Args:
            limits: Split → most documents, None for all.
            sampling: ``hashed``: those whose hashed ids come first; ``stratified``: with every label in its share.
                In both smaller samples are part of larger ones.
        """
        return replace(
            self,
            train=_sample(self.train, limits.get("train"), sampling),
            validation=_sample(self.validation, limits.get("validation"), sampling),
            test=_sample(self.test, limits.get("test"), sampling),
        )


@dataclass(frozen=True)
class ExpectedSize:
    """What a task will hold, as far as it is known before its documents are here.

    Attributes:
        documents: By split.
        kind: ``single`` or ``multi``.
        n_labels: Size of the label space.
        words: Of a document, on average.
        labels_per_document: On average; 1 where it is not known.
        label: A label's name, as an example of how long they are.
    """

    documents: Mapping[str, int]
    kind: Kind
    n_labels: int
    words: int
    labels_per_document: float = 1.0
    label: str = "label"


class TaskSettings(Settings):
    """Settings that every task has."""

    train_documents: int | None = Field(None, ge=1, description="at most so many training documents; all by default")
    validation_documents: int | None = Field(None, ge=1, description="at most so many validation documents")
    test_documents: int | None = Field(None, ge=1, description="at most so many test documents")
    sampling: Sampling = Field(
        "hashed", description="how a limit chooses: hashed ids, or stratified, with every label in its share"
    )

    def limits(self) -> dict[str, int | None]:
        """Split → most documents, None for all."""
        return {split: getattr(self, f"{split}_documents") for split in SPLITS}


class Task(ABC):
    """A labelled collection. Subclass it, name it, and say where its documents come from.

    Modules of tasks import nothing heavy at their top, so that listing tasks stays instant. What takes a while in
    ``load`` tells the user how far it is with ``self.say("parsed 10,000 of 75,250 files")``.

    Attributes:
        name: What the user calls it.
        family: A name shared by tasks that are prepared together, e.g. ``debian``.
        optional: Whether ``bench run --all`` passes over it while its documents are not here, as over collections that
            some users bring and most do not.
        preset: The settings that its YAML file fixes, where it comes from one; ``name`` is then that of the file.
        brought_by: The words with which a command finds that file, for remedies: ``--plugins FILE``, or none.
        Config: Its settings; a subclass of :class:`TaskSettings`.
    """

    name: ClassVar[str]
    family: ClassVar[str | None] = None
    optional: ClassVar[bool] = False
    preset: ClassVar[Mapping[str, Any]] = {}
    brought_by: ClassVar[str] = ""
    Config: ClassVar[type[TaskSettings]] = TaskSettings

    def __init__(self, config: TaskSettings | None = None) -> None:
        self.config: Any = config if config is not None else self.Config()
        self.say: Callable[[str], None] = _to_nobody

    def availability(self) -> Availability:
        """Whether the documents are at hand; cheap, no network."""
        return Availability()

    def stamp(self) -> Any:
        """A JSON value that changes whenever the source of the documents does (say, file names, sizes and times).

        Loaded documents are cached under settings, code and this stamp. None means that they follow from the
        settings and the code alone.
        """
        return None

    def expected(self) -> ExpectedSize | None:
        """How large the task is with these settings, for ``bench estimate`` while its documents are not here.

        Limits such as ``train_documents`` are the harness's. None: not known.
        """
        return None

    @abstractmethod
    def load(self) -> TaskData:
        """Read or make the documents. The harness checks them, applies the limits and caches the outcome."""

    def prepare(self, say: Callable[[str], None]) -> None:
        """Bring the documents to this machine; the only place where a task may use the network.

        Args:
            say: Tells the user one line.

        Raises:
            UserError: It cannot be done here; the message says what to do instead.
        """
        state = self.availability()
        if not state.ok:
            raise UserError(f"task {self.name}: {state.reason}; {state.remedy}")
        say(f"{self.name}: nothing to prepare")


@dataclass(frozen=True)
class TaskProfile:
    """What a method may know of a task besides its documents.

    Attributes:
        name: The task's name.
        kind: ``single`` or ``multi``.
        n_labels: Size of the label space.
        primary_metric: The metric that names the winner.
    """

    name: str
    kind: Kind
    n_labels: int
    primary_metric: str


def _to_nobody(line: str) -> None:
    """Where nobody listens."""


def _sample(documents: Documents, limit: int | None, sampling: Sampling) -> Documents:
    if limit is None or limit >= len(documents):
        return documents
    if sampling == "stratified":
        return documents.take(sample(documents.ids, documents.labels, limit))
    order = sorted(range(len(documents)), key=lambda i: id_hash(documents.ids[i]))
    return documents.take(sorted(order[:limit]))


def _feed(update: Callable[[bytes], None], *parts: str) -> None:
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        update(len(encoded).to_bytes(8, "little"))
        update(encoded)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _check_documents(split: str, documents: Documents, n_labels: int, kind: Kind) -> None:
    if not len(documents.ids) == len(documents.texts) == len(documents.labels):
        raise TaskDataError(
            f"split {split!r} has {len(documents.ids)} ids, {len(documents.texts)} texts and "
            f"{len(documents.labels)} rows of labels; give one of each a document"
        )
    if documents.categories is not None and len(documents.categories) != len(documents.ids):
        raise TaskDataError(
            f"split {split!r} has {len(documents.ids)} ids and {len(documents.categories)} rows of categories; "
            "give one a document"
        )
    if not documents.ids:
        raise TaskDataError(f"split {split!r} has no documents")
    rows = list(zip(documents.ids, documents.texts, documents.labels, strict=True))
    faults = {
        "id is not a string": [i for i in documents.ids if not isinstance(i, str)],
        "text is empty or not a string": [i for i, text, _ in rows if not isinstance(text, str) or not text.strip()],
        "text cannot be written as UTF-8": [i for i, text, _ in rows if isinstance(text, str) and not _encodable(text)],
        "labels are no list of whole numbers, the positions of labels, such as [2, 5]": [
            i for i, _, labels in rows if not _are_positions(labels)
        ],
    }
    _refuse(split, faults)
    faults = {
        f"label is not one of the {n_labels}": [
            i for i, _, labels in rows if any(not 0 <= label < n_labels for label in labels)
        ],
        f"category is not one of the {n_labels}": [
            i
            for i, row in zip(documents.ids, documents.categories or (), strict=False)
            if any(not 0 <= label < n_labels for label in row)
        ],
        "a label recurs": [i for i, _, labels in rows if len(set(labels)) != len(labels)],
        "a single-label document needs exactly one label": [
            i for i, _, labels in rows if kind == "single" and len(labels) != 1
        ],
    }
    _refuse(split, faults)


def _are_positions(labels: object) -> bool:
    """Whether they can be: a row of truth values or of fractions, one a label, is something else."""
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        return False
    return all(isinstance(label, Integral) and not isinstance(label, bool) for label in labels)


def _refuse(split: str, faults: Mapping[str, list[str]]) -> None:
    for fault, ids in faults.items():
        if ids:
            raise TaskDataError(f"split {split!r}: {fault} in document {_some([str(i) for i in ids])}")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_ids(data: TaskData) -> None:
    seen: dict[str, str] = {}
    for split, documents in data.splits():
        for id_ in documents.ids:
            if id_ in seen:
                shared = [i for i in documents.ids if i in seen] if seen[id_] != split else [id_]
                raise TaskDataError(f"splits {seen[id_]!r} and {split!r} share document {_some(shared)}")
            seen[id_] = split
