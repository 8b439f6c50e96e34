"""Presets: the models that a study's readers use, with licence, size and architecture, known without a download."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Preset(BaseModel):
    """A model of the Hugging Face hub.

    ``transformers.AutoConfig.for_model(**preset.config)`` is its architecture.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="its hub id", pattern=r"^[^/]+/[^/]+$")
    family: str
    architecture: Literal["encoder", "decoder"]
    licence: str = Field(description="as its hub page names it")
    gated: bool = Field(description="whether the hub asks one to accept the licence first")
    parameters: int = Field(description="those of AutoModel: the body with its embeddings, without a head", gt=0)
    config: dict[str, Any] = Field(description="model_type and what config.json says of the architecture")

    @property
    def page(self) -> str:
        """Its page on the hub, where a licence is accepted."""
        return f"https://huggingface.co/{self.id}"


@functools.cache
def presets() -> tuple[Preset, ...]:
    """Every preset, in the order of the file."""
    import yaml

    entries = yaml.safe_load((files("bench") / "presets.yaml").read_text("utf-8"))
    return tuple(Preset.model_validate(entry) for entry in entries)


def find_preset(name: str) -> Preset | None:
    """The preset of a hub id or of its last part, in whatever case: ``Qwen/Qwen3-0.6B`` or ``qwen3-0.6b``."""
    wanted = name.lower()
    for preset in presets():
        full = preset.id.lower()
        if wanted in {full, full.rpartition("/")[2]}:
            return preset
    return None
