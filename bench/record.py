"""The record: what one cell left behind, whatever happened to it."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Status = Literal["ok", "unavailable", "oom", "timeout", "crashed", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
MenuRule = Literal["global-threshold", "label-thresholds", "top-k"]
MENU: tuple[MenuRule, ...] = get_args(MenuRule)
"""How any number of labels may be chosen by their scores; see :func:`bench.deciding.menu`."""
DEFAULT_RULE: MenuRule = "global-threshold"
PHASES = ("load", "train", "validate", "save", "probe", "predict", "decide")


class _Part(BaseModel):
    """Old records must load forever: a key that this version does not know is kept, not refused."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Identity(_Part):
    """What makes a cell the one it is; its hash is the cell's name."""

    record_schema: int = SCHEMA_VERSION
    task: str
    task_settings: dict[str, Any] = Field(default_factory=dict)
    task_fingerprint: str | None = Field(None, description="hash of ids, texts, labels and splits; null: not loaded")
    method: str
    method_settings: dict[str, Any] = Field(default_factory=dict)
    method_source: str | None = Field(None, description="hash of the plugin's and the harness's code it runs")
    model: str | None = None
    model_revision: str | None = None
    seed: int = 0
    decision: MenuRule | None = Field(None, description="the rule that makes label sets; null: the default one")
    judged_on: Literal["validation"] | None = Field(
        None, description="documents that its metrics are of; null: test; validation: it is a trial of `bench tune`"
    )


class TaskFacts(_Part):
    """The task as the cell saw it."""

    kind: Literal["single", "multi"]
    n_labels: int
    documents: dict[str, int] = Field(description="documents by split")
    primary_metric: str


class PhaseSpeed(_Part):
    """Work done in one phase, the warm-up apart."""

    documents: int = Field(description="documents inside the timed window")
    tokens: int | None = Field(None, description="their non-padding tokens; null where the method counts none")
    padding: int = Field(0, description="padding tokens processed along with them")
    seconds: float = Field(description="length of the timed window, devices synchronised at both ends")
    warmup_documents: int = 0
    warmup_seconds: float = 0.0


class PhaseMemory(_Part):
    """Peak memory of one phase in MiB; null is unknown, and ``unknown`` says why."""

    host: float | None = Field(None, description="resident memory of the cell's process and its children")
    host_above_idle: float | None = Field(None, description="the same less what the process held before its cell")
    allocated: float | None = Field(None, description="torch's allocated peak, summed over devices")
    reserved: float | None = Field(None, description="torch's reserved peak, summed over devices")
    process: float | None = Field(None, description="device memory of this process by NVML")
    device: float | None = Field(None, description="device memory in use by anyone, by NVML")
    unknown: dict[str, str] = Field(default_factory=dict, description="why a figure is null")


class Decision(_Part):
    """How label sets were made from scores, the same rule for every method; chosen on validation documents only."""

    rule: Literal["argmax", "emitted"] | MenuRule
    threshold: float | None = Field(
        None, description="of all labels; for label-thresholds the fall-back, the others stand in labels.parquet"
    )
    k: int | None = Field(None, description="labels of each document, for top-k")


class Alternative(_Part):
    """What another rule of the menu makes of the same scores."""

    decision: Decision
    metrics: dict[str, float | None] = Field(description="test metrics of label sets; those of rankings are the same")


class Environment(_Part):
    """Where and with what the cell ran."""

    python: str = ""
    platform: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    hardware: dict[str, Any] = Field(default_factory=dict)
    hardware_id: str = Field("", description="speed and memory are compared only where this is equal")
    threads: int = 0
    jobs: int = Field(1, description="cells that shared the machine; speed is disturbed where over 1")
    memory_limit_mib: int | None = None
    harness: dict[str, Any] = Field(default_factory=dict, description="version, git commit, whether it was modified")
    command: list[str] = Field(default_factory=list)


class Record(_Part):
    """One row of results. ``bench results --json`` prints a list of these."""

    schema_version: int = SCHEMA_VERSION
    cell: str = Field(description="hash of the identity")
    slot: str = Field(description="hash of the identity without what the user did not choose: code, data, files")
    task: str
    method: str
    model: str | None = None
    seed: int = 0
    identity: Identity
    status: Status
    reason: str | None = Field(None, description="why the status is not ok, in one line")
    remedy: str | None = Field(None, description="the one command that mends it")
    error: str | None = Field(None, description="class of the exception")
    traceback: str | None = Field(None, description="file beside the record")
    phase: str | None = Field(None, description="phase reached when it ended otherwise than ok")
    started_at: str | None = Field(None, description="UTC, ISO 8601")
    finished_at: str = Field(description="UTC, ISO 8601")
    task_facts: TaskFacts | None = None
    metrics: dict[str, float | None] = Field(default_factory=dict, description="test metrics; null is undefined")
    undefined: dict[str, str] = Field(default_factory=dict, description="why a metric is null")
    decision: Decision | None = None
    alternatives: dict[str, Alternative] = Field(
        default_factory=dict, description="rule → what it would have made of the same scores"
    )
    seconds: dict[str, float] = Field(default_factory=dict, description="by phase, each without those inside it")
    documents_per_second: dict[str, float | None] = Field(default_factory=dict)
    tokens_per_second: dict[str, float | None] = Field(default_factory=dict)
    speed: dict[str, PhaseSpeed] = Field(default_factory=dict)
    peak_mib: dict[str, PhaseMemory] = Field(default_factory=dict)
    facts: dict[str, Any] = Field(
        default_factory=dict,
        description="what the method noted: parameters, micro_batch, truncated_share, parse_failures, curve, …",
    )
    from_scratch: bool = Field(False, description="random weights; never ranked among pretrained ones")
    predictions: str | None = Field(None, description="hash of the predictions file")
    environment: Environment = Field(default_factory=Environment)

    def other_decisions(self) -> list[Decision]:
        """Those of the other rules."""
        return [other.decision for other in self.alternatives.values()]


def migrate(raw: Any) -> dict[str, Any]:
    """Bring a record of an older schema to the present one. Version 1 is the first."""
    if not isinstance(raw, dict):
        raise ValueError("a record is a JSON object")  # noqa: TRY004 - content, not a programmer's mistake
    version = raw.get("schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise ValueError(f"schema_version {version!r} is not one this version reads (1 to {SCHEMA_VERSION})")
    return raw
