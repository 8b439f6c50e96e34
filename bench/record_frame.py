"""Records as a table of pandas: one row a cell, one column a figure, missing where a cell does not have it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bench.metrics.definitions import DEFINITIONS
from bench.record import PHASES, Record

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["name", "setting", "figure", "note"]
"""What a column is: of what makes the cell the one it is, a setting, a number that was measured, or a remark."""
_SPLITS = ("train", "validation", "test")
_MEMORY = ("host", "host_above_idle", "allocated", "reserved", "process", "device")
_TIMED = ("load", "train", "predict")


@dataclass(frozen=True)
class Group:
    """Columns that belong together.

    Attributes:
        role: What they are.
        dtype: Of pandas, one that knows missing values; None: found by the values.
        read: A record's values, by column.
        always: Columns that are there even where no record has a value; they come first.
        order: Columns whose order is known; those behind follow by name.
    """

    role: Role
    dtype: str | None
    read: Callable[[Record], Mapping[str, Any]]
    always: Sequence[str] = ()
    order: Sequence[str] = ()

    def columns(self, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """The columns of these rows, in an order that does not depend on theirs."""
        found = {name for row in rows for name, value in row.items() if value is not None} - set(self.always)
        places = {name: place for place, name in enumerate(self.order)}
        return [*self.always, *sorted(found, key=lambda name: (places.get(name, len(places)), name))]


def groups() -> tuple[Group, ...]:
    """Every group, in the order of the table."""
    return (*_names(), *_figures(), *_notes(), *_settings())


def record_frame(records: Sequence[Record]) -> pd.DataFrame:
    """One row a record, in the order given; docs/records.md says what the columns are.

    What is unknown, undefined or does not apply is ``NA``, never 0.
    """
    import pandas as pd

    columns: dict[str, Any] = {}
    for group in groups():
        rows = [group.read(record) for record in records]
        for name in group.columns(rows):
            columns[name] = _column([row.get(name) for row in rows], group.dtype)
    return pd.DataFrame(columns)


def _column(values: Sequence[Any], dtype: str | None) -> pd.Series[Any]:
    import pandas as pd

    if dtype == "time":
        return pd.to_datetime(pd.Series(values, dtype="string"), utc=True, format="ISO8601")
    if dtype is not None:
        return pd.Series(values, dtype=dtype)
    plain = [_plain(value) for value in values]
    return pd.Series([pd.NA if value is None else value for value in plain], dtype=_dtype_of(plain))


def _dtype_of(values: Iterable[Any]) -> str:
    """By the types alone, so that 1.0 stays a float whatever the others are; ``object`` where they do not agree."""
    types = {type(value) for value in values if value is not None}
    for dtype, fitting in (("string", {str}), ("boolean", {bool}), ("Int64", {int}), ("Float64", {int, float})):
        if types <= fitting:
            return dtype
    return "object"


def _plain(value: Any) -> Any:
    """Lists and mappings as JSON, so that rows can be grouped by them."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | tuple) else value


def _fields(*names: str) -> tuple[Callable[[Record], dict[str, Any]], tuple[str, ...]]:
    """A reader of these fields of a record, and the columns that it fills."""
    return lambda record: {name: getattr(record, name) for name in names}, names


def _names() -> Iterator[Group]:
    yield Group("name", "string", *_fields("cell", "task", "method", "model"))
    yield Group("name", "Int64", *_fields("seed"))
    yield Group("note", "string", *_fields("status", "reason", "remedy", "error", "phase"))
    yield Group("note", "boolean", *_fields("from_scratch"))
    yield Group("name", "string", _task, ("kind", "primary_metric", "decision", "judged_on"))
    documents = tuple(f"documents.{split}" for split in _SPLITS)
    yield Group("note", "Int64", _sizes, ("n_labels", *documents))


