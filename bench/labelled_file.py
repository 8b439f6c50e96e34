"""Labelled documents as a file: CSV, TSV, JSONL or Parquet, written row by row, whole or absent."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.files import sync
from bench.labelling import Labelled
from bench.task import Kind

Row = dict[str, Any]
Write = Callable[[Iterable[Row]], None]


@dataclass(frozen=True)
class Layout:
    """What stands in a row.

    Attributes:
        names: The labels' names, by position.
        kind: ``single``: columns ``label`` and ``score``; ``multi``: ``labels`` and ``scores``, both lists.
        scored: Whether there are scores.
        top: With columns ``best`` and ``best_scores``, both lists of so many.
    """

    names: Sequence[str]
    kind: Kind
    scored: bool
    top: int

    @property
    def columns(self) -> Mapping[str, str]:
        """Column → ``word``, ``words``, ``number`` or ``numbers``."""
        plural = "s" if self.kind == "multi" else ""
        found = {"id": "word", f"label{plural}": f"word{plural}"}
        if self.scored:
            found |= {f"score{plural}": f"number{plural}"}
        return found | ({"best": "words", "best_scores": "numbers"} if self.top else {})

    def row(self, one: Labelled) -> Row:
        """A document's row."""
        labels, scores = [self.names[label] for label in one.labels], one.scores or ()
        best = {"best": [self.names[label] for label, _ in one.best], "best_scores": [score for _, score in one.best]}
        if self.kind == "multi":
            found = {"id": one.id, "labels": labels, "scores": list(scores), **best}
        else:
            found = {"id": one.id, "label": next(iter(labels), None), "score": next(iter(scores), None), **best}
        return {column: found[column] for column in self.columns}


@contextmanager
def new_table(path: Path, layout: Layout, separator: str) -> Iterator[Write]:
    """A file that takes rows, and gets its name at the end, whole; if the body raises, nothing changes.

    Args:
        path: Its suffix says the format.
        layout: What stands in a row.
        separator: Parts the labels in a cell of a CSV or TSV file.

    Raises:
        UserError: The format is unknown, labels hold the separator, or the file cannot be written.
    """
    opened = _opener(path, layout, separator)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    of_body: list[OSError] = []
    try:
        with _blaming(path, of_body):
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened(temporary) as write:
                try:
                    yield _blamed(write, path)
                except OSError as error:
                    of_body.append(error)
                    raise
            sync(temporary)
            temporary.replace(path)
    finally:
        with suppress(OSError):  # it was never made
            temporary.unlink()


@contextmanager
def _blaming(path: Path, others: Sequence[OSError] = ()) -> Iterator[None]:
    """Faults in here are those of the output file, but for others."""
    try:
        yield
    except OSError as error:
        if error in others:
            raise
        raise UserError(f"--output {path}: {error.strerror or error}") from None


def _blamed(write: Write, path: Path) -> Write:
    def blamed(rows: Iterable[Row]) -> None:
        with _blaming(path):
            write(rows)

    return blamed


def _opener(path: Path, layout: Layout, separator: str) -> Callable[[Path], Any]:
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        if any(form == "words" for form in layout.columns.values()):
            _check_separator(layout.names, separator)
        return lambda target: _delimited(target, layout, separator, "," if suffix == ".csv" else "\t")
    if suffix in {".jsonl", ".ndjson"}:
        return _json_lines
    if suffix == ".parquet":
        return lambda target: _parquet(target, layout)
    raise UserError(f"--output {path}: unknown extension {suffix!r}; known are .csv, .tsv, .jsonl and .parquet")


def _check_separator(names: Iterable[str], separator: str) -> None:
    for name in names:
        if separator in name or (separator.strip() and separator.strip() in name):
            raise UserError(
                f"label {name!r} holds the separator {separator!r}; name another with --separator, or write .jsonl"
            )


@contextmanager
def _delimited(target: Path, layout: Layout, separator: str, delimiter: str) -> Iterator[Write]:
    def cell(value: Any) -> Any:
        return separator.join(map(str, value)) if isinstance(value, list) else value

    with target.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        table.writerow(layout.columns)
        yield lambda rows: table.writerows([cell(value) for value in row.values()] for row in rows)


@contextmanager
def _json_lines(target: Path) -> Iterator[Write]:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        yield lambda rows: stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _parquet(target: Path, layout: Layout) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"word": pa.string(), "number": pa.float32()}
    types |= {"words": pa.list_(pa.string()), "numbers": pa.list_(pa.float32())}
    schema = pa.schema([(column, types[form]) for column, form in layout.columns.items()])
    with pq.ParquetWriter(target, schema, compression="zstd") as file:
        yield lambda rows: file.write_table(pa.Table.from_pylist(list(rows), schema=schema))
