"""The file of what was found."""

import pytest

from bench.errors import UserError
from bench.suite import load_suite
from bench.tuned import Tuned, found_for, hashed_ids, less, read_tuned, sampled_ids, write_tuned


def tuned(task="debtags", fingerprint="f1", method="tfidf", model=None, **more):
    values = {"settings": {"c": 1.0, "ngrams": 2}, "metric": "micro_f1", "best": 0.6, "default": 0.5, "trials": 4}
    rest = {"seconds": 1.5, "search": "TPE", "space": {"c": "log:0.1..10"}, "validation_ids": []}
    return Tuned(task=task, task_fingerprint=fingerprint, method=method, model=model, **(values | rest | more))


def test_a_later_entry_takes_the_place_of_its_own_only(tmp_path):
    path = tmp_path / "tuned.yaml"
    write_tuned(path, [tuned(), tuned(method="bert", model="a/b")])
    write_tuned(path, [tuned(best=0.7), tuned(fingerprint="f2")])
    found = {(one.method, one.task_fingerprint): one.best for one in read_tuned(path)}
    assert found == {("tfidf", "f1"): 0.7, ("tfidf", "f2"): 0.6, ("bert", "f1"): 0.6}


def test_a_smaller_budget_takes_nothing_back(tmp_path):
    path = tmp_path / "tuned.yaml"
    write_tuned(path, [tuned(trials=6, best=0.9)])
    write_tuned(path, [tuned(trials=1, best=0.4)])
    assert read_tuned(path)[0].trials == 6
    for other in ({"space": {"c": "1,2"}}, {"seed": 1}, {"fixed": {"ngrams": 1}}):
        write_tuned(path, [tuned(trials=6, best=0.9)])
        write_tuned(path, [tuned(trials=1, best=0.4, **other)])
        assert read_tuned(path)[0].trials == 1
        path.unlink()


def test_ids_are_told_by_a_sample():
    ids = [f"document {n}" for n in range(5000)]
    some = sampled_ids(ids)
    assert len(some) == 100
    assert set(some).isdisjoint(hashed_ids(f"other {n}" for n in range(5000)))
    assert not set(some).isdisjoint(hashed_ids(ids[::5]))


def test_the_very_documents_come_before_others_of_the_task():
    entries = [tuned(fingerprint="f1"), tuned(fingerprint="f2", best=0.9)]
    assert found_for(entries, "debtags", "f2", "tfidf", None).best == 0.9
    assert found_for(entries, "debtags", "f1", "tfidf", None).best == 0.6
    assert found_for(entries, "debtags", "f3", "tfidf", None) is not None
    assert found_for(entries, "debtags", "f1", "tfidf", "a/b") is None
    assert found_for(entries, "other", "f1", "tfidf", None) is None


def test_a_setting_is_taken_out_of_its_owner_only():
    entries = (tuned(), tuned(method="bert"), tuned(task="other"))
    assert [set(one.settings) for one in less(entries, "tfidf", "c")] == [{"ngrams"}, {"c", "ngrams"}, {"ngrams"}]
    assert [set(one.settings) for one in less(entries, "other/tfidf", "c")] == [{"c", "ngrams"}] * 2 + [{"ngrams"}]


@pytest.mark.parametrize("content", ["", "a: 1", "- {task: x}", "- 1", "[", "\xff"])
def test_what_is_no_such_file_is_told(tmp_path, content):
    path = tmp_path / "tuned.yaml"
    path.write_text(content, "latin-1")
    with pytest.raises(UserError, match="not what `bench tune` writes"):
        read_tuned(path)


def test_a_suite_names_it_from_where_it_lies(tmp_path):
    write_tuned(tmp_path / "found.yaml", [tuned()])
    (tmp_path / "mine.yaml").write_text("tuned: found.yaml\n")
    assert load_suite(str(tmp_path / "mine.yaml")).tuned == (tuned(),)
    (tmp_path / "mine.yaml").write_text("tuned: elsewhere.yaml\n")
    with pytest.raises(UserError, match=r"elsewhere.yaml: no such file"):
        load_suite(str(tmp_path / "mine.yaml"))
