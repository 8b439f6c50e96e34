"""A ``bert`` cell beside what the documentation of transformers would have one write: as good, and how much faster.

Both get the same documents, model, tokens, epochs, batches, optimiser, threads and precision. What the cell has over
the script is that documents of like length are learnt from, and labelled, together: there is little padding. How much
that is worth is for the lengths of the documents to say, so that there are two collections: the first sentences of
package descriptions, and whole ones, of which a fifth is as long as may be.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from commands import PLUGINS, command

from bench.files import cache_folder

RESULTS = Path(__file__).parents[2] / "results"
if str(RESULTS) not in sys.path:
    sys.path.append(str(RESULTS))

from gpu_table import SCRIPT, hand_over  # noqa: E402

MODEL = "embedded-encoder"
SEEDS = (0, 1, 2)
DOCUMENTS = {"train_documents": 2000, "validation_documents": 100, "test_documents": 2000}
SETTINGS = {"batch_size": 32, "epochs": 2, "learning_rate": 0.001, "predict_batch_size": 32}
TOKENS = 126
"""Of a document; with the two special ones around it 128."""
INSIDE = {"load": ("load",), "train": ("tokenise", "train"), "predict": ("predict",)}
"""What the script does in a phase → the phases of a cell in which that is done."""
PADDINGS = ("max_length", "longest")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Records of cells on short texts, and what the script found with both kinds of padding; seed by seed, in turns."""
    return in_turns("sentences", SEEDS, tmp_path_factory.mktemp("short"))


@pytest.fixture(scope="module")
def long_runs(tmp_path_factory):
    """The same on whole descriptions, once."""
    return in_turns("debian-sections", SEEDS[:1], tmp_path_factory.mktemp("long"))


def in_turns(task, seeds, folder):
    """Lists of what cells and scripts found, and the gold labels."""
    from bench import embedded
    from bench.registry import Registry
    from bench.task_cache import freeze

    plugin = Registry.discover([PLUGINS / "sentences.py"]).get("task", task)
    available = plugin.load()(plugin.settings({})).availability()
    if not available.ok:
        pytest.skip(available.reason)
    hand_over(freeze(plugin, DOCUMENTS, say=lambda _: None).load(), folder)
    given = {**SETTINGS, "kind": "bert", "max_tokens": TOKENS, "threads": 1}
    given |= {"documents": str(folder), "model": str(embedded.folder(MODEL))}
    found = {who: [] for who in ("cell", *PADDINGS)}
    for seed in seeds:
        found["cell"].append(cell(task, seed, folder / "out"))
        for padding in PADDINGS:
            found[padding].append(script({**given, "seed": seed, "padding": padding}))
    gold = [json.loads(line)["label"] for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]
    return found, gold


def cell(task, seed, out):
    """Its record; it tokenises anew what an earlier one has tokenised, as the script does."""
    shutil.rmtree(cache_folder() / "tokens", ignore_errors=True)
    given = {f"bert.{key}": value for key, value in {**SETTINGS, "max_tokens": TOKENS, "keep": "last"}.items()}
    given |= {f"{task}.{key}": value for key, value in DOCUMENTS.items()}
    words = command("run", "-t", task, "-m", "bert", "--model", MODEL, "--seed", str(seed), "--json")
    words += ["--threads", "1", "--out", str(out), "--plugins", str(PLUGINS / "sentences.py")]
    words += [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    (record,) = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return record


def script(given):
    done = subprocess.run([sys.executable, SCRIPT, json.dumps(given)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_cell_is_faster_than_a_plain_script(runs, figure):
    """From texts to a network, and from texts to labels; what is loaded before is left out of both."""
    bounds = {"max_length": {"train": 1.5, "predict": 2}, "longest": {"train": 1.25, "predict": 1.5}}
    compare(runs[0], "first sentences", bounds, figure)


def test_a_cell_is_faster_than_a_plain_script_on_long_texts(long_runs, figure):
    """By most of what there is padding to leave out; of one run each, so that a noisy machine has its room."""
    found, _ = long_runs
    lengths = found["cell"][0]["speed"]["predict"]
    ideal = (TOKENS + 2) * lengths["documents"] / lengths["tokens"]
    bounds = {padding: {"train": 0.75 * ideal, "predict": 0.75 * ideal} for padding in PADDINGS}
    compare(found, f"whole descriptions (at most {ideal:.2f} by their lengths)", bounds, figure)


def compare(found, what, bounds, figure):
    for padding, least in bounds.items():
        for phase, bound in least.items():
            plain = statistics.median(run[f"{phase}_seconds"] for run in found[padding])
            own = statistics.median(taken(record, INSIDE[phase]) for record in found["cell"])
            name = f"bert cell, {what}, {phase}, to a plain Trainer padding to {padding}"
            figure(name, plain / own, least=bound, seen=f"{plain:.1f} s and {own:.1f} s")


def test_a_cell_is_as_good_as_a_plain_script(runs, figure):
    """Within the spread of seeds, in micro-F1, which for single labels is accuracy, and in macro-F1."""
    from sklearn.metrics import f1_score

    found, gold = runs
    for metric in ("micro", "macro"):
        own = [record["metrics"][f"{metric}_f1"] for record in found["cell"]]
        plain = [f1_score(gold, run["predicted"], average=metric) for run in found["longest"]]
        noise = max(max(side) - min(side) for side in (own, plain))
        apart = statistics.mean(own) - statistics.mean(plain)
        seen = f"cells {rounded(own)}, script {rounded(plain)}"
        figure(f"bert cell, {metric}-F1 over a plain Trainer's", apart, unit="F1", least=-noise, seen=seen)


def test_the_harness_costs_a_cell_less_than_a_second(runs, figure):
    """All of a cell's life outside of loading, training and prediction, and of what is only measured."""
    found, _ = runs
    inside = [*(phase for phases in INSIDE.values() for phase in phases), "latency"]
    costs = [spent(record) - taken(record, inside) for record in found["cell"]]
    figure("a cell outside load, train and predict", statistics.median(costs), unit="s", most=1, seen=rounded(costs))


def taken(record, phases):
    return sum(record["seconds"].get(phase, 0.0) for phase in phases)


def spent(record):
    begun, ended = (datetime.fromisoformat(record[key]) for key in ("started_at", "finished_at"))
    return (ended - begun).total_seconds()


def rounded(values):
    return ", ".join(f"{value:.3f}" for value in values)
