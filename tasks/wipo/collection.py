"""The files of a collection: in a folder or in a zip, below directories called train and test."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal

from bench.errors import TaskDataError

Split = Literal["train", "test"]
LARGEST = 64 * 2**20
"""Bytes of the largest file that is read."""

_SPLITS: Mapping[str, Split] = {"train": "train", "alphatrain": "train", "test": "test", "alphatest": "test"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that may hold a record.

    Attributes:
        name: Its path below the collection, with ``/``.
        split: Which of the two splits it lies in.
        size: Bytes.
        time: Nanoseconds since 1970; 0 in a zip, whose own time counts.
    """

    name: str
    split: Split
    size: int
    time: int


@dataclass(frozen=True)
class Collection:
    """What lies at a place.

    Attributes:
        place: The folder or the zip.
        files: The XML files of both splits, by name.
        outside: XML files that lie below neither split.
        others: Files that are not XML, and such as are no regular files.
        time: When the zip was written; None for a folder.
    """

    place: Path
    files: tuple[SourceFile, ...]
    outside: int
    others: int
    time: int | None = None

    def digest(self) -> str:
        """A hash of names, sizes and times: equal unless something was changed."""
        digest = hashlib.blake2b(f"{self.time} {self.outside} {self.others}\n".encode(), digest_size=16)
        for file in self.files:
            digest.update(f"{file.name}\t{file.size}\t{file.time}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


@dataclass(frozen=True)
class FileContent:
    """What was read of a file.

    Attributes:
        content: Its bytes.
        fault: Why there are none; empty where they were read.
    """

    content: bytes
    fault: str = ""


def find_collection(place: Path) -> Collection:
    """Look at a place; no file is opened but a zip's directory.

    Raises:
        TaskDataError: There is nothing, a directory cannot be read, a zip is damaged or has a name that leads out
            of it, or a split has no file.
    """
    found = _in_zip(place) if place.is_file() else _in_folder(place)
    for split in ("train", "test"):
        if not any(file.split == split for file in found.files):
            raise TaskDataError(
                f"{place} has no .xml file below a directory called {split}; point path at the folder that holds "
                "train/ and test/"
            )
    return found


def read_files(collection_place: Path, time: int | None, files: Sequence[SourceFile]) -> Iterator[FileContent]:
    """The contents of files, one after the other.

    Args:
        collection_place: The folder or the zip.
        time: When the zip was written; None for a folder.
        files: Which.
    """
    for file in files:
        try:
            content = _read(collection_place, time, file) if file.size <= LARGEST else b""
            yield FileContent(content, _fault(max(file.size, len(content)), len(content)))
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            yield FileContent(b"", f"file that cannot be read ({type(error).__name__})")


def _fault(size: int, read: int) -> str:
    if size > LARGEST:
        return f"file of more than {LARGEST // 2**20} MiB"
    return "file shorter than it was" if read < size else ""


def _read(place: Path, time: int | None, file: SourceFile) -> bytes:
    """At most one byte more than the largest file has, whatever a directory says of its size."""
    with (place / file.name).open("rb") if time is None else _archive(place, time).open(file.name) as stream:
        return stream.read(LARGEST + 1)


@lru_cache(maxsize=1)
def _archive(place: Path, _time: int) -> zipfile.ZipFile:
    """An open zip; its directory of 75,000 names is read once a process."""
    return zipfile.ZipFile(place)


def _in_folder(place: Path) -> Collection:
    files, outside, others = [], 0, 0
    start = len(os.path.join(place, ""))  # noqa: PTH118 - with the separator at its end
    for entry in _walk(place):
        name = entry.path[start:].replace(os.sep, "/")
        if not _is_xml(name) or (facts := _facts(entry)) is None:
            others += 1
        elif (split := _split_of(name)) is None:
            outside += 1
        else:
            files.append(SourceFile(name, split, *facts))
    return Collection(place, tuple(sorted(files, key=lambda file: file.name)), outside, others)


def _facts(entry: os.DirEntry[str]) -> tuple[int, int] | None:
    """Size and time; zeros for a link that leads nowhere, which reading will find out; None for a pipe and the like."""
    try:
        facts = entry.stat()
    except OSError:
        return 0, 0
    return (facts.st_size, facts.st_mtime_ns) if stat.S_ISREG(facts.st_mode) else None


def _walk(place: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below a folder; links are followed, each directory once."""
    folders, seen = [str(place)], set()
    while folders:
        folder = folders.pop()
        try:
            facts = os.stat(folder)  # noqa: PTH116 - of 75,000 files' folders, where Path objects take most of the time
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir():
                        folders.append(entry.path)
                    else:
                        yield entry
        except OSError as error:
            raise TaskDataError(f"{folder} cannot be read: {error.strerror}; mend its permissions") from None


def _in_zip(place: Path) -> Collection:
    time = place.stat().st_mtime_ns
    files, outside, others = [], 0, 0
    for info in _directory(place):
        name = info.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or any(":" in part for part in parts[:1]):
            raise TaskDataError(f"{place}: the name {name!r} leads out of the zip; do not use this file")
        if info.is_dir():
            continue
        if not _is_xml(name):
            others += 1
        elif (split := _split_of(name)) is None:
            outside += 1
        else:
            files.append(SourceFile(name, split, info.file_size, 0))
    return Collection(place, tuple(sorted(files, key=lambda file: file.name)), outside, others, time)


def _directory(place: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(place) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise TaskDataError(f"{place} is no readable zip: {error}; fetch or pack it again") from None


def _is_xml(name: str) -> bool:
    return name[-4:].lower() == ".xml"


def _split_of(name: str) -> Split | None:
    """The topmost directory that names a split decides."""
    directories = name.replace("\\", "/").lower().split("/")[:-1]
    return next((_SPLITS[directory] for directory in directories if directory in _SPLITS), None)
