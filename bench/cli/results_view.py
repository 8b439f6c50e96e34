"""Results on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer

from bench.cli.tables import print_table
from bench.record import Record
from bench.telling import canonical, setting_words, task_words
from bench.train_sizes import SETTING, place, size_of

COLUMNS = (
    "cell",
    "method",
    "model",
    "seed",
    "status",
    "micro\nF1",
    "macro\nF1",
    "P@1",
    "P@5",
    "train\ns",
    "train\ndocs/s",
    "predict\ndocs/s",
    "peak\nMiB",
)

_NAME = 8
"""So many letters tell a cell from others."""


def print_results(records: Sequence[Record]) -> None:
    """One table a task, one row a record, with the reasons of those that are not ok below."""
    if not records:
        typer.echo("no results")
        return
    sections: dict[tuple[str, str], list[Record]] = {}
    for record, detail in zip(records, task_words([record.identity for record in records]), strict=True):
        sections.setdefault((record.task, detail), []).append(record)
    for (_, detail), found in sorted(sections.items(), key=lambda section: _place(section[1][0])):
        _print_section(found, detail)
        typer.echo()
    if any(record.from_scratch for record in records):
        typer.echo("* random weights (from scratch): a check of the set-up, not a judgement of the method")


def _print_section(records: Sequence[Record], detail: str) -> None:
    """One table; ``detail`` tells it from others of its task."""
    rows = _seeds_together(records)
    more = [title for title, (read, _) in _IF_KNOWN.items() if any(read(record) is not None for record in records)]
    columns = (*_columns(records), *more, *(["settings"] if any(words for _, words in rows) else []))
    table = [[*_row(record), *_more(record, more), words][: len(columns)] for record, words in rows]
    print_table(columns, table, title=_title(records, detail))
    for record, words in rows:
        if record.status != "ok":
            name = f"{record.method} ({words})" if words else record.method
            typer.echo(f"  {name}: {record.reason}" + (f"; run: {record.remedy}" if record.remedy else ""))


def _seeds_together(records: Sequence[Record]) -> list[tuple[Record, str]]:
    """Rows with the words that tell their settings, those of one method, model and settings below each other."""
    rows: dict[tuple[str, str, str], list[tuple[Record, str]]] = {}
    for record, words in zip(records, setting_words([record.identity for record in records]), strict=True):
        rows.setdefault((record.method, record.model or "", words), []).append((record, words))
    return [row for same in rows.values() for row in same]


def _columns(records: Sequence[Record]) -> tuple[str, ...]:
    """P@5 says nothing where a document has one label: nDCG@5 stands in its place."""
    return tuple("nDCG\n@5" if name == "P@5" and _top_five(records[0]) == "ndcg@5" else name for name in COLUMNS)


def _top_five(record: Record) -> str:
    facts = record.task_facts
    return "ndcg@5" if facts is not None and facts.kind == "single" else "p@5"


def _place(record: Record) -> tuple[str, str, float]:
    """Tables of one task's train sizes follow each other."""
    settings = record.identity.task_settings
    others = {key: value for key, value in settings.items() if key != SETTING}
    return record.task, canonical(others), place(size_of(settings))


def _title(records: Sequence[Record], detail: str) -> str:
    task = f"{records[0].task} ({detail})" if detail else records[0].task
    facts = next((record.task_facts for record in records if record.task_facts is not None), None)
    if facts is None:
        return task
    documents = " / ".join(f"{facts.documents[split]:,}" for split in ("train", "validation", "test"))
    trials = any(record.identity.judged_on == "validation" for record in records)
    judged = "; trials, judged on validation documents" if trials else ""
    return f"{task}: {facts.kind}-label, {facts.n_labels} labels, documents {documents} (train/validation/test){judged}"


def _row(record: Record) -> list[str]:
    train = record.peak_mib.get("train")
    device = train.reserved if train is not None else None
    peak = device if device is not None else (train.host if train is not None else None)
    metrics = record.metrics
    return [
        record.cell[:_NAME],
        record.method,
        f"{record.model or ''}{' *' if record.from_scratch else ''}",
        str(record.seed),
        record.status,
        *(_number(metrics.get(name), 3) for name in ("micro_f1", "macro_f1", "p@1", _top_five(record))),
        _number(record.seconds.get("train"), 1),
        _number(record.documents_per_second.get("train"), 0),
        _number(record.documents_per_second.get("predict"), 0),
        _number(peak, 0),
    ]


def _more(record: Record, titles: Sequence[str]) -> list[str]:
    return [_number(_IF_KNOWN[title][0](record), _IF_KNOWN[title][1]) for title in titles]


def _median_latency(record: Record) -> float | None:
    return record.latency.p50_ms if record.latency is not None else None


def _percent_of_peak(record: Record) -> float | None:
    train = record.compute.get("train")
    return 100 * train.share_of_peak if train is not None and train.share_of_peak is not None else None


def _joules(record: Record) -> float | None:
    """Of what the cell computed on."""
    train = record.energy_joules.get("train")
    if train is None:
        return None
    return train.processor if record.facts.get("device") == "cpu" else train.devices


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


_IF_KNOWN: dict[str, tuple[Callable[[Record], float | None], int]] = {
    "p50\nms": (_median_latency, 1),
    "train\n% of\npeak": (_percent_of_peak, 0),
    "train\nJ": (_joules, 0),
}
"""Columns that are shown where some record of the table fills them, with their decimals."""
