"""The report as one HTML file that asks nothing of the network and lets no script run but those it was written with."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from report.contents import contents
from report.figures import Figure
from report.interactive import Interactive, interactive
from report.interactive.numbers import numbers
from report.marks import MARKS
from report.page import Report
from report.palette import Style, styles
from report.scripts import Library, digest, plots_library, tables_library
from report.tables import Cell, Table

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_PIECES = re.compile(r"[^/_=,:-]{0,24}[/_=,:-]*")
MOST_SHOWN = 25
"""Rows of a page of a long table; the script knows it by the attribute ``data-page``."""
LONG = 100
"""A table of more rows is shown by pages."""
FILTERED = 8
"""A table of more rows gets a filter."""


@dataclass(frozen=True)
class Shown:
    """A figure, ready for the page.

    Attributes:
        figure: What it is.
        address: Of its image; empty where it has none.
        size: Width and height of the image, CSS pixels.
        live: What the script draws in its place.
        numbers: What it shows, as a table.
    """

    figure: Figure
    address: str
    size: tuple[int, int]
    live: Interactive
    numbers: Table


def render_html(report: Report, images: Mapping[str, str]) -> str:
    """The report as one page; all text is escaped by Jinja2, and data of figures are JSON beside the scripts.

    Args:
        report: What to say.
        images: Each figure as SVG, by its name. They are inlined as data addresses of images, so nothing in them runs;
            they are shown in print and wherever scripts are off.
    """
    style = styles([one.method for figure in report.drawn for one in figure.plot.series])
    figures = {figure.name: _shown(figure, images.get(figure.name, ""), style) for figure in report.drawn}
    libraries = [tables_library(), *([plots_library()] if figures else [])]
    script = (files("report") / "templates" / "report.js").read_text("utf-8")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            figures=figures,
            libraries=libraries,
            script=script,
            policy=_policy(libraries, script),
            contents=contents(report),
            marks=MARKS,
        )
    )


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"unbroken": unbroken, "breakable": breakable, "beside": beside}
    environment.filters |= {"order": order, "as_json": _as_json}
    environment.globals |= {"MOST_SHOWN": MOST_SHOWN, "LONG": LONG, "FILTERED": FILTERED}
    return environment


def _shown(figure: Figure, svg: str, style: Style) -> Shown:
    live = interactive(figure.plot, style)
    address = svg_address(svg) if svg else ""
    return Shown(figure, address, svg_size(svg), live, numbers(figure.plot))


def _policy(libraries: Sequence[Library], script: str) -> str:
    """What the page may do: nothing but show itself and run its own scripts."""
    hashes = " ".join(f"'{one}'" for one in (digest(script), *(library.digest for library in libraries)))
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def unbroken(title: str) -> str:
    """A column's title that breaks neither at hyphens nor before its unit."""
    words, _, unit = title.rpartition(" ")
    return (f"{words}\u00a0{unit}" if words and len(unit) <= 3 else title).replace("-", "\u2011")


def breakable(text: str) -> Markup:
    """Escaped text that may break after separators, and within words of more than 24 letters."""
    from markupsafe import Markup

    return Markup("<wbr>").join(piece for piece in _PIECES.findall(text) if piece)


def beside(figure: Figure) -> str:
    """What a caption says beyond the title, which stands above the figure."""
    return figure.caption.removeprefix(f"{figure.plot.title}.").strip()


def order(cell: Cell) -> str:
    """What a cell of numbers is sorted by; empty where it has none, which the script puts last."""
    if cell.value is not None:
        return repr(float(cell.value))
    text = cell.text.replace(",", "")
    return text if re.fullmatch(r"-?\d+(\.\d+)?", text) else ""


def svg_address(svg: str) -> str:
    """An SVG as a ``data:`` address."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def svg_size(svg: str) -> tuple[int, int]:
    """Width and height of an SVG as matplotlib writes it, in CSS pixels; (403, 281) where it says none."""
    head = svg.partition(">")[0] if svg else ""
    found = {name: float(value) for name, value in re.findall(r' (width|height)="([\d.]+)pt"', head)}
    if len(found) != 2:
        return 403, 281
    return round(found["width"]), round(found["height"])


def _as_json(live: Interactive) -> Markup:
    from markupsafe import Markup

    return Markup(live.json)  # noqa: S704 - every sign that could end the element is escaped
