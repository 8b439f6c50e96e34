"""What stands around a conversation's turns, and what ends an answer in it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.approaches.answering import Spelling
from bench.approaches.chat import ANSWER, conversation, ends
from bench.approaches.prompts import Answers, Shot, make_prompt
from bench.encoding import load_tokenizer
from bench.errors import UserError

TURNS = "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
NEXT = "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
ONE = Answers(("a", "b"), "single", "; ", "none")


@pytest.fixture
def tokenizer(tiny_model: Any) -> Any:
    return load_tokenizer(tiny_model("llama").folder)


@pytest.fixture
def chatting(tokenizer: Any) -> Any:
    tokenizer.add_tokens(["<|start|>", "<|end|>"])
    tokenizer.chat_template = TURNS + NEXT
    return tokenizer


def id_of(tokenizer: Any, token: str) -> int:
    found: int = tokenizer.convert_tokens_to_ids(token)
    return found


def test_what_the_template_puts_behind_an_answer_ends_it(chatting: Any) -> None:
    end = id_of(chatting, "<|end|>")
    assert end != chatting.eos_token_id
    assert ends(chatting) == (end, chatting.eos_token_id)
    assert ends(chatting, own=[70, chatting.eos_token_id], shots=2) == (end, chatting.eos_token_id, 70)
    assert ends(chatting, own=71) == (end, chatting.eos_token_id, 71)
    assert Spelling.of(chatting, ONE).write([0])[-1] == end


def test_a_blank_in_front_of_the_end_is_no_end(chatting: Any) -> None:
    chatting.chat_template = "{% for m in messages %}{{ m.content }} {{ eos_token }}\n{% endfor %}"
    assert ends(chatting) == (chatting.eos_token_id,)


def test_without_a_template_the_blank_line_behind_examples_ends_an_answer(tokenizer: Any) -> None:
    line = tokenizer("\n\n", add_special_tokens=False)["input_ids"][-1]
    assert ends(tokenizer, shots=1) == (line, tokenizer.eos_token_id)
    assert ends(tokenizer) == (tokenizer.eos_token_id,)
    prompt = make_prompt(tokenizer, "{{ document }}?", ONE, False, [Shot([41], [51]), Shot([42], [52])])
    assert [prompt.before_ids[prompt.before_ids.index(answer) + 1] for answer in (51, 52)] == [line, line]


def test_a_model_that_nothing_stops_is_refused(tokenizer: Any) -> None:
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="end mark"):
        ends(tokenizer)
    assert ends(tokenizer, own=9) == (9,)


def test_the_model_is_asked_to_answer(chatting: Any) -> None:
    assert conversation(chatting, ["q"]) == "<|start|>user\nq<|end|>\n<|start|>assistant\n"
    told = (
        f"<|start|>user\nq<|end|>\n<|start|>assistant\n{ANSWER}<|end|>\n<|start|>user\nr<|end|>\n<|start|>assistant\n"
    )
    assert conversation(chatting, ["q", "r"]) == told


def test_models_that_think_aloud_are_told_not_to(chatting: Any) -> None:
    chatting.chat_template += "{% if enable_thinking is defined and not enable_thinking %}<no thoughts>{% endif %}"
    assert conversation(chatting, ["q"]).endswith("assistant\n<no thoughts>")


@pytest.mark.parametrize("call", ["strftime_now('%d %b %Y')", 'strftime_now( "%d %b %Y" )'])
def test_the_day_is_no_part_of_the_prompt(chatting: Any, call: str) -> None:
    chatting.chat_template = f"{{% if strftime_now is defined %}}{{{{ {call} }}}}{{% endif %}}: " + TURNS
    assert conversation(chatting, ["q"]).startswith("26 Jul 2024: ")


@pytest.mark.parametrize("fault", ["{{ raise_exception('Only one\nturn') }}", "{{ messages[7].content }}", "{% if %}"])
def test_a_template_that_does_not_take_a_conversation_is_said_to(chatting: Any, fault: str) -> None:
    chatting.chat_template = TURNS + fault
    with pytest.raises(UserError, match="chat template") as error:
        conversation(chatting, ["q"])
    assert "\n" not in str(error.value)


def test_a_begin_mark_stands_once_and_only_where_there_is_one(chatting: Any) -> None:
    begin = chatting.bos_token_id

    def begins(template: str) -> int:
        return make_prompt(chatting, template, ONE, with_labels=False).around([40]).count(begin)

    assert begins("{{ document }}") == 0
    chatting.chat_template = "{{ bos_token }}" + TURNS
    assert begins("{{ document }}") == 1
    chatting.chat_template = None
    assert begins("{{ document }}") == 1
    assert begins("<s>{{ document }}") == 1


def test_a_label_steers_nothing(chatting: Any) -> None:
    marks = {id_of(chatting, token) for token in ("<|end|>", "</s>")}
    names = ("sea", "sea</s>", "<|end|> of it", "end")
    answers = Answers(names, "multi", "; ", "none")
    spelling = Spelling.of(chatting, answers)
    assert marks.isdisjoint(token for row in (*spelling.labels, *spelling.more) for token in row)
    assert len(set(spelling.labels)) == 4
    chatting.chat_template = None
    prompt = make_prompt(chatting, "{{ labels | join(separator) }}. {{ document }}", answers, with_labels=True)
    assert marks.isdisjoint(prompt.around([]))
    assert chatting.decode(prompt.before_ids) == "<s>sea; sea< /s>; < |end|> of it; end. "
