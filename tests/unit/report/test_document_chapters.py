"""What the report says of documents: calibration, length, and those that are hard."""

import numpy as np
import pytest
from scipy.special import softmax
from stored_cells import documents, keep_cell, keep_documents, one_hot, scores, task

from bench.prediction import LabelSets, Scores
from bench.store import Store
from report.believable import believable
from report.evidence import Evidence
from report.groups import sections
from report.hard_documents import hard_documents
from report.length import length_chapter

MAKERS = (believable, length_chapter, hard_documents)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


def made(maker, store, records):
    (section,) = sections(records)
    return maker(section, Evidence(store))


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def emitted(*sets):
    return LabelSets(sets, [""] * len(sets))


# Calibration.


def test_logits_are_read_by_a_softmax_and_probabilities_as_they_are(store):
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((50, 3)).astype(np.float32)
    data = task(documents([[int(label)] for label in rng.integers(3, size=50)]), 3)
    records = [keep_cell(store, data, Scores(logits), method="logits"),
               keep_cell(store, data, Scores(softmax(logits, axis=1)), method="probabilities")]  # fmt: skip
    chapter = made(believable, store, records)
    (table,), (diagram,) = chapter.tables, chapter.charts
    one, other = texts(table)
    assert (one[1], other[1]) == ("softmax of the scores", "the scores themselves, all from 0 to 1")
    assert one[2:] == other[2:]
    assert diagram.diagonal
    assert np.allclose(diagram.series[0].points, diagram.series[1].points)
    assert sum(diagram.series[0].sizes) == 50
    assert any("read as log-odds" in note for note in chapter.notes)
    assert any("scaling by validation documents" in note for note in chapter.notes)


def test_a_row_without_scores_says_so(store):
    data = task(documents([[0], [1]]), 2)
    records = [keep_cell(store, data, scores([0.9, 0.1], [0.8, 0.2])), keep_cell(store, data, emitted([0], [1]), "ask")]
    (table,) = made(believable, store, records).tables
    rows = {row[0].text: row for row in table.rows}
    assert rows["ask"][1].marks
    assert dict(table.footnotes)[rows["ask"][1].marks[0]] == "it emits label sets without scores"
    assert [cell.text for cell in rows["tfidf"][2:5]] == ["0.850", "0.500", "0.450"]  # |1 − 0.9| / 2 + |0 − 0.8| / 2


def test_scaling_is_fitted_to_validation_documents(store):
    rng = np.random.default_rng(1)

    def split(n, name):
        logits = rng.standard_normal((n, 4))
        labels = [np.flatnonzero(row).tolist() for row in rng.random((n, 4)) < 1 / (1 + np.exp(-logits))]
        return documents(labels, name=name), Scores((8 * logits + 3).astype(np.float32))

    test, prediction = split(400, "d")
    validation, seen = split(400, "v")
    data = task(test, 4, kind="multi", validation=validation)
    chapter = made(believable, store, [keep_cell(store, data, prediction, validation=seen)])
    (table,) = chapter.tables
    place = {column.key: number for number, column in enumerate(table.columns)}
    (row,) = table.rows
    assert row[place["ece"]].value > 0.15
    assert row[place["scaled"]].value < 0.06
    assert any("1,600 pairs" in note for note in chapter.notes)


def test_without_validation_scores_there_is_no_scaling(store):
    data = task(documents([[0], [1, 2]]), 3, kind="multi")
    (table,) = made(believable, store, [keep_cell(store, data, scores([3, -1, -2], [-1, 2, 1]))]).tables
    assert [text for _, text in table.footnotes] == ["scores of validation documents are not at hand"]


# Length.


def sized(n=120):
    """Documents of 1 to n words; the longer half is wrong."""
    return task(documents([[0]] * n, [" ".join(["word"] * (place + 1)) for place in range(n)]), 2)


def test_errors_by_length(store, tmp_path):
    data = sized()
    record = keep_cell(store, data, one_hot([0] * 60 + [1] * 60, 2))
    keep_documents(store, data, tmp_path)
    (chart,) = made(length_chapter, store, [record]).charts
    assert chart.x.title.startswith("Words of a document")
    points = chart.series[0].points
    assert [y for _, y in points] == [0, 0, 0, 1, 1, 1]
    assert [x for x, _ in points] == [10.5, 30.5, 50.5, 70.5, 90.5, 110.5]
    assert chart.series[0].sizes == (20,) * 6


def test_of_several_labels_the_mean_f1_of_documents(store, tmp_path):
    n = 80
    data = task(documents([[0, 1]] * n, [" ".join(["word"] * (place + 1)) for place in range(n)]), 2, kind="multi")
    record = keep_cell(store, data, emitted(*[[0, 1]] * 40, *[[0]] * 40))
    keep_documents(store, data, tmp_path)
    (chart,) = made(length_chapter, store, [record]).charts
    assert [y for _, y in chart.series[0].points] == pytest.approx([1, 1, 2 / 3, 2 / 3])


