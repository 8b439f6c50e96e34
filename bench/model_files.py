"""The files of a model's folder: what identifies them, whether they are whole, and what kind of model they are."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any, Literal

from bench.errors import ModelError
from bench.files import cache_folder, file_hash, write_atomic

CHECKSUMS = "SHA256SUMS"
"""In the format of ``sha256sum``, so that a user can check a folder without this package."""

_IDENTIFYING = (".safetensors", ".json", ".model", ".txt", ".jinja", ".py")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_WORTH_KEEPING = 2**26
_LARGEST_HEADER = 10**8  # the limit of the format itself
_SUM = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
# fmt: off
_ENCODERS = frozenset({
    "albert", "bert", "big_bird", "camembert", "convbert", "deberta", "deberta-v2", "distilbert", "electra",
    "ernie", "esm", "eurobert", "flaubert", "fnet", "funnel", "ibert", "layoutlm", "longformer", "luke",
    "megatron-bert", "mobilebert", "modernbert", "mpnet", "nezha", "nomic_bert", "nystromformer", "rembert",
    "roberta", "roberta-prelayernorm", "roformer", "squeezebert", "xlm-roberta", "xlm-roberta-xl", "xmod", "yoso",
})
# fmt: on


class PickledWeightsError(ModelError):
    """The weights are there, in a format that can run code when it is read."""


def folder_revision(folder: Path) -> str:
    """A hash of the names and contents of a model's config, tokenizer and weight files."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in _IDENTIFYING and not file.name.startswith("."):
            facts = file.stat()
            digest.update(f"{file.name}\0{_file_hash(file, facts.st_size, facts.st_mtime_ns)}\0".encode())
    return digest.hexdigest()


def read_config(folder: Path) -> dict[str, Any]:
    """The content of ``config.json``.

    Raises:
        ModelError: It is no JSON object.
    """
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not JSON ({error})") from None
    if not isinstance(config, dict):
        raise ModelError(f"{file} is not a model's config")
    return config


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


def check_weights(folder: Path) -> None:
    """Refuse weights that are missing, cut short, changed, or would have to be unpickled; the tensors are not read.

    Raises:
        ModelError: They are.
    """
    for file in _weight_files(folder):
        read_header(file)
    verify_checksums(folder)


def count_weights(folder: Path) -> int:
    """Parameters in the weight files, by their headers.

    Raises:
        ModelError: As :func:`check_weights`.
    """
    shapes = [tensor["shape"] for file in _weight_files(folder) for tensor in read_header(file).values()]
    return sum(math.prod(shape) for shape in shapes)


def read_header(file: Path) -> dict[str, dict[str, Any]]:
    """Name → type, shape and place of every tensor in a safetensors file.

    The format: the size of the header (8 bytes, little-endian), the header (JSON), the tensors.

    Raises:
        ModelError: The file is missing, is no such file, or its size is not what its header says.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            content = json.loads(stream.read(length)) if length <= min(size, _LARGEST_HEADER) else {}
        header = {name: tensor for name, tensor in content.items() if name != "__metadata__"}
        whole = size == 8 + length + max(int(tensor["data_offsets"][1]) for tensor in header.values())
    except FileNotFoundError:
        raise ModelError(f"{file} is missing") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        whole = False
    if not whole:
        raise ModelError(f"{file} is cut short or no safetensors file ({size} bytes)")
    return header


def write_checksums(folder: Path) -> None:
    """Write the checksums of a model's files beside them."""
    files = sorted(file for file in folder.iterdir() if file.suffix in _IDENTIFYING)
    write_atomic(folder / CHECKSUMS, "".join(f"{_sha256(file)}  {file.name}\n" for file in files).encode())


def verify_checksums(folder: Path) -> frozenset[str]:
    """Compare files with the checksums beside them, where there are any.

    Returns:
        Names of the files that are what they were.

    Raises:
        ModelError: A file is missing or is not what it was.
    """
    sums = folder / CHECKSUMS
    lines = sums.read_text("utf-8", "replace").splitlines() if sums.is_file() else []
    expected = {match[2]: match[1].lower() for line in lines if (match := _SUM.fullmatch(line))}
    for name, right in expected.items():
        file = folder / name
        if not file.is_file():
            raise ModelError(f"{file} is missing and stands in {CHECKSUMS}")
        facts = file.stat()
        found = _kept_sha256(file, facts.st_size, facts.st_mtime_ns)
        if found != right:
            raise ModelError(
                f"{file} was changed or cut short: its SHA-256 begins {found[:12]}, in {CHECKSUMS} {right[:12]}"
            )
    return frozenset(expected)


def check_every_file(folder: Path) -> None:
    """As :func:`verify_checksums`, and no file may be missing from them: how a shipped folder is checked.

    Raises:
        ModelError: A file is not what it was, or not among the checksums.
    """
    verified = verify_checksums(folder)
    for file in sorted(folder.iterdir()):
        if file.suffix in _IDENTIFYING and file.name not in verified:
            raise ModelError(f"{file} does not stand in {CHECKSUMS}")


def _weight_files(folder: Path) -> list[Path]:
    """The files that ``from_pretrained`` would read: the one, or those that the index names."""
    one, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if one.is_file():
        return [one]
    if index.is_file():
        try:
            names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelError(f"{index} is no index of weights") from None
        return [folder / name for name in sorted(names)]
    if one.is_symlink() or index.is_symlink():
        raise ModelError(f"{one if one.is_symlink() else index} is a link that leads nowhere")
    pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED)
    if pickled:
        raise PickledWeightsError(
            f"{folder} holds its weights as {pickled[0]}, a format that can run code when it is read; save them as "
            "safetensors (save_pretrained of transformers does) and name that folder"
        )
    raise ModelError(f"{folder} holds no weights (model.safetensors)")


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


@functools.lru_cache(maxsize=256)
def _kept_sha256(file: Path, size: int, modified: int) -> str:  # noqa: ARG001
    """Size and time of change are part of the key: a changed file is another one."""
    return _sha256(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
