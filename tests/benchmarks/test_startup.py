"""The command line answers at once."""

import sys

import pytest
from commands import installed

IMPORT_TYPER = [sys.executable, "-c", "import typer"]


@pytest.mark.quick
@pytest.mark.parametrize(("words", "most"), [(("--help",), 3), (("list", "tasks"), 8)], ids=["help", "list tasks"])
def test_time_beside_importing_typer(words, most, figure, commands_in_turns):
    ours, reference = commands_in_turns(installed(*words), IMPORT_TYPER)
    figure(f"bench {' '.join(words)}, time beside importing typer", ours / reference, most=most, seen=f"{ours:.2f} s")
