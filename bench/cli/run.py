"""``bench run``: train, predict, measure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataOption, LabelOption, NameOption, TestOption, TextOption
from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption, PluginsOption
from bench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from bench.registry import Registry
    from bench.runner.plan import Again
    from bench.runner.run import RunOptions
    from bench.selection import Selection
    from bench.suite import Suite


def run(
    everything: Annotated[
        bool, typer.Option("--all", help="Every task and method; suite `default` unless named.")
    ] = False,
    suite: Annotated[
        str | None, typer.Option("--suite", metavar="NAME", help="A built-in suite, or a YAML file.")
    ] = None,
    tasks: Annotated[
        list[str] | None, typer.Option("--task", "-t", metavar="NAME", help="Only this task. Repeatable.")
    ] = None,
    methods: Annotated[
        list[str] | None, typer.Option("--method", "-m", metavar="NAME", help="Only this method. Repeatable.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", metavar="MODEL", help="Start from this model, in the methods whose kind it is. Repeatable."
        ),
    ] = None,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", metavar="N", help="Run with this seed. Repeatable.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="[NAME.]KEY=VALUE", help="A setting, of every method (or task) that has it."),
    ] = None,
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
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Cells at a time; over 1 disturbs speed.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="CPU threads a cell; all cores by default.")
    ] = None,
    timeout: Annotated[str | None, typer.Option(metavar="TIME", help="Longest a cell may take: 90s, 20m, 2h.")] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most host memory a cell may take: 8GiB.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="cpu, cuda or mps; the best there is by default.")
    ] = None,
    local_models: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of models to look in first.")] = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run cells: every task with every method, or those you name; the same command again goes on where it stopped.

    A file of yours (--data) runs with every method unless you name some. Without --model, networks start from the
    embedded models, and methods have the settings of suite default, which suit those.
    """
    from bench.cli.data_options import DataWords, overtaken, refuse_unavailable
    from bench.cli.reading import report_corrupt
    from bench.cli.run_view import run_and_show, show_plan
    from bench.cli.task_warnings import InspectCommand, warn_of_tasks
    from bench.cli.words import parse_sets
    from bench.registry import Registry
    from bench.runner.plan import Again, Planner
    from bench.selection import Selection
    from bench.store import Store

    again = Again.of(fresh, retry)
    options = _options(again, jobs=jobs, threads=threads, timeout=timeout, memory=memory_limit, device=device)
    if not (everything or suite or tasks or methods or data is not None):
        raise UserError("say what to run: --all, --suite NAME, --data FILE, or tasks and methods with -t and -m")
    words = DataWords(data, tuple(text or ()), label, test, name)
    registry, own = words.add_to(Registry.discover(plugins or ()))
    selection = Selection(
        (*own, *(tasks or ())), tuple(methods or ()), tuple(models or ()), tuple(seeds or ()), parse_sets(sets)
    )
    chosen = selection.of(_base(everything, suite, selection, registry), registry)
    store = Store(out)
    plan = Planner(chosen, registry, store, _say, report_corrupt, local_models).plan()
    refuse_unavailable(plan, own)
    for line in overtaken(filter(again.wants, plan), own, store.all(report_corrupt) if own else ()):
        _say(f"bench: warning: {line}")
    warn_of_tasks(plan, again, InspectCommand(words, own, plugins or (), chosen, registry))
    if dry_run:
        show_plan(plan, again, as_json)
        return
    run_and_show(plan, store, options, as_json)


def _base(everything: bool, suite: str | None, selection: Selection, registry: Registry) -> Suite:
    """The suite to start from: the one named; ``default`` for ``--all``; what that says of methods; or nothing.

    The methods' own settings suit real models: the embedded ones, which are a thousandth of their size, would hardly
    learn with them.
    """
    from bench.suite import Suite, load_suite

    if suite is not None:
        return load_suite(suite)
    if everything:
        return load_suite("default")
    return Suite() if selection.models else load_suite("default").of_methods(registry.of("method"))


def _options(
    again: Again, *, jobs: int, threads: int | None, timeout: str | None, memory: str | None, device: str | None
) -> RunOptions:
    from bench.meters.environment import usable_cores
    from bench.runner.limits import parse_memory, parse_seconds
    from bench.runner.run import RunOptions

    if device is not None and device not in {"cpu", "cuda", "mps"}:
        if device.startswith("cuda:"):
            raise UserError(f"--device {device}: write cuda, and choose among devices with CUDA_VISIBLE_DEVICES")
        raise unknown_name("device", device, ["cpu", "cuda", "mps"])
    return RunOptions(
        jobs=jobs,
        threads=threads or usable_cores(),
        timeout=parse_seconds(timeout) if timeout is not None else None,
        memory_limit_mib=parse_memory(memory) if memory is not None else None,
        device=device,
        again=again,
        command=("bench", *sys.argv[1:]),
    )


def _say(line: str) -> None:
    typer.echo(line, err=True)
