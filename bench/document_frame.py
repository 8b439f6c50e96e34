"""Stored predictions as a table of pandas: one row a document and cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.parquet import read_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from bench.record import Record

NAMES = ("task", "method", "model", "cell")
"""Columns that say of which cell a row is; categories, since each stands there very many times."""


def document_frame(record: Record, path: Path, split: str, labels: Sequence[str] | None) -> pd.DataFrame | None:
    """What one cell said of the documents of one split.

    Args:
        record: The cell's.
        path: Its predictions file.
        split: ``test`` or ``validation``.
        labels: Names of the labels, by position; None where they are not at hand.

    Returns:
        The columns that docs/records.md lists; None where the cell kept no documents of that split.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is not what :func:`bench.predictions_file.write_predictions` writes.
    """
    import pandas as pd
    import pyarrow.compute as pc

    columns = ["split", "id", "gold", "predicted", "ranked", "scores", "text"]
    table = read_parquet(path, columns=columns)
    table = table.filter(pc.equal(table.column("split"), split))
    if not table.num_rows:
        return None
    of = {name: table.column(name).to_pylist() for name in ("gold", "predicted")}
    frame = pd.DataFrame(
        {
            **{name: _same(getattr(record, name), table.num_rows, "string") for name in NAMES},
            "seed": _same(record.seed, table.num_rows, "Int64"),
            "id": pd.Series(table.column("id").to_pylist(), dtype="string"),
            "gold": _tuples(of["gold"]),
            "predicted": _tuples(of["predicted"]),
            "right": pd.Series([set(g) == set(p) for g, p in zip(*of.values(), strict=True)], dtype="boolean"),
            "best": pd.Series(_first(table.column("ranked")), dtype="Int64"),
            "score": pd.Series(_first(table.column("scores")), dtype="Float32"),
            "answer": pd.Series(table.column("text").to_pylist(), dtype="string"),
        }
    )
    return _named(frame, labels)


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One below the other; the names of cells become categories."""
    import pandas as pd

    whole = pd.concat(frames, ignore_index=True)
    return whole.astype(dict.fromkeys(NAMES, "category"))


def _named(frame: pd.DataFrame, labels: Sequence[str] | None) -> pd.DataFrame:
    """With the names of labels beside their positions, NA where they are not at hand."""
    import pandas as pd

    def names(positions: Sequence[int]) -> Any:
        return pd.NA if labels is None else tuple(labels[place] for place in positions)

    best = [pd.NA if labels is None or pd.isna(place) else labels[int(place)] for place in frame["best"]]
    return frame.assign(
        gold_labels=pd.Series([names(row) for row in frame["gold"]], dtype=object),
        predicted_labels=pd.Series([names(row) for row in frame["predicted"]], dtype=object),
        best_label=pd.Series(best, dtype="string"),
    )


def _same(value: Any, rows: int, dtype: Any) -> pd.Series[Any]:
    import pandas as pd

    same: pd.Series[Any] = pd.Series([value] * rows, dtype=dtype)
    return same


def _tuples(rows: Sequence[Sequence[int]]) -> pd.Series[Any]:
    """Of positions in ascending order: equal sets are equal values."""
    import pandas as pd

    return pd.Series([tuple(sorted(row)) for row in rows], dtype=object)


def _first(column: Any) -> list[Any]:
    """The best of each ranking; None where a method gives none."""
    return [row[0] if row else None for row in column.to_pylist()]
