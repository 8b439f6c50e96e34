"""An audit on the terminal, as JSON and as a Markdown page."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import typer

from bench.audit.facts import Audit, Finding
from bench.audit.findings import findings
from bench.audit.view import NO_BREAK, Section, headline, sections
from bench.cli.tables import print_table

WIDTH = 100
_NO_FINDINGS = "nothing found that would mislead"


def as_json(task: str, audit: Audit) -> dict[str, Any]:
    """The findings and every fact; sizes stand at the top, parts that were not measured are null."""
    facts = audit.model_dump(mode="json")
    return {
        "task": task,
        "fingerprint": facts.pop("fingerprint"),
        "audit_version": facts.pop("version"),
        "findings": [finding.model_dump(mode="json") for finding in findings(audit)],
        **facts.pop("sizes"),
        **facts,
    }


def print_audit(task: str, audit: Audit) -> None:
    """Print it, findings first, within 100 columns where names allow."""
    typer.secho(headline(task, audit), bold=True)
    typer.echo(f"fingerprint {audit.fingerprint}\n")
    for finding in findings(audit):
        _print_finding(finding)
    if not findings(audit):
        typer.echo(_NO_FINDINGS)
    for section in sections(audit):
        typer.echo("")
        _print_section(section)


def _print_finding(finding: Finding) -> None:
    colour = typer.colors.RED if finding.severity == "fault" else typer.colors.YELLOW
    first, *rest = _wrapped(finding.what, "       ")
    typer.echo(typer.style(f"{finding.severity:<5}", fg=colour, bold=True) + f"  {first.strip()}")
    for line in [*rest, *_wrapped(f"→ {finding.remedy}", "       ")]:
        typer.echo(line)


def _print_section(section: Section) -> None:
    if section.columns:
        print_table(section.columns, section.rows, title=section.title)
    else:
        typer.secho(section.title, bold=True)
    for line in section.lines:
        wrapped = textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        typer.echo(wrapped.replace(NO_BREAK, " "))


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def markdown(task: str, audit: Audit) -> str:
    """The same as a page."""
    found = [
        f"- **{finding.severity}**: {_escaped(finding.what)}. *{_escaped(finding.remedy)}*"
        for finding in findings(audit)
    ]
    parts = [
        f"# {_escaped(headline(task, audit))}",
        f"Fingerprint of the documents: `{audit.fingerprint}`",
        "## Findings",
        "\n".join(found) or f"{_NO_FINDINGS.capitalize()}.",
        *(_section_page(section) for section in sections(audit)),
    ]
    return "\n\n".join(parts) + "\n"


def _section_page(section: Section) -> str:
    from tabulate import tabulate

    parts = [f"## {_escaped(section.title)}"]
    if section.columns:
        rows = [[_escaped(cell) for cell in row] for row in section.rows]
        heads = [_escaped(head) for head in section.columns]
        aligned = [
            "right" if all(cell[:1].isdigit() for cell in column) else "left" for column in zip(*rows, strict=True)
        ]
        parts.append(tabulate(rows, headers=heads, tablefmt="github", disable_numparse=True, colalign=aligned))
    if section.lines:
        parts.append("\n".join(f"- {_escaped(line)}" for line in section.lines))
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", text.replace(NO_BREAK, " "))
