"""Data sets of the hub as a user meets them, without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOPICS = ("World", "Sports", "Business", "Sci/Tech")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """News in the shape of AG News."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=list(TOPICS))})

    def part(start: int, count: int) -> Dataset:
        numbers = range(start, start + count)
        table = {"text": [f"{TOPICS[i % 4]} told in story {i}" for i in numbers], "label": [i % 4 for i in numbers]}
        return Dataset.from_dict(table, features=features)

    DatasetDict({"train": part(0, 80), "test": part(1000, 20)}).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_the_list_names_what_brings_them_and_imports_nothing_heavy():
    program = (
        "import sys\nsys.argv = ['bench', 'list', 'tasks', '--json']\n"
        "from bench.cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "assert not {'datasets', 'pyarrow', 'numpy', 'huggingface_hub'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    row = next(row for row in json.loads(done.stdout) if row["name"] == "ag-news")
    assert (row["status"], row["remedy"]) == ("unavailable", "bench prepare ag-news")
    assert "fancyzhx/ag_news" in row["reason"]


@pytest.mark.parametrize("name", ["ag-news", "reuters-21578"])
def test_without_a_network_prepare_is_one_line(bench, tmp_path, name):
    done = bench("prepare", name)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "out of reach" in done.err
    assert f"bench prepare {name} --set local=FOLDER" in done.err
    assert not list((tmp_path / "cache").rglob("*.*"))


def test_settings_are_for_tasks(bench):
    done = bench("prepare", "embedded-encoder", "--set", "local=x")
    assert (done.code, done.err) == (2, "bench: --set is for tasks, and 'embedded-encoder' is none\n")
    done = bench("prepare", "ag-news", "--set", "locale=x")
    assert (done.code, "did you mean 'local'?" in done.err) == (2, True)


def test_a_folder_takes_the_place_of_the_hub_from_prepare_to_record(bench, tmp_path, saved):
    run = ("run", "-t", "ag-news", "-m", "prior", "-m", "tfidf", "--set", f"ag-news.local={saved}", "--json")
    words = (*run, "--out", tmp_path / "out")
    missing = {record["status"]: record for record in json.loads(bench(*words).out)}
    assert set(missing) == {"unavailable"}
    remedy = missing["unavailable"]["remedy"]
    assert remedy == f"bench prepare ag-news --set local={saved}"
    done = bench(*remedy.split()[1:])
    assert (done.code, done.out.split(" rows")[0]) == (0, "ag-news: train 80, test 20"), done.err
    assert "prepared already" in bench(*remedy.split()[1:]).out
    records = {record["method"]: record for record in json.loads(bench(*words).out)}
    assert {record["status"] for record in records.values()} == {"ok"}
    assert records["tfidf"]["metrics"]["micro_f1"] == 1.0
    assert records["prior"]["metrics"]["micro_f1"] == 0.25
    assert records["prior"]["task_facts"]["documents"]["test"] == 20


def test_run_all_passes_over_what_is_not_prepared(bench, tmp_path):
    (tmp_path / "ours.yaml").write_text("name: ours\nbase: hub\nsettings: {dataset: owner/name}\n")
    elsewhere = [word for name in ("debtags", "debian-sections") for word in ("--set", f"{name}.lists={tmp_path}")]
    words = ("run", "--all", "--dry-run", "--json", "--plugins", tmp_path / "ours.yaml", "--out", tmp_path / "out")
    done = bench(*words, *elsewhere)
    named = {cell["task"] for cell in json.loads(done.out)}
    assert "synthetic-clv" in named
    assert not named & {"ours", "hub", "ag-news", "reuters-21578"}


def test_a_yaml_file_of_one_s_own_reads_files_beside_it(bench, tmp_path):
    (tmp_path / "press").mkdir()
    for split, start in (("train", 0), ("held_out", 500)):
        rows = [{"headline": f"Head {i}", "body": f"Body {i}", "desk": "ab"[i % 2], "lang": ("en", "de")[i % 3 == 0]}
                for i in range(start, start + 60)]  # fmt: skip
        (tmp_path / "press" / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "press.yaml").write_text(
        "name: press\nbase: hub\ndescription: Our press.\nsettings:\n  local: press\n"
        "  data_files: {train: train.jsonl, held_out: held_out.jsonl}\n  splits: {train: train, test: held_out}\n"
        "  text: [headline, body]\n  label: desk\n  filters: {lang: en}\n"
    )
    plugins = ("--plugins", tmp_path / "press.yaml")
    assert bench("prepare", "press", *plugins).code == 0
    done = bench("run", "-t", "press", "-m", "prior", *plugins, "--out", tmp_path / "out", "--json")
    (record,) = json.loads(done.out)
    assert record["status"] == "ok"
    assert record["task_facts"]["documents"]["test"] == 40
