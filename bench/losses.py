"""Losses of methods that score every label: their settings, their formulas, and how they hold targets.

Every loss is summed over the documents and over the labels of each: a mean over thousands of labels leaves gradients
too small to learn from, and the training run divides by the documents itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from bench.errors import UserError
from bench.prediction import DENSE_LABELS
from bench.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from bench.task import Documents, Kind

_ASYMMETRIC_ONLY = ("positive_gamma", "negative_gamma", "negative_margin")


class LossSettings(Settings):
    """Settings of every method that learns a score for each label; those of the other kind of task lie idle."""

    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="single label: part of each target that is spread evenly over all labels"
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="single label: balanced: documents weigh the more, the fewer their label has"
    )
    focal_gamma: float = Field(
        0.0, ge=0, description="single label: documents that are right already weigh less; 0: all weigh the same"
    )
    multi_label_loss: Literal["bce", "asymmetric", "zlpr"] = Field(
        "bce",
        description="any number of labels: binary cross-entropy; asymmetric: easy negatives weigh less; zlpr: labels "
        "are ranked around a score of zero",
    )
    positive_gamma: float = Field(0.0, ge=0, description="asymmetric: how much less easy positives weigh")
    negative_gamma: float = Field(4.0, ge=0, description="asymmetric: how much less easy negatives weigh")
    negative_margin: float = Field(
        0.05, ge=0, lt=1, description="asymmetric: negatives of a lower probability have no loss"
    )

    @model_validator(mode="after")
    def _only_asymmetric_has_gammas(self) -> LossSettings:
        fields = type(self).model_fields
        idle = [name for name in _ASYMMETRIC_ONLY if getattr(self, name) != fields[name].default]
        if self.multi_label_loss != "asymmetric" and idle:
            raise ValueError(
                f"multi_label_loss={self.multi_label_loss} has no use for {', '.join(idle)}; set "
                "multi_label_loss=asymmetric or leave it out"
            )
        return self


class Criterion(ABC):
    """A loss, a scalar in nats: of the logits of all labels at once, or put together from some labels after the other.

    Parts leave sums, which add up, and logarithms of sums, which add up once they are no logarithms any more.

    Attributes:
        of_each_label: Whether it is a sum over labels by themselves: parts leave sums alone, and those are the loss.
    """

    of_each_label: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of logits, float32, shape (documents, labels)."""

    @abstractmethod
    def part(self, logits: Tensor, known: Tensor, labels: slice) -> tuple[Tensor, Tensor]:
        """What some labels leave: sums and logarithms of sums, of any shape.

        Args:
            logits: float32, shape (documents, those labels).
            known: 0 or 1, of the same shape.
            labels: Which they are.
        """

    @abstractmethod
    def whole(self, sums: Tensor, logs: Tensor) -> Tensor:
        """The loss, from what all parts left."""


