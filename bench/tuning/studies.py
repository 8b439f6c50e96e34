"""Which studies a plan holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from bench.errors import UserError, unknown_name
from bench.runner.plan import PlannedCell
from bench.selection import known_settings
from bench.spaces import Domain, domains
from bench.tuning.study import Study


def studies_of(
    plan: Iterable[PlannedCell], said: Mapping[str, Domain], named: Collection[str], say: Callable[[str], None]
) -> list[Study]:
    """A study for each cell that can run and has something to search for.

    Args:
        plan: The cells.
        said: By ``KEY`` or ``METHOD.KEY``, where the user wants to look.
        named: Methods that the user named: with nothing to search for they are refused, where others are passed over.
        say: Tells the user a line.

    Raises:
        UserError: A named method has nothing to search for, a key is no setting, or nothing is left.
    """
    plan = list(plan)
    _check(plan, said)
    studies = []
    for cell in plan:
        title = " × ".join(filter(None, (cell.identity.task, cell.identity.method, cell.identity.model)))
        if cell.blocked is not None:
            say(f"{title}: unavailable: {cell.blocked.reason}")
            continue
        found = domains(cell.method.settings(cell.identity.method_settings), _of_method(cell.method.name, said))
        if found:
            studies.append(Study(cell, found))
        elif cell.method.name in named:
            raise UserError(f"{cell.method.name} declares no setting to search for; name some with --space KEY=…")
        else:
            say(f"{title}: it has no setting to search for")
    if not studies:
        raise UserError("there is nothing to tune; name tasks and methods that can run here with -t and -m")
    return studies


def _of_method(method: str, said: Mapping[str, Domain]) -> dict[str, Domain]:
    """What is said of this method, its own words last."""
    common = {key: domain for key, domain in said.items() if "." not in key}
    own = {key.partition(".")[2]: domain for key, domain in said.items() if key.partition(".")[0] == method}
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
