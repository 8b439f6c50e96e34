"""Networks of a known architecture with random weights.

They measure memory and speed without a download, and are the control of pretrained ones.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from bench.errors import ModelError
from bench.files import cache_folder, new_folder

SEED = 2512
"""The random weights follow from this number and the architecture."""

_TOKENIZER_FILES = ("tokenizer*.json", "*.model", "vocab*", "merges.txt", "special_tokens_map.json", "*.jinja")


@dataclass(frozen=True)
class RandomWeights:
    """How a network with random weights is made, once, into the user's cache.

    Attributes:
        name: What it is called there.
        architecture: ``encoder`` or ``decoder``.
        config: The content of its ``config.json``; ``dtype`` there is what the weights are stored in.
        tokenizer: Folder with the tokenizer that goes along.
    """

    name: str
    architecture: Literal["encoder", "decoder"]
    config: dict[str, Any]
    tokenizer: Path

    @property
    def revision(self) -> str:
        """A hash of everything that the weights and tokens follow from; needs no torch."""
        words = json.dumps([SEED, self.architecture, self.config], sort_keys=True)
        digest = hashlib.blake2b(words.encode(), digest_size=16)
        # This module is among the files: it makes the weights.
        for file in (*self._tokenizer_files(), Path(__file__)):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    @property
    def folder(self) -> Path:
        """Where the network is, or will be once it was made.

        The libraries that draw and write the weights are part of the name: another version may draw others.
        """
        versions = (f"{library} {version(library)}" for library in ("torch", "transformers"))
        key = hashlib.blake2b("\0".join([self.revision, *versions]).encode(), digest_size=8)
        return cache_folder() / "models" / f"{self.name.replace('/', '--')}-{key.hexdigest()}"

    def make(self) -> Path:
        """Make the folder unless it is there: config, weights (safetensors) and tokenizer.

        Several processes may ask at once; one makes it, the others wait.

        Returns:
            The folder, ready for ``AutoModel.from_pretrained``.

        Raises:
            ModelError: The disk has no room for it.
        """
        target = self.folder
        if target.is_dir():
            return target
        from filelock import FileLock

        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock")):
            if not target.is_dir():
                from bench.training import quiet

                _remove_leftovers(target)

                with new_folder(target) as temporary, quiet():
                    self._write_weights(temporary)
                    for file in self._tokenizer_files():
                        shutil.copyfile(file, temporary / file.name)
        return target

    def _tokenizer_files(self) -> list[Path]:
        return sorted({file for pattern in _TOKENIZER_FILES for file in self.tokenizer.glob(pattern)})

    def _write_weights(self, target: Path) -> None:
        import torch
        import transformers

        config = transformers.AutoConfig.for_model(**self.config)
        kinds = {"encoder": transformers.AutoModelForMaskedLM, "decoder": transformers.AutoModelForCausalLM}
        dtype = config.dtype or torch.float32
        with torch.device("meta"):
            shape = kinds[self.architecture].from_config(config, dtype=dtype)
        _check_room(self.name, sum(weights.nbytes for weights in shape.parameters()), target)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            network = kinds[self.architecture].from_config(config, dtype=dtype)
        network.save_pretrained(target)


def _remove_leftovers(target: Path) -> None:
    """Who holds the lock is alone: what an interrupted process left of this network may go."""
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)


def _check_room(name: str, needed: int, target: Path) -> None:
    free = shutil.disk_usage(target).free
    if free < needed:
        raise ModelError(
            f"model {name}: its random weights take {needed / 2**30:.1f} GiB and {target.parent} has "
            f"{free / 2**30:.1f} GiB free; make room, or name another folder in BENCH_CACHE"
        )