@dataclass(frozen=True)
class CrossEntropy(Criterion):
    """Cross-entropy with weights of labels, smoothed targets and a focus on what is wrong yet.

    With targets ``q = (1 - smoothing) · onehot + smoothing / labels`` it is ``Σ_c w_c q_c (1 - p_c)^gamma (-log p_c)``.
    The focus is the focal loss (arXiv 1708.02002), smoothing that of arXiv 1512.00567. Put together from parts it has
    one of the two: where targets are spread, the focus on each label would have to know all others.

    Attributes:
        smoothing: Part of the targets that is spread evenly.
        gamma: Focus; 0 is plain cross-entropy.
        weights: Weight of each label, shape (labels,); None for ones.
    """

    smoothing: float = 0.0
    gamma: float = 0.0
    weights: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss; targets are the label of each document, int64, shape (documents,)."""
        import torch
        from torch.nn import functional

        weights = self._weights(logits, slice(None))
        if self.gamma == 0:
            return functional.cross_entropy(
                logits, targets, weight=weights, reduction="sum", label_smoothing=self.smoothing
            )
        logs = torch.log_softmax(logits, dim=1)
        column = targets.unsqueeze(1)
        if self.smoothing == 0:
            return (weights[targets] * self._missed(logs.gather(1, column).squeeze(1))).sum()
        even = self.smoothing / logits.shape[1]
        wanted = torch.full_like(logs, even).scatter_(1, column, 1 - self.smoothing + even)
        return (wanted * weights * self._missed(logs)).sum()

    def part(self, logits: Tensor, known: Tensor, labels: slice) -> tuple[Tensor, Tensor]:
        """Of each document the logit and the weight of its label, what smoothing needs of all labels, log Σ e^logit."""
        import torch

        weights = self._weights(logits, labels)
        sums = [(known * logits).sum(1), known @ weights]
        if self.smoothing:
            everywhere = logits.new_ones(len(logits))
            sums += [logits @ weights, everywhere * weights.sum(), everywhere * len(weights)]
        return torch.stack(sums), logits.logsumexp(1)

    def whole(self, sums: Tensor, logs: Tensor) -> Tensor:
        """The loss; that of smoothed targets is ``Σ_c w_c (log Σ e^s - s_c)`` for the part that is spread."""
        chosen, weight, *rest = sums
        hit: Tensor = weight * self._missed(chosen - logs)
        if not rest:
            return hit.sum()
        spread, mass, labels = rest
        even: Tensor = self.smoothing / labels * (mass * logs - spread)
        return ((1 - self.smoothing) * hit + even).sum()

    def _weights(self, logits: Tensor, labels: slice) -> Tensor:
        return logits.new_ones(logits.shape[1]) if self.weights is None else self.weights[labels].to(logits)

    def _missed(self, logs: Tensor) -> Tensor:
        """``(1 - p)^gamma (-log p)`` of logarithms of p."""
        import torch

        # Below the smallest step from one, a power under one would have an endless slope.
        return -((1 - logs.exp()).clamp(min=torch.finfo(logs.dtype).eps) ** self.gamma) * logs


class _OfEachLabel(Criterion):
    """A loss of each label by itself: the parts' losses add up."""

    of_each_label = True

    def part(self, logits: Tensor, known: Tensor, labels: slice) -> tuple[Tensor, Tensor]:
        """Their loss."""
        return self(logits, known), logits.new_zeros(0)

    def whole(self, sums: Tensor, logs: Tensor) -> Tensor:
        """The sum as it is."""
        return sums


@dataclass(frozen=True)
class BinaryCrossEntropy(_OfEachLabel):
    """Binary cross-entropy of each label by itself."""

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss; targets are 0 or 1, float32, of the shape of the logits."""
        from torch.nn import functional

        return functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum")


@dataclass(frozen=True)
class Asymmetric(_OfEachLabel):
    """The asymmetric loss (arXiv 2009.14119): binary cross-entropy with a focus, and a margin for negatives.

    ``-(1 - p)^positive · log p`` for a label, ``-p_m^negative · log(1 - p_m)`` with ``p_m = max(p - margin, 0)`` for
    any other.

    Attributes:
        positive: Focus of positives.
        negative: Focus of negatives.
        margin: Probability up to which a negative has no loss.
    """

    positive: float = 0.0
    negative: float = 4.0
    margin: float = 0.05

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss; targets are 0 or 1, float32, of the shape of the logits."""
        import torch
        from torch.nn import functional

        log_p, log_not_p = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        present = (self.positive * log_not_p).exp() * log_p
        if self.margin == 0:
            absent = (self.negative * log_p).exp() * log_not_p
        else:
            shifted = (torch.sigmoid(logits) - self.margin).clamp(min=0)
            absent = shifted**self.negative * (log_not_p.exp() + self.margin).clamp(max=1).log()
        return -torch.where(targets > 0, present, absent).sum()


