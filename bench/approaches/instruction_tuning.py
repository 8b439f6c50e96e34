"""``instruction-tuning``: a causal language model learns to answer with the names of a document's labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bench.approaches.adapters import AdapterSettings, restore, start, store
from bench.approaches.decoding import Generated, greedy, read, until_stop
from bench.approaches.prompts import TEMPLATE, Answers, Prompt, label_list_tokens, make_prompt
from bench.encoding import Encoded, Padded, encode, pad, padding_id, positions
from bench.errors import UserError
from bench.inference import Inference, predict_in_batches
from bench.method import Context, Method
from bench.prediction import LabelSets
from bench.task import Documents, LabelSpace
from bench.training import Batch, Fitting, fine_tune, quiet

if TYPE_CHECKING:
    from torch import Tensor, nn

_DECODING = "decoding.json"
_UNSUPERVISED = -100
_FEW_TOKENS = 96


class InstructionSettings(AdapterSettings):
    """Settings of ``instruction-tuning``; rank 64 gives the study's budget of about a hundred million weights."""

    adapter: Literal["lora", "full"] = Field(
        "lora", description="what is trained: LoRA on all linear layers, or all weights"
    )
    rank: int = Field(64, ge=1, description="rank of LoRA's matrices")
    alpha: float = Field(128.0, gt=0, description="LoRA's outputs are multiplied by alpha / rank")
    template: str = Field(TEMPLATE, description="the prompt: Jinja2 with document, labels, separator and multi")
    label_list: Literal["auto", "always", "never"] = Field(
        "auto",
        description="whether prompts list all labels; auto: if that takes at most 96 tokens or a quarter of max_tokens",
    )
    separator: str = Field("; ", min_length=1, description="stands between labels; they come in label-space order")
    nothing: str = Field("none", min_length=1, description="the answer for a document without labels")
    max_new_tokens: int = Field(
        128, ge=1, description="most tokens of an answer; what the labels can take where that is less"
    )
    predict_batch_size: int = Field(128, ge=1, description="documents to a batch of generation")


