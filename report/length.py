"""Errors by the length of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.agreement import agreement
from report.chapters import Chapter
from report.charts import Line, Lines
from report.leading import Look, looks
from report.plots import Axis
from report.text import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.collection import Collection
    from report.evidence import Evidence
    from report.groups import Section

_BINS, _FEWEST = 10, 20
_LEAD = (
    "Test documents, sorted by length into parts of about equal size. A method that reads only the beginning of a "
    "document does worse on long ones; so may any other, since long documents are often other documents."
)


@dataclass(frozen=True)
class _Parts:
    """Documents by length.

    Attributes:
        unit: What is counted.
        place: The part of each document, shape (documents,).
        medians: Length of the middle document of each part.
        sizes: Documents of each part.
    """

    unit: str
    place: NDArray[Any]
    medians: NDArray[Any]
    sizes: NDArray[Any]


def length_chapter(section: Section, evidence: Evidence) -> Chapter | None:
    """Errors of the leading rows by length of documents; None where lengths are not at hand, or hardly differ."""
    found = looks(section, evidence)
    if not found.looks:
        return None
    collection = evidence.collection(found.looks[0].row.first)
    parts = _parts(found.looks[0].judged.split.ids, collection) if collection is not None else None
    if parts is None:
        return None
    single = found.looks[0].judged.kind == "single"
    chart = _chart(found.looks, parts, single)
    return Chapter("Length and errors", "length", _LEAD, (), (chart,), notes=found.notes)


def _parts(ids: Sequence[str], collection: Collection) -> _Parts | None:
    import numpy as np

    unit, lengths = "words", collection.words
    if any(id_ not in collection.words or id_ not in collection.characters for id_ in ids):
        return None
    if np.median([collection.words[id_] for id_ in ids]) <= 2:  # of scripts that do not part words by white space
        unit, lengths = "characters", collection.characters
    values = np.array([lengths[id_] for id_ in ids], dtype=np.int64)
    bins = min(_BINS, len(values) // _FEWEST)
    if bins < 2:
        return None
    inner = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    place = np.unique(np.searchsorted(inner, values, side="right"), return_inverse=True)[1]
    sizes = np.bincount(place)
    if len(sizes) < 2:
        return None
    medians = np.array([np.median(values[place == part]) for part in range(len(sizes))])
    return _Parts(unit, place, medians, sizes)


def _chart(rows: Sequence[Look], parts: _Parts, single: bool) -> Lines:
    lowest, highest = float(parts.medians[0]), float(parts.medians[-1])
    log = lowest > 0 and highest > 20 * lowest
    title = f"{parts.unit.capitalize()} of a document, middle of each part{' (log scale)' if log else ''}"
    what = "Share of documents labelled wrong" if single else "Mean F1 of a document (samples-F1)"
    chance = 1.96 * 0.5 / float(parts.sizes.min()) ** 0.5
    size = f"{parts.sizes.min():,}" + (f" to {parts.sizes.max():,}" if parts.sizes.max() > parts.sizes.min() else "")
    note = (
        f"Each point is of {size} documents, and by chance alone (95 %) up to {chance:.2f} off either way: look for a "
        "trend, not for single points."
    )
    return Lines(
        "errors",
        f"{what} against length",
        Axis(title, log),
        Axis(what),
        tuple(_line(look, parts, single) for look in rows),
        notes=(note,),
    )


def _line(look: Look, parts: _Parts, single: bool) -> Line:
    import numpy as np

    split = look.judged.split
    scores = agreement(split.gold, split.predicted)
    means = np.bincount(parts.place, 1 - scores if single else scores) / parts.sizes
    points = tuple(zip(parts.medians.tolist(), means.tolist(), strict=True))
    return Line(plain(look.row.group.method), look.row.name, points, sizes=tuple(map(int, parts.sizes)))
