"""The plan: every cell of a suite, named, with what is known of it already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from bench.cell import absent_name, cell_name, slot_name
from bench.errors import ModelError, UserError, unknown_name
from bench.method import Method
from bench.model import RANDOM, ResolvedModel, known_name, resolve
from bench.presets import find_preset
from bench.record import DEFAULT_RULE, STATUSES, Identity, MenuRule, Record, Status, TaskFacts
from bench.registry import Plugin, PluginKind, Registry
from bench.saved import lacks_model
from bench.selection import known_settings
from bench.settings import Settings, naming_settings, settings_dict
from bench.store import Corrupt, Store
from bench.suite import EMBEDDED_MODELS, Suite
from bench.task import Task, TaskProfile
from bench.task_cache import FrozenTask, freeze
from bench.telling import canonical, in_words
from bench.train_sizes import ALL, SETTING, TrainSize, laid_over
from bench.tuned import Tuned, found_for, hashed_ids

State = Literal["done", "missing", "failed", "unavailable"]


@dataclass(frozen=True)
class Blocked:
    """Why cells cannot run here and now, and what mends it."""

    reason: str
    remedy: str | None = None


@dataclass(frozen=True)
class PlannedCell:
    """One cell of a plan.

    Attributes:
        identity: What it is.
        method: Its method's plugin.
        frozen: Its task; None where that is unavailable.
        size: What its suite's train size sets of it beyond the settings of its task.
        variant: What its suite sets of it beyond the settings of its method.
        tuned: The search that found some of its settings.
        model: Its model; None where it needs none, or where that is unavailable.
        uses_torch: Whether its child should come with torch imported.
        shares_training: Whether several devices may train it together.
        blocked: Why it cannot run.
        previous: Its record, from an earlier run.
        lacks_model: Whether it is done and has no model that its method could have saved.
    """

    identity: Identity
    method: Plugin
    frozen: FrozenTask | None
    size: Mapping[str, Any] = field(default_factory=dict)
    variant: Mapping[str, Any] = field(default_factory=dict)
    tuned: Tuned | None = None
    model: ResolvedModel | None = None
    uses_torch: bool = False
    shares_training: bool = False
    blocked: Blocked | None = None
    previous: Record | None = None
    lacks_model: bool = False

    @cached_property
    def slot(self) -> str:
        """The name of what the user chose."""
        return slot_name(self.identity)

    @cached_property
    def cell(self) -> str:
        """The cell's name; a cell that cannot run has a name for that."""
        return self.absent if self.blocked is not None else cell_name(self.identity)

    @property
    def absent(self) -> str:
        """The name under which it is kept that it cannot run."""
        return absent_name(self.identity, self.spanned)

    @property
    def spanned(self) -> str:
        """Its train size and its variant, in words."""
        return in_words({**self.size, **self.variant})

    @property
    def state(self) -> State:
        """What is known of it."""
        if self.blocked is not None:
            return "unavailable"
        if self.previous is None:
            return "missing"
        return "done" if self.previous.status == "ok" else "failed"

    @property
    def status(self) -> Status | None:
        """How it ended, where it has run."""
        return self.previous.status if self.previous is not None else None

    @property
    def reason(self) -> str | None:
        """Why it cannot run, or why it ended as it did."""
        if self.blocked is not None:
            return self.blocked.reason
        return self.previous.reason if self.previous is not None else None

    @property
    def task_facts(self) -> TaskFacts | None:
        """Kind and sizes of the task, where it is available."""
        return self.frozen.facts if self.frozen is not None else None

    def looked_up(self, store: Store, report: Callable[[Corrupt], None]) -> PlannedCell:
        """The cell with the record that the store holds of it now."""
        previous = store.get(self.cell, report)
        lacking = previous is not None and lacks_model(store.folder(self.cell), previous)
        return replace(self, previous=previous, lacks_model=lacking)

    def row(self) -> dict[str, Any]:
        """The cell as plain values, for ``--dry-run`` and for the saved plan."""
        return {
            "cell": self.cell,
            "slot": self.slot,
            "task": self.identity.task,
            "method": self.identity.method,
            "model": self.identity.model,
            "seed": self.identity.seed,
            "state": self.state,
            "status": self.status,
            "identity": self.identity.model_dump(mode="json"),
            "tuned": self.tuned.budget() if self.tuned is not None else None,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Again:
    """Which finished cells to run once more.

    Attributes:
        fresh: All of them.
        statuses: Those that ended so.
        lacking_model: Those that are done and have no model: whoever wants models finds these missing.
    """

    fresh: bool = False
    statuses: frozenset[str] = frozenset()
    lacking_model: bool = False

    @classmethod
    def of(cls, fresh: bool, retry: str | None, save_models: bool = False) -> Again:
        """From the command line; ``retry`` is a list of statuses with commas, or ``all``.

        Raises:
            UserError: A status is unknown.
        """
        retryable: list[str] = [status for status in STATUSES if status not in {"ok", "unavailable"}]
        words = [word.strip() for word in (retry or "").split(",") if word.strip()]
        if words == ["all"]:
            words = retryable
        for word in words:
            if word not in retryable:
                raise unknown_name("status to retry", word, [*retryable, "all"])
        return cls(fresh, frozenset(words), save_models)

    def wants(self, planned: PlannedCell) -> bool:
        """Whether this cell is to run now."""
        if planned.blocked is not None:
            return False
        previous = planned.previous
        return previous is None or self.fresh or previous.status in self.statuses or self.for_model(planned)

    def for_model(self, planned: PlannedCell) -> bool:
        """Whether a cell that is done is to run for its model's sake."""
        return self.lacking_model and planned.lacks_model


@dataclass
class Planner:
    """Spans a suite's cells.

    Attributes:
        suite: What to span.
        registry: The plugins.
        store: Where earlier records lie.
        say: Tells the user a line, when something takes a while.
        report: Gets corrupt records.
        local_models: A folder of models to look in first.
    """

    suite: Suite
    registry: Registry
    store: Store
    say: Callable[[str], None]
    report: Callable[[Corrupt], None]
    local_models: Path | None = None
    _models: dict[str, ResolvedModel | Blocked] = field(default_factory=dict)
    _sources: dict[str, str] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def plan(self) -> list[PlannedCell]:
        """Every cell in the suite's order: by task, then train size, method, variant, model and seed.

        Raises:
            UserError: A name or a setting is unknown, or a plugin that was named is broken.
        """
        tasks = self._chosen("task", self.suite.tasks)
        methods = self._chosen("method", self.suite.methods)
        self._check_names(tasks, methods)
        self._check_settings(tasks, methods)
        if self.suite.left_out():
            self.say(self.suite.left_out())
        present = [task for task in tasks if task.name in self.suite.tasks or not self._passed_over(task)]
        spanned = [cell for task in present for cell in self._cells_of(task, methods)]
        known = self.store.names()  # one look at a folder instead of one for each cell
        plan = [cell.looked_up(self.store, self.report) if cell.cell in known else cell for cell in spanned]
        if self.suite.tuned and not any(cell.tuned for cell in plan):
            had = ", ".join(f"{one.method} on {one.task}" for one in self.suite.tuned)
            raise UserError(f"tuned settings: none is of a task, method and model of this run; there is {had}")
        return plan

    def _passed_over(self, plugin: Plugin) -> bool:
        """Whether nobody named the task and nobody misses its documents."""
        try:
            found: type[Task] = plugin.load()
            if not found.optional:
                return False
            task_class: Callable[[Settings], Task] = found
            with plugin.guarded():
                return not task_class(plugin.settings(self._task_settings(plugin))).availability().ok
        except UserError:  # broken, and so it will stand in the plan
            return False

    def _chosen(self, kind: PluginKind, names: tuple[str, ...]) -> list[Plugin]:
        """The named plugins; where none is named, all but the methods that the suite leaves out."""
        if not names:
            known = self.registry.of(kind)
            return [known[name] for name in (self.suite.methods_among(known) if kind == "method" else known)]
        chosen = [self.registry.get(kind, name) for name in dict.fromkeys(names)]
        for plugin in chosen:
            plugin.load()
        return chosen

    def _check_names(self, tasks: list[Plugin], methods: list[Plugin]) -> None:
        """Refuse what the suite says of plugins that there are not."""
        known, known_methods = [plugin.name for plugin in self.registry.plugins], self.registry.of("method")
        pairs = {f"{task.name}/{method.name}" for task in tasks for method in methods}
        for name in self.suite.settings:
            if name not in known and name not in pairs and not _is_pair(name, known):
                raise unknown_name("plugin in settings", name, known)
        for name in self.suite.variants:
            if name not in known_methods and name not in pairs and not _is_pair(name, known):
                raise unknown_name("method in variants", name, known_methods)
        for name in self.suite.leave_out:
            if name not in known_methods:
                raise unknown_name("method in leave_out", name, known_methods)

    def _check_settings(self, tasks: list[Plugin], methods: list[Plugin]) -> None:
        """Refuse settings that are off before anything is loaded, let alone run."""
        self._check_every_task()
        for task in tasks:
            _check(task, self._task_settings(task))
            for method in methods:
                given = self.suite.method_settings(task.name, method.name)
                for variant in self.suite.variants_of(task.name, method.name):
                    with self._naming(task, method, variant):
                        _check(method, {**given, **variant})

    @contextmanager
    def _naming(self, task: Plugin, method: Plugin, variant: Mapping[str, Any]) -> Iterator[None]:
        """What is refused in here names the variant and where it stands."""
        try:
            yield
        except UserError as error:
            if not variant:
                raise
            place = f"suite {self.suite.name}: variant {in_words(variant)} of {method.name} on {task.name}"
            raise UserError(f"{place}: {error}") from None

    def _check_every_task(self) -> None:
        """Refuse a word on every task that no task at all knows."""
        if not self.suite.every_task:
            return
        known = {key for task in self.registry.of("task").values() for key in known_settings(task)}
        for key in self.suite.every_task:
            if key not in known:
                raise unknown_name("setting in every_task", key, known)

    def _task_settings(self, task: Plugin) -> dict[str, Any]:
        """What is set of a task."""
        return self.suite.task_settings(task.name, known_settings(task))

    def _cells_of(self, task: Plugin, methods: list[Plugin]) -> Iterator[PlannedCell]:
        for size in self._sizes_of(task):
            yield from self._cells_at(task, size, methods)

    def _sizes_of(self, task: Plugin) -> list[dict[str, int | None]]:
        """What is laid over a task's settings for its train sizes; nothing, once, where the suite has none.

        All documents are frozen first, whether or not a size asks for them: they tell which sizes there are.
        """
        sizes, known = self.suite.train_sizes, known_settings(task)
        if not sizes or SETTING not in known:
            if sizes and known:
                self.say(f"{task.name}: it has no setting {SETTING}, so it runs at one train size")
            return [{}]
        whole, _, _ = self._task(task, laid_over(ALL))
        if whole is not None:
            sizes = self._within(sizes, task.name, whole.facts.documents["train"])
        return [laid_over(size) for size in sizes]

    def _within(self, sizes: tuple[TrainSize, ...], task: str, documents: int) -> tuple[TrainSize, ...]:
        """The sizes with ``all``, once, for what no training split of so many documents is larger than."""
        smaller = tuple(size for size in sizes if size != ALL and size < documents)
        too_large = [f"{size:,}" for size in sizes if size != ALL and size >= documents]
        if too_large:
            self.say(
                f"{task}: train size {' and '.join(too_large)}: there are {documents:,} training documents, so that is "
                f"{ALL}, and runs once"
            )
        return (*smaller, ALL) if len(smaller) < len(sizes) else smaller

    def _cells_at(self, task: Plugin, size: dict[str, int | None], methods: list[Plugin]) -> Iterator[PlannedCell]:
        frozen, task_settings, blocked = self._task(task, size)
        for method in methods:
            draft = PlannedCell(
                Identity(task=task.name, task_settings=task_settings, method=method.name),
                method,
                frozen,
                size,
                blocked=blocked,
            )
            if frozen is not None:
                draft = _identify(draft, task_fingerprint=frozen.fingerprint, decision=self._decision(frozen))
            cells = [cell for variant in self._variants(draft) for cell in self._with_models(variant)]
            for cell in self._with_tuned(cells) if self.suite.tuned else cells:
                for seed in dict.fromkeys(self.suite.seeds):
                    yield _identify(cell, seed=seed)

    def _decision(self, task: FrozenTask) -> MenuRule | None:
        """The rule that was chosen for any number of labels; None for the default one, and where there is one label."""
        chosen = self.suite.decision
        return chosen if task.facts.kind == "multi" and chosen != DEFAULT_RULE else None

    def _task(
        self, plugin: Plugin, size: Mapping[str, Any]
    ) -> tuple[FrozenTask | None, dict[str, Any], Blocked | None]:
        """The frozen task and its settings, those of a train size over the suite's; or why it cannot be had."""
        given = {**self._task_settings(plugin), **size}
        chosen: dict[str, Any] = {}
        try:
            task_class: Callable[[Settings], Task] = plugin.load()
            settings = plugin.settings(given)
            chosen = naming_settings(settings)
            with plugin.guarded():
                available = task_class(settings).availability()
            if not available.ok:
                return None, chosen, Blocked(available.reason, available.remedy or None)
            return freeze(plugin, given, say=self.say), chosen, None
        except UserError as error:
            # What the user named must be right; what came along with `all` must not stop the rest.
            if self.suite.tasks:
                raise
            return None, chosen, Blocked(str(error))

    def _variants(self, draft: PlannedCell) -> Iterable[PlannedCell]:
        """The variants of the draft's method, those of equal settings once."""
        task, method = draft.identity.task, draft.method.name
        found: dict[str, PlannedCell] = {}
        for variant in self.suite.variants_of(task, method):
            cell = self._with_method(replace(draft, variant=variant))
            found.setdefault(canonical(cell.identity.method_settings), cell)
        return found.values()

    def _with_tuned(self, cells: Iterable[PlannedCell]) -> Iterable[PlannedCell]:
        """The cells with the settings that were found for them, those that are equal then once."""
        found: dict[tuple[str | None, str], PlannedCell] = {}
        for cell in map(self._tuned, cells):
            found.setdefault((cell.identity.model, canonical(cell.identity.method_settings)), cell)
        return found.values()

    def _tuned(self, cell: PlannedCell) -> PlannedCell:
        """The cell with the settings that were found for its task, method and model, if any were."""
        one = cell.identity
        title = f"{one.method} on {one.task}"
        found = found_for(self.suite.tuned, one.task, one.task_fingerprint, one.method, one.model)
        if cell.blocked is not None or cell.frozen is None:
            return cell
        if found is None:
            self._say_once(f"{title}: no tuned settings, it has its own")
            return cell
        if found.task_fingerprint != one.task_fingerprint:
            _refuse_shared(found, cell.frozen, title)
            self._say_once(f"{title}: its settings were tuned on other documents of {one.task}")
        if differing := found.differing(one.method_settings):
            self._say_once(f"{title}: its settings were tuned with {in_words(differing)}")
        try:
            settings = cell.method.settings({**one.method_settings, **found.settings, **cell.variant})
        except UserError as error:
            raise UserError(f"tuned settings of {title}: {error}; tune again, or set it with --set") from None
        return self._checked(replace(_identify(cell, method_settings=settings_dict(settings)), tuned=found), settings)

    def _with_method(self, draft: PlannedCell) -> PlannedCell:
        """Add the method's settings and code; block the cell where the method does not fit the task."""
        plugin = draft.method
        try:
            method_class: type[Method] = plugin.load()
        except UserError as error:  # its variants are one as long as they cannot be told apart
            return replace(draft, variant={}, blocked=draft.blocked or Blocked(str(error)))
        settings = plugin.settings({**self.suite.method_settings(draft.identity.task, plugin.name), **draft.variant})
        named = _identify(draft, method_settings=settings_dict(settings), method_source=self._source(plugin))
        named = replace(named, uses_torch=method_class.uses_torch, shares_training=method_class.shares_training)
        return self._checked(named, settings)

    def _checked(self, cell: PlannedCell, settings: Settings) -> PlannedCell:
        """The cell, blocked where its method with these settings does not fit the task or cannot run here."""
        facts = cell.task_facts
        if facts is None:
            return cell
        profile = TaskProfile(cell.identity.task, facts.kind, facts.n_labels, facts.primary_metric)
        try:
            with cell.method.guarded():
                learner: Method = cell.method.load()(settings)
                support, available = learner.supports(profile), learner.availability()
        except UserError as error:
            return replace(cell, blocked=Blocked(str(error)))
        if not support.ok:
            return replace(cell, blocked=Blocked(support.reason))
        return cell if available.ok else replace(cell, blocked=Blocked(available.reason, available.remedy or None))

    def _source(self, plugin: Plugin) -> str:
        if plugin.name not in self._sources:
            self._sources[plugin.name] = plugin.source_hash("bench.runner.child")
        return self._sources[plugin.name]

    def _with_models(self, cell: PlannedCell) -> Iterator[PlannedCell]:
        """One cell for each model of the method's architecture; the cell itself where it needs none."""
        try:
            architecture = cell.method.load().model_architecture
        except UserError:
            architecture = None
        if architecture is None:
            yield cell
            return
        for name, model in self._fitting(architecture, cell.method.name).items():
            if isinstance(model, ResolvedModel):
                yield replace(_identify(cell, model=name, model_revision=model.revision), model=model)
            else:
                yield replace(_identify(cell, model=name), blocked=cell.blocked or model)

    def _fitting(self, architecture: str, method: str) -> dict[str, ResolvedModel | Blocked]:
        """What records call a model → the model; of the suite's models those of an architecture.

        Where none fits, it is the embedded one that does, and not silently.
        """
        for names in (self.suite.models, EMBEDDED_MODELS):
            found = [(name, self._resolve(name)) for name in names]
            fitting = {
                known_name(name) if isinstance(model, Blocked) else model.name: model
                for name, model in found
                if architecture == "any" or _kind(name, model) in {architecture, None}
            }
            if fitting:
                return fitting
            line = f"{method}: no {architecture} among {', '.join(names)}; it starts from the embedded {architecture}"
            self._say_once(line)
        raise AssertionError(f"no embedded model is a {architecture}")

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self.say(line)

    def _resolve(self, name: str) -> ResolvedModel | Blocked:
        if name not in self._models:
            try:
                self._models[name] = resolve(name, self.local_models)
            except ModelError as error:
                self._models[name] = Blocked(str(error))
        return self._models[name]


def _kind(name: str, model: ResolvedModel | Blocked) -> str | None:
    """``encoder`` or ``decoder``; None where that cannot be known of a model that is not here."""
    if isinstance(model, ResolvedModel):
        return model.architecture
    preset = find_preset(name.removesuffix(RANDOM))
    return preset.architecture if preset is not None else None


def _identify(cell: PlannedCell, **parts: Any) -> PlannedCell:
    return replace(cell, identity=cell.identity.model_copy(update=parts))


def _refuse_shared(found: Tuned, task: FrozenTask, title: str) -> None:
    """Refuse settings that were chosen by test documents.

    Raises:
        UserError: Documents that the search was judged on are test documents here.
    """
    if not set(found.validation_ids).isdisjoint(hashed_ids(task.ids("test"))):
        raise UserError(
            f"tuned settings of {title}: documents that they were tuned on are test documents of this run; tune again "
            "on this split, or leave them out"
        )


def _check(plugin: Plugin, given: Mapping[str, Any]) -> None:
    """Refuse settings that are off; what is broken will stand in the plan as that."""
    try:
        plugin.load()
    except UserError:
        return
    plugin.settings(given)


def _is_pair(name: str, known: list[str]) -> bool:
    task, _, method = name.partition("/")
    return task in known and method in known
