"""Memory that runs out: what says so, what is made smaller, what starts anew, and what is let go of meanwhile."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.backoff import (
    BackOff,
    NoRoomError,
    Step,
    TrainAgainError,
    back_off_line,
    fitted,
    in_parts_that_fit,
    is_out_of_memory,
    whole_part,
)
from bench.meters.clock import PhaseTimer
from bench.meters.instruments import CellInstruments
from bench.method import Context, Method, QuietInstruments
from bench.record import Record
from bench.task import Documents, LabelSpace, TaskData
from bench.training import Batch, FineTuneSettings, Fitting, fine_tune


@pytest.fixture(scope="module", autouse=True)
def _light() -> Iterator[None]:
    """Backing off collects garbage, which would walk all that was imported, again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


MakeContext = Callable[..., Context]
FULL = "CUDA out of memory. Tried to allocate 2.00 GiB."


@dataclass
class Told(QuietInstruments):
    """Keeps what was discounted."""

    discounted: list[float] = field(default_factory=list)

    def discount(self, seconds: float) -> None:
        self.discounted.append(seconds)


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return replace(make_context(None), instruments=Told())


def facts(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = context.instruments.facts  # type: ignore[attr-defined]
    return found


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError(FULL), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("std::bad_alloc"), True),
        (chained(ValueError("something else"), MemoryError()), True),
        (ValueError("out of memory"), False),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
    ],
)
def test_what_says_that_memory_ran_out(error: Exception, ran_out: bool) -> None:
    assert is_out_of_memory(error) is ran_out


