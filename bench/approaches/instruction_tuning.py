"""``instruction-tuning``: a causal language model learns to answer with the names of a document's labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from bench.approaches.adapters import AdapterSettings, restore, start, store
from bench.approaches.exports import Base
from bench.approaches.prompt_work import instruction_work
from bench.approaches.prompts import Answers
from bench.approaches.speaker import PromptSettings, Speaker
from bench.encoding import pad, padding_id
from bench.judging import Judge
from bench.method import Context, Exported, Method
from bench.prediction import Prediction
from bench.task import Documents, LabelSpace
from bench.token_cache import encode_once
from bench.training import Batch, Fitting, fine_tune, validation_score
from bench.work import Work, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn

_UNSUPERVISED = -100


class InstructionSettings(PromptSettings, AdapterSettings):
    """Settings of ``instruction-tuning``; rank 64 gives the study's budget of about a hundred million weights."""

    adapter: Literal["lora", "full"] = Field(
        "lora", description="what is trained: LoRA on all linear layers, or all weights"
    )
    rank: int = Field(64, ge=1, description="rank of LoRA's matrices")
    alpha: float = Field(128.0, gt=0, description="LoRA's outputs are multiplied by alpha / rank")
    max_tokens: int = Field(
        256, ge=1, description="tokens of a document; longer ones lose their end; the prompt comes on top"
    )
    predict_batch_size: int = Field(128, ge=1, description="documents to a batch of prediction")


class InstructionTuning(Method):
    """LoRA (or full) fine-tuning of a decoder on prompts and answers; prediction spells labels, or scores them.

    The loss is on the answer and its end mark only, and logits are made for those positions only. Where a document has
    several labels, the answer holds them in the order of the label space. Label sets have no scores.
    """

    name = "instruction-tuning"
    Config = InstructionSettings
    model_architecture = "decoder"
    uses_torch = True
    shares_training = True

    def work(self, workload: Workload) -> Work:
        """A decoder that learns to answer prompts."""
        return instruction_work(self.config, workload)

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Fine-tune on the training documents; validation documents choose the epoch that is kept."""
        answers = Answers.of(labels, context.task.kind, self.config.separator, self.config.nothing)
        with context.phase("load"):
            self._start(answers, max(1, *map(len, train.labels)), context)
        speaker = self._speaker
        targets = [speaker.spelling.write(row) for row in train.labels]
        speaker.check_room(max(map(len, targets)))
        encoded = speaker.prompts(train.texts, encode_once(context))
        context.note(truncated_share=encoded.truncated_share)
        judge = Judge.of(train, labels, context.task.kind)
        validate = validation_score(self.predict, validation, judge, self.config, context)
        fine_tune(replace(self._fitting(encoded.rows, targets), validate=validate), self.config, context)

    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """Label sets, or scores, as the setting ``decoding`` says."""
        return self._speaker.answer(texts, context)

    def save(self, folder: Path) -> None:
        """Write adapters (or all weights), tokenizer, how the network was prepared and how it is asked."""
        self._speaker.save(folder)
        store(self._speaker.network, self._speaker.tokenizer, self._preparation, folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote, on top of the same model."""
        from transformers import AutoModelForCausalLM

        network, tokenizer, self._preparation = restore(AutoModelForCausalLM, folder, context)
        answers = Answers.of(labels, context.task.kind, self.config.separator, self.config.nothing)
        self._speaker = Speaker.load(network, tokenizer, answers, self.config, folder)

    def export(self, folder: Path, labels: LabelSpace, context: Context) -> Exported:
        """Write adapters (or all weights), tokenizer and prompt."""
        from bench.approaches.answer_export import export_answers

        base = Base.of(context.model, self._preparation)
        return export_answers(self._speaker, base, self.config, folder)

    def _start(self, answers: Answers, most_labels: int, context: Context) -> None:
        from transformers import AutoModelForCausalLM

        network, tokenizer, self._preparation = start(AutoModelForCausalLM, self.config, context)
        self._speaker = Speaker.of(network, tokenizer, answers, self.config, most_labels=most_labels)

    def _fitting(self, prompts: list[list[int]], targets: list[list[int]]) -> Fitting:
        filler = padding_id(self._speaker.tokenizer)
        rows = [[*prompt, *target] for prompt, target in zip(prompts, targets, strict=True)]

        def collate(chosen: Sequence[int]) -> Batch:
            padded = pad([rows[position] for position in chosen], filler, "left")
            inputs = {
                "ids": padded.ids,
                "mask": padded.mask,
                "targets": supervised(padded.ids, [len(targets[position]) for position in chosen]),
            }
            units = sum(len(targets[position]) for position in chosen)
            return Batch(inputs, len(chosen), padded.tokens, padded.padding, units)

        return Fitting(self._speaker.network, [len(row) for row in rows], collate, answer_loss)


def supervised(ids: Tensor, lengths: Sequence[int]) -> Tensor:
    """What the loss is computed on: the last ids of left-padded rows.

    Args:
        ids: Token ids, shape (rows, width), each row ending with its answer.
        lengths: Tokens of each answer, its end mark among them.

    Returns:
        Shape (rows, longest answer); -100 in front of shorter answers.
    """
    import torch

    kept = ids[:, -max(lengths) :]
    from_end = torch.arange(kept.shape[1], 0, -1)
    return kept.masked_fill(from_end > torch.tensor(lengths).unsqueeze(1), _UNSUPERVISED)


def answer_loss(network: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """Cross-entropy of the answers' tokens, the sum over all of them; logits are made nowhere else."""
    from torch.nn import functional

    targets = batch["targets"]
    # Padding is on the left; positions are counted from each row's first token, as in generation.
    places = (batch["mask"].cumsum(1) - 1).clamp(min=0)
    logits = network(
        input_ids=batch["ids"],
        attention_mask=batch["mask"],
        position_ids=places,
        logits_to_keep=targets.shape[1] + 1,
        use_cache=False,
    ).logits[:, :-1]
    return functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=_UNSUPERVISED, reduction="sum"
    )
