"""From a suite and the user's words to the suite that is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.errors import UserError, unknown_name
from bench.grids import without
from bench.record import MenuRule
from bench.registry import Plugin, Registry
from bench.suite import Suite
from bench.train_sizes import ALL, SETTING, TrainSize
from bench.tuned import Tuned, less


@dataclass(frozen=True)
class Selection:
    """What the user named; an empty part leaves the suite's.

    Attributes:
        tasks: Task names.
        methods: Method names.
        models: Model names.
        seeds: Seeds.
        settings: ``key`` or ``NAME.key`` → value.
        train_sizes: Numbers of training documents.
        decision: The rule that chooses any number of labels.
        tuned: What `bench tune` found.
    """

    tasks: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    train_sizes: tuple[TrainSize, ...] = ()
    decision: MenuRule | None = None
    tuned: tuple[Tuned, ...] = ()

    def of(self, suite: Suite, registry: Registry) -> Suite:
        """The suite with the user's words over its own.

        Raises:
            UserError: A task, method or setting is unknown, a setting belongs to a task and to a method, or one says
                how many training documents there are beside sizes that do.
        """
        parts: dict[str, Any] = {
            name: value
            for name in ("tasks", "methods", "models", "seeds", "train_sizes", "decision", "tuned")
            if (value := getattr(self, name))
        }
        for kind in ("task", "method"):
            for name in parts.get(f"{kind}s", ()):
                registry.get(kind, name)
        chosen = suite.model_copy(update=parts)
        plugins = _selected(chosen, registry)
        for word, value in self.settings.items():
            for name, key in _owners(word, plugins, registry):
                if key == SETTING and chosen.train_sizes and registry.find(name.rpartition("/")[2]).kind == "task":
                    raise _two_sizes(word, value, chosen.train_sizes)
                chosen = _with_word(chosen, name, key, value)
        return chosen


def _with_word(suite: Suite, name: str, key: str, value: Any) -> Suite:
    """The suite with a setting of a plugin (or of TASK/METHOD), above what it says of pairs, variants and tuning."""
    settings = {
        owner: without([given], key)[0] if owner.endswith(f"/{name}") else given
        for owner, given in suite.settings.items()
    }
    settings[name] = {**settings.get(name, {}), key: value}
    method = name.rpartition("/")[2]
    # What is said of a pair holds of that pair alone: it has the method's variants, and loses the key in them.
    spanned = {name: suite.variants[method], **suite.variants} if method in suite.variants else suite.variants
    variants = {
        owner: without(grids, key) if owner == name or owner.endswith(f"/{name}") else grids
        for owner, grids in spanned.items()
    }
    return suite.model_copy(update={"settings": settings, "variants": variants, "tuned": less(suite.tuned, name, key)})


def _two_sizes(word: str, value: Any, sizes: Iterable[TrainSize]) -> UserError:
    said = ",".join(map(str, sizes))
    return UserError(
        f"--set {word}={value}: the train sizes {said} say that already; leave it out, or write --train-size "
        f"{ALL if value is None else value} instead of them"
    )


def _selected(suite: Suite, registry: Registry) -> list[Plugin]:
    """The plugins that the suite will use and that import."""
    tasks, methods = registry.of("task"), registry.of("method")
    named = [registry.get("task", name) for name in suite.tasks] or list(tasks.values())
    named += [registry.get("method", name) for name in suite.methods_among(methods)]
    return [plugin for plugin in named if not plugin.error]


def _owners(word: str, plugins: Iterable[Plugin], registry: Registry) -> list[tuple[str, str]]:
    """Which plugins' setting a word names: that of one plugin, or that of every method or task that has the key."""
    name, dot, key = word.rpartition(".")
    if dot:
        plugin = registry.find(name.rpartition("/")[2])
        if key not in known_settings(plugin):
            raise unknown_name(f"setting of {name}", key, known_settings(plugin))
        return [(name, key)]
    owners = [plugin for plugin in plugins if word in known_settings(plugin)]
    if not owners:
        raise unknown_name("setting", word, {key for plugin in plugins for key in known_settings(plugin)})
    if len({plugin.kind for plugin in owners}) > 1:
        names = ", ".join(f"{plugin.name}.{word}" for plugin in owners)
        raise UserError(f"setting {word!r} belongs to tasks and methods; write one of {names}")
    return [(plugin.name, word) for plugin in owners]


def known_settings(plugin: Plugin) -> set[str]:
    """The keys of a plugin's settings; none of a broken one, of which the plan will say what is wrong."""
    try:
        return set(plugin.load().Config.model_fields)
    except UserError:
        return set()
