"""Labels: rare ones, unseen ones, several of them, and a hierarchy above them."""

import json

import pytest
from own_tables import QUEUES, all_labels, load, tickets, write_csv

from bench.errors import UserError
from tasks.tabular.hierarchy import from_names, from_parents


@pytest.fixture
def rare(tmp_path):
    """Thirty rows of three labels, two rows of two rare ones."""
    odd = [{"id": "o1", "text": "the lift is stuck", "label": "lift"}, {"id": "o2", "text": "a bee", "label": "bee"}]
    return write_csv(tmp_path / "t.csv", [*tickets(), *odd])


def test_rare_labels_are_refused_folded_or_dropped(rare):
    assert "bee" in load(rare).labels.names
    with pytest.raises(UserError, match=r"t.csv: 2 labels are on fewer than 5 documents: 'bee', 'lift'; .* rare=drop"):
        load(rare, min_examples=5)
    folded = load(rare, min_examples=5, rare="fold", folded_label="rest")
    assert folded.labels.names == ("billing", "network", "printer", "rest")
    assert all_labels(folded)["a bee"] == ["rest"]
    assert folded.remarks == ("rare labels folded into 'rest': 2",)
    real = load(rare, min_examples=5, rare="fold", folded_label="network")
    assert real.remarks == ("rare labels folded into 'network', a label of other documents too: 2",)
    dropped = load(rare, min_examples=5, rare="drop")
    assert dropped.labels.names == ("billing", "network", "printer")
    assert dropped.skipped == {"document with rare labels only": 2}
    assert dropped.remarks == ("rare labels taken off: 2",)


def test_a_rare_label_beside_another_is_taken_off_and_the_document_kept(tmp_path):
    rows = [{"text": f"text {i}", "label": "xy"[i % 2] + (";rare" if i == 4 else "")} for i in range(30)]
    data = load(write_csv(tmp_path / "t.csv", rows), separator=";", min_examples=2, rare="drop")
    assert all_labels(data)["text 4"] == ["x"]
    assert not data.skipped


def test_labels_of_the_test_file_alone(tmp_path):
    train = write_csv(tmp_path / "train.csv", tickets())
    odd = [{"id": "o1", "text": "a bee", "label": "bee"}]
    test = write_csv(tmp_path / "test.csv", [{**row, "text": f"{row['text']}!"} for row in tickets(9)] + odd)
    with pytest.raises(UserError, match=r"test.csv, row 11: 1 labels are on no training document: 'bee'; keep or drop"):
        load(train, test=str(test))
    kept = load(train, test=str(test), unseen="keep")
    assert "bee" in kept.labels.names
    assert kept.remarks == ("labels that are on no training document, kept: 1",)
    dropped = load(train, test=str(test), unseen="drop")
    assert "bee" not in dropped.labels.names
    assert dropped.skipped == {"document with labels only that are on no training document": 1}


def test_a_cell_parted_by_a_separator(tmp_path):
    cells = ["x; y ;", "y", "x;x", ";"]
    rows = [{"text": f"text {i}", "label": cells[i % 4]} for i in range(40)]
    data = load(write_csv(tmp_path / "t.csv", rows), separator=";")
    assert data.kind == "multi"
    found = all_labels(data)
    assert [found[f"text {i}"] for i in range(4)] == [["x", "y"], ["y"], ["x"], []]


def test_one_label_a_document_can_be_a_multi_label_task(tmp_path):
    path = write_csv(tmp_path / "t.csv", tickets())
    assert load(path).kind == "single"
    assert load(path, kind="multi").kind == "multi"


def test_several_text_columns_are_joined_by_blank_lines(tmp_path):
    rows = [{"title": f"title {i}" if i % 2 else "", "body": f"body {i}", "label": "xy"[i % 3 > 0]} for i in range(30)]
    found = all_labels(load(write_csv(tmp_path / "t.csv", rows), text=("title", "body")))
    assert "title 1\n\nbody 1" in found
    assert "body 2" in found


def test_levels_in_names(tmp_path):
    names = ("it > network > wifi", "it > printer", "office")
    rows = [{"text": f"text {i}", "label": names[i % 3]} for i in range(30)]
    for separator in (" > ", ">"):
        space = load(write_csv(tmp_path / "t.csv", rows), level_separator=separator).labels
        assert space.ancestors == (("it", "it > network"), ("it",), ())


