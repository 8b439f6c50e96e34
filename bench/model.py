"""Models: what a method starts from, named by a hub id, a local folder or the name of an embedded one.

Resolving is cheap, works offline and imports neither torch nor transformers.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench import embedded
from bench.errors import ModelError
from bench.files import cache_folder, file_hash, write_atomic

_WEIGHTS = (".safetensors", ".bin")
_IDENTIFYING = (*_WEIGHTS, ".json", ".model", ".txt", ".jinja", ".py")
_WORTH_KEEPING = 2**26
# fmt: off
_ENCODERS = frozenset({
    "albert", "bert", "big_bird", "camembert", "convbert", "deberta", "deberta-v2", "distilbert", "electra",
    "ernie", "esm", "eurobert", "flaubert", "fnet", "funnel", "ibert", "layoutlm", "longformer", "luke",
    "megatron-bert", "mobilebert", "modernbert", "mpnet", "nezha", "nomic_bert", "nystromformer", "rembert",
    "roberta", "roberta-prelayernorm", "roformer", "squeezebert", "xlm-roberta", "xlm-roberta-xl", "xmod", "yoso",
})
# fmt: on


@dataclass(frozen=True)
class ResolvedModel:
    """A model found on this machine.

    Attributes:
        name: What the user calls it: a hub id, a folder, or an embedded name.
        revision: What its files are: a hash of them, or the hub's commit.
        folder: Where ``AutoModel.from_pretrained`` finds it, once :func:`materialise` has been called.
        architecture: ``encoder`` or ``decoder``.
        from_scratch: Whether its weights are random.
    """

    name: str
    revision: str
    folder: Path
    architecture: Literal["encoder", "decoder"]
    from_scratch: bool = False


def resolve(name: str, local_models: Path | None = None) -> ResolvedModel:
    """Find a model on this machine.

    Looked for in this order: embedded models, a folder of that path, ``local_models``, the Hugging Face cache.

    Args:
        name: A hub id, a folder with ``config.json``, or the name of an embedded model.
        local_models: A folder of models, each in a folder named by its id or by the last part of its id.

    Raises:
        ModelError: It is not here, or its files are incomplete; the message says how to bring it.
    """
    if name in embedded.ARCHITECTURES:
        architecture: Any = embedded.ARCHITECTURES[name]
        return ResolvedModel(name, embedded.revision(name), embedded.folder(name), architecture, from_scratch=True)
    for folder in _local_folders(name, local_models):
        if (folder / "config.json").is_file():
            return _found(name, folder, folder_revision(folder))
    snapshot = _cached_snapshot(name)
    if snapshot is None:
        raise _missing(name, local_models)
    return _found(name, snapshot, snapshot.name)


def materialise(model: ResolvedModel) -> Path:
    """The folder of a model, made first where it is an embedded one; methods call it in their ``load`` phase.

    Raises:
        ModelError: The folder has gone since the model was resolved.
    """
    if model.name in embedded.ARCHITECTURES:
        return embedded.materialise(model.name)
    if not model.folder.is_dir():
        raise ModelError(f"model {model.name!r}: its folder {model.folder} has gone; run `bench prepare {model.name}`")
    return model.folder


def folder_revision(folder: Path) -> str:
    """A hash of the names and contents of a model's config, tokenizer and weight files."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in _IDENTIFYING and not file.name.startswith("."):
            facts = file.stat()
            digest.update(f"{file.name}\0{_file_hash(file, facts.st_size, facts.st_mtime_ns)}\0".encode())
    return digest.hexdigest()


def architecture_of(config: dict[str, Any]) -> Literal["encoder", "decoder"] | None:
    """``encoder`` or ``decoder`` by a model's ``config.json``; None where it is neither or cannot be told."""
    if config.get("is_encoder_decoder"):
        return None
    heads = " ".join(config.get("architectures") or ())
    if "ForCausalLM" in heads or "LMHeadModel" in heads or "ForConditionalGeneration" in heads:
        return "decoder"
    if config.get("model_type") in _ENCODERS or "ForMaskedLM" in heads or "ForPreTraining" in heads:
        return "encoder"
    # What is neither listed nor names its head is taken by the one trait that every decoder's config has.
    return "decoder" if "use_cache" in config or "num_key_value_heads" in config else None


def hub_cache() -> Path:
    """Where the Hugging Face libraries keep what they download."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    home = os.environ.get("HF_HOME")
    if home is None:
        home = os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")  # noqa: PTH118
    return Path(home).expanduser() / "hub"


def _local_folders(name: str, local_models: Path | None) -> Iterator[Path]:
    yield Path(name).expanduser()
    if local_models is not None:
        yield local_models / name
        yield local_models / Path(name).name


def _cached_snapshot(name: str) -> Path | None:
    """The cached snapshot of a hub id's main branch, or its only one."""
    repository = hub_cache() / f"models--{name.replace('/', '--')}"
    main = repository / "refs" / "main"
    if main.is_file():
        snapshot = repository / "snapshots" / main.read_text("utf-8").strip()
        return snapshot if (snapshot / "config.json").is_file() else None
    whole = [config.parent for config in repository.glob("snapshots/*/config.json")]
    return whole[0] if len(whole) == 1 else None


def _found(name: str, folder: Path, revision: str) -> ResolvedModel:
    if not any(file.suffix in _WEIGHTS for file in folder.iterdir()):
        raise ModelError(f"model {name!r}: {folder} holds no weights; run `bench prepare {name}`")
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"model {name!r}: {folder / 'config.json'} is not JSON ({error})") from None
    architecture = architecture_of(config)
    if architecture is None:
        raise ModelError(
            f"model {name!r}: the model_type {config.get('model_type')!r} in {folder / 'config.json'} is neither an "
            "encoder nor a decoder"
        )
    return ResolvedModel(name, revision, folder.resolve(), architecture)


def _missing(name: str, local_models: Path | None) -> ModelError:
    places = [str(path) for path in _local_folders(name, local_models)] + [str(hub_cache())]
    return ModelError(
        f"model {name!r} is not on this machine (looked in {', '.join(places)}); run `bench prepare {name}`"
    )


@functools.lru_cache(maxsize=4096)
def _file_hash(file: Path, size: int, modified: int) -> str:
    """Size and time of change are part of the key: the weights of a model are read once, not once a plan."""
    if size < _WORTH_KEEPING:
        return file_hash(file)
    key = hashlib.blake2b(f"{file.resolve()}\0{size}\0{modified}".encode(), digest_size=16).hexdigest()
    kept = cache_folder() / "file-hashes" / key
    if not kept.is_file():
        write_atomic(kept, file_hash(file).encode())
    return kept.read_text("ascii")
