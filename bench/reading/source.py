"""A file or folder of records, opened: what every format offers, and how the user wants it read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench.errors import TaskDataError
from bench.splitting import SplitName

_SPLITS: Mapping[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
LONGEST_CELL = 100_000_000
"""Characters of the longest text that is taken; more is a mistake in the file, such as a quote that none closes."""

BadRows = Literal["refuse", "skip"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as its source holds it.

    Attributes:
        place: Where it stands, for messages: ``tickets.csv, row 12``.
        cells: Column → value; None is an empty cell.
        split: The split that the source itself gives it.
        number: Which one it is in its source, from 1: a header is none, and what is left out counts.
    """

    place: str
    cells: Mapping[str, Any]
    split: SplitName | None = None
    number: int = 0


@dataclass
class Tally:
    """What was tolerated in reading.

    Attributes:
        skipped: Reason → number of records that were left out.
        remarks: Lines for who inspects the task.
        guessed: Encoding → names of the files that are read in it because it was guessed.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    guessed: dict[str, list[str]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The remarks, those on guessed encodings with them."""
        return self.remarks + [
            f"{names[0] if len(names) == 1 else f'{len(names):,} files'} not in UTF-8, read as {encoding} by a guess; "
            "say it with encoding="
            for encoding, names in self.guessed.items()
        ]


@dataclass(frozen=True)
class Reading:
    """How the user wants records read.

    Attributes:
        columns: Those that are needed; no others are kept.
        encoding: Of text files; None: found out.
        delimiter: Between the cells of a CSV file; None: found out.
        quoted: Whether a cell in double quotes may hold delimiters and line ends.
        bad_rows: What becomes of rows that cannot be read.
        tally: Where that is counted.
    """

    columns: Sequence[str]
    encoding: str | None = None
    delimiter: str | None = None
    quoted: bool = True
    bad_rows: BadRows = "refuse"
    tally: Tally = field(default_factory=Tally)

    def of_columns(self, columns: Sequence[str]) -> Reading:
        """The same for a file with other columns."""
        return replace(self, columns=columns)

    def bad_row(self, place: str, fault: str, reason: str) -> None:
        """Count a row that cannot be read as left out for a reason.

        Raises:
            TaskDataError: The user wants none left out; ``fault`` says what is wrong with it.
        """
        if self.bad_rows == "refuse":
            raise TaskDataError(f"{place}: {fault}, or leave such rows out with on_bad_rows=skip")
        self.tally.skipped[reason] += 1


@dataclass(frozen=True)
class Source:
    """Records, in order.

    Attributes:
        place: The source's name, for messages.
        columns: Every column that it is known to have.
        records: Reads them, from the first, at each call.
    """

    place: str
    columns: tuple[str, ...]
    records: Callable[[], Iterator[Record]]


def split_of_word(word: str) -> SplitName | None:
    """The split that a word means (``dev`` is ``validation``); None where it means none."""
    return _SPLITS.get(word.strip().lower())


def shown_path(path: Path) -> str:
    """A path for messages: as it is seen from the working folder where it lies below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def check_columns_unique(columns: Sequence[str], needed: Iterable[str], place: str) -> None:
    """Refuse a needed column that is there twice.

    Raises:
        TaskDataError: It is; the message names it.
    """
    for column in needed:
        if columns.count(column) > 1:
            raise TaskDataError(f"{place}: {columns.count(column)} columns are called {column!r}; give each its name")
