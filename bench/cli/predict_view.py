"""What a person sees while documents are labelled, and at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bench.method import Progress, QuietInstruments

if TYPE_CHECKING:
    from bench.reading.documents import Document

_TELL_SECONDS = 15.0

Tell = Callable[[str], None]


@dataclass
class Watch(QuietInstruments):
    """Counts documents, and tells how many are done.

    Attributes:
        tell: Shows a line.
        documents: Labelled so far.
        empty: Those of them without text.
        truncated: Those of them that lost their end.
        seconds: What labelling them took.
    """

    tell: Tell = typer.echo
    documents: int = 0
    empty: int = 0
    truncated: int = 0
    seconds: float = 0.0

    @contextmanager
    def part(self, documents: Sequence[Document]) -> Iterator[None]:
        """While open, a part of the documents is labelled."""
        begun = time.monotonic()
        yield
        self.seconds += time.monotonic() - begun
        self.documents += len(documents)
        self.empty += sum(not document.text for document in documents)
        self.truncated += round(self.facts.get("truncated_share_predict", 0.0) * len(documents))
        self.tell(f"{self.documents:,} documents")

    def progress(self, progress: Progress) -> None:
        """Tell how many documents are labelled."""
        if progress.phase == "predict":
            self.tell(f"{self.documents + progress.step:,} documents")

    def lines(self, counts: Mapping[str, int]) -> list[str]:
        """What was tolerated: a line a sort.

        Args:
            counts: Further sorts → how many.
        """
        own = {
            "documents without text, labelled all the same": self.empty,
            "documents that lost their end": self.truncated,
        }
        return [f"{reason.replace('_', ' ')}: {count:,}" for reason, count in {**own, **counts}.items() if count]

    def summary(self) -> str:
        """How many documents, and how fast."""
        return f"{self.documents:,} documents, {self.documents / max(self.seconds, 1e-9):,.0f} a second"


@contextmanager
def watching() -> Iterator[Watch]:
    """A watch that shows a line that changes on a terminal, and now and then one elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("loading the model") as status:
            yield Watch(tell=status.update)
    else:
        yield Watch(tell=_Seldom())


class _Seldom:
    """Shows a line, at most every fifteen seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            typer.echo(line, err=True)
