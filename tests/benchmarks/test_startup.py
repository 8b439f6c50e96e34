"""The command line answers at once."""

import sys

from conftest import bench

IMPORT_TYPER = [sys.executable, "-c", "import typer"]


def test_help(ratio):
    assert ratio(bench("--help"), IMPORT_TYPER) <= 3


def test_list_tasks(ratio):
    assert ratio(bench("list", "tasks"), IMPORT_TYPER) <= 5
