"""Results for notebooks and scripts: records and stored predictions as tables of pandas."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.document_frame import NAMES, document_frame, joined
from bench.errors import UserError, unknown_name
from bench.record import Record, migrate
from bench.store import PREDICTIONS, RECORD, Corrupt, Store, latest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """What cells left behind.

    Attributes:
        path: Where it was read.
        cells: The records themselves (:class:`bench.record.Record`), by task, method, model and seed.
        folders: By cell, the folder of its predictions; without the cells that come from a file of records.
    """

    path: Path
    cells: tuple[Record, ...]
    folders: dict[str, Path]

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row a cell, whatever happened to it; ``NA`` is unknown. See docs/records.md for the columns."""
        from bench.record_frame import record_frame

        return record_frame(self.cells)

    def only(
        self, *, task: str | None = None, method: str | None = None, model: str | None = None, cell: str | None = None
    ) -> Results:
        """The results of one task, method, model or cell (its name or how that begins).

        Raises:
            UserError: There is none of that name.
        """
        kept: Sequence[Record] = self.cells
        for kind, name in zip(NAMES, (task, method, model, cell), strict=True):
            if name is not None:
                kept = _of(kept, kind, name)
        return replace(self, cells=tuple(kept))

    def predictions(
        self,
        *,
        task: str | None = None,
        method: str | None = None,
        model: str | None = None,
        cell: str | None = None,
        split: Literal["test", "validation"] = "test",
    ) -> pd.DataFrame:
        """One row a document and finished cell; see docs/records.md for the columns.

        Args:
            task: Only of this task.
            method: Only of this method.
            model: Only of this model.
            cell: Only of this cell; how its name begins is enough.
            split: ``test``; or ``validation``, which cells keep that chose a threshold, and trials of a search.

        Raises:
            UserError: There is none of that name, no predictions of that split, or a file that cannot be read.
        """
        chosen = self.only(task=task, method=method, model=model, cell=cell)
        frames = list(chosen._frames(split))
        if not frames:
            raise UserError(f"{self.path}: no finished cell with {split} predictions; run `bench run` first")
        return joined(frames)

    def _frames(self, split: str) -> Iterator[pd.DataFrame]:
        known: dict[str, tuple[str, ...] | None] = {}
        for record in self.cells:
            folder = self.folders.get(record.cell)
            if record.status != "ok" or folder is None:
                continue
            fingerprint = str(record.identity.task_fingerprint)
            if known.get(fingerprint) is None:
                known[fingerprint] = _label_names(folder, fingerprint)
            try:
                frame = document_frame(record, folder / PREDICTIONS, split, known[fingerprint])
            except (OSError, ValueError, LookupError) as error:
                reason = " ".join(str(error).split())[:200]
                raise UserError(f"{folder / PREDICTIONS} cannot be read ({reason}); run the cell again") from error
            if frame is not None:
                yield frame


def load_results(path: str | Path = "results/runs", *, history: bool = False) -> Results:
    """Read results: ``bench.load_results("results/runs").records`` is a table of pandas.

    Args:
        path: The folder of the results (``--out`` of ``bench run``), the folder of one cell, or a file that
            ``bench results --json`` printed, which has no predictions beside it.
        history: Also what newer code, data or files have overtaken.

    Raises:
        UserError: There are no results.
    """
    path = Path(path)
    if path.is_file():
        found = _of_file(path)
        return Results(path, tuple(_sorted(found) if history else latest(found)), {})
    if (path / RECORD).is_file():
        from bench.saved import read_record

        record = read_record(path)
        return Results(path, (record,), {record.cell: path})
    store = Store(path)
    if not store.cells.is_dir():
        raise UserError(f"{path}: no results there; name the folder that `bench run` wrote to (--out)")
    return of_records(store, _sorted(store.all(_warn)) if history else store.standing(_warn))


def of_records(store: Store, records: Sequence[Record]) -> Results:
    """Results of records of a store that were read already."""
    return Results(store.root, tuple(records), {record.cell: store.folder(record.cell) for record in records})


def _sorted(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda one: (one.task, one.method, one.model or "", one.seed, one.finished_at))


def _of_file(path: Path) -> list[Record]:
    try:
        found = json.loads(path.read_bytes())
        return [Record.model_validate(migrate(row)) for row in found]
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: no list of records as `bench results --json` prints it ({reason})") from None


def _of(records: Sequence[Record], kind: str, name: str) -> Sequence[Record]:
    def fits(record: Record) -> bool:
        return record.cell.startswith(name) if kind == "cell" else getattr(record, kind) == name

    found = [record for record in records if fits(record)]
    if not found:
        raise unknown_name(kind, name, {getattr(record, kind) for record in records} - {None})
    return found


def _label_names(folder: Path, fingerprint: str) -> tuple[str, ...] | None:
    """From beside the results, else from beside the cell's model; None where neither knows them."""
    from bench.collection import FOLDER, LABEL_SPACE
    from bench.saved import CARD

    kept = folder.parent.parent / FOLDER / fingerprint / LABEL_SPACE
    for file, key in ((kept, "names"), (folder / CARD, "labels")):
        try:
            return tuple(map(str, json.loads(file.read_text("utf-8"))[key]))
        except (OSError, ValueError, LookupError, TypeError):  # an older store: positions are all that is known
            continue
    return None


def _warn(corrupt: Corrupt) -> None:
    said = f"record {corrupt.cell} is corrupt ({corrupt.reason}); set aside in {corrupt.moved_to}"
    warnings.warn(said, stacklevel=4)
