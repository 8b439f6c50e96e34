"""The report as Markdown that GitHub renders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from report.page import Figure, Part, Report
from report.tables import Cell, Table
from report.text import escape_markdown


def render_markdown(report: Report, images: Mapping[str, str]) -> str:
    """The report as one Markdown text.

    Args:
        report: What to say.
        images: The address of each figure, by its name, relative to the text.
    """
    blocks = [f"# {escape_markdown(report.title)}", escape_markdown(report.summary)]
    if report.banner:
        lines = [f"**{escape_markdown(report.banner.headline)}**", "", *_bullets(report.banner.reasons)]
        blocks.append("\n".join(f"> {line}".rstrip() for line in ("[!WARNING]", *lines)))
    blocks += [f"**Note:** {escape_markdown(text)}" for text in report.warnings]
    blocks += ["## At a glance", *_table(report.headline)]
    for part in report.parts:
        blocks += _part(part, images)
    if report.failures:
        blocks += [f"## {report.failures.title}", *_table(report.failures)]
    blocks += _about(report)
    return "\n\n".join(blocks) + "\n"


def markdown_table(table: Table) -> str:
    """The rows of a table, without footnotes and notes."""
    from tabulate import tabulate

    return tabulate(
        [[_cell(cell) for cell in row] for row in table.rows],
        headers=[escape_markdown(column.title) for column in table.columns],
        tablefmt="pipe",
        colalign=["right" if column.numeric else "left" for column in table.columns] if table.rows else None,
        disable_numparse=True,
    )


def _table(table: Table) -> list[str]:
    footnotes = [f"<sup>{mark}</sup> {escape_markdown(text)}" for mark, text in table.footnotes]
    below = [*footnotes, *map(escape_markdown, table.notes)]
    return [markdown_table(table), *(["<br>\n".join(below)] if below else [])]


def _cell(cell: Cell) -> str:
    text = escape_markdown(cell.text)
    text = f"**{text}**" if cell.bold else text
    text += f" *({escape_markdown(cell.tag)})*" if cell.tag else ""
    return text + (f"<sup>{','.join(cell.marks)}</sup>" if cell.marks else "")


def _part(part: Part, images: Mapping[str, str]) -> list[str]:
    blocks = [f"## {escape_markdown(part.title)}", escape_markdown(part.facts)]
    blocks += [f"**Note:** {escape_markdown(text)}" for text in part.warnings]
    blocks += [_figure(figure, images[figure.name]) for figure in part.opening]
    for table in part.tables:
        blocks += [*([f"### {escape_markdown(table.title)}"] if len(part.tables) > 1 else []), *_table(table)]
    return blocks + [_figure(figure, images[figure.name]) for figure in part.figures]


def _figure(figure: Figure, address: str) -> str:
    return f"![{escape_markdown(figure.plot.description)}]({address})\n\n{escape_markdown(figure.caption)}"


def _about(report: Report) -> list[str]:
    blocks = ["## How to read this", "\n".join(_bullets(report.notes))]
    if report.definitions:
        blocks += [
            "## Metrics",
            "\n".join(f"- **{escape_markdown(t)}**: {escape_markdown(d)}" for t, d in report.definitions),
        ]
    if report.origin:
        lines = [
            f"- **{escape_markdown(term)}**: {'<br>'.join(map(escape_markdown, texts))}"
            for term, texts in report.origin
        ]
        blocks += ["## Where the numbers come from", "\n".join(lines)]
    return blocks


def _bullets(texts: Iterable[str]) -> list[str]:
    return [f"- {escape_markdown(text)}" for text in texts]
