"""Data sets of the hub: from a source on this machine to a task, and what stands in the way of that."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.errors import UserError
from bench.registry import Registry
from bench.settings import resolve_settings
from bench.task import TaskData
from tasks.hub import HubTask
from tasks.hub_settings import HubSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOPICS = ("World", "Sports", "Business")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


def rows(start: int, count: int) -> dict[str, list[Any]]:
    """Documents whose text tells their number and their topic."""
    numbers = range(start, start + count)
    return {"text": [f"{TOPICS[i % 3]} story {i}" for i in numbers], "label": [i % 3 for i in numbers]}


def save(folder: Path, features: dict[str, Any] | None = None, **splits: dict[str, list[Any]]) -> Path:
    """What datasets' save_to_disk writes; labels are named."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    known = features or {"text": Value("string"), "label": ClassLabel(names=list(TOPICS))}
    parts = {split: Dataset.from_dict(table, features=Features(known)) for split, table in splits.items()}
    DatasetDict(parts).save_to_disk(folder)
    return folder


def write_parquet(path: Path, table: dict[str, list[Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), path)


def task(**settings: Any) -> HubTask:
    return HubTask(resolve_settings(HubSettings, settings, "hub"))


def prepared(**settings: Any) -> TaskData:
    """The task's documents, all the way."""
    made = task(**settings)
    made.prepare(lambda line: None)
    assert made.availability().ok
    data = made.load()
    data.check()
    return data


def named(data: TaskData, split: str) -> list[tuple[str, ...]]:
    return [tuple(data.labels.names[label] for label in row) for row in getattr(data, split).labels]


def leftovers(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache" / "hub").glob("*"))


def test_numbers_become_the_names_of_classes(tmp_path):
    data = prepared(local=str(save(tmp_path / "saved", train=rows(0, 60), test=rows(100, 12))))
    assert data.kind == "single"
    assert data.labels.names == tuple(sorted(TOPICS))
    assert [text.split()[0] for text in data.test.texts] == [label for (label,) in named(data, "test")]
    assert len(data.test) == 12
    assert len(data.train) + len(data.validation) == 60  # validation is carved
    assert 4 <= len(data.validation) <= 8


def test_an_unknown_class_is_no_label(tmp_path):
    table = rows(0, 30)
    table["label"][4] = -1
    folder = save(tmp_path / "saved", train=table, test=rows(100, 6))
    with pytest.raises(UserError, match=r"train row 5: no label"):
        prepared(local=str(folder))
    assert prepared(local=str(folder), missing="skip").skipped == {"row without label": 1}


def test_lists_of_classes_and_paragraphs(tmp_path):
    from datasets import ClassLabel, List, Value

    features = {"text": List(Value("string")), "labels": List(ClassLabel(names=["2", "3", "P1-1"]))}
    train = {"text": [["Facts.", "", f"More {i}."] for i in range(30)], "labels": [[2, 0], [1], []] * 10}
    test = {"text": [["Facts.", f"Others {i}."] for i in range(4)], "labels": [[0], [1], [2], []]}
    folder = str(save(tmp_path / "saved", features, train=train, test=test))
    data = prepared(local=folder, label="labels")
    assert data.kind == "multi"
    assert data.test.texts[0] == "Facts.\nOthers 0."
    assert "Facts.\nMore 3." in [*data.train.texts, *data.validation.texts]
    assert named(data, "test") == [("2",), ("3",), ("P1-1",), ()]
    without = prepared(local=folder, label="labels", unlabelled="drop")
    assert named(without, "test") == [("2",), ("3",), ("P1-1",)]
    assert without.skipped == {"document without labels": 11}


def test_label_names_of_bare_numbers(tmp_path):
    write_parquet(tmp_path / "files" / "train.parquet", rows(0, 30))
    write_parquet(tmp_path / "files" / "test.parquet", rows(100, 6))
    data = prepared(local=str(tmp_path / "files"), label_names=TOPICS)
    assert [text.split()[0] for text in data.test.texts] == [label for (label,) in named(data, "test")]
    with pytest.raises(UserError, match=r"train row 3: label 2 is none of the 2 label_names"):
        prepared(local=str(tmp_path / "files"), label_names=TOPICS[:2])


def test_rows_outside_filters_may_have_any_label(tmp_path):
    table = {**rows(0, 30), "lang": ["de" if i % 3 == 2 else "en" for i in range(30)]}
    write_parquet(tmp_path / "files" / "train.parquet", table)
    data = prepared(local=str(tmp_path / "files"), label_names=TOPICS[:2], filters={"lang": "en"})
    assert data.labels.names == tuple(sorted(TOPICS[:2]))
    assert data.skipped == {"row outside filters": 10}


def test_a_column_is_looked_for_in_every_split(tmp_path):
    from datasets import Dataset, DatasetDict

    train = {**rows(0, 30), "title": [f"T{i}" for i in range(30)]}
    DatasetDict({"train": Dataset.from_dict(train), "test": Dataset.from_dict(rows(100, 6))}).save_to_disk(
        tmp_path / "saved"
    )
    prepared(local=str(tmp_path / "saved"))
    with pytest.raises(UserError, match=r"unknown column of split test of .*saved 'title'"):
        task(local=str(tmp_path / "saved"), text="title").load()


def test_label_names_do_not_overrule_those_of_the_source(tmp_path):
    folder = save(tmp_path / "saved", train=rows(0, 30), test=rows(100, 6))
    assert prepared(local=str(folder), label_names=("a", "b", "c")).labels.names == tuple(sorted(TOPICS))


def test_only_labels_that_are_kept_are_read(tmp_path):
    from datasets import List, Value

    features = {"text": Value("string"), "topics": List(Value("string"))}
    train = {"text": [f"text {i}" for i in range(40)], "topics": [["acq"], ["earn", "rare"], ["rare"], []] * 10}
    test = {"text": [f"test {i}" for i in range(4)], "topics": [["acq", "rare"], ["earn"], ["rare"], []]}
    folder = str(save(tmp_path / "saved", features, train=train, test=test))
    data = prepared(local=folder, label="topics", keep_labels=("acq", "earn"), unlabelled="drop")
    assert data.labels.names == ("acq", "earn")
    assert named(data, "test") == [("acq",), ("earn",)]
    assert data.skipped == {"document without labels": 22}
    assert named(prepared(local=folder, label="topics", keep_labels=("acq", "earn")), "test")[2:] == [(), ()]


def test_a_single_label_that_is_not_kept_leaves_the_row_out(tmp_path):
    folder = save(tmp_path / "saved", train=rows(0, 30), test=rows(99, 6))
    data = prepared(local=str(folder), keep_labels=("World", "Sports"))
    assert data.skipped == {"label not among keep_labels": 12}
    assert set(data.labels.names) == {"World", "Sports"}


def test_filters_keep_rows_by_the_names_of_classes_too(tmp_path):
    from datasets import ClassLabel, Value

    features = {"text": Value("string"), "label": Value("string"), "lang": ClassLabel(names=["en", "de"]),
                "year": Value("int64")}  # fmt: skip
    table = {"text": [f"t{i}" for i in range(48)], "label": ["a", "b"] * 24, "lang": [0, 0, 1, 1] * 12,
             "year": [1990, 1990, 1990, 1990, 1991, 1991, 1991, 1991, 1992, 1992, 1992, 1992] * 4}  # fmt: skip
    folder = str(save(tmp_path / "saved", features, train=table))
    data = prepared(local=folder, filters={"lang": "en", "year": (1990, 1991)})
    kept = {f"t{i}" for i in range(48) if table["lang"][i] == 0 and table["year"][i] != 1992}
    assert {text for _, documents in data.splits() for text in documents.texts} == kept
    assert data.skipped == {"row outside filters": 48 - len(kept)}
    with pytest.raises(UserError, match=r"filters .*'fr'.* keep no row"):
        prepared(local=folder, filters={"lang": "fr"})
    with pytest.raises(UserError, match=r"unknown column .*'langg'; did you mean 'lang'"):
        prepared(local=folder, filters={"langg": "fr"})


def test_our_splits_are_the_source_s_under_its_names(tmp_path):
    folder = save(tmp_path / "saved", train=rows(0, 30), dev=rows(50, 6), test_2021=rows(100, 9), extra=rows(200, 9))
    splits = {"train": "train", "validation": "dev", "test": "test_2021"}
    data = prepared(local=str(folder), splits=splits)
    assert {split: len(documents) for split, documents in data.splits()} == {"train": 30, "validation": 6, "test": 9}
    assert data.validation.texts[0].endswith("story 50")


def test_a_split_that_is_not_there_is_named_with_the_nearest(tmp_path):
    folder = save(tmp_path / "saved", train=rows(0, 30), test_2021=rows(100, 9))
    with pytest.raises(UserError, match=r"'test_2012'; did you mean 'test_2021'"):
        prepared(local=str(folder), splits={"train": "train", "test": "test_2012"})
    assert leftovers(tmp_path) == []


def test_a_source_without_train_says_what_it_has(tmp_path):
    folder = save(tmp_path / "saved", training=rows(0, 30), test=rows(100, 9))
    with pytest.raises(UserError, match=r"no split 'train', it has training, test; set splits="):
        prepared(local=str(folder))


def test_one_table_without_splits(tmp_path):
    from datasets import Dataset

    Dataset.from_dict(rows(0, 60)).save_to_disk(tmp_path / "saved")
    data = prepared(local=str(tmp_path / "saved"))
    assert len(data.train) > len(data.test) > len(data.validation) > 2
    assert len(data.train) + len(data.test) + len(data.validation) == 60


def test_several_columns_make_the_text_and_other_columns_can_be_chosen_later(tmp_path, monkeypatch):
    from datasets import ClassLabel, Value

    features = {"title": Value("string"), "content": Value("string"), "label": ClassLabel(names=["a", "b"])}
    table = {"title": [f"T{i}" for i in range(30)], "content": [f"C{i}" for i in range(30)], "label": [0, 1] * 15}
    folder = str(save(tmp_path / "saved", features, train=table))
    texts = prepared(local=folder, text=("title", "content")).train.texts
    assert texts[0].split("\n\n") in [[f"T{i}", f"C{i}"] for i in range(30)]
    monkeypatch.setattr("tasks.hub_store.fetch", lambda *_: pytest.fail("it is prepared"))
    assert task(local=folder, text="title").load().train.texts[0][0] == "T"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"text": "texte"}, r"unknown column .*'texte'; did you mean 'text'"),
        ({"label": "vector"}, r"column 'vector' .* holds List.*float"),
    ],
)
def test_a_column_that_cannot_be_had_leaves_nothing_behind(tmp_path, settings, said):
    from datasets import List, Value

    features = {"text": Value("string"), "label": Value("int64"), "vector": List(Value("float32"))}
    table = {**rows(0, 30), "vector": [[0.5, 0.25]] * 30}
    folder = save(tmp_path / "saved", features, train=table)
    with pytest.raises(UserError, match=said):
        prepared(local=str(folder), **settings)
    assert leftovers(tmp_path) == []


