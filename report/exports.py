"""The tables of results, costs and tests as CSV and LaTeX, for spreadsheets and papers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from report.page import Part, Report
from report.tables import Cell, Table
from report.text import DASH, slug

_FORMULA = ("=", "+", "-", "@")
_CHAPTERS = ("tests", "pairs", "costs", "published", "ranks", "study")


def exported(report: Report) -> dict[str, str]:
    """Every table of results, costs and tests.

    Returns:
        File name → its text: ``<task>-<table>.csv`` and ``.tex``.
    """
    written = {}
    for name, table in _tables(report):
        written[f"{name}.csv"] = to_csv(table)
        written[f"{name}.tex"] = to_latex(table)
    return written


def to_csv(table: Table) -> str:
    """A header and a line a row: figures in full, their spread and remarks in columns of their own."""
    out = io.StringIO()
    columns = list(_columns(table))
    rows = zip(*(cells for _, cells in columns), strict=True)
    csv.writer(out, lineterminator="\n").writerows([[name for name, _ in columns], *rows])
    return out.getvalue()


def to_latex(table: Table) -> str:
    """A ``tabular`` with the rules of booktabs, escaped; bold as on the page, remarks behind the figures."""
    import pandas as pd

    titles = _unique([column.title for column in table.columns])
    frame = pd.DataFrame([[_text(cell) for cell in row] for row in table.rows], columns=titles)
    looks = pd.DataFrame([["textbf:--rwrap;" if cell.bold else "" for cell in row] for row in table.rows])
    style = frame.style.format(escape="latex").format_index(escape="latex", axis=1).hide(axis="index")
    if table.rows:
        style = style.apply(lambda _: looks.set_axis(titles, axis=1), axis=None)
    align = "".join("r" if column.numeric else "l" for column in table.columns)
    return "% needs \\usepackage{booktabs}\n" + str(style.to_latex(hrules=True, column_format=align))


def _unique(titles: Sequence[str]) -> list[str]:
    """Titles, those that recur with a number behind them, as pandas wants it."""
    seen: Counter[str] = Counter()
    found = []
    for title in titles:
        seen[title] += 1
        found.append(title if seen[title] == 1 else f"{title} ({seen[title]})")
    return found


def _tables(report: Report) -> Iterator[tuple[str, Table]]:
    yield "at-a-glance", report.headline
    for part in report.parts:
        yield from _of_part(part)
    for chapter in report.chapters:
        for place, table in enumerate(chapter.tables, start=1):
            yield f"{chapter.key}{_behind(place)}", table


def _of_part(part: Part) -> Iterator[tuple[str, Table]]:
    for table in part.tables:
        yield f"{part.anchor}-{slug('-'.join(table.title.lower().split()))}", table
    for chapter in part.chapters:
        if chapter.key in _CHAPTERS:
            for place, table in enumerate(chapter.tables, start=1):
                yield f"{part.anchor}-{chapter.key}{_behind(place)}", table


def _behind(place: int) -> str:
    return f"-{place}" if place > 1 else ""


def _columns(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Names and cells."""
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        yield column.key, [_value(cell) for cell in cells]
        if any(cell.std is not None for cell in cells):
            yield f"{column.key}_std", ["" if cell.std is None else repr(cell.std) for cell in cells]
        if any(cell.tag for cell in cells):
            yield f"{column.key}_remark", [cell.tag for cell in cells]


def _value(cell: Cell) -> str:
    """A number in full; of other text, what a spreadsheet would take for a formula gets an apostrophe before it."""
    if cell.text == DASH:
        return ""
    if cell.value is not None and not _ranges(cell):
        return repr(int(cell.value) if float(cell.value).is_integer() else cell.value)
    return f"'{cell.text}" if cell.text.startswith(_FORMULA) and not _ranges(cell) else cell.text


def _ranges(cell: Cell) -> bool:
    """Whether it shows two numbers, of which ``value`` is but the first."""
    return cell.value is not None and " to " in cell.text


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.tag})" if cell.tag else cell.text
