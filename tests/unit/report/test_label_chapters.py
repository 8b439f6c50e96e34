"""What the report says of labels: by frequency, one by one, and which are taken for which."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from stored_cells import documents, keep_cell, keep_documents, one_hot, scores, task

from bench.prediction import LabelSets, TopScores
from bench.store import Store
from report.confusions import confusions_chapter
from report.evidence import Evidence
from report.frequency import frequent_and_rare
from report.groups import sections
from report.label_scores import labels_chapter
from report.text import plain

HOSTILE = ("<script>alert('x')</script>", 'he said "no"', "שלום \u202e", "🙂\nsecond line", "long " * 100)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


def made(maker, store, records):
    (section,) = sections(records)
    return maker(section, Evidence(store))


def column(table, key):
    place = [column.key for column in table.columns].index(key)
    return [row[place].text for row in table.rows]


def emitted(*sets):
    return LabelSets(sets, [""] * len(sets))


def by_frequency():
    """Label 0 in 200 training documents, 1 in 50, 2 in 5, 3 in none; test documents two each."""
    return task(documents([[0], [0], [1], [1], [2], [2], [3], [3]]), 4, train=[[0]] * 200 + [[1]] * 50 + [[2]] * 5)


def test_macro_f1_by_frequency_is_the_mean_over_seeds(store):
    data = by_frequency()
    records = [keep_cell(store, data, one_hot([0, 0, 1, 1, 0, 0, 0, 0], 4), seed=0),
               keep_cell(store, data, one_hot([0, 0, 1, 0, 2, 2, 0, 0], 4), seed=1)]  # fmt: skip
    chapter = made(frequent_and_rare, store, records)
    (table,), (bars,) = chapter.tables, chapter.charts
    assert column(table, "band") == ["head", "torso", "tail", "unseen"]
    assert column(table, "train") == ["more than 100", "11 to 100", "1 to 10", "0"]
    assert column(table, "labels") == ["1", "1", "1", "1"]
    assert column(table, "documents") == ["2", "2", "2", "2"]
    assert bars.series[0].values == pytest.approx(((4 / 8 + 4 / 7) / 2, (1 + 2 / 3) / 2, 0.5, 0.0))
    assert bars.series[0].errors[2] == (0.0, 1.0)


def test_one_band_says_nothing(store):
    data = task(documents([[0], [1]]), 2, train=[[0], [1]])
    assert made(frequent_and_rare, store, [keep_cell(store, data, one_hot([0, 0], 2))]) is None


def test_labels_stand_by_their_test_documents_with_the_mean_over_seeds(store, tmp_path):
    data = task(documents([[1], [1], [1], [0]]), 3, train=[[0], [0], [1]], names=("a", "b", "never in test"))
    records = [keep_cell(store, data, one_hot([1, 1, 1, 0], 3), seed=0),
               keep_cell(store, data, one_hot([1, 1, 0, 0], 3), seed=1),
               keep_cell(store, data, one_hot([0, 0, 0, 0], 3), method="other")]  # fmt: skip
    keep_documents(store, data, tmp_path)
    chapter = made(labels_chapter, store, records)
    (table,), (bars,) = chapter.tables, chapter.charts
    assert [column.title for column in table.columns[3:]] == ["tfidf", "other"]
    assert column(table, "label") == ["b", "a"]
    assert column(table, "train") == ["1", "2"]
    assert column(table, "support") == ["3", "1"]
    assert column(table, "row-0") == ["0.900", "0.833"]  # (1 + 0.8) / 2, (1 + 2/3) / 2
    assert column(table, "row-1") == ["0.000", "0.400"]
    assert bars.categories == ("b", "a")
    assert any("One label without a test document" in note for note in chapter.notes)


def test_labels_go_by_number_where_their_names_are_not_at_hand(store):
    data = task(documents([[1], [0]]), 2)
    chapter = made(labels_chapter, store, [keep_cell(store, data, one_hot([1, 1], 2))])
    assert column(chapter.tables[0], "label") == ["label 0", "label 1"]
    assert any("bench run" in note for note in chapter.notes)


def test_of_very_many_labels_the_frequent_and_the_disputed_are_listed(store):
    """500,000 labels, of which 1,200 occur; a rare one is found by one row alone."""
    n = 500_000
    gold = [[label] for label in range(1200)] + [[label] for label in range(1150)]
    data = task(documents(gold), n, train=[[label] for label in range(1200)])

    def top(answers):
        entries = (np.ones(len(answers), dtype=np.float32), (np.arange(len(answers)), answers))
        return TopScores(csr_matrix(entries, shape=(len(answers), n)))

    right = [label for (label,) in gold]
    poor = [label if label < 1000 else 0 for (label,) in gold]
    records = [keep_cell(store, data, top(right)), keep_cell(store, data, top(poor), method="other")]
    chapter = made(labels_chapter, store, records)
    listed = column(chapter.tables[0], "label")
    assert len(listed) == 1000
    assert listed[:500] == [f"label {label}" for label in range(500)]
    assert {f"label {label}" for label in range(1000, 1200)} <= set(listed)
    assert any("500 most frequent" in note for note in chapter.notes)
    assert len(chapter.charts[0].categories) == 20
    pairs = made(confusions_chapter, store, records).tables[0]
    assert column(pairs, "given") == ["label 0"] * 15


def test_names_that_are_cut_alike_stay_apart_on_an_axis(store, tmp_path):
    data = task(documents([[0], [1]]), 2, names=("x" * 300 + "a", "x" * 300 + "b"))
    record = keep_cell(store, data, one_hot([0, 0], 2))
    keep_documents(store, data, tmp_path)
    first, second = made(labels_chapter, store, [record]).charts[0].categories
    assert first != second
    assert max(len(first), len(second)) < 50


def test_hostile_names_are_one_printable_line(store, tmp_path):
    data = task(documents([[label] for label in range(5)]), 5, names=HOSTILE)
    record = keep_cell(store, data, one_hot([1, 2, 3, 4, 0], 5))
    keep_documents(store, data, tmp_path)
    shown = column(made(labels_chapter, store, [record]).tables[0], "label")
    shown += column(made(confusions_chapter, store, [record]).tables[0], "gold")
    assert all(plain(name) == name and len(name) <= 120 for name in shown)
    assert "<script>alert('x')</script>" in shown


def confused():
    """Of ten documents of label 0 four are given 1; of two of label 1 one is given 2; one has no answer."""
    gold = [[0]] * 10 + [[1]] * 2 + [[2]] * 3
    sets = [[0]] * 6 + [[1]] * 4 + [[2], [1]] + [[2], [2], []]
    return gold, sets


def test_confusions_of_single_labels(store, tmp_path):
    gold, sets = confused()
    data = task(documents(gold), 3, names=("a", "b", "c"))
    records = [keep_cell(store, data, emitted(*sets)),
               keep_cell(store, data, emitted(*[[0]] * 10, [0], [1], [2], [2], [2]), method="better")]  # fmt: skip
    keep_documents(store, data, tmp_path)
    chapter = made(confusions_chapter, store, records)
    (table,), (heat,) = chapter.tables, chapter.charts
    assert [column.title for column in table.columns[3:]] == ["better", "tfidf"]
    assert list(zip(column(table, "gold"), column(table, "given"), strict=True)) == [("b", "a"), ("a", "b"), ("b", "c")]
    assert column(table, "row-0") == ["1 (50.0 %)", "0", "0"]
    assert column(table, "row-1") == ["0", "4 (40.0 %)", "1 (50.0 %)"]
    assert heat.rows == ("a", "b")  # those that the best row confuses
    assert heat.values == ((1.0, 0.0), (0.5, 0.5))
    assert any("tfidf gave 1 document no label" in note for note in chapter.notes)


def test_the_shades_of_a_label_add_up(store, tmp_path):
    gold, sets = confused()
    data = task(documents(gold), 3, names=("a", "b", "c"))
    record = keep_cell(store, data, emitted(*sets))
    (heat,) = made(confusions_chapter, store, [record]).charts
    assert heat.columns[-1] == "no label"
    assert [sum(row) for row in heat.values] == pytest.approx([1, 1, 1])
    assert heat.values[0] == pytest.approx((0.6, 0.4, 0, 0))


def test_confusions_of_several_labels(store, tmp_path):
    gold = [[0, 1]] * 4 + [[2]] * 2
    sets = [[1, 2]] * 3 + [[0, 1]] + [[2], [2, 3]]
    data = task(documents(gold), 4, kind="multi", names=("a", "b", "c", "d"))
    record = keep_cell(store, data, emitted(*sets))
    keep_documents(store, data, tmp_path)
    chapter = made(confusions_chapter, store, [record])
    pairs, labels = chapter.tables
    assert [[cell.text for cell in row] for row in pairs.rows] == [["a", "c", "4", "3 (75.0 %)"]]
    assert [[cell.text for cell in row] for row in labels.rows] == [
        ["a", "4", "3 (75.0 %)", "0"],
        ["c", "2", "0", "3"],
        ["d", "0", "0", "1"],
    ]
    assert not chapter.charts


def test_a_row_that_says_the_same_of_every_document_confuses_nothing(store):
    data = task(documents([[0], [1], [0], [1]]), 2)
    constant = keep_cell(store, data, one_hot([0, 0, 0, 0], 2), method="prior")
    assert made(confusions_chapter, store, [constant]) is None
    chapter = made(confusions_chapter, store, [constant, keep_cell(store, data, one_hot([0, 1, 1, 0], 2))])
    assert [column.title for column in chapter.tables[0].columns[3:]] == ["tfidf"]
    assert any(note.startswith("prior gives every document the same labels") for note in chapter.notes)


def test_no_error_no_confusion(store):
    data = task(documents([[0], [1]]), 2)
    assert made(confusions_chapter, store, [keep_cell(store, data, one_hot([0, 1], 2))]) is None


@pytest.mark.parametrize("maker", [frequent_and_rare, labels_chapter, confusions_chapter])
def test_nothing_finished_or_nothing_at_hand(store, record, maker):
    failed = record(status="failed", task_facts=None)
    assert made(maker, store, [failed]) is None
    assert made(maker, None, [record()]) is None


def test_empty_label_sets_and_one_label(store):
    nothing = task(documents([[], []]), 1, kind="multi")
    record = keep_cell(store, nothing, emitted([], []))
    assert made(labels_chapter, store, [record]) is None
    assert made(confusions_chapter, store, [record]) is None
    one = task(documents([[0], [0]]), 1)
    assert column(made(labels_chapter, Store(store.root / "one"), [keep_cell(Store(store.root / "one"), one,
                  scores([1], [1]))]).tables[0], "row-0") == ["1.000"]  # fmt: skip
