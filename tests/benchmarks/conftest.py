"""Benchmarks of the harness itself: every figure is a ratio to a reference that runs beside it.

A test hands what it found to the fixture ``figure``, with the bounds that it must keep. All figures stand in one table
at the end; ``--save-figures FILE`` writes them, and with ``--compare-figures FILE`` a ratio that is worse than the one
in that file by more than its tolerance fails. A file of other hardware will do: what is compared are ratios.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from benchmarks.figures import Figure, of_properties, read, save, table, to_add_to
from commands import seconds_of

os.environ.pop("OMP_NUM_THREADS", None)  # other tests share the cores; here, references have all of them, as cells do

Work = Callable[[], Any]
EARLIER = pytest.StashKey[dict[str, Figure]]()
THERE = pytest.StashKey[dict[str, Figure]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("figures")
    group.addoption("--save-figures", type=Path, metavar="FILE", help="Write all figures as JSON.")
    group.addoption("--add-figures", type=Path, metavar="FILE", help="Write them among those that are there already.")
    group.addoption("--compare-figures", type=Path, metavar="FILE", help="Fail where a ratio is worse than there.")


class Collected:
    """The figures of all tests, as they end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.figures: list[Figure] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.figures += of_properties(report.user_properties, report.nodeid.rpartition("::")[2])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.figures:
            terminalreporter.section("figures")
            terminalreporter.write_line(table(self.figures, self.config.stash[EARLIER]))

    def pytest_sessionfinish(self) -> None:
        path = self.config.getoption("save_figures") or self.config.getoption("add_figures")
        if path is not None and self.figures:
            there = self.config.stash[THERE]
            save(path, list({**there, **{figure.name: figure for figure in self.figures}}.values()))


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("add_figures")
    try:
        config.stash[THERE] = to_add_to(target) if target is not None else {}
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--add-figures: {error}") from None
    path = config.getoption("compare_figures")
    config.stash[EARLIER] = read(path) if path is not None else {}
    config.pluginmanager.register(Collected(config))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Fail a test whose figures leave their bounds, after it has told all of them."""
    done = yield
    earlier = pyfuncitem.config.stash[EARLIER]
    figures = of_properties(pyfuncitem.user_properties, pyfuncitem.name)
    complaints = [line for figure in figures for line in figure.complaints(earlier.get(figure.name))]
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)
    return done


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["BENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Tell what was found: ``figure(name, ratio, most=3)``, see :class:`benchmarks.figures.Figure` for the rest."""

    def tell(name: str, value: float, **more: Any) -> None:
        record_property(name, asdict(Figure(name, round(float(value), 5), **more)))

    return tell


@pytest.fixture
def in_turns(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., list[tuple[float, Any]]]:
    """Of several works in this process the least seconds and the last outcome, taken in turns; the first is timed by
    pytest-benchmark. ``@pytest.mark.benchmark(timer=time.process_time)`` counts time of the processor instead.
    """
    marker = request.node.get_closest_marker("benchmark")
    clock = marker.kwargs.get("timer", time.perf_counter) if marker else time.perf_counter

    def measure(first: Work, *others: Work, rounds: int = 5) -> list[tuple[float, Any]]:
        runs: list[list[tuple[float, Any]]] = []

        def run_others() -> None:
            runs.append([timed(work, clock) for work in others])

        outcome = benchmark.pedantic(first, setup=run_others, rounds=rounds, warmup_rounds=1)
        least = [min(run[place][0] for run in runs[1:]) for place in range(len(others))]
        return [(min(benchmark.stats.stats.data), outcome), *zip(least, (made for _, made in runs[-1]), strict=True)]

    return measure


def timed(work: Work, clock: Callable[[], float]) -> tuple[float, Any]:
    """Seconds and outcome."""
    started = clock()
    made = work()
    return clock() - started, made


@pytest.fixture
def commands_in_turns() -> Callable[..., tuple[float, float]]:
    """The least seconds of a command line and of a reference, taken in turns after one call of each."""

    def measure(command: Sequence[str], reference: Sequence[str], rounds: int = 9) -> tuple[float, float]:
        seconds_of(command), seconds_of(reference)
        pairs = [(seconds_of(command), seconds_of(reference)) for _ in range(rounds)]
        return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)

    return measure
