"""The committed figures of others: each with its source, and whether anybody checked it."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from bench.metrics.definitions import describe
from tasks.wipo_alpha import PUBLISHED

FILES = sorted((Path(__file__).parents[2] / "results/published").glob("*.yaml"))


class Figure(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    source: str = Field(min_length=1)
    verified: bool


class Size(Figure):
    what: str = Field(min_length=1)
    count: int = Field(gt=0)


class Result(Figure):
    system: str = Field(min_length=1)
    level: str | None  # null where the source does not say
    labels: int | None = Field(gt=1)
    metric: str
    value: float = Field(ge=0, le=1)
    note: str = ""


class Published(BaseModel):
    model_config = ConfigDict(extra="forbid")

    task: str
    sizes: list[Size]
    results: list[Result]


def read_published(path):
    return Published.model_validate(yaml.safe_load(path.read_text("utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_has_a_source_and_says_whether_it_was_checked(path):
    found = read_published(path)
    assert found.task == path.stem
    assert len({(r.system, r.level, r.metric, r.source) for r in found.results}) == len(found.results) > 0
    assert all(describe(result.metric) for result in found.results)


def test_wipo_alpha_is_there():
    (path,) = (path for path in FILES if path.stem == "wipo-alpha")
    results = read_published(path).results
    assert not any(figure.verified for figure in [*results, *read_published(path).sizes])
    svm = [r.value for r in results if (r.system, r.level) == ("SVM", "subclass")]
    assert svm == [0.41, 0.59, 0.48]


def test_the_task_shows_the_sizes_of_the_file():
    (path,) = (path for path in FILES if path.stem == "wipo-alpha")
    published = read_published(path)
    assert {size.what: size.count for size in published.sizes} == PUBLISHED
    labels = {(result.level, result.labels) for result in published.results if result.level is not None}
    assert labels == {("class", 114), ("subclass", 451)}
