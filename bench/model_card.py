"""What the hub reads at the top of a model's page: made by the hub's own classes, and nothing that the record lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.presets import find_preset
from bench.record import Record, TaskFacts

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_KIND = "text-classification"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def front_matter(record: Record, library: str, metrics: Iterator[tuple[str, float]]) -> str:
    """The metadata of a model's page, with the lines of dashes around it.

    Base model, data set and licence stand there only where the record names them as the hub does: a base model that is
    a preset or came with a commit of the hub, its licence where it is a preset, a data set with its commit.

    Args:
        record: Of the finished cell.
        library: The library that loads the model: ``transformers`` or ``peft``.
        metrics: Those that the page shows, by their names in :mod:`bench.metrics.definitions`.
    """
    from huggingface_hub import ModelCardData

    base, dataset = _base_model(record), _hub_dataset(record)
    preset = find_preset(base) if base is not None else None
    data = ModelCardData(
        library_name=library,
        pipeline_tag=_KIND,
        license=preset.licence if preset is not None else None,
        base_model=base,
        datasets=[dataset] if dataset is not None else None,
        tags=["bench", record.method],
        model_name=f"{record.task} {record.method}",
        eval_results=list(_results(record, record.task_facts, metrics)) if record.task_facts is not None else None,
    )
    return f"---\n{data.to_yaml()}\n---"


def _results(record: Record, facts: TaskFacts, metrics: Iterator[tuple[str, float]]) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    dataset = _hub_dataset(record)
    about: dict[str, Any] = {
        "task_type": _KIND,
        "task_name": f"{facts.kind}-label text classification",
        "dataset_type": dataset or record.task,
        "dataset_name": record.task,
        "dataset_split": record.identity.judged_on or "test",
        "dataset_revision": record.identity.task_settings["revision"] if dataset is not None else None,
        "dataset_args": {"documents": facts.documents, "task_fingerprint": record.identity.task_fingerprint},
    }
    for name, value in metrics:
        yield EvalResult(metric_type=name, metric_name=name, metric_value=value, **about)


def _base_model(record: Record) -> str | None:
    """The hub id of what the cell started from; None for a folder, an embedded model or random weights."""
    name = record.model
    if name is None or record.from_scratch or _HUB_ID.fullmatch(name) is None:
        return None
    from_hub = _COMMIT.fullmatch(record.identity.model_revision or "") is not None
    return name if from_hub or find_preset(name) is not None else None


def _hub_dataset(record: Record) -> str | None:
    """The hub id of the data set, where the task names one with its commit."""
    settings = record.identity.task_settings
    name, revision = settings.get("dataset"), settings.get("revision")
    named = isinstance(name, str) and _HUB_ID.fullmatch(name) is not None
    return name if named and isinstance(revision, str) and _COMMIT.fullmatch(revision) is not None else None
