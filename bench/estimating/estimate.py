"""From what a method says of its work to parameters, memory and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.estimating.compute import Compute
from bench.estimating.memory import Footprint, Machine, in_use
from bench.estimating.pace import Pace, Subject
from bench.work import Training, Work, Workload

STEP_SECONDS = 0.01
"""What an optimiser step takes beside its operations: the loop, the loader, AdamW."""

PROCESS = 450 * 2**20
"""Bytes of the host that a cell's process takes with torch, transformers and a model's code, without any weights."""

TRAINER = 100 * 2**20
"""Bytes of the host that a trainer's libraries take on top of that, from the beginning of training."""

CUDA_ON_HOST = 2**30
"""Bytes of the host that CUDA's libraries take on top of that."""

TEXT_BYTES = 2
"""Bytes of a character: in the table that documents are read from, and as a string."""

TOKEN_BYTES = 48
"""Bytes of a token id: a Python number, and its places in two lists."""


@dataclass(frozen=True)
class Parameters:
    """How many numbers a network holds.

    Attributes:
        total: All of them.
        trainable: Those that are trained.
        stored: Those that saving writes.
    """

    total: int
    trainable: int
    stored: int


@dataclass(frozen=True)
class Estimate:
    """What a cell will take.

    Attributes:
        parameters: Of its network.
        device_bytes: Phase → the peak of the device; of the host, where the cell computes there.
        host_bytes: The peak of the host.
        seconds: Phase → how long it takes; none where the device's pace is not known.
    """

    parameters: Parameters
    device_bytes: Mapping[str, float]
    host_bytes: float
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def peak(self) -> float:
        """The most that the device holds, in bytes."""
        return max(self.device_bytes.values())


@dataclass(frozen=True)
class Figures:
    """Works out an estimate.

    Attributes:
        subject: The network at work.
        workload: On what.
        footprint: What it holds.
        characters: Of all texts.
    """

    subject: Subject
    workload: Workload
    footprint: Footprint
    characters: float

    def estimate(self, pace: Pace | None) -> Estimate:
        """The estimate; without times where there is no pace."""
        device = self._device()
        process = self._process()
        if self._machine.device == "cpu":
            device = self._on_host(device, process)
            host = max(device.values())
        else:
            host = process + max(self._files(), TRAINER)
        seconds = self._seconds(pace) if pace is not None else {}
        known = {phase: amount for phase, amount in seconds.items() if amount is not None}
        return Estimate(self.parameters(), device, host, known if len(known) == len(seconds) else {})

    def parameters(self) -> Parameters:
        """Counts as records have them: adapters and head on top of what was loaded."""
        work, anatomy = self._work, self.footprint.anatomy
        adapters = anatomy.adapters(work.adapters) if work.adapters is not None else 0
        total = anatomy.loaded(work.loaded, self.workload.task.n_labels) + adapters + work.head
        learned = self.footprint.learned()
        return Parameters(total, learned, total if work.trained == "all" else learned)

    @property
    def _work(self) -> Work:
        return self.subject.work

    @property
    def _machine(self) -> Machine:
        return self.footprint.machine

    def _device(self) -> dict[str, float]:
        """Peaks by phase; labelling validation documents on the way is part of training."""
        footprint, training = self.footprint, self._work.training
        predicting = footprint.predicting(self._work.predicting, self._longest("test"))
        held = {"load": footprint.loading()}
        if training is not None:
            step = footprint.training(training, self._longest_learnt())
            held["train"] = max(step, predicting + footprint.states() if training.validated else 0)
        held["predict"] = predicting
        return {phase: in_use(self._machine, footprint.weights(), amount) for phase, amount in held.items()}

    def _on_host(self, held: dict[str, float], process: float) -> dict[str, float]:
        """With the process around it; what was freed is not given back.

        Weights of their file's own type are mapped, and read when they are used; others lie beside their files.
        """
        later = process + (TRAINER if self._work.training is not None else 0)
        weights, files = self.footprint.weights(), self._files()
        found = {phase: amount + later for phase, amount in held.items()}
        found["load"] = process + (weights + files if weights != files else 0)
        found["predict"] = max(found["predict"], found.get("train", 0.0))
        return found

    def _longest(self, split: str) -> int:
        return self._work.predicting.longest(self.workload.lengths.get(split, ()))

    def _longest_learnt(self) -> int:
        training = self._work.training
        return training.reading.longest(self.workload.lengths.get("train", ())) if training is not None else 0

    def _files(self) -> float:
        """Weights as they lie in their files: the host's memory maps them while they are read."""
        anatomy = self.footprint.anatomy
        return anatomy.loaded(self._work.loaded, self.workload.task.n_labels) * anatomy.stored_bytes

    def _process(self) -> float:
        """The process with its libraries, texts and tokens."""
        libraries = PROCESS + (CUDA_ON_HOST if self._machine.device == "cuda" else 0)
        train = self.workload.documents.get("train", 0) if self._work.training is not None else 0
        documents = train + self.workload.documents.get("test", 0)
        tokens = documents * self._work.predicting.mean(self.workload.lengths.get("test", ()))
        return libraries + self.characters * TEXT_BYTES + tokens * TOKEN_BYTES

    def _seconds(self, pace: Pace) -> dict[str, float | None]:
        documents, work = self.workload.documents, self._work
        seconds = {} if work.training is None else {"train": self._learning_seconds(work.training, pace)}
        seconds["validate"] = self._reading_seconds("validation", self._validated(), pace)
        seconds["predict"] = self._reading_seconds("test", documents.get("test", 0), pace)
        return seconds

    def _validated(self) -> int:
        """Validation documents that are labelled: after epochs, and to choose a threshold."""
        training = self._work.training
        on_the_way = training.epochs * training.validated if training is not None else 0
        chooses = self.workload.task.kind == "multi" and self._work.scored
        return on_the_way + (self.workload.documents.get("validation", 0) if chooses else 0)

    def _learning_seconds(self, training: Training, pace: Pace) -> float | None:
        documents = self.workload.documents.get("train", 0)
        length = training.reading.mean(self.workload.lengths.get("train", ()))
        rate = pace.learning(self.subject, training.reading, length)
        steps = training.epochs * -(-documents // training.batch_size)
        operations = documents * training.epochs * self._compute.learn(training.reading, length)
        return operations / rate + steps * STEP_SECONDS if rate is not None else None

    def _reading_seconds(self, split: str, documents: int, pace: Pace) -> float | None:
        if not documents:
            return 0.0
        reading = self._work.predicting
        length = reading.mean(self.workload.lengths.get(split, ()))
        rate = pace.reading(self.subject, reading, length)
        return documents * self._compute.read(reading, length) / rate if rate is not None else None

    @property
    def _compute(self) -> Compute:
        return Compute(self.footprint.anatomy, self._work)