def _figures() -> Iterator[Group]:
    def by_phase(name: str, *phases: str) -> Group:
        always = [f"{name}.{phase}" for phase in phases]
        order = [f"{name}.{phase}" for phase in PHASES]
        return Group("figure", "Float64", lambda record: _prefixed(name, getattr(record, name)), always, order)

    def nested(name: str, *always: str) -> Group:
        order = [f"{name}.{phase}.{kind}" for phase in PHASES for kind in (*_MEMORY, "processor", "devices")]
        return Group("figure", "Float64", lambda record: _of_phases(name, getattr(record, name)), always, order)

    yield Group("figure", "Float64", lambda record: record.metrics, ("micro_f1", "macro_f1"), tuple(DEFINITIONS))
    yield by_phase("seconds", *_TIMED)
    yield by_phase("documents_per_second", "train", "predict")
    yield by_phase("tokens_per_second", "train", "predict")
    yield Group("figure", "Float64", _latency, ("latency.p50_ms", "latency.p95_ms"))
    yield nested("peak_mib", *(f"peak_mib.{phase}.{kind}" for phase in ("train", "predict") for kind in _MEMORY))
    yield nested("energy_joules")
    yield nested("compute")
    parameters = tuple(f"parameters.{name}" for name in ("total", "trainable", "stored"))
    yield Group("figure", "Int64", _parameters, parameters)


def _notes() -> Iterator[Group]:
    yield Group("note", None, _facts)
    yield Group("note", "string", *_fields_of_environment("hardware_id"))
    yield Group("note", "Int64", *_fields_of_environment("threads", "jobs", "memory_limit_mib"))
    yield Group("note", "string", _harness, ("harness.version", "harness.git"))
    yield Group("note", "boolean", _modified, ("harness.modified",))
    yield Group("note", "time", *_fields("started_at", "finished_at"))
    yield Group("name", "string", _revisions, ("slot", "task_fingerprint", "model_revision"))


def _settings() -> Iterator[Group]:
    yield Group("setting", None, lambda record: _prefixed("settings", record.identity.method_settings))
    yield Group("setting", None, lambda record: _prefixed("task_settings", record.identity.task_settings))


def _fields_of_environment(*names: str) -> tuple[Callable[[Record], dict[str, Any]], tuple[str, ...]]:
    return lambda record: {name: getattr(record.environment, name) or None for name in names}, names


def _prefixed(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in values.items()}


def _of_phases(prefix: str, phases: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of every phase: ``peak_mib.train.host``."""
    return {
        f"{prefix}.{phase}.{name}": value
        for phase, part in phases.items()
        for name, value in part
        if isinstance(value, int | float)
    }


def _task(record: Record) -> dict[str, Any]:
    facts = record.task_facts
    return {
        "kind": facts.kind if facts is not None else None,
        "primary_metric": facts.primary_metric if facts is not None else None,
        "decision": record.decision.rule if record.decision is not None else None,
        "judged_on": (record.identity.judged_on or "test") if record.status == "ok" else None,
    }


def _sizes(record: Record) -> dict[str, int]:
    facts = record.task_facts
    return {"n_labels": facts.n_labels, **_prefixed("documents", facts.documents)} if facts is not None else {}


def _latency(record: Record) -> dict[str, float]:
    found = record.latency
    return {"latency.p50_ms": found.p50_ms, "latency.p95_ms": found.p95_ms} if found is not None else {}


def _parameters(record: Record) -> dict[str, Any]:
    found = record.facts.get("parameters")
    whole = {name: value for name, value in found.items() if isinstance(value, int)} if isinstance(found, dict) else {}
    return _prefixed("parameters", whole)


def _facts(record: Record) -> dict[str, Any]:
    """Those of one value; curves and lists stay in the record."""
    plain = {name: value for name, value in record.facts.items() if isinstance(value, str | int | float)}
    return _prefixed("facts", plain)


def _harness(record: Record) -> dict[str, Any]:
    said = record.environment.harness
    return {f"harness.{name}": said.get(name) for name in ("version", "git")}


def _modified(record: Record) -> dict[str, Any]:
    return {"harness.modified": record.environment.harness.get("modified")}


def _revisions(record: Record) -> dict[str, Any]:
    identity = record.identity
    return {
        "slot": record.slot,
        "task_fingerprint": identity.task_fingerprint,
        "model_revision": identity.model_revision,
    }
