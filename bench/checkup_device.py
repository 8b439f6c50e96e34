"""The checks of ``bench doctor`` that compute: what devices, precisions and quantised layers really do here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.backoff import is_out_of_memory
from bench.checkup import Finding
from bench.estimating.pace import in_flops
from bench.meters import energy, environment
from bench.meters.peak import matrix_rate, memory_bandwidth

if TYPE_CHECKING:
    from torch import Tensor, nn

SPAN_SECONDS = 0.3
"""So long each rate is measured."""

STRAYS = {"nf4": 0.2, "int8": 0.05}
"""Quantised layers may differ from what they stand for by this part of its size; by more, a kernel is broken."""

_WIDTH = 256
_PRECISIONS = {
    "cpu": ("float32", "bfloat16"),
    "cuda": ("float32", "tf32", "bfloat16", "float16"),
    "mps": ("float32", "float16"),
}


def devices() -> list[Finding]:
    """What torch computes on, with the driver's version and the power limit."""
    import torch

    gpus = environment.hardware()["gpus"]
    if torch.cuda.is_available():
        told = f"{torch.cuda.device_count()}x {torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}"
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        found = [Finding("device", "ok", f"cuda, {told}, {'bf16' if bf16 else 'no bf16: computes in float32'}")]
        return [*found, _driver(gpus[0])] if gpus else found
    if torch.backends.mps.is_available():
        return [Finding("device", "ok", "mps")]
    if gpus:
        found_by_torch = f"{gpus[0]['name']} is there, but torch {torch.__version__} cannot use it"
        return [Finding("device", "fault", found_by_torch, "install the CUDA build of torch that fits the driver")]
    return [Finding("device", "note", "cpu only", "the embedded models run well here; real LLMs want a GPU")]


def counters() -> list[Finding]:
    """Which counters of energy can be read."""
    found = []
    for what, source in (("processor energy", energy.processor()), ("device energy", energy.devices())):
        if source.counters:
            found.append(Finding(what, "ok", f"{len(source.counters)} counters"))
            continue
        locked = "administrator" in source.missing
        remedy = f"sudo chmod -R a+r {energy.POWERCAP}/intel-rapl*" if locked else ""
        found.append(Finding(what, "note", f"{source.missing}; records will say so", remedy))
    return found


def rates() -> list[Finding]:
    """How fast matrices of each precision multiply, and memory is copied."""
    from bench.runner.cell_run import best_device

    device = best_device(uses_torch=True)
    told = ", ".join(f"{name} {_rate(device, name)}" for name in _PRECISIONS[device])
    return [Finding("matrix rate", "ok", f"{told} ({device})"), _bandwidth(device)]


def quantisation() -> list[Finding]:
    """Quantise and multiply for real: the kernels of bitsandbytes are the part that fails most."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return [_kernel(name, make, device) for name, make in (("nf4", _nf4), ("int8", _int8))]


def _driver(gpu: dict[str, Any]) -> Finding:
    limit = gpu["power_limit_w"]
    power = f", power limit {limit:.0f} W" if limit is not None else ""
    memory = gpu["memory_mib"]
    own = f"{memory / 1024:.0f} GiB device memory" if memory is not None else "no memory of its own"
    return Finding("driver", "ok", f"{gpu['driver']}{power}, {own}")


def _rate(device: str, name: str) -> str:
    import torch

    dtype = torch.float32 if name == "tf32" else getattr(torch, name)
    try:
        with _tf32(name == "tf32"):
            return in_flops(matrix_rate(device, dtype, SPAN_SECONDS))
    except (RuntimeError, TypeError) as error:
        return "finds no free memory" if is_out_of_memory(error) else "is not computed here"


def _bandwidth(device: str) -> Finding:
    what = "memory bandwidth"
    try:
        copied = memory_bandwidth(device, SPAN_SECONDS) / 1e9
    except (RuntimeError, MemoryError) as error:
        said = "no free memory to copy" if is_out_of_memory(error) else " ".join(str(error).split())[:200]
        return Finding(what, "note", f"{said} ({device})", "see what else runs there")
    return Finding(what, "ok", f"{copied:.3g} GB/s ({device})")


@contextmanager
def _tf32(wanted: bool) -> Iterator[None]:
    """Whether float32 matrices may be multiplied with shortened mantissas."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if wanted else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _kernel(name: str, make: Callable[[nn.Linear], nn.Module], device: str) -> Finding:
    """Whether a quantised layer says about what the layer says that it was made of."""
    import torch

    what = f"{name} kernels"
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        dense, inputs = torch.nn.Linear(_WIDTH, _WIDTH), torch.randn(16, _WIDTH)
        try:
            off = _off(make(dense).to(device)(inputs.to(device)).float().cpu(), dense(inputs))
        except Exception as error:  # whatever a kernel raises is the finding
            said = " ".join(str(error).split())[:200]
            return Finding(what, "fault", f"{type(error).__name__}: {said}", "pip install -U bitsandbytes")
    if not off <= STRAYS[name]:
        return Finding(what, "fault", f"give wrong numbers on {device}", "pip install -U bitsandbytes")
    return Finding(what, "ok", f"work on {device}, within {off:.1%}")


def _off(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def _nf4(dense: nn.Linear) -> nn.Module:
    import bitsandbytes as bnb
    import torch

    layer = bnb.nn.Linear4bit(_WIDTH, _WIDTH, quant_type="nf4", compute_dtype=torch.float32)
    layer.load_state_dict(dense.state_dict())
    made: nn.Module = layer
    return made


def _int8(dense: nn.Linear) -> nn.Module:
    import bitsandbytes as bnb

    layer = bnb.nn.Linear8bitLt(_WIDTH, _WIDTH, has_fp16_weights=False)
    layer.load_state_dict(dense.state_dict())
    made: nn.Module = layer
    return made
