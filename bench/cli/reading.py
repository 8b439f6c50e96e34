"""Reading a store for the commands that only look."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bench.errors import UserError

if TYPE_CHECKING:
    from bench.record import Record
    from bench.store import Corrupt


def read_records(out: Path, *, history: bool = False) -> list[Record]:
    """The records of a store; one of each slot (see :func:`bench.store.latest`) unless all are wanted.

    Raises:
        UserError: The folder does not exist.
    """
    from bench.store import Store

    if not out.is_dir():
        raise UserError(f"--out {out}: no results there; run `bench run --all` first")
    store = Store(out)
    with _uncollected():
        return store.all(report_corrupt) if history else store.standing(report_corrupt)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Tells the collector of cyclic garbage that what is made in here stays; it would walk it again and again.

    Of ten thousand records that took most of the time of `bench results`.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def report_corrupt(corrupt: Corrupt) -> None:
    """Tell that a record could not be read and where it lies now."""
    typer.echo(f"bench: record {corrupt.cell} is corrupt ({corrupt.reason}); set aside in {corrupt.moved_to}", err=True)
