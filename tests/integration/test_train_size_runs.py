"""Train sizes from the command line: spanned, told apart, resumed, estimated, shown as learning curves."""

import json

import pyarrow.parquet as pq
import pytest


@pytest.fixture
def run(bench, plugins, tmp_path):
    """Runs a method on a small task."""
    words = ("-t", "small-single", "-m", "chance", "--plugins", plugins / "small.py")
    return lambda *more: bench("run", *words, "--out", tmp_path / "out", *more)


def lines(text, word):
    return [line for line in text.splitlines() if word in line]


def test_sizes_are_run_shown_resumed_and_reported(run, bench, tmp_path):
    words = ("--train-size", "10,30,500", "--seed", "0", "--seed", "1")
    told = "small-single: train size 500: there are 60 training documents, so that is all, and runs once"
    plan = run(*words, "--dry-run", "--json")
    rows = json.loads(plan.out)
    assert [row["identity"]["task_settings"]["train_documents"] for row in rows] == [10, 10, 30, 30, None, None]
    assert len(lines(plan.err, told)) == 1
    assert len(lines(run(*words, "--dry-run").out, "train_documents=30")) == 2
    first = run(*words)
    assert first.code == 0
    assert len(lines(first.err, "small-single × chance (train_documents=all), seed 1")) == 2  # start and end
    again = run("--train-size", "10", "--train-size", "30,all", "--seed", "0", "--seed", "1")
    assert "6 cells: 6 ok; nothing to run" in again.out
    assert "train size" not in again.err
    shown = bench("results", "--out", tmp_path / "out").out
    titles = [line.partition(":")[0] for line in lines(shown, "single-label")]
    assert titles == [f"small-single (train_documents={size})" for size in (10, 30, "all")]
    bench("report", "--out", tmp_path / "out")
    report = (tmp_path / "out/report.md").read_text().replace("\\", "")
    assert report.index("## small-single: learning curves") < report.index("## small-single (train_documents=10)")
    assert "| micro-F1 at 10 |" in " ".join(report.split())
    assert "micro-F1 at all 60" in report
    assert len(list((tmp_path / "out/plots").glob("*learning-curve.svg"))) == 1
    # All were tested on the same documents.
    tables = [pq.read_table(path) for path in sorted((tmp_path / "out").glob("cells/*/predictions.parquet"))]
    assert len(tables) == 6
    assert len({tuple(table.column("id").to_pylist()) for table in tables}) == 1


def test_sizes_hold_for_a_file_of_ones_own_and_for_a_suite(bench, tmp_path):
    rows = [f"{word} {n} of it,{word}" for n in range(40) for word in ("boat", "bread")]
    (tmp_path / "mine.csv").write_text("\n".join(["text,label", *rows]))
    (tmp_path / "mine.yaml").write_text("methods: [prior, tfidf]\ntrain_sizes: [10, 20]\n")
    words = ("--data", tmp_path / "mine.csv", "--suite", tmp_path / "mine.yaml", "--dry-run", "--json")
    rows = json.loads(bench("run", *words, "--out", tmp_path).out)
    found = [(row["task"], row["identity"]["task_settings"]["train_documents"], row["method"]) for row in rows]
    assert found == [("mine", size, method) for size in (10, 20) for method in ("prior", "tfidf")]
    rows = json.loads(bench("run", *words, "--train-size", "all", "--out", tmp_path).out)
    assert [row["identity"]["task_settings"]["train_documents"] for row in rows] == [None, None]


def test_what_the_documents_lack_is_told_with_a_command_for_the_size(bench, tmp_path):
    rows = ["boat,sea", *(f"bread {n},food" for n in range(30)), *(f"bread {n},food" for n in range(30))]
    (tmp_path / "mine.csv").write_text("\n".join(["text,label", *rows]))
    done = bench("run", "--data", tmp_path / "mine.csv", "-m", "prior", "--train-size", "5,7", "--out", tmp_path)
    commands = lines(done.err, "bench inspect")
    assert commands
    assert all("--set train_documents=7" in line for line in commands)


@pytest.mark.slow
def test_estimates_are_of_each_size(bench, tmp_path):
    words = ("-t", "synthetic-clv", "-t", "wipo-alpha", "-m", "bert", "--train-size", "100,400", "--rate", "150")
    found = json.loads(bench("estimate", *words, "--json", "--out", tmp_path).out)["cells"]
    sizes = [(cell["task"], cell["task_settings"]["train_documents"]) for cell in found]
    assert sizes == [(task, size) for task in ("synthetic-clv", "wipo-alpha") for size in (100, 400)]
    times = [cell["estimate"]["seconds"]["train"] for cell in found]
    assert times[1] > 2 * times[0]
    assert times[3] > 2 * times[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--train-size", "ten"), "--train-size ten: 'ten' is not a size; write whole numbers from 1, or all"),
        (("--train-size", "30,10"), "--train-size 30,10: sizes ascend and stand once: 10,30"),
        (("--train-size", "10", "--set", "small-single.train_documents=20"), "--train-size 20 instead of them"),
    ],
)
def test_sizes_that_are_off_are_refused_in_one_line(run, words, said):
    done = run(*words)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
