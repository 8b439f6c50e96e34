"""Parquet files and folders that the library ``datasets`` has saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import TaskDataError
from bench.reading.source import Reading, Record, Source, check_columns_unique, shown_path, split_of_word
from bench.splitting import SplitName

_BATCH = 256
"""Records in memory at a time: few, for a cell may hold megabytes."""


def open_parquet(path: Path, reading: Reading) -> Source:
    """A Parquet file.

    Raises:
        TaskDataError: It is none, or is cut off.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = shown_path(path)
    if not path.stat().st_size:
        raise TaskDataError(f"{place}: the file is empty")
    try:
        columns = tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(place, "Parquet file", error) from error
    check_columns_unique(columns, reading.columns, place)

    def records() -> Iterator[Record]:
        try:
            with pq.ParquetFile(path) as file:
                yield from _records(file.iter_batches(_BATCH, columns=list(reading.columns)), place)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(place, "Parquet file", error) from error

    return Source(place, columns, records)


def open_saved_dataset(path: Path, reading: Reading) -> Source:
    """What ``save_to_disk`` of a ``Dataset`` or ``DatasetDict`` wrote; numbers of a ``ClassLabel`` become its names.

    Raises:
        TaskDataError: The folder cannot be read.
    """
    import pyarrow as pa
    from datasets import DatasetDict, load_from_disk

    place = shown_path(path)
    try:
        found = load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise _unreadable(place, "saved dataset", error) from error
    parts = dict(found) if isinstance(found, DatasetDict) else {"": found}
    columns = tuple(dict.fromkeys(name for part in parts.values() for name in part.column_names))

    def records() -> Iterator[Record]:
        before = 0
        for name, part in parts.items():
            split = split_of_word(name)
            if name and split is None:
                reading.tally.skipped[f"row of split {name!r}"] += len(part)
            else:
                for record in _of_dataset(part, f"{place}/{name}".rstrip("/"), split, reading):
                    yield replace(record, number=before + record.number)
            before += len(part)

    return Source(place, columns, records)


def _of_dataset(dataset: Any, place: str, split: SplitName | None, reading: Reading) -> Iterator[Record]:
    missing = [name for name in reading.columns if name not in dataset.column_names]
    if missing:
        raise TaskDataError(f"{place}: it has no column {missing[0]!r}, which other splits have")
    chosen = dataset.select_columns(list(reading.columns)).with_format("arrow")
    names = {column: _naming(dataset.features[column]) for column in reading.columns}
    yield from _records(chosen.iter(_BATCH), place, split, names)


def _records(
    batches: Iterable[Any],
    place: str,
    split: SplitName | None = None,
    naming: Mapping[str, Callable[[Any], Any]] | None = None,
) -> Iterator[Record]:
    start = 1
    for batch in batches:
        for number, cells in enumerate(_cells(batch, place, start), start=start):
            if naming is not None:
                cells = _named(cells, naming, f"{place}, row {number}")  # noqa: PLW2901
            yield Record(f"{place}, row {number}", cells, split, number)
        start += batch.num_rows


def _cells(batch: Any, place: str, start: int) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = batch.to_pylist()
    except UnicodeDecodeError as error:
        if batch.num_rows > 1:
            return [cells for i in range(batch.num_rows) for cells in _cells(batch.slice(i, 1), place, start + i)]
        raise TaskDataError(
            f"{place}, row {start}: byte {error.object[error.start]:#04x} is not UTF-8; write the file anew with texts "
            "decoded"
        ) from error
    return found


def _named(cells: Mapping[str, Any], naming: Mapping[str, Callable[[Any], Any]], place: str) -> dict[str, Any]:
    try:
        return {column: naming[column](value) for column, value in cells.items()}
    except ValueError as error:
        raise TaskDataError(f"{place}: {error}; write the dataset anew with names for all its classes") from error


def _naming(feature: Any) -> Callable[[Any], Any]:
    """What turns a column's values into what they mean: class numbers into names, -1 into none."""
    from datasets import ClassLabel

    if isinstance(feature, ClassLabel):
        return lambda value: None if value is None or value == -1 else feature.int2str(value)
    inner = getattr(feature, "feature", None)
    if isinstance(inner, ClassLabel):
        return lambda values: None if values is None else [inner.int2str(value) for value in values if value != -1]
    return lambda value: value


def _unreadable(place: str, what: str, error: Exception) -> TaskDataError:
    reason = " ".join(str(error).split())[:200]
    return TaskDataError(f"{place}: not a whole {what}; write it anew ({reason})")
