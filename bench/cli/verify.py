"""``bench verify``: does a task or a method keep the contract?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import JsonOption, PluginsOption, SetOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.registry import Plugin
    from bench.verification.findings import Finding


def verify(
    name: Annotated[str, typer.Argument(help="A task or a method.")],
    sets: SetOption = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="What a method starts from; the embedded model of its kind by default."),
    ] = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a task or a method against everything that the harness relies on; exit 1 if a check failed."""
    from bench.cli.words import of_plugin, parse_sets
    from bench.registry import Registry

    registry = Registry.discover(plugins or ())
    # A task and a method may share a name: both are looked at.
    found = [plugin for plugin in registry.plugins if plugin.name == name] or [registry.find(name)]
    given = of_plugin(name, parse_sets(sets))
    for plugin in found:
        _check_keys(plugin, given)
    if model is not None:
        _check_model(found, model)
    reports = [_report(plugin, given, model, as_json) for plugin in found]
    if as_json:
        from bench.cli.tables import print_json

        print_json(reports[0] if len(reports) == 1 else reports)
    if any(finding["state"] == "failed" for report in reports for finding in report["findings"]):
        raise typer.Exit(1)


def _check_keys(plugin: Plugin, given: dict[str, Any]) -> None:
    """A slip in the user's words is no fault of the plugin; what is wrong with its settings a check will say."""
    from bench.errors import UserError, unknown_name

    try:
        known = getattr(getattr(plugin.load(), "Config", None), "model_fields", given)
    except UserError:
        return
    for key in given:
        if key not in known:
            raise unknown_name(f"setting of {plugin.name}", key, known)


def _check_model(found: Iterable[Plugin], model: str) -> None:
    """The model is here, and something is to start from it."""
    from bench.errors import UserError
    from bench.model import resolve

    resolved = resolve(model)
    wanted = {plugin.name: _architecture(plugin) for plugin in found}
    if not {resolved.architecture, "any"} & set(wanted.values()):
        name, architecture = next(iter(wanted.items()))
        starts = f"an {architecture}" if architecture == "encoder" else f"a {architecture}" if architecture else "none"
        raise UserError(f"--model {model} is a model of kind {resolved.architecture}; {name} starts from {starts}")


def _architecture(plugin: Plugin) -> str | None:
    from bench.errors import UserError

    try:
        return getattr(plugin.load(), "model_architecture", None)
    except UserError:  # a check will say what is wrong with it
        return None


def _report(plugin: Plugin, given: dict[str, Any], model: str | None, as_json: bool) -> dict[str, Any]:
    from dataclasses import asdict

    from bench.verification.suite import verify as findings_of

    findings = findings_of(plugin, given, model)
    shown = list(findings if as_json else _printed(f"{plugin.name} ({plugin.kind}, {plugin.origin})", findings))
    return {"name": plugin.name, "kind": plugin.kind, "findings": [asdict(finding) for finding in shown]}


def _printed(title: str, findings: Iterable[Finding]) -> Iterable[Finding]:
    """The findings, each shown as it comes, their count at the end."""
    from collections import Counter

    typer.echo(title)
    counts: Counter[str] = Counter()
    for finding in findings:
        typer.echo(finding.line())
        counts[finding.state] += 1
        yield finding
    typer.echo(f"{counts.total()} checks: " + ", ".join(f"{count} {state}" for state, count in counts.items()))
