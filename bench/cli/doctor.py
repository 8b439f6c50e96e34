"""``bench doctor``: what works on this machine, what does not, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption, PluginsOption

if TYPE_CHECKING:
    from bench.checkup import Finding


def doctor(out: OutOption = DEFAULT_OUT, plugins: PluginsOption = None, as_json: JsonOption = False) -> None:
    """Check interpreter, libraries, devices, memory, disk and plugins."""
    from dataclasses import asdict

    from bench.checkup import checkup

    findings = checkup(out, tuple(plugins or ()))
    if as_json:
        from bench.cli.tables import print_json

        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    marks = {"ok": "ok  ", "note": "note", "fault": "FAIL"}
    for finding in findings:
        typer.echo(f"{marks[finding.state]}  {finding.what}: {finding.found}")
        if finding.remedy:
            typer.echo(f"      {finding.remedy}")
