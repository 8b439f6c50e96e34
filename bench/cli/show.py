"""``bench show``: one task, method or suite, with its settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bench.cli.options import JsonOption, PluginsOption, SetOption


def show(
    name: Annotated[str, typer.Argument(help="A task, a method or a suite.")],
    sets: SetOption = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a task's or method's settings with their meaning, or a suite's text."""
    from bench.registry import Registry
    from bench.suite import built_in_suites

    suites = dict(built_in_suites())
    registry = Registry.discover(plugins or ())
    if name in suites and not any(plugin.name == name for plugin in registry.plugins):
        _show_suite(name, suites[name], as_json)
    else:
        _show_plugin(registry, name, sets, as_json)


def _show_suite(name: str, text: str, as_json: bool) -> None:
    from bench.cli.tables import print_json
    from bench.suite import parse_suite

    if as_json:
        print_json(parse_suite(text, name, name).model_dump(mode="json"))
    else:
        typer.echo(text.rstrip())


def _show_plugin(registry: Any, name: str, sets: list[str] | None, as_json: bool) -> None:
    from bench.cli.tables import print_json, print_table
    from bench.cli.words import of_plugin, parse_sets
    from bench.settings import describe_settings
    from bench.spaces import domains

    plugin = registry.find(name)
    settings = plugin.settings(of_plugin(name, parse_sets(sets)))
    about = plugin.about or (plugin.load().__doc__ or "").strip().split("\n")[0]
    searched = domains(settings)
    rows = [{**row, "space": str(searched.get(row["key"], ""))} for row in describe_settings(settings)]
    if as_json:
        print_json({"name": name, "kind": plugin.kind, "about": about, "origin": plugin.origin, "settings": rows})
        return
    typer.echo(f"{name} ({plugin.kind}, {plugin.origin}): {about}\n")
    columns = {"setting": "key", "value": "value", "type": "type", "bench tune": "space", "meaning": "meaning"}
    shown = {title: key for title, key in columns.items() if key != "space" or searched}
    print_table(list(shown), [[str(row[key]) for key in shown.values()] for row in rows])
