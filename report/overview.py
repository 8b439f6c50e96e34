"""What stands around the parts: what there is, what is missing, what to bear in mind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.record import Identity, Record
from report.families import Family
from report.measures import device_memory, spared
from report.provenance import HOST_MEMORY, TIMES, modified
from report.tables import reason_of
from report.text import counted, listed


@dataclass(frozen=True)
class Banner:
    """What is missing from the report: a headline, and counts by reason."""

    headline: str
    reasons: tuple[str, ...]


def summary(records: Sequence[Record], kin: Sequence[Family]) -> str:
    """How much there is, in one line."""
    ok = sum(record.status == "ok" for record in records)
    methods = len({record.method for record in records})
    return (
        f"{counted(len(kin), 'task')}{_sizes_counted(kin)}, {counted(methods, 'method')}, "
        f"{counted(len(records), 'cell')} on record, {ok:,} of them finished."
    )


def _sizes_counted(kin: Sequence[Family]) -> str:
    counts = {len(family.sections) if family.curved else 1 for family in kin}
    most = max(counts, default=1)
    return f" at {'up to ' if len(counts) > 1 else ''}{most} training sizes" if most > 1 else ""


def banner(records: Sequence[Record], missing: Sequence[Identity]) -> Banner | None:
    """What was planned and has no result; None where nothing is missing."""
    statuses = Counter(record.status for record in records if record.status != "ok")
    counts = [f"{count:,} {status}" for status, count in statuses.most_common()]
    counts += [f"{len(missing):,} missing"] if missing else []
    if not counts:
        return None
    reasons = Counter((r.status, reason_of(r)) for r in records if r.status != "ok").most_common()
    lines = [f"{count:,} × {status}: {reason}" for (status, reason), count in reasons[:8]]
    lines += [f"{len(missing):,} × missing: planned, but it left no record"] if missing else []
    lines += [f"and {len(reasons) - 8:,} further reasons, listed below"] if len(reasons) > 8 else []
    total = sum(statuses.values()) + len(missing)
    headline = (
        f"{total:,} of {counted(len(records) + len(missing), 'planned cell')} without a result: {listed(counts)}."
    )
    return Banner(headline, tuple(lines))


def warnings(records: Sequence[Record]) -> tuple[str, ...]:
    """What limits every figure."""
    said = []
    if modified(records):
        said.append("Some cells ran with a modified harness: no commit holds the code that made their numbers.")
    machines = {record.environment.hardware_id for record in records if record.status == "ok"}
    if len(machines) > 1:
        said.append(f"Cells ran on {len(machines)} machines: speed and memory are shown for each apart.")
    return tuple(said)


def reading(records: Sequence[Record]) -> tuple[str, ...]:
    """How to read the figures."""
    notes = [
        "Figures over several seeds are mean ± sample standard deviation (n − 1) over the finished seeds. A row with "
        "an unfinished seed says so and is never marked as highest.",
        *TIMES,
        *HOST_MEMORY,
    ]
    if any(device_memory().read(record) for record in records):
        notes.append("Device memory: peak reserved by torch in the train phase, summed over devices.")
    if any(map(spared, records)):
        notes.append(
            "Where embeddings came from the cache, train seconds at a glance, in answers and among costs hold what "
            "computing them took; in tables of results they leave it out."
        )
    return (*notes, "Among results a dash is a figure that is not known; its footnote says why.")
