"""Stores of made-up cells for tests of the gate: scores go in, and records come out as the harness would write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.cell import cell_name, slot_name
from bench.files import file_hash
from bench.gate.finding import Limits
from bench.gate.keeping import update
from bench.gate.reference import ReferenceFile
from bench.gate.verdict import judge
from bench.judging import Judge
from bench.prediction import LabelSets, Scores
from bench.predictions_file import write_predictions
from bench.record import Alternative, Environment, Identity, PhaseMemory, PhaseSpeed, Record, TaskFacts
from bench.store import LABELS, PREDICTIONS, Store
from bench.task import Documents, LabelSpace

N_LABELS = 4


def documents(split: str, n: int, kind: str, seed: int = 1) -> Documents:
    generator = np.random.default_rng([seed, *split.encode()])
    most = 1 if kind == "single" else 2
    labels = [sorted(generator.choice(N_LABELS, generator.integers(1, most + 1), replace=False)) for _ in range(n)]
    return Documents([f"{split}-{i}" for i in range(n)], ["text"] * n, [list(map(int, row)) for row in labels])


def scores(of: Documents, wrong: float = 0.2, seed: int = 0) -> np.ndarray:
    """Scores that put gold labels on top, but for a share of the documents."""
    generator = np.random.default_rng(seed)
    values = of.label_matrix(N_LABELS).toarray() + generator.random((len(of), N_LABELS)) * 0.9
    lost = generator.random(len(of)) < wrong
    values[lost] = generator.random((int(lost.sum()), N_LABELS))
    return values.astype(np.float32)


@dataclass
class Cell:
    """What a made-up cell is made of."""

    task: str = "made-up"
    method: str = "guesser"
    model: str | None = None
    seed: int = 0
    kind: str = "multi"
    n_test: int = 300
    n_validation: int = 120
    wrong: float = 0.2
    test_scores: np.ndarray | None = None
    emitted: list | None = None
    settings: dict = field(default_factory=dict)
    data_seed: int = 1
    changes: dict = field(default_factory=dict)
    choose_on: str = "validation"
    stored_validation: str = "validation"

    def put(self, store: Store) -> Record:
        """Write it as the runner does."""
        train = documents("train", 200, self.kind, self.data_seed)
        splits = {
            "validation": documents("validation", self.n_validation, self.kind, self.data_seed),
            "test": documents("test", self.n_test, self.kind, self.data_seed),
        }
        space = LabelSpace(tuple(f"label {n}" for n in range(N_LABELS)))
        judge_ = Judge.of(train, space, self.kind)
        predicted = {name: Scores(scores(split, self.wrong, seed=7)) for name, split in splits.items()}
        if self.test_scores is not None:
            predicted["test"] = Scores(self.test_scores)
        if self.emitted is not None:
            predicted["test"] = LabelSets(self.emitted, [""] * self.n_test)
        chosen = predicted[self.choose_on] if self.emitted is None else predicted["test"]
        rules = judge_.rules(splits[self.choose_on], chosen)
        rule = next(iter(rules.values()))
        test = judge_.decide(splits["test"], predicted["test"], rule)
        files = {"test": test}
        if judge_.chooses(predicted["test"]):
            kept = self.stored_validation
            files = {"validation": judge_.decide(splits[kept], predicted[kept], rule), "test": test}
        others = {
            name: Alternative(
                decision=other.decision,
                metrics=judge_.evaluate_sets(judge_.decide(splits["test"], predicted["test"], other)),
            )
            for name, other in rules.items()
            if other is not rule
        }
        table = dict(judge_.label_table(test))
        own = next((r.thresholds for r in rules.values() if r.thresholds is not None), None)
        if own is not None:
            table["threshold"] = own
        return self._write(store, files, table, rule, judge_.evaluate(test), others)

    def _write(self, store, files, table, rule, evaluation, others) -> Record:
        identity = Identity(
            task=self.task,
            method=self.method,
            model=self.model,
            seed=self.seed,
            method_settings=self.settings,
            task_fingerprint="f",
            method_source="source",
        )
        cell = cell_name(identity)
        folder = store.cells / f".{cell}.tmp"
        folder.mkdir(parents=True)
        write_predictions(folder / PREDICTIONS, files)
        pq.write_table(pa.table(table), folder / LABELS)
        sizes = {"train": 200, "validation": self.n_validation, "test": self.n_test}
        speed = PhaseSpeed(documents=1000, seconds=10.0, processor_seconds=15.0)
        record = Record(
            cell=cell,
            slot=slot_name(identity),
            task=self.task,
            method=self.method,
            model=self.model,
            seed=self.seed,
            identity=identity,
            status="ok",
            finished_at="2026-01-01T00:00:00.000+00:00",
            task_facts=TaskFacts(kind=self.kind, n_labels=N_LABELS, documents=sizes, primary_metric="micro_f1"),
            metrics=evaluation.metrics,
            undefined=evaluation.undefined,
            decision=rule.decision,
            alternatives=others,
            predictions=file_hash(folder / PREDICTIONS),
            speed={"train": speed, "predict": speed},
            peak_mib={"train": PhaseMemory(host=1000.0), "predict": PhaseMemory(host=900.0)},
            facts={"device": "cpu", "parameters": {"total": 100, "trainable": 10}},
            environment=Environment(hardware_id="cpu, 2 cores, abc", threads=2, jobs=1, packages={"numpy": "2"}),
        ).model_copy(update=self.changes)
        return store.commit(folder, record)


@dataclass
class Gate:
    """A reference and a store in a folder."""

    folder: Path

    @property
    def file(self) -> ReferenceFile:
        return ReferenceFile(self.folder / "reference" / "ci.json")

    def store(self, name: str) -> Store:
        return Store(self.folder / name)

    def refer(self, *cells: Cell, reason: str = "made up"):
        """Write the reference of these cells."""
        store = self.store("before")
        records = [cell.put(store) for cell in cells]
        return update(self.file, records, store, reason)

    def judge(self, *cells: Cell, limits: Limits | None = None):
        """Hold these cells against it."""
        store = self.store("now")
        records = [cell.put(store) for cell in cells]
        return judge(self.file, records, store, limits or Limits())


def closing(verdict) -> set[str]:
    """The checks that close the gate."""
    return {found.check for cell in verdict.cells for found in cell.findings if found.outcome == "closed"}
