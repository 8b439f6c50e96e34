"""Names of new plugins, and what follows from them."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from bench.errors import UserError
from bench.registry import PluginKind

_RESERVED = frozenset({"tests", "build", "dist"})
"""Folders of every package."""


@dataclass(frozen=True)
class NewName:
    """The name of a plugin to be written.

    Attributes:
        name: What the user calls it, and its distribution: ``my-bayes``.
        module: Its package: ``my_bayes``.
        type: Its class: ``MyBayesMethod``.
    """

    name: str
    module: str
    type: str

    @classmethod
    def of(cls, name: str, kind: PluginKind, taken: Iterable[str]) -> NewName:
        """Check a name.

        Args:
            name: The user's word.
            kind: ``task`` or ``method``.
            taken: Names of known plugins, of both kinds.

        Raises:
            UserError: It cannot name a module, or something else has it.
        """
        module = name.replace("-", "_")
        if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name) or keyword.iskeyword(module):
            raise UserError(
                f"{name!r} cannot name a plugin; use letters a to z, digits and hyphens, a letter first, and no word "
                "of Python's own"
            )
        if name in set(taken):
            raise UserError(f"{name!r} is taken by a plugin that `bench list` shows; choose another name")
        if module in sys.stdlib_module_names or module in _RESERVED or importlib.util.find_spec(module) is not None:
            raise UserError(f"{name!r} is taken by the Python package {module}; choose another name")
        return cls(name, module, "".join(part.title() for part in module.split("_")) + kind.title())
