"""Reads what apt keeps of an archive: the package indexes and their English descriptions.

The files follow the Debian repository format: stanzas set apart by an empty line, fields that go on over lines which
start with a blank. Plain searches for a few fields are several times faster here than a general parser.
"""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

APT_HELPER = Path("/usr/lib/apt/apt-helper")
"""apt's own reader of compressed lists, part of the package ``apt``."""

_NAME = re.compile(r"_(?P<kind>Packages|Translation-en)(?P<packed>\.(?:lz4|gz|xz|bz2|zst))?\Z")
_BRACES = re.compile(r"([^,{}]*)\{([^{}]*)\}([^,{}]*)")
_CHUNK = 2**22


@dataclass(frozen=True)
class ListFiles:
    """The files of apt's lists folder that hold packages and descriptions, each sorted by name."""

    packages: tuple[Path, ...] = ()
    translations: tuple[Path, ...] = ()

    @property
    def all(self) -> tuple[Path, ...]:
        """Both kinds."""
        return self.packages + self.translations

    @property
    def need_helper(self) -> bool:
        """Whether a file is compressed in a way that only apt reads."""
        return any(path.suffix in {".lz4", ".zst"} for path in self.all)


@dataclass(frozen=True, slots=True)
class Description:
    """A package's description as plain text.

    Attributes:
        synopsis: The short description, one line.
        body: The long description, paragraphs set apart by an empty line; may be empty.
    """

    synopsis: str
    body: str

    @property
    def text(self) -> str:
        """Synopsis and body."""
        return f"{self.synopsis}\n\n{self.body}".strip()


@dataclass(frozen=True, slots=True)
class Package:
    """One package of an index whose description is known.

    Attributes:
        name: Of the binary package.
        source: Name of the source package it was built from.
        section: Without the archive component in front; empty where there is none.
        tags: Its debtags, sorted.
        description: Its English description.
    """

    name: str
    source: str
    section: str
    tags: tuple[str, ...]
    description: Description


@dataclass(frozen=True)
class Lists:
    """The content of a lists folder.

    Attributes:
        packages: Every package whose English description is there too, in the order of the files.
        skipped: Reason → number of stanzas left out.
        skipped_files: Names of files that could not be read to their end.
    """

    packages: tuple[Package, ...]
    skipped: Mapping[str, int]
    skipped_files: tuple[str, ...]


def find_lists(folder: Path) -> ListFiles:
    """The package and translation files of a lists folder; other files are ignored."""
    found: dict[str, list[Path]] = {"Packages": [], "Translation-en": []}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.search(path.name)
        if match and path.is_file():
            found[match["kind"]].append(path)
    return ListFiles(tuple(found["Packages"]), tuple(found["Translation-en"]))


def read_lists(files: ListFiles) -> Lists:
    """Read packages and join each with its description.

    A file that cannot be read to its end gives what it held until there and is named in ``skipped_files``.
    """
    broken: list[str] = []
    descriptions: dict[bytes, bytes] = {}
    for stanza in _all_stanzas(files.translations, broken):
        descriptions.setdefault(field(stanza, b"Description-md5"), field(stanza, b"Description-en"))
    descriptions.pop(b"", None)
    skipped: Counter[str] = Counter()
    packages: list[Package] = []
    cleaned: dict[bytes, Description] = {}
    for stanza in _all_stanzas(files.packages, broken):
        md5, name = field(stanza, b"Description-md5"), _text(field(stanza, b"Package"))
        if md5 not in descriptions or not name:
            skipped["no description in Translation-en" if name else "stanza without a package name"] += 1
            continue
        if md5 not in cleaned:
            cleaned[md5] = clean_description(_text(descriptions[md5]))
        packages.append(_package(name, stanza, cleaned[md5]))
    return Lists(tuple(packages), dict(skipped), tuple(broken))


def stanzas(stream: IO[bytes]) -> Iterator[bytes]:
    """Cut a stream into stanzas, each with a newline in front, so that every field's name follows one."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n\n")
        yield from (b"\n" + stanza.strip(b"\n") for stanza in whole if stanza.strip())
    if rest.strip():
        yield b"\n" + rest.strip(b"\n")


def field(stanza: bytes, name: bytes) -> bytes:
    """The value of a field with the lines it goes on over; empty where the field is missing."""
    start = stanza.find(b"\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 2
    end = stanza.find(b"\n", start)
    while end >= 0 and stanza[end + 1 : end + 2] in {b" ", b"\t"}:
        end = stanza.find(b"\n", end + 1)
    return stanza[start : end if end >= 0 else None].strip(b" \t\r")


def expand_tags(value: str) -> tuple[str, ...]:
    """The tags of a ``Tag`` field, brace forms such as ``implemented-in::{c,c++}`` expanded; sorted, each once."""
    while match := _BRACES.search(value):
        head, inner, tail = match.groups()
        expanded = ",".join(f"{head}{part.strip()}{tail}" for part in inner.split(",") if part.strip())
        value = value[: match.start()] + expanded + value[match.end() :]
    return tuple(sorted({tag.strip() for tag in value.split(",")} - {""}))


def clean_description(value: str) -> Description:
    """Turn Debian's notation into plain text.

    The first line is the synopsis. Lines after it start with one blank; a line of `` .`` ends a paragraph, lines with
    more blanks are verbatim (lists, mostly) and stay lines of their own, the others flow (Debian Policy 5.6.13).
    """
    synopsis, *lines = value.split("\n")
    out: list[str] = []
    flowing = False
    for line in lines:
        content = line[1:].rstrip()
        verbatim = content[:1] in {" ", "\t"}
        if content in {"", "."}:
            out.append("\n\n")
        else:
            out.append((" " if flowing and not verbatim else "\n") + content.strip())
        flowing = content not in {"", "."} and not verbatim
    body = re.sub(r"\n{3,}", "\n\n", "".join(out)).strip()
    return Description(synopsis.strip(), body)


def _package(name: str, stanza: bytes, description: Description) -> Package:
    source = _text(field(stanza, b"Source")).partition("(")[0].strip()
    section = _text(field(stanza, b"Section")).rpartition("/")[2].strip()
    tags = field(stanza, b"Tag")
    return Package(name, source or name, section, expand_tags(_text(tags)) if tags else (), description)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _all_stanzas(paths: tuple[Path, ...], broken: list[str]) -> Iterator[bytes]:
    return itertools.chain.from_iterable(_readable_stanzas(path, broken) for path in paths)


def _readable_stanzas(path: Path, broken: list[str]) -> Iterator[bytes]:
    try:
        with _opened(path) as stream:
            yield from stanzas(stream)
    except (OSError, EOFError, lzma.LZMAError, subprocess.CalledProcessError):
        broken.append(path.name)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix in {".lz4", ".zst"}:
        with _helped(path) as stream:
            yield stream
    else:
        with _unpacked(path) as stream:
            yield stream


def _unpacked(path: Path) -> IO[bytes]:
    match path.suffix:
        case ".gz":
            return cast("IO[bytes]", gzip.open(path, "rb"))
        case ".xz":
            return cast("IO[bytes]", lzma.open(path, "rb"))
        case ".bz2":
            return cast("IO[bytes]", bz2.open(path, "rb"))
        case _:
            return path.open("rb")


@contextmanager
def _helped(path: Path) -> Iterator[IO[bytes]]:
    command = [str(APT_HELPER), "cat-file", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - apt's own tool
        yield cast("IO[bytes]", process.stdout)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
