"""From the rows of a data set to records: labels by name, paragraphs as one text, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import TaskDataError
from bench.reading.source import Record
from tasks.hub_settings import SPLIT_NAMES, HubSettings

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_BATCH = 1000
OUTSIDE = "row outside filters"
OTHER_LABEL = "label not among keep_labels"
NO_LABEL = "document without labels"


class RecordReader:
    """Reads records out of a data set, and counts those that it leaves out.

    Args:
        settings: Which rows and labels.
    """

    def __init__(self, settings: HubSettings) -> None:
        self._settings = settings
        self._allowed = {
            column: values if isinstance(values, tuple) else (values,) for column, values in settings.filters.items()
        }
        self._kept = None if settings.keep_labels is None else frozenset(settings.keep_labels)
        self.skipped: Counter[str] = Counter()

    def records(self, data: DatasetDict) -> Iterator[Record]:
        """The records of all splits, in order.

        Raises:
            TaskDataError: A label is none of ``label_names``; the message names its row.
        """
        for split in SPLIT_NAMES:
            if split in data:
                for number, cells in enumerate(self._cells(data[split]), start=1):
                    place = f"{self._settings.place}, {split} row {number}"
                    record = self._record(Record(place, cells, split))
                    if record is not None:
                        yield record

    def _cells(self, part: Dataset) -> Iterator[Mapping[str, Any]]:
        columns = part.select_columns([column for column in self._settings.columns if column in part.features])
        decode = {column: self._decoder(column, feature) for column, feature in columns.features.items()}
        for batch in columns.iter(_BATCH):
            for values in zip(*batch.values(), strict=True):
                yield {column: decode[column](value) for column, value in zip(batch, values, strict=True)}

    def _decoder(self, column: str, feature: Any) -> Callable[[Any], Any]:
        """What makes of a stored value the cell that a person would write."""
        from datasets import ClassLabel

        inner = getattr(feature, "feature", None)
        if column in self._settings.text_columns and inner is not None:
            return _joined
        if isinstance(feature, ClassLabel):
            return lambda value: _named(value, feature.names)
        if isinstance(inner, ClassLabel):
            return lambda value: None if value is None else [_named(part, inner.names) for part in value]
        return lambda value: value

    def _record(self, record: Record) -> Record | None:
        """The record with its labels named and chosen; None where it is left out."""
        column = self._settings.label
        if any(record.cells[filtered] not in allowed for filtered, allowed in self._allowed.items()):
            self.skipped[OUTSIDE] += 1
            return None
        named = self._with_names(record.cells[column], record)
        chosen = self._chosen(named)
        reason = self._unchosen(named, chosen)
        if reason is not None:
            self.skipped[reason] += 1
            return None
        return Record(record.place, {**record.cells, column: chosen}, record.split)

    def _unchosen(self, named: Any, chosen: Any) -> str | None:
        """Why a record with these labels is left out; None: it is not."""
        if chosen is None and named is not None:
            return OTHER_LABEL
        return NO_LABEL if chosen == [] and self._settings.unlabelled == "drop" else None

    def _with_names(self, value: Any, record: Record) -> Any:
        names = self._settings.label_names
        if names is None:
            return value
        if isinstance(value, list):
            return [self._with_names(part, record) for part in value]
        if not isinstance(value, int):
            return value  # the source names its labels itself
        if not 0 <= value < len(names):
            raise TaskDataError(f"{record.place}: label {value} is none of the {len(names)} label_names")
        return names[value]

    def _chosen(self, value: Any) -> Any:
        """Those of the labels that are kept; None for a single one that is not."""
        if self._kept is None or value is None:
            return value
        if isinstance(value, list):
            return [part for part in value if part in self._kept]
        return value if value in self._kept else None


def _named(value: int | None, names: list[str]) -> str | None:
    """The hub marks an unknown label, as of a hidden test split, with -1."""
    return None if value is None or value < 0 else names[value]


def _joined(paragraphs: list[str] | None) -> str | None:
    return None if paragraphs is None else "\n".join(part for part in paragraphs if part)
