"""``bench run``: train, predict, measure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.choosing import (
    AllOption,
    DecisionOption,
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
    TunedOption,
    base_suite,
    checked_decision,
)
from bench.cli.data_options import DataOption, LabelOption, NameOption, TestOption, TextOption
from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption, PluginsOption, checked_device

if TYPE_CHECKING:
    from bench.runner.plan import Again
    from bench.runner.run import RunOptions


def run(
    everything: AllOption = False,
    suite: SuiteOption = None,
    tasks: TasksOption = None,
    methods: MethodsOption = None,
    models: ModelsOption = None,
    seeds: SeedsOption = None,
    train_sizes: TrainSizesOption = None,
    sets: SetsOption = None,
    decision: DecisionOption = None,
    tuned: TunedOption = None,
    data: DataOption = None,
    text: TextOption = None,
    label: LabelOption = None,
    test: TestOption = None,
    name: NameOption = None,
    out: OutOption = DEFAULT_OUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, run nothing.")] = False,
    retry: Annotated[
        str | None, typer.Option(metavar="STATUSES", help="Run again what ended so: oom,timeout,crashed,failed or all.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every cell again.")] = False,
    save_models: Annotated[
        bool,
        typer.Option("--save-models", help="Keep trained models, for predict and export; runs again what lacks one."),
    ] = False,
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="Measure prediction at batch sizes 1, 2, 4, …, too; about 20 s a cell that runs."),
    ] = False,
    no_texts: Annotated[
        bool,
        typer.Option("--no-texts", help="Keep the texts of test documents out of the results; the report shows none."),
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Cells at a time; over 1 disturbs speed.")
    ] = 1,
    threads: ThreadsOption = None,
    devices: Annotated[
        int, typer.Option(min=1, metavar="N", help="Devices that train a cell together (data parallel).")
    ] = 1,
    timeout: Annotated[str | None, typer.Option(metavar="TIME", help="Longest a cell may take: 90s, 20m, 2h.")] = None,
    checkpoint_every: Annotated[
        str, typer.Option(metavar="TIME", help="How often training is saved, to go on from if it is interrupted.")
    ] = "10m",
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most host memory a cell may take: 8GiB.")
    ] = None,
    device: DeviceOption = None,
    local_models: LocalModelsOption = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run cells: every task with every method, or those you name; the same command again goes on where it stopped.

    A file of yours (--data) runs with every method unless you name some. Without --model, networks start from the
    embedded models, and methods have the settings of suite default, which suit those; methods that it leaves out run
    if you name them. What you --set stands in every variant of a suite.
    """
    from bench.cli.data_options import DataWords, overtaken, refuse_unavailable
    from bench.cli.memory_warnings import warn_of_memory
    from bench.cli.reading import report_corrupt
    from bench.cli.run_view import run_and_show, show_plan
    from bench.cli.task_warnings import InspectCommand, warn_of_tasks
    from bench.cli.words import parse_sets
    from bench.registry import Registry
    from bench.runner.plan import Again, Planner
    from bench.runner.ranks import check_devices
    from bench.selection import Selection
    from bench.store import Store
    from bench.train_sizes import parse_sizes
    from bench.tuned import read_tuned

    again = Again.of(fresh, retry, save_models)
    options = _options(
        again,
        jobs=jobs,
        threads=threads,
        timeout=timeout,
        memory=memory_limit,
        device=device,
        checkpoint_every=checkpoint_every,
        devices=devices,
        sweep=sweep,
        texts=not no_texts,
    )
    words = DataWords(data, tuple(text or ()), label, test, name)
    registry, own = words.add_to(Registry.discover(plugins or ()))
    selection = Selection(
        (*own, *(tasks or ())),
        tuple(methods or ()),
        tuple(models or ()),
        tuple(seeds or ()),
        parse_sets(sets),
        parse_sizes(train_sizes),
        checked_decision(decision),
        read_tuned(tuned) if tuned is not None else (),
    )
    base = base_suite(everything=everything, suite=suite, selection=selection, registry=registry)
    chosen = selection.of(base, registry)
    store = Store(out)
    planner = Planner(chosen, registry, store, _say, report_corrupt, local_models)
    plan = planner.plan()
    refuse_unavailable(plan, own)
    check_devices(plan, devices, options.device)
    for line in overtaken(filter(again.wants, plan), own, store.standing(report_corrupt) if own else ()):
        _say(f"bench: warning: {line}")
    warn_of_tasks(plan, again, InspectCommand(words, own, plugins or (), chosen, registry))
    warn_of_memory(plan, again, options.device, planner)
    if dry_run:
        show_plan(plan, again, as_json)
        return
    run_and_show(plan, store, options, as_json)


def _options(
    again: Again,
    *,
    jobs: int,
    threads: int | None,
    timeout: str | None,
    memory: str | None,
    device: str | None,
    checkpoint_every: str,
    devices: int,
    sweep: bool,
    texts: bool,
) -> RunOptions:
    from bench.meters.environment import usable_cores
    from bench.runner.limits import parse_memory, parse_seconds
    from bench.runner.run import RunOptions

    return RunOptions(
        jobs=jobs,
        threads=threads or max(1, usable_cores() // devices),
        processes=devices,
        timeout=parse_seconds(timeout) if timeout is not None else None,
        memory_limit_mib=parse_memory(memory) if memory is not None else None,
        device=checked_device(device),
        checkpoint_seconds=parse_seconds(checkpoint_every),
        again=again,
        save_models=again.lacking_model,
        sweep=sweep,
        documents="texts" if texts else "ids",
        command=("bench", *sys.argv[1:]),
    )


def _say(line: str) -> None:
    typer.echo(line, err=True)
