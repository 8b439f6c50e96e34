"""What an audit measures of a task: values that JSON holds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.task import Kind

VERSION = 2
"""Of what is kept on disk; raise it when a part means something else than before."""

Severity = Literal["fault", "note"]


class Facts(BaseModel):
    """Base of every part: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tail(Facts):
    """One group of labels by training documents.

    Attributes:
        name: ``head``, ``torso``, ``tail`` or ``unseen``.
        span: The range of training documents in words.
        labels: How many labels it holds.
        share: Share of all labels.
        test_share: Share of the test documents that have one of its labels.
    """

    name: str
    span: str
    labels: int
    share: float
    test_share: float


class Imbalance(Facts):
    """How unequal the labels seen in training are.

    Attributes:
        largest_share: Share of the training documents with the most frequent label.
        ratio: Documents of the most frequent label to one of the rarest.
        evenness: Entropy of the labels over its maximum: 1 where all are equally frequent, towards 0 where one rules.
    """

    largest_share: float
    ratio: float
    evenness: float


class Hierarchy(Facts):
    """The tree above the labels.

    Attributes:
        depth: Number of levels, the labels' own included.
        nodes: Nodes at each level, the top one first.
    """

    depth: int
    nodes: list[int]


class Sizes(Facts):
    """Documents and labels.

    Attributes:
        kind: ``single`` or ``multi``.
        n_labels: Size of the label space.
        primary_metric: The metric that names the winner.
        documents: By split.
        unlimited: Documents by split before a setting such as ``train_documents`` limited them.
        unlabelled: Documents without a label, by split.
        cardinality: Labels a document, by split.
        density: The same over the size of the label space.
        labels_present: Labels with a document, by split.
        empty_labels: Labels without a document in any split.
        untrained_labels: Labels that test documents have and training documents have not.
        untrained_documents: Test documents with such a label.
        tail: Labels by training documents.
        imbalance: How unequal they are.
        frequent_labels: The most frequent, with their training documents.
        rare_labels: The rarest of those with a training document.
        hierarchy: The tree; None where the labels have none.
        skipped: Reason → source records left out.
        skipped_files: Source files that could not be read.
        remarks: What the task says of itself.
    """

    kind: Kind
    n_labels: int
    primary_metric: str
    documents: dict[str, int]
    unlimited: dict[str, int]
    unlabelled: dict[str, int]
    cardinality: dict[str, float]
    density: dict[str, float]
    labels_present: dict[str, int]
    empty_labels: int
    untrained_labels: int
    untrained_documents: int
    tail: list[Tail]
    imbalance: Imbalance
    frequent_labels: dict[str, int]
    rare_labels: dict[str, int]
    hierarchy: Hierarchy | None
    skipped: dict[str, int]
    skipped_files: list[str]
    remarks: list[str]


class Pair(Facts):
    """Two documents that are the same, or nearly.

    Attributes:
        ids: Of the two; where splits are compared, the held-out one first.
        similarity: Jaccard similarity of their shingles, 1 for equal texts.
    """

    ids: tuple[str, str]
    similarity: float = 1.0


class Shared(Facts):
    """Held-out documents that stand in an earlier split too.

    Attributes:
        documents: How many.
        share: Of the documents looked at.
        other_labels: How many of them have other labels there, and not the same.
        examples: A few.
    """

    documents: int
    share: float
    other_labels: int
    examples: list[Pair]


class Duplicates(Facts):
    """Texts that are equal but for case and whitespace.

    Attributes:
        repeated: Documents that repeat another of their split, by split.
        shared: ``validation``: documents whose text is in the training split; ``test``: in training or validation.
        conflicting: Documents whose text has other labels elsewhere in the task.
        conflicts: A few of them, in pairs.
    """

    repeated: dict[str, int]
    shared: dict[str, Shared]
    conflicting: int
    conflicts: list[Pair]


class NearDuplicates(Facts):
    """Texts that are nearly equal; equal ones are left out.

    Attributes:
        threshold: Lowest Jaccard similarity.
        shingle_words: Words of a shingle.
        permutations: Of a MinHash.
        looked_at: Held-out documents compared with every document of the splits before theirs that may be like them.
        shared: Held-out documents with a near duplicate in an earlier split.
        given_up: Held-out documents that resemble so many others that not all were compared; not in ``looked_at``.
    """

    threshold: float
    shingle_words: int
    permutations: int
    looked_at: dict[str, int]
    shared: dict[str, Shared]
    given_up: dict[str, int]


class Quantiles(Facts):
    """Lengths that this share of documents does not exceed."""

    p50: int
    p90: int
    p95: int
    p99: int
    longest: int


class TokenLengths(Facts):
    """Token lengths of one split, special tokens included.

    Attributes:
        documents: How many were read.
        lengths: Their quantiles.
        truncated: Limit → share of documents that are longer.
        lost: Limit → share of tokens beyond it.
    """

    documents: int
    lengths: Quantiles
    truncated: dict[int, float]
    lost: dict[int, float]


class Tokens(Facts):
    """Token lengths by split.

    Attributes:
        model: Whose tokenizer.
        tokenizer: Hash of its ``tokenizer.json``.
        splits: By split.
    """

    model: str
    tokenizer: str
    splits: dict[str, TokenLengths]


class NamedLabel(Facts):
    """A label whose name stands in texts.

    Attributes:
        name: The label.
        documents: Documents that have it.
        own: Share of them whose text holds its name.
        others: Share of the other documents whose text does.
    """

    name: str
    documents: int
    own: float
    others: float


class LabelNames(Facts):
    """Label names in texts.

    Attributes:
        documents: How many labelled documents were read.
        own: Share of them whose text holds the name of one of their labels.
        chance: The same with the labels of other documents.
        labels: Those whose names tell most.
    """

    documents: int
    own: float
    chance: float
    labels: list[NamedLabel]


class Floor(Facts):
    """What a trivial method reaches.

    Attributes:
        value: The primary metric on validation documents; None where it could not be had.
        reason: Why not.
    """

    value: float | None
    reason: str | None = None


class Spread(Facts):
    """Scores of several draws.

    Attributes:
        mean: Their mean.
        deviation: Their standard deviation.
    """

    mean: float
    deviation: float


class Floors(Facts):
    """What trivial methods reach.

    Attributes:
        metric: The primary metric.
        prior: Of the frequencies of the labels.
        linear: Of TF-IDF with linear support vector machines.
        shuffled: Of the same predictions, given to other documents by chance; None where they could not be scored.
        train_documents: Documents that the machines learned from.
        validation_documents: Documents scored.
        labels: Labels that have a machine.
    """

    metric: str
    prior: Floor
    linear: Floor
    shuffled: Spread | None
    train_documents: int
    validation_documents: int
    labels: int


class Audit(Facts):
    """Everything measured of a task; what was not measured is None.

    Attributes:
        version: See :data:`VERSION`.
        fingerprint: Of the documents.
    """

    version: int = VERSION
    fingerprint: str
    sizes: Sizes
    duplicates: Duplicates
    words: dict[str, Quantiles] | None = None
    tokens: Tokens | None = None
    label_names: LabelNames | None = None
    near_duplicates: NearDuplicates | None = None
    floors: Floors | None = None


class Finding(Facts):
    """Something a reader of the task's results should know.

    Attributes:
        name: What the rule is called in ``docs/inspect.md``.
        severity: ``fault``: numbers on this task mislead; ``note``: good to know.
        what: One line, with the figures.
        count: How many documents, labels or records it concerns.
        remedy: What to do about it.
    """

    name: str
    severity: Severity
    what: str
    count: int
    remedy: str
