"""From parsed patents to a task's documents: categories, label space, splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.errors import TaskDataError
from bench.splitting import Shares, assign_splits, text_groups
from bench.task import Documents, Kind, LabelSpace, TaskData
from tasks.wipo.collection import Split
from tasks.wipo.schemes import Scheme

Labels = Literal["main", "all"]
Secondary = Literal["drop", "keep"]


@dataclass(frozen=True, slots=True)
class Patent:
    """A parsed record in the view that was asked for.

    Attributes:
        file: Its file, for messages.
        split: ``train`` or ``test``.
        id: Publication number.
        main: Main code, normalised.
        others: Other codes, normalised.
        text: Empty where the record lacks the text that was asked for.
    """

    file: str
    split: Split
    id: str
    main: str
    others: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Categorised:
    """A patent with categories in place of codes.

    Attributes:
        patent: The patent.
        main: The category of its main code; None where it has none.
        others: The other categories, each once.
    """

    patent: Patent
    main: str | None
    others: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """All categories, the main one first."""
        return (self.main, *self.others) if self.main is not None else self.others


@dataclass
class Labeller:
    """Labels patents.

    Attributes:
        scheme: Makes categories of codes.
        labels: ``main``: the main code's category alone; ``all``: those of all codes.
        secondary: What becomes of categories that are no patent's main one, where labels are ``all``.
        sections: Letters of the sections to keep.
        text_name: The text that was asked for, for messages.
        skipped: Reason → number of records that were left out.
        skipped_files: Files that gave no record.
        remarks: What was tolerated.
    """

    scheme: Scheme
    labels: Labels
    secondary: Secondary
    sections: str
    text_name: str
    skipped: Counter[str] = field(default_factory=Counter)
    skipped_files: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """One label a document, or any number."""
        return "single" if self.labels == "main" else "multi"

    def label(self, patents: Sequence[Patent], validation_share: float) -> TaskData:
        """The task's documents.

        The label space comes from all patents of the sections, whichever texts they lack, so that it is the same for
        every view of the text.

        Raises:
            TaskDataError: No document, or fewer than two labels remain.
        """
        categorised = self._categorise(patents)
        names = self._names(categorised)
        kept = self._with_text(self._within(categorised, frozenset(names)))
        if len(names) < 2:
            raise TaskDataError(f"{len(names)} labels remain; keep more sections, or choose a deeper level")
        positions = {name: position for position, name in enumerate(names)}
        splits = {split: self._documents(kept, split, positions) for split in ("train", "test")}
        for split, documents in splits.items():
            if not len(documents):
                raise TaskDataError(f"no {split} document remains: {_reasons(self.skipped)}")
        train, validation = _held_out(splits["train"], validation_share)
        return TaskData(
            train,
            validation,
            splits["test"],
            labels=LabelSpace(tuple(names), self.scheme.ancestors(names)),
            kind=self.kind,
            skipped=dict(self.skipped),
            skipped_files=tuple(self.skipped_files),
            remarks=tuple(self.remarks),
        )

    def _categorise(self, patents: Sequence[Patent]) -> list[Categorised]:
        chosen = [patent for patent in patents if patent.main[0] in self.sections]
        self._skip(f"main code of a section other than {self.sections}", len(patents) - len(chosen))
        unnamed: Counter[str] = Counter()
        found = [self._of(patent, unnamed) for patent in chosen]
        if unnamed:
            self.remarks.append(
                f"secondary codes left out, {self.scheme.unnamed}: {unnamed.total():,} ({len(unnamed):,} different)"
            )
        kept = [one for one in found if one.main is not None or (self.labels == "all" and one.others)]
        which = "main " if self.labels == "main" else "no code but "
        self._skip(f"{which}{self.scheme.unnamed}", len(found) - len(kept))
        return kept

    def _of(self, patent: Patent, unnamed: Counter[str]) -> Categorised:
        main = self.scheme.category(patent.main)
        others: dict[str, None] = {}
        for code in patent.others:
            category = self.scheme.category(code)
            if category is None:
                unnamed[code] += 1
            elif category != main:
                others[category] = None
        return Categorised(patent, main, tuple(others))

    def _names(self, categorised: Sequence[Categorised]) -> list[str]:
        names = self.scheme.names(one.main for one in categorised if one.main is not None)
        if self.labels == "all" and self.secondary == "keep":
            names = sorted({*names, *(name for one in categorised for name in one.others)})
        return names

    def _within(self, categorised: Iterable[Categorised], names: frozenset[str]) -> list[Categorised]:
        """Patents with categories of the label space only."""
        dropped: Counter[str] = Counter()
        kept = []
        for one in categorised:
            dropped.update(name for name in one.others if name not in names)
            limited = Categorised(one.patent, one.main, tuple(name for name in one.others if name in names))
            if limited.all:
                kept.append(limited)
            else:
                self.skipped["no code but such as are no document's main code"] += 1
        if dropped:
            self.remarks.append(
                f"secondary codes left out, no document's main code: {dropped.total():,} ({len(dropped):,} different)"
            )
        return kept

    def _with_text(self, categorised: Sequence[Categorised]) -> list[Categorised]:
        kept = [one for one in categorised if one.patent.text]
        self._skip(f"record without the text {self.text_name}", len(categorised) - len(kept))
        return kept

    def _documents(self, kept: Sequence[Categorised], split: str, positions: dict[str, int]) -> Documents:
        chosen = [one for one in kept if one.patent.split == split]
        rows = [[positions[name] for name in one.all] for one in chosen]
        return Documents(
            [one.patent.id for one in chosen],
            [one.patent.text for one in chosen],
            [row[:1] if self.labels == "main" else sorted(row) for row in rows],
            [row if one.main is not None else [] for row, one in zip(rows, chosen, strict=True)],
        )

    def _skip(self, reason: str, count: int) -> None:
        if count:
            self.skipped[reason] += count


def _held_out(documents: Documents, share: float) -> tuple[Documents, Documents]:
    """Train and validation; documents of one text stay together."""
    splits = assign_splits(documents.ids, documents.labels, Shares(validation=share), text_groups(documents.texts))
    train, validation = (
        documents.take([i for i, split in enumerate(splits) if split == name]) for name in ("train", "validation")
    )
    return train, validation


def _reasons(skipped: Counter[str]) -> str:
    shown = "; ".join(f"{count:,} left out ({reason})" for reason, count in skipped.items())
    return shown or "the collection has none"
