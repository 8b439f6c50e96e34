"""How fast the hardware can compute and move memory at best; measured once for each hardware and kept."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.files import write_atomic
from bench.meters.clock import synchronise

if TYPE_CHECKING:
    import torch

ROUND_SECONDS = 0.02
"""Matrices grow until one multiplication takes so long: a machine reaches its peak in large ones only."""

SPAN_SECONDS = 0.25
"""The best of the rounds that fit into so much time counts: what disturbs a round only makes it longer."""

_SMALLEST, _LARGEST = 512, 16384
_COPIED = {"cpu": 2**27}


def matrix_rate(device: str, dtype: torch.dtype, span: float = SPAN_SECONDS) -> float:
    """Floating-point operations a second of the best multiplication of two square matrices.

    Args:
        device: A torch device.
        dtype: Of the matrices.
        span: Seconds to spend on it, about.

    Raises:
        RuntimeError: The device cannot multiply matrices of this dtype.
    """
    import torch

    size = _SMALLEST
    while True:
        left, right = (torch.rand(size, size, device=device, dtype=dtype) for _ in range(2))
        torch.mm(left, right)  # the first one chooses and loads the kernel
        taken = _best(lambda left=left, right=right: torch.mm(left, right), 0.0)  # type: ignore[misc]
        if taken >= ROUND_SECONDS or size >= _LARGEST:
            break
        size *= 2
    return float(2 * size**3 / min(taken, _best(lambda: torch.mm(left, right), span)))


def memory_bandwidth(device: str, span: float = SPAN_SECONDS) -> float:
    """Bytes a second that the best copy of a large tensor reads and writes, both counted."""
    import torch

    source = torch.ones(_COPIED.get(device, 2**30), device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    target.copy_(source)
    return 2 * source.nbytes / _best(lambda: target.copy_(source), span)


def _best(call: Callable[[], object], span: float) -> float:
    """Seconds of the fastest of the calls that fit into a span, of one at least."""
    best, end = float("inf"), time.perf_counter() + span
    while True:
        synchronise()
        started = time.perf_counter()
        call()
        synchronise()
        now = time.perf_counter()
        best = min(best, now - started)
        if now >= end:
            return best


@dataclass(frozen=True)
class PeakRates:
    """Matrix rates of one hardware, kept in a folder, a file for each dtype.

    Attributes:
        folder: Where they are kept.
        hardware_id: Whose they are.
        device: A torch device.
        measure: Device and dtype → operations a second.
        quiet: Whether nothing else runs here by our doing: only then is anything measured and kept.
    """

    folder: Path
    hardware_id: str
    device: str
    measure: Callable[[str, torch.dtype], float] = matrix_rate
    quiet: bool = True

    def of(self, dtype: torch.dtype, seen: float = 0.0) -> float | None:
        """Operations a second; None where they are not kept and cannot be measured now.

        Args:
            dtype: Of the matrices.
            seen: What a network did; a kept rate below that was disturbed when it was measured, and is measured again.
        """
        import torch

        facts = {"hardware_id": self.hardware_id, "dtype": str(dtype), "torch": str(torch.__version__)}
        digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()
        path = self.folder / f"{digest}.json"
        kept = None
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = float(json.loads(path.read_text("utf-8"))["flops_per_second"])
        if not self.quiet or (kept is not None and kept >= seen):
            return kept
        try:
            rate = max(self.measure(self.device, dtype), kept or 0.0)
        except RuntimeError:  # no room beside the network, or no such kernel: the next cell may have better luck
            return kept
        with suppress(OSError):  # it is measured again
            write_atomic(path, json.dumps({**facts, "flops_per_second": rate}).encode())
        return rate