def test_vectors_are_left_where_they_are(tmp_path):
    from datasets import List, Value

    features = {"text": Value("string"), "label": Value("int64"), "vector": List(Value("float32"))}
    folder = save(tmp_path / "saved", features, train={**rows(0, 30), "vector": [[0.5, 0.25]] * 30})
    prepared(local=str(folder))
    (home,) = leftovers(tmp_path)
    facts = json.loads((home / "provenance.json").read_text())
    assert (facts["columns"], facts["columns_left_out"]) == (["text", "label"], ["vector"])


def test_a_label_of_test_documents_alone_is_kept_and_told(tmp_path):
    train, test = rows(0, 30), rows(100, 6)
    train["label"] = [i % 2 for i in range(30)]
    folder = str(save(tmp_path / "saved", train=train, test=test))
    data = prepared(local=folder)
    assert set(data.labels.names) == set(TOPICS)
    assert "labels that are on no training document, kept: 1" in data.remarks
    assert HubTask.optional  # nobody misses it in `bench run --all`


def test_a_local_folder_is_a_data_set_and_data_files_choose_in_it(tmp_path):
    for name, start in (("train-0", 0), ("train-1", 30), ("test-0", 100), ("other-0", 200)):
        write_parquet(tmp_path / "repo" / "data" / f"{name}.parquet", rows(start, 30))
    files = {"train": "data/train-*.parquet", "test": ("data/test-0.parquet",)}
    data = prepared(local=str(tmp_path / "repo"), data_files=files, label_names=TOPICS)
    assert len(data.train) + len(data.validation) == 60
    assert {text.split()[-1] for text in data.test.texts} == {str(i) for i in range(100, 130)}


