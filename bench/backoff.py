"""Going on with fewer documents at a time where memory runs out, on the host or on a device.

Prediction halves its batches from there on. Training starts anew, from the weights that it had started from, with a
smaller micro-batch and more of them to an optimiser step: the outcome is to the bit that of a run which had that
micro-batch from its first step. (transformers' ``auto_find_batch_size`` goes on from the weights as they are by then,
and makes the optimiser steps smaller.)
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from bench.method import Context, Method
    from bench.record import Record
    from bench.task import TaskData

Batch = Literal["micro_batch", "predict_batch"]
"""What is made smaller: documents that are learnt from at once, or labelled at once."""

_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "std::bad_alloc",
    "alloc_failed",
    "memory allocation",
    "failed to map segment",
    "can't start new thread",
)

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Step:
    """One time that memory ran out and a cell went on.

    Attributes:
        phase: Where it ran out.
        batch: What was made smaller.
        ran_out: Documents that were too many.
        to: Documents at a time from there on.
        seconds: What was done in vain.
        gradient_accumulation: Micro-batches to an optimiser step from there on; None in prediction.
    """

    phase: str
    batch: Batch
    ran_out: int
    to: int
    seconds: float
    gradient_accumulation: int | None = None

    def fact(self) -> dict[str, Any]:
        """The step as it stands in the record."""
        accumulation = {"gradient_accumulation": self.gradient_accumulation} if self.gradient_accumulation else {}
        sizes = {"batch": self.batch, "from": self.ran_out, "to": self.to}
        return {"phase": self.phase, **sizes, **accumulation, "seconds": self.seconds}


@dataclass
class BackOff:
    """What a cell knows of how many documents fit, for as long as it lives.

    Attributes:
        steps: How it came to that.
    """

    steps: list[Step] = field(default_factory=list)

    def at_most(self, batch: Batch, size: int) -> int:
        """The size, or the smaller one that a step has gone to."""
        return min([size, *(step.to for step in self.steps if step.batch == batch)])

    def take(self, step: Step, context: Context) -> None:
        """Take a step, and note all of them as ``back_off`` into the record."""
        self.steps.append(step)
        context.note(back_off=[one.fact() for one in self.steps])


class NoRoomError(RuntimeError):
    """Memory ran out with one document at a time."""


class TrainAgainError(RuntimeError):
    """Training ran out of memory, and is to start anew; its context knows with how many documents at a time.

    Attributes:
        step: What is different next time.
    """

    def __init__(self, step: Step) -> None:
        super().__init__(
            f"training ran out of memory with {step.ran_out} documents at a time; fit a new method in the same context "
            f"to go on with {step.to}"
        )
        self.step = step


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or one that it came from, says that memory ran out, on the host or on a device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, RuntimeError | OSError | ImportError) and speaks_of_memory(str(error)):
        return True
    cause = error.__cause__ or error.__context__
    return cause is not None and is_out_of_memory(cause)


def speaks_of_memory(text: str) -> bool:
    """Whether an error text of some library says that memory ran out."""
    return any(word in text.lower() for word in _MEMORY_WORDS)


def whole_part(batch: int, most: int) -> int:
    """The greatest size, at most ``most``, of which a whole number makes the batch."""
    return next(size for size in range(most, 0, -1) if batch % size == 0)


@contextmanager
def training(batch: int, micro_batch: int, checkpoints: Path, context: Context) -> Iterator[None]:
    """While open, memory that runs out is turned into a smaller micro-batch for who starts anew.

    Not where several processes train together: the others would have to learn of it.

    Args:
        batch: Documents to an optimiser step, which stays as it is.
        micro_batch: Documents that are learnt from at once.
        checkpoints: Of this attempt; no other goes on from there.
        context: Is told of the step.

    Raises:
        TrainAgainError: Memory ran out.
        NoRoomError: It did so with a single document.
    """
    started = time.perf_counter()
    try:
        yield
    except Exception as error:
        if context.processes > 1 or isinstance(error, NoRoomError) or not is_out_of_memory(error):
            raise
        if micro_batch == 1:
            raise NoRoomError("training ran out of memory with one document at a time") from error
        to, seconds = whole_part(batch, micro_batch // 2), time.perf_counter() - started
        step = Step(context.phase_name, "micro_batch", micro_batch, to, seconds, gradient_accumulation=batch // to)
        context.back_off.take(step, context)
        shutil.rmtree(checkpoints, ignore_errors=True)
        raise TrainAgainError(step) from error


def fitted(new: Callable[[], Method], data: TaskData, context: Context) -> Method:
    """A fitted method; one that ran out of memory is made anew and fitted again, as often as its batch can be halved.

    Args:
        new: Makes the method, as if nothing had been before.
        data: What it learns.
        context: Has the phase ``train`` open.
    """
    while True:
        found = _fit(new(), data, context)
        if not isinstance(found, Step):
            return found
        make_room(found, context)
        context.window.warmed_up()  # what was counted was in vain as well, whatever becomes of the next attempt


def in_parts_that_fit(
    rows: list[int], do: Callable[[Sequence[int]], Outcome], context: Context
) -> Iterator[tuple[list[int], Outcome]]:
    """What is done with rows, all at once if that fits into memory, else in parts.

    Raises:
        NoRoomError: One row alone does not fit.
    """
    while rows:
        part, started = rows[: context.back_off.at_most("predict_batch", len(rows))], time.perf_counter()
        try:
            outcome = do(part)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(part) == 1:
                raise NoRoomError("prediction ran out of memory with one document at a time") from error
        else:
            yield part, outcome
            rows = rows[len(part) :]
            continue
        # Behind the handler: inside of it the error still holds what did not fit.
        step = Step(
            context.phase_name, "predict_batch", len(part), len(part) // 2, seconds=time.perf_counter() - started
        )
        context.back_off.take(step, context)
        make_room(step, context)


def make_room(step: Step, context: Context) -> None:
    """Give back what nobody holds any more, and leave what was done in vain out of speed and peaks of the phase."""
    if "torch" in sys.modules:
        from accelerate.utils import release_memory

        release_memory()
    context.instruments.discount(step.seconds)


def back_off_line(record: Record) -> str | None:
    """What to tell of a record that ran out of memory and went on; None where it did not."""
    steps: Any = record.facts.get("back_off")
    # A method may note anything.
    try:
        lines = [_told([step for step in steps if step["batch"] == batch], batch) for batch in _PURPOSES]
        return "; ".join(filter(None, lines)) or None
    except (KeyError, TypeError):
        return None


_PURPOSES: dict[Batch, str] = {"micro_batch": "training", "predict_batch": "prediction"}


def _told(steps: Sequence[dict[str, Any]], batch: Batch) -> str:
    if not steps:
        return ""
    first, to = steps[0]["from"], steps[-1]["to"]
    parts = steps[-1]["gradient_accumulation"] if batch == "micro_batch" else None
    same = f" (an optimiser step still has {to * parts})" if parts else ""
    return f"ran out of memory in {_PURPOSES[batch]} with {first} documents at a time and went on with {to}{same}"


def _fit(method: Method, data: TaskData, context: Context) -> Method | Step:
    """The method, or what is to be different next time; then nobody holds the method and its network any more."""
    try:
        method.fit(data.train, data.validation, data.labels, context)
    except TrainAgainError as again:
        return again.step
    return method
