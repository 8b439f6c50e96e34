"""``bench list``: what there is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import JsonOption, PluginsOption

if TYPE_CHECKING:
    from bench.registry import PluginKind


class Listed(StrEnum):
    """What can be listed."""

    tasks = "tasks"
    methods = "methods"
    suites = "suites"


def list_(
    what: Annotated[Listed | None, typer.Argument(help="tasks, methods or suites; all of them by default.")] = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List tasks, methods and suites, with whether each can be used here."""
    found: dict[str, list[dict[str, Any]]] = {}
    if what in {None, Listed.tasks}:
        found["tasks"] = _plugins("task", plugins)
    if what in {None, Listed.methods}:
        found["methods"] = _plugins("method", plugins)
    if what in {None, Listed.suites}:
        found["suites"] = _suites()
    if as_json:
        from bench.cli.tables import print_json

        print_json(found if what is None else found[what])
        return
    _print(found)


def _plugins(kind: PluginKind, files: list[Path] | None) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from bench.plugin_state import plugin_state
    from bench.registry import Registry, light_imports

    with light_imports():
        registry = Registry.discover(files or ())
        return [asdict(plugin_state(plugin)) for plugin in registry.of(kind).values()]


def _suites() -> list[dict[str, Any]]:
    from bench.suite import built_in_suites, parse_suite

    suites = [parse_suite(text, name, name) for name, text in built_in_suites()]
    return [{"name": suite.name, "status": "ok", "about": suite.description} for suite in suites]


def _print(found: dict[str, list[dict[str, Any]]]) -> None:
    from bench.cli.tables import print_table

    for index, (title, rows) in enumerate(found.items()):
        if index:
            typer.echo()
        print_table([title, "", "about"], [(row["name"], row["status"], row["about"]) for row in rows])
        for line in _why_not(rows):
            typer.echo(line)


def _why_not(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What keeps rows from being used; collections that only wait to be prepared share a line."""
    import textwrap

    waiting = [row["name"] for row in rows if row.get("optional") and row["remedy"] == f"bench prepare {row['name']}"]
    for row in rows:
        if row["status"] != "ok" and row["name"] not in waiting:
            remedy = f"; run: {row['remedy']}" if row.get("remedy") else ""
            yield f"  {row['name']}: {row['reason']}{remedy}"
    if waiting:
        named = f"not on this machine yet, run: bench prepare NAME ({', '.join(waiting)})"
        yield from textwrap.wrap(
            named, 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
        )