def test_a_config_that_is_not_there_is_named_with_the_nearest(tmp_path):
    for config in ("abstract", "patent"):
        write_parquet(tmp_path / "repo" / config / "train.parquet", rows(0, 30))
    (tmp_path / "repo" / "README.md").write_text(
        "---\nconfigs:\n- config_name: abstract\n  data_files: abstract/*.parquet\n"
        "- config_name: patent\n  data_files: patent/*.parquet\n---\n"
    )
    with pytest.raises(UserError, match=r"'abstracts'; did you mean 'abstract'"):
        prepared(local=str(tmp_path / "repo"), config="abstracts")
    with pytest.raises(UserError, match=r"several configs: abstract, patent; set config="):
        prepared(local=str(tmp_path / "repo"))
    assert len(prepared(local=str(tmp_path / "repo"), config="patent").labels) == 3
    assert len(leftovers(tmp_path)) == 1


def test_a_script_is_refused_with_the_way_around_it(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "old.py").write_text("raise SystemExit('run')")
    with pytest.raises(UserError, match=r"is a script, and no code of a data set is run.*refs/convert/parquet"):
        prepared(local=str(tmp_path / "old"))


def test_a_folder_that_changed_is_to_be_prepared_again(tmp_path):
    folder = tmp_path / "files"
    write_parquet(folder / "train.parquet", rows(0, 30))
    made = task(local=str(folder))
    made.prepare(lambda line: None)
    write_parquet(folder / "test.parquet", rows(100, 30))
    assert not task(local=str(folder)).availability().ok
    assert len(prepared(local=str(folder)).test) == 30


