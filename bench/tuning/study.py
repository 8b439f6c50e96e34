"""One method on one task: what was tried, what came of it, and what to try next.

Nothing is stored but the trials' cells. A study that goes on asks the same seeded sampler the same questions and finds
the answers in the store, up to the trial at which it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.record import Record
from bench.runner.plan import PlannedCell
from bench.seeds import Seeds
from bench.settings import Settings, settings_dict
from bench.spaces import Domain, Value
from bench.store import Corrupt, Store
from bench.tuned import Tuned, sampled_ids

if TYPE_CHECKING:
    from optuna.study import Study as OptunaStudy
    from optuna.trial import Trial as OptunaTrial

SEARCH = "the settings as they stood, then Optuna's TPE"
"""How settings are drawn, for every method alike."""
_ATTEMPTS = 50


@dataclass(frozen=True)
class Trial:
    """What was tried.

    Attributes:
        values: Setting → value, of those that are searched for.
        cell: Its cell; None where the method refuses such settings.
        record: What became of it.
        refused: Why the method refuses such settings.
    """

    values: Mapping[str, Value]
    cell: PlannedCell | None
    record: Record | None = None
    refused: str = ""

    @property
    def score(self) -> float | None:
        """The primary metric of validation documents; None where there is none."""
        if self.record is None or self.record.status != "ok" or self.record.task_facts is None:
            return None
        return self.record.metrics.get(self.record.task_facts.primary_metric)

    @property
    def failure(self) -> str:
        """Why it has no score."""
        if self.record is None:
            return self.refused
        return self.record.reason or self.record.status

    @property
    def seconds(self) -> float:
        """What it took."""
        return sum(self.record.seconds.values()) if self.record is not None else 0.0


@dataclass
class Study:
    """A search.

    Attributes:
        base: The cell whose settings are searched for.
        domains: Where to look, by setting.
        trials: What was tried, in order; no settings twice.
        exhausted: Whether there are no others left to try.
    """

    base: PlannedCell
    domains: Mapping[str, Domain]
    trials: list[Trial] = field(default_factory=list)
    exhausted: bool = False
    _sampler: OptunaStudy = field(init=False, repr=False)
    _asked: OptunaTrial | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        self._sampler = _sampler(Seeds(self.base.identity.seed).of("tuning"))

    def ask(self, store: Store, report: Callable[[Corrupt], None]) -> Trial | None:
        """What to try next, with what the store already holds of it; :meth:`tell` is due before the next.

        Returns:
            None where there is nothing left to try.
        """
        values = self._unseen() if self.trials else self._as_they_stand()
        if values is None:
            self.exhausted = True
            return None
        try:
            cell = self._cell(values).looked_up(store, report)
        except UserError as error:
            return Trial(values, None, refused=str(error))
        return Trial(values, cell, cell.previous)

    def tell(self, trial: Trial) -> None:
        """Take a trial in."""
        self.trials.append(trial)
        if self._asked is None:
            self._take_as_it_stands(trial)
        else:
            self._answer(trial)

    def found(self) -> Tuned | None:
        """The best of what was tried, the first of equals; None where nothing had a result."""
        scored = [(trial, score) for trial in self.trials if (score := trial.score) is not None]
        facts, identity = self.base.task_facts, self.base.identity
        if not scored or facts is None:
            return None
        best, score = max(scored, key=lambda pair: pair[1])
        return Tuned(
            task=identity.task,
            task_fingerprint=identity.task_fingerprint or "",
            validation_ids=self._validation_ids(),
            method=identity.method,
            model=identity.model,
            model_revision=identity.model_revision,
            fixed={key: value for key, value in identity.method_settings.items() if key not in self.domains},
            settings=dict(best.values),
            metric=facts.primary_metric,
            best=score,
            default=self.trials[0].score,
            trials=len(self.trials),
            exhausted=self.exhausted,
            failed=len(self.trials) - len(scored),
            seconds=round(sum(trial.seconds for trial in self.trials), 2),
            search=SEARCH,
            space={key: str(domain) for key, domain in self.domains.items()},
            seed=identity.seed,
        )

    def _as_they_stand(self) -> dict[str, Value]:
        return {key: self.base.identity.method_settings[key] for key in self.domains}

    def _unseen(self) -> dict[str, Value] | None:
        """Settings that were not tried yet; a sampler that has seen them all draws old ones for ever."""
        for _ in range(_ATTEMPTS):
            values = self._draw()
            earlier = next((trial for trial in self.trials if trial.values == values), None)
            if earlier is None:
                return values
            self._answer(earlier)
        return None

    def _answer(self, trial: Trial) -> None:
        """Tell the sampler what came of what it drew."""
        from optuna.trial import TrialState

        asked, self._asked = self._asked, None
        if asked is not None and trial.score is None:
            self._sampler.tell(asked, state=TrialState.FAIL)
        elif asked is not None:
            self._sampler.tell(asked, trial.score)

    def _validation_ids(self) -> list[str]:
        return sampled_ids(self.base.frozen.ids("validation")) if self.base.frozen is not None else []

    def _draw(self) -> dict[str, Value]:
        self._asked = self._sampler.ask({key: domain.distribution() for key, domain in self.domains.items()})
        return {key: self.domains[key].value(drawn) for key, drawn in self._asked.params.items()}

    def _take_as_it_stands(self, trial: Trial) -> None:
        """The sampler learns from the first trial too, where that lies in its space."""
        from optuna.trial import create_trial

        score = trial.score
        if score is None or not all(value in self.domains[key] for key, value in trial.values.items()):
            return
        distributions = {key: domain.distribution() for key, domain in self.domains.items()}
        params = {key: self.domains[key].drawn(value) for key, value in trial.values.items()}
        self._sampler.add_trial(create_trial(params=params, distributions=distributions, value=score))

    def _cell(self, values: Mapping[str, Value]) -> PlannedCell:
        """The trial's cell.

        Raises:
            UserError: The method refuses such settings together.
        """
        identity = self.base.identity
        settings: Settings = self.base.method.settings({**identity.method_settings, **values})
        named: dict[str, Any] = {"method_settings": settings_dict(settings), "judged_on": "validation"}
        return replace(self.base, identity=identity.model_copy(update=named), variant=values, previous=None)


def _sampler(seed: int) -> OptunaStudy:
    try:
        import optuna
    except ImportError:
        raise UserError("bench tune needs Optuna; run `pip install 'bench-text[hpo]'`") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
