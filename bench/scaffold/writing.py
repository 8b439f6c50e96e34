"""Writing a new package from its templates."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from bench.errors import UserError
from bench.files import new_folder
from bench.registry import PluginKind
from bench.scaffold.names import NewName

ABOUT: Mapping[PluginKind, str] = {
    "task": "Messages to a shop, by the desk that answers them.",
    "method": "Naive Bayes on word counts, one label against the rest.",
}
_SUFFIX = ".jinja"


def write_package(kind: PluginKind, name: NewName, parent: Path, tried: str) -> Path:
    """Write an installable package with a working example.

    Args:
        kind: ``task`` or ``method``.
        name: A checked name.
        parent: The folder to put the package's folder into.
        tried: The command that runs it.

    Returns:
        The package's folder, ``parent/NAME``.

    Raises:
        UserError: The folder exists, or cannot be written; nothing is written.
    """
    folder = parent / name.name
    if folder.exists():
        raise UserError(f"{folder} exists; remove it, or choose another place with --to")
    values = {
        "kind": kind,
        "name": name.name,
        "module": name.module,
        "class": name.type,
        "about": ABOUT[kind],
        "tried": tried,
    }
    try:
        with new_folder(folder) as temporary:
            _write(files("bench.scaffold") / "templates" / kind, temporary, values)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}; choose another place with --to") from error
    return folder


def _write(source: Traversable, target: Path, values: Mapping[str, str]) -> None:
    """A folder of templates, rendered, and of plain files, copied, below a folder."""
    for entry in source.iterdir():
        place = target / _renamed(entry.name, values["module"])
        if entry.is_dir():
            place.mkdir()
            _write(entry, place, values)
        elif entry.name.endswith(_SUFFIX):
            place.write_text(_rendered(entry.read_text("utf-8"), values), "utf-8")
        else:
            place.write_bytes(entry.read_bytes())


def _renamed(name: str, module: str) -> str:
    """``module`` is the package's folder; ``MODULE`` in a name stands for its name."""
    return module if name == "module" else name.removesuffix(_SUFFIX).replace("MODULE", module)


def _rendered(template: str, values: Mapping[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined

    # It makes Python, TOML and Markdown, in which HTML's escapes would be errors.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    environment.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]
    return environment.from_string(template).render(values)
