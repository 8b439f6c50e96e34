"""Achieved floating-point operations: what a method says of its work, times what was counted while it did it."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bench.estimating.compute import PADDING, Compute
from bench.meters.peak import PeakRates
from bench.meters.unmeasured import NotMeasured
from bench.method import Context, Method
from bench.model import ResolvedModel, materialise
from bench.record import PhaseCompute, PhaseSpeed
from bench.task import TaskData
from bench.work import NotEstimated, Work, Workload

if TYPE_CHECKING:
    from bench.estimating.anatomy import Anatomy


def computed(
    method: Method,
    data: TaskData,
    context: Context,
    speeds: Mapping[str, PhaseSpeed],
    rates: PeakRates,
) -> dict[str, PhaseCompute]:
    """The operations of training and prediction, by the formulas of ``bench estimate``.

    Tokens are those that were counted, padding with them, since the hardware computes that, too.

    Args:
        method: Says what it computes.
        data: What it computed it on.
        context: Of the cell; its processes share the training.
        speeds: Phase → what was counted in its window.
        rates: What the hardware can do.

    Raises:
        NotMeasured: There is no network, or nothing is known of it.
    """
    work, compute = _understood(method, data, context)
    dtype = _dtype(method, context)
    operations = _operations(work, compute, speeds)
    rate = {phase: done / speeds[phase].seconds for phase, done in operations.items()}
    devices = {phase: context.processes if phase == "train" else 1 for phase in operations}
    peak = rates.of(dtype, max((rate[phase] / devices[phase] for phase in operations), default=0.0))
    found = {}
    for phase, done in operations.items():
        most = peak * devices[phase] if peak is not None else None
        found[phase] = PhaseCompute(
            operations=done,
            flops_per_second=rate[phase],
            dtype=str(dtype).removeprefix("torch."),
            peak_flops_per_second=most,
            share_of_peak=rate[phase] / most if most is not None else None,
        )
    return found


def _operations(work: Work, compute: Compute, speeds: Mapping[str, PhaseSpeed]) -> dict[str, float]:
    """Phase → operations of its window; phases without tokens have none."""
    found = {}
    train, predict = _length(speeds.get("train")), _length(speeds.get("predict"))
    if train is not None and work.training is not None:
        found["train"] = speeds["train"].documents * compute.learn(work.training.reading, train)
    if predict is not None:
        # Tokens that the network says are read by it as well, and are not among those that were counted.
        length = predict + work.predicting.answer
        found["predict"] = speeds["predict"].documents * compute.read(work.predicting, length)
    return found


def _length(speed: PhaseSpeed | None) -> float | None:
    """Tokens of a document, such that the padding that the formulas add is the padding that there was."""
    if speed is None or not speed.tokens or speed.documents == 0 or speed.seconds <= 0:
        return None
    return (speed.tokens + speed.padding) / speed.documents / PADDING


def _understood(method: Method, data: TaskData, context: Context) -> tuple[Work, Compute]:
    if context.model is None:
        raise NotMeasured("the method has no network")
    anatomy, tokenizer = _network(context.model)
    documents = {split: len(of_split) for split, of_split in data.splits()}
    labels = max(1.0, fmean(map(len, data.train.labels)))
    work = method.work(Workload(context.task, data.labels, documents, labels, {}, tokenizer, anatomy.hidden))
    if isinstance(work, NotEstimated):
        raise NotMeasured(work.reason)
    return work, Compute(anatomy, work)


def _network(model: ResolvedModel) -> tuple[Anatomy, Any]:
    """The anatomy of the cell's model, and its tokenizer."""
    from bench.encoding import load_tokenizer
    from bench.errors import UserError
    from bench.estimating.anatomy import on_paper
    from bench.model_files import read_config

    folder = materialise(model)
    try:
        return on_paper(read_config(folder), model.architecture), load_tokenizer(folder)
    except UserError as error:
        raise NotMeasured(str(error)) from None


def _dtype(method: Method, context: Context) -> Any:
    from bench.training import compute_dtype

    return compute_dtype(context.device, getattr(method.config, "precision", "auto"))
