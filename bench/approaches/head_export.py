"""``embedding-head`` for other libraries: as their own classifier where it is one, else a decoder and a head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.approaches.exports import (
    Base,
    classifier_class,
    save_adapter,
    save_classifier,
    save_classifier_adapter,
)
from bench.encoding import affixes, padding_id, save_tokenizer
from bench.export_lines import lines
from bench.method import Exported
from bench.training import quiet

if TYPE_CHECKING:
    from bench.approaches.embedding_head import EmbeddingHeadSettings
    from bench.task import LabelSpace, TaskProfile

_HEAD = "head.safetensors"


@dataclass(frozen=True)
class HeadExport:
    """What is exported.

    Attributes:
        network: Decoder and head.
        tokenizer: Its tokenizer.
        base: The pretrained model.
        settings: How it was trained.
        labels: The label space.
    """

    network: Any
    tokenizer: Any
    base: Base
    settings: EmbeddingHeadSettings
    labels: LabelSpace

    def write(self, folder: Path, task: TaskProfile) -> Exported:
        """Write the files."""
        save_tokenizer(self.tokenizer, folder, self.settings.max_tokens)
        kind = self._own_class()
        if kind is None:
            return self._under_head(folder)
        return self._adapter(kind, folder) if self.settings.adapter == "lora" else self._whole(kind, task, folder)

    def _own_class(self) -> type[Any] | None:
        """The library's own classifier, where that is what was trained: it tells the last token by the padding id."""
        settings, network = self.settings, self.network
        stock = settings.pooling == "last" and settings.head == "linear" and settings.direction == "causal"
        if not stock or network.head.bias is not None or settings.adapter == "none":
            return None
        filler = padding_id(self.tokenizer)
        if filler in affixes(self.tokenizer)[1] or filler == self.tokenizer.unk_token_id:
            return None
        return classifier_class(network)

    def _adapter(self, kind: type[Any], folder: Path) -> Exported:
        save_classifier_adapter(self.network.body, kind.base_model_prefix, self.network.head.weight, self.base, folder)
        load, use = lines("classifier_adapter", **self.base.words)
        what = "an adapter with its head for `AutoPeftModelForSequenceClassification`"
        return Exported(what, "peft", load, use, self.base.notes)

    def _whole(self, kind: type[Any], task: TaskProfile, folder: Path) -> Exported:
        names = self.labels.names
        facts = {
            "id2label": dict(enumerate(names)),
            "label2id": {name: place for place, name in enumerate(names)},
            "pad_token_id": padding_id(self.tokenizer),
            "problem_type": f"{task.kind}_label_classification",
        }
        save_classifier(kind, self.network.body, self.network.head.weight.detach(), facts, folder)
        load, use = lines("classifier")
        return Exported("a model for `AutoModelForSequenceClassification`", "transformers", load, use)

    def _under_head(self, folder: Path) -> Exported:
        """A decoder for ``AutoModel``, or an adapter of it, or neither; the head is a class of this package."""
        from safetensors.torch import save_file

        settings, base = self.settings, self.base
        save_file(self.network.on_top().state_dict(), folder / _HEAD)
        if settings.adapter == "lora":
            save_adapter(self.network.body, base, None, folder)
        elif settings.adapter == "full":
            with quiet():
                self.network.body.save_pretrained(folder)
        what = {
            "lora": "an adapter for `AutoModel` and a head",
            "full": "a model for `AutoModel` and a head",
            "none": "a head for the base model as it is",
        }
        reason = (
            "transformers has no class for this head (pooling, bias, hidden layer or direction), so the lines above "
            "take it from the package `bench-text`."
        )
        load, use = lines(
            "under_head",
            **base.words,
            adapter=settings.adapter,
            both_ways=settings.direction == "bidirectional",
            labels=len(self.labels),
            pooling=settings.pooling,
            head=settings.head,
            latents=settings.latents,
            biased=self.network.head.bias is not None,
        )
        return Exported(what[settings.adapter], "transformers", load, use, (reason, *base.notes))
