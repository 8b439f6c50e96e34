"""``bench models build``: pretrain a small encoder and a small decoder."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import PluginsOption
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.pretraining.build import Watch
    from bench.task import TaskData

_HEARTBEAT_SECONDS = 15.0


def build(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder that gets `encoder` and `decoder`.")] = Path(
        "build/models"
    ),
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            metavar="NAME",
            help="Read its training documents. Repeatable; those of the recipe by default.",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Optimiser steps of each network.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="Seed of weights, order and masks.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another setting of the build. Repeatable.")
    ] = None,
    plugins: PluginsOption = None,
) -> None:
    """Pretrain an encoder and a decoder on the training documents of tasks; the same command goes on where it stopped.

    What is not said is that of the recipe of the embedded models.
    """
    from bench import embedded
    from bench.cli.words import parse_sets
    from bench.pretraining.build import Build
    from bench.pretraining.corpus import gather
    from bench.pretraining.settings import BuildSettings
    from bench.settings import resolve_settings

    recipe = embedded.recipe()
    said = {key: value for key, value in (("steps", steps), ("seed", seed)) if value is not None}
    given = {**recipe.settings, **parse_sets(sets), **said}
    settings = resolve_settings(BuildSettings, given, "models build")
    names = tuple(dict.fromkeys(tasks or recipe.tasks))
    corpus = gather(_load(names, plugins))
    typer.echo(f"{len(corpus.train)} documents, fingerprint {corpus.fingerprint}; {corpus.left_out} left out", err=True)
    try:
        with _watching() as watch:
            Build(corpus, settings, out, _command(names, given, plugins or [])).run(watch)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from the last checkpoint", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"bench run --all --model {out / 'encoder'} --model {out / 'decoder'}")


def _command(tasks: Iterable[str], given: Mapping[str, Any], plugins: Iterable[Path]) -> str:
    """What to type to make the same models, with the recipe's words spelt out."""
    named = [word for name in tasks for word in ("-t", name)]
    named += [word for path in plugins for word in ("--plugins", path.name)]
    options = [
        word
        for key, value in given.items()
        for word in ((f"--{key}", str(value)) if key in {"steps", "seed"} else ("--set", f"{key}={value}"))
    ]
    return shlex.join(["bench", "models", "build", "--out", "DIR", *named, *options])


def _load(names: tuple[str, ...], plugins: list[Path] | None) -> Mapping[str, TaskData]:
    """The tasks' documents, all of them.

    Raises:
        UserError: A task is not available here.
    """
    from bench.registry import Registry

    registry = Registry.discover(plugins or ())
    loaded = {}
    for name in names:
        plugin = registry.get("task", name)
        with plugin.guarded():
            task = plugin.load()(plugin.settings({}))
            state = task.availability()
            if not state.ok:
                raise UserError(f"{name}: {state.reason}; run: {state.remedy}")
            loaded[name] = task.load()
    return loaded


@contextmanager
def _watching() -> Iterator[Watch]:
    """A bar on a terminal; elsewhere a line now and then."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bars(console) as watch:
            yield watch
    else:
        yield _lines()


@contextmanager
def _bars(console: object) -> Iterator[Watch]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from bench.pretraining.build import Watch

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[loss]}"), console=console) as progress:  # type: ignore[arg-type]
        bars: dict[str, object] = {}

        def step(name: str, done: int, total: int, loss: float | None) -> None:
            if name not in bars:
                bars[name] = progress.add_task(name, total=total, loss="")
            words = f"loss {loss:.3f}" if loss is not None else ""
            progress.update(bars[name], completed=done, loss=words)  # type: ignore[arg-type]

        yield Watch(lambda line: progress.console.print(line, markup=False, highlight=False), step)


def _lines() -> Watch:
    from bench.cli.watch import clock
    from bench.pretraining.build import Watch

    told: dict[str, float] = {}
    first: dict[str, tuple[float, int]] = {}

    def step(name: str, done: int, total: int, loss: float | None) -> None:
        now = time.monotonic()
        start, at = first.setdefault(name, (now, done))
        if now - told.setdefault(name, now) >= _HEARTBEAT_SECONDS and done > at:
            told[name] = now
            left = (now - start) / (done - at) * (total - done)
            words = f", loss {loss:.3f}" if loss is not None else ""
            typer.echo(f"{name}: step {done}/{total}{words} (about {clock(left)} left)", err=True)

    return Watch(lambda line: typer.echo(line, err=True), step)
