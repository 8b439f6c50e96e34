"""The command line answers at once."""

import sys

from commands import installed

IMPORT_TYPER = [sys.executable, "-c", "import typer"]


def test_help(ratio):
    assert ratio(installed("--help"), IMPORT_TYPER) <= 3


def test_list_tasks(ratio):
    assert ratio(installed("list", "tasks"), IMPORT_TYPER) <= 5
