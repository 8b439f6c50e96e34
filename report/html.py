"""The report as one HTML file that asks nothing of the network."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from report.page import Report

if TYPE_CHECKING:
    from markupsafe import Markup

_PIECES = re.compile(r"[^/_=,:-]{0,24}[/_=,:-]*")


def render_html(report: Report, images: Mapping[str, str]) -> str:
    """The report as one page; all text is escaped by Jinja2.

    Args:
        report: What to say.
        images: Each figure as SVG, by its name. They are inlined as data addresses of images, so nothing in them runs.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"unbroken": unbroken, "breakable": breakable}
    addresses = {name: svg_address(svg) for name, svg in images.items()}
    return environment.get_template("report.html.j2").render(report=report, images=addresses)


def unbroken(title: str) -> str:
    """A column's title that breaks neither at hyphens nor before its unit."""
    words, _, unit = title.rpartition(" ")
    return (f"{words}\u00a0{unit}" if words and len(unit) <= 3 else title).replace("-", "\u2011")


def breakable(text: str) -> Markup:
    """Escaped text that may break after separators, and within words of more than 24 letters."""
    from markupsafe import Markup

    return Markup("<wbr>").join(piece for piece in _PIECES.findall(text) if piece)


def svg_address(svg: str) -> str:
    """An SVG as a ``data:`` address."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
