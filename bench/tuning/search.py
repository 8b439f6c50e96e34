"""Running studies side by side: trial after trial, the same number for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.runner.run import RunOptions, Watch, run_plan
from bench.store import Corrupt, Store
from bench.tuned import TUNED, write_tuned
from bench.tuning.study import Study, Trial

TRIALS = "tuning"
"""Folder in the folder of the results with the trials' cells, apart from results: their figures are of validation."""


@dataclass(frozen=True)
class Search:
    """How studies are run.

    Attributes:
        out: Folder of the results.
        options: How to run cells.
        watch: Shows cells at work.
        report: Gets corrupt records.
        say: Tells the user a line before a round in which cells run.
    """

    out: Path
    options: RunOptions
    watch: Watch
    report: Callable[[Corrupt], None]
    say: Callable[[str], None]

    def run(self, studies: Sequence[Study], budget: int) -> None:
        """Make ``budget`` trials of every study, or all that there are; those in the store are not made again.

        Studies go side by side, so that however early it ends none had more trials than another but the one at work.
        What was found so far is written after every round.
        """
        for number in range(1, budget + 1):
            asked = [(study, study.ask(self._store, self.report)) for study in studies]
            trials = [(study, trial) for study, trial in asked if trial is not None]
            cells = [trial.cell for _, trial in trials if trial.cell is not None]
            if any(map(self.options.again.wants, cells)):
                self.say(f"trial {number} of {budget}")
                run_plan(cells, self._store, self.options, self.watch, self.report)
            for study, trial in trials:
                study.tell(self._with_record(trial))
            write_tuned(self.out / TUNED, [found for study in studies if (found := study.found()) is not None])

    @property
    def _store(self) -> Store:
        return Store(self.out / TRIALS)

    def _with_record(self, trial: Trial) -> Trial:
        if trial.cell is None:
            return trial
        return replace(trial, record=self._store.get(trial.cell.cell, self.report))
