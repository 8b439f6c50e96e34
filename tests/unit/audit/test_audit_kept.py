"""What was measured once is kept beside the documents, and used only where it is of them."""

import json

import pytest

from bench.audit.kept import FILE, audited, deep_steps, quick_steps
from bench.audit.lengths import TokenizerFile
from bench.registry import Registry
from bench.task_cache import FrozenTask, freeze


@pytest.fixture
def frozen(plugins, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    registry = Registry.discover([plugins / "small.py"])
    return lambda **given: freeze(registry.get("task", "small-multi"), given, say=lambda line: None)


@pytest.fixture
def embedded():
    return TokenizerFile.of("embedded-encoder")


def told(task, steps=()):
    lines = []
    return audited(task, steps, lines.append), lines


def test_what_was_measured_is_not_measured_again(frozen, embedded, monkeypatch):
    steps = (*quick_steps(embedded), *deep_steps())
    first, lines = told(frozen(), steps)
    assert len(lines) == len(steps)
    monkeypatch.setattr(FrozenTask, "load", None)
    assert told(frozen(), steps) == (first, [])
    assert told(frozen()) == (first, [])


def test_parts_add_up(frozen, embedded):
    begun, _ = told(frozen())
    assert begun.words is None
    quick, lines = told(frozen(), quick_steps(embedded))
    assert (quick.sizes, quick.duplicates) == (begun.sizes, begun.duplicates)
    assert quick.words is not None
    assert lines == [step.doing for step in quick_steps(embedded)]


def test_other_documents_have_an_audit_of_their_own(frozen):
    assert told(frozen())[0].sizes.documents["train"] == 60
    assert told(frozen(size=40))[0].sizes.documents["train"] == 40
    assert told(frozen())[0].sizes.documents["train"] == 60


def test_what_a_limit_left_out_is_remembered(frozen):
    limited = told(frozen(train_documents=20))[0].sizes
    assert limited.documents["train"] == 20
    assert limited.unlimited == told(frozen())[0].sizes.documents


def test_tokens_are_counted_anew_for_another_tokenizer(frozen, embedded, tmp_path):
    told(frozen(), quick_steps(embedded))
    other = json.loads(embedded.path.read_text())
    other["post_processor"] = None  # without special tokens
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text(json.dumps(other))
    longest = told(frozen(), quick_steps(embedded))[0].tokens.splits["test"].lengths.longest
    audit, lines = told(frozen(), quick_steps(TokenizerFile.of(str(tmp_path))))
    assert lines == [f"counting tokens of {tmp_path}"]
    assert audit.tokens.splits["test"].lengths.longest < longest


@pytest.mark.parametrize("change", [{"version": 0}, {"fingerprint": "of others"}, {"sizes": None}, None])
def test_what_is_kept_of_another_version_or_is_broken_is_measured_anew(frozen, change):
    good, _ = told(frozen())
    path = frozen().folder / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "{")
    assert told(frozen())[0] == good
    assert json.loads(path.read_text())["version"] == good.version


def test_a_cache_that_cannot_be_written_is_told_and_does_no_harm(frozen, monkeypatch):
    def refuse(path, content):
        raise PermissionError("read-only")

    monkeypatch.setattr("bench.audit.kept.write_atomic", refuse)
    audit, lines = told(frozen())
    assert audit.sizes.documents["train"] == 60
    assert lines == ["the audit is not kept: read-only"]
