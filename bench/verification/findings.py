"""Checks and what they find: one line each, which says what is wrong, where, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from bench.verification.places import Places

State = Literal["passed", "failed", "note", "not applicable"]
Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Finding:
    """What came of one check.

    Attributes:
        check: What the plugin should do, in words.
        state: ``passed``; ``failed``; ``note``: works, but know this; ``not applicable``.
        found: What was seen; for ``not applicable`` why.
        remedy: What to change, and how.
        place: File, line and name of the code to change.
    """

    check: str
    state: State
    found: str = ""
    remedy: str = ""
    place: str = ""

    def line(self) -> str:
        """The finding as a person reads it."""
        parts = "; ".join(part for part in (self.found, self.remedy) if part)
        place = f" [{self.place}]" if self.place else ""
        return f"{self.state:<15} {self.check}" + (f": {parts}" if parts else "") + place


class VerdictError(Exception):
    """How a check ends unless all is well.

    Attributes:
        state: What it means.
        found: What was seen.
        remedy: What to change.
    """

    state: State

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(found)
        self.found = found
        self.remedy = remedy


class Fault(VerdictError):  # noqa: N818 (a verdict, of which only some are errors)
    """The plugin breaks the contract."""

    state = "failed"


class Advice(VerdictError):  # noqa: N818
    """The plugin keeps the contract, and yet its author should know this."""

    state = "note"


class NotApplicable(VerdictError):  # noqa: N818
    """There is nothing to check."""

    state = "not applicable"


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """One promise of the contract.

    Attributes:
        name: The promise, in words.
        look: Looks at the subject; raises a :class:`VerdictError` unless the promise is kept.
        at: The attribute of the plugin's class that a fault is likely to lie in.
        needs: Names of checks without which this one cannot tell.
    """

    name: str
    look: Callable[[Subject], None]
    at: str = ""
    needs: tuple[str, ...] = ()

    def finding(self, subject: Subject, places: Places) -> Finding:
        """Look; what the plugin's own code raises is a fault at the line that raised it."""
        try:
            self.look(subject)
        except VerdictError as verdict:
            place = places.of(self.at) if verdict.state == "failed" else ""
            return Finding(self.name, verdict.state, verdict.found, verdict.remedy, place)
        except (Exception, SystemExit) as error:  # a stranger's code may raise anything
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return Finding(self.name, "failed", text, place=places.of_error(error) or places.of(self.at))
        return Finding(self.name, "passed")


def run_checks(checks: Iterable[Check[Subject]], subject: Subject, places: Places) -> Iterator[Finding]:
    """The findings in the order of the checks, as they come; what hangs on a failed check is not looked at."""
    closed: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in closed]
        if missing:
            finding = Finding(check.name, "not applicable", f"cannot be told until this passes: {missing[0]}")
        else:
            finding = check.finding(subject, places)
        if missing or finding.state == "failed":
            closed.add(check.name)
        yield finding
