from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import baselines.xmlc as module
from baselines.xmlc import Xmlc, XmlcSettings
from bench.errors import UserError
from bench.method import Context, QuietInstruments
from bench.prediction import TopScores, rank
from bench.seeds import Seeds
from bench.task import Documents, LabelSpace, TaskData, TaskProfile
from tasks.synthetic import ClvSettings, SyntheticClv, SyntheticWipo, WipoSettings

LIBRARY = {"parabel": "omikuji", "bonsai": "omikuji", "xr-linear": "pecos"}


@pytest.fixture(params=LIBRARY)
def kind(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(LIBRARY[request.param])
    return str(request.param)


@pytest.fixture(scope="module")
def wipo() -> TaskData:
    return SyntheticWipo(WipoSettings(documents=600, labels=40)).load()


def context(data: TaskData, scratch: Path, threads: int = 1, seed: int = 0) -> Context:
    profile = TaskProfile("toy", data.kind, len(data.labels), data.primary_metric)
    return Context(profile, Seeds(seed), "cpu", threads, scratch, QuietInstruments())


def fitted(data: TaskData, scratch: Path, threads: int = 1, seed: int = 0, **config: Any) -> Xmlc:
    method = Xmlc(XmlcSettings(**config))
    method.fit(data.train, data.validation, data.labels, context(data, scratch, threads, seed))
    return method


def scored(method: Xmlc, data: TaskData, scratch: Path, texts: list[str] | None = None) -> Any:
    found = method.predict(data.test.texts if texts is None else texts, context(data, scratch))
    assert isinstance(found, TopScores)
    return found.values


def toy(rows: list[list[int]], labels: int, texts: list[str] | None = None) -> TaskData:
    """Documents of label 0 tell of apples, the others of pears."""
    texts = texts or ["red apple pie" if 0 in row else "green pear tree" for row in rows]
    train = Documents([str(place) for place in range(len(rows))], texts, rows)
    return TaskData(train, train, train, LabelSpace(tuple(f"label {n}" for n in range(labels))), "multi")


def test_ranks_the_labels_of_new_documents(kind: str, wipo: TaskData, tmp_path: Path) -> None:
    ranking = rank(TopScores(scored(fitted(wipo, tmp_path, trees=kind), wipo, tmp_path)), 1)
    right = [best in row for best, row in zip(ranking.labels[:, 0], wipo.test.labels, strict=True)]
    assert np.mean(right) > 0.5
    assert ranking.scores.min() >= 0
    assert ranking.scores.max() <= 1


def test_learns_single_labels(kind: str, tmp_path: Path) -> None:
    data = SyntheticClv(ClvSettings(documents=400)).load()
    ranking = rank(TopScores(scored(fitted(data, tmp_path, trees=kind), data, tmp_path)), 1)
    assert np.mean(ranking.labels[:, 0] == [row[0] for row in data.test.labels]) > 0.6


def test_sixteen_documents_are_learnt_through_every_level_of_a_deep_tree(kind: str, tmp_path: Path) -> None:
    words = ("apple", "boat", "chess", "desert", "engine", "flour", "guitar", "harbour")
    data = toy([[n % 8] for n in range(16)], 8, [f"{words[n % 8]} {words[n % 8]}" for n in range(16)])
    method = fitted(data, tmp_path, trees=kind, max_leaf_size=2)
    best = rank(TopScores(scored(method, data, tmp_path)), 1).labels[:, 0]
    assert best.tolist() == [row[0] for row in data.test.labels]


def test_labels_without_training_documents_have_no_score_and_keep_their_places(kind: str, tmp_path: Path) -> None:
    data = toy([[0, 4] if n % 2 else [4] for n in range(16)], 6)
    scores = scored(fitted(data, tmp_path, trees=kind), data, tmp_path)
    assert set(scores.indices) == {0, 4}
    apples = np.array([0 in row for row in data.train.labels])
    values = scores.toarray()
    assert values[apples, 0].min() > values[~apples, 0].max()
    assert values[:, 4].min() > 0.5


def test_one_positive_document_among_documents_without_labels(kind: str, tmp_path: Path) -> None:
    data = toy([[0]] + [[] for _ in range(15)], 3)
    values = scored(fitted(data, tmp_path, trees=kind), data, tmp_path).toarray()
    assert values[0, 0] > values[1:, 0].max()
    assert not values[:, 1:].any()


def test_a_training_document_without_known_words_spoils_nothing(kind: str, tmp_path: Path) -> None:
    data = toy([[0], [1], []] * 6, 2, ["apple pie", "pear tree", "!!!"] * 6)
    best = rank(TopScores(scored(fitted(data, tmp_path, trees=kind), data, tmp_path, ["apple", "pear", "…"])), 1)
    assert best.labels[:2, 0].tolist() == [0, 1]


def test_training_documents_without_any_label_are_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no training document has a label"):
        fitted(toy([[], []], 2), tmp_path, trees=kind)


def test_texts_without_words_are_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave no features"):
        fitted(toy([[0], [1]], 2, ["!!!", "…"]), tmp_path, trees=kind)


def test_no_more_labels_than_a_ranking_keeps_and_those_the_best(
    wipo: TaskData, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = fitted(wipo, tmp_path, trees=kind, n_trees=1)
    whole = rank(TopScores(scored(method, wipo, tmp_path)), 5)
    monkeypatch.setattr(module, "RANKED", 5)
    few = scored(method, wipo, tmp_path)
    assert np.diff(few.indptr).max() == 5
    assert np.array_equal(rank(TopScores(few)).labels[:, :5], whole.labels)


def test_what_was_saved_predicts_the_same_in_another_process(kind: str, wipo: TaskData, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "saved").mkdir()
    method = fitted(wipo, tmp_path / "scratch", trees=kind)
    before = scored(method, wipo, tmp_path)
    method.save(tmp_path / "saved")
    (tmp_path / "saved").rename(tmp_path / "moved")
    code = (
        "import sys; from pathlib import Path; from scipy.sparse import save_npz; sys.path.insert(0, sys.argv[2])\n"
        "from test_xmlc import *\n"
        "here = Path(sys.argv[1]); data = SyntheticWipo(WipoSettings(documents=600, labels=40)).load()\n"
        "method = Xmlc(XmlcSettings(trees=sys.argv[3]))\n"
        "method.load(here / 'moved', data.labels, context(data, here))\n"
        "save_npz(here / 'after.npz', scored(method, data, here))\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent), kind]
    subprocess.run(words, check=True, cwd=Path(__file__).parents[3])
    with np.load(tmp_path / "after.npz") as after:
        assert np.array_equal(after["indices"], before.indices)
        assert np.allclose(after["data"], before.data, atol=1e-6)


def test_pecos_gives_the_same_bits_on_any_number_of_threads_and_others_for_another_seed(
    wipo: TaskData, tmp_path: Path
) -> None:
    pytest.importorskip("pecos")
    made = [
        scored(fitted(wipo, tmp_path, threads, seed, trees="xr-linear", max_leaf_size=4), wipo, tmp_path)
        for threads, seed in ((1, 0), (3, 0), (1, 1))
    ]
    assert (made[0] != made[1]).nnz == 0
    assert (made[0] != made[2]).nnz > 0


def test_pecos_is_left_as_it_was(wipo: TaskData, tmp_path: Path) -> None:
    pytest.importorskip("pecos")
    from pecos.utils import smat_util

    scored(fitted(wipo, tmp_path, trees="xr-linear"), wipo, tmp_path)
    assert smat_util.cs_matrix.__module__ == "pecos.utils.smat_util"


def test_omikuji_says_that_no_seed_reaches_it(tmp_path: Path) -> None:
    pytest.importorskip("omikuji")
    data = toy([[0], [1]] * 8, 2)
    instruments = QuietInstruments()
    profile = TaskProfile("toy", data.kind, len(data.labels), data.primary_metric)
    Xmlc().fit(data.train, data.validation, data.labels, Context(profile, Seeds(0), "cpu", 1, tmp_path, instruments))
    assert "no seed" in instruments.facts["varies"]
    assert Xmlc(XmlcSettings(trees="xr-linear")).varies() == ""


def test_nothing_is_drawn_on_the_terminal(
    kind: str, wipo: TaskData, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scored(fitted(wipo, tmp_path, trees=kind), wipo, tmp_path)
    sys.stdout.write("afterwards\n")
    assert capfd.readouterr() == ("afterwards\n", "")


def test_the_scratch_folder_holds_no_documents_afterwards(wipo: TaskData, tmp_path: Path) -> None:
    pytest.importorskip("omikuji")
    fitted(wipo, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("trees", "said", "remedy"),
    [("bonsai", "omikuji", "pip install omikuji"), ("xr-linear", "pecos", "pip install --no-deps libpecos==1.2.8")],
)
def test_without_its_library_it_says_what_brings_it(
    trees: str, said: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    method = Xmlc(XmlcSettings(trees=trees))
    available = method.availability()
    assert not available.ok
    assert said in available.reason
    assert available.remedy == remedy
    data = toy([[0], [1]], 2)
    with pytest.raises(UserError, match=remedy):
        method.fit(data.train, data.validation, data.labels, context(data, tmp_path))
