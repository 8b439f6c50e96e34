"""Copies of the code with one fault in each, run as a user runs the harness."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from commands import Called

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "baselines", "tasks", "report")


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        file: Where it is.
        right: The code as it stands there, once.
        wrong: What stands there instead.
        cells: The words of ``bench run`` that name what it touches.
        checks: One of these has to close the gate.
    """

    file: str
    right: str
    wrong: str
    cells: tuple[str, ...]
    checks: frozenset[str] = frozenset({"quality"})


@dataclass(frozen=True)
class Tree:
    """A copy of the code.

    Attributes:
        root: Its folder.
    """

    root: Path

    @classmethod
    def of(cls, root: Path, fault: Fault | None = None) -> Tree:
        """Copy the code, with a fault."""
        for package in PACKAGES:
            shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
        if fault is not None:
            path = root / fault.file
            text = path.read_text("utf-8")
            assert text.count(fault.right) == 1, f"{fault.file} does not hold {fault.right!r} once"
            path.write_text(text.replace(fault.right, fault.wrong), "utf-8")
        return cls(root)

    def call(self, *words: str | Path) -> Called:
        """Run ``bench`` of this copy."""
        done = subprocess.run(
            [sys.executable, "-m", "bench", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=1500,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            check=False,
        )
        return Called(done.returncode, done.stdout, done.stderr)
