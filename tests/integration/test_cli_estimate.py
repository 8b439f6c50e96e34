"""``bench estimate`` tells what cells will take, of what is here and of what is not, and starts nothing."""

from __future__ import annotations

import json

import pytest

SMALL = ["--set", "synthetic-clv.train_documents=60", "--set", "synthetic-clv.test_documents=30"]


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Estimates of cells whose models or documents are not here, for a device elsewhere."""
    from commands import call

    out = tmp_path_factory.mktemp("out")
    words = ["-t", "synthetic-clv", "-t", "wipo-alpha", "-m", "bert", "-m", "embedding-head", "-m", "tfidf"]
    models = ["--model", "meta-llama/Llama-3.1-8B", "--model", "bert-base-uncased", "--model", "embedded-decoder"]
    device = ["--device-memory", "24GiB", "--rate", "150"]
    done = call("estimate", *words, *models, *SMALL, *device, "--seed", "0", "--seed", "1", "--json", "--out", out)
    assert done.code == 0, done.err
    assert not list(out.iterdir())
    return json.loads(done.out)


def of(planned, **wanted):
    found = [cell for cell in planned["cells"] if all(cell[key] == value for key, value in wanted.items())]
    assert found, wanted
    return found[0]


def test_every_cell_has_an_estimate_or_a_reason(planned):
    assert len(planned["cells"]) == 2 * (1 + 2 + 1) * 2
    for cell in planned["cells"]:
        assert (cell["estimate"] is None) == bool(cell["reason"]) == (cell["method"] == "tfidf")
    assert planned["total"]["cells"] == 16
    assert planned["total"]["estimated"] == 12
    assert planned["total"]["seconds"] == pytest.approx(
        sum(sum(cell["estimate"]["seconds"].values()) for cell in planned["cells"] if cell["estimate"])
    )


def test_what_is_gated_is_counted(planned):
    cell = of(planned, task="synthetic-clv", model="meta-llama/Llama-3.1-8B")
    assert cell["state"] == "unavailable"
    head = 20_971_520 + 5 * 4096
    assert cell["estimate"]["parameters"] == {"total": 7_504_924_672 + head, "trainable": head, "stored": head}


def test_documents_that_are_not_here_are_expected(planned):
    one, other = (
        of(planned, task=task, model="google-bert/bert-base-uncased")["estimate"]
        for task in ("synthetic-clv", "wipo-alpha")
    )
    assert other["parameters"]["total"] - one["parameters"]["total"] == (451 - 5) * 769
    assert other["seconds"]["predict"] > 500 * one["seconds"]["predict"]


def test_what_does_not_fit_is_marked(planned):
    large = of(planned, task="wipo-alpha", model="meta-llama/Llama-3.1-8B")["estimate"]
    assert not large["fits"]
    assert max(large["device_bytes"].values()) > 24 * 2**30
    assert of(planned, model="embedded-decoder")["estimate"]["fits"]
    assert planned["total"]["do_not_fit"] >= 2


def test_what_it_rests_on_is_said(planned):
    said = "; ".join(planned["assumptions"])
    for words in ("cuda computing in bfloat16, 24.0 GiB", "150 TFLOP/s (--rate)", "1.5 tokens a word", "wipo-alpha"):
        assert words in said


@pytest.mark.slow
def test_a_person_sees_a_table_and_this_machine_is_probed(bench, tmp_path):
    done = bench("estimate", "-t", "synthetic-clv", "-m", "embedding-head", "-m", "prior", *SMALL, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "1.98 M" in done.out
    assert "synthetic-clv × prior: it counts labels, which takes next to nothing" in done.out
    assert "2 cells; " in done.out
    assert "1 not estimated" in done.out
    assert "matrices multiply at" in done.out
    assert "by a probe of one layer" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what to run"),
        (["-t", "synthetic-clv", "--rate", "0"], "--rate 0.0: say how many TFLOP/s"),
        (["-t", "synthetic-clv", "--device-memory", "much"], "'much' is not an amount"),
        (["-t", "synthetic-clv", "--device", "gpu"], "unknown device 'gpu'"),
        (["--suite", "papr"], "did you mean 'paper'"),
    ],
)
def test_what_is_off_is_refused(bench, words, said):
    done = bench("estimate", *words)
    assert done.code == 2
    assert said in done.err
