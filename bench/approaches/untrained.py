"""``zero-shot`` and ``few-shot``: a causal language model is asked for labels without having been trained for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import Field

from bench.approaches.adapters import AdapterSettings, start
from bench.approaches.prompts import Answers, Prompt
from bench.approaches.speaker import PromptSettings, Speaker
from bench.method import Context, Method
from bench.prediction import Prediction
from bench.splitting import sample
from bench.task import Documents, LabelSpace

_PROMPT = "prompt.json"


class ZeroShotSettings(PromptSettings):
    """Settings of ``zero-shot``."""

    quantisation: Literal["nf4", "none"] = Field("nf4", description="nf4: weights in 4 bits, doubly quantised")
    list_budget: int = Field(2048, ge=0, description="most tokens of the list of labels, where label_list is auto")
    most_labels: int = Field(3, ge=1, description="labels that an answer may have, where a document may have several")


class FewShotSettings(ZeroShotSettings):
    """Settings of ``few-shot``."""

    shots: int = Field(4, ge=1, description="training documents in the prompt, with every label in its share")
    max_tokens: int = Field(
        128, ge=1, description="tokens of a document, those of the examples too; longer ones lose their end"
    )


class ZeroShot(Method):
    """Asks a decoder for the labels of documents with a prompt, untrained; of training documents it reads none."""

    name = "zero-shot"
    Config = ZeroShotSettings
    model_architecture = "decoder"
    uses_torch = True

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Load the model and write the prompt."""
        with context.phase("load"):
            self._start(labels, context, self._examples(train, context))

    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """Label sets, or scores, as the setting ``decoding`` says."""
        return self._speaker.answer(texts, context)

    def save(self, folder: Path) -> None:
        """Write the prompt; nothing was learnt."""
        (folder / _PROMPT).write_text(json.dumps(asdict(self._speaker.prompt)), "utf-8")

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read the prompt, and load the model."""
        self._start(labels, context, ())
        self._speaker.prompt = Prompt.of(json.loads((folder / _PROMPT).read_text("utf-8")))

    def _examples(self, train: Documents, context: Context) -> Sequence[tuple[str, Sequence[int]]]:
        return ()

    def _start(self, labels: LabelSpace, context: Context, examples: Sequence[tuple[str, Sequence[int]]]) -> None:
        from transformers import AutoModelForCausalLM

        frozen = AdapterSettings(adapter="none", quantisation=self.config.quantisation)
        network, tokenizer, _ = start(AutoModelForCausalLM, frozen, context)
        kind = context.task.kind
        answers = Answers.of(labels, kind, self.config.separator, self.config.nothing)
        self._speaker = Speaker.of(network, tokenizer, answers, self.config, examples)
        self._speaker.most_labels = 1 if kind == "single" else self.config.most_labels


class FewShot(ZeroShot):
    """Asks a decoder with a few training documents and their labels in the prompt, untrained."""

    name = "few-shot"
    Config = FewShotSettings

    def _examples(self, train: Documents, context: Context) -> Sequence[tuple[str, Sequence[int]]]:
        """Documents that the seed chooses, the last ones drawn standing nearest to what is asked."""
        seed = context.seeds.of("shots")
        keys = [f"{seed} {id_}" for id_ in train.ids]
        chosen = sample(keys, train.labels, self.config.shots)
        return [(train.texts[i], train.labels[i]) for i in sorted(chosen, key=lambda i: keys[i])]
