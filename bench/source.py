"""Hashes of source code: of a module and of every first-party module that it imports, found without importing any."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HARNESS_PACKAGES = ("bench", "baselines", "tasks", "report")


@dataclass(frozen=True)
class FirstParty:
    """Where first-party code lies.

    Attributes:
        packages: Top-level package → its folder.
        folder: A folder whose modules import each other by bare name, as beside a loose plugin file.
    """

    packages: Mapping[str, Path]
    folder: Path | None = None

    @classmethod
    def of(cls, *modules: str, folder: Path | None = None) -> FirstParty:
        """The harness's own packages and those that hold these modules."""
        tops = dict.fromkeys([*HARNESS_PACKAGES, *(module.partition(".")[0] for module in modules)])
        found = {top: place for top in tops if (place := _package_folder(top)) is not None}
        return cls(found, folder)

    def file(self, module: str) -> Path | None:
        """The file of a module; None where it is not first-party or does not exist."""
        top, *rest = module.split(".")
        base = self.packages.get(top)
        if base is None:
            base = self.folder / top if self.folder is not None else None
        if base is None:
            return None
        place = base.joinpath(*rest)
        for candidate in (place / "__init__.py", place.with_suffix(".py")):
            if candidate.is_file():
                return candidate
        return None


@dataclass(frozen=True)
class SourceHasher:
    """Hashes modules together with all first-party code that they reach.

    Attributes:
        first_party: Where first-party code lies.
    """

    first_party: FirstParty

    def hash(self, modules: Iterable[str], files: Iterable[Path] = ()) -> str:
        """One hash over these modules, these loose files, and what they import, in an order of its own."""
        reached: dict[str, str] = {}
        for file in files:
            self._visit(f"file:{file.name}", file, reached)
        for module in modules:
            self._visit_with_packages(module, reached)
        lines = "\n".join(f"{name} {digest}" for name, digest in sorted(reached.items()))
        return hashlib.blake2b(lines.encode(), digest_size=16).hexdigest()

    def _visit(self, module: str, path: Path, reached: dict[str, str]) -> None:
        if module in reached:
            return
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        facts = path.stat()
        reached[module], imported = _read(path, package, (facts.st_mtime_ns, facts.st_size))
        for name in imported:
            self._visit_with_packages(name, reached)

    def _visit_with_packages(self, module: str, reached: dict[str, str]) -> None:
        """Importing a.b.c runs a and a.b first."""
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            prefix = ".".join(parts[:end])
            path = self.first_party.file(prefix)
            if path is not None:
                self._visit(prefix, path, reached)


@lru_cache(maxsize=4096)
def _read(path: Path, package: str, _stamp: tuple[int, int]) -> tuple[str, tuple[str, ...]]:
    """Hash and imports of a file; time and size are part of the key, so that a plan reads each file once."""
    source = path.read_bytes()
    digest = hashlib.blake2b(source, digest_size=16).hexdigest()
    return digest, tuple(dict.fromkeys(_imported_names(source, package)))


def _package_folder(top: str) -> Path | None:
    """The folder of a top-level package, or of a single-file module the path less its suffix."""
    module = sys.modules.get(top)
    origin = getattr(module, "__file__", None)
    if origin is None:
        spec = importlib.util.find_spec(top)
        origin = spec.origin if spec is not None else None
    if origin is None:
        return None
    path = Path(origin)
    return path.parent if path.name == "__init__.py" else path.with_suffix("")


def _imported_names(source: bytes, package: str) -> Iterator[str]:
    """Every module that a source may import, wherever the statement stands; ``from a import b`` gives ``a.b`` too."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node.module or "", node.level, package)
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)


def _absolute(module: str, level: int, package: str) -> str:
    if level == 0:
        return module
    parts = package.split(".")
    kept = parts[: len(parts) - level + 1]
    return ".".join([*kept, module]).strip(".")
