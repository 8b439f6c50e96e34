"""The verdict as Markdown, for the summary of a step in continuous integration."""

from __future__ import annotations

import re

from bench.gate.finding import Verdict
from bench.gate.table import COLUMNS, reasons, remarks, rows

_MARKS = re.compile(r"([\\`*_{}\[\]|$~#!])")


def as_markdown(verdict: Verdict) -> str:
    """Headline, what closes the gate, the table, remarks."""
    parts = [f"## {'✅' if verdict.open else '❌'} {escaped(verdict.headline)}", _held_against(verdict)]
    parts += [_closing(verdict)] if not verdict.open else []
    parts += [_table(verdict)]
    lines = [f"- {escaped(line)}" for line in remarks(verdict)]
    if lines:
        parts.append("<details><summary>Remarks</summary>\n\n" + "\n".join(lines) + "\n\n</details>")
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text that GitHub's Markdown shows as it is, in a table too, and makes no links or mentions of."""
    marked = _MARKS.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"@(?=\w)", "&#64;", marked).replace("://", "&#58;//").replace("www.", "www&#46;")


def _held_against(verdict: Verdict) -> str:
    updated = f" ({escaped(verdict.updated)})" if verdict.updated else ""
    return f"Held against {escaped(verdict.reference)}{updated}."


def _closing(verdict: Verdict) -> str:
    lines = []
    for cell in verdict.cells:
        if cell.closed:
            lines.append(f"- **{escaped(cell.task)} × {escaped(cell.name)}**")
        lines += [
            f"  - {finding.check}: {escaped(finding.words)}. *{escaped(finding.remedy)}*" for finding in reasons(cell)
        ]
    return "\n".join(lines)


def _table(verdict: Verdict) -> str:
    lines = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(map(escaped, row)) for row in rows(verdict)]
    return "\n".join(f"| {line} |" for line in lines)
