"""Estimates of planned cells, whether or not their documents and models are here; nothing is fetched or trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError, UserError
from bench.estimating.anatomy import Anatomy, by_numbers, on_paper
from bench.estimating.estimate import Estimate, Figures
from bench.estimating.memory import Footprint, Machine
from bench.estimating.pace import Pace, Subject
from bench.estimating.tasks import TaskSize, WordCounter, size_expected, size_of_frozen, token_lengths
from bench.method import Method
from bench.model import RANDOM, locate
from bench.model_files import architecture_of, read_config
from bench.presets import find_preset
from bench.registry import Registry
from bench.selection import known_settings
from bench.suite import Suite
from bench.telling import canonical
from bench.work import NotEstimated, Workload

if TYPE_CHECKING:
    from bench.runner.plan import PlannedCell
    from bench.task import Task


@dataclass(frozen=True)
class Network:
    """What is known of a model.

    Attributes:
        config: Of its network.
        kind: ``encoder`` or ``decoder``.
        tokenizer: Folder of its tokenizer; None where that is not here.
    """

    config: Mapping[str, Any]
    kind: str
    tokenizer: Path | None


@dataclass(frozen=True)
class Means:
    """What an estimate is made with.

    Attributes:
        anatomy: Config and kind of a network → its parts; None where they cannot be had this way.
        tokenizer: Folder → its tokenizer.
    """

    anatomy: Callable[[Mapping[str, Any], str], Anatomy | None]
    tokenizer: Callable[[Path], Any]


def exact() -> Means:
    """Networks without weights, real tokenizers; imports torch and transformers."""
    from bench.encoding import load_tokenizer

    return Means(on_paper, load_tokenizer)


def quick() -> Means:
    """Numbers of configs, counts of words; imports nothing heavy."""
    return Means(lambda config, _: by_numbers(config), lambda _: WordCounter())


@dataclass
class Estimator:
    """Estimates cells of a plan; equal ones once.

    Attributes:
        registry: The plugins.
        suite: What is planned.
        machine: Where it would run.
        pace: How fast that is; None leaves times out.
        means: What to estimate with.
        local_models: A folder of models to look in first.
        counted_words: Whether some tokenizer was not here.
        expected_sizes: Tasks whose documents are not here.
    """

    registry: Registry
    suite: Suite
    machine: Machine
    pace: Pace | None
    means: Means
    local_models: Path | None = None
    counted_words: bool = False
    expected_sizes: list[str] = field(default_factory=list)
    _lengths: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    _sizes: dict[str, TaskSize | NotEstimated] = field(default_factory=dict)
    _anatomies: dict[str, Anatomy | NotEstimated] = field(default_factory=dict)
    _found: dict[str, Estimate | NotEstimated] = field(default_factory=dict)

    def of(self, cell: PlannedCell) -> Estimate | NotEstimated:
        """The estimate of a cell, or why there is none."""
        identity = cell.identity
        key = canonical([_task(cell), identity.method, identity.method_settings, identity.model])
        if key not in self._found:
            try:
                self._found[key] = self._estimate(cell)
            except UserError as error:
                self._found[key] = NotEstimated(str(error))
        return self._found[key]

    def _estimate(self, cell: PlannedCell) -> Estimate | NotEstimated:
        method: Method = cell.method.load()(cell.method.settings(cell.identity.method_settings))
        size = self._size(cell)
        if isinstance(size, NotEstimated):
            return size
        support = method.supports(size.task)
        if not support.ok:
            return NotEstimated(support.reason)
        if method.model_architecture is None:
            found = method.work(_workload(size))
            return found if isinstance(found, NotEstimated) else NotEstimated("it names a network and starts from none")
        network = self._network(cell)
        if network is None:
            return NotEstimated("its architecture is not known: the model is not here, and no preset")
        return self._with_network(cell, method, size, network)

    def _with_network(
        self, cell: PlannedCell, method: Method, size: TaskSize, network: Network
    ) -> Estimate | NotEstimated:
        anatomy = self._anatomy(network)
        if isinstance(anatomy, NotEstimated):
            return anatomy
        tokenizer = self._tokenizer(network)
        key = f"{_task(cell)} {network.tokenizer}"
        if key not in self._lengths:
            self._lengths[key] = token_lengths(size, tokenizer)
        workload = _workload(size, self._lengths[key], tokenizer, anatomy.hidden)
        with cell.method.guarded():
            work = method.work(workload)
        if isinstance(work, NotEstimated):
            return work
        footprint = Footprint(anatomy, work, self.machine, size.task.n_labels)
        subject = Subject(network.config, network.kind, work)
        return Figures(subject, workload, footprint, size.characters()).estimate(self.pace)

    def _size(self, cell: PlannedCell) -> TaskSize | NotEstimated:
        key = _task(cell)
        if key not in self._sizes:
            self._sizes[key] = self._measured(cell)
        return self._sizes[key]

    def _measured(self, cell: PlannedCell) -> TaskSize | NotEstimated:
        if cell.frozen is not None:
            return size_of_frozen(cell.identity.task, cell.frozen)
        plugin = self.registry.get("task", cell.identity.task)
        given = {**self.suite.task_settings(plugin.name, known_settings(plugin)), **cell.size}
        task: Task = plugin.load()(plugin.settings(given))
        with plugin.guarded():
            size = size_expected(task)
        if size is None:
            return NotEstimated("its documents are not here, and how many there are is not known")
        if plugin.name not in self.expected_sizes:
            self.expected_sizes.append(plugin.name)
        return size

    def _network(self, cell: PlannedCell) -> Network | None:
        if cell.model is not None:
            config = cell.model.random.config if cell.model.random is not None else read_config(cell.model.folder)
            random = cell.model.random
            return Network(config, cell.model.architecture, random.tokenizer if random else cell.model.folder)
        name = (cell.identity.model or "").removesuffix(RANDOM)
        folder = locate(name, self.local_models) if name else None
        if folder is not None:
            config = read_config(folder)
            kind = architecture_of(config)
            has_tokenizer = (folder / "tokenizer.json").is_file()
            return Network(config, kind, folder if has_tokenizer else None) if kind is not None else None
        preset = find_preset(name)
        return Network(preset.config, preset.architecture, None) if preset is not None else None

    def _anatomy(self, network: Network) -> Anatomy | NotEstimated:
        key = canonical(network.config)
        if key not in self._anatomies:
            try:
                found = self.means.anatomy(network.config, network.kind)
            except (ModelError, ValueError, AttributeError, TypeError) as error:  # what a library makes of odd configs
                self._anatomies[key] = NotEstimated(f"its config makes no network: {' '.join(str(error).split())}")
            else:
                self._anatomies[key] = found or NotEstimated("its config does not give the usual numbers")
        return self._anatomies[key]

    def _tokenizer(self, network: Network) -> Any:
        if network.tokenizer is None:
            self.counted_words = True
            return WordCounter()
        return self.means.tokenizer(network.tokenizer)


def _task(cell: PlannedCell) -> str:
    return canonical([cell.identity.task, cell.identity.task_settings])


def _workload(
    size: TaskSize, lengths: Mapping[str, list[int]] | None = None, tokenizer: Any = None, hidden: int = 0
) -> Workload:
    return Workload(size.task, size.labels, size.documents, size.labels_per_document, lengths or {}, tokenizer, hidden)
