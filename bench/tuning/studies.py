"""Which studies a plan holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bench.errors import UserError, unknown_name
from bench.runner.plan import PlannedCell
from bench.selection import known_settings
from bench.spaces import Domain, domains
from bench.tuning.study import Study

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What the user said of a search.

    Attributes:
        methods: Methods that were named: with nothing to search for they are refused, where others are passed over.
        said: By ``KEY`` or ``METHOD.KEY``, where to look.
        sets: By ``KEY``, ``METHOD.KEY`` or ``TASK/METHOD.KEY``, what is set: it is not searched for unless ``said``.
    """

    methods: Collection[str] = ()
    said: Mapping[str, Domain] = field(default_factory=dict)
    sets: Mapping[str, Any] = field(default_factory=dict)

    def domains(self, cell: PlannedCell) -> dict[str, Domain]:
        """Where to look for a cell's settings."""
        method = cell.identity.method
        fixed = _of({method, f"{cell.identity.task}/{method}"}, self.sets)
        return domains(cell.method.settings(cell.identity.method_settings), _of({method}, self.said), fixed)


def studies_of(plan: Iterable[PlannedCell], wanted: Wanted, say: Callable[[str], None]) -> list[Study]:
    """A study for each cell that can run and has something to search for.

    Args:
        plan: The cells.
        wanted: What the user said.
        say: Tells the user a line.

    Raises:
        UserError: A named method cannot run or has nothing to search for, a key is no setting, or nothing is left.
    """
    plan = list(plan)
    _check(plan, wanted.said)
    studies = []
    for cell in plan:
        title = " × ".join(filter(None, (cell.identity.task, cell.identity.method, cell.identity.model)))
        if cell.blocked is not None:
            why = "; run: ".join(filter(None, (cell.blocked.reason, cell.blocked.remedy)))
            if cell.method.name in wanted.methods:
                raise UserError(f"{title} cannot run: {why}")
            say(f"{title}: unavailable: {why}")
            continue
        found = wanted.domains(cell)
        if found:
            studies.append(Study(cell, found))
        elif cell.method.name in wanted.methods:
            raise UserError(f"{cell.method.name} declares no setting to search for; name some with --space KEY=…")
        else:
            say(f"{title}: it has no setting to search for")
    if not studies:
        raise UserError("there is nothing to tune; name tasks and methods that can run here with -t and -m")
    return studies


def _of(names: Collection[str], said: Mapping[str, T]) -> dict[str, T]:
    """What is said of those of these names, their own words last."""
    common = {key: value for key, value in said.items() if "." not in key}
    own = {key.rpartition(".")[2]: value for key, value in said.items() if key.rpartition(".")[0] in names}
    return {**common, **own}


def _check(plan: Iterable[PlannedCell], said: Mapping[str, Domain]) -> None:
    """Refuse words of settings that no method has."""
    known = {cell.method.name: known_settings(cell.method) for cell in plan}
    every = {key for keys in known.values() for key in keys} | {
        f"{name}.{key}" for name in known for key in known[name]
    }
    for word in said:
        if word not in every:
            raise unknown_name("setting in --space", word, every)