def test_lengths_need_no_texts_and_scripts_without_spaces_are_counted_in_characters(store, tmp_path):
    data = task(documents([[0]] * 60, ["字" * (place + 1) for place in range(60)]), 2)
    record = keep_cell(store, data, one_hot([0] * 30 + [1] * 30, 2))
    keep_documents(store, data, tmp_path, "ids")
    (chart,) = made(length_chapter, store, [record]).charts
    assert chart.x.title.startswith("Characters")


def test_documents_of_one_length_or_too_few_say_nothing(store, tmp_path):
    for data in (task(documents([[0]] * 100), 2), sized(30)):
        record = keep_cell(store, data, one_hot([0] * len(data.test), 2), method=f"of {len(data.test)}")
        keep_documents(store, data, tmp_path)
        assert made(length_chapter, store, [record]) is None


# Hard documents.


def test_documents_that_all_rows_get_wrong_come_first_with_every_answer(store, tmp_path):
    data = task(documents([[0], [0], [1], [1]], ["both", "neither", "one", "<script>\nother"]), 2, names=("a", "b"))
    records = [keep_cell(store, data, scores([2, 1], [-1, 3], [0, 1], [0, 1]), method="one"),
               keep_cell(store, data, emitted([0], [1], [1], [0]), method="two")]  # fmt: skip
    keep_documents(store, data, tmp_path)
    chapter = made(hard_documents, store, records)
    assert [excerpt.id for excerpt in chapter.excerpts] == ["d1", "d3"]
    hard, disputed = chapter.excerpts
    assert (hard.text, hard.gold, hard.remark) == ("neither", ("a",), "wrong by 2 of 2 rows")
    answers = {answer.row: answer for answer in hard.answers}
    assert (answers["one"].labels, answers["one"].right, answers["one"].score) == (("b",), False, 3.0)
    assert (answers["two"].labels, answers["two"].right, answers["two"].score) == (("b",), False, None)
    assert disputed.text == "<script> other"
    assert {answer.row: answer.right for answer in disputed.answers} == {"one": True, "two": False}


def test_the_choice_follows_from_the_documents_alone(store, tmp_path):
    """Ids decide among equals, not the order of documents, and no more than thirty are shown."""
    ids = [f"document {place}" for place in range(200)]

    def chosen(order, place):
        from bench.task import Documents

        data = task(Documents([ids[i] for i in order], ["text"] * 200, [[i % 2] for i in order]), 3)
        here = Store(tmp_path / place)
        answers = [[(label + 1) % 2] if i % 4 else [2] for i, (label,) in zip(order, data.test.labels, strict=True)]
        keep_documents(here, data, tmp_path)
        return [
            excerpt.id for excerpt in made(hard_documents, here, [keep_cell(here, data, emitted(*answers))]).excerpts
        ]

    forwards = chosen(range(200), "one")
    assert len(forwards) == 30
    assert forwards == chosen(range(199, -1, -1), "two")
    assert forwards != ids[:30]


def test_disagreement_is_of_pairs_of_rows(store):
    """Three rows of three minds come before two against one."""
    n = 6
    data = task(documents([[0]] * n), 4)
    answers = {"one": [0, 0, 0, 0, 0, 1], "two": [0, 0, 0, 1, 0, 2], "three": [0, 0, 0, 0, 0, 0]}
    records = [
        keep_cell(store, data, emitted(*[[label] for label in row]), method=name) for name, row in answers.items()
    ]
    records[2:] = [keep_cell(store, data, emitted([0], [0], [0], [0], [1], [3]), method="four")]
    excerpts = made(hard_documents, store, records).excerpts
    assert excerpts[0].id == "d5"  # wrong by all
    assert {excerpt.id for excerpt in excerpts[1:]} == {"d3", "d4"}
    assert all(excerpt.remark == "2 different answers by 3 rows" for excerpt in excerpts[1:])


def test_of_several_labels_the_lowest_f1_comes_first(store):
    data = task(documents([[0, 1], [0, 1], [0, 1]]), 3, kind="multi")
    record = keep_cell(store, data, emitted([0], [2], [0, 1]))
    assert [excerpt.id for excerpt in made(hard_documents, store, [record]).excerpts] == ["d1", "d0"]


def test_long_texts_are_cut_and_long_lists_too(store, tmp_path):
    data = task(documents([list(range(40)), [0]], ["word " * 5000, "short"]), 40, kind="multi")
    record = keep_cell(store, data, emitted([1], [1, 2]))
    keep_documents(store, data, tmp_path)
    excerpt = next(one for one in made(hard_documents, store, [record]).excerpts if one.id == "d0")
    assert len(excerpt.text) <= 601
    assert excerpt.text.endswith("…")
    assert "cut, 5,000 words in all" in excerpt.remark
    assert len(excerpt.gold) == 13
    assert excerpt.gold[-1] == "and 28 more"


