"""Stores of many records that look like those of real runs: copies of one, with other names, seeds and figures."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.cell import cell_name, slot_name
from bench.record import Record
from bench.store import RECORD, Store

TASKS, METHODS, VARIANTS, SEEDS = 10, 20, 5, 10
CURVE = [[step, 7 / step] for step in range(1, 51)]


def fill(root: Path, template: Record, count: int = TASKS * METHODS * VARIANTS * SEEDS) -> None:
    """Write so many records as a store lays them out, without its syncing of each to the disk."""
    store = Store(root)
    for record in like(template, count):
        folder = store.folder(record.cell)
        folder.mkdir(parents=True)
        (folder / RECORD).write_text(record.model_dump_json(indent=1) + "\n", "utf-8")


def like(template: Record, count: int) -> Iterator[Record]:
    """Records of tasks × methods × variants × seeds; of fifty one has failed."""
    rng = random.Random(0)
    for number in range(count):
        rest, seed = divmod(number, SEEDS)
        rest, variant = divmod(rest, VARIANTS)
        task, method = divmod(rest, METHODS)
        settings = {**template.identity.method_settings, "rank": 2**variant}
        parts: dict[str, Any] = {"task": f"task-{task}", "method": f"method-{method}", "seed": seed}
        identity = template.identity.model_copy(update={**parts, "method_settings": settings})
        figures = _figures(template, rng) if number % 50 else {"status": "failed", "reason": f"reason {number % 7}"}
        names = {"cell": cell_name(identity), "slot": slot_name(identity), "identity": identity}
        yield template.model_copy(update={**parts, **names, **figures, "model": identity.model})


def _figures(template: Record, rng: random.Random) -> dict[str, Any]:
    metrics = {name: None if value is None else rng.random() for name, value in template.metrics.items()}
    seconds = {phase: rng.uniform(1, 100) for phase in template.seconds}
    return {"metrics": metrics, "seconds": seconds, "facts": {**template.facts, "loss_curve": CURVE}}
