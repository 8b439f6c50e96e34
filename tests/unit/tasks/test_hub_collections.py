"""The shipped data sets: their files are sound, and rows of their shape become the task that they promise."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

import tasks.collections
from bench.registry import Registry
from bench.task import TaskData
from tasks.hub import HubTask
from tasks.hub_settings import HubSettings

ROOT = Path(__file__).parents[3]
FOLDER = Path(str(files(tasks.collections)))
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
PAGE = (ROOT / "docs/hub-data.md").read_text("utf-8")
TABLE = PAGE.partition("## What prepare does")[0]
ROWS = {row.split("`")[1]: row for row in TABLE.splitlines() if row.startswith("| `")}
COMMIT = re.compile(r"[0-9a-f]{40}")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover()


def content(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return found


def test_there_are_single_and_multi_label_data_sets():
    kinds = [content(name)["settings"]["kind"] for name in NAMES]
    assert len(NAMES) >= 12
    assert min(kinds.count("single"), kinds.count("multi")) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_a_plugin_of_its_name_with_settings_that_hold(registry, name):
    plugin = registry.get("task", name)
    assert not plugin.error
    assert issubclass(plugin.load(), HubTask)
    settings = plugin.settings({})
    assert isinstance(settings, HubSettings)
    assert settings.kind != "auto"
    assert plugin.about
    assert "# Licence: " in (FOLDER / f"{name}.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_commit_is_held_or_the_page_says_that_none_is(name):
    settings = content(name)["settings"]
    pinned = COMMIT.fullmatch(settings.get("revision", "")) is not None
    assert ("unpinned" in ROWS[name]) is not pinned
    if pinned:
        assert f"`{settings['revision'][:8]}`" in ROWS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_the_file_says(name):
    settings = content(name)["settings"]
    assert f"`{settings['dataset']}`" in ROWS[name]
    assert f"| {settings['kind']} |" in ROWS[name]
    if "config" in settings:
        assert f"`{settings['config']}`" in ROWS[name]


def test_the_page_lists_no_other():
    assert sorted(ROWS) == NAMES


def test_the_labels_of_reuters_are_those_of_the_literature():
    kept = content("reuters-21578")["settings"]["keep_labels"]
    assert len(kept) == len(set(kept)) == 90
    assert {"earn", "acq", "castor-oil", "zinc"} <= set(kept)


# What each source holds: the type of its text columns and of its labels. `names`: whole numbers that the source names;
# `bare`: whole numbers that label_names names; `words`: the labels themselves.
SHAPES = {
    "20-newsgroups": ("text", "words"),
    "ag-news": ("text", "names"),
    "arxiv-classification": ("text", "bare"),
    "banking77": ("text", "bare"),
    "dbpedia-14": ("text", "names"),
    "eurlex57k": ("text", "words"),
    "imdb": ("text", "names"),
    "lexglue-ecthr-a": ("paragraphs", "names"),
    "lexglue-ecthr-b": ("paragraphs", "names"),
    "lexglue-eurlex": ("text", "names"),
    "lexglue-ledgar": ("text", "names"),
    "lexglue-scotus": ("text", "names"),
    "lexglue-unfair-tos": ("text", "names"),
    "multi-eurlex": ("text", "bare"),
    "patent-abstracts": ("text", "names"),
    "patent-sections": ("text", "bare"),
    "reuters-21578": ("text", "words"),
    "swedish-patents-cpc": ("text", "words"),
    "tweet-topic": ("text", "bare"),
    "yahoo-answers": ("text", "names"),
}
OWN = ("alpha", "beta", "gamma")
DOCUMENTS = 36


class Source:
    """Rows in the shape of a shipped data set."""

    def __init__(self, name: str, settings: HubSettings) -> None:
        self.text, self.labels = SHAPES[name]
        self.settings = settings
        self.names = (settings.keep_labels or settings.label_names or OWN)[:3]

    def features(self) -> Any:
        from datasets import ClassLabel, Features, List, Value

        text = List(Value("string")) if self.text == "paragraphs" else Value("string")
        kinds = {"names": ClassLabel(names=list(self.names)), "bare": Value("int64"), "words": Value("string")}
        label = kinds[self.labels]
        if self.settings.kind == "multi":
            label = List(label)
        ids = {self.settings.id: Value("string")} if self.settings.id else {}
        return Features({**dict.fromkeys(self.settings.text_columns, text), self.settings.label: label, **ids})

    def table(self, split: str) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {}
        for column in self.settings.text_columns:
            texts = [f"{column} of {split} {i}" for i in range(DOCUMENTS)]
            columns[column] = [[text, "and more"] for text in texts] if self.text == "paragraphs" else texts
        columns[self.settings.label] = [self.label(i) for i in range(DOCUMENTS)]
        if self.settings.id:
            columns[self.settings.id] = [f"{split}-{i}" for i in range(DOCUMENTS)]
        return columns

    def label(self, i: int) -> Any:
        values = list(self.names) if self.labels == "words" else [0, 1, 2]
        return [values[i % 3], values[(i + 1) % 3]] if self.settings.kind == "multi" else values[i % 3]

    def save(self, folder: Path) -> None:
        from datasets import Dataset, DatasetDict

        splits = set((self.settings.splits or {"train": "train", "test": "test"}).values())
        features = self.features()
        parts = {split: Dataset.from_dict(self.table(split), features=features) for split in sorted(splits)}
        DatasetDict(parts).save_to_disk(folder)


def loaded(registry: Registry, name: str, tmp_path: Path) -> tuple[TaskData, Source]:
    plugin = registry.get("task", name)
    settings = plugin.settings({"local": str(tmp_path / "saved")})
    assert isinstance(settings, HubSettings)
    source = Source(name, settings)
    source.save(tmp_path / "saved")
    task = plugin.load()(settings)
    assert not task.availability().ok
    task.prepare(lambda line: None)
    assert task.availability().ok
    return task.load(), source


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_its_shape_become_its_task(registry, name, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    data, source = loaded(registry, name, tmp_path)
    data.check()
    assert data.kind == content(name)["settings"]["kind"]
    assert data.labels.names == tuple(sorted(source.names))
    assert len(data.test) == DOCUMENTS
    assert len(data.train) + len(data.validation) == DOCUMENTS * (2 if "validation" in splits_of(source) else 1)
    expected = [label for i in range(DOCUMENTS) for label in named(source, i)]
    assert [data.labels.names[label] for row in data.test.labels for label in row] == expected


def splits_of(source: Source) -> dict[str, str]:
    return dict(source.settings.splits or {})


def named(source: Source, i: int) -> list[str]:
    """The names of the i-th document's labels, in the order of the label space."""
    value = source.label(i)
    values = value if isinstance(value, list) else [value]
    return sorted(part if isinstance(part, str) else source.names[part] for part in values)
