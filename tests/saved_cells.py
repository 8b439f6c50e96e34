"""Cells with their models for tests: made by the command line, read back for comparing."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

from commands import call

from bench.predictions_file import SplitPredictions, read_predictions

SMALL = {"train_documents": 32, "validation_documents": 12, "test_documents": 40}


@dataclass(frozen=True)
class Cell:
    """A cell that was run with ``--save-models``.

    Attributes:
        out: Its store.
        record: As ``bench run --json`` printed it.
    """

    out: Path
    record: dict

    @property
    def folder(self) -> Path:
        return self.out / "cells" / self.record["cell"]

    @property
    def predictions(self) -> SplitPredictions:
        """Of the test documents."""
        return read_predictions(self.folder / "predictions.parquet")["test"]

    def documents(self) -> tuple[list[str], list[str]]:
        """Ids and texts of the test documents, out of the frozen task."""
        import pyarrow.parquet as pq

        for folder in (Path(os.environ["BENCH_CACHE"]) / "tasks").iterdir():
            facts = json.loads((folder / "facts.json").read_text())
            if facts["fingerprint"] == self.record["identity"]["task_fingerprint"]:
                rows = pq.read_table(folder / "documents.parquet").to_pylist()
                chosen = [row for row in rows if row["split"] == "test"]
                return [row["id"] for row in chosen], [row["text"] for row in chosen]
        raise LookupError(self.record["task"])

    def labels(self) -> list[list[str]]:
        """Names of the predicted labels, in the order of the label space."""
        names = json.loads((self.folder / "model.json").read_text())["labels"]
        return [[names[label] for label in sorted(row.indices)] for row in self.predictions.predicted]

    def write_csv(self, path: Path) -> Path:
        """The test documents as a table with the columns ``id`` and ``text``."""
        with path.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(["id", "text"])
            rows.writerows(zip(*self.documents(), strict=True))
        return path


def run_cell(out: Path, task: str, method: str, *sets: str, limits: dict = SMALL) -> Cell:
    """Run one cell on few documents, one epoch, and keep its model."""
    words = [f"{task}.{key}={value}" for key, value in limits.items()]
    words += [f"{method}.{word}" for word in sets]
    options = [part for word in words for part in ("--set", word)]
    done = call("run", "-t", task, "-m", method, *options, "--threads", "1", "--save-models", "--out", out, "--json")
    assert done.code == 0, done.err
    (record,) = json.loads(done.out)
    return Cell(out, record)
