"""The committed figures of others."""

from pathlib import Path

import pytest
import yaml

from bench.errors import UserError
from bench.metrics.definitions import describe
from bench.published import read_published

FILES = sorted((Path(__file__).parents[2] / "results/published").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_has_a_source_and_says_whether_it_was_checked(path):
    raw = yaml.safe_load(path.read_text("utf-8"))["results"]
    assert all({"source", "verified"} <= set(entry) for entry in raw)
    found = read_published(path)
    assert found.task == path.stem
    assert len({(r.system, r.level, r.metric, r.source) for r in found.results}) == len(found.results) > 0
    assert all(describe(result.metric) for result in found.results)


def test_wipo_alpha_is_there():
    (path,) = (path for path in FILES if path.stem == "wipo-alpha")
    results = read_published(path).results
    assert not any(result.verified for result in results)
    svm = [r.value for r in results if (r.system, r.level) == ("SVM", "subclass")]
    assert svm == [0.41, 0.59, 0.48]


ENTRY = "{system: s, level: null, labels: null, metric: p@1, value: 0.5, source: x, verified: false}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"task: t\nresults: [{ENTRY.replace('source: x, ', '')}]", r"results\.0\.source"),
        (f"task: t\nresults: [{ENTRY.replace(', verified: false', '')}]", r"results\.0\.verified"),
        (f"task: t\nresults: [{ENTRY.replace('0.5', '55')}]", r"results\.0\.value"),
        ("task: [", "no YAML"),
        ("- 1", "the file"),
    ],
)
def test_a_figure_that_lacks_something_is_refused(tmp_path, text, message):
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        read_published(tmp_path / "t.yaml")
    with pytest.raises(UserError, match="No such file"):
        read_published(tmp_path / "none.yaml")
