"""Suites: YAML files that span a set of cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bench import embedded
from bench.errors import UserError, unknown_name
from bench.grids import keys_without_value, points
from bench.model import RANDOM
from bench.record import DEFAULT_RULE, MenuRule
from bench.settings import expanded
from bench.train_sizes import TrainSize, checked_sizes
from bench.tuned import Tuned, read_tuned

EMBEDDED_MODELS = tuple(embedded.ARCHITECTURES)


class Suite(BaseModel):
    """Tasks × methods and their variants × models × seeds, with settings by plugin name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "custom"
    description: str = ""
    tasks: tuple[str, ...] = Field(default=(), description="task names; none means all")
    methods: tuple[str, ...] = Field(default=(), description="method names; none means all but those left out")
    models: tuple[str, ...] = Field(
        default=EMBEDDED_MODELS,
        description="names, or {name: …, weights: random}; each method takes those of its architecture",
        min_length=1,
    )
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    train_sizes: tuple[TrainSize, ...] = Field(
        default=(),
        description="numbers of training documents, or all: every task at each of them, laid over its settings",
    )
    decision: MenuRule = Field(DEFAULT_RULE, description="the rule that chooses any number of labels by their scores")
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="settings of a task or method, or of TASK/METHOD for that pair alone"
    )
    every_task: dict[str, Any] = Field(
        default_factory=dict, description="settings of every task that has them, unless `settings` says otherwise"
    )
    tuned: tuple[Tuned, ...] = Field(
        default=(), description="a file that `bench tune` wrote: its settings go over `settings`, below variants"
    )
    variants: dict[str, tuple[dict[str, Any], ...]] = Field(
        default_factory=dict,
        description="of a method, or of TASK/METHOD instead of it there: grids of settings, laid over `settings`; "
        "every combination is a cell of its own",
    )
    leave_out: dict[str, str] = Field(
        default_factory=dict, description="methods that do not run unless they are named, and why"
    )

    @field_validator("models", mode="before")
    @classmethod
    def _named(cls, models: Any) -> Any:
        """``{name: X, weights: random}`` is written ``X:random`` wherever a model is named by one word."""
        if not isinstance(models, list):
            return models
        return [_model_name(entry) if isinstance(entry, dict) else entry for entry in models]

    @field_validator("train_sizes", mode="before")
    @classmethod
    def _ascending(cls, sizes: Any) -> Any:
        return checked_sizes(sizes) if isinstance(sizes, list | tuple) else sizes

    @field_validator("tuned", mode="before")
    @classmethod
    def _read(cls, tuned: Any) -> Any:
        return read_tuned(expanded(tuned)) if isinstance(tuned, str) else tuned

    @field_validator("variants", mode="before")
    @classmethod
    def _one_grid_is_a_list_of_one(cls, variants: Any) -> Any:
        if not isinstance(variants, dict):
            return variants
        return {owner: [grids] if isinstance(grids, dict) else grids for owner, grids in variants.items()}

    @field_validator("variants")
    @classmethod
    def _of_at_least_one_point(cls, variants: dict[str, tuple[dict[str, Any], ...]]) -> Any:
        for owner, grids in variants.items():
            for key in keys_without_value(grids):
                raise ValueError(f"{key} of {owner} has no value")
            if not grids:
                raise ValueError(f"{owner} has no grid")
        return variants

    @model_validator(mode="after")
    def _left_out_of_all(self) -> Suite:
        if self.methods and self.leave_out:
            raise ValueError("leave_out is for suites of all methods; this one names its methods")
        return self

    def of_methods(self, methods: Collection[str]) -> Suite:
        """A suite that says of methods what this one does, and nothing else; it has no variants."""
        kept = {owner: given for owner, given in self.settings.items() if owner.rpartition("/")[2] in methods}
        return Suite(settings=kept, leave_out={name: why for name, why in self.leave_out.items() if name in methods})

    def methods_among(self, known: Iterable[str]) -> list[str]:
        """The methods to run: those named, or all known ones but those left out."""
        return list(dict.fromkeys(self.methods)) or [name for name in known if name not in self.leave_out]

    def left_out(self) -> str:
        """Which methods do not run and why, in one line; empty where there are none."""
        if self.methods or not self.leave_out:
            return ""
        names: dict[str, list[str]] = {}
        for name, why in self.leave_out.items():
            names.setdefault(why, []).append(name)
        reasons = "; ".join(f"{', '.join(same)}: {why}" for why, same in names.items())
        return f"left out: {reasons}; name them with -m to run them"

    def task_settings(self, task: str, known: Collection[str]) -> dict[str, Any]:
        """What this suite sets of a task whose settings are ``known``: its own words over those of every task."""
        common = {key: value for key, value in self.every_task.items() if key in known}
        return {**common, **self.settings.get(task, {})}

    def method_settings(self, task: str, method: str) -> dict[str, Any]:
        """What this suite sets of a method on a task, in all variants: the pair's words over the method's."""
        return {**self.settings.get(method, {}), **self.settings.get(f"{task}/{method}", {})}

    def variants_of(self, task: str, method: str) -> list[dict[str, Any]]:
        """What is laid over the settings of a method on a task, for one cell after another."""
        return points(self.variants.get(f"{task}/{method}", self.variants.get(method, ({},))))


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
    if isinstance(content.get("tuned"), str):
        content["tuned"] = str(Path(place).parent / expanded(content["tuned"]))
    try:
        return Suite(**{"name": name, **content})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"suite {place}: {where}: {first['msg']}") from None
