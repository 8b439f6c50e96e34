"""From codes to categories: by a level of the classification, or by a user's file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.errors import TaskDataError
from tasks.wipo.codes import Level, at_level, normalise, path

if TYPE_CHECKING:
    from yaml import SafeLoader


class Scheme(Protocol):
    """Makes categories of normalised codes."""

    @property
    def unnamed(self) -> str:
        """What is said of codes that have no category."""
        ...

    def category(self, code: str) -> str | None:
        """The category of a code; None where it has none."""
        ...

    def names(self, mains: Iterable[str]) -> list[str]:
        """The names of the label space, sorted, given the categories of all main codes."""
        ...

    def ancestors(self, names: Iterable[str]) -> tuple[tuple[str, ...], ...] | None:
        """The ancestors of categories; None where they have no hierarchy."""
        ...


@dataclass(frozen=True)
class LevelScheme:
    """A code's beginning at a level.

    Attributes:
        level: The level.
    """

    level: Level

    @property
    def unnamed(self) -> str:
        """What is said of codes that have no category."""
        return f"code that ends above the level {self.level}"

    def category(self, code: str) -> str | None:
        """The code's beginning."""
        return at_level(code, self.level)

    def names(self, mains: Iterable[str]) -> list[str]:
        """The beginnings of main codes."""
        return sorted(set(mains))

    def ancestors(self, names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """The levels above."""
        return tuple(path(name)[:-1] for name in names)


@dataclass(frozen=True)
class MappedScheme:
    """Categories of a user's file: the longest beginning of a code that the file names decides.

    Attributes:
        categories: Normalised code of any level → category.
    """

    categories: Mapping[str, str]

    @property
    def unnamed(self) -> str:
        """What is said of codes that have no category."""
        return "code that the mapping does not name"

    def category(self, code: str) -> str | None:
        """The category of the nearest level that has one."""
        return next((self.categories[level] for level in reversed(path(code)) if level in self.categories), None)

    def names(self, mains: Iterable[str]) -> list[str]:
        """Every category of the file."""
        return sorted(set(self.categories.values()))

    def ancestors(self, names: Iterable[str]) -> None:
        """None: the categories stand side by side."""
        return


def read_mapping(place: Path) -> MappedScheme:
    """Read a user's file: ``.csv`` with the columns code and category; ``.yaml`` or ``.json``, code → category.

    Raises:
        TaskDataError: It cannot be read, holds something else, a code is none, or two rows contradict each other.
    """
    readers = {".csv": _csv, ".json": _json, ".yaml": _yaml, ".yml": _yaml}
    reader = readers.get(place.suffix.lower())
    if reader is None:
        raise TaskDataError(f"mapping {place}: give a .csv, .yaml or .json file")
    try:
        pairs = reader(place.read_text("utf-8-sig"), place)
    except OSError as error:
        raise TaskDataError(f"mapping {place} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TaskDataError(f"mapping {place} is not UTF-8; save it as UTF-8") from None
    return MappedScheme(_checked(pairs, place))


def _checked(pairs: Iterable[tuple[str, str, Any]], place: Path) -> dict[str, str]:
    categories: dict[str, str] = {}
    for where, raw, value in pairs:
        code = normalise(raw)
        if code is None:
            raise TaskDataError(f"mapping {place}, {where}: {raw!r} is no code; write A, A01, A01B or A01B 1/00")
        if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
            raise TaskDataError(f"mapping {place}, {where}: the category of {raw!r} is no text; put it in quotes")
        category = str(value).strip()
        if categories.setdefault(code, category) != category:
            raise TaskDataError(
                f"mapping {place}, {where}: {raw!r} is {category!r} here and {categories[code]!r} above; keep one"
            )
    if len(set(categories.values())) < 2:
        raise TaskDataError(f"mapping {place} has {len(set(categories.values()))} categories; a task needs two or more")
    return categories


def _csv(text: str, place: Path) -> list[tuple[str, str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not {"code", "category"} <= set(reader.fieldnames or ()):
        raise TaskDataError(f"mapping {place}: its first row must name the columns code and category")
    return [(f"row {reader.line_num}", row["code"] or "", row["category"]) for row in reader]


def _json(text: str, place: Path) -> list[tuple[str, str, Any]]:
    try:
        return _entries(json.loads(text, object_pairs_hook=tuple), place)
    except json.JSONDecodeError as error:
        raise TaskDataError(f"mapping {place}: no JSON, {error}") from None


def _yaml(text: str, place: Path) -> list[tuple[str, str, Any]]:
    import yaml

    try:
        return _entries(_yaml_pairs(yaml.SafeLoader(text)), place)
    except yaml.YAMLError as error:
        raise TaskDataError(f"mapping {place}: no YAML, {' '.join(str(error).split())}") from None


def _yaml_pairs(loader: SafeLoader) -> tuple[tuple[Any, Any], ...] | None:
    """The pairs of the mapping that a document is; None where it is none."""
    from yaml import MappingNode

    node = loader.get_single_node()
    if not isinstance(node, MappingNode):
        return None
    key_and_value = ([loader.construct_object(part, deep=True) for part in pair] for pair in node.value)
    return tuple((key, value) for key, value in key_and_value)


def _entries(pairs: Any, place: Path) -> list[tuple[str, str, Any]]:
    """The entries of a mapping, given as a tuple of pairs: a dictionary would keep the last of two with one key."""
    if not isinstance(pairs, tuple):
        raise TaskDataError(f"mapping {place}: write CODE: CATEGORY, one a line")
    return [(f"entry {number}", str(code), value) for number, (code, value) in enumerate(pairs, 1)]
