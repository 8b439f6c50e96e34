"""The contract of a method: learn from a task's training documents, then label new ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from bench.backoff import BackOff
from bench.model import ResolvedModel
from bench.prediction import Prediction
from bench.seeds import Seeds
from bench.settings import Settings
from bench.task import Availability, Documents, LabelSpace, TaskProfile
from bench.work import NotEstimated, Work, Workload

Architecture = Literal["encoder", "decoder", "any"]
"""The kind of pretrained network that a method starts from; ``any``: it takes both."""

CHECKPOINT_SECONDS = 600.0


@dataclass(frozen=True)
class Support:
    """Whether a method can learn a task.

    Attributes:
        ok: True where it can.
        reason: Why it cannot.
    """

    ok: bool = True
    reason: str = ""


class PhaseWindow(Protocol):
    """The open phase's speed counter."""

    def count(self, documents: int, tokens: int | None = None, padding: int = 0) -> None:
        """Add finished work.

        Args:
            documents: Documents done since the last call.
            tokens: Their non-padding tokens; None where the method has none.
            padding: Padding tokens processed along with them.
        """

    def warmed_up(self) -> None:
        """End the warm-up: what was counted so far is recorded apart and left out of the speed."""

    def recalled(self) -> None:
        """Tell that some of the phase's work was not done but read from a cache: the phase then has no speed."""


@dataclass(frozen=True)
class Progress:
    """Where a cell stands.

    Attributes:
        phase: ``load``, ``train``, ``validate``, ``save`` or ``predict``.
        step: Steps done in this phase.
        total: Steps of this phase; None where unknown.
        loss: The latest training loss, where there is one.
    """

    phase: str
    step: int = 0
    total: int | None = None
    loss: float | None = None


class Instruments(Protocol):
    """What the harness lends a method for measuring and for telling."""

    def phase(self, name: str) -> AbstractContextManager[PhaseWindow]:
        """A context manager that opens a phase and yields its window."""

    @property
    def window(self) -> PhaseWindow:
        """The window of the innermost open phase."""

    @property
    def phase_name(self) -> str:
        """The name of the innermost open phase."""

    def progress(self, progress: Progress) -> None:
        """Tell the user where the cell stands; cheap enough for every step."""

    def note(self, **facts: Any) -> None:
        """Put facts into the record (JSON values), e.g. ``micro_batch=8``."""

    def discount(self, seconds: float) -> None:
        """Leave work that failed and is done again out of the innermost open phase.

        Args:
            seconds: What it took: no part of the phase's speed. Its peaks of memory start anew.
        """


@dataclass(frozen=True)
class Context:
    """What a cell gives its method.

    Attributes:
        task: The task's name, kind and size.
        seeds: A seed for each purpose.
        model: The pretrained network to start from; None for methods that need none.
        device: A torch device name, ``cpu``, ``cuda`` or ``mps``.
        threads: CPU threads to compute with; already set for torch and BLAS.
        scratch: An empty folder that is removed after the cell.
        deadline: ``time.monotonic()`` at which the cell will be stopped; None without a limit.
        checkpoints: A folder that outlives an interrupted cell and is there when the same cell starts again; None
            where nothing is to be kept. :func:`bench.training.fine_tune` goes on from what it finds there.
        checkpoint_seconds: How often a training run writes a checkpoint.
        processes: Processes that fit the same method side by side; :func:`bench.training.fine_tune` shares the
            documents out among them.
        instruments: Phases, progress and notes.
        back_off: How many documents at a time were found to fit into memory.
    """

    task: TaskProfile
    seeds: Seeds
    device: str
    threads: int
    scratch: Path
    instruments: Instruments
    model: ResolvedModel | None = None
    deadline: float | None = None
    checkpoints: Path | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    processes: int = 1
    back_off: BackOff = field(default_factory=BackOff)

    def phase(self, name: str) -> AbstractContextManager[PhaseWindow]:
        """Open a phase: ``with context.phase("load"): …``.

        ``train`` is open while :meth:`Method.fit` runs and ``predict`` while :meth:`Method.predict` does. A phase
        opened inside another suspends it: its seconds and its memory are its own. Methods that load a network open
        ``load`` around that.
        """
        return self.instruments.phase(name)

    @property
    def window(self) -> PhaseWindow:
        """The speed counter of the innermost open phase: ``context.window.count(documents=32, tokens=3100)``."""
        return self.instruments.window

    @property
    def phase_name(self) -> str:
        """The name of the innermost open phase: ``predict`` runs inside ``validate`` as well as ``predict``."""
        return self.instruments.phase_name

    def progress(self, phase: str, step: int = 0, total: int | None = None, loss: float | None = None) -> None:
        """Tell the user where the cell stands."""
        self.instruments.progress(Progress(phase, step, total, loss))

    def note(self, **facts: Any) -> None:
        """Put facts into the record: ``parameters``, ``micro_batch``, ``truncated_share``, …"""
        self.instruments.note(**facts)


