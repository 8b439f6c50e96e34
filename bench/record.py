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
PHASES = ("load", "train", "tokenise", "validate", "save", "probe", "predict", "decide", "latency", "sweep")


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
    processor_seconds: float | None = Field(
        None, description="part of the window in which the cell's process computed, summed over its threads"
    )
    warmup_documents: int = 0
    warmup_seconds: float = 0.0
    tokenise_seconds: float | None = Field(
        None, description="part of the timed window in which texts were made token ids; null where the phase made none"
    )
    warmup_tokenise_seconds: float | None = Field(None, description="the same of the warm-up")


class PhaseMemory(_Part):
    """Peak memory of one phase in MiB; null is unknown, and ``unknown`` says why."""

    host: float | None = Field(None, description="resident memory of the cell's process and its children")
    host_above_idle: float | None = Field(None, description="the same less what the process held before its cell")
    allocated: float | None = Field(None, description="torch's allocated peak, summed over devices")
    reserved: float | None = Field(None, description="torch's reserved peak, summed over devices")
    process: float | None = Field(None, description="device memory of this process by NVML")
    device: float | None = Field(None, description="device memory in use by anyone, by NVML")
    unknown: dict[str, str] = Field(default_factory=dict, description="why a figure is null")


class PhaseEnergy(_Part):
    """Energy of one phase in joules, whoever on the machine used it; null is unknown, and ``unknown`` says why."""

    processor: float | None = Field(None, description="packages and their memory")
    devices: float | None = Field(None, description="visible NVIDIA devices")
    by: dict[str, str] = Field(
        default_factory=dict, description="who says so: the counters of RAPL or NVML; codecarbon estimates"
    )
    unknown: dict[str, str] = Field(default_factory=dict, description="why a figure is null")


class PhaseCompute(_Part):
    """Floating-point operations in the timed window of one phase, padding included."""

    operations: float
    flops_per_second: float
    dtype: str = Field(description="what the network computed in")
    peak_flops_per_second: float | None = Field(
        None, description="rate at which this hardware multiplies matrices of that dtype; null where not measured"
    )
    share_of_peak: float | None = None


class Latency(_Part):
    """Milliseconds in which a document that comes alone is labelled."""

    documents: int = Field(description="test documents, drawn by the seed, each labelled by itself")
    p50_ms: float
    p95_ms: float
    warmup_documents: int = Field(description="labelled before, and not timed")


class BatchSpeed(_Part):
    """How fast documents were labelled so many at a time, tokenising included."""

    batch: int
    documents_per_second: float


class Sweep(_Part):
    """Prediction at batch sizes 1, 2, 4, …, measured apart from the cell's own."""

    speeds: list[BatchSpeed]
    best: int | None = Field(description="the fastest size; null where not even one document fitted")
    ended: Literal["pace", "memory", "documents", "time"] = Field(
        description="why no larger size was tried; pace: the last two were no faster"
    )


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
    latency: Latency | None = None
    sweep: Sweep | None = Field(None, description="of `bench run --sweep`")
    compute: dict[str, PhaseCompute] = Field(default_factory=dict, description="by phase")
    peak_mib: dict[str, PhaseMemory] = Field(default_factory=dict)
    energy_joules: dict[str, PhaseEnergy] = Field(default_factory=dict, description="by phase")
    unmeasured: dict[str, str] = Field(default_factory=dict, description="why there is no latency, compute or sweep")
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
