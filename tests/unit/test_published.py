"""The published figures of others that come with the package: each with its source, and whether anybody checked it."""

from pathlib import Path

import pytest

import report
from bench.metrics.definitions import describe
from report.publications import built_in, read_publication
from tasks.wipo_alpha import PUBLISHED

FILES = sorted((Path(report.__file__).parent / "published").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_has_a_source_and_says_whether_it_was_checked(path):
    found = read_publication(path)
    assert found.task == path.stem
    assert len({(r.system, r.level, r.metric, r.source) for r in found.results}) == len(found.results) > 0
    assert all(describe(result.metric) for result in found.results if result.metric is not None)


def test_the_package_brings_them():
    assert [one.task for one in built_in()] == [path.stem for path in FILES]


def test_wipo_alpha_is_there():
    (path,) = (path for path in FILES if path.stem == "wipo-alpha")
    results = read_publication(path).results
    assert not any(figure.verified for figure in [*results, *read_publication(path).sizes])
    svm = [r.value for r in results if (r.system, r.level) == ("SVM", "subclass")]
    assert svm == [0.41, 0.59, 0.48]


def test_the_task_shows_the_sizes_of_the_file():
    (path,) = (path for path in FILES if path.stem == "wipo-alpha")
    published = read_publication(path)
    assert {size.what: size.count for size in published.sizes} == PUBLISHED
    labels = {(result.level, result.labels) for result in published.results if result.level is not None}
    assert labels == {("class", 114), ("subclass", 451)}
