"""Tables of shades for plotly."""

from __future__ import annotations

from typing import Any

from report.charts import Heat
from report.interactive.frame import Interactive, Trace, finite, layout, names_axis, shown

_MOST_WRITTEN = 14
"""Columns beside which there is room for numbers."""


def heat(chart: Heat) -> Interactive:
    """A shade for each row and column, with its number where there is room."""
    x, y = names_axis("", chart.columns, 16), names_axis("", chart.rows, 16)
    # As in a table: the first row at the top.
    y["range"] = y["range"][::-1]
    x |= {"tickangle": -40}
    margin = {"l": 8, "r": 12, "t": 28, "b": 8}
    height = 150 + max(26, 320 // max(1, len(chart.rows))) * len(chart.rows)
    return Interactive(
        (_shades(chart),), layout(x, y, min(height, 900), margin=margin, annotations=[_directions(chart)])
    )


def _directions(chart: Heat) -> dict[str, Any]:
    """Both titles above: beside long names they would run into them."""
    across = f"{chart.x.title[:1].lower()}{chart.x.title[1:]}"
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 4}
    return {"text": shown(f"{chart.y.title} down, {across} across"), "showarrow": False, "font": {"size": 12}, **place}


def _shades(chart: Heat) -> Trace:
    values = [[finite(value) for value in row] for row in chart.values]
    x, y = (shown(title).replace("%{", "% {") or name for title, name in ((chart.x.title, ""), (chart.y.title, "")))
    known = [value for row in values for value in row if value is not None]
    return {
        "type": "heatmap",
        "z": values,
        "zmin": min([0.0, *known]),
        "zmax": max(known, default=1.0) or 1.0,
        "xgap": 1,
        "ygap": 1,
        "customdata": [[[shown(row), shown(column)] for column in chart.columns] for row in chart.rows],
        "texttemplate": "%{z:,.3~r}" if len(chart.columns) <= _MOST_WRITTEN else "",
        "hovertemplate": f"{y}: <b>%{{customdata[0]}}</b><br>{x}: <b>%{{customdata[1]}}</b><br>%{{z:,.4~r}}"
        "<extra></extra>",
        "hoverongaps": False,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "len": 1},
    }
