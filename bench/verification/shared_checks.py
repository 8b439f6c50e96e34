"""What tasks and methods promise alike: light imports, a docstring, settings that explain themselves."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.errors import UserError
from bench.registry import HeavyImportError, Plugin, light_imports
from bench.settings import Settings
from bench.task import TaskSettings
from bench.verification.apart import apart
from bench.verification.findings import Check, Fault

IMPORTS = "can be imported"
SETTINGS = "its settings are declared and described"
_UNKNOWN = "a_setting_that_nobody_has"


@dataclass(frozen=True)
class Loaded:
    """A plugin with the user's settings; what both kinds of subjects are built on.

    Attributes:
        plugin: As it was found.
        given: The user's settings.
    """

    plugin: Plugin
    given: Mapping[str, Any]

    @cached_property
    def type(self) -> type[Any]:
        """The plugin's class."""
        return self.plugin.load()

    @cached_property
    def config(self) -> Settings:
        """Its settings."""
        return self.plugin.settings(self.given)

    def fresh(self) -> Any:
        """A new instance."""
        return self.type(self.config)


def imports(subject: Loaded) -> None:
    """It imports, and is a class of its kind with nothing left abstract."""
    try:
        found = subject.plugin.load()
    except UserError as error:
        raise Fault(str(error), "mend the import, or the name behind the entry point") from error
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise Fault(f"{found.__name__} does not define {missing}", f"write `def {missing}` as docs/plugins.md shows it")


def imports_lightly(subject: Loaded) -> None:
    """It imports no heavy library at its top, in a process that has none yet."""
    heavy = apart(heavy_import, subject.plugin)
    if heavy:
        raise Fault(f"it {heavy}", "move that import into the function that uses it, so that `bench list` stays quick")


def heavy_import(plugin: Plugin) -> str:
    """Which heavy library importing a plugin imports; empty for none."""
    with light_imports():
        try:
            plugin.load()
        except HeavyImportError as error:
            return str(error)
    return ""


def has_docstring(subject: Loaded) -> None:
    """Its class says in one line what it is."""
    found = subject.plugin.load()
    lines = (subject.plugin.about or found.__doc__ or "").strip().splitlines()
    if not lines:
        raise Fault(f"{found.__name__} has no docstring", "write one; its first line is shown by `bench list`")


def describes_settings(subject: Loaded) -> None:
    """``Config`` is of the right class, every setting has a description, and the defaults hold."""
    found = subject.plugin.load()
    base = TaskSettings if subject.plugin.kind == "task" else Settings
    config = getattr(found, "Config", None)
    if not (inspect.isclass(config) and issubclass(config, base)):
        raise Fault(f"Config is {config!r}", f"make it a subclass of {base.__module__}.{base.__name__}")
    bare = [name for name, info in config.model_fields.items() if not info.description]
    if bare:
        raise Fault(
            f"{', '.join(bare)} of {config.__name__} has no description",
            f'write `{bare[0]}: … = Field(…, description="…")`, for `bench show {subject.plugin.name}`',
        )
    try:
        subject.plugin.settings(subject.given)
    except UserError as error:
        raise Fault(str(error), "give it a default that is in its range, or name a value with --set") from error


def refuses_unknown(subject: Loaded) -> None:
    """A setting that is not declared is an error, so that a slip of the pen is noticed."""
    config = subject.plugin.load().Config
    try:
        config(**{**subject.plugin.preset, **subject.given, _UNKNOWN: 1})
    except ValueError:
        return
    raise Fault(
        f"{config.__name__} takes settings that it does not have",
        'leave model_config as bench.settings.Settings has it (extra="forbid")',
    )


SHARED: tuple[Check[Any], ...] = (
    Check(IMPORTS, imports),
    Check("imports nothing heavy at its top", imports_lightly, needs=(IMPORTS,)),
    Check("has a docstring", has_docstring, at="__doc__", needs=(IMPORTS,)),
    Check(SETTINGS, describes_settings, at="Config", needs=(IMPORTS,)),
    Check("refuses unknown settings", refuses_unknown, at="Config", needs=(IMPORTS, SETTINGS)),
)
