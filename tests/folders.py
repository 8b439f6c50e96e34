"""Folders of models whose files are whole and hold next to nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_model(folder: Path, fill: float = 0.0, **config: object) -> Path:
    """A decoder's folder, 16 parameters that are all ``fill``; ``config`` goes into its ``config.json``."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"], **config})
    )
    save_file({"weight": np.full((4, 4), fill, np.float16)}, folder / "model.safetensors")
    return folder