def test_given_labels_stand_by_their_scores(store):
    data = task(documents([[0]]), 3, kind="multi")
    record = keep_cell(store, data, scores([0.1, 0.9, 0.5]), threshold=0.05)
    other = keep_cell(store, data, scores([0.9, 0.1, 0.0]), method="other", threshold=0.05)
    assert made(hard_documents, store, [record, other]) is None  # one document: each row says the same of all
    data = task(documents([[0], [2]]), 3, kind="multi")
    record = keep_cell(Store(store.root / "two"), data, scores([0.1, 0.9, 0.5], [0, 0, 1]), threshold=0.05)
    (excerpt,) = made(hard_documents, Store(store.root / "two"), [record]).excerpts
    assert excerpt.answers[0].labels == ("label 1", "label 2", "label 0")
    assert excerpt.answers[0].score == pytest.approx(0.9)


def test_more_wrong_documents_than_are_shown_are_counted(store):
    data = task(documents([[0]] * 99 + [[1]]), 2)
    record = keep_cell(store, data, one_hot([1] * 99 + [0], 2))
    chapter = made(hard_documents, store, [record])
    assert len(chapter.excerpts) == 30
    assert chapter.lead.startswith("30 of the 100 documents that the row gets wrong.")


@pytest.mark.parametrize(("keep", "word"), [(None, "bench run"), ("ids", "--no-texts")])
def test_without_texts_ids_stand_with_a_note(store, tmp_path, keep, word):
    data = task(documents([[0], [1], [0]]), 2)
    record = keep_cell(store, data, one_hot([1, 1, 0], 2))
    if keep:
        keep_documents(store, data, tmp_path, keep)
    chapter = made(hard_documents, store, [record])
    (excerpt,) = chapter.excerpts
    assert (excerpt.id, excerpt.text) == ("d0", "")
    assert excerpt.gold == (("name 0",) if keep else ("label 0",))
    assert any(word in note for note in chapter.notes)


# All of them.


@pytest.mark.parametrize("maker", MAKERS)
def test_nothing_finished_or_nothing_at_hand(store, record, maker):
    assert made(maker, store, [record(status="failed", task_facts=None)]) is None
    assert made(maker, None, [record()]) is None


@pytest.mark.parametrize("maker", MAKERS)
def test_empty_label_sets_and_one_label(store, tmp_path, maker):
    data = task(documents([[], []]), 1, kind="multi")
    record = keep_cell(store, data, emitted([], []))
    keep_documents(store, data, tmp_path)
    assert made(maker, store, [record]) is None


@pytest.mark.parametrize("maker", MAKERS)
def test_rows_whose_predictions_are_gone_are_named(store, tmp_path, maker):
    data = sized()
    records = [keep_cell(store, data, one_hot([place % 2 for place in range(120)], 2), method="there"),
               keep_cell(store, data, one_hot([0] * 119 + [1], 2), method="gone")]  # fmt: skip
    keep_documents(store, data, tmp_path)
    (store.folder(records[1].cell) / "predictions.parquet").unlink()
    notes = made(maker, store, records).notes
    assert any("want of stored predictions" in note and "gone" in note for note in notes)


def test_predictions_of_other_documents_do_not_stand_beside_them(store):
    data, fewer = task(documents([[0], [1], [0]]), 2), task(documents([[0], [1]]), 2)
    one = keep_cell(store, data, one_hot([1, 1, 0], 2))
    other = keep_cell(store, fewer, one_hot([0, 1], 2), method="other")
    other = other.model_copy(update={"identity": other.identity.model_copy(
        update={"task_fingerprint": one.identity.task_fingerprint})})  # fmt: skip
    chapter = made(hard_documents, store, [one.model_copy(update={"metrics": {"micro_f1": 1.5}}), other])
    assert [answer.row for answer in chapter.excerpts[0].answers] == ["tfidf"]
    assert any(note.endswith("of the same documents: other.") for note in chapter.notes)


def test_at_most_six_rows_by_the_primary_metric_and_the_first_seed_of_each(store):
    data = task(documents([[0], [1]] * 4), 2)
    records = []
    for place in range(9):
        answers = [0, 1] * 4
        answers[: place // 2] = [1 - answer for answer in answers[: place // 2]]
        records += [keep_cell(store, data, one_hot(answers, 2), f"m{place}", seed=seed) for seed in (0, 1)]
    chapter = made(believable, store, records)
    assert [row[0].text for row in chapter.tables[0].rows] == [f"m{place}" for place in range(6)]
    assert any("6 rows with the highest" in note and "of 9" in note for note in chapter.notes)
    assert "Of each row the first seed is shown." in chapter.notes
