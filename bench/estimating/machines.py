"""The device that cells are estimated for: this machine's, or one that is planned with."""

from __future__ import annotations

from dataclasses import dataclass

from bench.estimating.memory import Machine
from bench.estimating.pace import GivenPace, MeasuredPace, Pace


@dataclass(frozen=True)
class Found:
    """A device as far as it is known.

    Attributes:
        machine: What it computes in.
        memory: Its bytes; None where they are not known.
        pace: How fast it is; None where that is not known.
    """

    machine: Machine
    memory: int | None
    pace: Pace | None

    def fits(self, held: float) -> bool:
        """Whether so much goes into its memory, as far as that is known."""
        return self.memory is None or held <= self.memory


@dataclass(frozen=True)
class Planned:
    """What the user says of a device; what is None is found out.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        memory: Bytes.
        rate: Operations a second that networks reach.
    """

    device: str | None = None
    memory: int | None = None
    rate: float | None = None

    def found(self, threads: int | None) -> Found:
        """The device; of one that is here what nobody said is measured. Imports torch.

        Args:
            threads: CPU threads a cell; None for all cores.
        """
        import torch

        from bench.meters.environment import usable_cores
        from bench.runner.cell_run import best_device
        from bench.training import compute_dtype

        elsewhere = self.memory is not None or self.rate is not None
        device = self.device or ("cuda" if elsewhere else best_device(uses_torch=True))
        here = device == "cpu" or (torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available())
        bf16 = compute_dtype(device) is torch.bfloat16 if here else device == "cuda"
        pace: Pace | None = GivenPace(self.rate) if self.rate is not None else None
        if pace is None and here and self.memory is None:
            pace = MeasuredPace(device, threads or usable_cores())
        return Found(Machine.of(device, bf16), self.memory or (_memory(device) if here else None), pace)


def _memory(device: str) -> int:
    """Bytes of a device that is here; Apple's shares the host's."""
    import psutil
    import torch

    if device == "cuda":
        return int(torch.cuda.get_device_properties(0).total_memory)
    return int(psutil.virtual_memory().total)
