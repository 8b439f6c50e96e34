"""The contract suite: from a plugin to its findings."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.errors import UserError
from bench.registry import BASES, Plugin
from bench.verification.findings import Finding, run_checks
from bench.verification.places import Places


def verify(plugin: Plugin, given: Mapping[str, Any], model: str | None = None) -> Iterator[Finding]:
    """Look at a task or a method from all sides.

    Args:
        plugin: The task or the method.
        given: The user's settings.
        model: What a method starts from; None for the embedded model of its architecture.

    Yields:
        The findings, as they come; what the plugin prints goes to standard error.
    """
    with TemporaryDirectory(prefix="bench-verify-") as folder:
        findings = _findings(plugin, given, model, Path(folder))
        while True:
            with redirect_stdout(sys.stderr):
                finding = next(findings, None)
            if finding is None:
                return
            yield finding


def _findings(plugin: Plugin, given: Mapping[str, Any], model: str | None, folder: Path) -> Iterator[Finding]:
    places = Places(_class(plugin), BASES[plugin.kind])
    if plugin.kind == "task":
        from bench.verification.task_checks import TASK_CHECKS, TaskLab

        return run_checks(TASK_CHECKS, TaskLab(plugin, given), places)
    from bench.verification.method_checks import METHOD_CHECKS
    from bench.verification.method_lab import MethodLab

    return run_checks(METHOD_CHECKS, MethodLab(plugin, given, folder, model), places)


def _class(plugin: Plugin) -> type[Any] | None:
    try:
        return plugin.load()
    except UserError:
        return None
