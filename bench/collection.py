"""Test documents and label names beside the results, so that what is said of them can be read on any machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.files import new_folder, remove_leftovers
from bench.parquet import read_parquet

if TYPE_CHECKING:
    from bench.store import Store
    from bench.task_cache import FrozenTask

FOLDER, FILE, LABEL_SPACE = "documents", "documents.parquet", "labels.json"
Keep = Literal["texts", "ids"]
"""What is kept of each test document: all, or everything but its text."""

_BATCH = 1024
_KEPT = b"kept"


@dataclass(frozen=True)
class Collection:
    """Test documents and label names of one task.

    Attributes:
        labels: Names, by position.
        texts: Document id → text; empty where texts were kept out of the results.
        words: Document id → number of words, as white space parts them.
        characters: Document id → number of characters.
        ancestors: For each label its ancestors from the top level down; None where labels have no hierarchy.
    """

    labels: Sequence[str]
    texts: Mapping[str, str]
    words: Mapping[str, int] = field(default_factory=dict)
    characters: Mapping[str, int] = field(default_factory=dict)
    ancestors: Sequence[Sequence[str]] | None = None


def keep_collections(frozen: Iterable[FrozenTask], store: Store, keep: Keep) -> None:
    """Write the test documents of tasks beside their results, each collection whole and once.

    Texts that an earlier run kept go where they are to be kept out now, and come where only ids were kept.

    Args:
        frozen: The tasks; of several with the same documents one is read.
        store: Where the results are; held for writing.
        keep: Whether texts are kept.
    """
    parent = store.root / FOLDER
    if parent.is_dir():
        remove_leftovers(parent)
    for fingerprint, task in {task.fingerprint: task for task in frozen}.items():
        if kept_in(parent / fingerprint) != keep:
            _write(task, parent / fingerprint, keep)


def kept_in(folder: Path) -> Keep | None:
    """What a collection's folder keeps of each document; None where there is none that can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        json.loads((folder / LABEL_SPACE).read_text("utf-8"))
        said = (pq.read_schema(folder / FILE).metadata or {}).get(_KEPT)
    except (OSError, ValueError, pa.ArrowException):
        return None
    return "texts" if said == b"texts" else "ids" if said == b"ids" else None


def read_collection(store: Store, fingerprint: str) -> Collection:
    """Read what :func:`keep_collections` wrote.

    Args:
        store: Where the results are.
        fingerprint: Of the task's documents, as in the identity of its records.

    Raises:
        OSError: There is none, or it cannot be read.
        ValueError: The files are not those of a collection.
    """
    import pyarrow as pa

    if Path(fingerprint).name != fingerprint or fingerprint.startswith("."):
        raise ValueError(f"{fingerprint!r} is no fingerprint")  # a record names no folder elsewhere
    folder = store.root / FOLDER / fingerprint
    try:
        space = json.loads((folder / LABEL_SPACE).read_text("utf-8"))
        table = read_parquet(folder / FILE, columns=["id", "text", "words", "characters"])
        ids, *rest = (table.column(name).to_pylist() for name in table.column_names)
        texts, words, characters = (_by_id(ids, values) for values in rest)
        return Collection(tuple(map(str, space["names"])), texts, words, characters, space["ancestors"])
    except (LookupError, TypeError, pa.ArrowException) as error:
        raise ValueError(f"{folder}: not the documents of a task ({error})") from error


def _by_id(ids: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {id_: value for id_, value in zip(ids, values, strict=True) if value is not None}


def _write(task: FrozenTask, folder: Path, keep: Keep) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [("id", pa.string()), ("text", pa.string()), ("labels", pa.list_(pa.int32()))]
    schema = pa.schema([*fields, ("words", pa.int32()), ("characters", pa.int32())]).with_metadata({_KEPT: keep})
    with new_folder(folder) as temporary:
        (temporary / LABEL_SPACE).write_bytes((task.folder / LABEL_SPACE).read_bytes())
        with pq.ParquetWriter(temporary / FILE, schema, compression="zstd") as writer:
            for columns in _test_batches(task.folder / FILE):
                lengths = _lengths(columns["text"])
                if keep == "ids":
                    columns["text"] = pa.nulls(len(columns["id"]), pa.string())
                writer.write_table(pa.table({**columns, **lengths}, schema=schema))


def _test_batches(path: Path) -> Iterator[dict[str, Any]]:
    """Ids, texts and labels of the test documents, some at a time: training texts are not held for them."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    names = ["id", "text", "labels"]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH, columns=["split", *names]):
            found = batch.filter(pc.equal(batch.column("split"), "test"))
            if found.num_rows:
                yield {name: found.column(name) for name in names}


def _lengths(texts: Any) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    words = [len(text.split()) for text in texts.to_pylist()]
    return {"words": pa.array(words, pa.int32()), "characters": pc.utf8_length(texts).cast(pa.int32())}
