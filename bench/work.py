"""What a cell would compute: how a method describes its work before any of it is done.

Methods only describe; what the work takes in parameters, memory and time is worked out by :mod:`bench.estimating`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from bench.task import LabelSpace, TaskProfile

Loaded = Literal["body", "causal-lm", "classifier"]
Trained = Literal["all", "adapters", "head", "nothing"]
Bits = Literal["nf4", "int8", "none"]


@dataclass(frozen=True)
class Workload:
    """A task and a model, as far as they are known before a cell runs.

    Attributes:
        task: Name, kind and size of the label space.
        labels: The label space; stand-ins where the documents are not here.
        documents: Documents by split.
        labels_per_document: On average, at least 1.
        lengths: By split, the tokens of some documents, uncut and without special tokens; documents without any where
            no tokenizer reads them.
        tokenizer: The model's tokenizer, or what counts tokens in its place; None for methods without a model.
        hidden_size: Width of the model; 0 for methods without one.
    """

    task: TaskProfile
    labels: LabelSpace
    documents: Mapping[str, int]
    labels_per_document: float
    lengths: Mapping[str, Sequence[int]]
    tokenizer: Any = None
    hidden_size: int = 0


@dataclass(frozen=True)
class Adapters:
    """LoRA on all linear layers of the body.

    Attributes:
        rank: Of its matrices.
        scales: Whether every layer has a trained vector of scales, too (DoRA).
        dropout: Whether some of their inputs are dropped.
    """

    rank: int
    scales: bool = False
    dropout: bool = False


@dataclass(frozen=True)
class Reading:
    """How documents are put before a network.

    Attributes:
        batch: Documents on the device at once.
        budget: Tokens of a document; longer ones are cut.
        around: Tokens that stand around each: special ones, the prompt.
        shared: Tokens in front of all of them, read once and kept.
        answer: Tokens that follow, on average, and whose logits over the vocabulary are made.
        longest_answer: Most of them.
    """

    batch: int
    budget: int
    around: int = 0
    shared: int = 0
    answer: float = 0.0
    longest_answer: int = 0

    def mean(self, lengths: Sequence[int]) -> float:
        """Tokens of a document with what it is read with, on average."""
        cut = fmean(min(length, self.budget) for length in lengths) if lengths else 0.0
        return max(1.0, cut + self.around + self.answer)

    def longest(self, lengths: Sequence[int]) -> int:
        """The most tokens of a document with what it is read with, the shared ones included."""
        cut = min(max(lengths, default=0), self.budget)
        return max(1, cut + self.around + self.shared + self.longest_answer)


@dataclass(frozen=True)
class Training:
    """A fine-tune.

    Attributes:
        reading: How training documents are read; ``batch`` is the micro-batch.
        epochs: Passes over them.
        batch_size: Documents to an optimiser step.
        checkpointing: Whether activations are computed twice, to keep fewer.
        validated: Validation documents that are labelled after an epoch.
    """

    reading: Reading
    epochs: int
    batch_size: int
    checkpointing: bool = False
    validated: int = 0


@dataclass(frozen=True)
class Work:
    """What a cell computes with a network.

    Attributes:
        loaded: ``body``: the network without what it was pretrained to put out; ``causal-lm``: with the layer that
            makes logits over the vocabulary; ``classifier``: with the classification head that it comes with.
        trained: Of what was loaded everything, adapters, only the ``head`` on top, or nothing.
        predicting: How documents are read to be labelled.
        training: How it is trained; None where it is not.
        quantisation: Of the frozen weights.
        adapters: What is trained beside them.
        head: Parameters of what stands on top of a ``body``, float32, trained.
        cached: Whether keys and values of what was read are kept while answering.
        scored: Whether it puts out scores, so that where documents have several labels a threshold is chosen.
        frozen_layers: Where everything is trained: so many layers are not, nor the embeddings; 0: they are, too.
    """

    loaded: Loaded
    trained: Trained
    predicting: Reading
    training: Training | None = None
    quantisation: Bits = "none"
    adapters: Adapters | None = None
    head: int = 0
    cached: bool = False
    scored: bool = True
    frozen_layers: int = 0


@dataclass(frozen=True)
class NotEstimated:
    """Why a method's work cannot be told beforehand.

    Attributes:
        reason: In a few words.
    """

    reason: str
