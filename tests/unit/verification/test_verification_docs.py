"""The page on plugins names every promise that is looked at."""

from pathlib import Path

import pytest

from bench.verification.method_checks import METHOD_CHECKS
from bench.verification.task_checks import TASK_CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"


@pytest.mark.parametrize("check", [*METHOD_CHECKS, *TASK_CHECKS], ids=lambda check: check.name)
def test_every_check_is_explained(check):
    listed = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("- ")]
    assert any(check.name in line for line in listed)
