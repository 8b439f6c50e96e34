"""Plugins: tasks and methods found by entry point, or in a loose ``.py`` or ``.yaml`` that the user names."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from bench.errors import UserError, unknown_name
from bench.files import why_absent
from bench.method import Method
from bench.settings import Settings, anchored, resolve_settings
from bench.source import FirstParty, SourceHasher
from bench.task import Task

PluginKind = Literal["task", "method"]
GROUPS: Mapping[PluginKind, str] = {"task": "bench.tasks", "method": "bench.methods"}
YAML_GROUP = "bench.plugins"
"""Entry points that name a package whose YAML files are plugins."""
BASES: Mapping[PluginKind, type] = {"task": Task, "method": Method}
_NAME = re.compile(r"\w[\w.-]*")
"""Names become parts of paths."""
HEAVY = ("torch", "transformers", "sklearn", "scipy", "pandas", "tensorflow", "jax")


@dataclass(frozen=True)
class Plugin:
    """A task or a method as it was found; nothing of it is imported yet.

    Attributes:
        kind: ``task`` or ``method``.
        name: What the user calls it.
        module: The module that holds its class.
        attribute: The name of its class there.
        origin: The distribution or the file that brought it.
        file: The loose file that holds the module; None for an installed one.
        preset: Settings that a YAML file fixed.
        about: What a YAML file says of it.
        brought_by: The words with which a command finds a loose one: ``--plugins FILE``.
        error: Why it is broken; empty where it is not known to be.
    """

    kind: PluginKind
    name: str
    module: str
    attribute: str
    origin: str
    file: Path | None = None
    preset: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    brought_by: str = ""
    error: str = ""

    def load(self) -> type[Any]:
        """Import the plugin's class.

        Raises:
            UserError: It does not import, or is not what its kind asks for.
        """
        if self.error:
            raise UserError(f"{self.kind} {self.name!r} from {self.origin} is broken: {self.error}")
        with self.guarded():
            module = _import_file(self.file) if self.file is not None else importlib.import_module(self.module)
            found = getattr(module, self.attribute)
        if not (inspect.isclass(found) and issubclass(found, BASES[self.kind])):
            raise UserError(
                f"{self.kind} {self.name!r} from {self.origin} is broken: {self.attribute} is not a subclass of "
                f"bench.{self.kind}.{BASES[self.kind].__name__}"
            )
        return found if self.kind == "method" else self._named(found)

    def _named(self, found: type[Any]) -> type[Any]:
        """The class of a task under the name of its YAML file, so that it can tell its remedy."""
        if getattr(found, "name", None) == self.name:
            return found
        kept = {"__doc__": found.__doc__, "__module__": found.__module__}
        own = {"name": self.name, "preset": self.preset, "brought_by": self.brought_by}
        return type(found.__name__, (found,), kept | own)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What the plugin's own code raises in here comes out as one line that names the plugin.

        Raises:
            UserError: The code raised something else.
        """
        try:
            yield
        except (UserError, HeavyImportError):
            raise
        except Exception as error:
            raise UserError(f"{self.kind} {self.name!r} from {self.origin} is broken: {_one_line(error)}") from error

    def settings(self, given: Mapping[str, Any]) -> Settings:
        """The plugin's settings, the user's words over the file's over the defaults."""
        config: type[Settings] = self.load().Config
        return resolve_settings(config, {**self.preset, **given}, self.name)

    def with_preset(self, given: Mapping[str, Any], folder: Path) -> Plugin:
        """The same with settings fixed; relative locations among them lie below ``folder``."""
        try:
            config: type[Settings] = self.load().Config
        except (UserError, HeavyImportError):  # what is wrong with it will be said where it is used
            return replace(self, preset={**self.preset, **given})
        return replace(self, preset={**self.preset, **anchored(config, given, folder)})

    def source_hash(self, *also: str) -> str:
        """A hash of the plugin's code, of the first-party code that it reaches, and of the modules ``also``."""
        folder = self.file.parent if self.file is not None else None
        hasher = SourceHasher(FirstParty.of(self.module, *also, folder=folder))
        if self.file is not None:
            return hasher.hash(also, [self.file])
        return hasher.hash([self.module, *also])


@dataclass(frozen=True)
class Registry:
    """All plugins of this run.

    Attributes:
        plugins: Every plugin found, in order of kind and name; broken ones too.
        files: The loose files they came from, for handing to other processes.
    """

    plugins: tuple[Plugin, ...]
    files: tuple[Path, ...] = ()

    @classmethod
    def discover(cls, files: Iterable[Path] = ()) -> Registry:
        """Find plugins among the installed distributions and in loose files (or the files of a folder).

        Raises:
            UserError: A file does not exist or is neither ``.py`` nor ``.yaml``.
        """
        paths = tuple(path for file in files for path in _expand(Path(file)))
        found = list(_installed())
        found += [plugin for path, origin in _installed_files() for plugin in [_in_yaml(path, found, origin)]]
        for path in paths:
            found += _in_file(path, found)
        named = sorted(map(_mark_odd_name, found), key=lambda p: (p.kind, p.name))
        return cls(tuple(_mark_duplicates(named)), paths)

    def of(self, kind: PluginKind) -> dict[str, Plugin]:
        """Name → plugin of one kind."""
        return {plugin.name: plugin for plugin in self.plugins if plugin.kind == kind}

    def get(self, kind: PluginKind, name: str) -> Plugin:
        """One plugin by name.

        Raises:
            UserError: There is none of that name; the nearest one is named.
        """
        known = self.of(kind)
        if name not in known:
            raise unknown_name(kind, name, known)
        return known[name]

    def find(self, name: str) -> Plugin:
        """A plugin of any kind by name.

        Raises:
            UserError: There is none of that name.
        """
        for plugin in self.plugins:
            if plugin.name == name:
                return plugin
        raise unknown_name("task or method", name, [plugin.name for plugin in self.plugins])


