"""The predictions file: from it every metric, test and plot is computed again, never by running a model again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.parquet import read_parquet

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from bench.prediction import Ranking


@dataclass(frozen=True)
class SplitPredictions:
    """What a cell said of the documents of one split.

    Attributes:
        ids: Document ids.
        gold: 0/1, shape (documents, labels).
        predicted: 0/1, shape (documents, labels), by the cell's decision rule.
        ranking: The best labels with scores; None for methods that emit bare sets.
        texts: What was generated; None for methods that generate nothing.
        categories: For each document the positions of all its categories, the main one first; None for tasks whose
            documents have no main category. See :class:`bench.task.Documents`.
    """

    ids: Sequence[str]
    gold: csr_matrix
    predicted: csr_matrix
    ranking: Ranking | None
    texts: Sequence[str] | None = None
    categories: Sequence[Sequence[int]] | None = None


def write_predictions(path: Path, splits: dict[str, SplitPredictions]) -> None:
    """Write the splits as one Parquet file; equal predictions give equal bytes.

    Columns: split, id, gold, predicted (label positions), ranked (label positions, best first), scores, text; and
    categories (label positions, the main one first) where a split has them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = pa.list_(pa.int32())
    schema = pa.schema(
        [
            ("split", pa.dictionary(pa.int8(), pa.string())),
            ("id", pa.string()),
            ("gold", labels),
            ("predicted", labels),
            ("ranked", labels),
            ("scores", pa.list_(pa.float32())),
            ("text", pa.string()),
        ]
    )
    if any(part.categories is not None for part in splits.values()):
        schema = schema.append(pa.field("categories", labels))
    n_labels = {str(part.gold.shape[1]) for part in splits.values()}
    schema = schema.with_metadata({"n_labels": ",".join(n_labels)})
    tables = [_table(name, part, schema) for name, part in splits.items()]
    pq.write_table(pa.concat_tables(tables), path, compression="zstd")


def read_predictions(path: Path) -> dict[str, SplitPredictions]:
    """Read what :func:`write_predictions` wrote.

    Raises:
        ValueError: The file is another one.
    """
    import pyarrow.compute as pc

    table = read_parquet(path)
    facts = table.schema.metadata or {}
    if b"n_labels" not in facts:
        raise ValueError(f"{path} does not hold predictions")
    n_labels = int(facts[b"n_labels"])
    names = dict.fromkeys(table.column("split").to_pylist())
    return {name: _split(table.filter(pc.equal(table.column("split"), name)), n_labels) for name in names}


def _table(name: str, part: SplitPredictions, schema: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    n = len(part.ids)
    columns: list[Any] = [
        pa.array([name] * n).dictionary_encode().cast(schema.field("split").type),
        pa.array(part.ids, pa.string()),
        _lists(part.gold.indptr, part.gold.indices.astype(np.int32)),
        _lists(part.predicted.indptr, part.predicted.indices.astype(np.int32)),
    ]
    if part.ranking is None:
        columns += [pa.nulls(n, schema.field("ranked").type), pa.nulls(n, schema.field("scores").type)]
    else:
        kept = part.ranking.labels >= 0
        ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        columns += [_lists(ends, part.ranking.labels[kept]), _lists(ends, part.ranking.scores[kept])]
    columns.append(pa.nulls(n, pa.string()) if part.texts is None else pa.array(part.texts, pa.string()))
    if "categories" in schema.names:
        rows: Sequence[Any] = part.categories if part.categories is not None else [None] * n
        columns.append(pa.array(rows, schema.field("categories").type))
    return pa.table(columns, schema=schema)


def _lists(ends: Any, values: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    return pa.ListArray.from_arrays(pa.array(np.asarray(ends, dtype=np.int32)), pa.array(values))


def _split(table: Any, n_labels: int) -> SplitPredictions:
    texts = table.column("text")
    return SplitPredictions(
        ids=table.column("id").to_pylist(),
        gold=_matrix(table.column("gold"), n_labels),
        predicted=_matrix(table.column("predicted"), n_labels),
        ranking=_ranking(table, n_labels) if table.column("ranked").null_count == 0 else None,
        texts=texts.to_pylist() if texts.null_count < len(texts) else None,
        categories=_categories(table),
    )


def _categories(table: Any) -> list[list[int]] | None:
    if "categories" not in table.column_names or table.column("categories").null_count:
        return None
    categories: list[list[int]] = table.column("categories").to_pylist()
    return categories


def _flat(column: Any) -> tuple[Any, Any]:
    """Lengths and concatenated values of a list column."""
    import pyarrow.compute as pc

    return pc.list_value_length(column).to_numpy(), pc.list_flatten(column).to_numpy()


def _matrix(column: Any, n_labels: int) -> csr_matrix:
    import numpy as np
    from scipy.sparse import csr_matrix

    lengths, indices = _flat(column)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((np.ones(len(indices), dtype=np.int8), indices, indptr), shape=(len(lengths), n_labels))


def _ranking(table: Any, n_labels: int) -> Ranking:
    import numpy as np

    from bench.prediction import Ranking

    lengths, ranked = _flat(table.column("ranked"))
    _, scored = _flat(table.column("scores"))
    width = int(lengths.max(initial=0))
    labels = np.full((len(lengths), width), -1, dtype=np.int32)
    scores = np.full((len(lengths), width), -np.inf, dtype=np.float32)
    kept = np.arange(width) < lengths[:, None]
    labels[kept], scores[kept] = ranked, scored
    return Ranking(labels, scores, n_labels)
