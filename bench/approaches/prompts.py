"""Prompts and answers of instruction tuning: what stands around a document, and how labels are written.

Prompt and answer are tokenised apart and joined as ids, in training and prediction alike, so that no token spans the
place where the model starts to speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.encoding import affixes
from bench.errors import UserError
from bench.task import Kind, LabelSpace

TEMPLATE = """\
{% if labels %}Labels: {{ labels | join(separator) }}

{% endif %}{{ document }}

{% if multi %}Labels of this text, separated by "{{ separator }}"{% else %}Label of this text{% endif %}:
"""
"""The default template; Jinja2, with ``document``, ``labels`` (empty where too long), ``separator`` and ``multi``."""

_DOCUMENT = "\ue000document\ue001"


@dataclass(frozen=True)
class Answers:
    """How label sets are written and read.

    Labels stand in the order of the label space, whatever their order in the data.

    Attributes:
        names: The label names, by position.
        kind: ``single`` or ``multi``.
        separator: Stands between labels.
        nothing: Stands for no label at all.
    """

    names: tuple[str, ...]
    kind: Kind
    separator: str
    nothing: str

    @classmethod
    def of(cls, labels: LabelSpace, kind: Kind, separator: str, nothing: str) -> Answers:
        """Answers over a label space.

        Raises:
            UserError: Some label could not be told from others once written.
        """
        names = tuple(name.strip() for name in labels.names)
        if len(set(names)) < len(names):
            raise UserError("instruction-tuning cannot tell labels apart whose names differ in surrounding blanks only")
        for name in names:
            if kind == "multi" and ((separator.strip() or separator) in name or name == nothing):
                raise UserError(
                    f"label {name!r} contains the separator {separator!r} or is {nothing!r}; "
                    "set another `separator` or `nothing`"
                )
        return cls(names, kind, separator, nothing)

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
        before: The text in front of it.
        after: The text behind it.
        before_ids: Token ids in front of it; a begin mark, where the model has one, stands here once.
        after_ids: Token ids behind it.
    """

    before: str
    after: str
    before_ids: tuple[int, ...]
    after_ids: tuple[int, ...]

    def around(self, document: Sequence[int]) -> list[int]:
        """The whole prompt as token ids."""
        return [*self.before_ids, *document, *self.after_ids]


def make_prompt(tokenizer: Any, template: str, answers: Answers, with_labels: bool) -> Prompt:
    """Fill a template in for a task and a model; its chat template goes around it, where the tokenizer has one.

    Raises:
        UserError: The template does not hold ``{{ document }}`` exactly once and unchanged, or is no Jinja2.
    """
    text = _render(template, answers, with_labels)
    chat = bool(getattr(tokenizer, "chat_template", None))
    if chat:
        message = [{"role": "user", "content": text}]
        # Models that can think aloud are told not to; other templates ignore the flag.
        text = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    parts = text.split(_DOCUMENT)
    if len(parts) != 2:
        raise UserError(f"the template needs {{{{ document }}}} once, unchanged; it comes out {len(parts) - 1} times")
    before, after = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in parts)
    # A chat template brings its own begin mark; without one it is the tokenizer's.
    start = [] if chat else affixes(tokenizer)[0]
    before = _single_begin([*start, *before], tokenizer.bos_token_id)
    return Prompt(parts[0], parts[1], tuple(before), tuple(after))


def label_list_tokens(tokenizer: Any, answers: Answers) -> int:
    """How many tokens the list of all labels takes."""
    return len(tokenizer(answers.separator.join(answers.names), add_special_tokens=False, verbose=False)["input_ids"])


def _render(template: str, answers: Answers, with_labels: bool) -> str:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    try:
        return environment.from_string(template).render(
            document=_DOCUMENT,
            labels=answers.names if with_labels else (),
            separator=answers.separator,
            multi=answers.kind == "multi",
        )
    except TemplateError as error:
        raise UserError(f"setting template of instruction-tuning: {error}") from None


def _single_begin(ids: list[int], begin: int | None) -> list[int]:
    while begin is not None and ids[:2] == [begin, begin]:
        ids = ids[1:]
    return ids
