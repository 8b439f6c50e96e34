"""Prompts and answers of instruction tuning: what stands around a document, and how labels are written.

Prompt and answer are tokenised apart and joined as ids, in training and prediction alike, so that no token spans the
place where the model starts to speak.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.approaches.chat import ANSWER, conversation
from bench.encoding import affixes, break_up, control_tokens
from bench.errors import UserError
from bench.task import Kind, LabelSpace

TEMPLATE = """\
{% if labels %}Labels: {{ labels | join(separator) }}

{% endif %}{{ document }}

{% if multi %}Labels of this text, separated by "{{ separator }}"{% else %}Label of this text{% endif %}:
"""
"""The default template; Jinja2, with ``document``, ``labels`` (empty where too long; with their signs, where those are
asked for), ``separator`` and ``multi``."""

_DOCUMENT = "\ue000document\ue001"


@dataclass(frozen=True)
class Answers:
    """How label sets are written and read.

    Labels stand in the order of the label space, whatever their order in the data.

    Attributes:
        names: What is written for each label, by position.
        kind: ``single`` or ``multi``.
        separator: Stands between labels.
        nothing: Stands for no label at all.
        meanings: The labels' names, where signs are written for them.
    """

    names: tuple[str, ...]
    kind: Kind
    separator: str
    nothing: str
    meanings: tuple[str, ...] = ()

    @classmethod
    def of(cls, labels: LabelSpace, kind: Kind, separator: str, nothing: str) -> Answers:
        """Answers over a label space; blanks around a name, or around ``nothing``, are not written.

        Raises:
            UserError: Some label could not be told from others once written, or not be written at all.
        """
        names, nothing = tuple(name.strip() for name in labels.names), nothing.strip()
        if not nothing:
            raise UserError("setting nothing is blank; set it to a word, such as none")
        alike = Counter(names)
        for name in names:
            if not name:
                raise UserError("a label's name is blank, so that no model could say it; rename it")
            if alike[name] > 1:
                raise UserError(f"{alike[name]} labels are called {name!r} but for blanks around; rename all but one")
            if kind == "multi" and ((separator.strip() or separator) in name or name == nothing):
                raise UserError(
                    f"label {name!r} contains the separator {separator!r} or is {nothing!r}; "
                    "set another `separator` or `nothing`"
                )
        return cls(names, kind, separator, nothing)

    def with_signs(self, signs: Sequence[str]) -> Answers:
        """The same with a sign written for each label, which the list of labels explains.

        Raises:
            UserError: Documents may have several labels; one sign cannot tell them.
        """
        if self.kind == "multi":
            raise UserError("decoding=verbalizer gives one label a document; for several set decoding=score")
        return replace(self, names=tuple(signs), meanings=self.names)

    @property
    def listed(self) -> tuple[str, ...]:
        """What the list of labels shows of each."""
        if not self.meanings:
            return self.names
        return tuple(f"{sign}: {name}" for sign, name in zip(self.names, self.meanings, strict=True))

    @property
    def mark(self) -> str:
        """What a written answer is cut at: the separator without the blanks around it."""
        return self.separator.strip() or self.separator

    def write(self, labels: Sequence[int]) -> str:
        """The answer that the model is to give."""
        return self.separator.join(self.names[label] for label in sorted(labels)) or self.nothing


@dataclass(frozen=True)
class Prompt:
    """What stands around every document.

    Attributes:
        before_ids: Token ids in front of it; a begin mark, where the model has one, stands here once.
        after_ids: Token ids behind it.
    """

    before_ids: tuple[int, ...]
    after_ids: tuple[int, ...]

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Prompt:
        """What was stored as plain values."""
        return cls(tuple(stored["before_ids"]), tuple(stored["after_ids"]))

    def around(self, document: Sequence[int]) -> list[int]:
        """The whole prompt as token ids."""
        return [*self.before_ids, *document, *self.after_ids]


@dataclass(frozen=True)
class Shot:
    """An example in a prompt.

    Attributes:
        document: Its document as token ids.
        answer: The right answer as token ids, without an end mark.
    """

    document: Sequence[int]
    answer: Sequence[int]


def make_prompt(
    tokenizer: Any, template: str, answers: Answers, with_labels: bool, shots: Sequence[Shot] = ()
) -> Prompt:
    """Fill a template in for a task and a model; its chat template goes around it, where the tokenizer has one.

    Examples stand in front, as earlier turns of the conversation; the list of labels is in the first turn.

    Raises:
        UserError: The template does not hold ``{{ document }}`` exactly once and unchanged, or is no Jinja2.
    """
    shown = break_up(answers.listed, control_tokens(tokenizer)) if with_labels else []
    questions = [_ask(template, answers, shown if turn == 0 else []) for turn in range(len(shots) + 1)]
    texts = re.split(f"{_DOCUMENT}|{ANSWER}", conversation(tokenizer, questions))
    fillings = [ids for shot in shots for ids in (shot.document, shot.answer)]
    if len(texts) != len(fillings) + 2:
        raise UserError("the chat template of the model does not keep a conversation's documents as they are")
    first, *others, after = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in texts)
    before = _begun(tokenizer, first)
    for filling, part in zip(fillings, others, strict=True):
        before += [*filling, *part]
    return Prompt(tuple(before), tuple(after))


def label_list_tokens(tokenizer: Any, answers: Answers) -> int:
    """How many tokens the list of all labels takes."""
    listed = answers.separator.join(answers.listed)
    return len(tokenizer(listed, add_special_tokens=False, verbose=False)["input_ids"])


def _ask(template: str, answers: Answers, labels: Sequence[str]) -> str:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    try:
        text = environment.from_string(template).render(
            document=_DOCUMENT,
            labels=labels,
            separator=answers.separator,
            multi=answers.kind == "multi",
        )
    except TemplateError as error:
        raise UserError(f"setting template: {error}") from None
    if text.count(_DOCUMENT) != 1:
        raise UserError(
            f"the template needs {{{{ document }}}} once, unchanged; it comes out {text.count(_DOCUMENT)} times"
        )
    return text


def _begun(tokenizer: Any, ids: list[int]) -> list[int]:
    """With the tokenizer's begin mark, which a chat template brings along and a template may."""
    begin = [] if tokenizer.chat_template else affixes(tokenizer)[0]
    return list(ids) if ids[: len(begin)] == begin else [*begin, *ids]
