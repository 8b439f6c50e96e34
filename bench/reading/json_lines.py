"""JSON: an object a line, or a list of objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import TaskDataError
from bench.reading.encodings import encoding_of, opened, undecodable
from bench.reading.source import Reading, Record, Source, shown_path


def open_json_lines(path: Path, reading: Reading) -> Source:
    """One object a line.

    Raises:
        TaskDataError: The file is empty or no text.
    """
    return JsonLines(path, encoding_of(path, reading), reading).source()


def open_json(path: Path, reading: Reading) -> Source:
    """A list of objects, which is read whole; or one object a line.

    Raises:
        TaskDataError: The file is neither.
    """
    encoding = encoding_of(path, reading)
    place = shown_path(path)
    with opened(path, encoding) as stream:
        try:
            beginning = next((line for line in stream if line.strip()), "").lstrip()
        except UnicodeError as error:
            raise undecodable(place, encoding, error) from error
    if not beginning.startswith("["):
        return JsonLines(path, encoding, reading).source()
    objects = _list(path, encoding)

    def records() -> Iterator[Record]:
        for number, value in enumerate(objects, start=1):
            cells = {name: value.get(name) for name in reading.columns}
            yield Record(f"{place}, item {number}", cells, number=number)

    return Source(place, _columns(lambda: iter(objects), reading.columns), records)


@dataclass(frozen=True)
class JsonLines:
    """A file with an object a line.

    Attributes:
        path: Where it lies.
        encoding: How it is written.
        reading: What the user wants of it.
    """

    path: Path
    encoding: str
    reading: Reading

    def source(self) -> Source:
        """The file, opened.

        Raises:
            TaskDataError: No line is an object; the message names the first that is something else.
        """
        place = shown_path(self.path)
        if next(self.objects(), None) is None:
            number, line = next((numbered for numbered in self._lines() if numbered[1].strip()), (1, ""))
            raise TaskDataError(f"{place}, line {number}: {_object(line)}; no line of the file is a JSON object")
        return Source(place, _columns(self.objects, self.reading.columns), self.records)

    def objects(self) -> Iterator[dict[str, Any]]:
        """The objects of the lines that can be read, nothing said of the others."""
        for _, line in self._lines():
            found = _object(line)
            if isinstance(found, dict):
                yield found

    def records(self) -> Iterator[Record]:
        """The records; every line that is none is refused or counted."""
        place = shown_path(self.path)
        for number, line in self._lines():
            found = _object(line)
            if isinstance(found, dict):
                cells = {name: found.get(name) for name in self.reading.columns}
                yield Record(f"{place}, line {number}", cells, number=number)
            elif not line.strip():
                self.reading.tally.skipped["blank line"] += 1
            else:
                self.reading.bad_row(f"{place}, line {number}", f"{found}; mend it", "line that is no JSON object")

    def _lines(self) -> Iterator[tuple[int, str]]:
        number = 0
        with opened(self.path, self.encoding, newline="\n") as stream:
            try:
                for number, line in enumerate(stream, start=1):
                    yield number, line
            except UnicodeError as error:
                place = f"{shown_path(self.path)}, after line {number}"
                raise undecodable(place, self.encoding, error) from error


def _object(line: str) -> dict[str, Any] | str:
    """The object of a line, or what is wrong with it."""
    try:
        value = json.loads(line.rstrip(), object_pairs_hook=_with_unique_keys)
    except json.JSONDecodeError as error:
        return f"no JSON: {error.msg} at character {error.colno}"
    except (ValueError, RecursionError) as error:  # a key twice, a number of too many digits, a list too deep
        return f"JSON that cannot be read: {error}"
    return value if isinstance(value, dict) else f"a JSON {type(value).__name__} where an object is needed"


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in found if names.count(name) > 1)!r} is there twice")
    return found


def _list(path: Path, encoding: str) -> list[dict[str, Any]]:
    place = shown_path(path)
    with opened(path, encoding) as stream:
        try:
            values: list[Any] = json.load(stream, object_pairs_hook=_with_unique_keys)
        except json.JSONDecodeError as error:
            raise TaskDataError(f"{place}, line {error.lineno}: no JSON: {error.msg}; mend it") from error
        except UnicodeError as error:
            raise undecodable(place, encoding, error) from error
        except (ValueError, RecursionError) as error:
            raise TaskDataError(f"{place}: JSON that cannot be read: {error}; mend it") from error
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise TaskDataError(
                f"{place}, item {number}: a JSON {type(value).__name__} where an object is needed; mend it"
            )
    if not values:
        raise TaskDataError(f"{place}: the list is empty")
    return values


def _columns(objects: Callable[[], Iterator[dict[str, Any]]], needed: Sequence[str]) -> tuple[str, ...]:
    """The keys of the first objects, of as many as it takes to have seen every needed one."""
    seen: dict[str, None] = {}
    for value in objects():
        seen.update(dict.fromkeys(value))
        if all(name in seen for name in needed):
            break
    return tuple(seen)
