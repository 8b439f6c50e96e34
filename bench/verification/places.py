"""Where in a plugin's code something lies."""

from __future__ import annotations

import inspect
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Places:
    """Finds the lines of a plugin.

    Attributes:
        plugin: Its class; None where it did not import.
        base: The contract's class.
    """

    plugin: type[Any] | None
    base: type[Any]

    def of(self, attribute: str) -> str:
        """File, line and name of an attribute, or of the class where it does not define that; empty if unknown."""
        if self.plugin is None or not attribute:
            return ""
        found: Any = getattr(self.plugin, attribute, None)
        own = found is not None and found is not getattr(self.base, attribute, None)
        candidates: list[Any] = [found, self.plugin] if own else [self.plugin]
        for thing in candidates:
            try:
                file, line = inspect.getsourcefile(thing), inspect.getsourcelines(thing)[1]
            except (TypeError, OSError):
                continue
            return f"{_short(str(file))}:{line} {getattr(thing, '__qualname__', attribute)}"
        return ""

    def of_error(self, error: BaseException) -> str:
        """File, line and function of the plugin's frame that was innermost when an error was raised; or empty."""
        frames = traceback.extract_tb(error.__traceback__)
        if isinstance(error, SyntaxError) and error.filename:
            return f"{_short(error.filename)}:{error.lineno}"
        own = [frame for frame in frames if self._is_own(frame.filename)]
        return f"{_short(own[-1].filename)}:{own[-1].lineno} {own[-1].name}" if own else ""

    def _is_own(self, file: str) -> bool:
        source = inspect.getsourcefile(self.plugin) if self.plugin is not None else None
        if source is None or self.plugin is None:
            return False
        in_package = "." in self.plugin.__module__ and Path(file).parent == Path(source).parent
        return file == source or in_package


def _short(file: str) -> str:
    """The path below the current folder where it lies there."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
