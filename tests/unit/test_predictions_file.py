"""The predictions file gives back what was written, to the last bit."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.prediction import LabelSets, Scores, rank, sets_matrix
from bench.predictions_file import SplitPredictions, read_predictions, write_predictions


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    gold = sets_matrix([[0, 3], [], [2]], 5)
    return SplitPredictions(
        ["a", "b", "ç"], gold, sets_matrix([[1], [0], []], 5), rank(Scores(rng.random((3, 5), np.float32)), 2)
    )


def test_round_trip(tmp_path, scored):
    emitted = LabelSets([[0], [], [4]], ["x", "", "«4»"])
    categories = [[3, 0], [], [2, 4, 1]]
    bare = SplitPredictions(scored.ids, scored.gold, sets_matrix(emitted.sets, 5), None, emitted.texts, categories)
    write_predictions(tmp_path / "p.parquet", {"validation": scored, "test": bare})
    back = read_predictions(tmp_path / "p.parquet")
    assert list(back) == ["validation", "test"]
    for name, part in (("validation", scored), ("test", bare)):
        assert back[name].ids == part.ids
        assert (back[name].gold != part.gold).nnz == 0
        assert (back[name].predicted != part.predicted).nnz == 0
    assert (back["validation"].ranking.labels == scored.ranking.labels).all()
    assert (back["validation"].ranking.scores == scored.ranking.scores).all()
    assert back["test"].ranking is None
    assert back["test"].texts == ["x", "", "«4»"]
    assert (back["test"].categories, back["validation"].categories) == (categories, None)


def test_a_task_without_main_categories_has_no_column_of_them(tmp_path, scored):
    write_predictions(tmp_path / "p.parquet", {"test": scored})
    names = pq.read_schema(tmp_path / "p.parquet").names
    assert names == ["split", "id", "gold", "predicted", "ranked", "scores", "text"]  # as in files written before
    assert read_predictions(tmp_path / "p.parquet")["test"].categories is None


def test_equal_predictions_give_equal_bytes(tmp_path, scored):
    for name in ("one", "two"):
        write_predictions(tmp_path / name, {"test": scored})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_parquet_file_is_told_by_name(tmp_path):
    import pyarrow as pa

    pq.write_table(pa.table({"split": ["test"], "id": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"other\.parquet does not hold predictions"):
        read_predictions(tmp_path / "other.parquet")
