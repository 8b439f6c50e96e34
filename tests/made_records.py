"""A small factory of records as cells leave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.record import Decision, Environment, Identity, PhaseMemory, Record, TaskFacts

MakeRecord = Callable[..., Record]


def build_record(
    task: str = "debtags",
    method: str = "tfidf",
    model: str | None = None,
    seed: int = 0,
    f1: float | None = 0.6,
    host: float | None = 900.0,
    above: float | None = 400.0,
    device: float | None = None,
    speed: float | None = 500.0,
    status: str = "ok",
    settings: dict[str, Any] | None = None,
    task_settings: dict[str, Any] | None = None,
    fingerprint: str | None = "f" * 16,
    hardware_id: str = "cpu-a",
    jobs: int = 1,
    kind: str = "multi",
    environment: dict[str, Any] | None = None,
    **fields: Any,
) -> Record:
    identity = Identity(
        task=task,
        task_settings=task_settings or {},
        task_fingerprint=fingerprint,
        method=method,
        method_settings=settings or {},
        model=model,
        seed=seed,
    )
    name = f"{task}/{task_settings}/{method}/{model}/{settings}/{seed}"
    ok = status == "ok"
    defaults: dict[str, Any] = {
        "cell": f"cell {name} {fingerprint}",
        "slot": f"slot {name}",
        "started_at": "2026-11-22T10:00:00+00:00",
        "finished_at": "2026-11-22T10:05:00+00:00",
        "task_facts": TaskFacts(
            kind=kind,
            n_labels=413,
            documents={"train": 10000, "validation": 1000, "test": 2000},
            primary_metric="micro_f1",
        ),
        "metrics": {"micro_f1": f1, "macro_f1": f1 and f1 - 0.2, "p@1": f1 and f1 + 0.1, "p@5": 0.4, "ndcg@5": 0.7},
        "decision": Decision(rule="global-threshold", threshold=0.31),
        "seconds": {"load": 2.0, "train": 61.25, "predict": 4.0},
        "documents_per_second": {"train": 163.2, "predict": speed},
        "from_scratch": False,
    }
    if not ok:
        defaults |= {"metrics": {}, "decision": None, "seconds": {}, "documents_per_second": {}, "phase": "train"}
        defaults |= {"reason": "it went wrong"}
    unknown = {} if device else {"reserved": "no accelerator"}
    defaults["peak_mib"] = {"train": PhaseMemory(host=host, host_above_idle=above, reserved=device, unknown=unknown)}
    machine = Environment(
        python="3.11.9",
        platform="Linux x86_64",
        packages={"torch": "2.13.0", "transformers": "5.23.0"},
        hardware={"cpu": "EPYC 7B13", "cores": 2, "gpu": None},
        hardware_id=hardware_id,
        threads=2,
        jobs=jobs,
        harness={"version": "0.1.0", "git": "1a2b3c4", "dirty": False},
        command=["bench", "run", "--all"],
        **(environment or {}),
    )
    return Record(
        task=task,
        method=method,
        model=model,
        seed=seed,
        identity=identity,
        status=status,
        environment=machine,
        **(defaults | fields),
    )