def test_a_second_call_does_nothing(tmp_path):
    folder = str(save(tmp_path / "saved", train=rows(0, 30)))
    said: list[str] = []
    task(local=folder).prepare(said.append)
    (home,) = leftovers(tmp_path)
    before = (home / "provenance.json").stat().st_mtime_ns
    task(local=folder).prepare(said.append)
    assert said[-1] == f"hub: prepared already, in {home}"
    assert (home / "provenance.json").stat().st_mtime_ns == before


def test_a_hierarchy_comes_from_a_table(tmp_path):
    (tmp_path / "parents.csv").write_text("label,parent\nWorld,news\nSports,leisure\n")
    folder = str(save(tmp_path / "saved", train=rows(0, 30)))
    data = prepared(local=folder, parents=str(tmp_path / "parents.csv"))
    assert dict(zip(data.labels.names, data.labels.ancestors, strict=True))["World"] == ("news",)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"revision": "main"}, "revision"),
        ({"revision": COMMIT[:7]}, "revision"),
        ({"splits": {"test": "test"}}, "says nothing of train"),
        ({"splits": {"train": "all", "test": "all"}}, "twice"),
        ({"config": "en", "data_files": {"train": "x.parquet"}}, "not by both"),
        ({"keep_labels": ("a", "a")}, "recurs"),
        ({"dataset": "parquet"}, "owner/name; name a folder with local"),
        ({"dataset": "/data/ag_news"}, "owner/name; name a folder with local"),
        ({"splits": {"train": "train", "dev": "dev"}}, "splits"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        task(**{"dataset": "owner/name", **settings})


class Hub:
    """Stands in for the hub: notes what is asked, and serves a data set or an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, served: Any) -> None:
        import datasets
        import huggingface_hub

        self.asked: list[Any] = []
        self.served = served
        monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", self._info)
        monkeypatch.setattr(datasets, "load_dataset", self._load)

    def _info(self, repo_id: str, revision: str | None = None) -> Any:
        self.asked.append((repo_id, revision))
        if isinstance(self.served, Exception):
            raise self.served
        return SimpleNamespace(sha=COMMIT)

    def _load(self, path: str, name: str | None, **asked: Any) -> Any:
        self.asked.append((path, name, asked["revision"], asked["data_files"]))
        assert "trust_remote_code" not in asked
        if isinstance(self.served, ValueError | RuntimeError):
            raise self.served
        return self.served


def served(tmp_path: Path) -> Any:
    from datasets import load_from_disk

    return load_from_disk(save(tmp_path / "served", train=rows(0, 30), test=rows(100, 6)))


def test_what_is_read_is_the_commit_that_was_looked_up(tmp_path, monkeypatch):
    hub = Hub(monkeypatch, served(tmp_path))
    said: list[str] = []
    made = task(dataset="owner/name", revision="refs/convert/parquet", data_files={"train": "x/*.parquet"})
    made.prepare(said.append)
    assert hub.asked == [
        ("owner/name", "refs/convert/parquet"),
        ("hf://datasets/owner/name", None, COMMIT, {"train": ["x/*.parquet"]}),
    ]
    assert any(COMMIT in line for line in said)
    (home,) = leftovers(tmp_path)
    facts = json.loads((home / "provenance.json").read_text())
    assert facts["commit"] == COMMIT
    assert facts["revision"] == "refs/convert/parquet"
    assert facts["documents"] == {"train": 30, "test": 6}
    assert set(facts["fingerprints"]) == {"train", "test"}
    assert any(COMMIT in remark for remark in made.load().remarks)


@pytest.mark.parametrize("commit_is_known", [False, True])
def test_a_folder_of_that_name_is_no_data_set_of_the_hub(tmp_path, monkeypatch, commit_is_known):
    import huggingface_hub

    write_parquet(tmp_path / "owner" / "name" / "train.parquet", rows(0, 30))
    monkeypatch.chdir(tmp_path)
    if commit_is_known:
        found = SimpleNamespace(sha=COMMIT)
        monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *_, **__: found)
    with pytest.raises(UserError, match=r"out of reach|not on the hub"):
        task(dataset="owner/name", revision=COMMIT).prepare(lambda line: None)
    assert leftovers(tmp_path) == []


def test_a_pinned_commit_needs_no_advice(tmp_path, monkeypatch):
    Hub(monkeypatch, served(tmp_path))
    said: list[str] = []
    task(dataset="owner/name", revision=COMMIT).prepare(said.append)
    assert len(said) == 1


def hub_errors() -> list[tuple[Exception, str]]:
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import (
        GatedRepoError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import httpx

    bare = [kind.__new__(kind) for kind in (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError)]
    return [
        (bare[0], r"accept its terms at https://huggingface.co/datasets/owner/name; then `hf auth login`"),
        (bare[1], r"owner/name is not on the hub"),
        (bare[2], rf"owner/name has no revision {COMMIT}"),
        (DatasetNotFoundError("Dataset 'owner/name' is a gated dataset on the Hub."), r"accept its terms"),
        (OfflineModeIsEnabled("offline mode is enabled"), r"out of reach.*bench prepare hub --set local=FOLDER"),
        (httpx.ConnectError("[Errno -2]\nName or service not known"), r"out of reach"),
        (RuntimeError("Dataset scripts are no longer supported, but found name.py"), r"is a script"),
        (ValueError("Couldn't infer the same data file format"), r"cannot be read: ValueError: Couldn't infer"),
    ]


@pytest.mark.parametrize("index", range(8))
def test_what_the_hub_says_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, index):
    error, said = hub_errors()[index]
    Hub(monkeypatch, error)
    with pytest.raises(UserError, match=said) as raised:
        task(dataset="owner/name", revision=COMMIT).prepare(lambda line: None)
    assert "\n" not in str(raised.value)
    assert leftovers(tmp_path) == []


def test_without_a_data_set_there_is_nothing_to_prepare():
    state = task().availability()
    assert (state.ok, state.remedy) == (False, "bench prepare hub --set dataset=OWNER/NAME")
    with pytest.raises(UserError, match="no data set is named"):
        task().prepare(lambda line: None)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    for folder in (str(tmp_path / "gone"), "~no-such-user/gone"):
        with pytest.raises(UserError, match=r"there is no folder .*gone"):
            task(local=folder).prepare(lambda line: None)


def test_a_yaml_task_knows_its_name_and_its_remedy(tmp_path):
    save(tmp_path / "saved", train=rows(0, 30))
    (tmp_path / "mine.yaml").write_text("name: mine\nbase: hub\nsettings: {dataset: owner/name, local: saved}\n")
    plugin = Registry.discover([tmp_path / "mine.yaml"]).get("task", "mine")
    found = plugin.load()
    assert issubclass(found, HubTask)
    assert found.name == "mine"
    assert found(plugin.settings({})).availability().remedy == f"bench prepare mine --plugins {tmp_path}/mine.yaml"
    changed = found(plugin.settings({"config": "de", "splits": {"train": "all"}})).availability().remedy
    words = """--set config=de --set splits='{"train": "all"}'"""
    assert changed == f"bench prepare mine {words} --plugins {tmp_path}/mine.yaml"
    assert HubTask.name == "hub"
    found(plugin.settings({})).prepare(lambda line: None)  # `local` lies beside the file
    assert [path.name.rpartition("-")[0] for path in leftovers(tmp_path)] == ["mine"]
