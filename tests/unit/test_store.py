"""Records are whole or absent, and a bad one takes no good one with it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.record import Identity, Record
from bench.runner.job import new_record
from bench.store import Store, latest


def record(cell="c1", slot="s1", status="ok", **more):
    made = new_record(Identity(task="t", method="m"), cell, slot, status)
    return made.model_copy(update=more)


def test_what_is_put_comes_back(tmp_path):
    store = Store(tmp_path)
    put = record(metrics={"micro_f1": 0.5, "p@1": None})
    store.put(put)
    assert store.get("c1", pytest.fail) == put
    assert store.all(pytest.fail) == [put]


def test_putting_again_replaces(tmp_path):
    store = Store(tmp_path)
    store.put(record(reason="old", status="failed"))
    store.put(record())
    assert store.get("c1", pytest.fail).status == "ok"
    assert [path.name for path in store.cells.iterdir()] == ["c1"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"schema_version": 99}', b'{"schema_version": 1}', b"null", b'"text"'],
)
def test_a_corrupt_record_is_set_aside_alone(tmp_path, content):
    store = Store(tmp_path)
    store.put(record("good"))
    store.put(record("bad"))
    (store.folder("bad") / "record.json").write_bytes(content)
    told = []
    assert [r.cell for r in store.all(told.append)] == ["good"]
    assert [c.cell for c in told] == ["bad"]
    assert (told[0].moved_to / "record.json").read_bytes() == content
    assert store.get("bad", pytest.fail) is None


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 400), flip=st.integers(0, 255))
def test_no_damage_goes_unnoticed_as_an_exception(tmp_path_factory, cut, flip):
    """Any truncation either leaves the record readable or sets it aside; nothing else is raised."""
    store = Store(tmp_path_factory.mktemp("store"))
    store.put(record())
    path = store.folder("c1") / "record.json"
    content = bytearray(path.read_bytes())
    content[cut % len(content)] = flip
    path.write_bytes(bytes(content[: -1 - cut]))
    told = []
    assert (store.get("c1", told.append) is None) == bool(told)


def test_a_record_under_a_wrong_name_is_corrupt(tmp_path):
    store = Store(tmp_path)
    store.put(record("c1"))
    store.folder("c1").rename(store.folder("c2"))
    told = []
    assert store.get("c2", told.append) is None
    assert "c1" in told[0].reason


def test_unknown_keys_of_a_record_are_kept(tmp_path):
    """A record of a later minor version keeps what this one does not know."""
    store = Store(tmp_path)
    store.put(record())
    path = store.folder("c1") / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "added_later": [1, 2]}))
    assert store.get("c1", pytest.fail).model_dump()["added_later"] == [1, 2]


def test_the_latest_record_stands_for_its_slot():
    old = record("c1", finished_at="2026-01-01T00:00:00.000+00:00")
    new = record("c2", finished_at="2026-01-02T00:00:00.000+00:00")
    other = record("c3", "s2", finished_at="2025-01-02T00:00:00.000+00:00")
    assert {r.cell for r in latest([new, old, other])} == {"c2", "c3"}


def test_the_record_that_the_last_run_meant_stands_before_later_ones():
    """A change was tried and taken back: what was there before it counts again, though it is older."""
    before = record("c1", finished_at="2026-01-01T00:00:00.000+00:00")
    tried = record("c2", finished_at="2026-01-02T00:00:00.000+00:00")
    assert latest([before, tried], {"s1": "c1"}) == latest([tried, before], {"s1": "c1"}) == [before]
    assert latest([before, tried], {"s1": "never run"}) == [tried]
    gone = before.model_copy(update={"status": "unavailable"})
    assert latest([gone, tried], {"s1": "c1"}) == [tried]


def test_what_stands_is_what_the_plan_names(tmp_path):
    store = Store(tmp_path)
    store.put(record("c1", finished_at="2026-01-01T00:00:00.000+00:00"))
    store.put(record("c2", finished_at="2026-01-02T00:00:00.000+00:00"))
    assert [r.cell for r in store.standing(pytest.fail)] == ["c2"]
    store.save_plan([{"slot": "s1", "cell": "c1", "identity": {"task": "t", "method": "m"}}])
    assert [r.cell for r in store.standing(pytest.fail)] == ["c1"]
    store.save_plan([{"slot": "s1", "cell": "c2", "identity": {"task": "t", "method": "m"}}])
    assert [r.cell for r in store.standing(pytest.fail)] == ["c2"]


def test_interrupted_writes_are_cleared_by_the_next_writer(tmp_path):
    store = Store(tmp_path)
    store.put(record())
    (store.cells / ".half.1234.tmp").mkdir()
    (store.cells / ".half.1234.tmp" / "record.json").write_text("{}")
    assert [r.cell for r in store.all(pytest.fail)] == ["c1"]
    with store.writing():
        assert [path.name for path in store.cells.iterdir()] == ["c1"]


def test_record_schema_lists_what_scripts_rely_on():
    names = set(Record.model_json_schema()["properties"])
    assert names >= {
        "cell", "task", "method", "model", "seed", "status", "reason", "finished_at", "metrics", "seconds",
        "documents_per_second", "tokens_per_second", "peak_mib",
    }  # fmt: skip


def test_a_run_that_fails_takes_no_result_with_it(tmp_path):
    store = Store(tmp_path)
    store.put(record(metrics={"micro_f1": 0.5}))
    told = store.put(record(status="timeout", reason="took too long"))
    assert store.get("c1", pytest.fail).metrics == {"micro_f1": 0.5}
    assert told.status == "timeout"
    aside = tmp_path / "set-aside" / "c1"
    assert told.reason == f"took too long; the result of an earlier run is kept, this one is set aside in {aside}"
    assert json.loads((aside / "record.json").read_text())["reason"] == "took too long"
    assert [path.name for path in store.cells.iterdir()] == ["c1"]
    store.put(record(metrics={"micro_f1": 0.6}))
    assert store.get("c1", pytest.fail).metrics == {"micro_f1": 0.6}


def test_what_cannot_be_read_is_no_result(tmp_path):
    store = Store(tmp_path)
    store.put(record())
    (store.folder("c1") / "record.json").write_bytes(b"{")
    store.put(record(status="failed", reason="bad"))
    assert store.get("c1", pytest.fail).reason == "bad"
