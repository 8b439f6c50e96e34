"""Plots: the data behind them, and labels that keep clear of each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from report.drawing import draw, styles
from report.groups import sections
from report.placing import Box, place
from report.plots import Plot, quality_against_device_memory, quality_against_host_memory, quality_against_speed

if TYPE_CHECKING:
    from conftest import MakeRecord


def speed_plot(records: list) -> Plot | None:  # type: ignore[type-arg]
    (section,) = sections(records)
    return quality_against_speed(section, section.groups)


def test_seeds_are_points_around_their_mean(record: MakeRecord) -> None:
    plot = speed_plot([record(seed=0, f1=0.5, speed=100.0), record(seed=1, f1=0.7, speed=300.0)])
    assert plot is not None
    (series,) = plot.series
    assert (series.x, series.y) == (200.0, 0.6)
    assert series.seeds == ((100.0, 0.5), (300.0, 0.7))
    assert plot.x.log
    assert "documents per second" in plot.x.title
    assert plot.y.title == "micro-F1"
    assert plot.title.startswith("micro-F1 ")


def test_what_cannot_be_shown_is_named(record: MakeRecord) -> None:
    plot = speed_plot([record(), record(method="bert", speed=None), record(method="prior", status="oom")])
    assert plot is not None
    assert [one.label for one in plot.series] == ["tfidf"]
    assert any("bert" in note for note in plot.notes)
    assert speed_plot([record(speed=None)]) is None


def test_from_scratch_is_hollow(record: MakeRecord) -> None:
    plot = speed_plot([record(), record(method="bert", model="tiny", from_scratch=True)])
    assert plot is not None
    assert [one.hollow for one in plot.series] == [False, True]
    assert any("Hollow" in note for note in plot.notes)


def test_labels_say_what_tells_rows_apart(record: MakeRecord) -> None:
    records = [
        record(method="bert", model="org/small", settings={"n": 1}, f1=0.9),
        record(method="bert", model="org/small", settings={"n": 2}, f1=0.8),
        record(method="bert", model="org/large", settings={"n": 1}, f1=0.7),
        record(f1=0.6),
    ]
    plot = speed_plot(records)
    assert plot is not None
    assert [one.label for one in plot.series] == ["bert · small · n=1", "bert · small · n=2", "bert · large", "tfidf"]


def test_an_incomplete_row_says_so_in_the_plot(record: MakeRecord) -> None:
    plot = speed_plot([record(), record(seed=1, status="oom")])
    assert plot is not None
    assert [one.label for one in plot.series] == ["tfidf (1/2 seeds)"]


def test_device_memory_is_plotted_where_there_is_a_device(record: MakeRecord) -> None:
    (section,) = sections([record(), record(method="bert", device=2048.0)])
    host = quality_against_host_memory(section, section.groups)
    device = quality_against_device_memory(section, section.groups)
    assert host is not None
    assert [one.x for one in host.series] == [400.0, 400.0]
    assert "above start" in host.x.title
    assert host.title == "micro-F1 against peak host memory in training above start"
    assert device is not None
    assert [one.x for one in device.series] == [2048.0]


def test_drawing_changes_no_global_state(record: MakeRecord) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot = speed_plot([record()])
    assert plot is not None
    style = styles(["tfidf"])
    assert draw(plot, style) == draw(plot, style)
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_imported_and_tables_need_no_matplotlib() -> None:
    # A process of its own: other tests may have imported anything.
    program = """
import sys
import report.tables, report
assert "matplotlib" not in sys.modules and "jinja2" not in sys.modules
from report.drawing import draw, styles
from report.plots import Axis, Plot, Series
plot = Plot("k", "t", Axis("x"), Axis("y"), (Series("m", "l", 1.0, 0.5),))
draw(plot, styles(["m"]))
assert "matplotlib.pyplot" not in sys.modules
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_styles_differ_for_many_methods() -> None:
    names = [f"m{i}" for i in range(49)]
    assert len(set(styles(names).values())) == 49


def shared(one: Box, other: Box) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(0.0, width) * max(0.0, height)


boxes = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=25)


@given(boxes)
def test_labels_stay_inside_and_hardly_overlap(centres: list[tuple[float, float]]) -> None:
    bounds = Box(0, 0, 400, 300)
    spots = place(centres, [(70.0, 12.0)] * len(centres), [Box(x - 5, y - 5, x + 5, y + 5) for x, y in centres], bounds)
    put = [Box(x, y, x + 70, y + 12) for x, y in (spot for spot in spots if spot)]
    assert spots
    for i, box in enumerate(put):
        assert shared(box, bounds) >= 0.99 * 70 * 12
        assert all(shared(box, other) <= 10 for other in put[:i])


def test_a_lone_point_gets_its_label() -> None:
    assert place([(200, 150)], [(70, 12)], [Box(195, 145, 205, 155)], Box(0, 0, 400, 300)) == [(209.0, 144.0)]
