"""Writing the report's files, each whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.record import Identity, Record

if TYPE_CHECKING:
    from report.answer import Answer
    from report.evidence import Evidence
    from report.wishes import Wishes


@dataclass(frozen=True)
class ReportFiles:
    """What was written.

    Attributes:
        markdown: ``report.md``.
        html: ``report.html``, complete in itself.
        plots: The images that ``report.md`` shows.
        tables: Results, costs and tests as CSV and LaTeX.
        answer: What stands first on the pages.
    """

    markdown: Path
    html: Path
    plots: tuple[Path, ...]
    tables: tuple[Path, ...] = ()
    answer: Answer | None = None


def write_report(
    records: Sequence[Record],
    out: Path,
    *,
    missing: Sequence[Identity] = (),
    searches: Mapping[str, Mapping[str, Any]] | None = None,
    evidence: Evidence | None = None,
    wishes: Wishes | None = None,
) -> ReportFiles:
    """Write ``report.md``, ``report.html``, ``plots/*.svg`` and ``tables/*`` (CSV and LaTeX) into a folder.

    The same records give the same files, byte for byte. Each is written aside and renamed, the pages last, so that a
    reader never sees half a file or a page without its plots.

    Args:
        records: Records of any number of tasks; of each slot the last is used.
        out: The folder; made where absent.
        missing: Planned cells that left no record, to be shown as missing.
        searches: By slot, what `bench tune` wrote of the search that found a cell's settings.
        evidence: Stored predictions and documents; without it nothing is said that takes them.
        wishes: What the user asks for beyond that: prices, limits, published figures.

    Raises:
        OSError: The folder cannot be written.
    """
    from report.drawing import draw_all, styles
    from report.exports import exported
    from report.html import render_html
    from report.markdown import render_markdown
    from report.page import build_report

    report = build_report(records, missing, searches, evidence, wishes)
    if wishes and report.drawn:
        wishes.tell(f"drawing {len(report.drawn)} plots")
    style = styles([one.method for figure in report.drawn for one in figure.plot.series])
    drawn = draw_all(report.drawn, style)
    plots = [_write(out / "plots" / f"{name}.svg", svg.encode()) for name, svg in drawn.items()]
    tables = [_write(out / "tables" / name, text.encode()) for name, text in exported(report).items()]
    pages = {
        "report.html": render_html(report, drawn),
        "report.md": render_markdown(report, {name: f"plots/{name}.svg" for name in drawn}),
    }
    html, markdown = (_write(out / name, text.encode()) for name, text in pages.items())
    return ReportFiles(markdown, html, tuple(plots), tuple(tables), report.answer)


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return path
