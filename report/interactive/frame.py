"""What the interactive figures share: texts, axes, looks, the legend."""

from __future__ import annotations

import html
import json
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from report.palette import FAINT
from report.plots import Axis
from report.text import plain

Trace = dict[str, Any]

SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
}
"""Markers of matplotlib → symbols of plotly."""
DASHES = ("solid", "dash", "dot", "dashdot")
"""Lines of the rows of one method."""
HATCHES = ("", "/", "x", ".")
"""Fills of the bars of one method."""


@dataclass(frozen=True)
class Entry:
    """A line of the legend.

    Attributes:
        name: What it stands for.
        colour: Its colour.
        marker: Its marker, as matplotlib names it; empty for none.
        dash: How its line is drawn, one of :data:`DASHES`; empty for no line.
        traces: Which traces it shows and hides.
    """

    name: str
    colour: str
    marker: str
    dash: str
    traces: tuple[int, ...]


@dataclass(frozen=True)
class Interactive:
    """A figure for plotly's script.

    Attributes:
        traces: What is drawn.
        layout: How; without colours of the page's scheme, which the page adds.
        legend: Its legend, drawn by the page.
    """

    traces: tuple[Trace, ...]
    layout: dict[str, Any]
    legend: tuple[Entry, ...] = field(default=())

    @property
    def json(self) -> str:
        """Traces and layout, safe within a ``script`` element."""
        return script_json({"data": self.traces, "layout": self.layout})


def script_json(value: Any) -> str:
    """JSON that ends no ``script`` element and begins no comment, whatever texts it holds."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def shown(text: str, most: int = 80) -> str:
    """A text for plotly, which reads tags and entities in all its texts: here it gets none but escapes."""
    line = plain(text)
    return html.escape(line if len(line) <= most else line[: most - 1] + "…", quote=False)


def finite(value: float | None) -> float | None:
    """A number, or nothing where JSON has none for it."""
    return value if value is not None and math.isfinite(value) else None


def number_axis(axis: Axis, values: Sequence[float], *, zero: bool = False) -> dict[str, Any]:
    """An axis with room at both ends.

    Args:
        axis: Its title and scale.
        values: All that is drawn along it.
        zero: Whether it must not begin below nought.
    """
    low, high = min(values), max(values)
    look: dict[str, Any] = {"title": title(axis.title)}
    if axis.log:
        # At least a decade, so that there are ticks.
        stretch = max(1.6, (high / low) ** 0.12, math.sqrt(10 * low / high))
        ends = [math.log10(low / stretch), math.log10(high * stretch)]
        return look | {"type": "log", "range": ends, **_ticks(*ends)}
    # Means of equal values may lie beside them by a rounding.
    same = math.isclose(low, high, rel_tol=1e-6)
    room = (0.1 * abs(high) or 0.1) if same else 0.12 * (high - low)
    start = max(0.0, low - room) if zero else low - room
    return look | {"range": [start, high + room]}


def _ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 in each decade, at 1 alone over many; plotly itself writes but the digit."""
    digits = (1, 2, 5) if high - low < 2.5 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    inside = [tick for tick in ticks if low <= math.log10(tick) <= high]
    return {"tickmode": "array", "tickvals": inside, "ticktext": [f"{tick:,.10g}" for tick in inside]}


def title(text: str) -> dict[str, Any]:
    """The title of an axis, in lines that a phone has room for."""
    lines = textwrap.wrap(plain(text), 36)
    return {"text": "<br>".join(map(shown, lines)), "font": {"size": 12}}


def names_axis(heading: str, names: Sequence[str], most: int = 28) -> dict[str, Any]:
    """An axis of names at 0, 1, …: places, so that plotly takes no name for a number or a date."""
    ticks = [shown(name, most) for name in names]
    look = {"tickvals": list(range(len(names))), "ticktext": ticks, "range": [-0.5, len(names) - 0.5]}
    return {"title": title(heading), "tickmode": "array", "showgrid": False, **look}


def layout(x: dict[str, Any], y: dict[str, Any], height: int = 380, **more: Any) -> dict[str, Any]:
    """The layout of a figure: height in pixels, as wide as its place."""
    margin = {"l": 8, "r": 12, "t": 12, "b": 8, "autoexpand": True}
    return {"xaxis": {"automargin": True, **x}, "yaxis": {"automargin": True, **y}, "height": height} | {
        "margin": margin,
        "showlegend": False,
        "hovermode": "closest",
        **more,
    }


def quiet_line(points: Sequence[tuple[float, float]], **look: Any) -> Trace:
    """A line that says nothing when pointed at."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "line": {"color": FAINT, "width": 1.5, **look},
        "hoverinfo": "skip",
    }


def translucent(colour: str, share: float) -> str:
    """``#rrggbb`` as ``rgba(…)``."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
