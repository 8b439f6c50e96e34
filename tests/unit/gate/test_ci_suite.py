"""Suite ci must show the faults that the gate is there for, so its documents need what these faults touch."""

from pathlib import Path

import pytest
import yaml
from transformers import AutoTokenizer

import bench
from tasks.synthetic import SyntheticClv, SyntheticWipo

HERE = Path(bench.__file__).parent
SUITE = yaml.safe_load((HERE / "suites" / "ci.yaml").read_text("utf-8"))


@pytest.mark.parametrize("network", ["encoder", "decoder"])
@pytest.mark.parametrize("task", [SyntheticClv, SyntheticWipo])
def test_some_documents_are_padded_and_some_are_cut(task, network):
    """With documents of one length, a fault in pooling or padding would change no answer."""
    data = task(task.Config(**SUITE["settings"][task.name])).load()
    tokenizer = AutoTokenizer.from_pretrained(HERE / "embedded" / network)
    budget = SUITE["settings"]["bert"]["max_tokens"]
    lengths = [len(ids) for ids in tokenizer(list(data.test.texts), add_special_tokens=False)["input_ids"]]
    cut = sum(length > budget for length in lengths) / len(lengths)
    short = sum(length < 0.75 * budget for length in lengths) / len(lengths)
    assert cut > 0.02
    assert short > 0.2
    assert len(data.test) >= 1000
