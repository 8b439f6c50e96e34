"""What reading a prompt once, and skipping tokens without a choice, is worth."""

import random

import pytest
import torch

from bench import embedded
from bench.approaches.answering import Spelling
from bench.approaches.constrained import constrained
from bench.approaches.label_trie import Answer, Trie
from bench.approaches.prompts import Answers
from bench.approaches.scoring import LabelTree, score_labels
from bench.approaches.shared_reading import SharedPrompts
from bench.encoding import load_tokenizer, pad

LABELS = 80
MOST = 3


@pytest.fixture
def network():
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(embedded.folder("embedded-decoder"), dtype=torch.float32).eval()


@pytest.fixture
def large_vocabulary():
    """The same body with as many tokens as today's large models have, of random weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(embedded.folder("embedded-decoder"), vocab_size=128_000, dtype="float32")
    return AutoModelForCausalLM.from_config(config).eval()


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


@pytest.fixture(autouse=True)
def _one_thread():
    """Two threads wait for each other where other work goes on beside them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("model", ["network", "large_vocabulary"])
def test_likelihoods_of_all_labels_against_one_pass_a_label(model, request, tokenizer, figure, in_turns):
    """80 labels behind a prompt of 600 tokens; the naive way reads prompt and label again for every label."""
    network = request.getfixturevalue(model)
    spelling = Spelling.of(tokenizer, Answers(label_names(), "single", "; ", "none"))
    tree = LabelTree.of(Trie.of(spelling.labels, spelling.names), spelling.stops[:1], "sum")
    rows = prompts(2, 600)

    def shared():
        return score_labels(SharedPrompts(network, [], "cpu")(pad(rows, 0, "left")), tree)

    def naive():
        return torch.tensor(
            [[likelihood(network, row, [*ids, spelling.stops[0]]) for ids in spelling.labels] for row in rows]
        )

    with torch.inference_mode():
        (ours, scores), (theirs, reference) = in_turns(shared, naive, rounds=2)
    torch.testing.assert_close(scores, reference, atol=1e-4, rtol=0)
    name = f"likelihoods of {LABELS} labels, {network.config.vocab_size:,} tokens known, times as fast as naive"
    figure(name, theirs / ours, least=8, seen=f"{ours / 2:.3f} for {theirs / 2:.2f} s a document of 600 tokens")


def likelihood(network, prompt, answer):
    logits = network(input_ids=torch.tensor([prompt + answer]), logits_to_keep=len(answer) + 1).logits[0, :-1]
    picked = logits.float().log_softmax(-1)[range(len(answer)), answer]
    return float(picked.sum())


@pytest.mark.parametrize("listed", [True, False], ids=["with a list of labels", "without"])
def test_constrained_lists_of_labels_against_generate(listed, network, tokenizer, figure, in_turns):
    """Batches of 32 documents of 100 tokens, answers of three labels, with or without all labels listed in front.

    The reference is `generate` with a prefix function over the same labels: it reads the list for every document and
    takes a step for every token. What it is given is the whole prompt, what both answer is the same.
    """
    answers = Answers(label_names(), "multi", "; ", "none")
    spelling = Spelling.of(tokenizer, answers)
    says_three_labels(network, spelling)
    front = tokenizer(answers.separator.join(answers.names), add_special_tokens=False)["input_ids"] if listed else []
    grammar, rows = spelling.grammar(MOST), prompts(32, 100)
    rest, whole = pad(rows, 0, "left"), pad([[*front, *row] for row in rows], 0, "left")
    width, stop = whole.ids.shape[1], spelling.stops[0]

    def ours():
        return constrained(SharedPrompts(network, front, "cpu")(rest), grammar)

    def theirs():
        return network.generate(
            input_ids=whole.ids,
            attention_mask=whole.mask,
            max_new_tokens=spelling.longest(MOST),
            do_sample=False,
            eos_token_id=stop,
            pad_token_id=0,
            prefix_allowed_tokens_fn=lambda _, ids: allowed(grammar, ids[width:].tolist(), stop),
        )

    with torch.inference_mode():
        (fast, made), (slow, generated) = in_turns(ours, theirs)
    for answer, ids in zip(made, generated[:, width:].tolist(), strict=True):
        assert ids[: len(answer.tokens)] == answer.tokens
    assert {len(answer.labels) for answer in made} == {MOST}
    tokens = max(len(answer.tokens) for answer in made)
    name = f"constrained answers {'behind' if listed else 'without'} a list of labels, times as fast as generate"
    figure(name, slow / fast, least=1.5, seen=f"32 documents, {tokens} tokens at most, {fast:.2f} for {slow:.2f} s")


def says_three_labels(network, spelling):
    """Make a network that was never trained for the labels answer as if it had been: not with an end at once."""
    bias = torch.zeros(network.config.vocab_size)
    bias[[*spelling.stops, spelling.nothing[0]]] = -30
    network.lm_head.bias = torch.nn.Parameter(bias, requires_grad=False)


def allowed(grammar, said, stop):
    """What may follow what was said; behind the end whatever is there to fill with."""
    answer = Answer(grammar)
    for token in said:
        if answer.finished:
            return [stop]
        answer.take(token)
    return answer.choices() or [stop]
