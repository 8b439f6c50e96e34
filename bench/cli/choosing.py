"""Which cells the user means: options that ``run`` and ``estimate`` share, and the suite to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from bench.record import MenuRule
    from bench.registry import Registry
    from bench.selection import Selection
    from bench.suite import Suite

AllOption = Annotated[bool, typer.Option("--all", help="All of suite `default`, unless --suite names another.")]
SuiteOption = Annotated[str | None, typer.Option("--suite", metavar="NAME", help="A built-in suite, or a YAML file.")]
TasksOption = Annotated[
    list[str] | None, typer.Option("--task", "-t", metavar="NAME", help="Only this task. Repeatable.")
]
MethodsOption = Annotated[
    list[str] | None, typer.Option("--method", "-m", metavar="NAME", help="Only this method. Repeatable.")
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model", metavar="MODEL", help="Start from this model, in the methods whose kind it is. Repeatable."
    ),
]
SeedsOption = Annotated[list[int] | None, typer.Option("--seed", metavar="N", help="Run with this seed. Repeatable.")]
SetsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="[NAME.]KEY=VALUE", help="A setting, of every method (or task) that has it."),
]
TrainSizesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--train-size",
        metavar="SIZES",
        help="So many training documents: 100,300,1000,all spans every task at each, for learning curves. Repeatable.",
    ),
]
DecisionOption = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="How any number of labels is chosen by scores: global-threshold (default), label-thresholds, top-k.",
    ),
]
TunedOption = Annotated[
    Path | None, typer.Option("--tuned", metavar="FILE", help="Settings that `bench tune` found; --set outranks them.")
]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="CPU threads a cell; all cores by default.")
]
DeviceOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="cpu, cuda or mps; the best there is by default.")
]
LocalModelsOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of models to look in first.")]


def checked_decision(name: str | None) -> MenuRule | None:
    """The rule of this name.

    Raises:
        UserError: There is none.
    """
    from bench.record import MENU

    if name is None:
        return None
    for rule in MENU:
        if rule == name:
            return rule
    raise unknown_name("--decision", name, MENU)


def base_suite(*, everything: bool, suite: str | None, selection: Selection, registry: Registry) -> Suite:
    """The suite to start from: the one named; ``default`` for ``--all``; what that says of methods; or nothing.

    The methods' own settings suit real models: the embedded ones, which are a thousandth of their size, would hardly
    learn with them.

    Raises:
        UserError: There is no such suite, or the user named nothing at all.
    """
    from bench.suite import Suite, load_suite

    if suite is not None:
        return load_suite(suite)
    if everything:
        return load_suite("default")
    if not (selection.tasks or selection.methods):
        raise UserError("say what to run: --all, --suite NAME, --data FILE, or tasks and methods with -t and -m")
    return Suite() if selection.models else load_suite("default").of_methods(registry.of("method"))
