"""What benchmarks find: bounded, shown in one table, saved as JSON, and held against figures of an earlier time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TOLERANCE = 0.5
"""By so much a ratio may be worse than it was, where its test says nothing else; processors differ in what is dear."""


@dataclass(frozen=True)
class Figure:
    """One figure of a benchmark.

    Attributes:
        name: Unique among all figures.
        value: A ratio to a reference that ran beside it, unless it has a unit.
        unit: Empty for ratios, which alone can be compared over machines.
        most: More is a failure.
        least: Less is a failure.
        tolerance: By so much it may be worse than it was.
        seen: The figures behind it, for a person.
    """

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    tolerance: float = TOLERANCE
    seen: str = ""

    def complaints(self, earlier: Figure | None) -> list[str]:
        """What is wrong with it, a line each."""
        found = [] if self._within else [f"{self.name}: {self._value} is not {self.bound}"]
        if earlier is not None and not self.unit and self._badness > earlier._badness * (1 + self.tolerance):
            found.append(f"{self.name}: {self.value:.3g} is over {self.tolerance:.0%} worse than {earlier.value:.3g}")
        return found

    def row(self, earlier: Figure | None) -> tuple[str, ...]:
        """Under :data:`COLUMNS`."""
        before = "" if earlier is None else earlier._value
        return self.name, self._value, self.bound, before, "FAIL" if self.complaints(earlier) else "pass", self.seen

    @property
    def bound(self) -> str:
        """``2 to 5``, ``≤ 5``, ``≥ 2``; empty where there is none."""
        if self.most is not None and self.least is not None:
            return f"{self.least:.3g} to {self.most:.3g}"
        if self.most is not None:
            return f"≤ {self.most:.3g}"
        return "" if self.least is None else f"≥ {self.least:.3g}"

    @property
    def _within(self) -> bool:
        lowest, highest = self.least, self.most
        return (lowest is None or self.value >= lowest) and (highest is None or self.value <= highest)

    @property
    def _badness(self) -> float:
        """The larger, the worse; of what should be neither large nor small, how far it is from 1."""
        inverse = 1 / self.value if self.value else float("inf")
        if self.least is None:
            return self.value
        return inverse if self.most is None else max(self.value, inverse)

    @property
    def _value(self) -> str:
        return f"{self.value:,.3g}" + (f" {self.unit}" if self.unit else "")


COLUMNS = ("figure", "value", "bound", "reference", "", "seen")


def of_properties(properties: Sequence[tuple[str, Any]], test: str) -> list[Figure]:
    """The figures among what a test recorded; a bare number that it recorded is one without bounds."""
    found = []
    for name, value in properties:
        if isinstance(value, dict) and value.keys() == Figure.__dataclass_fields__.keys():
            found.append(Figure(**value))
        elif isinstance(value, int | float):
            found.append(Figure(f"{test}: {name}", value, "?"))
    return found


def table(figures: Sequence[Figure], earlier: Mapping[str, Figure]) -> str:
    """All figures, a line each."""
    from tabulate import tabulate

    rows = [figure.row(earlier.get(figure.name)) for figure in figures]
    return tabulate(rows, headers=COLUMNS, tablefmt="simple", disable_numparse=True, colalign=("left", "right"))


def save(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures with the machine and the versions that they are of."""
    made = {"made": datetime.now(UTC).isoformat(timespec="seconds")}
    content = {**made, **_surroundings(), "figures": [asdict(figure) for figure in figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def to_add_to(path: Path) -> dict[str, Figure]:
    """By name, the figures of a file to which others of this machine may be added.

    Raises:
        ValueError: They are of another machine or of other versions.
    """
    there = json.loads(path.read_text("utf-8"))
    if any(there.get(key) != value for key, value in _surroundings().items()):
        raise ValueError(f"{path} is of another machine or other versions: measure all figures, with --save-figures")
    return read(path)


def _surroundings() -> dict[str, Any]:
    from bench.meters.environment import hardware, packages, python_version

    return {"hardware": hardware(), "python": python_version(), "packages": packages()}


def read(path: Path) -> dict[str, Figure]:
    """By name, the figures that :func:`save` wrote; none where there is no such file."""
    if not path.exists():
        return {}
    return {row["name"]: Figure(**row) for row in json.loads(path.read_text("utf-8"))["figures"]}
