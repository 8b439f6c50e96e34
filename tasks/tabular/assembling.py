"""From rows to a task's documents: rare labels, ids, splits, hierarchy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bench.errors import TaskDataError
from bench.splitting import Shares, SplitName, assign_splits
from bench.task import SPLITS, Documents, Kind, LabelSpace, TaskData
from tasks.tabular.clusters import Cluster, clusters, largest
from tasks.tabular.hierarchy import Ancestors, from_names, from_parents
from tasks.tabular.identifying import identified
from tasks.tabular.rows import Row
from tasks.tabular.settings import TabularSettings

_SHOWN = 5


@dataclass(frozen=True)
class Parents:
    """A hierarchy as a table.

    Attributes:
        above: Label or inner node → the node above it.
        place: The table's name, for messages.
    """

    above: Mapping[str, str]
    place: str


@dataclass
class Assembler:
    """Makes a task of rows.

    Attributes:
        settings: What the user says.
        kind: ``single`` or ``multi``.
        place: The source's name, for messages.
        parents: The hierarchy, where it comes as a table.
        skipped: Reason → number of records that were left out.
        remarks: What was tolerated.
    """

    settings: TabularSettings
    kind: Kind
    place: str
    parents: Parents | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    def assemble(self, rows: Iterable[Row]) -> TaskData:
        """The task's documents.

        Splits that rows name are kept. Where no row is for test, a share of the training rows is held out for it;
        where none is for validation, likewise. Rows of one group or of one text stay together in that.

        Raises:
            TaskDataError: The rows make no sound task; the message names file, row and remedy.
        """
        held = identified(rows)
        self._check_labels(held)
        held = self._with_splits(self._without_rare(held))
        self._remark_parted(held)
        held = self._without_unseen(held)
        names = sorted({label for row in held for label in row.labels})
        if len(names) < 2:
            raise TaskDataError(f"{self.place}: after rare and unseen labels {len(names)} labels remain; keep more")
        train, validation, test = (_documents(held, split, names) for split in SPLITS)
        data = TaskData(
            train,
            validation,
            test,
            labels=LabelSpace(tuple(names), self._ancestors(names)),
            kind=self.kind,
            primary_metric=self.settings.primary_metric,
            skipped={reason: count for reason, count in self.skipped.items() if count},
            remarks=tuple(self.remarks),
        )
        self._check_splits(data, held)
        return data

    def _remark_parted(self, rows: Sequence[Row]) -> None:
        """Tell of groups that the user's own splits part; those that are chosen here never do."""
        splits: dict[str, set[SplitName | None]] = {}
        for row in rows:
            if row.group is not None:
                splits.setdefault(row.group, set()).add(row.split)
        parted = [group for group, found in splits.items() if len(found) > 1]
        if parted:
            self.remarks.append(f"groups that the given splits part: {len(parted):,} ({_some(sorted(parted))})")

    def _check_labels(self, rows: Sequence[Row]) -> None:
        if not rows:
            raise TaskDataError(f"{self.place}: no labelled rows")
        names = {label for row in rows for label in row.labels}
        if len(names) < 2:
            found = f"the one label is {min(names)!r}" if names else "no row has a label"
            raise TaskDataError(f"{self.place}: {found}; a task has two or more, name the right column with label=")
        if self.kind == "single":
            for row in rows:
                if len(row.labels) != 1:
                    raise TaskDataError(f"{row.place}: {len(row.labels)} labels, and kind is single")

    def _without_rare(self, rows: Sequence[Row]) -> list[Row]:
        settings = self.settings
        counts = Counter(label for row in rows if row.split != "test" for label in row.labels)
        rare = {label for label, count in counts.items() if count < settings.min_examples}
        if not rare:
            return list(rows)
        if settings.rare == "refuse":
            raise TaskDataError(
                f"{self.place}: {len(rare)} labels are on fewer than {settings.min_examples} documents: "
                f"{_some(sorted(rare))}; fold or drop them with rare=fold or rare=drop"
            )
        if settings.rare == "fold":
            real = any(settings.folded_label in row.labels for row in rows)
            into = f"{settings.folded_label!r}{', a label of other documents too' if real else ''}"
            self.remarks.append(f"rare labels folded into {into}: {len(rare):,}")
            return [_relabelled(row, lambda label: settings.folded_label if label in rare else label) for row in rows]
        self.remarks.append(f"rare labels taken off: {len(rare):,}")
        return self._stripped(rows, rare, "document with rare labels only")

    def _without_unseen(self, rows: Sequence[Row]) -> list[Row]:
        unseen = {label for row in rows for label in row.labels}
        unseen -= {label for row in rows if row.split == "train" for label in row.labels}
        if not unseen:
            return list(rows)
        if self.settings.unseen == "refuse":
            row = next(row for row in rows if unseen & set(row.labels))
            raise TaskDataError(
                f"{row.place}: {len(unseen)} labels are on no training document: {_some(sorted(unseen))}; keep or drop "
                "them with unseen=keep or unseen=drop"
            )
        if self.settings.unseen == "keep":
            self.remarks.append(f"labels that are on no training document, kept: {len(unseen):,}")
            return list(rows)
        self.remarks.append(f"labels that are on no training document, taken off: {len(unseen):,}")
        return self._stripped(rows, unseen, "document with labels only that are on no training document")

    def _stripped(self, rows: Sequence[Row], labels: set[str], reason: str) -> list[Row]:
        """The rows without these labels; those that had no other are left out."""
        stripped = [
            replace(row, labels=tuple(label for label in row.labels if label not in labels))
            if labels & set(row.labels)
            else row
            for row in rows
        ]
        kept = [new for new, old in zip(stripped, rows, strict=True) if new.labels or not old.labels]
        self.skipped[reason] += len(rows) - len(kept)
        return kept

    def _with_splits(self, rows: Sequence[Row]) -> list[Row]:
        settings = self.settings
        present = {row.split for row in rows}
        shares = Shares(
            0.0 if "validation" in present else settings.validation_share,
            0.0 if "test" in present else settings.test_share,
        )
        free = [row for row in rows if row.split in {None, "train"}]
        together = clusters(free)
        splits = _chosen_splits(free, shares, together)
        self._remark_shares(free, together, Counter(splits), shares)
        chosen = iter(splits)
        return [row.in_split(next(chosen)) if row.split in {None, "train"} else row for row in rows]

    def _remark_shares(
        self, rows: Sequence[Row], together: Sequence[str], sizes: Mapping[SplitName, int], shares: Shares
    ) -> None:
        """Tell where large clusters have kept a split far from its share."""
        wanted: dict[SplitName, float] = {"validation": shares.validation * len(rows), "test": shares.test * len(rows)}
        far = [split for split, size in wanted.items() if abs(sizes[split] - size) > size / 2]
        if not far:
            return
        found = largest(rows, together)
        if found.size > max(1, min(wanted[split] for split in far) / 2):
            attained = ", ".join(f"{split} {sizes[split]:,} ({wanted[split]:,.0f} wanted)" for split in far)
            self.remarks.append(f"{found}; splits are far from their shares: {attained}")

    def _ancestors(self, names: Sequence[str]) -> Ancestors | None:
        if self.settings.level_separator is not None:
            said = f"level_separator={self.settings.level_separator!r}"
            return self._checked(from_names(names, self.settings.level_separator), said, names)
        if self.parents is not None:
            found = from_parents(names, self.parents.above, self.parents.place)
            return self._checked(found, self.parents.place, names)
        return None

    def _checked(self, ancestors: Ancestors, source: str, names: Sequence[str]) -> Ancestors:
        """Refuse a hierarchy that fits no label, and tell of labels that it puts at the top."""
        top = [name for name, above in zip(names, ancestors, strict=True) if not above]
        if len(top) == len(names):
            raise TaskDataError(
                f"{self.place}: by {source} no label has one above it; labels are {_some(top)}; mend it, or take it out"
            )
        if top:
            self.remarks.append(f"labels with none above them: {len(top):,} of {len(names):,} ({_some(top)})")
        return ancestors

    def _check_splits(self, data: TaskData, rows: Sequence[Row]) -> None:
        empty = [split for split, documents in data.splits() if not len(documents)]
        if empty:
            sizes = ", ".join(f"{split} {len(documents)}" for split, documents in data.splits())
            remedy = self._remedy(largest(rows, clusters(rows)))
            raise TaskDataError(f"{self.place}: no documents for {' and '.join(empty)} ({sizes}); {remedy}")

    def _remedy(self, found: Cluster) -> str:
        """What gives every split documents."""
        settings = self.settings
        if found.size <= max(1.0, min(settings.validation_share, settings.test_share) * found.total):
            return "give more rows, larger validation_share and test_share, or a split column"
        return f"{found}; take out texts that say nothing, choose a finer group, or give a split column"


def _relabelled(row: Row, new: Callable[[str], str]) -> Row:
    return replace(row, labels=tuple(dict.fromkeys(map(new, row.labels))))


def _chosen_splits(rows: Sequence[Row], shares: Shares, groups: Sequence[str]) -> list[SplitName]:
    names = sorted({label for row in rows for label in row.labels})
    positions = {name: position for position, name in enumerate(names)}
    return assign_splits(
        [row.id or "" for row in rows],
        [[positions[label] for label in row.labels] for row in rows],
        shares,
        groups,
    )


def _documents(rows: Sequence[Row], split: str, names: Sequence[str]) -> Documents:
    positions = {name: position for position, name in enumerate(names)}
    chosen = [row for row in rows if row.split == split]
    return Documents(
        [row.id or "" for row in chosen],
        [row.text for row in chosen],
        [sorted(positions[label] for label in row.labels) for row in chosen],
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
