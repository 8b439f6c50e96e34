"""``instruction-tuning`` for other libraries: a language model, its tokenizer, and its prompt."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.approaches.exports import Base, save_adapter
from bench.encoding import padding_id
from bench.export_lines import lines
from bench.method import Exported
from bench.settings import settings_dict
from bench.training import quiet

if TYPE_CHECKING:
    from bench.approaches.instruction_tuning import InstructionSettings
    from bench.approaches.speaker import Speaker

_PROMPT = "prompt.json"


def export_answers(speaker: Speaker, base: Base, settings: InstructionSettings, folder: Path) -> Exported:
    """Write a trained speaker.

    Args:
        speaker: Network, tokenizer and prompt.
        base: The pretrained model.
        settings: How it was trained and is asked.
        folder: Where it goes.
    """
    whole = settings.adapter == "full"
    if whole:
        _save_whole(speaker.network, folder)
    else:
        save_adapter(speaker.network, base, "CAUSAL_LM", folder)
    _save_tokenizer(speaker.tokenizer, folder)
    (folder / _PROMPT).write_text(json.dumps(_prompt(speaker, settings), ensure_ascii=False, indent=1) + "\n", "utf-8")
    kind = speaker.answers.kind
    load, use = lines(
        "answers",
        **base.words,
        adapter=settings.adapter,
        stock=settings.decoding == "constrained" and kind == "single",
        scored=settings.decoding in {"score", "verbalizer"},
        kind=kind,
    )
    said = (
        "`prompt.json` holds what stands around a document, as text (`before`, `after`) and as token ids; documents "
        f"are cut to {settings.max_tokens} tokens, the prompt never."
    )
    what = "a model for `AutoModelForCausalLM`" if whole else "an adapter for `AutoPeftModelForCausalLM`"
    library = "transformers" if whole else "peft"
    return Exported(f"{what} with its prompt", library, load, use, (said, *base.notes))


def _prompt(speaker: Speaker, settings: InstructionSettings) -> dict[str, Any]:
    """What stands around a document, how answers are spelt, and the settings that say how they are had."""
    return {
        "before": speaker.tokenizer.decode(speaker.prompt.before_ids),
        "after": speaker.tokenizer.decode(speaker.prompt.after_ids),
        **speaker.state,
        "max_tokens": settings.max_tokens,
        "answers": [speaker.spelling.write([label]) for label in range(len(speaker.answers.names))],
        "settings": settings_dict(settings),
    }


def _save_whole(network: Any, folder: Path) -> None:
    network.config.use_cache = True  # it was off for training
    with quiet():
        network.save_pretrained(folder)


def _save_tokenizer(tokenizer: Any, folder: Path) -> None:
    written = copy.deepcopy(tokenizer)
    if written.pad_token_id is None:
        written.pad_token = written.convert_ids_to_tokens(padding_id(tokenizer))
    written.save_pretrained(folder)
