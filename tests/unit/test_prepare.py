"""``bench prepare MODEL`` fetches what can be read without running code, and says what stands in the way."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import huggingface_hub
import pytest
from folders import write_model
from huggingface_hub.errors import GatedRepoError
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import UserError


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that ``fetched`` fills."""
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    return tmp_path / "hub"


def publish(hub: Path, monkeypatch: pytest.MonkeyPatch, *also: str, weights: bool = True) -> list[str]:
    """Stand in for the hub: every model holds these files besides a config (and weights); ids fetched are returned."""
    asked: list[str] = []

    def fetched(repo_id: str, allow_patterns: list[str], ignore_patterns: list[str]) -> str:
        asked.append(repo_id)
        folder = write_model(hub / f"models--{repo_id.replace('/', '--')}" / "snapshots" / "abc")
        if not weights:
            (folder / "model.safetensors").unlink()
        for name in also:
            if any(fnmatch(name, p) for p in allow_patterns) and not any(fnmatch(name, p) for p in ignore_patterns):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(b"")
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetched)
    return asked


def prepare(*words: str) -> str:
    """What the command says; its errors are raised."""
    result = CliRunner().invoke(app, ["prepare", *words], catch_exceptions=False)
    return result.output


def test_only_what_is_read_is_fetched(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unwanted = ("pytorch_model.bin", "consolidated.safetensors", "onnx/config.json", "modeling_new.py")
    asked = publish(hub, monkeypatch, "tokenizer.json", "vocab.txt", *unwanted)
    assert "Qwen/Qwen3-0.6B: in" in prepare("qwen3-0.6b")
    assert asked == ["Qwen/Qwen3-0.6B"]
    names = {file.name for file in hub.glob("models--*/snapshots/*/*")}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "vocab.txt"}


def test_a_model_that_is_published_as_a_pickle_is_told(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hub, monkeypatch, "pytorch_model.bin", weights=False)
    with pytest.raises(UserError, match=r"org/old is not published as safetensors.*save_pretrained"):
        prepare("org/old")


def test_a_licence_gate_is_told_with_what_to_do(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> str:
        raise GatedRepoError.__new__(GatedRepoError)  # made by hand it wants the response of a server

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    with pytest.raises(UserError, match=r"accept its licence at https://huggingface.co/meta-llama/.*hf auth login"):
        prepare("llama-3.2-1b")


@pytest.mark.parametrize("name", ["embedded-encoder", "Qwen/Qwen3-0.6B:random"])
def test_what_needs_no_download_fetches_nothing(name: str, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = publish(hub, monkeypatch)
    assert "nothing to bring" in prepare(name)
    assert asked == []
