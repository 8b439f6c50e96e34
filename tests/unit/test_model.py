"""Models are found on this machine, offline, without torch; what is missing says how to bring it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bench import embedded
from bench.errors import ModelError
from bench.model import architecture_of, folder_revision, materialise, resolve


def write_model(folder: Path, weights: bytes = b"w", **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"], **config})
    )
    if weights:
        (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf" / "hub"


def test_embedded_pair_has_both_architectures_and_needs_no_files() -> None:
    encoder, decoder = resolve("embedded-encoder"), resolve("embedded-decoder")
    assert (encoder.architecture, decoder.architecture) == ("encoder", "decoder")
    assert encoder.from_scratch
    assert encoder.revision != decoder.revision
    assert encoder == resolve("embedded-encoder")


def test_resolving_imports_no_torch() -> None:
    code = (
        "import sys; from bench.model import resolve; resolve('embedded-decoder');"
        "sys.exit(bool({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_embedded_models_load_and_match() -> None:
    from transformers import AutoModel, AutoTokenizer

    folders = [materialise(resolve(name)) for name in ("embedded-encoder", "embedded-decoder")]
    assert materialise(resolve("embedded-encoder")) == folders[0]
    encoder, decoder = (AutoModel.from_pretrained(folder) for folder in folders)
    for network in (encoder, decoder):
        config = network.config
        assert (config.hidden_size, config.num_hidden_layers, config.vocab_size) == (128, 4, 8192)
        assert config.max_position_embeddings >= 512
        body = sum(p.numel() for n, p in network.named_parameters() if "embed" not in n)
        assert 0.7e6 < body < 1.3e6
    first, second = (AutoTokenizer.from_pretrained(folder) for folder in folders)
    assert first.get_vocab() == second.get_vocab()
    text = "Straße – a  library\nfor (non)sense"
    assert first.decode(first(text).input_ids, skip_special_tokens=True) == text
    assert first(text).input_ids[1:-1] == second(text).input_ids[1:]
    assert (
        len({first.pad_token_id, first.eos_token_id, first.bos_token_id, first.cls_token_id, first.sep_token_id}) == 5
    )


def test_embedded_weights_are_the_same_wherever_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("a", "b"):
        monkeypatch.setenv("BENCH_CACHE", str(tmp_path / name))
        made.append(materialise(resolve("embedded-decoder")))
    assert made[0] != made[1]
    assert folder_revision(made[0]) == folder_revision(made[1])


def test_embedded_weights_are_made_anew_by_other_code_or_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = resolve("embedded-decoder")
    folders = {found.folder}
    for library in ("torch", "transformers"):
        with monkeypatch.context() as patch:
            patch.setattr(embedded, "version", lambda name, other=library: "0" if name == other else version(name))
            assert resolve("embedded-decoder").revision == found.revision
            folders.add(resolve("embedded-decoder").folder)
    code = tmp_path / "changed.py"
    code.write_bytes(Path(embedded.__file__).read_bytes() + b"#")
    monkeypatch.setattr(embedded, "__file__", str(code))
    changed = resolve("embedded-decoder")
    assert changed.revision != found.revision
    assert len(folders | {changed.folder}) == 4


def test_a_folder_is_named_by_its_contents(tmp_path: Path) -> None:
    first, second = write_model(tmp_path / "a"), write_model(tmp_path / "b", b"other")
    copy = write_model(tmp_path / "c")
    (copy / "README.md").write_text("not part of the model")
    assert resolve(str(first)).revision == resolve(str(copy)).revision != resolve(str(second)).revision
    assert resolve(str(first)).folder == first.resolve()


@pytest.mark.parametrize("place", ["org/small", "small"])
def test_local_models_by_id_or_its_last_part(tmp_path: Path, hub: Path, place: str) -> None:
    folder = write_model(tmp_path / "models" / place)
    found = resolve("org/small", tmp_path / "models")
    assert (found.name, found.folder) == ("org/small", folder.resolve())


def test_hub_cache_follows_the_main_branch(hub: Path) -> None:
    repository = hub / "models--org--small"
    write_model(repository / "snapshots" / "old")
    write_model(repository / "snapshots" / "abc123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")
    found = resolve("org/small")
    assert (found.revision, found.folder.name) == ("abc123", "abc123")


def test_missing_model_names_places_and_remedy(tmp_path: Path, hub: Path) -> None:
    with pytest.raises(ModelError) as error:
        resolve("org/absent", tmp_path / "models")
    message = str(error.value)
    assert "\n" not in message
    assert all(
        word in message for word in ("org/absent", str(hub), str(tmp_path / "models"), "bench prepare org/absent")
    )


def test_model_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights"):
        resolve(str(write_model(tmp_path / "half", weights=b"")))


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        ({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"}, "decoder"),
        ({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}, "decoder"),
        ({"architectures": ["ModernBertForMaskedLM"], "model_type": "modernbert"}, "encoder"),
        ({"architectures": ["BertForPreTraining"], "model_type": "bert"}, "encoder"),
        ({"model_type": "deberta-v2"}, "encoder"),
        ({"architectures": ["BertModel"], "model_type": "bert", "use_cache": True}, "encoder"),
        ({"architectures": ["Qwen3Model"], "model_type": "qwen3", "use_cache": True}, "decoder"),
        ({"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}, None),
        ({"model_type": "resnet"}, None),
    ],
)
def test_architecture_by_config(config: dict[str, object], architecture: str | None) -> None:
    assert architecture_of(config) == architecture
