"""The command line as a user calls it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins"


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


def seconds_of(command: Sequence[str], cwd: Path | None = None) -> float:
    """Wall seconds of one call of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=cwd)
    return time.perf_counter() - started


def installed(*words: str) -> list[str]:
    """A command line of the installed ``bench``."""
    return [str(Path(sys.executable).with_name("bench")), *words]
