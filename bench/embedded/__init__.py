"""Two small pretrained models that come with the package: an encoder and a decoder that share tokenizer and size.

They need no download, so that every method runs, and learns, anywhere. Each folder is an ordinary one of transformers;
its ``README.md`` says what the model was made from and how to make it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ARCHITECTURES: dict[str, Literal["encoder", "decoder"]] = {
    "embedded-encoder": "encoder",
    "embedded-decoder": "decoder",
}
"""Name of each embedded model → its architecture."""

_HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """Where an embedded model lies."""
    return _HERE / ARCHITECTURES[name]


@dataclass(frozen=True)
class Recipe:
    """What the embedded models were made of.

    Attributes:
        tasks: The tasks whose training documents were read.
        settings: Those of :class:`bench.pretraining.settings.BuildSettings` that are not its defaults.
    """

    tasks: tuple[str, ...]
    settings: dict[str, Any]


def recipe() -> Recipe:
    """The recipe of the embedded models."""
    import yaml

    content = yaml.safe_load((_HERE / "recipe.yaml").read_text("utf-8"))
    return Recipe(tuple(content["tasks"]), content["settings"])
