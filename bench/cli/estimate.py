"""``bench estimate``: what cells will take, before anyone pays for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.choosing import (
    AllOption,
    DeviceOption,
    LocalModelsOption,
    MethodsOption,
    ModelsOption,
    SeedsOption,
    SetsOption,
    SuiteOption,
    TasksOption,
    ThreadsOption,
    TrainSizesOption,
    base_suite,
)
from bench.cli.data_options import DataOption, LabelOption, NameOption, TestOption, TextOption
from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption, PluginsOption, checked_device
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.estimating.machines import Planned


def estimate(
    everything: AllOption = False,
    suite: SuiteOption = None,
    tasks: TasksOption = None,
    methods: MethodsOption = None,
    models: ModelsOption = None,
    seeds: SeedsOption = None,
    train_sizes: TrainSizesOption = None,
    sets: SetsOption = None,
    data: DataOption = None,
    text: TextOption = None,
    label: LabelOption = None,
    test: TestOption = None,
    name: NameOption = None,
    out: OutOption = DEFAULT_OUT,
    threads: ThreadsOption = None,
    device: DeviceOption = None,
    device_memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory of the device, for planning on another: 24GiB.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="TFLOPS", help="What networks reach on the device, instead of a probe of this one: 150."),
    ] = None,
    local_models: LocalModelsOption = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show parameters, peak memory and time of every cell that `bench run` would plan with the same words.

    Nothing is fetched, loaded or trained: models are counted from their configs, documents from a sample, or from the
    size that a task expects while its documents are not here. With --device-memory or --rate the plan is for a CUDA
    device that need not be here.
    """
    from bench.cli.data_options import DataWords, refuse_unavailable
    from bench.cli.estimate_view import show
    from bench.cli.reading import report_corrupt
    from bench.cli.words import parse_sets
    from bench.estimating.cells import Estimator, exact
    from bench.registry import Registry
    from bench.runner.plan import Planner
    from bench.selection import Selection
    from bench.store import Store
    from bench.train_sizes import parse_sizes

    planned = _planned(device, device_memory, rate)
    registry, own = DataWords(data, tuple(text or ()), label, test, name).add_to(Registry.discover(plugins or ()))
    selection = Selection(
        (*own, *(tasks or ())),
        tuple(methods or ()),
        tuple(models or ()),
        tuple(seeds or ()),
        parse_sets(sets),
        parse_sizes(train_sizes),
    )
    base = base_suite(everything=everything, suite=suite, selection=selection, registry=registry)
    chosen = selection.of(base, registry)
    plan = Planner(chosen, registry, Store(out), _say, report_corrupt, local_models).plan()
    refuse_unavailable(plan, own)
    found = planned.found(threads)
    estimator = Estimator(registry, chosen, found.machine, found.pace, exact(), local_models)
    show(plan, estimator, found, as_json=as_json)


def _planned(device: str | None, memory: str | None, rate: float | None) -> Planned:
    """What the user says of the device.

    Raises:
        UserError: It cannot be.
    """
    from bench.estimating.machines import Planned
    from bench.runner.limits import parse_memory

    if rate is not None and not 0 < rate < float("inf"):
        raise UserError(f"--rate {rate}: say how many TFLOP/s networks reach on the device, such as 150")
    size = parse_memory(memory) * 2**20 if memory is not None else None
    return Planned(checked_device(device), size, rate * 1e12 if rate is not None else None)


def _say(line: str) -> None:
    typer.echo(line, err=True)
