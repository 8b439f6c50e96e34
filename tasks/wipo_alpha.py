"""WIPO-alpha: patent applications by codes of the International Patent Classification, from the user's own copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from bench.errors import TaskDataError
from bench.files import file_hash
from bench.settings import Place, expanded
from bench.task import Availability, ExpectedSize, Kind, Task, TaskData, TaskSettings
from tasks.wipo.codes import Level, at_level
from tasks.wipo.collection import Collection, find_collection
from tasks.wipo.labelling import Labeller, Labels, Patent, Secondary
from tasks.wipo.parsing import Parsed, parse_collection
from tasks.wipo.schemes import LevelScheme, Scheme, read_mapping
from tasks.wipo.texts import TextName, TextView, text_view

PUBLISHED: Mapping[str, int] = {
    "training documents": 46_324,
    "test documents": 28_926,
    "classes of main codes": 114,
    "subclasses of main codes": 451,
}
"""What the collection holds, by those who published it; the source is in ``report/published/wipo-alpha.yaml``."""

_LABELS: Mapping[str, tuple[int, str]] = {
    "section": (8, "A"),
    "class": (PUBLISHED["classes of main codes"], "A01"),
    "subclass": (PUBLISHED["subclasses of main codes"], "A01B"),
}
"""Level → labels, and one of them; the sections are A to H."""

_CODES = ("split", "file", "id", "main", "others")
_FLAGS = ("english", "repaired", "unknown_entities", "unreadable_codes")


class WipoAlphaSettings(TaskSettings):
    """Settings of :class:`WipoAlpha`."""

    path: Place = Field("", description="folder or .zip with the collection's train/ and test/")
    level: Level = Field("subclass", description="level of the labels")
    labels: Labels = Field("main", description="main: the main code, single-label; all: with the others, multi-label")
    secondary: Secondary = Field(
        "drop", description="with labels=all: codes that are no document's main code, left out or labels too"
    )
    text: TextName = Field("first-words", description="what is read; first-words: see words")
    words: int = Field(
        300, ge=1, description="of first-words: so many of title, inventors, applicants, abstract, description"
    )
    mapping: Place = Field("", description="file from codes of any level to categories, which take the level's place")
    sections: str = Field("ABCDEFGH", pattern="^[A-H]+$", description="letters of the sections to keep")
    validation_share: float = Field(0.1, gt=0, lt=1, description="share of training documents held out to choose by")


class WipoAlpha(Task):
    """Patent applications by IPC code; bring the collection, which may not be passed on (docs/wipo-alpha.md)."""

    name = "wipo-alpha"
    optional = True
    Config = WipoAlphaSettings

    def availability(self) -> Availability:
        """Whether the places that the settings name are there; nothing is opened."""
        config = self.config
        if not config.path:
            reason = "path is not set; the collection may not be passed on, bring your own"
            return Availability(False, reason, self._remedy("path=FOLDER"))
        if not (self._place.is_dir() or self._place.is_file()):
            return Availability(False, f"path {config.path} does not exist", self._remedy("path=FOLDER"))
        if config.mapping and not self._mapping.is_file():
            return Availability(False, f"mapping {config.mapping} does not exist", self._remedy("mapping=FILE"))
        return Availability()

    def stamp(self) -> Any:
        """A hash of names, sizes and times of the files, and one of the mapping."""
        return {
            "collection": find_collection(self._place).digest(),
            "mapping": file_hash(self._mapping) if self.config.mapping else None,
        }

    def expected(self) -> ExpectedSize | None:
        """The published sizes; None where the settings ask for what nobody published: other texts, levels, parts."""
        config = self.config
        if not self._as_published():
            return None
        held_out = round(config.validation_share * PUBLISHED["training documents"])
        documents = {
            "train": PUBLISHED["training documents"] - held_out,
            "validation": held_out,
            "test": PUBLISHED["test documents"],
        }
        n_labels, label = _LABELS[config.level]
        # Descriptions are long: every document is as long as it may be.
        kind: Kind = "single" if config.labels == "main" else "multi"
        return ExpectedSize(documents, kind, n_labels, config.words, label=label)

    def load(self) -> TaskData:
        """Read the collection; its files are parsed the first time only, whatever the settings.

        Raises:
            TaskDataError: The folder is no such collection, no file of it gives a record, a publication number recurs,
                the mapping cannot be read, or no document remains.
        """
        state = self.availability()
        if not state.ok:
            raise TaskDataError(f"{state.reason}; {state.remedy}")
        scheme = self._scheme()
        collection = find_collection(self._place)
        parsed = parse_collection(collection, self.say)
        view = text_view(self.config.text, self.config.words)
        flags: Counter[str] = Counter()
        patents = _read(parsed, view, flags)
        self._refuse_repeats(patents)
        config = self.config
        labeller = Labeller(scheme, config.labels, config.secondary, config.sections, config.text)
        labeller.skipped.update(file.reason for file in parsed.skipped)
        labeller.skipped.update(
            {"XML file below neither train nor test": collection.outside} if collection.outside else {}
        )
        labeller.skipped_files += [file.name for file in parsed.skipped]
        labeller.remarks += [*_beside_published(patents), *_tolerated(flags, collection)]
        return labeller.label(patents, config.validation_share)

    def _as_published(self) -> bool:
        config = self.config
        whole = config.text == "first-words" and len(set(config.sections)) == len("ABCDEFGH")
        of_main_codes = config.labels == "main" or config.secondary == "drop"
        return whole and of_main_codes and not config.mapping and config.level in _LABELS

    def _remedy(self, setting: str) -> str:
        return f"bench run -t {self.name} --set {self.name}.{setting} {self.brought_by}".rstrip()

    @property
    def _place(self) -> Path:
        return expanded(self.config.path)

    @property
    def _mapping(self) -> Path:
        return expanded(self.config.mapping)

    def _scheme(self) -> Scheme:
        return read_mapping(self._mapping) if self.config.mapping else LevelScheme(self.config.level)

    def _refuse_repeats(self, patents: Sequence[Patent]) -> None:
        seen: dict[str, str] = {}
        for patent in patents:
            if patent.id in seen:
                raise TaskDataError(
                    f"{self._place}: publication {patent.id} is in {seen[patent.id]} and in {patent.file}; keep one"
                )
            seen[patent.id] = patent.file


def _read(parsed: Parsed, view: TextView, flags: Counter[str]) -> list[Patent]:
    """The patents in the view; what was tolerated is added to the flags."""
    patents = []
    for row in parsed.rows((*_CODES, *_FLAGS, *view.fields)):
        flags.update({flag: int(row[flag]) for flag in _FLAGS})
        codes = {name: row[name] for name in ("file", "split", "id", "main")}
        patents.append(Patent(**codes, others=tuple(row["others"]), text=view.of(row)))
    flags["foreign"] = len(patents) - flags["english"]
    return patents


def _beside_published(patents: Sequence[Patent]) -> list[str]:
    """What was found beside what is published; less may be a part of the collection, and no error."""
    splits = Counter(patent.split for patent in patents)
    at = {level: {at_level(patent.main, level) for patent in patents} - {None} for level in ("class", "subclass")}
    found = (splits["train"], splits["test"], len(at["class"]), len(at["subclass"]))
    return [
        f"{what}: {count:,}, published {published:,}"
        for (what, published), count in zip(PUBLISHED.items(), found, strict=True)
    ]


def _tolerated(flags: Counter[str], collection: Collection) -> list[str]:
    counts = {
        "files with broken markup, mended while reading": flags["repaired"],
        "entities without a known meaning, read as spaces": flags["unknown_entities"],
        "secondary codes that cannot be read, left out": flags["unreadable_codes"],
        "records without English text, read in another language": flags["foreign"],
        "files that are not .xml, or pipes and the like, not read": collection.others,
    }
    return [f"{what}: {count:,}" for what, count in counts.items() if count]
