"""Makes ``results/reference/decoders.{csv,md}`` of the store that ``bench run --suite decoders`` wrote.

    python results/decoders_table.py STORE

A row's figure is the mean of its seeds' micro-F1. Intervals are those of ``bench compare``: 10,000 bootstrap draws of
the test documents, the same for all rows of a task; a difference is that of pairs, to the row that is named in its
table. They hold the documents' chance and, of the seeds', only the spread that is shown.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.record import Record
from bench.stats.comparing import compare, metric_interval
from bench.stats.judged import read_judged
from bench.store import Store, latest

TOLD = {
    "embedding-head": ("adapter", "quantisation", "pooling", "direction"),
    "instruction-tuning": ("decoding",),
}
BESIDE = {
    "embedding-head": ("lora", "none", "last", "causal"),
    "instruction-tuning": ("constrained",),
}
TARGET = Path(__file__).parent / "reference"


def main(store: Path) -> None:
    """Read the records, write both files."""
    records = [record for record in latest(Store(store).all(print)) if record.status == "ok"]
    groups: dict[tuple[str, str], dict[tuple[str, ...], list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        settings = record.identity.method_settings
        groups[record.task, record.method][tuple(str(settings[key]) for key in TOLD[record.method])].append(record)
    with (TARGET / "decoders.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(_row(records[0])), lineterminator="\n")
        writer.writeheader()
        writer.writerows(_row(record) for record in records)
    parts = [_preface(records)]
    parts += [_table(task, method, variants, store) for (task, method), variants in sorted(groups.items())]
    (TARGET / "decoders.md").write_text("\n".join(parts), "utf-8")


def _row(record: Record) -> dict[str, Any]:
    settings, facts = record.identity.method_settings, record.facts
    return {
        "task": record.task,
        "method": record.method,
        **{key: settings.get(key, "") for keys in TOLD.values() for key in keys},
        "seed": record.seed,
        "micro_f1": round(record.metrics["micro_f1"] or 0, 4),
        "macro_f1": round(record.metrics["macro_f1"] or 0, 4),
        "best_epoch": facts.get("best_epoch", ""),
        "trained_parameters": facts["parameters"]["trainable"],
        "train_seconds": round(record.seconds["train"], 2),
        "predicted_per_second": round(record.documents_per_second["predict"] or 0, 1),
        "host_above_idle_mib": round(record.peak_mib["train"].host_above_idle or 0),
    }


def _table(task: str, method: str, variants: Mapping[tuple[str, ...], Sequence[Record]], store: Path) -> str:
    judged = {
        variant: {run.seed: read_judged(run, Store(store).folder(run.cell)) for run in runs}
        for variant, runs in variants.items()
    }
    figures = {variant: metric_interval(list(runs.values()), "micro_f1") for variant, runs in judged.items()}
    base = BESIDE[method]
    head = [*TOLD[method], "micro-F1 (95 %)", "seeds", f"to {', '.join(base)} (95 %)", "trained", "train s"]
    lines = [f"## {task}, {method}", "", _line(head), _line("---" for _ in head)]
    for variant in sorted(variants, key=lambda one: -figures[one].value):
        runs, figure = variants[variant], figures[variant]
        paired = [judged[base][run.seed] for run in runs]
        difference = compare(list(judged[variant].values()), paired, "micro_f1").difference
        scores = [record.metrics["micro_f1"] or 0 for record in runs]
        mark = " *" if difference.excludes_zero else ""
        gap = (
            ""
            if variant == base
            else f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}){mark}"
        )
        lines.append(
            _line(
                [
                    *variant,
                    f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})",
                    f"{min(scores):.3f}–{max(scores):.3f}" + ("" if len(runs) == 3 else f" ({len(runs)} only)"),
                    gap,
                    f"{runs[0].facts['parameters']['trainable']:,}",
                    f"{np.median([record.seconds['train'] for record in runs]):.0f}",
                ]
            )
        )
    return "\n".join([*lines, ""])


def _preface(records: Sequence[Record]) -> str:
    one = records[0]
    packages = one.environment.packages
    versions = ", ".join(f"{name} {packages[name]}" for name in ("torch", "transformers", "peft", "bitsandbytes"))
    return (
        "# Decoders\n\n"
        "`bench run --suite decoders`, then `python results/decoders_table.py STORE`; each run by itself is in\n"
        f"`decoders.csv`. {len(records)} cells on {one.environment.hardware['cpu']}, "
        f"{one.environment.threads} thread, beside other work: seconds are rough. {versions}; "
        f"code {', '.join(sorted({f'{r.method} {r.identity.method_source}' for r in records}))}.\n"
        "`*`: the interval of the difference does not hold 0; with so many rows a few do so by chance.\n"
    )


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
