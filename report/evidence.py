"""What stands behind the records: stored predictions, and the test documents with the names of their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.record import Record
    from bench.stats.judged import Judged
    from bench.store import Store


@dataclass(frozen=True)
class Collection:
    """Test documents and label names of one task.

    Attributes:
        labels: Names, by position.
        texts: Document id → text.
    """

    labels: Sequence[str]
    texts: Mapping[str, str]


@dataclass
class Evidence:
    """Reads what lies beside the records of a store, each file once.

    Attributes:
        store: The store; None where only records are at hand, so that nothing is found.
    """

    store: Store | None = None
    _judged: dict[str, Judged | None] = field(default_factory=dict)

    def judged(self, record: Record) -> Judged | None:
        """A finished cell's test predictions; None where they are not at hand or cannot be read."""
        if record.cell not in self._judged:
            self._judged[record.cell] = self._read(record)
        return self._judged[record.cell]

    def collection(self, record: Record) -> Collection | None:
        """The test documents of a cell; None where they are not at hand."""
        raise NotImplementedError

    def _read(self, record: Record) -> Judged | None:
        from bench.stats.judged import read_judged

        if self.store is None or record.status != "ok":
            return None
        try:
            return read_judged(record, self.store.folder(record.cell))
        except (OSError, ValueError, KeyError):  # an older or damaged store: the report must still be written
            return None
