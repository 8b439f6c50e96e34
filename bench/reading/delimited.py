"""CSV and TSV: every cell stays what is written; an empty one is missing."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import TaskDataError
from bench.reading.encodings import encoding_of, opened, refuse_nul, undecodable
from bench.reading.source import LONGEST_CELL, Reading, Record, Source, check_columns_unique, shown_path

_DELIMITERS = ",;\t|"
_HEAD = 2**18


def open_csv(path: Path, reading: Reading) -> Source:
    """A table with a header, its cells parted by what parts the columns that are needed.

    Raises:
        TaskDataError: It is empty or no text.
    """
    encoding = encoding_of(path, reading)
    delimiter = reading.delimiter or _delimiter(path, encoding, reading.columns)
    return Delimited(path, encoding, delimiter, reading).source()


def open_tsv(path: Path, reading: Reading) -> Source:
    """The same, parted by tabs unless the user says otherwise."""
    return Delimited(path, encoding_of(path, reading), reading.delimiter or "\t", reading).source()


@dataclass(frozen=True)
class Delimited:
    """A table as text.

    Attributes:
        path: Where it lies.
        encoding: How it is written.
        delimiter: What parts its cells.
        reading: What the user wants of it.
    """

    path: Path
    encoding: str
    delimiter: str
    reading: Reading

    def source(self) -> Source:
        """The table, opened: its header is read.

        Raises:
            TaskDataError: It has no header, or a needed column is there twice.
        """
        place = shown_path(self.path)
        header = next((row for _, row in self._rows()), None)
        if header is None:
            raise TaskDataError(f"{place}: the file is empty")
        check_columns_unique(header, self.reading.columns, place)
        return Source(place, tuple(header), self._records)

    def _records(self) -> Iterator[Record]:
        place = shown_path(self.path)
        rows = self._rows()
        first, header = next(rows)
        needed = [(name, header.index(name)) for name in self.reading.columns]
        width = len(header)
        for number, row in rows:
            if len(row) == width:
                cells = {name: row[index] or None for name, index in needed}
                for cell in cells.values():
                    refuse_nul(cell or "", f"{place}, row {number}")
                yield Record(f"{place}, row {number}", cells, number=number - first)
            elif not row:
                self.reading.tally.skipped["blank row"] += 1
            else:
                fault = f"{len(row)} cells where the header has {width}; quote cells that hold {self.delimiter!r}"
                self.reading.bad_row(f"{place}, row {number}", fault, "row with more or fewer cells than the header")

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows from the header on, numbered as a spreadsheet does: a cell with line ends does not count twice."""
        number = 0
        with opened(self.path, self.encoding) as stream, _room_for_cells():
            rows = csv.reader(stream, **self._dialect())
            started = False
            while True:
                number += 1
                try:
                    row = next(rows)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise self._unreadable(number, error) from error
                except UnicodeError as error:
                    place = f"{shown_path(self.path)}{self._row_of_bad_byte()}"
                    raise undecodable(place, self.encoding, error) from error
                if started or row:
                    started = True
                    yield number, row

    def _dialect(self) -> dict[str, Any]:
        quoting = csv.QUOTE_MINIMAL if self.reading.quoted else csv.QUOTE_NONE
        return {"delimiter": self.delimiter, "strict": True, "quoting": quoting}

    def _unreadable(self, number: int, error: csv.Error) -> TaskDataError:
        """What is wrong with a row; it is never left out, since nobody can tell where the next one begins."""
        place = f"{shown_path(self.path)}, row {number}"
        if "unexpected end" in str(error):
            return TaskDataError(f"{place}: a quote opens a cell and none closes it; close it, or set quoting=none")
        if "field larger" in str(error):
            return TaskDataError(
                f"{place}: a cell of over {LONGEST_CELL:,} characters; shorten it, or look for a quote before it that "
                "none closes"
            )
        return TaskDataError(
            f"{place}: text follows a closing quote; double the quotes inside a quoted cell, or set quoting=none"
        )

    def _row_of_bad_byte(self) -> str:
        """The first row with a byte that cannot be decoded, as ``, row 12``; nothing where that cannot be told."""
        try:
            with self.path.open(encoding=self.encoding, errors="surrogateescape", newline="") as stream:
                for number, row in enumerate(csv.reader(stream, **{**self._dialect(), "strict": False}), start=1):
                    if any("\udc80" <= sign <= "\udcff" for cell in row if not cell.isascii() for sign in cell):
                        return f", row {number}"
        except (UnicodeError, csv.Error):
            pass
        return ""


def _delimiter(path: Path, encoding: str, needed: Sequence[str]) -> str:
    """The delimiter under which the header has every needed column, else the most columns."""
    with opened(path, encoding) as stream:
        try:
            head = stream.read(_HEAD)
        except UnicodeError:  # reading from the top will tell in which row
            return _DELIMITERS[0]
    headers = {delimiter: _header(head, delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: (set(needed) <= set(headers[delimiter]), len(headers[delimiter])))


def _header(head: str, delimiter: str) -> list[str]:
    with _room_for_cells():
        rows = csv.reader(head.splitlines(keepends=True), delimiter=delimiter)
        return next(filter(None, rows), [])


@contextmanager
def _room_for_cells() -> Iterator[None]:
    """The csv module takes cells of 128 KiB at most unless told otherwise, for the whole process."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
