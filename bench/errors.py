"""What the harness says when the user's words or data are off."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake that the user can mend: one line that names the thing, the place and the remedy; exit code 2."""


class TaskDataError(UserError):
    """The documents of a task break the contract of :class:`bench.task.TaskData`."""


class ModelError(UserError):
    """A model cannot be had, or its files are not what they should be."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Name an unknown ``kind`` (task, method, setting, …) together with the nearest valid name.

    Args:
        kind: What sort of thing was asked for, as a noun.
        name: The user's word.
        known: Every valid name.

    Returns:
        The error, ready to be raised.
    """
    valid = sorted(known)
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.4)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif valid:
        hint = f"valid: {', '.join(map(repr, valid[:12]))}{', …' if len(valid) > 12 else ''}"
    else:
        hint = "there is none"
    return UserError(f"unknown {kind} {name!r}; {hint}")
