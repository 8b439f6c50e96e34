"""Typed settings of plugins: declared as pydantic models, unknown keys refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import UserError, unknown_name


class Settings(BaseModel):
    """Base of every plugin's ``Config``: immutable, unknown keys refused, defaults checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, protected_namespaces=())


@dataclass(frozen=True)
class Location:
    """Marks a setting that says where something lies, not what it is: it is no part of a cell's name."""


Place = Annotated[str, Location()]
"""A path. In a YAML plugin it is read relative to the file's folder. See :class:`Location`."""


AnySettings = TypeVar("AnySettings", bound=Settings)


def resolve_settings(config: type[AnySettings], given: Mapping[str, Any], owner: str) -> AnySettings:
    """Turn the user's words into settings.

    Args:
        config: The plugin's settings class.
        given: What the user set; every other key takes its default.
        owner: The plugin's name, for the message.

    Returns:
        The complete, checked settings.

    Raises:
        UserError: A key is unknown or a value is out of its range.
    """
    for key in given:
        if key not in config.model_fields:
            raise unknown_name(f"setting of {owner}", key, config.model_fields)
    try:
        return config(**given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        named = f"setting {owner}.{place}={first.get('input')!r}" if place else f"settings of {owner}"
        raise UserError(f"{named}: {first['msg'].removeprefix('Value error, ')}") from None


def settings_dict(settings: Settings) -> dict[str, Any]:
    """The settings as plain JSON values, in the order of their declaration."""
    return settings.model_dump(mode="json")


def locations(config: type[Settings]) -> list[str]:
    """Names of the settings that are marked as a :class:`Location`."""
    return [key for key, info in config.model_fields.items() if any(_marks(info.annotation, info.metadata))]


def naming_settings(settings: Settings) -> dict[str, Any]:
    """The settings that name a cell: all but locations."""
    return settings.model_dump(mode="json", exclude=set(locations(type(settings))))


def expanded(path: str) -> Path:
    """A path of the user's with ``~`` spelt out; one of an unknown user stays as it is, and does not exist."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises where the user is unknown


def anchored(config: type[Settings], given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The user's words with relative locations put below a folder."""
    here = set(locations(config))
    return {
        key: str(folder / expanded(value)) if key in here and isinstance(value, str) and value else value
        for key, value in given.items()
    }


def _marks(annotation: Any, metadata: Iterable[Any]) -> Iterator[Location]:
    """The marks of a type and of its parts: of ``Place | None`` the mark is on a part."""
    yield from (mark for mark in metadata if isinstance(mark, Location))
    for part in get_args(annotation):
        yield from _marks(part, getattr(part, "__metadata__", ()))


def describe_settings(settings: Settings) -> list[dict[str, Any]]:
    """Key, value, type and meaning of every setting, for showing."""
    values = settings_dict(settings)
    return [
        {
            "key": key,
            "value": values[key],
            "type": str(getattr(info.annotation, "__name__", info.annotation)).replace("typing.", ""),
            "meaning": info.description or "",
        }
        for key, info in type(settings).model_fields.items()
    ]
