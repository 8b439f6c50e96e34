"""The whole of ``results/gpu_table.py``, cells and plain scripts, with small networks on a processor."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "results" / "gpu_table.py"


@pytest.mark.slow
def test_every_cell_of_the_suite_has_its_script_beside_it(tmp_path):
    words = [sys.executable, SCRIPT, tmp_path / "work", "--to", tmp_path / "table", "--tiny"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "table" / "gpu.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {(line["method"], line["who"], line["status"]) for line in lines} == {
        (method, who, "ok") for method in ("bert", "embedding-head", "instruction-tuning") for who in ("bench", "plain")
    }
    for line in lines:
        assert float(line["train_tokens_per_second"]) > 0
        assert float(line["loss"]) > 0
    assert "| model |" in (tmp_path / "table" / "gpu.md").read_text("utf-8")