@dataclass(frozen=True)
class Exported:
    """What a method wrote for other libraries to load.

    Attributes:
        what: What the files are, as a noun.
        library: The library that loads them: ``transformers`` or ``peft``.
        load: Lines of Python that make ``model`` and ``tokenizer`` of the files in ``folder``, which they
            set to ``"."``.
        use: Lines that then make ``scores`` (a tensor, shape (documents, labels)) and ``names`` (position → label) of
            ``texts``; or ``labels`` where the method gives no scores.
        notes: Sentences for who uses it.
    """

    what: str
    library: str
    load: str
    use: str
    notes: Sequence[str] = ()


class Method(ABC):
    """A way to learn a task. Subclass it, name it, fit and predict.

    A method returns scores, or bare label sets where it has none; thresholds, metrics and statistics are the
    harness's, the same for all. Modules of methods import nothing heavy at their top: torch, transformers and
    scikit-learn are imported where they are used.

    Attributes:
        name: What the user calls it.
        Config: Its settings.
        model_architecture: The kind of pretrained network it starts from, ``encoder``, ``decoder`` or ``any``; None
            where it starts from none.
        uses_torch: Whether its child process should come with torch already imported.
        shares_training: Whether several processes may fit it together, as :func:`bench.training.fine_tune` can.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Settings]] = Settings
    model_architecture: ClassVar[Architecture | None] = None
    uses_torch: ClassVar[bool] = False
    shares_training: ClassVar[bool] = False

    def __init__(self, config: Settings | None = None) -> None:
        self.config: Any = config if config is not None else self.Config()

    def availability(self) -> Availability:
        """Whether the libraries that it needs with these settings are installed; cheap, imports none of them."""
        return Availability()

    def varies(self) -> str:
        """Why two fits with the same seed may differ with these settings; empty where they give the same bits."""
        return ""

    def supports(self, task: TaskProfile) -> Support:
        """Whether this method can learn this task."""
        return Support()

    def work(self, workload: Workload) -> Work | NotEstimated:
        """What a cell would compute on this workload, for ``bench estimate``; nothing is loaded."""
        return NotEstimated("the method does not say what it computes")

    @abstractmethod
    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Learn from ``train``; ``validation`` is for choices such as early stopping."""

    @abstractmethod
    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """Label new documents, in their order."""

    def save(self, folder: Path) -> None:
        """Write what :meth:`load` needs to predict again in another process."""
        raise NotImplementedError(f"{self.name} cannot be saved")

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote."""
        raise NotImplementedError(f"{self.name} cannot be loaded")

    def export(self, folder: Path, labels: LabelSpace, context: Context) -> Exported:
        """Write what was fitted or loaded into an empty folder, as files that other libraries load."""
        raise NotImplementedError(
            f"{self.name} has no form that other libraries load; label documents with `bench predict`"
        )


@dataclass
class QuietInstruments:
    """Instruments that measure nothing: for using a method outside the harness, and for tests.

    Attributes:
        facts: What the method noted.
        progressed: What the method told, in order.
        phases: The open phases, the innermost last.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    progressed: list[Progress] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[PhaseWindow]:
        """Measures nothing."""
        self.phases.append(name)
        try:
            yield self.window
        finally:
            self.phases.pop()

    @property
    def window(self) -> PhaseWindow:
        """Counts nothing."""
        return _QuietWindow()

    @property
    def phase_name(self) -> str:
        """The innermost open phase; ``predict`` where none is open."""
        return self.phases[-1] if self.phases else "predict"

    def progress(self, progress: Progress) -> None:
        """Keeps it."""
        self.progressed.append(progress)

    def note(self, **facts: Any) -> None:
        """Keeps them."""
        self.facts.update(facts)

    def discount(self, seconds: float) -> None:
        """Has nothing to leave it out of."""


class _QuietWindow:
    def count(self, documents: int, tokens: int | None = None, padding: int = 0) -> None:
        pass

    def warmed_up(self) -> None:
        pass

    def recalled(self) -> None:
        pass
