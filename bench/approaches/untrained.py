"""``zero-shot`` and ``few-shot``: a causal language model is asked for labels without having been trained for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from bench.approaches.adapters import AdapterSettings, restore, start, store
from bench.approaches.prompt_work import untrained_work
from bench.approaches.prompts import Answers
from bench.approaches.speaker import PromptSettings, Speaker
from bench.method import Context, Method
from bench.prediction import Prediction
from bench.splitting import id_hash, sample
from bench.task import Documents, LabelSpace
from bench.work import Work, Workload


class ZeroShotSettings(PromptSettings):
    """Settings of ``zero-shot``."""

    quantisation: Literal["nf4", "none"] = Field("nf4", description="nf4: weights in 4 bits, doubly quantised")
    list_budget: int = Field(2048, ge=0, description="most tokens of the list of labels, where label_list is auto")
    most_labels: int = Field(
        3,
        ge=1,
        description="labels that an answer may have, where a document may have several; more where an example in the "
        "prompt has more",
    )


class FewShotSettings(ZeroShotSettings):
    """Settings of ``few-shot``."""

    shots: int = Field(4, ge=1, description="training documents in the prompt, with every label in its share")
    max_tokens: int = Field(
        128, ge=1, description="tokens of a document, those of the examples too; longer ones lose their end"
    )

    @property
    def shortening(self) -> str:
        """What would make the prompt shorter, for messages."""
        return "fewer shots, a lower max_tokens, a shorter template or label_list=never"


class ZeroShot(Method):
    """Asks a decoder for the labels of documents with a prompt, untrained; of training documents it reads none."""

    name = "zero-shot"
    Config = ZeroShotSettings
    model_architecture = "decoder"
    uses_torch = True

    def work(self, workload: Workload) -> Work:
        """A decoder that answers prompts."""
        return untrained_work(self.config, workload, self._shots)

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Load the model and write the prompt, which is where labels and documents that do not fit are refused."""
        from transformers import AutoModelForCausalLM

        answers = self._answers(labels, context)
        examples = self._examples(train, context)
        most_labels = [1 if answers.kind == "single" else self.config.most_labels]
        with context.phase("load"):
            frozen = AdapterSettings(adapter="none", quantisation=self.config.quantisation)
            network, tokenizer, self._preparation = start(AutoModelForCausalLM, frozen, context)
            self._speaker = Speaker.of(
                network,
                tokenizer,
                answers,
                self.config,
                most_labels=max(most_labels + [len(shown) for _, shown in examples]),
                examples=examples,
            )

    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """Label sets, or scores, as the setting ``decoding`` says."""
        return self._speaker.answer(texts, context)

    def save(self, folder: Path) -> None:
        """Write tokenizer and prompt; nothing was learnt."""
        self._speaker.save(folder)
        store(self._speaker.network, self._speaker.tokenizer, self._preparation, folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read the prompt, and load the same model."""
        from transformers import AutoModelForCausalLM

        network, tokenizer, self._preparation = restore(AutoModelForCausalLM, folder, context)
        self._speaker = Speaker.load(network, tokenizer, self._answers(labels, context), self.config, folder)

    def _examples(self, train: Documents, context: Context) -> Sequence[tuple[str, Sequence[int]]]:
        return ()

    @property
    def _shots(self) -> int:
        return 0

    def _answers(self, labels: LabelSpace, context: Context) -> Answers:
        return Answers.of(labels, context.task.kind, self.config.separator, self.config.nothing)


class FewShot(ZeroShot):
    """Asks a decoder with a few training documents and their labels in the prompt, untrained."""

    name = "few-shot"
    Config = FewShotSettings

    @property
    def _shots(self) -> int:
        return int(self.config.shots)

    def _examples(self, train: Documents, context: Context) -> Sequence[tuple[str, Sequence[int]]]:
        """Documents that the seed chooses, in an order that it chooses, too."""
        seed = context.seeds.of("shots")
        keys = [f"{seed} {id_}" for id_ in train.ids]
        chosen = sample(keys, train.labels, self.config.shots)
        return [(train.texts[i], train.labels[i]) for i in sorted(chosen, key=lambda i: id_hash(keys[i]))]
