"""Results in pandas: every cell a row, every figure a column, nothing unknown a number."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_stores import NAMES, scored, small_store
from typer.testing import CliRunner

import bench as top
from bench.cli import app
from bench.errors import UserError
from bench.metrics.definitions import DEFINITIONS
from bench.record_frame import groups, record_frame
from bench.results import load_results
from bench.source import FirstParty, SourceHasher

REFERENCE = Path(__file__).parents[2] / "results/reference/embedded.json"


@pytest.fixture
def store(tmp_path):
    return small_store(tmp_path / "runs")


def test_one_line_gives_a_row_for_every_cell(store):
    rows = top.load_results(store.root).records.set_index("cell")
    assert list(rows.index) == ["answered", "broken", "scored"]
    row = rows.loc["scored"]
    assert (row["model"], row["seed"], row["status"], row["micro_f1"], row["p@1"]) == ("org/net", 0, "ok", 0.5, 0.5)
    assert (row["seconds.train"], row["documents_per_second.train"], row["latency.p50_ms"]) == (2.0, 4.5, 1.5)
    assert (row["peak_mib.train.host"], row["parameters.trainable"], row["facts.micro_batch"]) == (100.0, 3, 8)
    assert (row["settings.rate"], row["settings.layers"], row["hardware_id"]) == (1.0, "[1, 2]", "h")
    assert row["finished_at"] == pd.Timestamp("2026-01-01T00:00:09.5Z")
    assert rows.loc["broken", "reason"] == "it broke"


def test_unknown_is_missing_and_no_number(store):
    rows = load_results(store.root).records.set_index("cell")
    row = rows.loc["broken"]
    unknown = ["micro_f1", "seconds.train", "peak_mib.train.host", "latency.p50_ms", "parameters.total", "n_labels"]
    assert row[unknown].isna().all()
    assert pd.isna(rows.loc["scored", "peak_mib.train.device"])
    assert pd.isna(rows.loc["scored", "documents_per_second.predict"])
    assert pd.isna(rows.loc["answered", "settings.flag"])
    assert rows["micro_f1"].mean() == 0.75


def test_types_do_not_depend_on_what_is_missing(store):
    types = load_results(store.root).records.dtypes.astype(str)
    assert types[["cell", "seed", "micro_f1", "from_scratch", "finished_at"]].tolist() == [
        "string",
        "Int64",
        "Float64",
        "boolean",
        "datetime64[us, UTC]",
    ]
    assert types["settings.rate"] == "Float64"  # 1.0 beside 2
    assert types["settings.flag"] == "boolean"
    empty = record_frame([])
    assert {"cell", "micro_f1", "seconds.train", "peak_mib.predict.reserved"} <= set(empty.columns)
    common = types.index.intersection(empty.columns)
    assert types[common].str.startswith(("datetime",)).sum() == 2
    same = [name for name in common if not name.endswith("_at")]
    assert types[same].equals(empty.dtypes.astype(str)[same])


def test_the_order_of_columns_does_not_depend_on_the_order_of_records():
    records = load_results(REFERENCE).cells
    assert list(record_frame(records)) == list(record_frame(records[::-1]))
    found = [name for name in record_frame(records) if name in DEFINITIONS]
    assert found[:3] == ["micro_f1", "macro_f1", "micro_precision"]


def test_no_metric_is_called_as_another_column():
    others = {name for group in groups() for name in group.always} - {"micro_f1", "macro_f1"}
    assert not others & set(DEFINITIONS)


def test_predictions_are_a_row_for_each_document_and_cell(store):
    rows = load_results(store.root).predictions()
    assert len(rows) == 8
    assert rows.groupby("method", observed=True)["right"].mean().to_dict() == {"m-scored": 0.5, "m-answered": 0.5}
    row = rows[(rows["cell"] == "scored") & (rows["id"] == "b")].iloc[0]
    assert (row["gold"], row["predicted"], row["best"], row["right"]) == ((2,), (1,), 1, False)
    assert (row["gold_labels"], row["predicted_labels"], row["best_label"]) == ((NAMES[2],), (NAMES[1],), NAMES[1])
    assert row["score"] == pytest.approx(0.7)
    assert pd.isna(row["answer"])
    said = rows[rows["cell"] == "answered"]
    assert said["answer"].tolist() == ["sea", "food", "?", NAMES[2]]
    assert said["predicted"].tolist() == [(0,), (1,), (), (2,)]
    assert said[["best", "score", "best_label"]].isna().all(axis=None)


def test_labels_without_names_are_positions(store):
    shutil.rmtree(store.root / "documents")
    rows = load_results(store.root).predictions()
    assert rows[["gold_labels", "predicted_labels", "best_label"]].isna().all(axis=None)
    assert rows["gold"].tolist()[:2] == [(0,), (2,)]


def test_predictions_of_some_cells(store):
    results = load_results(store.root)
    assert set(results.predictions(task="t", method="m-scored")["cell"]) == {"scored"}
    assert set(results.predictions(cell="ans")["cell"]) == {"answered"}
    assert list(results.only(model="org/net").records["cell"]) == ["scored"]
    with pytest.raises(UserError, match=r"unknown method 'm-score'; did you mean 'm-scored'\?"):
        results.predictions(method="m-score")
    with pytest.raises(UserError, match=r"no finished cell with validation predictions"):
        results.predictions(split="validation")
    with pytest.raises(UserError, match="run `bench run` first"):
        results.predictions(method="m-broken")


def test_a_damaged_file_of_predictions_is_named(store):
    path = store.folder("scored") / "predictions.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"scored/predictions.parquet cannot be read .*; run the cell again"):
        load_results(store.root).predictions()


def test_one_cell_and_a_file_of_records(store, tmp_path):
    one = load_results(store.folder("scored"))
    assert (len(one.records), len(one.predictions())) == (1, 4)
    assert one.predictions()["best_label"].tolist()[0] == NAMES[0]
    (tmp_path / "records.json").write_text(json.dumps([scored().model_dump(mode="json")]))
    listed = load_results(tmp_path / "records.json")
    assert list(listed.records["micro_f1"]) == [0.5]
    with pytest.raises(UserError):
        listed.predictions()


def test_what_is_overtaken_comes_with_history(store):
    store.put(scored().model_copy(update={"cell": "newer", "finished_at": "2027-01-01T00:00:00+00:00"}))
    assert set(load_results(store.root).records["cell"]) == {"answered", "broken", "newer"}
    assert set(load_results(store.root, history=True).records["cell"]) == {"answered", "broken", "newer", "scored"}


@pytest.mark.parametrize("content", [None, "[1]", "{}x", '{"a": 1}'])
def test_what_are_no_results(tmp_path, content):
    path = tmp_path / "x"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=str(path)):
        load_results(path)


def test_a_corrupt_record_is_told(store):
    (store.folder("broken") / "record.json").write_text("{")
    with pytest.warns(UserWarning, match="record broken is corrupt"):
        assert len(load_results(store.root).cells) == 2


def test_importing_the_package_loads_nothing():
    code = "import sys, bench; sys.exit(bool({'pandas', 'pydantic', 'bench.results'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = top.nothing


def test_how_results_are_read_is_no_part_of_a_cell_s_name(tmp_path):
    """The package's first module is part of every method's code; what it offers to notebooks is not."""
    (tmp_path / "__init__.py").write_bytes(Path(top.__file__).read_bytes())
    hasher = SourceHasher(FirstParty({"bench": tmp_path}))
    (tmp_path / "results.py").write_text("one = 1")
    before = hasher.hash(["bench"])
    (tmp_path / "results.py").write_text("another = 2")
    assert hasher.hash(["bench"]) == before


def test_csv_of_all_figures(store, tmp_path):
    printed = CliRunner().invoke(app, ["results", "--out", str(store.root), "--csv", "-"])
    rows = pd.read_csv(io.StringIO(printed.stdout))
    assert rows["micro_f1"].tolist()[::2] == [1.0, 0.5]
    assert pd.isna(rows["micro_f1"][1])
    written = CliRunner().invoke(app, ["results", "--out", str(store.root), "--csv", str(tmp_path / "a.csv")])
    assert (written.stdout, (tmp_path / "a.csv").read_text()) == ("", printed.stdout)


@pytest.mark.parametrize("words", [["--csv", "-", "--json"], ["--experiment", "x"], ["--csv", ""]])
def test_words_that_do_not_go_together(store, words):
    with pytest.raises(UserError, match="--"):
        CliRunner().invoke(app, ["results", "--out", str(store.root), *words], catch_exceptions=False)
