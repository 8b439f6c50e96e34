"""Rows ranked over tasks: Friedman's test and the critical-difference diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from report.chapters import Chapter
from report.charts import Rank, Ranks
from report.groups import Group, Section
from report.labels import names
from report.measures import metric, summarise
from report.significance import LEVEL
from report.significance_chapter import p_text
from report.tables import Cell, Column, Table
from report.text import counted, listed, plain

if TYPE_CHECKING:
    from bench.stats.ranks import CriticalDifference

_FEWEST_TASKS, _FEWEST_ROWS, _MOST_ROWS = 3, 3, 20
_COLUMNS = (
    Column("row", "Row"),
    Column("rank", "Mean rank", numeric=True),
    Column("groups", "Told apart from"),
)

Row = tuple[str, ...]


def ranking_chapter(found: Sequence[Section]) -> Chapter | None:
    """The rows that may be ranked on at least three tasks, by mean rank; None where there are too few of either."""
    scores = [_scores(section) for section in found]
    used = [one for one in scores if len(one) >= _FEWEST_ROWS]
    common = sorted(set.intersection(*map(set, used))) if len(used) >= _FEWEST_TASKS else []
    if len(common) < _FEWEST_ROWS:
        return None
    from bench.stats.ranks import critical_difference

    made = critical_difference([[one[row] for row in common] for one in used])
    order = sorted(range(len(common)), key=lambda place: (made.ranks[place], common[place]))[:_MOST_ROWS]
    groups = [_group(found, common[place]) for place in order]
    return _chapter(made, order, groups, [section for section, one in zip(found, scores, strict=True) if one in used])


def _chapter(
    made: CriticalDifference, order: Sequence[int], groups: Sequence[Group], used: Sequence[Section]
) -> Chapter:
    labels = names(groups)
    real = made.friedman_p is not None and made.friedman_p < LEVEL
    series = tuple(
        Rank(plain(group.method), label, made.ranks[place])
        for group, label, place in zip(groups, labels, order, strict=True)
    )
    cliques = tuple(_span(clique, order) for clique in made.cliques if set(clique) <= set(order))
    notes = _notes(made, used)
    chart = Ranks("ranks", "Mean rank over tasks", series, made.critical, cliques, notes[:1])
    table = Table("Mean ranks", _COLUMNS, tuple(_row(at, series, made.critical, real) for at in range(len(series))))
    return Chapter("Across tasks", "ranks", _lead(made, real), (table,), (chart,), notes=notes)


def _scores(section: Section) -> dict[Row, float]:
    """The primary metric of each row that may be ranked."""
    pairs = [
        (group, summarise(group, metric(section.primary))) for group in section.groups if group.rankable and group.ok
    ]
    return {group.row: one.mean for group, one in pairs if one}


def _group(found: Sequence[Section], row: Row) -> Group:
    return next(group for section in found for group in section.groups if group.row == row)


def _span(clique: Sequence[int], order: Sequence[int]) -> tuple[int, int]:
    places = [order.index(row) for row in clique]
    return min(places), max(places)


def _row(at: int, series: Sequence[Rank], critical: float, real: bool) -> tuple[Cell, ...]:
    one = series[at]
    apart = [other.label for other in series if real and abs(other.mean - one.mean) >= critical]
    told = Cell(listed(apart, 6)) if apart else Cell("none", tone="muted")
    return Cell(one.label), Cell(f"{one.mean:.2f}", one.mean), told


def _lead(made: CriticalDifference, real: bool) -> str:
    p = "" if made.friedman_p is None else f" (Friedman's test, p {p_text(made.friedman_p)})"
    if not real:
        return f"Over {made.tasks} tasks the rows are not told apart{p}: the order of their mean ranks may be chance."
    return (
        f"Over {made.tasks} tasks the rows are not all alike{p}. Two rows are told apart where their mean ranks "
        f"differ by at least {made.critical:.2f}; lines join those that are not."
    )


def _notes(made: CriticalDifference, used: Sequence[Section]) -> tuple[str, ...]:
    tasks = listed([section.title for section in used], 8)
    return (
        f"Rank 1 is the highest primary metric of a task. Tasks: {tasks}. Critical difference {made.critical:.2f} "
        "(Nemenyi's test at 5 %; Demšar, JMLR 7, 2006).",
        f"Only rows that may be ranked on each of these tasks are here. With {counted(made.tasks, 'task')} only large "
        "differences of ranks are found.",
    )
