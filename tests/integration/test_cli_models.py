"""``bench models``: what it says of embedded models, presets and models that are here."""

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file


@pytest.fixture(autouse=True)
def empty_hub(tmp_path, monkeypatch):
    """Whatever the user has downloaded."""
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.fixture
def local(tmp_path):
    """A folder of models with one of a preset's name and one of another, 17 parameters each."""
    for name in ("Qwen3-0.6B", "mine"):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}')
        save_file({"a": np.zeros((3, 4), np.float16), "b": np.zeros(5, np.float32)}, folder / "model.safetensors")
    return tmp_path / "models"


def test_list_has_the_embedded_models_and_the_presets(bench):
    rows = {row["model"]: row for row in json.loads(bench("models", "list", "--json").out)}
    assert {"embedded-encoder", "embedded-decoder", "google-bert/bert-base-uncased"} <= set(rows)
    assert rows["embedded-encoder"]["architecture"] == "encoder"
    llama = rows["meta-llama/Llama-3.2-1B"]
    assert (llama["parameters"], llama["licence"], llama["gated"], llama["here"]) == (
        1_235_814_400,
        "llama3.2",
        True,
        False,
    )
    assert not rows["Qwen/Qwen3-0.6B"]["gated"]


def test_the_table_is_readable_and_says_what_is_here(bench, local):
    lines = bench("models", "list", "--local-models", local).out.splitlines()
    assert max(map(len, lines)) <= 120
    line = {line.split()[0]: line for line in lines if line}
    assert line["Qwen/Qwen3-0.6B"].endswith("here")
    assert "596 M" in line["Qwen/Qwen3-0.6B"]
    assert not line["Qwen/Qwen3-1.7B"].endswith("here")
    assert "1.2 B" in line["meta-llama/Llama-3.2-1B"]
    assert "llama3.2 (gated)" in line["meta-llama/Llama-3.2-1B"]
    assert "1.0 B" in line["google/gemma-3-1b-pt"]


def test_listing_models_imports_nothing_heavy():
    program = (
        "import sys\nsys.argv = ['bench', 'models', 'list']\nfrom bench.cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'torch', 'transformers', 'numpy', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def test_show_says_how_to_bring_a_gated_preset_and_how_to_do_without(bench):
    shown = bench("models", "show", "llama-3.2-1b").out
    for said in (
        "meta-llama/Llama-3.2-1B (Llama, decoder): 1,235,814,400 parameters",
        "https://huggingface.co/meta-llama/Llama-3.2-1B",
        "`hf auth login`",
        "bench prepare meta-llama/Llama-3.2-1B\n",
        "--model meta-llama/Llama-3.2-1B:random\n",
    ):
        assert said in shown
    rows = dict(line.split(maxsplit=1) for line in shown.splitlines() if len(line.split()) == 2)
    assert rows["num_hidden_layers"] == "16"
    assert rows["rope_parameters.factor"] == "32.0"
    assert "gated" not in bench("models", "show", "qwen3-0.6b").out


def test_show_says_where_a_preset_is(bench, local):
    here = json.loads(bench("models", "show", "qwen3-0.6b", "--local-models", local, "--json").out)
    assert here["folder"] == str(local / "Qwen3-0.6B")
    assert here["revision"]
    assert (here["prepare"], here["random"]) == ("bench prepare Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B:random")
    assert here["config"]["hidden_size"] == 1024
    text = bench("models", "show", "qwen3-0.6b", "--local-models", local).out
    assert str(local / "Qwen3-0.6B") in text
    assert "bench prepare" not in text
    assert json.loads(bench("models", "show", "qwen3-0.6b", "--json").out)["folder"] is None


def test_show_knows_any_model_that_is_here(bench, local):
    shown = bench("models", "show", local / "mine").out
    assert "(decoder): 17 parameters" in shown
    found = json.loads(bench("models", "show", "somebody/mine", "--local-models", local, "--json").out)
    assert (found["folder"], found["parameters"]) == (str(local / "mine"), 17)
    assert found["revision"] in shown


def test_show_of_an_embedded_model_names_its_folder_and_card(bench):
    row = json.loads(bench("models", "show", "embedded-decoder", "--json").out)
    text = bench("models", "show", "embedded-decoder").out
    assert (row["architecture"], row["folder"] in text) == ("decoder", True)
    if row["card"]:
        assert row["card"].rstrip() in text


def test_unknown_models_are_one_line_with_the_nearest(bench):
    done = bench("models", "show", "Qwen/Qwen3-0.5B")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "unknown model 'Qwen/Qwen3-0.5B'; did you mean 'Qwen/Qwen3-0.6B'?" in done.err


def test_a_folder_that_is_half_a_model_is_named(bench, local):
    (local / "mine" / "model.safetensors").unlink()
    done = bench("models", "show", local / "mine")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert str(local / "mine") in done.err
    assert "unknown model" not in done.err
