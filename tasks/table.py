"""A user's own file: a table, a folder of texts or a saved dataset, with no code."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator

from bench.errors import TaskDataError
from bench.files import why_absent
from bench.reading.files import open_source, stamp_of
from bench.reading.settings import ReadingSettings
from bench.reading.source import Reading, Record, Source, Tally, shown_path
from bench.settings import Place, expanded
from bench.splitting import SplitName
from bench.task import Availability, Task, TaskData
from tasks.tabular.assembling import Assembler
from tasks.tabular.parents import read_parents
from tasks.tabular.rows import Row, RowReader
from tasks.tabular.settings import TabularSettings

_REMEDY = "bench run --data FILE --text COLUMN --label COLUMN"
_TOLD_EVERY = 100_000


class TableSettings(ReadingSettings, TabularSettings):
    """Settings of :class:`TableTask`."""

    path: Place | None = Field(
        None,
        min_length=1,
        description="CSV, TSV, JSON, JSONL or Parquet file, folder of label/*.txt, or folder of save_to_disk",
    )
    test: Place | None = Field(None, min_length=1, description="further file, whose rows are the test split")
    validation: Place | None = Field(
        None, min_length=1, description="further file, whose rows are the validation split"
    )

    @model_validator(mode="after")
    def _one_say_on_splits(self) -> TableSettings:
        if self.split is not None and (self.test is not None or self.validation is not None):
            raise ValueError("the splits come from a column or from further files, not from both")
        return self


class TableTask(Task):
    """Your own table, folder of texts or saved dataset; no code."""

    name = "table"
    optional: ClassVar[bool] = True
    Config = TableSettings

    def availability(self) -> Availability:
        """Whether a file is named, and all that are named are there."""
        if self.config.path is None:
            return Availability(False, "no file is named", _REMEDY)
        for key, path in self._paths().items():
            reason = why_absent(path)
            if reason is not None:
                place = shown_path(path)
                return Availability(False, f"{key} {place}: {reason}", shlex.join(["cp", "FILE", place]))
        return Availability()

    def stamp(self) -> Any:
        """Name, size and time of every file that is read."""
        return [stamp_of(path) for path in self._paths().values()]

    def load(self) -> TaskData:
        """Read the files.

        Raises:
            UserError: They make no sound task; the message names file, row and remedy.
        """
        config: TableSettings = self.config
        state = self.availability()
        if not state.ok:
            raise TaskDataError(f"{state.reason}; {state.remedy}")
        tally = Tally()
        reading = config.reading(config.columns, tally)
        parts = self._sources(reading)
        place = parts[0][0].place
        reader = RowReader(config, parts[0][0].columns, place)
        rows = [row for source, split in parts for row in self._rows(reader, source, split)]
        parents = read_parents(expanded(config.parents), reading) if config.parents is not None else None
        tally.skipped.update(reader.skipped)
        if not rows:
            raise TaskDataError(f"{place}: no rows below the header with text and label")
        return Assembler(config, reader.kind, place, parents, tally.skipped, tally.lines()).assemble(rows)

    def _paths(self) -> dict[str, Path]:
        """Setting → the file that it names."""
        named = {key: getattr(self.config, key) for key in ("path", "validation", "test", "parents")}
        return {key: expanded(path) for key, path in named.items() if path is not None}

    def _sources(self, reading: Reading) -> list[tuple[Source, SplitName | None]]:
        """Every file, opened, with the split that it is; the one without comes first."""
        paths = self._paths()
        files: dict[str, SplitName | None] = {"path": None, "validation": "validation", "test": "test"}
        return [(open_source(paths[key], reading), split) for key, split in files.items() if key in paths]

    def _rows(self, reader: RowReader, source: Source, split: SplitName | None) -> Iterator[Row]:
        reader.check_columns(source.columns, source.place)
        return reader.rows(self._told(self._records(source, split), source.place))

    def _records(self, source: Source, split: SplitName | None) -> Iterator[Record]:
        """The records, in the split of their file.

        Raises:
            TaskDataError: A source that has splits of its own is given one, or has one that another file is given for.
        """
        given = {name for name in ("validation", "test") if getattr(self.config, name) is not None}
        column = self.config.split
        for record in source.records():
            if record.split is not None and (split is not None or column is not None or record.split in given):
                other = f"further file for {record.split}" if column is None else f"column, as {column!r}, for them"
                raise TaskDataError(f"{record.place}: {source.place} has splits of its own; name no {other}")
            yield Record(record.place, record.cells, split) if split is not None else record

    def _told(self, records: Iterator[Record], place: str) -> Iterator[Record]:
        for number, record in enumerate(records, start=1):
            if number % _TOLD_EVERY == 0:
                self.say(f"read {number:,} rows of {place}")
            yield record
