"""Model cards: what a built model is, what it learnt from, and how to make it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.meters.environment import hardware, packages
from bench.settings import settings_dict

if TYPE_CHECKING:
    from bench.pretraining.build import Build, Made

_FAMILY = {"encoder": "ModernBERT", "decoder": "Llama"}
_OBJECTIVE = {"encoder": "guessing masked tokens", "decoder": "predicting the next token"}
_MASKS = {"encoder": ", the same tokens masked every time", "decoder": ""}


def write_card(build: Build, made: Made, folder: Path) -> None:
    """Write ``README.md`` into a model's folder."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - Markdown
        loader=PackageLoader("bench.pretraining", "."), undefined=StrictUndefined, keep_trailing_newline=True
    )
    text = environment.get_template("card.md.jinja").render(
        family=_FAMILY[made.architecture],
        objective=_OBJECTIVE[made.architecture],
        masks=_MASKS[made.architecture],
        made=made,
        corpus=build.corpus,
        documents=len(build.corpus.train),
        tasks=[f"`{name}`" for name in build.corpus.tasks],
        settings=build.settings,
        all_settings=settings_dict(build.settings),
        command=build.command,
        machine=_machine(),
        libraries=", ".join(f"{name} {packages()[name]}" for name in ("torch", "transformers", "tokenizers")),
        curve=made.course.losses,
    )
    (folder / "README.md").write_text(text, "utf-8")


def _machine() -> str:
    facts = hardware()
    devices = [gpu["name"] for gpu in facts["gpus"]]
    return f"Made on {facts['cores']} cores of {facts['cpu']}" + (
        f" with {', '.join(devices)}" if devices else ", no GPU"
    )
