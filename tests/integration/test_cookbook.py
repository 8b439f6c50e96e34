"""The cookbook pages, from their first line to their last: every file is written, every command is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"\n]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_QUICKLY = {
    "OMP_NUM_THREADS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_QUIET": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
"""Without a network, and without looking for what is here: pip would resolve all that bench depends on."""


@dataclass(frozen=True)
class Step:
    """A file to write, or a command with the lines of output that the page shows."""

    file: str = ""
    content: str = ""
    command: str = ""
    shown: tuple[str, ...] = ()


def steps(page: str) -> Iterator[Step]:
    for language, title, content in BLOCK.findall((DOCS / page).read_text("utf-8")):
        if language != "console":
            assert title, f"{page}: a block of {language} without a title is not run"
            yield Step(file=title, content=content)
            continue
        for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield Step(command=command, shown=tuple(shown))


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """An empty folder and a new environment beside it, in which `bench`, `pip` and `pytest` are commands."""
    environment, desk = tmp_path / "environment", tmp_path / "desk"
    desk.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    variables = {"base": str(environment), "platbase": str(environment)}
    site, binaries = Path(sysconfig.get_path("purelib", "venv", variables)), environment / "bin"
    (site / "beside.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for name, module in {"bench": "bench.__main__", "pip": "pip.__main__", "pytest": "pytest.__main__"}.items():
        # As an installed command: the folder of the commands is not imported from, nor is the current one.
        call = f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        script = f"#!{binaries}/python\nimport runpy, sys\nsys.path.pop(0)\n{call}\n"
        (binaries / name).write_text(script)
        (binaries / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    for name, value in _QUICKLY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return desk


def matches(line: str, output: str) -> bool:
    """Whether a shown line is in the output; ``…`` stands for anything, spaces for spaces."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
    return re.search(r"\s*[^\n]*\s*".join(parts), output) is not None


@pytest.mark.parametrize("page", ["cookbook-task.md", "cookbook-method.md"])
def test_the_page_works(page, reader):
    here, ran = reader, 0
    for step in steps(page):
        if step.file:
            path = reader / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content, "utf-8")
        elif step.command.startswith("cd "):
            here = here / step.command.removeprefix("cd ")
        else:
            done = subprocess.run(["bash", "-c", step.command], cwd=here, capture_output=True, text=True, check=False)
            output = done.stdout + done.stderr
            assert done.returncode == 0, f"$ {step.command}\n{output}"
            for line in step.shown:
                assert matches(line, output), f"$ {step.command}\n{line!r} is not in:\n{output}"
            ran += 1
    assert ran > 10


@pytest.mark.parametrize("page", ["cookbook-task.md", "cookbook-method.md"])
def test_the_code_is_as_tidy_as_the_project_s(page, tmp_path):
    for step in steps(page):
        if step.file.endswith(".py") and "test" not in step.file:
            (tmp_path / step.file).write_text(step.content, "utf-8")
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "--config", DOCS.parent / "pyproject.toml"]
        done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
