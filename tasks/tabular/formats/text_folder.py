"""A folder of text files, each in the folder of its label: ``label/*.txt`` or ``train/label/*.txt``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import TaskDataError
from bench.splitting import SplitName
from tasks.tabular.encodings import encoding_of, opened, undecodable
from tasks.tabular.rows import Record, split_of_word
from tasks.tabular.source import Reading, Source, shown_path

COLUMNS = ("text", "label", "file")


def open_text_folder(path: Path, reading: Reading) -> Source:
    """The texts below a folder, in the order of their paths. Columns are ``text``, ``label`` and ``file``.

    A label is the folder of its texts, folders within folders joined by ``/``. Where all folders at the top are called
    train, validation or test (or dev, val, …), they are the splits.

    Raises:
        TaskDataError: There are no such files.
    """
    place = shown_path(path)
    files = [file for file in files_below(path) if len(file.parts) > 1]
    texts = [file for file in files if file.suffix.lower() == ".txt"]
    if not texts:
        raise TaskDataError(
            f"{place}: the folder holds no label/*.txt, and no dataset of save_to_disk; name a file in it, or put each "
            "text into the folder of its label"
        )
    if len(texts) < len(files):
        reading.tally.skipped["file in a label's folder that is no .txt"] += len(files) - len(texts)
    return Source(place, COLUMNS, TextFolder(path, tuple(texts), reading).records)


@dataclass(frozen=True)
class TextFolder:
    """Text files in folders that name their labels.

    Attributes:
        path: The folder.
        files: The text files, relative to it.
        reading: What the user wants of them.
    """

    path: Path
    files: tuple[Path, ...]
    reading: Reading

    def records(self) -> Iterator[Record]:
        """One record a file."""
        splits = {file.parts[0]: split_of_word(file.parts[0]) for file in self.files}
        nested = None not in splits.values() and all(len(file.parts) > 2 for file in self.files)
        for file in self.files:
            split: SplitName | None = splits[file.parts[0]] if nested else None
            label = "/".join(file.parts[1 if nested else 0 : -1])
            cells = {"text": self._text(self.path / file), "label": label, "file": file.as_posix()}
            yield Record(shown_path(self.path / file), cells, split)

    def _text(self, file: Path) -> str | None:
        if not file.read_bytes().strip():
            return None
        encoding = encoding_of(file, self.reading)
        with opened(file, encoding) as stream:
            try:
                return stream.read()
            except UnicodeError as error:
                raise undecodable(shown_path(file), encoding, error) from error


def files_below(folder: Path) -> list[Path]:
    """The files below a folder, relative to it and in the order of their paths; hidden ones left out.

    Raises:
        TaskDataError: A folder cannot be read.
    """
    found = []
    for root, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [(Path(root) / name).relative_to(folder) for name in files if not name.startswith(".")]
    return sorted(found, key=Path.as_posix)


def _refuse(error: OSError) -> None:
    raise TaskDataError(f"{shown_path(Path(error.filename))}: the folder cannot be read: {error.strerror}")
