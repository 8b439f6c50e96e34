"""Models are found on this machine, offline, without torch; what is missing says how to bring it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from folders import write_model

from bench import embedded
from bench.errors import ModelError
from bench.model import materialise, resolve
from bench.model_files import architecture_of


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf" / "hub"


def test_embedded_pair_has_both_architectures_and_is_pretrained() -> None:
    encoder, decoder = resolve("embedded-encoder"), resolve("embedded-decoder")
    assert (encoder.architecture, decoder.architecture) == ("encoder", "decoder")
    assert not encoder.from_scratch
    assert encoder.revision != decoder.revision
    assert encoder == resolve("embedded-encoder")


def test_embedded_pair_is_small_enough_to_ship() -> None:
    files = [file for name in embedded.ARCHITECTURES for file in embedded.folder(name).iterdir()]
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md", "SHA256SUMS"} <= {f.name for f in files}
    assert sum(file.stat().st_size for file in files) < 16 * 2**20


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded encoder's folder, to be tampered with; it stands for the shipped one."""
    folder = shutil.copytree(embedded.folder("embedded-encoder"), tmp_path / "encoder")
    monkeypatch.setattr(embedded, "folder", lambda _name: folder)
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("how", ["one bit", "cut short", "missing", "no sum", "no sums", "empty sums"])
def test_a_shipped_file_that_is_not_what_it_was_is_refused(copied: Path, name: str, how: str) -> None:
    assert resolve("embedded-encoder").folder == copied.resolve()
    file = copied / name
    content = file.read_bytes()
    if how == "missing":
        file.unlink()
    elif how == "no sum":
        sums = (copied / "SHA256SUMS").read_text().splitlines()
        (copied / "SHA256SUMS").write_text("\n".join(line for line in sums if name not in line))
    elif how == "no sums":
        (copied / "SHA256SUMS").unlink()
    elif how == "empty sums":
        (copied / "SHA256SUMS").write_text("")
    elif how == "cut short":
        file.write_bytes(content[: len(content) // 2])
    else:
        file.write_bytes(bytes([*content[:-2], content[-2] ^ 1, content[-1]]))
    with pytest.raises(ModelError, match=("sums" in how and "json") or name) as error:
        resolve("embedded-encoder")
    assert "\n" not in str(error.value)
    assert "install bench-text again" in str(error.value)


def test_sha256sum_agrees_with_the_shipped_sums() -> None:
    folder = embedded.folder("embedded-decoder")
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        expected, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected


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


@pytest.mark.parametrize("name", embedded.ARCHITECTURES)
def test_loading_a_model_unpickles_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    import torch
    from transformers import AutoModel, AutoTokenizer

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    for module, function in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(module, function, forbidden)
    folder = materialise(resolve(name))
    AutoTokenizer.from_pretrained(folder)
    assert AutoModel.from_pretrained(folder).dtype == torch.float16


def test_a_folder_is_named_by_its_contents(tmp_path: Path) -> None:
    first, second = write_model(tmp_path / "a"), write_model(tmp_path / "b", fill=1.0)
    copy = write_model(tmp_path / "c")
    (copy / "README.md").write_text("not part of the model")
    assert resolve(str(first)).revision == resolve(str(copy)).revision != resolve(str(second)).revision
    assert resolve(str(first)).folder == first.resolve()
    assert resolve(str(first)).name == f"a@{resolve(str(first)).revision[:6]}"


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


def test_a_missing_preset_names_its_licence_gate(hub: Path) -> None:
    with pytest.raises(ModelError, match=r"bench prepare meta-llama/Llama-3.2-1B` .*accept its licence at https://"):
        resolve("llama-3.2-1b")
    with pytest.raises(ModelError, match=r"bench prepare Qwen/Qwen3-0.6B`$"):
        resolve("Qwen/Qwen3-0.6B")


def test_a_preset_is_found_by_the_last_part_of_its_id(tmp_path: Path, hub: Path) -> None:
    write_model(tmp_path / "models" / "Qwen3-0.6B", model_type="qwen3")
    assert resolve("Qwen/Qwen3-0.6B", tmp_path / "models").name == "Qwen/Qwen3-0.6B"
    assert resolve("qwen3-0.6b", tmp_path / "models").name == "Qwen/Qwen3-0.6B"


def test_model_without_weights_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "half")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights"):
        resolve(str(folder))


def test_weights_that_would_be_unpickled_are_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "old")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*can run code.*safetensors"):
        resolve(str(folder))


def test_weights_that_transformers_would_not_read_do_not_hide_pickled_ones(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "decoy")
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin"):
        resolve(str(folder))


def test_every_shard_that_the_index_names_is_asked_for(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "sharded")
    shards = [folder / f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    shutil.copy(folder / "model.safetensors", shards[0])
    (folder / "model.safetensors").rename(shards[1])
    names = {"a": shards[0].name, "b": shards[1].name}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert resolve(str(folder)).architecture == "decoder"
    shards[1].unlink()
    with pytest.raises(ModelError, match=rf"{shards[1].name} is missing"):
        resolve(str(folder))


def test_a_user_s_sums_are_read_as_sha256sum_writes_them(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine")
    right = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"\n{right.upper()} *model.safetensors\n")
    assert resolve(str(folder)).architecture == "decoder"
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  model.safetensors\n")
    with pytest.raises(ModelError, match=r"model\.safetensors was changed.*copy .* again"):
        resolve(str(folder))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"[]"),
        ("config.json", b"{"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"),
        ("model.safetensors", (2).to_bytes(8, "little") + b"[]"),
        ("model.safetensors", (20).to_bytes(8, "little") + b'{"a":{"dtype":"F16"}'),
    ],
)
def test_damaged_files_are_named_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    folder = write_model(tmp_path / "damaged")
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=name) as error:
        resolve(str(folder))
    assert "\n" not in str(error.value)


def test_a_link_that_leads_nowhere_is_named(hub: Path) -> None:
    snapshot = write_model(hub / "models--org--small" / "snapshots" / "abc")
    (snapshot / "model.safetensors").unlink()
    (snapshot / "model.safetensors").symlink_to("../../blobs/gone")
    with pytest.raises(ModelError, match=r"leads nowhere.*bench prepare org/small"):
        resolve("org/small")


def test_a_local_folder_inside_the_hub_cache_is_named_by_its_contents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    revisions = set()
    for fill in (0.0, 1.0):
        write_model(tmp_path / "models" / "small", fill)
        revisions.add(resolve("org/small", tmp_path / "models").revision)
        shutil.rmtree(tmp_path / "models" / "small")
    assert len(revisions) == 2


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_a_weight_file_that_was_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    file = write_model(tmp_path / "cut") / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"model\.safetensors is cut short"):
        resolve(str(file.parent))


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
