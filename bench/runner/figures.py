"""What is measured beside a cell's outcome, once that is there: no figure of these can cost it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bench.backoff import BackOff, is_out_of_memory
from bench.files import cache_folder
from bench.meters.clock import PhaseTimer, per_second
from bench.meters.compute import computed
from bench.meters.instruments import CellInstruments, Measured
from bench.meters.latency import BUDGET_SECONDS, MOST, LatencyMeter
from bench.meters.peak import PeakRates
from bench.meters.sweep import BUDGET_SECONDS as SWEEP_SECONDS
from bench.meters.sweep import BatchSweep, RanOut
from bench.meters.unmeasured import NotMeasured
from bench.method import Context, Method, QuietInstruments
from bench.prediction import Prediction
from bench.predictions_file import SplitPredictions
from bench.record import Environment, Identity, Latency, PhaseCompute, Sweep
from bench.runner.alone import Alone
from bench.task import TaskData

PREDICT_BATCH = "predict_batch_size"
SWEPT = 4096
"""Most documents of a sweep."""

LEAST_SECONDS = 5.0
"""A sweep is not begun with less time than this before the cell's is up."""

SHARE = 0.1
"""Latency may take this part of what the cell has taken so far."""


@dataclass(frozen=True)
class Labelled:
    """A cell that has labelled its documents.

    Attributes:
        identity: What it is.
        method: Fitted.
        data: Its documents.
        context: What it was given.
        instruments: What measured it.
        sweeps: Whether prediction is to be measured at many batch sizes.
        judged: What its test documents got; None where nobody is to look whether they get the same alone.
    """

    identity: Identity
    method: Method
    data: TaskData
    context: Context
    instruments: CellInstruments
    sweeps: bool = False
    judged: SplitPredictions | None = None

    def figures(self, environment: Environment) -> dict[str, Any]:
        """All that was measured, as the record takes it, with the reasons why some of it was not.

        A method that loads nothing spends no time on it: scripts find the same phases in every finished cell.
        """
        missing: dict[str, str] = {}
        alone = Alone(self._alone)
        found = {"latency": _try("latency", lambda: self._latency(alone), missing)}
        if found["latency"] is not None and self.judged is not None:
            self._note_alone(alone, self.judged, missing)
        if self.sweeps:
            found["sweep"] = _try("sweep", self._sweep, missing)
        measured = self.instruments.measured()
        found["compute"] = _try("compute", lambda: self._compute(measured, environment), missing) or {}
        return {**vars(measured), "seconds": {"load": 0.0, **measured.seconds}, **found, "unmeasured": missing}

    def _latency(self, alone: Alone) -> Latency:
        """Over test documents that the seed draws, in a phase of its own; what the method notes meanwhile is dropped.

        Raises:
            NotMeasured: The cell is a trial, or the documents are few or take too long.
        """
        if self.identity.judged_on == "validation":
            raise NotMeasured("trials of a search are not timed one document at a time")
        budget = min(BUDGET_SECONDS, SHARE * sum(self.instruments.seconds().values()))
        with self.instruments.phase("latency"):
            return LatencyMeter(budget, self.context.deadline).measure(alone.label, self._drawn("latency", MOST))

    def _alone(self, text: str) -> Prediction:
        return self.method.predict([text], replace(self.context, instruments=QuietInstruments()))

    def _note_alone(self, alone: Alone, judged: SplitPredictions, missing: dict[str, str]) -> None:
        """Note whether the documents of latency got what they had got among others."""
        found = _try("alone", lambda: alone.beside(judged, self._places("latency", MOST)), missing)
        if found is not None:
            self.context.note(alone=found)

    def _sweep(self) -> Sweep:
        """Prediction of test documents that the seed draws, at many batch sizes, in a phase of its own.

        Raises:
            NotMeasured: The method has no setting for it, or the cell no time.
        """
        if not hasattr(self.method.config, PREDICT_BATCH):
            raise NotMeasured(f"the method has no setting {PREDICT_BATCH}")
        budget = self._time_left(SWEEP_SECONDS)
        if budget < LEAST_SECONDS:
            raise NotMeasured("the cell's time was nearly up")
        with self.instruments.phase("sweep"):
            return BatchSweep(self._rate).measure(self._drawn("sweep", SWEPT), budget)

    def _time_left(self, most: float) -> float:
        """Seconds, and no more than the cell has left."""
        deadline = self.context.deadline
        return most if deadline is None else min(most, deadline - time.monotonic())

    def _rate(self, texts: Sequence[str], size: int) -> float:
        """Documents a second at a batch size, by the clock and with the warm-up of ``predict``.

        Raises:
            RanOut: They do not fit.
        """
        timed = TimedInstruments()
        alone = replace(self.context, instruments=timed, back_off=BackOff())
        try:
            with batches_of(self.method, size), timed.running():
                self.method.predict(texts, alone)
        except Exception as error:
            if is_out_of_memory(error):
                raise RanOut from None
            raise
        if alone.back_off.steps:
            raise RanOut
        return timed.documents_per_second(len(texts))

    def _drawn(self, purpose: str, most: int) -> list[str]:
        """Texts of test documents, in an order that the seed draws."""
        return [self.data.test.texts[place] for place in self._places(purpose, most)]

    def _places(self, purpose: str, most: int) -> list[int]:
        n = len(self.data.test)
        return random.Random(self.context.seeds.of(purpose)).sample(range(n), min(most, n))

    def _compute(self, measured: Measured, environment: Environment) -> Mapping[str, PhaseCompute]:
        """Operations of training and prediction, beside what the hardware can do.

        Raises:
            NotMeasured: The method has no network, or does not say what it computes with it.
        """
        device, undisturbed = self.context.device, environment.jobs == 1
        rates = PeakRates(cache_folder() / "rates", environment.hardware_id, device, quiet=undisturbed)
        return computed(self.method, self.data, self.context, measured.speed, rates)


@contextmanager
def batches_of(method: Method, size: int) -> Iterator[None]:
    """While open, the method labels so many documents at a time.

    Parts of a method keep its settings, which are immutable: they are changed in place, and back.
    """
    settings = method.config
    before = getattr(settings, PREDICT_BATCH)
    object.__setattr__(settings, PREDICT_BATCH, size)
    try:
        yield
    finally:
        object.__setattr__(settings, PREDICT_BATCH, before)


@dataclass
class TimedInstruments(QuietInstruments):
    """Instruments that time one prediction, and drop all else."""

    timer: PhaseTimer = field(default_factory=PhaseTimer)

    @property
    def window(self) -> PhaseTimer:
        """The timer."""
        return self.timer

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time that counts."""
        self.timer.resume()
        try:
            yield
        finally:
            self.timer.pause()

    def documents_per_second(self, documents: int) -> float:
        """Documents over the timed window; so many, if the method counted none."""
        self.timer.count_if_silent(documents)
        speed = self.timer.speed()
        rate = per_second(speed.documents, speed.seconds) if speed is not None else None
        if rate is None:
            raise NotMeasured("the method counted no documents after its warm-up, or read its work from a cache")
        return rate


def _try(name: str, measure: Callable[[], Any], missing: dict[str, str]) -> Any:
    """A figure; None where there is none, and the reason among those that are missing."""
    try:
        return measure()
    except NotMeasured as error:
        missing[name] = str(error)
    except BaseException as error:  # and the harness's own that time is up
        missing[name] = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    return None
