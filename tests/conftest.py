"""What all tests share: a cache of their own, and the command line as a user calls it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import PLUGINS, call

os.environ["OMP_NUM_THREADS"] = "1"  # workers share the cores, and small networks gain nothing by threads
os.environ["HF_HUB_OFFLINE"] = "1"  # before any test module imports the hub's client, which reads it only then


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither read nor write the user's cache."""
    os.environ["BENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def bench():
    """Calls the command line: ``bench("run", "--all").code``."""
    return call


@pytest.fixture
def plugins() -> Path:
    """The folder of plugins for tests."""
    return PLUGINS
