"""Figures that others published, read from YAML and set beside our own, apart from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import UserError
from report.chapters import Chapter
from report.groups import Section
from report.measures import metric, metric_title, summarise
from report.tables import Cell, Column, Footnotes, Table, best
from report.text import DASH, plain, score, whole

_COLUMNS = (
    Column("system", "System"),
    Column("metric", "Metric"),
    Column("level", "Level"),
    Column("labels", "Labels", numeric=True),
    Column("published", "Published", numeric=True),
    Column("ours", "Our highest row", numeric=True),
    Column("remarks", "To be borne in mind"),
)


class _Sourced(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    source: str = Field(min_length=1)
    verified: bool = Field(description="whether it was read in the publication itself, in full")


class Size(_Sourced):
    """How large the collection is said to be."""

    what: str = Field(min_length=1)
    count: int = Field(gt=0)


class Published(_Sourced):
    """One published figure."""

    system: str = Field(min_length=1)
    level: str | None = Field(description="level of the labels; null where the source does not say")
    labels: int | None = Field(gt=1)
    metric: str | None = Field(description="a name of bench.metrics; null where the source does not define it")
    value: float = Field(ge=0, le=1)
    trained_parameters: int | None = Field(None, gt=0)
    note: str = ""


class Publication(BaseModel):
    """The published figures of one task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    sizes: tuple[Size, ...] = ()
    results: tuple[Published, ...]


def built_in() -> tuple[Publication, ...]:
    """Those that come with the package."""
    found = sorted(files("report").joinpath("published").iterdir(), key=lambda one: one.name)
    return tuple(_parse(one.read_text("utf-8"), one.name) for one in found if one.name.endswith(".yaml"))


def read_publication(path: Path) -> Publication:
    """One of the user's own.

    Raises:
        UserError: It cannot be read, or is not of the shape.
    """
    try:
        return _parse(path.read_text("utf-8"), f"--published {path}")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--published {path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None


def _parse(text: str, name: str) -> Publication:
    try:
        return Publication.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UserError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"{name}: {where}: {first['msg']}; see docs/report.md for its shape") from None


def published_chapter(section: Section, known: Iterable[Publication]) -> Chapter | None:
    """What others published on this task, beside the highest of our rows; None where nothing is known."""
    results = [one for publication in known if publication.task == section.task for one in publication.results]
    if not results:
        return None
    sizes = [size for publication in known if publication.task == section.task for size in publication.sizes]
    notes = Footnotes()
    rows = tuple(_row(section, one, sizes, notes) for one in results)
    lead = (
        "Figures of others, copied from where the footnotes say. They were not measured here: other code, maybe other "
        "documents. No test compares them with ours, and nothing is ranked."
    )
    table = Table("Published elsewhere", _COLUMNS, rows, notes.listed())
    return Chapter("Published elsewhere", "published", lead, (table,), folded=True)


def _row(section: Section, one: Published, sizes: Sequence[Size], notes: Footnotes) -> tuple[Cell, ...]:
    dash = partial(Cell, DASH, tone="muted")
    ours = _ours(section, one.metric)
    differs = _differences(section, one, sizes)
    remarks = [*([] if one.verified else ["not verified"]), *differs, *([plain(one.note)] if one.note else [])]
    return (
        Cell(plain(one.system), marks=(notes.mark(plain(one.source)),)),
        Cell(metric_title(one.metric) if one.metric else "not defined"),
        Cell(plain(one.level)) if one.level else dash(),
        Cell(whole(one.labels), float(one.labels)) if one.labels else dash(),
        Cell(score(one.value), one.value, tone="muted", tag="" if one.verified else "unverified"),
        Cell(score(ours), ours) if ours is not None else dash(),
        Cell("; ".join(remarks) or DASH),
    )


def _ours(section: Section, name: str | None) -> float | None:
    top = best(section.groups, metric(name)) if name else ()
    found = summarise(top[0], metric(name)) if name and top else None
    return found.mean if found else None


def _differences(section: Section, one: Published, sizes: Sequence[Size]) -> list[str]:
    """How the published figure is not of what ours is of, as far as that can be told."""
    facts, said = section.facts, []
    level = section.setting("level")
    if one.level is None and level is not None:
        said.append("level not named")
    elif level is not None and one.level != level:
        said.append(f"other level than ours ({plain(level)})")
    if facts and one.labels and one.labels != facts.n_labels:
        said.append(f"other number of labels than ours ({facts.n_labels:,})")
    test = next((size.count for size in sizes if size.what == "test documents"), None)
    if facts and test and test != facts.documents.get("test"):
        said.append(f"other test documents: {test:,} there, {facts.documents.get('test', 0):,} here")
    if one.metric and one.metric != section.primary:
        said.append("not the primary metric here")
    return said
