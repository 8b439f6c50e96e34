"""A causal language model that is asked for the labels of documents, trained for that or not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bench.approaches.answering import (
    Decoding,
    LikelihoodScorer,
    Scorer,
    Spelling,
    VerbalizerScorer,
    signs_of,
)
from bench.approaches.chat import ends
from bench.approaches.decoding import Generated, greedy, read, until_stop
from bench.approaches.label_trie import Grammar
from bench.approaches.prompts import TEMPLATE, Answers, Prompt, Shot, label_list_tokens, make_prompt
from bench.encoding import Encode, Encoded, Padded, encode, padding_id, positions
from bench.errors import UserError
from bench.inference import Inference, predict_in_batches, predict_scores
from bench.method import Context
from bench.prediction import LabelSets, Prediction
from bench.settings import Settings
from bench.training import quiet

if TYPE_CHECKING:
    from torch import Tensor

_FILE = "prompt.json"


class PromptSettings(Settings):
    """Settings of every method that asks a model with a prompt."""

    template: str = Field(TEMPLATE, description="the prompt: Jinja2 with document, labels, separator and multi")
    label_list: Literal["auto", "always", "never"] = Field(
        "auto", description="whether prompts list all labels; auto: if that takes at most list_budget tokens and fits"
    )
    list_budget: int = Field(96, ge=0, description="most tokens of the list of labels, where label_list is auto")
    separator: str = Field("; ", min_length=1, description="stands between labels; they come in label-space order")
    nothing: str = Field("none", min_length=1, description="the answer for a document without labels")
    decoding: Decoding = Field(
        "constrained",
        description="constrained: only labels can be spelt; free: whatever is said is read strictly; score: the "
        "likelihood of every label; verbalizer: of a one-token sign for each, listed in the prompt",
    )
    normalisation: Literal["sum", "mean"] = Field(
        "sum", description="of score: sum of the tokens' log-probabilities, or their mean"
    )
    max_tokens: int = Field(256, ge=1, description="tokens of a document; longer ones lose their end")
    max_new_tokens: int = Field(
        128, ge=1, description="of free: most tokens of an answer; what the labels can take where that is less"
    )
    predict_batch_size: int = Field(128, ge=1, description="documents to a batch of prediction")

    @property
    def shortening(self) -> str:
        """What would make the prompt shorter, for messages."""
        return "a shorter template or label_list=never"


@dataclass
class Speaker:
    """A network with what it is asked and how its answers are had.

    Attributes:
        network: A causal language model.
        tokenizer: Its tokenizer.
        answers: How label sets are written.
        spelling: The same as token ids; of signs, where those stand for labels.
        grammar: Every answer that can be had.
        prompt: What stands around a document.
        settings: How it is asked.
        signs: Token ids of the signs; empty unless they are asked for.
        reading: How the network reads prompts, a :class:`bench.approaches.reading.Prompts`; None where it speaks
            freely.
    """

    network: Any
    tokenizer: Any
    answers: Answers
    spelling: Spelling
    grammar: Grammar
    prompt: Prompt
    settings: PromptSettings
    signs: tuple[int, ...] = ()
    reading: Any = field(init=False)

    def __post_init__(self) -> None:
        from bench.approaches.reading import check_reading

        self.reading = None if self.settings.decoding == "free" else check_reading(self.network)

    @classmethod
    def of(
        cls,
        network: Any,
        tokenizer: Any,
        answers: Answers,
        settings: PromptSettings,
        *,
        most_labels: int,
        examples: Sequence[tuple[str, Sequence[int]]] = (),
    ) -> Speaker:
        """A speaker for a task; what could not be answered is refused here, before anything is trained.

        Args:
            network: A causal language model.
            tokenizer: Its tokenizer.
            answers: How label sets are written.
            settings: How it is asked.
            most_labels: Labels that an answer may have.
            examples: Documents with their labels, shown in front of every document, cut like it.

        Raises:
            UserError: The tokenizer has no end mark or too few signs, it cannot tell the labels apart, or the model has
                no room for prompt, document and answer.
        """
        answers, signs = _in_signs(tokenizer, answers, settings)
        own = network.generation_config.eos_token_id if network.generation_config is not None else None
        spelling = Spelling.of(tokenizer, answers, ends(tokenizer, own, len(examples)))
        grammar = spelling.grammar(most_labels)
        documents = encode(tokenizer, [text for text, _ in examples], settings.max_tokens).rows
        room = positions(network.config, tokenizer) - (len(examples) + 1) * settings.max_tokens
        few = label_list_tokens(tokenizer, answers) <= min(settings.list_budget, room // 2)
        listed = bool(signs) or settings.label_list == "always" or (settings.label_list == "auto" and few)
        shots = [Shot(ids, spelling.write(labels)[:-1]) for ids, (_, labels) in zip(documents, examples, strict=True)]
        prompt = make_prompt(tokenizer, settings.template, answers, listed, shots)
        made = cls(network, tokenizer, answers, spelling, grammar, prompt, settings, signs)
        # What the model says freely is only cut off, where there is no room for more.
        made.check_room(1 if settings.decoding == "free" else spelling.longest(most_labels))
        return made

    @classmethod
    def again(
        cls, network: Any, tokenizer: Any, answers: Answers, settings: PromptSettings, state: Mapping[str, Any]
    ) -> Speaker:
        """The speaker that had this :attr:`state`: it asks with the same prompt, whatever would be written today."""
        answers, signs = _in_signs(tokenizer, answers, settings)
        spelling = Spelling.of(tokenizer, answers, state["stops"])
        grammar = spelling.grammar(state["most_labels"])
        return cls(network, tokenizer, answers, spelling, grammar, Prompt.of(state), settings, signs)

    @classmethod
    def load(cls, network: Any, tokenizer: Any, answers: Answers, settings: PromptSettings, folder: Path) -> Speaker:
        """The speaker that :meth:`save` wrote down."""
        return cls.again(network, tokenizer, answers, settings, json.loads((folder / _FILE).read_text("utf-8")))

    def save(self, folder: Path) -> None:
        """Write the state down; network and tokenizer are the caller's to write."""
        (folder / _FILE).write_text(json.dumps(self.state), "utf-8")

    @property
    def state(self) -> dict[str, Any]:
        """What was made up once for a task, as plain values: the prompt, what ends answers, how long they may be."""
        return {**asdict(self.prompt), "stops": list(self.spelling.stops), "most_labels": self.most_labels}

    @property
    def most_labels(self) -> int:
        """Labels that an answer may have."""
        return self.grammar.most

    def check_room(self, answer: int) -> int:
        """Tokens that prompt and document leave for an answer.

        Raises:
            UserError: They are fewer than ``answer``.
        """
        limit, prompt = positions(self.network.config, self.tokenizer), len(self.prompt.around(()))
        budget = limit - prompt - answer
        if budget < 1:
            raise UserError(
                f"the longest answer takes {answer} tokens and the prompt without its document {prompt}, but the model "
                f"takes {limit} in all; choose another model, {self.settings.shortening}"
            )
        if self.settings.max_tokens > budget:
            raise UserError(
                f"max_tokens={self.settings.max_tokens} with prompt and answer is more than the model takes; set it to "
                f"{budget} or less"
            )
        return limit - prompt - self.settings.max_tokens

    def prompts(self, texts: Sequence[str], encode: Encode = encode) -> Encoded:
        """Prompts as token ids; only the document in them is ever cut."""
        return encode(self.tokenizer, texts, self.settings.max_tokens).between(
            self.prompt.before_ids, self.prompt.after_ids
        )

    def answer(self, texts: Sequence[str], context: Context) -> Prediction:
        """Label sets, or scores, as the settings say; tokenising and reading are part of the time that this takes."""
        with quiet():
            if self.settings.decoding == "free":
                return self._free(texts, context)
            if self.settings.decoding == "constrained":
                return self._constrained(texts, context)
            return self._scored(texts, context)

    def _documents(self, texts: Sequence[str]) -> Encoded:
        return encode(self.tokenizer, texts, self.settings.max_tokens)

    def _free(self, texts: Sequence[str], context: Context) -> LabelSets:
        most = min(self.check_room(1), self.spelling.longest(self.most_labels), self.settings.max_new_tokens)
        stops, filler = self.spelling.stops, padding_id(self.tokenizer)

        def forward(batch: Padded) -> list[list[int]]:
            made: list[list[int]] = greedy(self.network, batch, stops, filler, most).tolist()
            return made

        inference = Inference(self.prompts, forward, filler, self.settings.predict_batch_size, "left")
        made: dict[int, Generated] = {}
        tokens = 0
        for chosen, outcome in predict_in_batches(texts, inference, context):
            for position, ids in zip(chosen, outcome, strict=True):
                answer, finished = until_stop(ids, stops)
                tokens += len(answer)
                made[position] = Generated(self.tokenizer.decode(answer, skip_special_tokens=True), finished)
        context.note(generated_tokens=tokens, max_new_tokens=most)
        return read([made[position] for position in range(len(texts))], self.answers)

    def _constrained(self, texts: Sequence[str], context: Context) -> LabelSets:
        from bench.approaches.constrained import constrained

        grammar, filler = self.grammar, padding_id(self.tokenizer)
        reader = self._reader(context)
        inference = Inference(self._rest, lambda batch: constrained(reader(batch), grammar), filler, self._size, "left")
        sets: dict[int, list[int]] = {}
        tokens = 0
        for chosen, outcome in predict_in_batches(texts, inference, context):
            for position, answer in zip(chosen, outcome, strict=True):
                sets[position] = answer.labels
                tokens += len(answer.tokens)
        context.note(generated_tokens=tokens)
        ordered = [sets[position] for position in range(len(texts))]
        said = [self.answers.separator.join(self.answers.names[label] for label in row) for row in ordered]
        return LabelSets(ordered, [text or self.answers.nothing for text in said])

    def _scored(self, texts: Sequence[str], context: Context) -> Prediction:
        scorer: Scorer = (
            VerbalizerScorer(self.signs)
            if self.signs
            else LikelihoodScorer(self.spelling, self.grammar, self.settings.normalisation)
        )
        reader = self._reader(context)

        def forward(batch: Padded) -> Tensor:
            return scorer.score(reader(batch))

        inference = Inference(self._rest, forward, padding_id(self.tokenizer), self._size, "left")
        return predict_scores(texts, inference, context)

    @property
    def _size(self) -> int:
        return self.settings.predict_batch_size

    def _rest(self, texts: Sequence[str]) -> Encoded:
        """Prompts without the beginning that all of them share."""
        return self._documents(texts).between((), self.prompt.after_ids)

    def _reader(self, context: Context) -> Any:
        """Makes readers of batches; the beginning of all prompts is read here, once."""
        import torch

        from bench.training import autocast

        with torch.inference_mode(), autocast(context.device):
            return self.reading(self.network, self.prompt.before_ids, context.device)


def _in_signs(tokenizer: Any, answers: Answers, settings: PromptSettings) -> tuple[Answers, tuple[int, ...]]:
    """What is written for labels, and the ids of their signs, if there are to be any."""
    if settings.decoding != "verbalizer":
        return answers, ()
    words, ids = signs_of(tokenizer, len(answers.names))
    return answers.with_signs(words), tuple(ids)
