"""A linear layer and its loss, some labels at a time; apart, since it cannot be defined without importing torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

if TYPE_CHECKING:
    from bench.losses import Criterion

CHUNK = 2**15
"""Logits that a CPU holds at a time: their few copies in float32 stay in its cache."""

ACCELERATOR_CHUNK = 2**22
"""Logits that any other device holds at a time: 16 MiB, enough to keep it busy."""


def chunked_loss(
    features: Tensor, layer: nn.Linear, targets: Tensor, criterion: Criterion, chunk: int | None = None
) -> Tensor:
    """The loss of ``layer(features)``, equal to the dense one but for rounding.

    Logits of some labels are made and dropped before the next ones are made, once for the loss and once more for its
    gradients. ``backward()`` adds those of the layer to what its parameters hold in ``grad`` already, without a second
    copy; hence the layer is none for ``torch.autograd.grad``. A loss of each label by itself, whose gradients nothing
    is there to be added to, takes them at the first making. Beyond the gradients the memory does not depend on the
    number of labels. (Gradients without logits that are held: Renee, MLSys 2023.)

    Args:
        features: float32, shape (documents, size).
        layer: From size to labels; its weights are read, it is not called.
        targets: Documents and labels, shape (2, pairs), int64, each pair once, sorted by label.
        criterion: The loss.
        chunk: Logits at a time; what suits the device where None.

    Returns:
        A scalar. It can be differentiated once.
    """
    held = chunk or (CHUNK if features.device.type == "cpu" else ACCELERATOR_CHUNK)
    work = _Work(targets, criterion, max(1, held // len(features)))
    fresh = layer.weight.requires_grad and layer.weight.grad is None and torch.is_grad_enabled()
    way = _AtOnce if fresh and criterion.of_each_label else _Parts
    sums, logs = way.apply(features, layer.weight, layer.bias, work)  # type: ignore[no-untyped-call]  # torch's
    return criterion.whole(sums, logs)


@dataclass(frozen=True)
class _Work:
    """What is computed, and in which steps.

    Attributes:
        targets: See :func:`chunked_loss`.
        criterion: See there.
        step: Labels at a time.
    """

    targets: Tensor
    criterion: Criterion
    step: int

    def chunks(self, features: Tensor, weight: Tensor, bias: Tensor | None) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Some labels after the other, with their logits and 0/1 targets, float32, shape (documents, those labels)."""
        rows, columns = self.targets
        starts = torch.arange(0, len(weight) + self.step, self.step, device=rows.device)
        bounds = torch.searchsorted(columns, starts).tolist()
        for start, (first, last) in zip(starts.tolist(), pairwise(bounds), strict=False):
            labels = slice(start, min(start + self.step, len(weight)))
            logits = functional.linear(features, weight[labels], None if bias is None else bias[labels])
            known = torch.zeros_like(logits)
            known[rows[first:last], columns[first:last] - start] = 1.0
            yield labels, logits, known

    def slope(
        self, part: tuple[slice, Tensor, Tensor], logs: Tensor, upstream: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The sums of some labels, and the gradient by their logits.

        A part's logarithm moves the whole one by its share in the sum.
        """
        labels, logits, known = part
        with torch.enable_grad():
            logits.requires_grad_()
            sums, log = self.criterion.part(logits, known, labels)
            share = (log.detach() - logs).exp()
            moved = (upstream[0] * sums).sum() + (upstream[1] * share * log).sum()
        return sums.detach(), torch.autograd.grad(moved, logits)[0]


class _Parts(torch.autograd.Function):
    """What a criterion's parts leave, put together; see :meth:`bench.losses.Criterion.part`."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, work: _Work) -> tuple[Tensor, Tensor]:
        parts = work.chunks(features, weight, bias)
        left = (work.criterion.part(logits, known, labels) for labels, logits, known in parts)
        sums, logs = next(left)
        for more, log in left:
            sums, logs = sums + more, torch.logaddexp(logs, log)
        ctx.work = work
        ctx.save_for_backward(features, weight, bias, logs)
        return sums, logs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, logs = ctx.saved_tensors
        of_features = torch.zeros_like(features) if ctx.needs_input_grad[0] else None
        gradients = (of_features, _held(weight), _held(bias))
        for part in ctx.work.chunks(features, weight, bias):
            _, slope = ctx.work.slope(part, logs, upstream)
            _collect(gradients, part[0], slope, features, weight)
        return of_features, None, None, None


class _AtOnce(torch.autograd.Function):
    """The same of a loss of each label by itself, which leaves sums only; gradients wait to be scaled."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, work: _Work) -> tuple[Tensor, Tensor]:
        given, none = (features, weight, bias), features.new_zeros(0)
        ctx.gradients = [
            torch.zeros_like(wanted) if wanted is not None and asked else None
            for wanted, asked in zip(given, ctx.needs_input_grad, strict=False)
        ]
        total, one = features.new_zeros(()), features.new_ones(())
        for part in work.chunks(*given):
            sums, slope = work.slope(part, none, (one, none))
            _collect(ctx.gradients, part[0], slope, features, weight)
            total += sums
        return total, none

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        # Let go of them, so that they become the parameters' own and are not copied.
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            raise RuntimeError("the gradients of a chunked loss can be had once")
        return (*(None if gradient is None else gradient.mul_(upstream[0]) for gradient in gradients), None)


def _held(parameter: Tensor | None) -> Tensor | None:
    """A parameter's ``grad``, made where there is none; None for what is not trained."""
    if parameter is None or not parameter.requires_grad:
        return None
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


def _collect(
    gradients: Sequence[Tensor | None], labels: slice, slope: Tensor, features: Tensor, weight: Tensor
) -> None:
    """Add what some labels give to the gradients of features, weight and bias."""
    of_features, of_weight, of_bias = gradients
    if of_features is not None:
        of_features.addmm_(slope, weight[labels])
    if of_weight is not None:
        of_weight[labels].addmm_(slope.T, features)
    if of_bias is not None:
        of_bias[labels] += slope.sum(0)
