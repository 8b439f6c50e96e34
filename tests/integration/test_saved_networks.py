"""Networks that were kept: ``bench predict`` in a fresh process, and the lines that ``bench export`` writes.

Each cell is run once, on few documents and in one epoch; what counts is that others get the same numbers.
"""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from commands import call
from saved_cells import Cell, run_cell

pytestmark = pytest.mark.slow

FEW = {"train_documents": 24, "validation_documents": 8, "test_documents": 36}
QUICK = ("epochs=1", "max_tokens=32", "batch_size=8", "learning_rate=0.002")
CELLS = {
    "bert": ("synthetic-wipo", "bert"),
    "head": ("synthetic-clv", "embedding-head", "quantisation=nf4"),
    "head-multi": ("synthetic-wipo", "embedding-head", "quantisation=nf4", "pooling=mean", "direction=bidirectional"),
    "instruct": ("synthetic-clv", "instruction-tuning", "adapter=lora", "rank=4", "alpha=8"),
}
WHAT = {
    "bert": "a model for `AutoModelForSequenceClassification`",
    "head": "an adapter with its head for `AutoPeftModelForSequenceClassification`",
    "head-multi": "an adapter for `AutoModel` and a head",
    "instruct": "an adapter for `AutoPeftModelForCausalLM` with its prompt",
}


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    """Makes a cell once."""
    made: dict[str, Cell] = {}

    def make(name: str) -> Cell:
        if name not in made:
            task, method, *sets = CELLS[name]
            made[name] = run_cell(tmp_path_factory.mktemp(name), task, method, *QUICK, *sets, limits=FEW)
        return made[name]

    return make


@pytest.mark.parametrize("name", ["bert", "head", "instruct"])
def test_a_fresh_process_predicts_to_the_last_bit(cell, tmp_path, name):
    one = cell(name)
    given = one.write_csv(tmp_path / "in.csv")
    options = ("--input", given, "--output", tmp_path / "out.jsonl", "--out", one.out)
    done = call("predict", one.record["cell"], *options)
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [sorted(row["labels"]) if "labels" in row else [row["label"]] for row in rows] == list(
        map(sorted, one.labels())
    )
    ranking = one.predictions.ranking
    if ranking is None:
        assert call("predict", one.record["cell"], *options, "--force", "--top", "2").code == 2
        assert all("score" not in key for key in rows[0])
    else:
        best = [row["scores"][0] if "scores" in row else row["score"] for row in rows]
        assert np.float32(best).tobytes() == ranking.scores[:, 0].tobytes()


@pytest.mark.parametrize("name", CELLS)
def test_the_lines_of_the_page_label_as_the_cell_did(cell, tmp_path, name):
    one = cell(name)
    done = call("export", one.record["cell"], "--to", tmp_path / "to", "--out", one.out)
    assert done.code == 0, done.err
    page = (tmp_path / "to" / "README.md").read_text()
    assert WHAT[name] in page
    labels, scores = run_page(page, tmp_path / "to", one.documents()[1])
    assert [sorted([said] if isinstance(said, str) else said) for said in labels] == list(map(sorted, one.labels()))
    ranking = one.predictions.ranking
    if ranking is not None:
        kept = np.take_along_axis(np.array(scores, dtype=np.float32), ranking.labels, axis=1)
        assert np.abs(kept - ranking.scores).max() < 1e-5
        assert np.ptp(ranking.scores) > 1e-2


def run_page(page: str, folder, texts):
    """What the page's Python comes to in a fresh process that stands in the folder."""
    lines = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    lines, replaced = re.subn(r"^texts = .*$", lambda _: f"texts = {texts!r}", lines, flags=re.MULTILINE)
    assert replaced == 1
    lines += "\nprint('SAID', json.dumps([labels, scores.tolist() if 'scores' in dir() else None]))"
    program = folder.parent / "page.py"
    program.write_text(f"import json\n{lines}")
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("SAID ")[2])


def test_the_page_is_a_card(cell, tmp_path):
    one = cell("head")
    assert call("export", one.record["cell"], "--to", tmp_path / "to", "--out", one.out).code == 0
    page = (tmp_path / "to" / "README.md").read_text()
    record = one.record
    for said in (record["model"], record["identity"]["model_revision"], record["identity"]["task_fingerprint"], "nf4"):
        assert str(said) in page
    assert f"| micro_f1 | {record['metrics']['micro_f1']:.4f} |" in page
    config = json.loads((tmp_path / "to" / "adapter_config.json").read_text())
    assert (config["task_type"], config["modules_to_save"], config["r"]) == ("SEQ_CLS", ["score"], 8)
    assert "bnb_4bit_quant_type='nf4'" in page


def test_only_an_earlier_export_is_replaced(cell, tmp_path):
    one, target = cell("bert"), tmp_path / "to"
    words = ("export", one.record["cell"], "--out", one.out, "--to", target)
    target.mkdir()
    assert call(*words).code == 0
    written = (target / "README.md").read_text()
    refused = call(*words)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--force" in refused.err
    assert call(*words, "--force").code == 0
    assert (target / "README.md").read_text() == written
    (target / "README.md").write_text("mine")
    kept = call(*words, "--force")
    assert kept.code == 2
    assert "something else" in kept.err
    assert (target / "README.md").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_a_base_model_that_changed_is_refused(cell, tmp_path):
    one = cell("head")
    given = one.write_csv(tmp_path / "in.csv")
    options = ("--input", given, "--output", tmp_path / "out.csv", "--model", "embedded-decoder:random")
    done = call("predict", one.folder, *options)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "name the folder of that with --model" in done.err
