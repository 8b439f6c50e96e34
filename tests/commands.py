"""The command line as a user calls it."""

from __future__ import annotations

import subprocess
import sys
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
