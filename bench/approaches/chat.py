"""What parts the turns of a conversation: the model's chat template, or blank lines where it has none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bench.encoding import control_tokens
from bench.errors import UserError

ANSWER = "\ue000answer\ue001"
"""Stands where the model has answered."""

_BLANK_LINE = "\n\n"
_ANY_DAY = date(2024, 7, 26)
_TODAY = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")


def conversation(tokenizer: Any, questions: Sequence[str]) -> str:
    """Questions with :data:`ANSWER` behind each but the last, up to where the model is to answer that.

    Raises:
        UserError: The model's chat template does not take it.
    """
    if not tokenizer.chat_template:
        return f"{ANSWER}{_BLANK_LINE}".join(questions)
    messages = [_message("user", questions[0])]
    for question in questions[1:]:
        messages += [_message("assistant", ANSWER), _message("user", question)]
    return _in_template(tokenizer, messages, to_be_answered=True)


def ends(tokenizer: Any, own: int | Sequence[int] | None = None, shots: int = 0) -> tuple[int, ...]:
    """Ids of which each ends an answer, the one to be written first.

    They are what the chat template puts behind an answer, or the blank line behind an example where there is none; the
    tokenizer's end mark; and the model's own.

    Args:
        tokenizer: With its chat template, if it has one.
        own: Where the model stops of itself, as its generation settings say.
        shots: How many examples a prompt has.

    Raises:
        UserError: There are none, or the chat template does not take an answer.
    """
    generation = own if isinstance(own, Sequence) else (own,)
    found = (_end_of_turn(tokenizer, shots), tokenizer.eos_token_id, *generation)
    marks = tuple(dict.fromkeys(int(mark) for mark in found if mark is not None))
    if not marks:
        raise UserError("the model's tokenizer has no end mark (eos_token), so that answers could not end")
    return marks


def _end_of_turn(tokenizer: Any, shots: int) -> int | None:
    if not tokenizer.chat_template:
        # Some tokenizers put a blank in front, so it is the last token that is the line's.
        return int(tokenizer(_BLANK_LINE, add_special_tokens=False)["input_ids"][-1]) if shots else None
    messages = [_message("user", "?"), _message("assistant", ANSWER)]
    behind = _in_template(tokenizer, messages, to_be_answered=False).partition(ANSWER)[2]
    marks = control_tokens(tokenizer)
    return next((id_ for id_ in tokenizer(behind, add_special_tokens=False)["input_ids"] if id_ in marks), None)


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _in_template(tokenizer: Any, messages: Sequence[Mapping[str, str]], *, to_be_answered: bool) -> str:
    from jinja2 import TemplateError

    try:
        # The same cell is to ask the same on another day.
        template = _TODAY.sub(lambda found: repr(_ANY_DAY.strftime(found[2])), tokenizer.get_chat_template())
        # Models that can think aloud are told not to; other templates ignore the flag.
        text = tokenizer.apply_chat_template(
            list(messages),
            chat_template=template,
            tokenize=False,
            add_generation_prompt=to_be_answered,
            enable_thinking=False,
        )
    except (TemplateError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"the model's chat template does not take a conversation of {len(messages)} turns: {reason}; choose "
            "another model or mend its template"
        ) from None
    return str(text)
