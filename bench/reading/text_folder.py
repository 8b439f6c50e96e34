"""A folder of text files, each in the folder of its label: ``label/*.txt`` or ``train/label/*.txt``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import TaskDataError
from bench.reading.encodings import encoding_of, opened, refuse_nul, undecodable
from bench.reading.source import Reading, Record, Source, shown_path, split_of_word
from bench.splitting import SplitName

COLUMNS = ("text", "label", "file")


def open_text_folder(path: Path, reading: Reading) -> Source:
    """The texts below a folder, in the order of their paths. Columns are ``text``, ``label`` and ``file``.

    A label is the folder of its texts, folders within folders joined by ``/``. Where all folders at the top are called
    train, validation or test (or dev, val, …) and there are folders in them, they are the splits.

    Raises:
        TaskDataError: There are no such files.
    """
    place = shown_path(path)
    files = files_below(path)
    texts = [file for file in files if file.suffix.lower() == ".txt"]
    splits = _splits(texts)
    depth = 2 if splits else 1
    labelled = tuple(file for file in texts if len(file.parts) > depth)
    if not labelled:
        raise TaskDataError(
            f"{place}: the folder holds no label/*.txt, and no dataset of save_to_disk; name a file in it, or put each "
            "text into the folder of its label"
        )
    skipped = reading.tally.skipped
    skipped["text in no folder of a label"] += sum(len(file.parts) == 1 for file in texts)
    skipped["file in a split's folder without a label"] += sum(1 < len(file.parts) <= depth for file in texts)
    skipped["file in a label's folder that is no .txt"] += sum(
        len(file.parts) > 1 and file.suffix.lower() != ".txt" for file in files
    )
    return Source(place, COLUMNS, TextFolder(path, labelled, splits, reading).records)


def _splits(texts: list[Path]) -> dict[str, SplitName]:
    """Folder at the top → the split that it is; empty where they are labels."""
    tops = {file.parts[0]: split_of_word(file.parts[0]) for file in texts if len(file.parts) > 1}
    splits = {top: split for top, split in tops.items() if split is not None}
    nested = len(splits) == len(tops) and any(len(file.parts) > 2 for file in texts)
    return splits if nested else {}


@dataclass(frozen=True)
class TextFolder:
    """Text files in folders that name their labels.

    Attributes:
        path: The folder.
        files: The text files, relative to it.
        splits: Folder at the top → the split that it is; empty where they are labels.
        reading: What the user wants of them.
    """

    path: Path
    files: tuple[Path, ...]
    splits: dict[str, SplitName]
    reading: Reading

    def records(self) -> Iterator[Record]:
        """One record a file."""
        for number, file in enumerate(self.files, start=1):
            split = self.splits.get(file.parts[0])
            label = "/".join(file.parts[1 if self.splits else 0 : -1])
            cells = {"text": self._text(self.path / file), "label": label, "file": file.as_posix()}
            yield Record(shown_path(self.path / file), cells, split, number)

    def _text(self, file: Path) -> str | None:
        place = shown_path(file)
        if not file.is_file():
            raise TaskDataError(f"{place}: no regular file; take it out")
        try:
            if not file.read_bytes().strip():
                return None
        except OSError as error:
            raise TaskDataError(f"{place}: cannot be read: {error.strerror}") from error
        encoding = encoding_of(file, self.reading)
        with opened(file, encoding) as stream:
            try:
                text = stream.read()
            except UnicodeError as error:
                raise undecodable(place, encoding, error) from error
        refuse_nul(text, place)
        return text


def files_below(folder: Path) -> list[Path]:
    """The files below a folder, relative to it and in the order of their paths; hidden ones left out.

    Links are followed.

    Raises:
        TaskDataError: A folder cannot be read, or is reached twice.
    """
    found = []
    seen = set(folder.resolve().parents)
    for root, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        real = Path(root).resolve()
        if real in seen:
            raise TaskDataError(
                f"{shown_path(Path(root))}: a link to a folder that is read already or holds this one; take it out"
            )
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [(Path(root) / name).relative_to(folder) for name in files if not name.startswith(".")]
    return sorted(found, key=Path.as_posix)


def _refuse(error: OSError) -> None:
    raise TaskDataError(f"{shown_path(Path(error.filename))}: the folder cannot be read: {error.strerror}")
