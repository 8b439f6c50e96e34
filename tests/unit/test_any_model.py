"""A method that takes any model is given every model, of either kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cli.verify import _check_model
from bench.errors import UserError
from bench.registry import Registry
from bench.runner.plan import PlannedCell, Planner
from bench.store import Store
from bench.suite import Suite
from bench.verification.method_lab import MethodLab

MODELS = ("embedded-encoder", "embedded-decoder", "embedded-encoder:random", "no/such-model")


def planned(folder: Path, *models: str) -> list[PlannedCell]:
    suite = Suite(
        tasks=("synthetic-clv",),
        methods=("frozen", "bert"),
        settings={"synthetic-clv": {"documents": 60}},
        **({"models": models} if models else {}),
    )
    return Planner(suite, Registry.discover(), Store(folder), lambda _: None, pytest.fail).plan()


def test_it_starts_from_both_embedded_models(tmp_path: Path) -> None:
    cells = [(cell.identity.method, cell.identity.model) for cell in planned(tmp_path)]
    assert cells == [("frozen", "embedded-encoder"), ("frozen", "embedded-decoder"), ("bert", "embedded-encoder")]


def test_it_takes_what_the_suite_names_and_says_what_is_not_here(tmp_path: Path) -> None:
    cells = [cell for cell in planned(tmp_path, *MODELS) if cell.identity.method == "frozen"]
    assert [cell.identity.model for cell in cells] == list(MODELS)
    assert [cell.state for cell in cells] == ["missing", "missing", "missing", "unavailable"]
    assert len({cell.cell for cell in cells}) == 4


def test_verifying_takes_the_embedded_encoder_or_any_other(tmp_path: Path) -> None:
    registry = Registry.discover()
    frozen, bert = registry.get("method", "frozen"), registry.get("method", "bert")
    start = MethodLab(frozen, {}, tmp_path).start
    assert start is not None
    assert start.name == "embedded-encoder"
    _check_model([frozen], "embedded-decoder")
    with pytest.raises(UserError, match="bert starts from an encoder"):
        _check_model([bert], "embedded-decoder")
