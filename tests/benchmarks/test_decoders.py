"""What reading a prompt once, and skipping tokens without a choice, is worth."""

import random
import time

import pytest
import torch

from bench import embedded
from bench.approaches.answering import Spelling
from bench.approaches.constrained import constrained
from bench.approaches.label_trie import Answer, Trie
from bench.approaches.prompts import Answers
from bench.approaches.reading import Beginning, Reader
from bench.approaches.scoring import score_labels
from bench.encoding import load_tokenizer, pad

LABELS = 80
MOST = 3


@pytest.fixture(scope="module")
def network():
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(embedded.folder("embedded-decoder"), dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(embedded.folder("embedded-decoder"))


def label_names():
    """Like the tags of packages: a facet and a value, several tokens each, with shared beginnings."""
    facets = ("devel", "implemented-in", "interface", "role", "works-with-format", "uitoolkit", "network", "admin")
    values = (
        "library",
        "python",
        "console",
        "program",
        "plain-text",
        "graphical",
        "server",
        "monitoring",
        "gtk",
        "web",
    )
    return tuple(f"{facet}::{value}" for facet in facets for value in values)


def prompts(count, tokens):
    rng = random.Random(0)
    return [[rng.randrange(100, 8000) for _ in range(tokens)] for _ in range(count)]


def best_of(times, work):
    """The least seconds of several calls, and what the last returned."""
    seconds, made = [], None
    for _ in range(times):
        started = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds), made


def test_likelihoods_of_all_labels_against_one_pass_a_label(network, tokenizer, record_property):
    """80 labels behind a prompt of 600 tokens; the naive way reads prompt and label again for every label."""
    spelling = Spelling.of(tokenizer, Answers(label_names(), "single", "; ", "none"))
    rows = prompts(2, 600)

    def shared():
        reader = Reader(network, Beginning.of(network, (), "cpu"), pad(rows, 0, "left"))
        return score_labels(reader, Trie.of(spelling.labels, spelling.names), [spelling.stop], "sum")

    def naive():
        return torch.tensor(
            [[likelihood(network, row, [*ids, spelling.stop]) for ids in spelling.labels] for row in rows]
        )

    with torch.inference_mode():
        ours, scores = best_of(3, shared)
        theirs, reference = best_of(1, naive)
    torch.testing.assert_close(scores, reference, atol=1e-3, rtol=0)
    ratio = theirs / ours
    record_property("ratio", round(ratio, 1))
    print(f"\n{LABELS} labels, 600 tokens: {ours / 2:.3f} s a document, naive {theirs / 2:.2f} s, {ratio:.0f} times")
    assert ratio > 8


def likelihood(network, prompt, answer):
    logits = network(input_ids=torch.tensor([prompt + answer]), logits_to_keep=len(answer) + 1).logits[0, :-1]
    picked = logits.float().log_softmax(-1)[range(len(answer)), answer]
    return float(picked.sum())


def test_constrained_lists_of_labels_against_generate(network, tokenizer, record_property):
    """Batches of 32 documents of 100 tokens behind the list of all labels, answers of up to three labels.

    The reference is `generate` with a prefix function over the same labels: it reads the list for every document and
    takes a step for every token. What it is given is the whole prompt, what both answer is the same.
    """
    answers = Answers(label_names(), "multi", "; ", "none")
    spelling = Spelling.of(tokenizer, answers)
    listed = tokenizer(answers.separator.join(answers.names), add_special_tokens=False)["input_ids"]
    grammar, rows = spelling.grammar(MOST), prompts(32, 100)
    rest, whole = pad(rows, 0, "left"), pad([[*listed, *row] for row in rows], 0, "left")
    width = whole.ids.shape[1]

    def ours():
        return constrained(Reader(network, Beginning.of(network, listed, "cpu"), rest), grammar, 0)

    def theirs():
        return network.generate(
            input_ids=whole.ids,
            attention_mask=whole.mask,
            max_new_tokens=spelling.longest(MOST),
            do_sample=False,
            eos_token_id=spelling.stop,
            pad_token_id=0,
            prefix_allowed_tokens_fn=lambda _, ids: allowed(grammar, ids[width:].tolist(), spelling.stop),
        )

    with torch.inference_mode():
        fast, made = best_of(3, ours)
        slow, generated = best_of(2, theirs)
    for answer, ids in zip(made, generated[:, width:].tolist(), strict=True):
        assert ids[: len(answer.tokens)] == answer.tokens
    tokens = max(len(answer.tokens) for answer in made)
    ratio = slow / fast
    record_property("ratio", round(ratio, 2))
    print(f"\n32 documents, {tokens} tokens at most: {fast:.2f} s, generate {slow:.2f} s, {ratio:.1f} times")
    assert ratio > 1.5


def allowed(grammar, said, stop):
    """What may follow what was said; behind the end whatever is there to fill with."""
    answer = Answer(grammar)
    for token in said:
        if answer.finished:
            return [stop]
        answer.take(token)
    return answer.choices() or [stop]
