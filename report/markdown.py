"""The report as Markdown that GitHub renders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from report.answer import Answer
from report.chapters import Answer as Given
from report.chapters import Chapter, Excerpt
from report.page import Figure, Part, Report
from report.tables import Cell, Table
from report.text import escape_markdown


def render_markdown(report: Report, images: Mapping[str, str]) -> str:
    """The report as one Markdown text.

    Args:
        report: What to say.
        images: The address of each figure, by its name, relative to the text; a figure without one is left out.
    """
    blocks = [f"# {escape_markdown(report.title)}", escape_markdown(report.summary)]
    if report.banner:
        lines = [f"**{escape_markdown(report.banner.headline)}**", "", *_bullets(report.banner.reasons)]
        blocks.append("\n".join(f"> {line}".rstrip() for line in ("[!WARNING]", *lines)))
    blocks += [f"**Note:** {escape_markdown(text)}" for text in report.warnings]
    blocks += _answer(report.answer) if report.answer else []
    blocks += ["## At a glance", *_table(report.headline)]
    for part in report.parts:
        blocks += _part(part, images)
    for chapter in report.chapters:
        blocks += _chapter(chapter, report.charts(chapter), images, "##")
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


def _answer(answer: Answer) -> list[str]:
    blocks = ["## The answer", *(f"**{escape_markdown(text)}**" for text in answer.cautions)]
    for finding in answer.findings:
        said = [f"**{escape_markdown(finding.title)}**: {escape_markdown(finding.verdict)}"]
        blocks.append("\n".join([*said, "", *_bullets(finding.sentences)]).rstrip())
    return blocks


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
    blocks += _figures(part.opening, images)
    for table in part.tables:
        blocks += [*([f"### {escape_markdown(table.title)}"] if len(part.tables) > 1 else []), *_table(table)]
    blocks += _figures(part.figures, images)
    for chapter in part.chapters:
        blocks += _chapter(chapter, part.charts(chapter), images, "###")
    return blocks


def _chapter(chapter: Chapter, figures: Sequence[Figure], images: Mapping[str, str], heading: str) -> list[str]:
    blocks = [f"{heading} {escape_markdown(chapter.title)}", escape_markdown(chapter.lead)]
    for table in chapter.tables:
        blocks += [*([f"**{escape_markdown(table.title)}**"] if len(chapter.tables) > 1 else []), *_table(table)]
    blocks += _figures(figures, images)
    blocks += map(_excerpt, chapter.excerpts)
    return [*blocks, *(["\n".join(_bullets(chapter.notes))] if chapter.notes else [])]


def _excerpt(excerpt: Excerpt) -> str:
    lines = [f"**{escape_markdown(excerpt.id)}**: {escape_markdown(excerpt.remark)}"]
    lines += ["", escape_markdown(" ".join(excerpt.text.split()))] if excerpt.text else []
    lines += ["", f"- gold: {_labels(excerpt.gold)}", *map(_given, excerpt.answers)]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _given(answer: Given) -> str:
    score = "" if answer.score is None else f" ({answer.score:.3f})"
    mark = "right" if answer.right else "wrong"
    return f"- {escape_markdown(answer.row)}: {_labels(answer.labels)}{score}, {mark}"


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(map(escape_markdown, labels)) or "none"


def _figures(figures: Iterable[Figure], images: Mapping[str, str]) -> list[str]:
    return [_figure(figure, images[figure.name]) for figure in figures if figure.name in images]


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