@dataclass(frozen=True)
class Zlpr(Criterion):
    """The zero-bounded log-sum-exp and pairwise rank-based loss (arXiv 2208.02955).

    ``log(1 + Σ_labels e^-s) + log(1 + Σ_others e^s)``: a document's labels are pushed above zero, all others below.
    """

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss; targets are 0 or 1, float32, of the shape of the logits."""
        return self.whole(*self.part(logits, targets, slice(None)))

    def part(self, logits: Tensor, known: Tensor, labels: slice) -> tuple[Tensor, Tensor]:
        """The logarithms of both sums of each document."""
        import torch

        present = known > 0
        labels_below = (-logits).masked_fill(~present, -torch.inf)
        others_above = logits.masked_fill(present, -torch.inf)
        return logits.new_zeros(0), torch.stack([labels_below.logsumexp(1), others_above.logsumexp(1)])

    def whole(self, sums: Tensor, logs: Tensor) -> Tensor:
        """The loss; what was nowhere adds nothing to one."""
        import torch

        return torch.logaddexp(logs, torch.zeros_like(logs)).sum()


@dataclass(frozen=True)
class Objective(ABC):
    """A loss with the form of its targets.

    Attributes:
        criterion: The loss of logits.
        n_labels: Labels of the task.
    """

    criterion: Criterion
    n_labels: int

    @abstractmethod
    def targets(self, labels: Sequence[Sequence[int]]) -> Tensor:
        """The labels of a batch's documents as a tensor."""

    def loss(self, features: Tensor, layer: Any, targets: Tensor) -> Tensor:
        """The loss of documents, summed over them.

        Args:
            features: float32, shape (documents, size).
            layer: What makes logits of them.
            targets: Of :meth:`targets`, on the same device.
        """
        return self.criterion(layer(features), targets)


class OneLabel(Objective):
    """Every document has one label; targets have shape (documents,), int64."""

    def targets(self, labels: Sequence[Sequence[int]]) -> Tensor:
        """The label of each document."""
        import torch

        return torch.tensor([row[0] for row in labels])


class AnyLabels(Objective):
    """Documents have any number of labels; targets have shape (documents, labels), float32."""

    def targets(self, labels: Sequence[Sequence[int]]) -> Tensor:
        """0 or 1 for every label of each document."""
        import torch

        targets = torch.zeros(len(labels), self.n_labels)
        for row, chosen in zip(targets, labels, strict=True):
            row[list(chosen)] = 1.0
        return targets


class ManyLabels(Objective):
    """Labels are so many, one or several a document, that the logits of all at once would take too much memory.

    Targets have shape (2, labels of all documents), int64: document and label, sorted by label.
    """

    def targets(self, labels: Sequence[Sequence[int]]) -> Tensor:
        """The pairs of document and label."""
        import torch

        pairs = sorted({(label, document) for document, row in enumerate(labels) for label in row})
        return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T.flip(0).contiguous()

    def loss(self, features: Tensor, layer: Any, targets: Tensor) -> Tensor:
        """The loss of documents; the layer is a linear one, of which the weights are read."""
        from bench.chunked_loss import chunked_loss

        return chunked_loss(features, layer, targets, self.criterion)


def objective(settings: LossSettings, kind: Kind, train: Documents, n_labels: int) -> Objective:
    """What the settings ask for in a task.

    Raises:
        UserError: The loss has to see all labels at once, and they are too many.
    """
    many = in_parts(n_labels)
    if kind == "multi":
        return (ManyLabels if many else AnyLabels)(_of_any_labels(settings), n_labels)
    if many and settings.focal_gamma and settings.label_smoothing:
        raise UserError(
            f"focal_gamma and label_smoothing together see all labels of a document at once, {DENSE_LABELS} at most, "
            f"and the task has {n_labels}; set one of them to 0"
        )
    weights = balanced_weights(train, n_labels) if settings.class_weights == "balanced" else None
    criterion = CrossEntropy(settings.label_smoothing, settings.focal_gamma, weights)
    return (ManyLabels if many else OneLabel)(criterion, n_labels)


def in_parts(n_labels: int) -> bool:
    """Whether the loss of so many labels is computed some of them at a time."""
    return n_labels > DENSE_LABELS


def _of_any_labels(settings: LossSettings) -> Criterion:
    if settings.multi_label_loss == "zlpr":
        return Zlpr()
    if settings.multi_label_loss == "asymmetric":
        return Asymmetric(settings.positive_gamma, settings.negative_gamma, settings.negative_margin)
    return BinaryCrossEntropy()


def balanced_weights(documents: Documents, n_labels: int) -> Tensor:
    """Weights of labels under which each has the same part of the loss, and the mean document weighs one.

    ``documents / (labels that occur · documents of the label)``, as scikit-learn's ``balanced``; one for a label
    without documents.

    Returns:
        float32, shape (labels,).
    """
    import torch

    counts = torch.bincount(torch.tensor([row[0] for row in documents.labels], dtype=torch.int64), minlength=n_labels)
    weights = len(documents) / ((counts > 0).sum() * counts)
    return torch.where(counts > 0, weights, 1.0)
