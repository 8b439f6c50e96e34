"""``bench tune``: find the best settings of methods by their validation documents."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.choosing import (
    AllOption,
    DeviceOption,
    LocalModelsOption,
    MethodsOption,
    ModelsOption,
    SetsOption,
    SuiteOption,
    TasksOption,
    ThreadsOption,
    base_suite,
)
from bench.cli.data_options import DataOption, LabelOption, NameOption, TestOption, TextOption
from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption, PluginsOption, checked_device
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.runner.run import RunOptions
    from bench.suite import Suite


def tune(
    trials: Annotated[int, typer.Option("--trials", "-n", min=1, metavar="N", help="Trials of each method.")] = 20,
    everything: AllOption = False,
    suite: SuiteOption = None,
    tasks: TasksOption = None,
    methods: MethodsOption = None,
    models: ModelsOption = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the search and of its trials.")] = 0,
    sets: SetsOption = None,
    spaces: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            metavar="[NAME.]KEY=SPACE",
            help="Where to look for a setting: 1..9, log:1e-5..1e-3 or a,b,c. Repeatable; else where methods say.",
        ),
    ] = None,
    data: DataOption = None,
    text: TextOption = None,
    label: LabelOption = None,
    test: TestOption = None,
    name: NameOption = None,
    out: OutOption = DEFAULT_OUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be searched for, run nothing.")] = False,
    retry: Annotated[
        str | None, typer.Option(metavar="STATUSES", help="Make trials again that ended so: oom,timeout,… or all.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Trials of different methods at a time.")
    ] = 1,
    threads: ThreadsOption = None,
    timeout: Annotated[str | None, typer.Option(metavar="TIME", help="Longest a trial may take: 90s, 20m.")] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most host memory a trial may take: 8GiB.")
    ] = None,
    device: DeviceOption = None,
    local_models: LocalModelsOption = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the best settings of methods: as many trials of each, judged on validation documents only.

    The first trial has the settings as they stand. Every trial is a cell, kept in the folder `tuning` of the results:
    the same command goes on where it stopped, and one with more trials adds to those made. What is found goes to
    `tuned.yaml`, for `bench run --tuned` and for suites.
    """
    from bench.cli.data_options import DataWords, refuse_unavailable
    from bench.cli.reading import report_corrupt
    from bench.cli.tune_view import searched, show_studies
    from bench.cli.watch import watching
    from bench.cli.words import parse_sets
    from bench.registry import Registry
    from bench.runner.plan import Planner
    from bench.selection import Selection
    from bench.spaces import parse_spaces
    from bench.store import Store
    from bench.tuning.search import TRIALS, Search
    from bench.tuning.studies import Wanted, studies_of

    options = _options(jobs=jobs, threads=threads, timeout=timeout, memory=memory_limit, device=device, retry=retry)
    said = parse_spaces(spaces)
    registry, own = DataWords(data, tuple(text or ()), label, test, name).add_to(Registry.discover(plugins or ()))
    selection = Selection(
        (*own, *(tasks or ())),
        tuple(methods or ()),
        tuple(models or ()),
        (seed,),
        parse_sets(sets),
    )
    base = base_suite(everything=everything, suite=suite, selection=selection, registry=registry)
    chosen = _plain(selection.of(base, registry))
    plan = Planner(chosen, registry, Store(out / TRIALS), _say, report_corrupt, local_models).plan()
    refuse_unavailable(plan, own)
    studies = studies_of(plan, Wanted(selection.methods, said, selection.settings), _say)
    if not dry_run:
        with searched():
            Search(out, options, watching, report_corrupt, _say).run(studies, trials)
    show_studies(studies, trials, out, as_json)
    if not dry_run and any(study.found() is None for study in studies):
        raise typer.Exit(1)


def _plain(suite: Suite) -> Suite:
    """A suite that spans no settings by itself, and whose label sets are made by the default rule.

    Another rule has more thresholds than one, which fit the very documents that a trial is judged on.

    Raises:
        UserError: It does.
    """
    from bench.record import DEFAULT_RULE

    for key in ("variants", "train_sizes", "tuned"):
        if getattr(suite, key):
            raise UserError(
                f"suite {suite.name} has {key}, and tuning searches by itself; name tasks and methods instead"
            )
    return suite.model_copy(update={"decision": DEFAULT_RULE})


def _options(
    *, jobs: int, threads: int | None, timeout: str | None, memory: str | None, device: str | None, retry: str | None
) -> RunOptions:
    from bench.meters.environment import usable_cores
    from bench.runner.limits import parse_memory, parse_seconds
    from bench.runner.plan import Again
    from bench.runner.run import RunOptions

    return RunOptions(
        jobs=jobs,
        threads=threads or usable_cores(),
        timeout=parse_seconds(timeout) if timeout is not None else None,
        memory_limit_mib=parse_memory(memory) if memory is not None else None,
        device=checked_device(device),
        again=Again.of(fresh=False, retry=retry),
        command=("bench", *sys.argv[1:]),
    )


def _say(line: str) -> None:
    typer.echo(line, err=True)
