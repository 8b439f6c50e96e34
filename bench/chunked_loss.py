"""A linear layer and its loss, some labels at a time; apart, since it cannot be defined without importing torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

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

    Logits of some labels are made, their loss and its gradients are added up, and they are dropped before the next
    ones are made. Beyond the gradients the memory does not depend on the number of labels. (Gradients without a loss
    that is held: Renee, MLSys 2023.)

    Args:
        features: float32, shape (documents, size).
        layer: From size to labels; its weights are read, it is not called.
        targets: Documents and labels, shape (2, pairs), int64, each pair once, sorted by label.
        criterion: A loss that is a sum over documents and labels, of logits and 0/1 targets of shape (documents, some
            labels).
        chunk: Logits at a time; what suits the device where None.

    Returns:
        A scalar. It can be differentiated once.
    """
    bias = layer.weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias
    held = chunk or (CHUNK if features.device.type == "cpu" else ACCELERATOR_CHUNK)
    work = _Work(targets, criterion, max(1, held // len(features)))
    loss: Tensor = _ChunkedLoss.apply(  # type: ignore[no-untyped-call]  # torch does not type it
        features, layer.weight, bias, work
    )
    return loss


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

    def chunks(self, documents: int, n_labels: int) -> Iterator[tuple[slice, Tensor]]:
        """Some labels after the other, with their 0/1 targets, float32, shape (documents, those labels)."""
        rows, columns = self.targets
        starts = torch.arange(0, n_labels + self.step, self.step, device=rows.device)
        bounds = torch.searchsorted(columns, starts).tolist()
        for start, (first, last) in zip(starts.tolist(), pairwise(bounds), strict=False):
            labels = slice(start, min(start + self.step, n_labels))
            known = torch.zeros(documents, labels.stop - start, device=rows.device)
            known[rows[first:last], columns[first:last] - start] = 1.0
            yield labels, known


class _ChunkedLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, work: _Work) -> Tensor:
        needed = ctx.needs_input_grad[:3]
        ctx.gradients = [
            torch.zeros_like(given) if asked else None
            for given, asked in zip((features, weight, bias), needed, strict=True)
        ]
        total = features.new_zeros(())
        for labels, known in work.chunks(len(features), len(weight)):
            logits = torch.addmm(bias[labels], features, weight[labels].T)
            if any(needed):
                loss, slope = _with_slope(logits, known, work.criterion)
                _collect(ctx.gradients, labels, slope, features, weight)
            else:
                loss = work.criterion(logits, known)
            total += loss
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        # Let go of them, so that they become the parameters' own and are not copied.
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            raise RuntimeError("the gradients of a chunked loss can be had once")
        return (*(None if gradient is None else gradient.mul_(upstream) for gradient in gradients), None)


def _with_slope(logits: Tensor, known: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
    """The loss and its gradient by the logits."""
    with torch.enable_grad():
        logits = logits.detach().requires_grad_()
        loss = criterion(logits, known)
    (slope,) = torch.autograd.grad(loss, logits)
    return loss.detach(), slope


def _collect(gradients: list[Tensor | None], labels: slice, slope: Tensor, features: Tensor, weight: Tensor) -> None:
    """Add what some labels give to the gradients of features, weight and bias."""
    of_features, of_weight, of_bias = gradients
    if of_features is not None:
        of_features.addmm_(slope, weight[labels])
    if of_weight is not None:
        torch.mm(slope.T, features, out=of_weight[labels])
    if of_bias is not None:
        torch.sum(slope, dim=0, out=of_bias[labels])