PARENTS = [
    {"label": "network", "parent": "it"},
    {"label": "printer", "parent": "hardware"},
    {"label": "hardware", "parent": "it"},
    {"label": "it", "parent": ""},
]


def write_parents(path, rows):
    if path.suffix == ".csv":
        return write_csv(path, rows)
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist([{**row, "parent": row["parent"] or None} for row in rows]), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_a_table_of_parents(tmp_path, suffix):
    parents = write_parents(tmp_path / f"parents.{suffix}", PARENTS)
    space = load(
        write_csv(tmp_path / "t.csv", tickets()), parents=str(parents), primary_metric="hierarchical_f1"
    ).labels
    assert space.ancestors == ((), ("it",), ("it", "hardware"))


def test_what_was_tolerated_in_a_table_of_parents_is_told(tmp_path):
    table = write_csv(tmp_path / "t.csv", tickets())
    parents = write_csv(tmp_path / "parents.csv", [*PARENTS, {"label": "café", "parent": "it"}], "latin-1")
    parents.write_bytes(parents.read_bytes() + b"one,too,many\n")
    data = load(table, parents=str(parents), on_bad_rows="skip")
    assert data.skipped == {"row with more or fewer cells than the header": 1}
    assert data.remarks == (
        f"{parents} not in UTF-8, read as cp1252 by a guess; say it with encoding=",
        "labels with none above them: 1 of 3 ('billing')",
    )


def test_the_settings_of_files_hold_for_the_table_of_parents(tmp_path):
    rows = [{**row, "label": f"büro {row['label']}"} for row in tickets()]
    table = write_csv(tmp_path / "t.csv", rows, "cp437", delimiter="^")
    parents = write_csv(
        tmp_path / "p.csv", [{"label": f"büro {name}", "parent": "büro"} for name in QUEUES], "cp437", delimiter="^"
    )
    data = load(table, parents=str(parents), encoding="cp437", delimiter="^")
    assert data.labels.ancestors == (("büro",),) * 3


def test_a_separator_of_levels_that_is_in_no_label(tmp_path):
    with pytest.raises(UserError, match="by level_separator='/' no label has one above it"):
        load(write_csv(tmp_path / "t.csv", tickets()), level_separator="/")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*PARENTS[:3], {"label": "it", "parent": "printer"}],
         r"parents.csv: labels are their own ancestors: (\w+ < ){3}\w+; break the cycle"),
        ([{"label": "network", "parent": "network"}], "network < network; break the cycle"),
        ([*PARENTS, {"label": "network", "parent": "hardware"}],
         "parents.csv, row 6: 'network' is below 'hardware' here and below 'it' before"),
        ([{"label": "", "parent": "it"}], "parents.csv, row 2: column 'label' is empty"),
        ([*PARENTS, {"label": "it", "parent": "top"}],
         "parents.csv, row 6: 'it' is below 'top' here and at the top before; give it one parent"),
        ([*PARENTS, {"label": "x", "parent": "y"}, {"label": "y", "parent": "x"}],
         "labels are their own ancestors: x < y < x; break the cycle"),
        ([{"label": "Network", "parent": "it"}],
         "t.csv: by parents.csv no label has one above it; labels are 'billing', 'network', 'printer'; mend it"),
        ([{"label": "network", "above": "it"}], "unknown column of .*parents.csv 'parent'"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_hierarchy(tmp_path, monkeypatch, rows, said):
    monkeypatch.chdir(tmp_path)
    parents = write_parents(tmp_path / "parents.csv", rows)
    with pytest.raises(UserError, match=said):
        load(write_csv(tmp_path / "t.csv", tickets()), parents=str(parents))


def test_a_level_without_a_name():
    with pytest.raises(UserError, match="label 'a//b': a level between '/' has no name"):
        from_names(["a//b"], "/")


def test_a_deep_hierarchy_is_walked_once():
    chain = {str(i): str(i + 1) for i in range(500)}
    assert from_parents(["0", "1"], chain, "p") == (tuple(str(i) for i in range(500, 0, -1)),
                                                    tuple(str(i) for i in range(500, 1, -1)))  # fmt: skip
