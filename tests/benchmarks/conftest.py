"""Benchmarks of the harness itself: every figure is a ratio to a reference that runs beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest
from commands import seconds_of


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["BENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def ratio(record_property: Callable[[str, object], None]) -> Callable[..., float]:
    """The best of several calls of a command over the best of several of a reference, taken in turns."""

    def measure(command: Sequence[str], reference: Sequence[str], rounds: int = 9) -> float:
        seconds_of(command), seconds_of(reference)
        pairs = [(seconds_of(command), seconds_of(reference)) for _ in range(rounds)]
        found = min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs)
        record_property("ratio", round(found, 2))
        print(f"\n{' '.join(command[1:])}: {found:.2f} times {' '.join(reference[1:])}")
        return found

    return measure
