"""What `bench run` keeps of test documents beside the results, and what the report makes of it."""

import json
import shutil

import pytest


@pytest.fixture
def run(bench, plugins, tmp_path):
    def call(*words, out="runs"):
        done = bench("run", "--plugins", plugins / "small.py", *words, "--json", "--out", tmp_path / out)
        assert done.code == 0, done.err
        return json.loads(done.out)

    return call


def kept(folder):
    from bench.collection import read_collection
    from bench.store import Store

    return {path.name: read_collection(Store(folder), path.name) for path in (folder / "documents").glob("*")}


def test_documents_are_kept_once_for_each_collection_and_shown(run, bench, tmp_path):
    words = ("-t", "small-single", "-t", "small-multi", "-m", "words", "-m", "emitter", "-m", "chance")
    records = run(*words)
    found = kept(tmp_path / "runs")
    assert set(found) == {record["identity"]["task_fingerprint"] for record in records}
    assert sorted(len(one.texts) for one in found.values()) == [30, 30]
    assert bench("report", "--out", tmp_path / "runs").code == 0
    report = (tmp_path / "runs" / "report.md").read_text()
    for title in ("Labels", "What is confused", "Can the scores be believed", "Documents that are hard"):
        assert report.count(f"### {title}\n") == 2, title
    text = next(text for one in found.values() for text in one.texts.values() if text in report)
    assert text in (tmp_path / "runs" / "report.html").read_text()


def test_results_that_have_none_get_them_without_running_again(run, tmp_path):
    words = ("-t", "small-single", "-m", "words")
    before = run(*words)
    shutil.rmtree(tmp_path / "runs" / "documents")
    assert run(*words) == before
    assert len(kept(tmp_path / "runs")) == 1


def test_no_texts(run, bench, tmp_path):
    words = ("-t", "small-single", "-m", "words", "-m", "chance")
    names = [record["cell"] for record in run(*words)]
    without = run(*words, "--no-texts", out="without")
    assert [record["cell"] for record in without] == names
    ((_, found),) = kept(tmp_path / "without").items()
    assert not found.texts
    assert found.labels == ("x", "y", "z")
    assert bench("report", "--out", tmp_path / "without").code == 0
    assert "kept out of the results (--no-texts)" in (tmp_path / "without" / "report.md").read_text()


def test_a_dry_run_keeps_nothing(bench, plugins, tmp_path):
    out = tmp_path / "runs"
    assert bench("run", "--plugins", plugins / "small.py", "-t", "small-single", "-m", "words", "--dry-run", "--out",
                 out).code == 0  # fmt: skip
    assert not (out / "documents").exists()
