"""``bench models build`` from a task to two models that methods start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SIZES = ("width=32", "depth=1", "batch_size=8", "vocabulary=400")
WORDS = ("-t", "synthetic-clv", "--steps", "50", *(word for size in SIZES for word in ("--set", size)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A pair made from a synthetic task in 50 steps, and what the command said."""
    from commands import call

    out = tmp_path_factory.mktemp("pair")
    called = call("models", "build", "--out", out, *WORDS)
    assert called.code == 0, called.err
    return out, called.out + called.err


@pytest.mark.slow
def test_it_says_what_it_read_and_what_to_do_next(built: tuple[Path, str]) -> None:
    out, said = built
    assert "fingerprint" in said
    assert "encoder: validation loss" in said
    assert f"bench run --all --model {out / 'encoder'} --model {out / 'decoder'}" in said
    assert (out / "decoder" / "SHA256SUMS").is_file()


@pytest.mark.slow
def test_methods_start_from_what_was_built(bench, built: tuple[Path, str], tmp_path: Path) -> None:
    out, _ = built
    words = ["run", "-t", "synthetic-clv", "-m", "bert", "-m", "embedding-head", "--out", tmp_path, "--json"]
    words += ["--model", out / "encoder", "--model", out / "decoder"]
    words += ["--set", "epochs=1", "--set", "train_documents=40", "--set", "validation_documents=20"]
    called = bench(*words, "--set", "test_documents=20", "--set", "max_tokens=32")
    assert called.code == 0, called.err
    records = json.loads(called.out)
    assert {(record["method"], record["model"].partition("@")[0]) for record in records} == {
        ("bert", "encoder"),
        ("embedding-head", "decoder"),
    }
    assert not any(record["from_scratch"] for record in records)


@pytest.mark.slow
def test_the_same_command_again_makes_nothing_anew(bench, built: tuple[Path, str]) -> None:
    out, _ = built
    before = {file: file.stat().st_mtime_ns for file in out.glob("*/*")}
    assert bench("models", "build", "--out", out, *WORDS).code == 0
    assert {file: file.stat().st_mtime_ns for file in out.glob("*/*")} == before


@pytest.mark.slow
def test_other_settings_in_the_same_folder_are_refused(bench, built: tuple[Path, str]) -> None:
    out, _ = built
    called = bench("models", "build", "--out", out, "-t", "synthetic-clv", "--steps", "60")
    assert called.code == 2
    assert "other settings (" in called.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "widht=64"], "did you mean 'width'"),
        (["--set", "width=many"], "width='many'"),
        (["-t", "debtag"], "did you mean 'debtags'"),
    ],
)
def test_a_word_that_is_off_is_refused(bench, words: list[str], said: str, tmp_path: Path) -> None:
    called = bench("models", "build", "--out", tmp_path / "pair", *words)
    assert called.code == 2
    assert said in called.err
    assert not (tmp_path / "pair").exists()
