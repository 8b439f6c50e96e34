"""Measuring what is not yet known of a frozen task, and keeping it beside the documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.audit.facts import VERSION, Audit
from bench.audit.lengths import TokenizerFile
from bench.files import write_atomic
from bench.task import TaskData
from bench.task_cache import FrozenTask

FILE = "audit.json"
_KEPT_BREAKS = (OSError, ValueError)

Say = Callable[[str], None]


def _always(_: object) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One part of an audit and how it is measured.

    Attributes:
        part: The part of :class:`bench.audit.facts.Audit`.
        doing: What the user is told meanwhile.
        measure: Measures it, and says how far it is.
        fits: Whether a kept part is what would be measured.
    """

    part: str
    doing: str
    measure: Callable[[TaskData, Say], Any]
    fits: Callable[[Any], bool] = _always

    def missing(self, audit: Audit) -> bool:
        """Whether the audit lacks this part."""
        kept = getattr(audit, self.part)
        return kept is None or not self.fits(kept)


def quick_steps(tokenizer: TokenizerFile) -> tuple[Step, ...]:
    """Lengths, and names of labels in texts."""
    from bench.audit import label_names, lengths

    revision = tokenizer.hash()
    return (
        Step("words", "counting words", lambda data, _: lengths.words(data)),
        Step(
            "tokens",
            f"counting tokens of {tokenizer.model}",
            lambda data, _: lengths.tokens(data, tokenizer),
            lambda kept: kept.tokenizer == revision,
        ),
        Step("label_names", "looking for names of labels", lambda data, _: label_names.label_names(data)),
    )


def deep_steps() -> tuple[Step, ...]:
    """Near duplicates, and what trivial methods reach."""
    from bench.audit import floors, near_duplicates

    return (
        Step("near_duplicates", "looking for near duplicates", near_duplicates.near_duplicates),
        Step("floors", "training a linear model", lambda data, _: floors.floors(data)),
    )


def audited(frozen: FrozenTask, steps: Sequence[Step], say: Say) -> Audit:
    """The audit of a task with these parts at least; what is kept is not measured again.

    Sizes and exact duplicates are always part of it. Each part is kept as soon as it is measured.

    Args:
        frozen: The task.
        steps: The other parts wanted.
        say: Told what takes a while.
    """
    kept = _read(frozen)
    missing = [step for step in steps if kept is None or step.missing(kept)]
    if kept is not None and not missing:
        return kept
    data = frozen.load()
    audit = kept or _kept(_begun(data, frozen), frozen, say)
    for step in missing:
        say(step.doing)
        audit = _kept(audit.model_copy(update={step.part: step.measure(data, say)}), frozen, say)
    return audit


def _begun(data: TaskData, frozen: FrozenTask) -> Audit:
    from bench.audit.duplicates import duplicates
    from bench.audit.sizes import sizes

    return Audit(fingerprint=frozen.fingerprint, sizes=sizes(data, frozen.unlimited), duplicates=duplicates(data))


def _path(frozen: FrozenTask) -> Path:
    return frozen.folder / FILE


def _read(frozen: FrozenTask) -> Audit | None:
    """What is kept; None where there is nothing, or nothing of these documents in this version."""
    try:
        kept = Audit.model_validate_json(_path(frozen).read_bytes())
    except _KEPT_BREAKS:
        return None
    return kept if (kept.version, kept.fingerprint) == (VERSION, frozen.fingerprint) else None


def _kept(audit: Audit, frozen: FrozenTask, say: Say) -> Audit:
    """The same audit, on disk; a cache that cannot be written costs time and no more."""
    try:
        write_atomic(_path(frozen), audit.model_dump_json(indent=1).encode())
    except OSError as error:
        say(f"the audit is not kept: {error}")
    return audit