class InstructionTuning(Method):
    """LoRA (or full) fine-tuning of a decoder on prompts and answers; prediction generates greedily.

    The loss is on the answer and its end mark only, and logits are made for those positions only. Where a document has
    several labels, the answer holds them in the order of the label space. Label sets have no scores.
    """

    name = "instruction-tuning"
    Config = InstructionSettings
    model_architecture = "decoder"
    uses_torch = True

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Fine-tune on the training documents; the validation documents are not looked at."""
        answers = Answers.of(labels, context.task.kind, self.config.separator, self.config.nothing)
        with context.phase("load"):
            self._start(answers, context)
        targets = self._targets(train)
        longest = max(map(len, targets))
        room = self._room(longest)
        most = max(longest, longest_answer(self._tokenizer, answers, max(map(len, train.labels))))
        self._max_new_tokens = min(most, room, self.config.max_new_tokens)
        encoded = self._prompts(train.texts)
        context.note(truncated_share=encoded.truncated_share)
        fine_tune(self._fitting(encoded.rows, targets), self.config, context)

    def predict(self, texts: Sequence[str], context: Context) -> LabelSets:
        """Generated label sets; tokenising and reading are part of the time that this takes."""
        self._room(self._max_new_tokens)
        inference = Inference(
            self._prompts, self._generate, padding_id(self._tokenizer), self.config.predict_batch_size, "left"
        )
        made: dict[int, Generated] = {}
        tokens = 0
        with quiet():
            for chosen, outcome in predict_in_batches(texts, inference, context):
                for position, ids in zip(chosen, outcome, strict=True):
                    answer, finished = until_stop(ids, self._tokenizer.eos_token_id)
                    tokens += len(answer)
                    made[position] = Generated(self._tokenizer.decode(answer, skip_special_tokens=True), finished)
        context.note(generated_tokens=tokens, max_new_tokens=self._max_new_tokens)
        return read([made[position] for position in range(len(texts))], self._answers)

    def save(self, folder: Path) -> None:
        """Write adapters (or all weights), tokenizer, how the network was prepared and how long answers may be."""
        (folder / _DECODING).write_text(json.dumps({"max_new_tokens": self._max_new_tokens}), "utf-8")
        store(self._network, self._tokenizer, self._preparation, folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote, on top of the same model."""
        from transformers import AutoModelForCausalLM

        self._network, self._tokenizer, self._preparation = restore(AutoModelForCausalLM, folder, context)
        self._max_new_tokens = int(json.loads((folder / _DECODING).read_text("utf-8"))["max_new_tokens"])
        self._speak(Answers.of(labels, context.task.kind, self.config.separator, self.config.nothing))

    def _start(self, answers: Answers, context: Context) -> None:
        from transformers import AutoModelForCausalLM

        self._network, self._tokenizer, self._preparation = start(AutoModelForCausalLM, self.config, context)
        self._speak(answers)

    def _speak(self, answers: Answers) -> None:
        few = label_list_tokens(self._tokenizer, answers) <= max(_FEW_TOKENS, self.config.max_tokens // 4)
        listed = self.config.label_list == "always" or (self.config.label_list == "auto" and few)
        self._answers = answers
        self._prompt: Prompt = make_prompt(self._tokenizer, self.config.template, answers, listed)

    def _targets(self, train: Documents) -> list[list[int]]:
        """The answers as token ids, each with its end mark."""
        if self._tokenizer.eos_token_id is None:
            raise UserError("the model's tokenizer has no end mark (eos_token), so that answers could not end")
        texts = [self._answers.write(labels) for labels in train.labels]
        ids = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        return [[*row, self._tokenizer.eos_token_id] for row in ids]

    def _room(self, answer: int) -> int:
        """Tokens that prompt and document leave for an answer.

        Raises:
            UserError: They are fewer than ``answer``.
        """
        limit, prompt = positions(self._network.config, self._tokenizer), len(self._prompt.around(()))
        budget = limit - prompt - answer
        if budget < 1:
            raise UserError(
                f"the longest answer takes {answer} tokens and the prompt without its document {prompt}, but the model "
                f"takes {limit} in all; choose another model, a shorter template or label_list=never"
            )
        if self.config.max_tokens > budget:
            raise UserError(
                f"max_tokens={self.config.max_tokens} with prompt and answer is more than the model takes; set it to "
                f"{budget} or less"
            )
        return limit - prompt - int(self.config.max_tokens)

    def _prompts(self, texts: Sequence[str]) -> Encoded:
        """Prompts as token ids; only the document in them is ever cut."""
        encoded = encode(self._tokenizer, texts, self.config.max_tokens)
        return encoded.between(self._prompt.before_ids, self._prompt.after_ids)

    def _fitting(self, prompts: list[list[int]], targets: list[list[int]]) -> Fitting:
        filler = padding_id(self._tokenizer)
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

        return Fitting(self._network, [len(row) for row in rows], collate, answer_loss)

    def _generate(self, batch: Padded) -> list[list[int]]:
        stop = self._tokenizer.eos_token_id
        made = greedy(self._network, batch, stop, padding_id(self._tokenizer), self._max_new_tokens)
        return [list(row) for row in made.tolist()]


def longest_answer(tokenizer: Any, answers: Answers, labels: int) -> int:
    """Tokens that an answer of so many labels can take, its end mark among them.

    Every label counts as the longest one, with a separator in front of it, so that no answer of that many labels is
    cut off, be it longer than any that training documents have.
    """

    def longest(texts: Sequence[str]) -> int:
        return max(map(len, tokenizer(list(texts), add_special_tokens=False)["input_ids"]))

    if answers.kind == "single":
        return longest(answers.names) + 1
    first = longest([*answers.names, answers.nothing])
    return first + max(0, labels - 1) * longest([answers.separator + name for name in answers.names]) + 1


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
