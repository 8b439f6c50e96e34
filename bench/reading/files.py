"""Which format a path is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.errors import TaskDataError
from bench.reading.columnar import open_parquet, open_saved_dataset
from bench.reading.delimited import open_csv, open_tsv
from bench.reading.json_lines import open_json, open_json_lines
from bench.reading.source import Reading, Source, shown_path
from bench.reading.text_folder import files_below, open_text_folder

_FORMATS: Mapping[str, Callable[[Path, Reading], Source]] = {
    ".csv": open_csv,
    ".tsv": open_tsv,
    ".tab": open_tsv,
    ".jsonl": open_json_lines,
    ".ndjson": open_json_lines,
    ".json": open_json,
    ".parquet": open_parquet,
}
_SAVED_DATASET = ("dataset_dict.json", "state.json")


def open_source(path: Path, reading: Reading) -> Source:
    """Open a file by its extension, or a folder by what it holds.

    Raises:
        TaskDataError: There is none, it cannot be read, or its format is unknown.
    """
    place = shown_path(path)
    try:
        if path.is_dir():
            saved = any((path / name).is_file() for name in _SAVED_DATASET)
            return open_saved_dataset(path, reading) if saved else open_text_folder(path, reading)
        if not path.exists():
            raise TaskDataError(f"{place}: no such file")
        if not path.is_file():
            raise TaskDataError(f"{place}: no regular file; save what comes out of it as one")
        suffix = path.suffix.lower()
        if suffix not in _FORMATS:
            known = ", ".join(_FORMATS)
            raise TaskDataError(f"{place}: unknown extension {suffix!r}; known are {known} and folders: save it as CSV")
        return _FORMATS[suffix](path, reading)
    except OSError as error:
        raise TaskDataError(f"{place}: cannot be read: {error.strerror or error}") from error


def stamp_of(path: Path) -> list[Any]:
    """Name, size and time of a file, or of every file below a folder.

    Raises:
        TaskDataError: It cannot be read.
    """
    files = [path / file for file in files_below(path)] if path.is_dir() else [path]
    try:
        facts = [(file, file.stat()) for file in files]
    except OSError as error:
        raise TaskDataError(f"{shown_path(path)}: cannot be read: {error.strerror}") from error
    return [[str(file), stat.st_size, stat.st_mtime_ns] for file, stat in facts]
