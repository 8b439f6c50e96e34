"""Suites: YAML files that span a set of cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bench import embedded
from bench.errors import UserError, unknown_name
from bench.model import RANDOM
from bench.settings import expanded

EMBEDDED_MODELS = tuple(embedded.ARCHITECTURES)


class Suite(BaseModel):
    """Tasks × methods × models × seeds, with settings by plugin name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "custom"
    description: str = ""
    tasks: tuple[str, ...] = Field(default=(), description="task names; none means all")
    methods: tuple[str, ...] = Field(default=(), description="method names; none means all")
    models: tuple[str, ...] = Field(
        default=EMBEDDED_MODELS,
        description="names, or {name: …, weights: random}; each method takes those of its architecture",
        min_length=1,
    )
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="settings of a task or method, or of TASK/METHOD for that pair alone"
    )

    every_task: dict[str, Any] = Field(
        default_factory=dict, description="settings of every task that has them, unless `settings` says otherwise"
    )

    @field_validator("models", mode="before")
    @classmethod
    def _named(cls, models: Any) -> Any:
        """``{name: X, weights: random}`` is written ``X:random`` wherever a model is named by one word."""
        if not isinstance(models, list):
            return models
        return [_model_name(entry) if isinstance(entry, dict) else entry for entry in models]

    def of_methods(self, methods: Collection[str]) -> Suite:
        """A suite that says of methods what this one does, and nothing else."""
        kept = {owner: given for owner, given in self.settings.items() if owner.rpartition("/")[2] in methods}
        return Suite(settings=kept)

    def task_settings(self, task: str, known: Collection[str]) -> dict[str, Any]:
        """What this suite sets of a task whose settings are ``known``: its own words over those of every task."""
        common = {key: value for key, value in self.every_task.items() if key in known}
        return {**common, **self.settings.get(task, {})}

    def method_settings(self, task: str, method: str) -> dict[str, Any]:
        """What this suite sets of a method on a task: the pair's words over the method's."""
        return {**self.settings.get(method, {}), **self.settings.get(f"{task}/{method}", {})}


def _model_name(entry: dict[str, Any]) -> str:
    unknown = set(entry) - {"name", "weights"}
    if unknown or not isinstance(entry.get("name"), str):
        raise ValueError(f"a model has the keys name and weights, not {', '.join(map(str, entry))}")
    weights = entry.get("weights", "pretrained")
    if weights not in {"pretrained", "random"}:
        raise ValueError(f"weights of {entry['name']} are pretrained or random, not {weights!r}")
    return f"{entry['name']}{RANDOM}" if weights == "random" else entry["name"]


def load_suite(name: str) -> Suite:
    """A suite by the name of a built-in one or by the path of a YAML file.

    Raises:
        UserError: There is none, it is not YAML, or one of its keys is unknown.
    """
    path = expanded(name)
    if path.suffix in {".yaml", ".yml"}:
        return parse_suite(_text(path), path.stem, name)
    built_in = dict(built_in_suites())
    if name not in built_in:
        raise unknown_name("suite", name, built_in)
    return parse_suite(built_in[name], name, name)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise UserError(f"suite {path}: no such file") from None
    except OSError as error:
        raise UserError(f"suite {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"suite {path} is not UTF-8; save it as that") from None


def built_in_suites() -> Iterator[tuple[str, str]]:
    """Name and YAML text of every suite that comes with the harness."""
    for entry in sorted(files("bench.suites").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".yaml"):
            yield entry.name.removesuffix(".yaml"), entry.read_text("utf-8")


def parse_suite(text: str, name: str, place: str) -> Suite:
    """Read a suite from YAML text; ``place`` names it in errors."""
    import yaml

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date is none
        raise UserError(f"suite {place} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"suite {place} is not a mapping of keys such as tasks, methods, seeds")
    for key in content:
        if key not in Suite.model_fields:
            raise unknown_name(f"key of suite {place}", str(key), Suite.model_fields)
    try:
        return Suite(**{"name": name, **content})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"suite {place}: {where}: {first['msg']}") from None
