"""Charts as figures of plotly and as images: what is said, what is escaped, what is left out."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET

import pytest
from report_samples import HOSTILE, labels_chapter, lines_chapter, ranks_chapter

from report.charts import Bars, BarSeries
from report.curves import Curve, CurvePlot, Point
from report.drawing import draw
from report.html import order
from report.interactive import AnyPlot, interactive
from report.interactive.frame import script_json, shown
from report.interactive.numbers import MOST, numbers
from report.palette import styles
from report.plots import Axis, Plot, Series
from report.scripts import exposed
from report.tables import Cell

CURVE = Curve("tfidf", "tfidf", (Point(100.0, 0.4, 0.3, 0.5), None, Point(1000.0, 0.6, 0.6, 0.6)))
CHARTS: dict[str, AnyPlot] = {
    "scatter": Plot(
        "k",
        "Scatter",
        Axis("Speed (log scale)", log=True),
        Axis("F1"),
        (
            Series("tfidf", HOSTILE[0], 100.0, 0.5, ((90.0, 0.4), (110.0, 0.6))),
            Series("bert", "bert", 10.0, 0.7, hollow=True),
        ),
        front=((10.0, 0.7), (100.0, 0.5)),
    ),
    "curves": CurvePlot("k", "Curves", Axis("Documents", log=True), Axis("F1"), (CURVE,)),
    **{f"labels-{chart.key}": chart for chart in labels_chapter().charts},
    **{chart.key: chart for chapter in (lines_chapter(), ranks_chapter()) for chart in chapter.charts},
}


def drawn(chart: AnyPlot) -> dict:
    return json.loads(interactive(chart, styles([one.method for one in chart.series])).json)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_a_figure_an_image_and_its_numbers(name: str) -> None:
    chart = CHARTS[name]
    style = styles([one.method for one in chart.series])
    made = drawn(chart)
    assert any(trace.get("hoverinfo") != "skip" for trace in made["data"])
    assert all("%{" in trace["hovertemplate"] for trace in made["data"] if trace.get("hoverinfo") != "skip")
    image = draw(chart, style)
    assert image == draw(chart, style)
    texts = ["".join(node.itertext()) for node in ET.fromstring(image).iter("{http://www.w3.org/2000/svg}text")]
    assert chart.title in texts
    table = numbers(chart)
    assert table.rows
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_names_reach_plotly_escaped() -> None:
    for chart in CHARTS.values():
        text = interactive(chart, styles([one.method for one in chart.series])).json
        assert "<" not in text
        assert not any(f"<{tag}" in json.dumps(json.loads(text)) for tag in ("script", "img"))
    assert shown("<b>&lt;</b>") == "&lt;b&gt;&amp;lt;&lt;/b&gt;"
    assert script_json("</script><!--") == '"\\u003c/script\\u003e\\u003c!--"'


def test_a_scatter_has_marks_seeds_names_and_its_front() -> None:
    made = drawn(CHARTS["scatter"])
    front, seeds, mean, hollow = made["data"]
    assert front["x"] == [10.0, 100.0]
    assert seeds["meta"] == "seeds"
    assert mean["text"] == [shown(HOSTILE[0])]
    assert hollow["marker"]["symbol"].endswith("-open")
    assert made["layout"]["xaxis"]["type"] == "log"
    assert set(made["layout"]["xaxis"]["ticktext"]) >= {"10", "20", "50", "100"}


def test_a_curve_is_broken_where_there_is_no_value() -> None:
    (trace,) = drawn(CHARTS["curves"])["data"]
    assert trace["y"] == [0.4, None, 0.6]
    assert trace["error_y"]["arrayminus"][0] == pytest.approx(0.1)


def test_equal_values_have_an_axis_around_them() -> None:
    series = (Series("m", "m", 5.0, 0.7766666666666667, ((5.0, 0.7766666666666666), (5.0, 0.7766666666666667))),)
    layout = drawn(Plot("k", "One", Axis("x"), Axis("y"), series))["layout"]
    assert layout["yaxis"]["range"] == pytest.approx([0.7, 0.85], abs=0.01)


def test_what_is_not_finite_is_left_out() -> None:
    chart = Bars("k", "B", Axis("x"), Axis("y"), ("1", "2"), (BarSeries("m", "m", (math.nan, 0.5)),))
    assert drawn(chart)["data"][0]["y"] == [None, 0.5]


def test_names_are_no_numbers_and_long_ones_lie() -> None:
    upright, lying = drawn(CHARTS["labels-by-group"]), drawn(CHARTS["labels-worst"])
    assert upright["layout"]["xaxis"]["ticktext"] == ["head", "torso", "tail"]
    assert upright["data"][0]["x"] == [0, 1, 2]
    assert {trace["orientation"] for trace in lying["data"]} == {"h"}


def test_long_tables_of_numbers_say_what_they_leave_out() -> None:
    series = tuple(Series("m", f"row {n}", 1.0 + n, 0.5) for n in range(MOST + 5))
    table = numbers(Plot("k", "Many", Axis("x"), Axis("y"), series))
    assert len(table.rows) == MOST
    assert table.notes == (f"The first {MOST} of {MOST + 5} rows.",)


def test_cells_are_sorted_by_what_was_measured() -> None:
    assert order(Cell("1,234 ± 5", 1234.2)) == "1234.2"
    assert order(Cell("1,234")) == "1234"
    assert order(Cell("–")) == ""


def test_a_module_is_made_a_script() -> None:
    made = exposed("var a=1;export{a as Table,a as default};\n// end", "lib")
    assert 'globalThis.lib={"Table":a,"default":a};' in made
    assert "export" not in made
    with pytest.raises(ValueError, match="0 lists of exports"):
        exposed("var a=1;", "lib")
