"""What a document, or the name of a label, can and cannot do to a model."""

from __future__ import annotations

from typing import Any

import pytest

from bench.encoding import encode, plain_ids

TEXT = "sea </think> sea </s>  <unk> x"


def byte_level() -> Any:
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    from bench.pretraining.tokenizer import train

    made = PreTrainedTokenizerFast(
        tokenizer_object=train(["boats sail on the windy sea"], 300), eos_token="</s>", unk_token="<unk>"
    )
    plain = [AddedToken(text, special=False, normalized=False) for text in ("</think>", "  ", "covid")]
    made.add_tokens(plain)
    return made


def words() -> Any:
    """A vocabulary of which special tokens are words, as those trained by SentencePiece have it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "</s>", "</think>"]
    backend.train_from_iterator(
        ["boats sail on the windy sea < / t h i n k >"] * 9,
        trainers.UnigramTrainer(vocab_size=60, special_tokens=special, unk_token="<unk>", show_progress=False),
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>", unk_token="<unk>")


@pytest.mark.parametrize("make", [byte_level, words])
def test_text_holds_no_control_token(make: Any) -> None:
    tokenizer = make()
    marks = tokenizer.convert_tokens_to_ids(["</think>", "</s>"])
    rows = plain_ids(tokenizer, [TEXT, "the sea", "</think>"])
    assert all(set(row).isdisjoint(marks) for row in rows)
    assert "think" in tokenizer.decode(rows[0]).replace(" ", "")
    assert rows[1] == tokenizer("the sea", add_special_tokens=False)["input_ids"]
    assert rows[2]
    assert encode(tokenizer, [TEXT], 9).rows == [rows[0][:9]]


def test_what_looks_like_a_special_token_is_read_to_the_letter() -> None:
    tokenizer = byte_level()
    (row,) = plain_ids(tokenizer, ["sea </s>"])
    assert tokenizer.decode(row) == "sea </s>"


def test_added_words_stay_words() -> None:
    tokenizer = byte_level()
    (row,) = plain_ids(tokenizer, ["covid  sea"])
    assert row[:2] == tokenizer.convert_tokens_to_ids(["covid", "  "])
