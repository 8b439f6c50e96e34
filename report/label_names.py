"""Labels by name, as long as there is room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.text import plain

if TYPE_CHECKING:
    from bench.record import Record
    from report.evidence import Evidence

NOT_AT_HAND = (
    "Names of labels and texts of documents are not beside the results, which an older version wrote or which were "
    "copied without their folder `documents`: the same `bench run` again adds them, and runs nothing that is done."
)
_LONGEST, _SHORT = 120, 32


@dataclass(frozen=True)
class LabelNames:
    """Names of labels by position.

    Attributes:
        names: As the task has them; None where they are not at hand, and labels go by number.
    """

    names: Sequence[str] | None

    @classmethod
    def of(cls, record: Record, evidence: Evidence, n_labels: int) -> LabelNames:
        """The names of the labels that a cell was judged on."""
        found = evidence.collection(record)
        return cls(found.labels if found is not None and len(found.labels) == n_labels else None)

    @property
    def notes(self) -> tuple[str, ...]:
        """That names are missing, where they are."""
        return (NOT_AT_HAND,) if self.names is None else ()

    def __call__(self, label: int) -> str:
        """One label, for tables and lists; at most 120 characters."""
        return self._cut(label, _LONGEST)

    def short(self, labels: Iterable[int]) -> tuple[str, ...]:
        """Several labels, for axes: at most about 32 characters, no two alike."""
        chosen = list(labels)
        cut = [self._cut(label, _SHORT) for label in chosen]
        times = Counter(cut)
        return tuple(f"{name} ({label})" if times[name] > 1 else name for label, name in zip(chosen, cut, strict=True))

    def _cut(self, label: int, most: int) -> str:
        name = (plain(self.names[label]) if self.names is not None else "") or f"label {label}"
        return name if len(name) <= most else name[: most - 1] + "…"
