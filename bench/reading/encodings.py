"""In which encoding a text file is written."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bench.errors import TaskDataError
from bench.reading.source import Reading, shown_path

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 2**20
_HEAD = 2**13
_SAMPLE = 2**16
_WESTERN = "cp1252"
_NAME_IT = "if it is text, name its encoding, encoding=utf-16-le say"


def encoding_of(path: Path, reading: Reading) -> str:
    """The encoding of a text file: the one that the user names, or what its mark or its bytes say.

    Without a mark that is UTF-8, if all of the file is, else a guess, which is noted.

    Raises:
        TaskDataError: The file is empty, or no text.
    """
    place = shown_path(path)
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head.strip() and _is_blank(path):
        raise TaskDataError(f"{place}: the file is empty")
    if reading.encoding is not None:
        # The same bytes, but for a mark at the beginning, which is no part of the text.
        return "utf-8-sig" if codecs.lookup(reading.encoding).name == "utf-8" else reading.encoding
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        raise TaskDataError(f"{place}: a binary file, not text; {_NAME_IT}")
    if _is_utf8(path):
        return "utf-8-sig"
    guess = _guess(path)
    reading.tally.guessed.setdefault(guess, []).append(place)
    return guess


@contextmanager
def opened(path: Path, encoding: str, newline: str = "") -> Iterator[TextIO]:
    """The file as text, its line ends as they are.

    Raises:
        TaskDataError: It cannot be opened.
    """
    try:
        stream = path.open(encoding=encoding, newline=newline)
    except OSError as error:
        raise TaskDataError(f"{shown_path(path)}: cannot be read: {error.strerror}") from error
    with stream:
        yield stream


def undecodable(place: str, encoding: str, error: UnicodeError) -> TaskDataError:
    """What to say of bytes that are none of the encoding's."""
    byte = f"byte {error.object[error.start]:#04x}" if isinstance(error, UnicodeDecodeError) else "the file"
    return TaskDataError(f"{place}: {byte} is not {encoding}; mend it, or name the file's encoding with encoding=")


def refuse_nul(text: str, place: str) -> None:
    """Refuse what no text holds.

    Raises:
        TaskDataError: There is a NUL character in it.
    """
    if "\0" in text:
        raise TaskDataError(f"{place}: a NUL character, as of a binary file; {_NAME_IT}")


def _is_blank(path: Path) -> bool:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if chunk.strip():
                return False
    return True


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess(path: Path) -> str:
    """The likeliest encoding of the lines that are not ASCII.

    Short texts of western Europe often are as good in another encoding of that family; then it is the usual one.

    Raises:
        TaskDataError: None is likely.
    """
    from charset_normalizer import from_bytes

    matches = list(from_bytes(_sample(path)))
    if not matches:
        raise TaskDataError(f"{shown_path(path)}: neither UTF-8 nor any text that can be told; name it with encoding=")
    best = matches[0]
    equals = [match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)]
    western = any(_WESTERN in match.could_be_from_charset for match in equals)
    return _WESTERN if western else str(best.encoding)


def _sample(path: Path) -> bytes:
    """Beginnings of lines that are not ASCII."""
    lines: list[bytes] = []
    size = 0
    with path.open("rb") as stream:
        while size < _SAMPLE and (line := stream.readline(_HEAD)):
            if not line.isascii():
                lines.append(line)
                size += len(line)
    return b"".join(lines)
