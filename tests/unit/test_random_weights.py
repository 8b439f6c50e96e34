"""Networks with random weights: of any known architecture, without a download, the same wherever they are made."""

from __future__ import annotations

import dataclasses
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench import random_weights
from bench.embedded import folder as embedded_folder
from bench.errors import ModelError
from bench.model import materialise, resolve
from bench.model_files import folder_revision


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("name", ["embedded-encoder", "embedded-decoder"])
def test_the_control_of_a_model_differs_in_its_weights_alone(name: str) -> None:
    from transformers import AutoModel, AutoTokenizer

    model, control = resolve(name), resolve(f"{name}:random")
    assert (control.from_scratch, control.architecture) == (True, model.architecture)
    assert control.revision != model.revision
    folders = materialise(model), materialise(control)
    networks = [AutoModel.from_pretrained(folder, dtype=torch.float32) for folder in folders]
    assert [n.config.hidden_size for n in networks] == [128, 128]
    shapes = [{name: weights.shape for name, weights in network.named_parameters()} for network in networks]
    assert shapes[0] == shapes[1]
    weights = [dict(network.named_parameters()) for network in networks]
    assert not any(torch.equal(weights[0][name], weights[1][name]) for name in weights[0] if "norm" not in name)
    tokenizers = [AutoTokenizer.from_pretrained(folder) for folder in folders]
    assert tokenizers[0]("a text").input_ids == tokenizers[1]("a text").input_ids


def test_a_preset_is_built_from_its_numbers(cache: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    model = resolve("smollm2-135m:random")
    assert (model.name, model.architecture) == ("HuggingFaceTB/SmolLM2-135M:random", "decoder")
    assert resolve("HuggingFaceTB/SmolLM2-135M:random") == model
    assert model.random is not None
    # The same in all but depth, which is what takes the time.
    shallow = dataclasses.replace(model.random, config={**model.random.config, "num_hidden_layers": 1})
    folder = shallow.make()
    network = AutoModel.from_pretrained(folder)
    assert (network.config.hidden_size, network.config.vocab_size, network.dtype) == (576, 49152, torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("fast compression library", return_tensors="pt").input_ids
    assert network(ids).last_hidden_state.shape == (1, ids.shape[1], 576)
    assert network.config.pad_token_id == tokenizer.pad_token_id


def test_the_weights_are_the_same_wherever_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("a", "b"):
        monkeypatch.setenv("BENCH_CACHE", str(tmp_path / name))
        made.append(materialise(resolve("embedded-decoder:random")))
    assert made[0] != made[1]
    assert folder_revision(made[0]) == folder_revision(made[1])


def test_they_are_made_anew_by_other_libraries_and_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = resolve("embedded-decoder:random").random
    assert found is not None
    other = dataclasses.replace(found, config={**found.config, "hidden_size": 256})
    assert other.revision != found.revision
    folders = {found.folder, other.folder}
    for library in ("torch", "transformers"):
        with monkeypatch.context() as patch:
            patch.setattr(
                random_weights, "version", lambda name, other=library: "0" if name == other else version(name)
            )
            assert resolve("embedded-decoder:random").revision == found.revision
            folders.add(found.folder)
    assert len(folders) == 4


def test_a_local_folder_has_a_control_too(tmp_path: Path) -> None:
    folder = shutil.copytree(embedded_folder("embedded-encoder"), tmp_path / "mine")
    (folder / "model.safetensors").unlink()  # of the architecture, only the numbers are needed
    control = resolve(f"{folder}:random")
    assert control.architecture == "encoder"
    assert (materialise(control) / "model.safetensors").is_file()


def test_an_unknown_name_has_no_control(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="org/absent"):
        resolve("org/absent:random", tmp_path)


def test_a_full_disk_is_told_before_anything_is_drawn(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_weights.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(ModelError, match=r"embedded-decoder.*GiB free.*BENCH_CACHE") as error:
        materialise(resolve("embedded-decoder:random"))
    assert "\n" not in str(error.value)
    assert not list((cache / "models").glob("*/config.json"))


def test_what_a_crash_left_behind_goes(cache: Path) -> None:
    model = resolve("embedded-decoder:random")
    leftover = model.folder.with_name(f".{model.folder.name}.0000.tmp")
    leftover.mkdir(parents=True)
    assert json.loads((materialise(model) / "config.json").read_text())["model_type"] == "llama"
    assert not leftover.exists()


def test_a_folder_of_a_preset_s_name_is_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(embedded_folder("embedded-decoder"), tmp_path / "Qwen3-0.6B")
    monkeypatch.chdir(tmp_path)
    control = resolve("Qwen3-0.6B:random")
    assert control.random is not None
    assert control.random.config["model_type"] == "llama"
    assert control.name == f"Qwen3-0.6B@{control.revision[:6]}:random"
