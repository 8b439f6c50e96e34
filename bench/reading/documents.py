"""Documents without labels, out of any file that tasks are read from, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError, unknown_name
from bench.reading.cells import text_of, word_of
from bench.reading.files import open_source
from bench.reading.settings import ReadingSettings
from bench.reading.source import Source, Tally

_ID = "id"


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be labelled.

    Attributes:
        id: The user's, or the number of its row in the file.
        text: May be empty.
    """

    id: str
    text: str


@dataclass(frozen=True)
class Documents:
    """The documents of a file.

    Attributes:
        source: The file, opened.
        text: Columns with the text.
        id: Column with the ids; None: rows are numbered from 1, those that are left out with them.
    """

    source: Source
    text: tuple[str, ...]
    id: str | None

    @classmethod
    def of(cls, path: Path, text: Sequence[str], id_: str | None, settings: ReadingSettings, tally: Tally) -> Documents:
        """Open a file.

        Args:
            path: CSV, TSV, JSONL, JSON, Parquet, or a folder that tasks are read from.
            text: Columns with the text.
            id_: Column with the ids; None: the one called ``id``, if there is one.
            settings: How the file is written.
            tally: Where it is counted what is left out.

        Raises:
            UserError: It cannot be read, or has no such column; the message names the nearest.
        """
        known = open_source(path, settings.reading(text, tally)).columns
        found = id_ if id_ is not None else (_ID if _ID in known else None)
        columns = tuple(dict.fromkeys([*text, *([found] if found is not None else [])]))
        source = open_source(path, settings.reading(columns, tally))
        for option, names in (("--text", text), ("--id", [found] if found is not None else [])):
            for name in names:
                if name not in source.columns:
                    error = unknown_name(f"column of {source.place}", name, source.columns)
                    raise UserError(f"{error}; name it with {option}")
        return cls(source, tuple(text), found)

    def __iter__(self) -> Iterator[Document]:
        """The documents, in order.

        Raises:
            TaskDataError: A row cannot be read; the message names it.
        """
        for record in self.source.records():
            id_ = str(record.number) if self.id is None else word_of(record, self.id)
            yield Document(id_, text_of(record, self.text))
