"""Results as runs of MLflow, one a cell; exporting again adds nothing twice."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.record_frame import Role, groups
from bench.store import LABELS, PREDICTIONS, RECORD

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from bench.record import Record
    from bench.results import Results

DATABASE, ARTIFACTS = "mlflow.db", "artifacts"
CELL, FINISHED = "bench.cell", "bench.finished_at"
_PER_CALL = {"metrics": 1000, "params": 100, "tags": 100}
_LONGEST = {"params": 6000, "tags": 8000}
"""What MLflow takes in one call, and of one value in characters."""
_PAGE = 1000


@dataclass(frozen=True)
class Tracked:
    """What an export came to.

    Attributes:
        written: Cells that became runs now.
        known: Cells that were there already, as they are.
        uri: The tracking URI; ``mlflow ui --backend-store-uri URI`` shows one of a file.
    """

    written: int
    known: int
    uri: str


def export_runs(results: Results, where: str, experiment: str) -> Tracked:
    """Make each cell a run: settings as parameters, figures as metrics, the rest as tags, and its files.

    A cell that ended otherwise than ``ok`` becomes a run that failed. A run whose cell was run again is replaced.

    Args:
        results: The cells.
        where: A folder, which gets a database and the files; or a tracking URI (``sqlite:///…``, ``http://…``).
        experiment: The experiment that gets the runs; made if it is not there.

    Raises:
        UserError: MLflow is not installed, or it refuses.
    """
    uri, artifacts = _place(where)
    with _explained(where):
        client = _client(uri)
        found = client.get_experiment_by_name(experiment)
        id_ = found.experiment_id if found is not None else client.create_experiment(experiment, artifacts)
        known, written = dict(_runs(client, id_)), 0
        for record in results.cells:
            run, finished = known.get(record.cell, (None, None))
            if finished == record.finished_at:
                continue
            if run is not None:  # of an earlier run of the cell, or of an export that was interrupted
                client.delete_run(run)
            _write(client, id_, record, results.folders.get(record.cell))
            written += 1
    return Tracked(written, len(results.cells) - written, uri)


def _place(where: str) -> tuple[str, str | None]:
    """The tracking URI, and where files go; None leaves that to the server."""
    if re.match(r"^[a-z][a-z0-9+.-]+:", where):
        path = where.removeprefix("sqlite:///")
        beside = Path(path).absolute().parent if path != where else None
        return where, (beside / ARTIFACTS).as_uri() if beside is not None else None
    folder = Path(where).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--mlflow {where}: {error.strerror or error}; name a folder or a tracking URI") from None
    return f"sqlite:///{folder / DATABASE}", (folder / ARTIFACTS).as_uri()


def _client(uri: str) -> MlflowClient:
    # Read while MLflow is imported: it would tell its makers that it is used, over the network.
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # of seven the last comes after minutes
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise UserError("--mlflow needs MLflow; run `pip install 'bench-text[track]'`") from None
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """What MLflow, its database or the server refuses comes out as one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"--mlflow {where}: {type(error).__name__}: {reason}; name a folder, sqlite:///FILE or a server that runs"
        ) from error


def _runs(client: MlflowClient, experiment: str) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """By cell, the run that is there and when its cell had finished; None where the export did not."""
    token = None
    while True:
        page = client.search_runs([experiment], max_results=_PAGE, page_token=token)
        for run in page:
            if CELL in run.data.tags:
                yield run.data.tags[CELL], (run.info.run_id, run.data.tags.get(FINISHED))
        token = page.token
        if not token:
            return


def _write(client: MlflowClient, experiment: str, record: Record, folder: Path | None) -> None:
    ended = _milliseconds(record.finished_at)
    started = _milliseconds(record.started_at) if record.started_at is not None else ended
    name = " ".join(filter(None, (record.task, record.method, record.model, f"seed {record.seed}")))
    run = client.create_run(experiment, start_time=started, tags={CELL: record.cell}, run_name=name)
    id_ = run.info.run_id
    _log(client, id_, record, ended)
    client.log_text(id_, record.model_dump_json(indent=1) + "\n", RECORD)
    for file in (PREDICTIONS, LABELS, record.traceback):
        if folder is not None and file is not None and (folder / file).is_file():
            client.log_artifact(id_, str(folder / file))
    # Last, so that an export that was interrupted is known as one.
    client.set_tag(id_, FINISHED, record.finished_at)
    client.set_terminated(id_, "FINISHED" if record.status == "ok" else "FAILED", ended)


def _log(client: MlflowClient, run: str, record: Record, time: int) -> None:
    from mlflow.entities import Metric, Param, RunTag

    figures, notes = _values(record, "figure"), _values(record, "note")
    settings = {**_values(record, "name"), **_values(record, "setting")}
    entries: dict[str, list[Any]] = {
        "metrics": [Metric(_key(name), float(value), time, 0) for name, value in figures.items()],
        "params": [Param(_key(name), _text(value, "params")) for name, value in settings.items()],
        "tags": [RunTag(f"bench.{_key(name)}", _text(value, "tags")) for name, value in notes.items()],
    }
    entries["metrics"] += [Metric("loss", loss, time, step) for step, loss in _losses(record)]
    for kind, rows in entries.items():
        for start in range(0, len(rows), _PER_CALL[kind]):
            client.log_batch(run, **{kind: rows[start : start + _PER_CALL[kind]]})


def _values(record: Record, role: Role) -> Mapping[str, Any]:
    """The columns of :func:`bench.record_frame.record_frame` that are of one role, without those that are unknown."""
    read = (group.read(record) for group in groups() if group.role == role)
    times = {"started_at", "finished_at"}  # a run has its own; the tag says that the export came to its end
    return {name: value for row in read for name, value in row.items() if value is not None and name not in times}


def _losses(record: Record) -> Iterator[tuple[int, float]]:
    """The loss of training by step, where the method noted it."""
    curve = record.facts.get("loss_curve")
    for point in curve if isinstance(curve, list) else ():
        match point:
            case [int(step), int() | float() as loss]:
                yield step, float(loss)


def _key(name: str) -> str:
    """``p@5`` as ``p_at_5``: MLflow takes letters, digits and ``_ - . / :`` and blanks."""
    return re.sub(r"[^/\w.\- :]", "_", name.replace("@", "_at_"))[:250]


def _text(value: Any, kind: str) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[: _LONGEST[kind]]


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
