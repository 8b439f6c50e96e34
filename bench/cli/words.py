"""From the user's words to settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.errors import UserError


def parse_sets(words: Iterable[str] | None) -> dict[str, Any]:
    """``KEY=VALUE`` words as a mapping; values are read as YAML, so that ``3``, ``true`` and ``[a, b]`` mean that.

    What is no YAML is a word.

    Raises:
        UserError: A word has no ``=``.
    """
    import yaml

    found: dict[str, Any] = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise UserError(f"--set {word}: write KEY=VALUE")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):  # what looks like a date may be none
            found[key.strip()] = value
    return found


def of_plugin(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for one plugin; ``NAME.key`` is accepted as well as ``key``."""
    return {key.removeprefix(f"{name}."): value for key, value in given.items()}
