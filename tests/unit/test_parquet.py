"""Parquet files are read whole or by column; a column that is not there is named."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.parquet import read_parquet


@pytest.fixture
def file(tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "file.parquet")
    return tmp_path / "file.parquet"


def test_all_columns_or_some(file):
    assert read_parquet(file).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert read_parquet(file, ["b"]).to_pydict() == {"b": ["x", "y"]}


def test_a_column_that_is_not_there_is_named(file):
    with pytest.raises(ValueError, match="lacks c"):
        read_parquet(file, ["a", "c"])


def test_another_file_is_refused(file):
    file.write_text("no Parquet")
    with pytest.raises(ValueError, match="Parquet"):
        read_parquet(file)
