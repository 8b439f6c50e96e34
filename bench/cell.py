"""Cells and their names."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bench.record import Identity

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_LATER = ("decision", "judged_on")
_NOT_CHOSEN = ("record_schema", "task_fingerprint", "method_source", "model_revision")


def cell_name(identity: Identity) -> str:
    """The name of a cell: a hash of everything that can change its numbers; 16 hexadecimal digits.

    It depends on neither the order of keys nor time, host or paths.
    """
    return _hash(_chosen(identity))


def slot_name(identity: Identity) -> str:
    """A hash of what the user chose: task, method, model, settings, seed.

    Cells of one slot differ in code, data or model files; the latest one stands for the slot.
    """
    return _hash(_chosen(identity, leave_out=_NOT_CHOSEN))


def absent_name(identity: Identity, variant: str = "") -> str:
    """The name under which it is kept that a cell cannot run.

    It covers task, method, model and seed alone, since settings may not be known; so it is found again, and removed,
    as soon as the cell can run. Variants of a suite, which are known by its words, have names of their own.
    """
    chosen = [identity.task, identity.method, identity.model, identity.seed]
    return _hash({"absent": [*chosen, variant] if variant else chosen})


def _chosen(identity: Identity, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The identity as plain values, without what came later and nobody chose: cells of before that keep their names."""
    unsaid = [name for name in _LATER if getattr(identity, name) is None]
    return identity.model_dump(mode="json", exclude={*leave_out, *unsaid})


def _hash(value: dict[str, Any]) -> str:
    return hashlib.blake2b(_CANONICAL.encode(value).encode(), digest_size=8).hexdigest()
