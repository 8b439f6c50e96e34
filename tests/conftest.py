"""What all tests share: a cache of their own, and the command line as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither read nor write the user's cache."""
    os.environ["BENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["HF_HUB_OFFLINE"] = "1"


@dataclass(frozen=True)
class Called:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def command(*words: str | Path) -> list[str]:
    """The command line of ``bench`` in this interpreter."""
    return [sys.executable, "-m", "bench", *map(str, words)]


def call(*words: str | Path, cwd: Path | None = None) -> Called:
    """Run ``bench`` as a user does, in a process of its own."""
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=300, cwd=cwd, check=False)
    return Called(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def bench():
    """Calls the command line: ``bench("run", "--all").code``."""
    return call


@pytest.fixture
def plugins() -> Path:
    """The folder of plugins for tests."""
    return PLUGINS
