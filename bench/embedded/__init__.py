"""Two small models that come with the package: one tokenizer, an encoder and a decoder of the same size.

They need no download, so that every method runs anywhere. Their weights are random, drawn from a fixed seed when a
method first needs them, and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.files import cache_folder, new_folder

ARCHITECTURES = {"embedded-encoder": "encoder", "embedded-decoder": "decoder"}
"""Name of each embedded model → its architecture."""

SEED = 2512
"""The random weights follow from this number and the shipped files."""

_AFFIXES = {"encoder": (["[CLS]"], ["[SEP]"]), "decoder": (["<s>"], [])}
_HERE = Path(__file__).parent


def revision(name: str) -> str:
    """A hash of everything that the model's weights and tokens follow from; needs no torch."""
    digest = hashlib.blake2b(str(SEED).encode(), digest_size=16)
    # This module is among the files: it makes the weights.
    for file in (*_shipped(name), Path(__file__)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def folder(name: str) -> Path:
    """Where the model is, or will be once :func:`materialise` has run.

    The libraries that draw and write the weights are part of the name: another version may draw others.
    """
    versions = (f"{library} {version(library)}" for library in ("torch", "transformers"))
    key = hashlib.blake2b("\0".join([revision(name), *versions]).encode(), digest_size=8)
    return cache_folder() / "models" / f"{name}-{key.hexdigest()}"


def materialise(name: str) -> Path:
    """Make the model's folder unless it is there: config, weights (safetensors) and tokenizer.

    Several processes may ask at once; one makes it, the others wait.

    Returns:
        The folder, ready for ``AutoModel.from_pretrained``.
    """
    target = folder(name)
    if target.is_dir():
        return target
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f"{target.name}.lock")):
        if not target.is_dir():
            from bench.training import quiet

            with new_folder(target) as temporary, quiet():
                _write_weights(name, temporary)
                _write_tokenizer(name, temporary)
    return target


def _shipped(name: str) -> list[Path]:
    return [_HERE / ARCHITECTURES[name] / "config.json", _HERE / "tokenizer.json", _HERE / "tokenizer_config.json"]


def _write_weights(name: str, target: Path) -> None:
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(_HERE / ARCHITECTURES[name])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = getattr(transformers, config.architectures[0])(config)
    model.save_pretrained(target)


def _write_tokenizer(name: str, target: Path) -> None:
    tokenizer = json.loads((_HERE / "tokenizer.json").read_text("utf-8"))
    tokenizer["post_processor"] = _post_processor(tokenizer, *_AFFIXES[ARCHITECTURES[name]])
    (target / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    (target / "tokenizer_config.json").write_bytes((_HERE / "tokenizer_config.json").read_bytes())


def _post_processor(tokenizer: dict[str, Any], before: list[str], after: list[str]) -> dict[str, Any]:
    """Tells the tokenizer which special tokens stand around a text; the vocabulary is the same for both models."""
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    text = [{"Sequence": {"id": "A", "type_id": 0}}]
    around = [[{"SpecialToken": {"id": token, "type_id": 0}} for token in tokens] for tokens in (before, after)]
    return {
        "type": "TemplateProcessing",
        "single": [*around[0], *text, *around[1]],
        "pair": [*around[0], *text, {"Sequence": {"id": "B", "type_id": 0}}, *around[1]],
        "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in [*before, *after]},
    }
