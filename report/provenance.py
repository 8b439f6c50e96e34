"""Where the numbers come from: machines, versions, dates, commands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bench.record import Environment, Record
from report.groups import Section
from report.measures import metric_definition, metric_title
from report.text import counted, listed, plain

TIMES = (
    "Documents a second: the documents of a timed window by its length, devices synchronised at both ends. Where a "
    "network is fine-tuned, the training window opens after the first steps, each document counts once an epoch "
    "(documents × epochs), and tokenising lies outside it; other methods have all of their training inside it, each "
    "document counted once. The window of prediction holds tokenising, and opens after a small warm-up where a method "
    "makes one.",
    "Train seconds leave out loading the model, a phase of its own inside training. Predicting the validation "
    "documents is a phase of its own after it.",
)
"""How times were taken."""
HOST_MEMORY = (
    "Host memory: peak resident memory of the cell's process and its children in the train phase, and the same above "
    "what the process held before its cell. Rows that fine-tune a network run in a process that had torch, "
    "transformers, peft and bitsandbytes loaded beforehand: the first figure holds these libraries, the second does "
    "not. Other rows import what they need inside their cell, so that both figures hold it.",
)
"""What host memory is."""
_MODIFIED = ("dirty", "modified")


def task_line(section: Section) -> str:
    """Kind, number of labels and sizes of the splits."""
    facts = section.facts
    if facts is None:
        return "No cell got as far as reading the documents."
    splits = ", ".join(f"{plain(split)} {count:,}" for split, count in facts.documents.items())
    kind = "one label a document" if facts.kind == "single" else "any number of labels a document"
    labels, primary = counted(facts.n_labels, "label"), metric_title(section.primary)
    return f"{labels}, {kind} · documents: {splits} · primary metric: {primary}"


def decision_line(section: Section) -> tuple[str, ...]:
    """How label sets were made from scores, by method."""
    words = {
        "argmax": "the highest score",
        "global-threshold": "all above one threshold, chosen on validation documents, and the highest score always",
        "label-thresholds": "all above a threshold of the label's own, chosen on validation documents, and the highest "
        "score always",
        "top-k": "so many of the highest scores, as many of every document, as validation documents chose",
        "emitted": "as the method emitted them",
    }
    found = sorted({(r.decision.rule, plain(r.method)) for r in section.records if r.decision})
    rules = [
        f"{words[rule]} ({listed([m for r, m in found if r == rule])})" for rule in dict.fromkeys(r for r, _ in found)
    ]
    return (f"Label sets: {'; '.join(rules)}.",) if rules else ()


def disturbed_line(records: Iterable[Record]) -> tuple[str, ...]:
    """A warning where cells shared the machine."""
    jobs = max((record.environment.jobs for record in records if record.status == "ok"), default=1)
    return (f"Up to {jobs} cells shared the machine: speeds were disturbed.",) if jobs > 1 else ()


def hardware_line(records: Iterable[Record], machine: str) -> str:
    """The machine in words."""
    environments = [r.environment for r in records if r.environment.hardware_id == machine]
    described = next((e.hardware for e in environments if e.hardware), {})
    threads = sorted({e.threads for e in environments if e.threads})
    parts = [_described(described)] if described else []
    if threads:
        parts.append(f"threads used: {', '.join(map(str, threads))}")
    return "; ".join([plain(machine) or "machine not recorded", *parts])


def _described(hardware: Mapping[str, Any]) -> str:
    """The parts of a machine in words; keys that are not known are shown as they are."""
    known: dict[str, Callable[[Any], str]] = {
        "cpu": plain,
        "cores": lambda cores: f"{plain(cores)} cores",
        "memory_mib": lambda size: f"{size:,} MiB of memory" if isinstance(size, int) else f"memory {_value(size)}",
        "gpus": lambda gpus: ", ".join(map(_device, gpus)) or "no GPU",
    }
    return ", ".join(known[key](value) if key in known else _pairs({key: value}) for key, value in hardware.items())


def _device(gpu: Any) -> str:
    if not isinstance(gpu, dict) or "name" not in gpu:
        return f"GPU {_value(gpu)}"
    rest = {key: value for key, value in gpu.items() if key != "name"}
    return plain(gpu["name"]) + (f" ({_pairs(rest)})" if rest else "")


def definitions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Title and definition of each metric; those without a definition are left out."""
    found = ((metric_title(name), metric_definition(name)) for name in names)
    return tuple((title, text) for title, text in found if text)


def origin(records: Sequence[Record]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Machines, versions, dates and commands, each as a term with one or more lines."""
    environments = list({repr(record.environment): record.environment for record in records}.values())
    machines = sorted({e.hardware_id for e in environments if e.hardware_id})
    terms = {
        "Machine" if len(machines) == 1 else "Machines": [hardware_line(records, machine) for machine in machines],
        "Platform": _distinct(
            " · ".join(p for p in (f"Python {e.python}" if e.python else "", e.platform) if p) for e in environments
        ),
        "Packages": _packages(environments),
        "Harness": _distinct(_pairs(e.harness) for e in environments),
        "Run": _dates(records),
        "Command": _commands(environments),
    }
    return tuple((term, tuple(lines)) for term, lines in terms.items() if lines)


def modified(records: Iterable[Record]) -> bool:
    """Whether some cell ran with a harness that no commit holds."""
    return any(record.environment.harness.get(key) is True for record in records for key in _MODIFIED)


def _packages(environments: Iterable[Environment]) -> list[str]:
    versions: dict[str, set[str]] = {}
    for environment in environments:
        for name, version in environment.packages.items():
            versions.setdefault(name, set()).add(version)
    shown = [f"{plain(name)} {plain(' and '.join(sorted(found)))}" for name, found in sorted(versions.items())]
    return [", ".join(shown)] if shown else []


def _dates(records: Sequence[Record]) -> list[str]:
    started = min((r.started_at or r.finished_at for r in records), default="")
    finished = max((r.finished_at for r in records), default="")
    return [f"{counted(len(records), 'record')}, {_minute(started)} to {_minute(finished)} UTC"] if records else []


def _minute(stamp: str) -> str:
    return plain(stamp[:16].replace("T", " "))


def _commands(environments: Iterable[Environment]) -> list[str]:
    lines = _distinct(shlex.join(e.command) for e in environments)
    return lines if len(lines) <= 10 else [*lines[:10], f"and {len(lines) - 10:,} more"]


def _distinct(lines: Iterable[str]) -> list[str]:
    return [line for line in dict.fromkeys(map(plain, lines)) if line]


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{plain(key).replace('_', ' ')}: {_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "unknown"
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
