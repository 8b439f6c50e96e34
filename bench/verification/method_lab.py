"""A method at work on small documents, watched from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.method import Context, Method, QuietInstruments
from bench.model import ResolvedModel, materialise, resolve
from bench.prediction import Prediction
from bench.runner.executor import child_environment
from bench.seeds import Seeds
from bench.settings import anchored
from bench.task import Kind, TaskData, TaskProfile
from bench.verification.data import documents_of
from bench.verification.predictions import Asked, check_prediction
from bench.verification.shared_checks import Loaded

KINDS: tuple[Kind, ...] = ("single", "multi")
THREADS = 1


@dataclass(frozen=True)
class Trial:
    """A method that was fitted and has labelled the test documents.

    Attributes:
        method: Fitted.
        data: What it was fitted on.
        context: What it was given.
        prediction: What it returned for the test documents.
        changed: Which of its inputs it changed.
        working: Opens the place where it works.
    """

    method: Method
    data: TaskData
    context: Context
    prediction: Prediction
    changed: tuple[str, ...]
    working: Callable[[], AbstractContextManager[None]]

    def asked(self, what: str, texts: Sequence[str]) -> Asked:
        """What the harness expects of a prediction of these texts."""
        return Asked(what, texts, len(self.data.labels), self.data.kind)

    def predict(self, what: str, texts: Sequence[str]) -> Prediction:
        """Label documents, as a cell would.

        Args:
            what: The documents in words.
            texts: Their texts.

        Raises:
            Fault: The harness would refuse what came.
        """
        with self.working():
            prediction = predicted(self.method, texts, self.context)
        check_prediction(prediction, self.asked(what, texts))
        return prediction


@dataclass(frozen=True)
class MethodLab(Loaded):
    """A method and the place where it is tried.

    Attributes:
        folder: An empty folder; the method works with ``folder/here`` as its current one.
        model: The model to start from; None for the embedded one of its architecture, the encoder where it takes any.
        threads: Library → threads that the method left it with at any time, where they are more than it was given.
    """

    folder: Path
    model: str | None = None
    threads: dict[str, int] = field(default_factory=dict)
    _trials: dict[Kind, Trial] = field(default_factory=dict)

    @property
    def here(self) -> Path:
        """The current folder while the method works; nothing may appear in it."""
        return self.folder / "here"

    @cached_property
    def config(self) -> Any:
        """Its settings, locations among them made absolute."""
        return self.plugin.settings(anchored(self.type.Config, self.given, Path.cwd()))

    @cached_property
    def start(self) -> ResolvedModel | None:
        """The model that it starts from."""
        architecture = self.type.model_architecture
        if architecture is None:
            return None
        kind = "encoder" if architecture == "any" else architecture
        found = resolve(self.model or f"embedded-{kind}")
        materialise(found)
        return found

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of tasks that it says it can learn."""
        return tuple(kind for kind in KINDS if self.fresh().supports(profile(documents_of(kind))).ok)

    def trial(self, kind: Kind) -> Trial:
        """The method fitted on the plain documents, once."""
        if kind not in self._trials:
            self._trials[kind] = self.fitted(documents_of(kind))
        return self._trials[kind]

    def trials(self) -> Iterator[tuple[Kind, Trial]]:
        """A trial of every kind that it supports."""
        for kind in self.kinds:
            yield kind, self.trial(kind)

    def fitted(self, data: TaskData) -> Trial:
        """A fresh instance, fitted, which has labelled the test documents."""
        context, before = self.context(data), deepcopy(data)
        method: Method = self.fresh()
        with self.working():
            _seed(context.seeds)
            with context.phase("train"):
                method.fit(data.train, data.validation, data.labels, context)
            texts = list(data.test.texts)
            prediction = predicted(method, texts, context)
        changed = [name for name, part in before.splits() if part != getattr(data, name)]
        changed += ["the texts to predict"] if texts != before.test.texts else []
        return Trial(method, data, context, prediction, tuple(changed), self.working)

    def context(self, data: TaskData) -> Context:
        """What a cell would give, with an empty scratch folder."""
        scratch = self.folder / f"scratch-{len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        return Context(
            profile(data),
            Seeds(0),
            "cpu",
            THREADS,
            scratch,
            QuietInstruments(),
            self.start,
            deadline=time.monotonic() + 24 * 3600,
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        """While open, the current folder is an empty one and libraries compute with one thread."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        self.here.mkdir(exist_ok=True)
        if self.type.uses_torch:
            import torch  # noqa: F401 (as the child that it will run in)
        with child_environment(THREADS), chdir(self.here), threadpool_limits(THREADS):
            try:
                yield
            finally:
                self.threads.update(_more_threads_than(THREADS))


def predicted(method: Method, texts: Sequence[str], context: Context) -> Prediction:
    """What a method returns for texts, in the phase that the harness would open."""
    with context.phase("predict"):
        return method.predict(texts, context)


def profile(data: TaskData) -> TaskProfile:
    """What a method may know of the documents."""
    return TaskProfile("verification", data.kind, len(data.labels), data.primary_metric)


def _seed(seeds: Seeds) -> None:
    """As a cell does: generators that a library may draw from unasked, and the number of threads."""
    from bench.runner.cell_run import seed_everything

    seed_everything(seeds, THREADS)


def _more_threads_than(limit: int) -> dict[str, int]:
    import sys

    from threadpoolctl import threadpool_info

    found = {os.path.basename(pool["filepath"]): int(pool["num_threads"]) for pool in threadpool_info()}  # noqa: PTH119
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch"] = torch.get_num_threads()
    return {name: threads for name, threads in found.items() if threads > limit}
