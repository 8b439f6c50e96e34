"""The whole collection, parsed once, in parallel, into a Parquet file of the cache."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import TaskDataError
from bench.files import cache_folder, new_folder, remove_leftovers
from bench.source import FirstParty, SourceHasher
from tasks.wipo.collection import Collection, FileContent, SourceFile, read_files
from tasks.wipo.records import PatentRecord, UnreadableRecordError, parse_record

if TYPE_CHECKING:
    from concurrent.futures import Future

FORMAT = 1
CHUNK = 128
"""Files that a worker parses at a time; at some 100 KiB a file they bound the memory."""

_WORTH_A_WORKER = 2000
_TOLD_EVERY = 5000
_RECORDS, _FACTS = "records.parquet", "facts.json"


@dataclass(frozen=True)
class Skipped:
    """A file that gave no record.

    Attributes:
        name: Its path below the collection.
        reason: Why, in words that group such files.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Parsed:
    """A parsed collection in the cache.

    Attributes:
        records: Parquet, one row a record: ``split``, ``file`` and the fields of :class:`PatentRecord`.
        skipped: The files that gave no record.
    """

    records: Path
    skipped: tuple[Skipped, ...]

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The records, a dictionary each, of these columns; only a few are in memory at a time."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.records) as file:
            for batch in file.iter_batches(batch_size=CHUNK, columns=list(columns)):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class Chunk:
    """What some files gave.

    Attributes:
        records: A ``pyarrow.RecordBatch``.
        skipped: Files that gave no record.
        files: How many were read.
    """

    records: Any
    skipped: tuple[Skipped, ...]
    files: int


def parse_collection(collection: Collection, say: Callable[[str], None]) -> Parsed:
    """The parsed collection, from the cache where it is there, else parsed and stored.

    One folder a place: a collection that was changed takes the room of what it was.

    Args:
        collection: The files.
        say: Told every 5,000 files.

    Raises:
        TaskDataError: A process that parses died, or no file gives a record.
    """
    from filelock import FileLock

    home = cache_folder() / "wipo-alpha"
    place = hashlib.blake2b(str(collection.place.resolve()).encode("utf-8", "surrogateescape"), digest_size=8)
    folder, key = home / place.hexdigest(), _key(collection)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        if _stored_key(folder) != key:
            remove_leftovers(home)
            _store(collection, folder, key, say)
        facts = json.loads((folder / _FACTS).read_text("utf-8"))
    return Parsed(folder / _RECORDS, tuple(Skipped(*pair) for pair in facts["skipped"]))


def parse_files(place: Path, time: int | None, files: Sequence[SourceFile]) -> Chunk:
    """Parse some files of a collection.

    Args:
        place: The folder or the zip.
        time: When the zip was written; None for a folder.
        files: Which.
    """
    import pyarrow as pa

    schema = _schema()
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    skipped = []
    for file, read in zip(files, read_files(place, time, files), strict=True):
        try:
            record = _record(read)
        except UnreadableRecordError as error:
            skipped.append(Skipped(_shown(file.name), str(error)))
            continue
        columns["split"].append(file.split)
        columns["file"].append(_shown(file.name))
        for name in PatentRecord.__slots__:
            columns[name].append(getattr(record, name))
    return Chunk(pa.RecordBatch.from_pydict(columns, schema=schema), tuple(skipped), len(files))


def _record(read: FileContent) -> PatentRecord:
    if read.fault:
        raise UnreadableRecordError(read.fault)
    try:
        return parse_record(read.content)
    except (UnreadableRecordError, MemoryError):
        raise
    except Exception as error:  # one odd file among 75,000 is no reason to read none
        raise UnreadableRecordError(f"file that cannot be parsed ({type(error).__name__})") from error


def _store(collection: Collection, folder: Path, key: str, say: Callable[[str], None]) -> None:
    import pyarrow.parquet as pq

    skipped: list[Skipped] = []
    done, total = 0, len(collection.files)
    with new_folder(folder) as temporary:
        with pq.ParquetWriter(temporary / _RECORDS, _schema(), compression="zstd") as writer:
            for chunk in _chunks(collection):
                writer.write_batch(chunk.records)
                skipped += chunk.skipped
                before, done = done, done + chunk.files
                if before // _TOLD_EVERY < done // _TOLD_EVERY or done == total:
                    say(f"parsed {done:,} of {total:,} files")
        _refuse_nothing_but_skipped(collection, skipped)
        facts = {"key": key, "skipped": [[file.name, file.reason] for file in skipped]}
        (temporary / _FACTS).write_text(json.dumps(facts), "utf-8")


def _refuse_nothing_but_skipped(collection: Collection, skipped: Sequence[Skipped]) -> None:
    """What no file can be read of is rather a fault of the place than a collection, and is not kept."""
    if len(skipped) == len(collection.files):
        reasons = Counter(file.reason for file in skipped).most_common()
        told = "; ".join(f"{reason}: {count:,}" for reason, count in reasons)
        raise TaskDataError(f"{collection.place}: none of {len(skipped):,} files gives a record ({told})")


def _chunks(collection: Collection) -> Iterator[Chunk]:
    """The parsed files in their order, whichever process was faster."""
    from bench.meters.environment import usable_cores

    files = collection.files
    parts = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
    workers = min(usable_cores(), len(files) // _WORTH_A_WORKER)
    if workers > 1:
        yield from _chunks_of_workers(collection, parts, workers)
    else:
        yield from (parse_files(collection.place, collection.time, part) for part in parts)


def _chunks_of_workers(collection: Collection, parts: Sequence[Sequence[SourceFile]], workers: int) -> Iterator[Chunk]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Spawned, since the one fork server of a process is kept for cells, with torch in it.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    waiting: deque[Future[Chunk]] = deque()
    try:
        for part in parts:
            waiting.append(pool.submit(parse_files, collection.place, collection.time, part))
            if len(waiting) > 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise TaskDataError(
            f"{collection.place}: a process that parses its files died, most often for want of memory; free some and "
            "run the same command again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _key(collection: Collection) -> str:
    code = SourceHasher(FirstParty.of("tasks")).hash(["tasks.wipo.records"])
    return f"{FORMAT} {code} {collection.digest()}"


def _stored_key(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / _FACTS).read_text("utf-8"))["key"])
    except (OSError, ValueError, KeyError):
        return None


def _schema() -> Any:
    import pyarrow as pa

    types = {
        "others": pa.list_(pa.string()),
        "english": pa.bool_(),
        "repaired": pa.bool_(),
        "unknown_entities": pa.int32(),
        "unreadable_codes": pa.int32(),
    }
    names = ("split", "file", *PatentRecord.__slots__)
    return pa.schema([(name, types.get(name, pa.string())) for name in names])


def _shown(name: str) -> str:
    """A file's name as text, whatever bytes it is made of."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