@pytest.mark.parametrize(
    ("batch", "sizes"),
    [(16, [16, 8, 4, 2, 1]), (12, [12, 6, 3, 1]), (10, [10, 5, 2, 1]), (9, [9, 3, 1]), (15, [15, 5, 1]), (7, [7, 1])],
)
def test_a_batch_is_always_a_whole_number_of_parts(batch: int, sizes: list[int]) -> None:
    found = [batch]
    while found[-1] > 1:
        found.append(whole_part(batch, found[-1] // 2))
    assert found == sizes
    assert all(batch % size == 0 for size in found)


def label(room: int, seen: list[int]) -> Callable[[Sequence[int]], list[int]]:
    def do(rows: Sequence[int]) -> list[int]:
        seen.append(len(rows))
        if len(rows) > room:
            raise torch.OutOfMemoryError(FULL)
        return [row * row for row in rows]

    return do


def test_labelling_goes_on_with_what_fits_and_remembers_it(context: Context) -> None:
    seen: list[int] = []
    do = label(3, seen)
    with context.phase("validate"):
        found = [pair for rows in ([*range(10)], [10, 11]) for pair in in_parts_that_fit(rows, do, context)]
    assert [(row, made) for rows, outcome in found for row, made in zip(rows, outcome, strict=True)] == [
        (row, row * row) for row in range(12)
    ]
    assert seen == [10, 5, 2, 2, 2, 2, 2, 2]
    with context.phase("predict"):
        assert [rows for rows, _ in in_parts_that_fit([*range(5)], do, context)] == [[0, 1], [2, 3], [4]]
    steps = [{key: value for key, value in step.items() if key != "seconds"} for step in facts(context)["back_off"]]
    assert steps == [
        {"phase": "validate", "batch": "predict_batch", "from": 10, "to": 5},
        {"phase": "validate", "batch": "predict_batch", "from": 5, "to": 2},
    ]
    assert context.instruments.discounted == [step["seconds"] for step in facts(context)["back_off"]]  # type: ignore[attr-defined]


def test_one_document_that_does_not_fit_is_an_end(context: Context) -> None:
    seen: list[int] = []
    with pytest.raises(NoRoomError) as raised:
        list(in_parts_that_fit([*range(4)], label(0, seen), context))
    assert seen == [4, 2, 1]
    assert is_out_of_memory(raised.value)
    assert isinstance(raised.value.__cause__, torch.OutOfMemoryError)


def test_other_errors_are_no_reason_to_go_on(context: Context) -> None:
    def do(rows: Sequence[int]) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(in_parts_that_fit([1, 2], do, context))
    assert facts(context) == {}


def test_who_takes_outcomes_is_not_taken_for_who_makes_them(context: Context) -> None:
    parts = in_parts_that_fit([1, 2], label(2, []), context)
    assert isinstance(parts, Iterator)
    next(parts)
    with pytest.raises(MemoryError):
        parts.throw(MemoryError())  # type: ignore[attr-defined]
    assert context.back_off == BackOff()


class Small(Method):
    """A small network with dropout, which runs out of memory as it is told to."""

    name = "small"

    def __init__(self, settings: FineTuneSettings, fails: Callable[[str, int, int], bool]) -> None:
        super().__init__(settings)
        self._fails, self._passes = fails, 0
        torch.manual_seed(5)
        self.network = torch.nn.Sequential(torch.nn.Linear(18, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 2))

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        validate = (lambda: self._validate(context)) if self.config.keep == "best" else None
        fitting = Fitting(self.network, [1 + n % 5 for n in range(18)], self._collate, self._loss, validate=validate)
        fine_tune(fitting, self.config, context)

    def predict(self, texts: Sequence[str], context: Context) -> Any:
        raise NotImplementedError

    @property
    def weights(self) -> list[float]:
        return [value for weights in self.network.parameters() for value in weights.ravel().tolist()]

    def _validate(self, context: Context) -> float:
        with context.phase("validate"):
            rows = in_parts_that_fit([*range(4)], lambda rows: self._check("validate", len(rows)), context)
            return float(len(list(rows)))

    def _check(self, where: str, documents: int) -> None:
        if self._fails(where, documents, self._passes):
            raise torch.OutOfMemoryError(FULL)

    def _collate(self, chosen: Sequence[int]) -> Batch:
        inputs = {"x": torch.eye(18)[list(chosen)], "y": torch.tensor([one % 2 for one in chosen])}
        return Batch(inputs, len(chosen), len(chosen), 0, len(chosen))

    def _loss(self, network: Any, batch: Any) -> torch.Tensor:
        self._passes += 1
        self._check("forward", len(batch["x"]))
        loss = torch.nn.functional.cross_entropy(network(batch["x"]), batch["y"], reduction="sum")
        loss.register_hook(lambda _: self._check("backward", len(batch["x"])))
        return loss


def train(context: Context, fails: Callable[[str, int, int], bool], **settings: Any) -> tuple[Small, list[Any]]:
    """A method that was fitted, and weak references to all that were made for it."""
    given = {"epochs": 4, "batch_size": 8, "learning_rate": 0.05, "keep": "last", "scheduler": "cosine", **settings}
    made: list[Any] = []

    def new() -> Method:
        gc.collect()
        assert not [ref for ref in made if ref() is not None], "a network is loaded beside the one that did not fit"
        method = Small(FineTuneSettings(**given), fails)
        made.append(weakref.ref(method.network))
        return method

    nothing = Documents([], [], [])
    data = TaskData(nothing, nothing, nothing, LabelSpace(("a", "b")), "single")
    with context.phase("train"):
        method = fitted(new, data, context)
    assert isinstance(method, Small)
    return method, made


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("after", [0, pytest.param(2, marks=pytest.mark.slow), 7])
def test_training_ends_as_if_it_had_begun_with_small_parts(
    make_context: MakeContext, where: str, after: int, tmp_path: Path
) -> None:
    torch.rand(3)
    small, _ = train(make_context(None), lambda *_: False, gradient_accumulation=4)
    context = replace(make_context(None), checkpoints=tmp_path / "kept", checkpoint_seconds=0.0)
    fails = lambda at, documents, passes: at == where and documents > 2 and passes > after  # noqa: E731
    backed_off, made = train(context, fails)
    assert len(made) == 3
    assert backed_off.weights == small.weights
    noted = facts(context)
    assert (noted["micro_batch"], noted["gradient_accumulation"], noted["steps"]) == (2, 4, 12)
    assert "resumed_from_step" not in noted
    assert len(list((tmp_path / "kept").iterdir())) == 1  # of the attempts in vain nothing is left


def test_no_room_for_the_optimiser_is_backed_off_from_as_well(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, _ = train(make_context(None), lambda *_: False, gradient_accumulation=2)
    step, calls = torch.optim.AdamW.step, 0

    def once(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            step(self, *arguments, **named)  # half of the weights may be changed by then
            raise torch.OutOfMemoryError(FULL)
        return step(self, *arguments, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", once)
    backed_off, _ = train(make_context(None), lambda *_: False)
    assert backed_off.weights == small.weights


def test_room_that_prediction_lacks_is_no_reason_to_learn_in_smaller_parts(make_context: MakeContext) -> None:
    context = make_context(None)
    train(context, lambda where, documents, _: where == "validate" and documents > 1, keep="best")
    assert [step["batch"] for step in facts(context)["back_off"]] == ["predict_batch"] * 2
    assert facts(context)["micro_batch"] == 8
    with pytest.raises(NoRoomError):
        train(make_context(None), lambda where, *_: where == "validate", keep="best")


def test_who_fits_by_himself_is_told_what_to_do(make_context: MakeContext) -> None:
    context = make_context(None)
    nothing = Documents([], [], [])
    method = Small(FineTuneSettings(batch_size=8, keep="last"), lambda *_: True)
    with pytest.raises(TrainAgainError, match="8 documents at a time; fit a new method in the same context") as raised:
        method.fit(nothing, nothing, LabelSpace(("a",)), context)
    assert is_out_of_memory(raised.value)


def test_several_processes_do_not_back_off(make_context: MakeContext) -> None:
    from bench import backoff

    context = replace(make_context(None), processes=2)
    with pytest.raises(torch.OutOfMemoryError), backoff.training(8, 8, context.scratch / "none", context):
        raise torch.OutOfMemoryError(FULL)
    assert context.back_off.steps == []


def test_time_in_vain_is_no_speed() -> None:
    now = 0.0
    timer = PhaseTimer(now=lambda: now)
    timer.resume()
    now = 2.0
    timer.warmed_up()
    timer.count(10)
    now = 7.0
    timer.discount(3.0)
    timer.pause()
    speed = timer.speed()
    assert speed is not None
    assert (speed.documents, speed.seconds, speed.warmup_seconds, timer.seconds) == (10, 2.0, 5.0, 7.0)


def test_what_was_learnt_in_vain_is_no_speed_where_the_next_attempt_ends_early(make_context: MakeContext) -> None:
    """The steps before memory ran out were counted, and phases inside of training are no part of its seconds."""
    instruments = CellInstruments(tell=lambda _: None)
    context = replace(make_context(None), instruments=instruments)
    attempts: list[int] = []

    class Doomed(Small):
        def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
            attempts.append(len(attempts))
            if len(attempts) == 2:
                raise RuntimeError("the file is gone")
            super().fit(train, validation, labels, context)

        def _validate(self, context: Context) -> float:
            with context.phase("validate"):
                time.sleep(0.2)
            return 1.0

    def new() -> Method:
        return Doomed(FineTuneSettings(batch_size=8), lambda where, _, passes: where == "forward" and passes > 5)

    nothing = Documents([], [], [])
    data = TaskData(nothing, nothing, nothing, LabelSpace(("a", "b")), "single")
    with pytest.raises(RuntimeError, match="gone"), context.phase("train"):
        fitted(new, data, context)
    speed = instruments.measured().speed["train"]
    assert (speed.documents, speed.tokens) == (0, None)
    assert speed.seconds >= 0
    assert speed.warmup_documents > 0


def test_peaks_start_anew_where_work_was_in_vain() -> None:
    instruments = CellInstruments(tell=lambda _: None)
    with instruments.phase("train"):
        held = torch.ones(2**26)  # 256 MiB
        del held
        instruments.discount(0.0)
    with instruments.phase("predict"):
        held = torch.ones(2**26)
        del held
    peaks = {name: peak.host or 0.0 for name, peak in instruments.measured().peak_mib.items()}
    assert peaks["predict"] - peaks["train"] == pytest.approx(256, abs=40)


def step(batch: Any, ran_out: int, to: int, parts: int | None = None) -> dict[str, Any]:
    return Step("train", batch, ran_out, to, 1.0, parts).fact()


@pytest.mark.parametrize(
    ("noted", "line"),
    [
        (
            [step("micro_batch", 16, 8, 2), step("micro_batch", 8, 4, 4)],
            "ran out of memory in training with 16 documents at a time and went on with 4 (an optimiser step still has "
            "16)",
        ),
        (
            [step("micro_batch", 2, 1, 8), step("predict_batch", 64, 32)],
            "ran out of memory in training with 2 documents at a time and went on with 1 (an optimiser step still has "
            "8); ran out of memory in prediction with 64 documents at a time and went on with 32",
        ),
        ([], None),
        (None, None),
        ("much", None),
        ([{"batch": "micro_batch"}], None),
    ],
)
def test_a_record_says_it_in_a_line(noted: Any, line: str | None) -> None:
    record = Record.model_construct(facts={} if noted is None else {"back_off": noted})
    assert back_off_line(record) == line
