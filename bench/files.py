"""Files that are whole or absent, and the folder for what can be made again."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_OLD = ".old.tmp"


def cache_folder() -> Path:
    """Where loaded tasks and made models are kept: ``$BENCH_CACHE``, else the user's cache folder."""
    given = os.environ.get("BENCH_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("bench", appauthor=False))


def why_absent(path: Path) -> str | None:
    """Why a path leads to nothing, in a few words; None where it leads to a file or folder."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "no such file or folder"
    except (OSError, ValueError) as error:  # a folder above it cannot be read, its name is too long or holds a NUL
        return getattr(error, "strerror", None) or str(error)
    return None


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.write_bytes(content)
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``target`` at the end, whole; what stood there before goes.

    If the body raises, ``target`` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.tmp"
    temporary.mkdir()
    try:
        yield temporary
        commit_folder(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def commit_folder(temporary: Path, target: Path) -> None:
    """Rename a filled folder to its final name, on disk before the name appears."""
    for file in temporary.rglob("*"):
        sync(file)
    sync(temporary)
    old = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}{_OLD}"
    with suppress(FileNotFoundError):
        target.rename(old)
    temporary.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what interrupted writes left behind in a folder that nobody else writes to now.

    What was moved out of the way of something that never came gets its name back.
    """
    for path in folder.glob(f".*{_OLD}"):
        target = folder / path.name.removeprefix(".").removesuffix(_OLD).rpartition(".")[0]
        if not target.exists():
            path.rename(target)
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Ask the disk to hold a file or a folder."""
    with suppress(OSError):  # some file systems cannot sync folders
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def file_hash(path: Path) -> str:
    """blake2b of a file's content, 32 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
