"""Reading whole Parquet files: ``pyarrow.parquet.read_table`` imports pandas for it, a third of a light cell's life."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> Any:
    """A file, or some of its columns, as a ``pyarrow.Table``.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no Parquet file, or lacks a column.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        lacking = set(columns or ()) - set(file.schema_arrow.names)
        if lacking:
            raise ValueError(f"{path} lacks {', '.join(sorted(lacking))}")
        return file.read(columns=list(columns) if columns is not None else None)
