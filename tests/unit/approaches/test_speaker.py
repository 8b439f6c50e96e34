"""What is asked, what is refused before anything is trained, and what of a model's own settings counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.approaches import instruction_tuning
from bench.approaches.adapters import AdapterSettings, with_lora
from bench.approaches.decoding import greedy
from bench.approaches.instruction_tuning import InstructionTuning
from bench.approaches.prompts import Answers, label_list_tokens
from bench.approaches.speaker import PromptSettings, Speaker
from bench.approaches.untrained import FewShot, ZeroShot
from bench.encoding import load_tokenizer, pad
from bench.errors import ModelError, UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
MANY = Answers(tuple(f"boats {number}" for number in range(20)), "single", "; ", "none")


@pytest.fixture
def network(tiny_model: Make) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model("llama").folder).eval()


@pytest.fixture
def tokenizer(tiny_model: Make) -> Any:
    return load_tokenizer(tiny_model("llama").folder)


def lists_labels(network: Any, tokenizer: Any, **given: Any) -> bool:
    speaker = Speaker.of(network, tokenizer, MANY, PromptSettings(**given), most_labels=1)
    return "boats 7; boats 8" in tokenizer.decode(speaker.prompt.before_ids)


def test_labels_are_listed_within_their_budget(network: Any, tokenizer: Any) -> None:
    taken = label_list_tokens(tokenizer, MANY)
    assert lists_labels(network, tokenizer, list_budget=taken)
    assert not lists_labels(network, tokenizer, list_budget=taken - 1)
    assert lists_labels(network, tokenizer, list_budget=0, label_list="always")
    assert not lists_labels(network, tokenizer, list_budget=taken, label_list="never")


def test_a_list_of_labels_takes_no_more_than_half_of_what_documents_leave(network: Any, tokenizer: Any) -> None:
    taken = label_list_tokens(tokenizer, MANY)
    widest = 512 - 2 * taken
    assert lists_labels(network, tokenizer, list_budget=999, max_tokens=widest)
    assert not lists_labels(network, tokenizer, list_budget=999, max_tokens=widest + 1)


@pytest.mark.parametrize("adapted", [False, True])
def test_a_model_s_own_generation_settings_do_not_count(network: Any, adapted: bool) -> None:
    import torch

    speaking = with_lora(network, AdapterSettings()) if adapted else network
    batch = pad([[2, 40, 41, 42], [2, 60]], 0, "left")

    def said() -> list[list[int]]:
        with torch.inference_mode():
            rows: list[list[int]] = greedy(speaking, batch, [3], 0, 12).tolist()
        return rows

    plain = said()
    own = network.generation_config
    own.repetition_penalty, own.suppress_tokens = 30.0, sorted({token for row in plain for token in row} - {0, 3})
    own.eos_token_id = plain[0][2]
    assert said() == plain
    assert network.generation_config is own


def test_an_answer_ends_where_the_model_stops_of_itself(network: Any, tokenizer: Any) -> None:
    network.generation_config.eos_token_id = [3, 77]
    for speaking in (network, with_lora(network, AdapterSettings())):
        speaker = Speaker.of(speaking, tokenizer, MANY, PromptSettings(), most_labels=1)
        assert speaker.spelling.stops == (3, 77)


@pytest.mark.parametrize("shots", [(), (("the sea", [0]),)])
def test_a_free_answer_ends_like_those_of_its_prompt(
    shots: Any, network: Any, tokenizer: Any, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    if not shots:
        tokenizer.add_tokens(["<turn>", "</turn>"])
        tokenizer.chat_template = "{% for m in messages %}<turn>{{ m.content }}</turn>\n{% endfor %}"
        network.resize_token_embeddings(len(tokenizer))
    end = "\n\n" if shots else "</turn>\n"
    answers, settings = Answers(("sea", "food"), "single", "; ", "none"), PromptSettings(decoding="free")
    speaker = Speaker.of(network, tokenizer, answers, settings, most_labels=1, examples=shots)
    ids = tokenizer(f"food{end}and so on", add_special_tokens=False)["input_ids"]
    monkeypatch.setattr("bench.approaches.speaker.greedy", lambda *_: torch.tensor([ids]))
    predicted: Any = speaker.answer(["bread"], make_context(None))
    assert (predicted.sets, predicted.texts) == ([[1]], ["food"])
    assert set(predicted.problems.values()) == {0}


def test_a_free_answer_of_no_label_is_read_as_it_is_written() -> None:
    from bench.approaches.decoding import Generated, read

    answers = Answers.of(LabelSpace(("a", "b")), "multi", "; ", " no label ")
    assert read([Generated(answers.write([]))], answers).problems["parse_failures"] == 0


REFUSED: dict[str, tuple[LabelSpace, Kind, dict[str, Any], str]] = {
    "blank": (LabelSpace(("sea", " ", "game", "space")), "single", {}, "blank"),
    "same": (LabelSpace(("sea", "sea ", "game", "space")), "single", {}, "2 labels are called 'sea'"),
    "nothing": (LabelSpace(("sea", "food", "game", "space")), "multi", {"nothing": " "}, "nothing"),
    "long": (LabelSpace(("sea", "food", "game", "space " * 600)), "single", {}, "longest answer takes"),
    "tight": (LabelSpace(("sea", "food", "game", "space " * 100)), "single", {"max_tokens": 450}, "max_tokens=450"),
    "chat": (LabelSpace(("sea", "food", "game", "space")), "single", {"template": "{{ x }}"}, "template"),
}


@pytest.mark.parametrize("decoding", ["constrained", "score"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_before_training(
    case: str, decoding: str, tiny_model: Make, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(*_: Any) -> None:
        raise AssertionError("it was trained first")

    monkeypatch.setattr(instruction_tuning, "fine_tune", trained)
    space, kind, given, message = REFUSED[case]
    settings = {"adapter": "full", "quantisation": "none", "max_tokens": 16, "decoding": decoding}
    train = Documents(["a", "b"], ["flour", "chess"], [[0], [2]])
    method = InstructionTuning(InstructionTuning.Config(**settings | given))
    with pytest.raises(UserError, match=message) as error:
        method.fit(train, train, space, make_context(tiny_model("llama"), kind))
    assert "\n" not in str(error.value)


def test_labels_that_the_tokenizer_writes_alike_are_refused(network: Any, tokenizer: Any) -> None:
    from tokenizers import normalizers

    tokenizer._tokenizer.normalizer = normalizers.Lowercase()
    for decoding in ("constrained", "free", "score"):
        with pytest.raises(UserError, match="alike"):
            Speaker.of(
                network,
                tokenizer,
                Answers(("Sea", "sea"), "single", "; ", "none"),
                PromptSettings(decoding=decoding),
                most_labels=1,
            )


def test_room_is_asked_for_the_longest_list_and_no_more(network: Any, tokenizer: Any) -> None:
    """Each label comes once, so that the longest is not to be counted several times."""
    answers = Answers(("sea", "food", "game", "windy " * 60), "multi", "; ", "none")
    settings = PromptSettings(label_list="never", max_tokens=64)
    speaker = Speaker.of(network, tokenizer, answers, settings, most_labels=3)
    spelling = speaker.spelling
    longest = max(len(spelling.write([*others, 3])) for others in ([0, 1], [0, 2], [1, 2]))
    assert longest <= spelling.longest(3) <= longest + len(spelling.more[0]) - len(spelling.labels[0])
    room = speaker.check_room(1)
    speaker.settings = PromptSettings(label_list="never", max_tokens=64 + room - spelling.longest(3))
    speaker.check_room(spelling.longest(3))
    with pytest.raises(UserError, match="max_tokens"):
        Speaker.of(
            network,
            tokenizer,
            answers,
            PromptSettings(label_list="never", max_tokens=65 + room - spelling.longest(3)),
            most_labels=3,
        )


def test_too_many_examples_are_said_to_be_too_many(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    train = sixteen("single")
    long = Documents(train.ids, ["sea " * 99] * 16, train.labels)
    method = FewShot(FewShot.Config(quantisation="none", shots=8))
    with pytest.raises(UserError, match="fewer shots, a lower max_tokens"):
        method.fit(long, long, labels, make_context(tiny_model("llama")))


@pytest.mark.parametrize("method", [InstructionTuning, ZeroShot, FewShot])
def test_what_was_saved_asks_as_it_did(
    method: Any,
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The prompt is not written anew, which on another day could be another; nor is it put to another model."""
    given = {"epochs": 1, "adapter": "lora"} if method is InstructionTuning else {}
    settings = method.Config(**given, quantisation="none", max_tokens=16)
    train, context = sixteen("multi"), make_context(tiny_model("llama"), "multi")
    made = method(settings)
    made.fit(train, train, labels, context)
    made.save(tmp_path)

    def anew(*_: Any) -> None:
        raise AssertionError("the prompt was written anew")

    monkeypatch.setattr("bench.approaches.speaker.make_prompt", anew)
    again = method(settings)
    again.load(tmp_path, labels, context)
    assert again._speaker.state == made._speaker.state
    with pytest.raises(ModelError, match="not on"):
        method(settings).load(tmp_path, labels, make_context(tiny_model("qwen3"), "multi"))
