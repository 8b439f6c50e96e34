"""The head of a large label space costs little: pooled first, computed in chunks, on batches that are hardly padded."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

LABELS, HIDDEN, BATCH, SPREAD = 1_000_000, 256, 16, 5

LOSS = f"""
import json, sys, time
from pathlib import Path
import torch
from bench import losses
torch.set_num_threads(1)
torch.manual_seed(0)
criterion, dense, hidden = getattr(losses, sys.argv[1])(), getattr(losses, sys.argv[2]), int(sys.argv[3])
layer, features = torch.nn.Linear(hidden, {LABELS}), torch.randn({BATCH}, hidden, requires_grad=True)
rows = torch.randint({LABELS}, ({BATCH}, {SPREAD} if dense is losses.AnyLabels else 1)).tolist()

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

def part(goal, layer):
    gradients = sum(weights.nbytes for weights in layer.parameters() if weights.grad is None) / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, started = status("VmRSS"), time.process_time()
    loss = goal.loss(features, layer, goal.targets(rows))
    loss.backward()
    seconds = time.process_time() - started
    return status("VmHWM") - before - gradients, seconds, loss.item()

def step(goal, layer):
    layer.zero_grad()
    features.grad = None
    return [part(goal, layer) for _ in range(2)]

goals = [form(criterion, {LABELS}) for form in (losses.ManyLabels, dense)]
warm = torch.nn.Linear(hidden, 64)
for form in (losses.ManyLabels, dense):
    goal = form(criterion, 64)
    goal.loss(features, warm, goal.targets([[0]] * {BATCH})).backward()
rounds = [[step(goal, layer) for goal in goals] for _ in range(3)]
print(json.dumps([
    [[max(r[i][p][0] for r in rounds), min(r[i][p][1] for r in rounds), rounds[0][i][p][2]] for i in (0, 1)]
    for p in (0, 1)
]))
"""


@pytest.mark.parametrize(
    ("loss", "dense", "hidden", "longest"),
    [
        ("BinaryCrossEntropy", "AnyLabels", HIDDEN, 1.3),
        ("Zlpr", "AnyLabels", 32, 1.3),
        ("CrossEntropy", "OneLabel", 32, 1.8),  # torch has the dense one in one go; so short, weights hide little
    ],
    ids=["bce", "zlpr", "one-label"],
)
def test_chunked_loss_of_a_million_labels(loss, dense, hidden, longest, figure):
    """In both parts of a step: the second one finds gradients, to which it adds."""
    words = [sys.executable, "-c", LOSS, loss, dense, str(hidden)]
    parts = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    for name, (chunked, whole) in zip(("first", "second"), parts, strict=True):
        memory, seconds = chunked[0] / parts[0][1][0], chunked[1] / whole[1]
        title = f"{loss} of {LABELS:,} labels, {name} part of a step"
        # Beyond weights and gradients; of the second dense part less can be told, since it finds room of the first.
        sizes, times = (f"{chunked[place]:.2f} for {whole[place]:.2f}" for place in (0, 1))
        figure(f"{title}, memory in chunks beside dense", memory, most=0.1, tolerance=1, seen=f"{sizes} MiB")
        figure(f"{title}, time in chunks beside dense", seconds, most=longest, seen=f"{times} s")
        assert chunked[2] == pytest.approx(whole[2], rel=1e-5)


def test_pooling_before_the_head(figure, in_turns):
    """Eight documents of 512 tokens and 5,000 labels, the decoder left out of both."""
    import torch
    from transformers import AutoConfig, LlamaForSequenceClassification

    from bench.approaches.head_network import HeadNetwork

    torch.set_num_threads(1)
    hidden, ids = torch.randn(8, 512, HIDDEN), torch.full((8, 512), 5)
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 64}
    config = AutoConfig.for_model("llama", hidden_size=HIDDEN, num_labels=5000, pad_token_id=0, **sizes)
    stock = LlamaForSequenceClassification(config)
    ours = HeadNetwork(stock.model, 5000)
    ours.head.load_state_dict({"weight": stock.score.weight, "bias": torch.zeros(5000)})
    stock.model = ours.body = known(hidden, config)
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        torch.testing.assert_close(ours(ids, mask), stock(input_ids=ids, attention_mask=mask).logits)
        (fast, _), (slow, _) = in_turns(lambda: ours(ids, mask), lambda: stock(input_ids=ids, attention_mask=mask))
    figure("a head of 5,000 labels after pooling, times as fast as before it", slow / fast, least=10, tolerance=1)


def test_batches_of_like_length_hardly_pad(figure):
    """The batches of a training run on Debian's tagged packages, in the embedded decoder's tokens."""
    from bench import embedded
    from bench.encoding import load_tokenizer
    from bench.trainer import _Order
    from bench.training import encode_documents
    from tasks.debian import Debtags

    task = Debtags()
    if not task.availability().ok:
        pytest.skip(task.availability().reason)
    from transformers import AutoConfig

    from bench.approaches.embedding_head import EmbeddingHead

    folder = embedded.folder("embedded-decoder")
    settings = EmbeddingHead.Config()
    train = task.load().train
    rows = encode_documents(load_tokenizer(folder), AutoConfig.from_pretrained(folder), train.texts, settings).rows
    lengths = [len(row) for row in rows]
    bucketed, chance = (
        share_of_padding(lengths, order, settings.batch_size)
        for order in (list(_Order(settings.batch_size, lengths, 0)), list(range(len(lengths))))
    )
    seen = f"{len(rows):,} documents, {chance:.1%} in batches as they come"
    figure("share of padding in batches of like length", bucketed, most=0.08, seen=seen)


def known(hidden, config):
    """Stands for a decoder whose outcome is known."""
    import torch

    network = torch.nn.Identity()
    network.config = config
    outcome = SimpleNamespace(last_hidden_state=hidden, past_key_values=None, hidden_states=None, attentions=None)
    network.forward = lambda *_, **__: outcome
    return network


def share_of_padding(lengths, order, size):
    batches = [[lengths[place] for place in order[start : start + size]] for start in range(0, len(order), size)]
    held = sum(max(batch) * len(batch) for batch in batches)
    return 1 - sum(lengths) / held
