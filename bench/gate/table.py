"""The rows that the terminal and Markdown show alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.gate.cost import shown_change
from bench.gate.finding import CellVerdict, Finding, Verdict
from bench.gate.words import difference

COLUMNS = ("task", "cell", "metric", "reference", "now", "change", "memory", "speed", "gate")


def rows(verdict: Verdict) -> list[list[str]]:
    """One row for each cell of the reference, in its order."""
    return [_row(cell) for cell in verdict.cells]


def reasons(cell: CellVerdict) -> list[Finding]:
    """What closes it."""
    return cell.with_outcome("closed")


def remarks(verdict: Verdict) -> list[str]:
    """What should be known although it does not close the gate; what is said of several cells is said once."""
    said: dict[str, dict[str, list[str]]] = {}
    for cell in verdict.cells:
        for finding in cell.with_outcome("noted"):
            cells = said.setdefault(f"{finding.check}: {finding.words}", {})
            cells.setdefault(f"{cell.task} × {cell.name}", []).append(str(finding.numbers.get("phase", "")))
    lines = [f"{words} – {_listed(_with_phases(cells), len(verdict.cells))}" for words, cells in said.items()]
    if verdict.new:
        lines.append(f"new, and not in the reference: {_few(verdict.new)}")
    return [*verdict.notes, *lines]


def _row(cell: CellVerdict) -> list[str]:
    quality = next(iter(cell.of("quality")), None)
    known = quality or next(iter(cell.of("cell")), None)
    numbers = known.numbers if known is not None else {}
    return [
        cell.task,
        cell.name,
        str(numbers.get("metric", "–")),
        _score(numbers.get("before")),
        _score(numbers.get("now")),
        _change(quality) if quality is not None else _why_none(cell),
        shown_change(cell.of("memory"), "memory"),
        shown_change(cell.of("speed"), "speed"),
        _word(cell, quality),
    ]


def _score(value: float | str | None) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "–"


def _why_none(cell: CellVerdict) -> str:
    """In a word, why quality could not be compared."""
    absent = next(iter(cell.of("cell")), None)
    return absent.words.partition(":")[0] if absent is not None else "not compared"


def _change(quality: Finding) -> str:
    change = quality.numbers.get("change")
    if not isinstance(change, float):
        return "–"
    if quality.outcome == "held" and change == 0:
        return "same answers"
    low, high = quality.numbers.get("low"), quality.numbers.get("high")
    if isinstance(low, float) and isinstance(high, float):
        return f"{difference(change)} [{difference(low)}, {difference(high)}]"
    return difference(change)


def _word(cell: CellVerdict, quality: Finding | None) -> str:
    if cell.closed:
        return "CLOSED"
    return "better" if quality is not None and quality.words.startswith("better") else "holds"


def _with_phases(cells: Mapping[str, Sequence[str]]) -> list[str]:
    """The cells, each with the phases that the same is said of."""
    named = {cell: " and ".join(filter(None, phases)) for cell, phases in cells.items()}
    return [f"{cell} ({phases})" if phases else cell for cell, phases in named.items()]


def _listed(cells: Sequence[str], total: int) -> str:
    return f"all {total} cells" if len(cells) == total > 1 else _few(cells)


def _few(items: Sequence[str], most: int = 4) -> str:
    rest = len(items) - most
    return "; ".join(items[:most]) + (f"; and {rest} more" if rest > 0 else "")
