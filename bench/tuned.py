"""What `bench tune` found: a file of settings with the budgets that they cost, which suites and runs may name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import UserError
from bench.files import write_atomic
from bench.grids import without

TUNED = "tuned.yaml"
"""Name of the file in the folder of the results."""

_SEARCH = ("search", "space", "seed", "fixed", "model_revision")
_SAMPLE = 100
_HEAD = "# Written by `bench tune`, for `bench run --tuned THIS`, or `tuned: THIS` in a suite.\n"


class Tuned(BaseModel):
    """The best settings of a method on a task, and what finding them cost."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    task: str
    task_fingerprint: str
    validation_ids: list[str] = Field(description="hashes of some ids of the documents that trials were judged on")
    method: str
    model: str | None = None
    model_revision: str | None = None
    fixed: dict[str, Any] = Field(default_factory=dict, description="all other settings, the same in every trial")
    settings: dict[str, Any] = Field(description="the best trial's, of those that were searched for")
    metric: str = Field(description="of validation documents; the higher the better")
    best: float
    default: float | None = Field(None, description="with the settings as they stood; null: that trial failed")
    trials: int = Field(ge=1, description="the budget, each with settings of its own")
    exhausted: bool = Field(False, description="no other settings were left to try")
    failed: int = Field(0, ge=0, description="trials of these without a result")
    seconds: float = Field(ge=0, description="all trials together")
    search: str = Field(description="how settings were drawn")
    space: dict[str, str] = Field(description="where was looked, by setting")
    seed: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is of; a later one of the same replaces it."""
        return self.task, self.task_fingerprint, self.method, self.model or ""

    def replaces(self, other: Tuned | None) -> bool:
        """Whether it says more than an entry of the same key: it is of another search, or of more of the same."""
        same = other is not None and all(getattr(self, part) == getattr(other, part) for part in _SEARCH)
        return other is None or not same or self.trials >= other.trials

    def differing(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What was another setting while it was searched for."""
        return {key: value for key, value in self.fixed.items() if settings.get(key) != value}

    def budget(self) -> dict[str, Any]:
        """What a report says of it."""
        return self.model_dump(mode="json")


def read_tuned(path: Path) -> tuple[Tuned, ...]:
    """The entries of a file.

    Raises:
        UserError: There is no such file, or it is none that `bench tune` wrote.
    """
    import yaml

    try:
        rows = yaml.safe_load(path.read_text("utf-8"))
        return tuple(Tuned(**row) for row in rows)
    except FileNotFoundError:
        raise UserError(f"tuned settings {path}: no such file; `bench tune` writes one") from None
    except (OSError, TypeError, ValueError, yaml.YAMLError, ValidationError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"tuned settings {path}: not what `bench tune` writes ({reason})") from None


def write_tuned(path: Path, entries: Iterable[Tuned]) -> None:
    """Add entries to a file, in place of earlier ones of the same task, method and model.

    Of the same search the one with more trials stays: who asks for fewer of them, or is stopped while it reads them
    again, takes nothing back.
    """
    import yaml
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        held = {one.key: one for one in read_tuned(path)} if path.exists() else {}
        held.update((one.key, one) for one in entries if one.replaces(held.get(one.key)))
        rows = [held[key].model_dump(mode="json") for key in sorted(held)]
        write_atomic(path, (_HEAD + yaml.safe_dump(rows, sort_keys=False, allow_unicode=True)).encode())


def found_for(
    entries: Sequence[Tuned], task: str, fingerprint: str | None, method: str, model: str | None
) -> Tuned | None:
    """The entry for a cell; rather one of the very documents than one of others of the task."""
    fitting = [one for one in entries if (one.task, one.method, one.model) == (task, method, model)]
    return max(fitting, key=lambda one: one.task_fingerprint == fingerprint, default=None)


def sampled_ids(ids: Sequence[str]) -> list[str]:
    """The lowest hashes of ids: enough to tell whether two collections share a part worth the name."""
    return sorted(hashed_ids(ids))[:_SAMPLE]


def hashed_ids(ids: Iterable[str]) -> list[str]:
    """What :func:`sampled_ids` makes of ids, of each of them."""
    return [hashlib.blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest() for id_ in ids]


def less(entries: Iterable[Tuned], owner: str, key: str) -> tuple[Tuned, ...]:
    """The entries without a setting of a method, or of ``TASK/METHOD``."""
    return tuple(
        one.model_copy(update={"settings": without([one.settings], key)[0]})
        if owner in {one.method, f"{one.task}/{one.method}"}
        else one
        for one in entries
    )
