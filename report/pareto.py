"""Quality against cost: rows that no other row beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from report.chapters import Chapter
from report.figures import groups_on
from report.fronts import Point, front
from report.groups import Group, Section
from report.measures import (
    Measure,
    device_memory,
    host_memory,
    latency,
    metric,
    metric_title,
    speed,
    summarise,
    trained_parameters,
    training_seconds,
)
from report.prices import Prices, notes
from report.tables import Column, Footnotes, Table, identity_cells, identity_columns, measured
from report.text import plain


@dataclass(frozen=True)
class Cost:
    """Something of which a row has more or less.

    Attributes:
        measure: The figure.
        more_is_better: Whether it is a speed.
    """

    measure: Measure
    more_is_better: bool = False


def cost_chapter(section: Section, prices: Prices) -> Chapter | None:
    """What each row costs, with the fronts marked; a table for each machine. None where nothing can be weighed."""
    machines = section.hardware_ids
    several = len(machines) > 1
    tables = tuple(
        table
        for machine in machines
        if (table := _table(section, groups_on(section, machine) if several else section.groups, machine, prices))
    )
    if not tables:
        return None
    if not several:
        tables = (replace(tables[0], title="Quality and cost"),)
    lead = (
        f"A figure is marked “front” where no row that may be ranked has both a higher {metric_title(section.primary)} "
        "and a lower cost of that kind (a higher speed). A row without any mark is beaten whatever you pay with. "
        "Differences count as they stand, even those that are ties by the tests."
    )
    return Chapter("What quality costs", "costs", lead, tables, notes=notes(prices))


def _costs(prices: Prices, groups: Sequence[Group]) -> list[Cost]:
    known = [
        Cost(speed("predict"), more_is_better=True),
        Cost(latency(95)),
        Cost(training_seconds()),
        Cost(host_memory()),
        Cost(device_memory()),
        Cost(trained_parameters()),
        *map(Cost, prices.measures),
    ]
    records = [record for group in groups for record in group.ok]
    return [cost for cost in known if any(cost.measure.read(record) is not None for record in records)]


def _table(section: Section, groups: Sequence[Group], machine: str, prices: Prices) -> Table | None:
    shown = [group for group in groups if group.ok and summarise(group, metric(section.primary))]
    if len(shown) < 2:
        return None
    footnotes = Footnotes()
    columns = [column for column in identity_columns(shown) if column.key != "seeds"]
    lead = metric(section.primary)
    cells = [[*identity_cells(group, columns, footnotes), measured(group, lead, footnotes)] for group in shown]
    costs = _costs(prices, shown)
    for cost in costs:
        chosen = _chosen(shown, lead, cost)
        for place, group in enumerate(shown):
            cell = measured(group, cost.measure, footnotes)
            cells[place].append(replace(cell, tag="front") if place in chosen else cell)
    columns += [Column(one.key, one.title, numeric=True) for one in (lead, *(cost.measure for cost in costs))]
    title = f"Quality and cost on {plain(machine) or 'a machine not recorded'}"
    return Table(title, tuple(columns), tuple(map(tuple, cells)), footnotes.listed())


def _chosen(groups: Sequence[Group], quality: Measure, cost: Cost) -> set[int]:
    """Positions of the rows on the front."""
    there: list[tuple[int, Point]] = []
    for place, group in enumerate(groups):
        x, y = summarise(group, cost.measure), summarise(group, quality)
        if group.rankable and x and y:
            there.append((place, (x.mean, y.mean)))
    return {there[i][0] for i in front([point for _, point in there], cost.more_is_better)}
