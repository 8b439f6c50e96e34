"""Debian's package descriptions: real text that every Debian or Ubuntu machine holds, labelled by its maintainers."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from bench.errors import UserError
from bench.settings import Place
from bench.task import SPLITS, Availability, Documents, LabelSpace, Task, TaskData, TaskSettings
from tasks.apt_lists import APT_HELPER, ListFiles, Lists, Package, find_lists, read_lists
from tasks.source_splits import split_sources

LISTS = "/var/lib/apt/lists"
MOST_FREQUENT = 20
_REMEDY = "bench prepare debian"


class DebianSettings(TaskSettings):
    """Settings of the tasks made from apt's lists."""

    lists: Place = Field(LISTS, description="folder with apt's package lists and English translations")


@dataclass(frozen=True)
class Document:
    """A distinct description with the package that stands for all that share it.

    Attributes:
        package: The first by name among those that have labels.
        labels: Names of its labels.
    """

    package: Package
    labels: tuple[str, ...]


class DebianTask(Task):
    """What the tasks on apt's lists share: where the files are, and how they become splits."""

    family: ClassVar[str] = "debian"
    Config = DebianSettings

    def availability(self) -> Availability:
        """Whether package lists and English translations lie in the folder; nothing is opened."""
        files = self._files()
        folder = self.config.lists
        if not files.packages:
            return Availability(False, f"no package lists (*_Packages*) in {folder}", _REMEDY)
        if not files.translations:
            return Availability(False, f"no English descriptions (*_Translation-en*) in {folder}", _REMEDY)
        if files.need_helper and not APT_HELPER.exists():
            return Availability(False, f"lists in {folder} are compressed and {APT_HELPER} is missing", _REMEDY)
        return Availability()

    def stamp(self) -> Any:
        """Name, size and time of every file that is read."""
        facts = [(path.name, path.stat()) for path in self._files().all]
        return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in facts]

    def prepare(self, say: Callable[[str], None]) -> None:
        """Have apt fetch package lists with English translations, where it may.

        Raises:
            UserError: There is no apt-get, it may not run without root, or it failed.
        """
        if self.availability().ok:
            say(f"{self.name}: {len(self._files().all)} lists are in {self.config.lists}, nothing to do")
            return
        say(f"{self.name}: fetching package lists with apt-get update")
        _apt_update(self.config.lists)
        state = self.availability()
        if not state.ok:
            raise UserError(f"{self.name}: apt-get update ran, but there are still {state.reason}")

    def load(self) -> TaskData:
        """Read the lists.

        Raises:
            UserError: The lists are missing, or hold no labelled package.
        """
        state = self.availability()
        if not state.ok:
            raise UserError(f"{self.name}: {state.reason}; run: {state.remedy}")
        lists = read_lists(self._files())
        labelled = [(package, self._labels(package)) for package in lists.packages]
        documents, shared = _distinct([Document(package, labels) for package, labels in labelled if labels])
        if not documents:
            raise UserError(f"{self.name}: no labelled package in {self.config.lists}; run: {_REMEDY}")
        unlabelled = sum(not labels for _, labels in labelled)
        skipped = {**lists.skipped, self._without: unlabelled, "text or name of another document": shared}
        return self._assemble(documents, lists, skipped)

    _without: ClassVar[str]

    @abstractmethod
    def _labels(self, package: Package) -> tuple[str, ...]:
        """Names of a package's labels."""

    @abstractmethod
    def _assemble(self, documents: Sequence[Document], lists: Lists, skipped: Mapping[str, int]) -> TaskData:
        """Choose the label space and split."""

    def _files(self) -> ListFiles:
        return find_lists(Path(self.config.lists))


class DebianSections(DebianTask):
    """The archive section of a package, one of the 20 most frequent, from its description."""

    name = "debian-sections"
    _without = "package without a section"

    def _labels(self, package: Package) -> tuple[str, ...]:
        return (package.section,) if package.section else ()

    def _assemble(self, documents: Sequence[Document], lists: Lists, skipped: Mapping[str, int]) -> TaskData:
        counts = Counter(document.labels[0] for document in documents)
        names = sorted(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_FREQUENT])
        kept = [document for document in documents if document.labels[0] in names]
        rare = {f"section is none of the {MOST_FREQUENT} most frequent": len(documents) - len(kept)}
        return TaskData(
            *_split(kept, names, split_sources(lists.packages)),
            labels=LabelSpace(tuple(names)),
            kind="single",
            skipped=_some({**skipped, **rare}),
            skipped_files=lists.skipped_files,
        )


class Debtags(DebianTask):
    """The debtags of a package (role, language, user interface, purpose, …) from its description."""

    name = "debtags"
    _without = "package without tags"

    def _labels(self, package: Package) -> tuple[str, ...]:
        return package.tags

    def _assemble(self, documents: Sequence[Document], lists: Lists, skipped: Mapping[str, int]) -> TaskData:
        names = sorted({label for document in documents for label in document.labels})
        facets = tuple((name.partition("::")[0],) if "::" in name else () for name in names)
        return TaskData(
            *_split(documents, names, split_sources(lists.packages)),
            labels=LabelSpace(tuple(names), facets),
            kind="multi",
            skipped=_some(skipped),
            skipped_files=lists.skipped_files,
        )


def _distinct(documents: Iterable[Document]) -> tuple[list[Document], int]:
    """One document a text and a package name, sorted by name; and how many were dropped.

    Where several versions of a package are listed, or several packages share a text, the first in the order of name,
    text, source and labels stands for all, so that the order of files and stanzas plays no part.
    """
    by_name: dict[str, Document] = {}
    by_text: dict[str, Document] = {}
    ordered = sorted(documents, key=_order)
    for document in ordered:
        by_name.setdefault(document.package.name, document)
    for document in by_name.values():
        by_text.setdefault(document.package.description.text, document)
    return list(by_text.values()), len(ordered) - len(by_text)


def _order(document: Document) -> tuple[str, str, str, tuple[str, ...]]:
    package = document.package
    return package.name, package.description.text, package.source, document.labels


def _split(
    documents: Iterable[Document], names: Sequence[str], split_of: Mapping[str, str]
) -> tuple[Documents, Documents, Documents]:
    place = {name: position for position, name in enumerate(names)}
    rows: dict[str, list[tuple[str, str, list[int]]]] = {split: [] for split in SPLITS}
    for document in documents:
        package = document.package
        labels = sorted(place[label] for label in document.labels)
        rows[split_of[package.source]].append((package.name, package.description.text, labels))
    train, validation, test = (_documents(rows[split]) for split in SPLITS)
    return train, validation, test


def _documents(rows: Sequence[tuple[str, str, list[int]]]) -> Documents:
    return Documents([id_ for id_, _, _ in rows], [text for _, text, _ in rows], [labels for _, _, labels in rows])


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}


def _apt_update(folder: str) -> None:
    elsewhere = [] if folder == LISTS else ["-o", f"Dir::State::Lists={folder}"]
    arguments = ["-o", "Acquire::Languages=en", *elsewhere, "update"]
    apt_get = shutil.which("apt-get")
    if apt_get is None:
        raise UserError(
            f"apt-get is not on this machine; copy {LISTS} from a Debian or Ubuntu machine and set lists=FOLDER"
        )
    if os.geteuid() != 0:
        raise UserError(f"apt-get update needs root; run: sudo apt-get {' '.join(arguments)}")
    done = subprocess.run([apt_get, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode:
        raise UserError(f"apt-get update failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