class HeavyImportError(ImportError):
    """A plugin imports a heavy library at its top, which listing does not pay for."""


@contextmanager
def light_imports() -> Iterator[None]:
    """While open, importing a heavy library that is not imported yet raises :class:`HeavyImportError`."""
    blocker = _HeavyBlocker()
    sys.meta_path.insert(0, blocker)
    try:
        yield
    finally:
        sys.meta_path.remove(blocker)


class _HeavyBlocker:
    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.partition(".")[0] in HEAVY:
            raise HeavyImportError(f"imports {name} at its top")
        return None


def _installed() -> Iterator[Plugin]:
    for kind, group in GROUPS.items():
        for entry in entry_points(group=group):
            origin = entry.dist.name if entry.dist is not None else "?"
            yield Plugin(kind, entry.name, entry.module, entry.attr, origin)


def _installed_files() -> Iterator[tuple[Path, str]]:
    """YAML files of installed packages, with the distribution that brought them."""
    for entry in entry_points(group=YAML_GROUP):
        spec = importlib.util.find_spec(entry.value)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            for path in sorted(Path(folder).glob("*.yaml")):
                yield path, entry.dist.name if entry.dist is not None else "?"


def _expand(path: Path) -> list[Path]:
    reason = why_absent(path)
    if reason is not None:
        raise UserError(f"--plugins {path}: {reason}")
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in {".py", ".yaml", ".yml"})
    if not path.is_file():
        raise UserError(f"--plugins {path}: no regular file")
    if path.suffix not in {".py", ".yaml", ".yml"}:
        raise UserError(f"--plugins {path}: a plugin is a .py or a .yaml file")
    return [path]


def _in_file(path: Path, known: list[Plugin]) -> list[Plugin]:
    found = _in_python(path) if path.suffix == ".py" else [_in_yaml(path, known, str(path))]
    words = f"--plugins {shlex.quote(str(path))}"
    return [replace(plugin, brought_by=f"{plugin.brought_by} {words}".strip()) for plugin in found]


def _in_python(path: Path) -> list[Plugin]:
    path = path.resolve()
    name = _module_name(path)
    try:
        module = _import_file(path)
    except HeavyImportError:
        return [Plugin("task", path.stem, name, "", str(path), path)]
    except Exception as error:  # a stranger's module may raise anything
        return [Plugin("task", path.stem, name, "", str(path), path, error=_one_line(error))]
    found = [
        Plugin(kind, str(vars(value)["name"]), name, attribute, str(path), path)
        for attribute, value in vars(module).items()
        for kind, base in BASES.items()
        if inspect.isclass(value)
        and issubclass(value, base)
        and value.__module__ == name
        and not inspect.isabstract(value)
        and isinstance(vars(value).get("name"), str)
    ]
    missing = "it defines no named subclass of bench.task.Task or bench.method.Method"
    return found or [Plugin("task", path.stem, name, "", str(path), path, error=missing)]


def _in_yaml(path: Path, known: list[Plugin], origin: str) -> Plugin:
    """``name``, ``base``, ``settings``, ``description``: another plugin under a new name with settings of its own."""
    import yaml

    broken = Plugin("task", path.stem, "", "", origin, path)
    try:
        # The safe loader in C, where there is one, takes a tenth of the time: listing reads every file.
        content = yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, ValueError) as error:  # not UTF-8, or what looks like a date is none
        return replace(broken, error=_one_line(error))
    keys = {"name", "base", "settings", "description"}
    if not isinstance(content, dict) or not {"name", "base"} <= set(content) <= keys:
        return replace(broken, error="a YAML plugin has the keys name, base, settings and description")
    given = content.get("settings") or {}
    if not isinstance(given, dict):
        return replace(broken, error="settings of a YAML plugin are a mapping of keys to values")
    for plugin in known:
        if plugin.name == content["base"]:
            about = " ".join(str(content.get("description") or "").split())
            return replace(plugin, name=str(content["name"]), origin=origin, about=about).with_preset(
                given, path.parent
            )
    return replace(broken, error=str(unknown_name("base", str(content["base"]), [p.name for p in known])))


def _mark_odd_name(plugin: Plugin) -> Plugin:
    if plugin.error or not plugin.attribute or _NAME.fullmatch(plugin.name):
        return plugin
    return replace(
        plugin, error="a name is made of letters, digits, '_', '.' and '-', and begins with none of the last two"
    )


def _mark_duplicates(plugins: list[Plugin]) -> Iterator[Plugin]:
    first: dict[tuple[str, str], Plugin] = {}
    for plugin in plugins:
        earlier = first.setdefault((plugin.kind, plugin.name), plugin)
        if earlier is plugin:
            yield plugin
        else:
            name = f"{plugin.name} ({plugin.origin})"
            yield replace(plugin, name=name, error=f"the name is taken by {earlier.origin}")


def _module_name(path: Path) -> str:
    return f"bench_plugin_{path.stem}_{hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()}"


def _import_file(path: Path) -> ModuleType:
    """Import a loose file once a process; modules beside it can be imported by their bare names."""
    path = path.resolve()
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
