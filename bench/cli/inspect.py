"""``bench inspect``: what is in a task, and whether it can carry a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataOption, LabelOption, NameOption, TestOption, TextOption
from bench.cli.options import JsonOption, PluginsOption, SetOption
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.audit.facts import Audit
    from bench.cli.data_options import DataWords
    from bench.task_cache import FrozenTask


def inspect(
    task: Annotated[str | None, typer.Argument(help="A task; with --data it is that file.")] = None,
    data: DataOption = None,
    text: TextOption = None,
    label: LabelOption = None,
    test: TestOption = None,
    name: NameOption = None,
    sets: SetOption = None,
    plugins: PluginsOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out near duplicates and trivial methods.")] = False,
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="Count the tokens of this model, which must be on this machine.")
    ] = "embedded-encoder",
    page: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write a Markdown page; - for standard output.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the documents, labels and lengths of a task, and what makes its results doubtful.

    What was measured is kept beside the task's documents in the cache: the second time it is there at once.
    """
    from bench.cli.data_options import DataWords

    words = DataWords(data, tuple(text or ()), label, test, name)
    if page == Path("-") and as_json:
        raise UserError("--json and --markdown - both write to standard output; name a file for the page")
    if page is not None and page.is_dir():
        raise UserError(f"--markdown {page}: this is a folder; name a file in it")
    named, frozen = _frozen(task, words, sets, plugins)
    _show(named, _measured(frozen, model, quick=quick), page, as_json=as_json)


def _frozen(
    task: str | None, words: DataWords, sets: list[str] | None, plugins: list[Path] | None
) -> tuple[str, FrozenTask]:
    """The task's name and its frozen documents."""
    from bench.cli.data_options import only_task
    from bench.cli.words import of_plugin, parse_sets
    from bench.registry import Registry
    from bench.task_cache import freeze

    registry, own = words.add_to(Registry.discover(plugins or ()))
    name = only_task(task, own)
    return name, freeze(registry.get("task", name), of_plugin(name, parse_sets(sets)), say=_say)


def _measured(frozen: FrozenTask, model: str, *, quick: bool) -> Audit:
    from bench.audit.kept import audited, deep_steps, quick_steps
    from bench.audit.lengths import TokenizerFile

    steps = quick_steps(TokenizerFile.of(model))
    return audited(frozen, steps if quick else (*steps, *deep_steps()), _say)


def _show(task: str, audit: Audit, page: Path | None, *, as_json: bool) -> None:
    from bench.cli import inspect_view
    from bench.cli.tables import print_json
    from bench.files import write_atomic

    if as_json:
        print_json(inspect_view.as_json(task, audit))
    if page is None and not as_json:
        inspect_view.print_audit(task, audit)
    if page == Path("-"):
        typer.echo(inspect_view.markdown(task, audit), nl=False)
    elif page is not None:
        try:
            write_atomic(page, inspect_view.markdown(task, audit).encode())
        except OSError as error:
            raise UserError(f"--markdown {page} cannot be written: {error.strerror}; name another file") from error
        _say(f"wrote {page}")


def _say(line: str) -> None:
    typer.echo(line, err=True)
