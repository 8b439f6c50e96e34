"""A build makes two models that load like any other, goes on where it stopped, and mixes nothing up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.model import resolve
from bench.pretraining.build import Build, Watch
from bench.pretraining.corpus import Corpus
from bench.pretraining.settings import BuildSettings

WORDS = (
    "sea",
    "ship",
    "wave",
    "salt",
    "bread",
    "oven",
    "flour",
    "dice",
    "card",
    "board",
    "star",
    "moon",
    "orbit",
    "sun",
)
SETTINGS = BuildSettings(steps=20, batch_size=4, row_tokens=32, vocabulary=320, width=32, depth=1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    def documents(kind: str, count: int) -> dict[str, str]:
        return {f"{kind}{n:02}": " ".join(WORDS[(n + step * 5) % 14] for step in range(20)) for n in range(count)}

    return Corpus(documents("train", 40), documents("validation", 5), {"words": "0123"}, left_out=0)


@pytest.fixture(scope="module")
def make(corpus: Corpus) -> Callable[..., Build]:
    def build(out: Path, settings: BuildSettings = SETTINGS) -> Build:
        return Build(corpus, settings, out, "bench models build")

    return build


@pytest.fixture(scope="module")
def whole(make: Callable[..., Build], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    make(out).run(Watch(lambda _: None, lambda *_: None))
    return out


@pytest.mark.parametrize("architecture", ["encoder", "decoder"])
def test_a_built_model_loads_like_any_other(whole: Path, architecture: str) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = resolve(str(whole / architecture))
    assert (model.architecture, model.from_scratch) == (architecture, False)
    network = AutoModel.from_pretrained(model.folder)
    assert network.dtype == torch.float16
    tokenizer = AutoTokenizer.from_pretrained(model.folder)
    ids = tokenizer("ship and salt").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "ship and salt"
    assert (tokenizer.decode(ids[0]), tokenizer.decode(ids[-1]) == "[SEP]") == (
        ("[CLS]", True) if architecture == "encoder" else ("<s>", False)
    )


@pytest.mark.parametrize("architecture", ["encoder", "decoder"])
def test_the_network_has_learnt(whole: Path, architecture: str) -> None:
    card = (whole / architecture / "README.md").read_text()
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ") and ". " not in line]
    losses = [float(cells[2]) for cells in rows if len(cells) == 3 and cells[0].strip().isdigit()]
    assert len(losses) == 10
    assert losses[-1] < losses[0] - 0.2


def test_the_card_says_how_to_make_the_model_again(whole: Path, corpus: Corpus) -> None:
    for architecture in ("encoder", "decoder"):
        card = (whole / architecture / "README.md").read_text()
        for fact in ("bench models build", corpus.fingerprint, "`words` | `0123`", "Seed 0", "`width` 32", "Not for"):
            assert fact in card
        assert "{" not in card


def test_an_interrupted_build_ends_where_an_undisturbed_one_does(
    make: Callable[..., Build], whole: Path, tmp_path: Path
) -> None:
    steps: list[tuple[str, int]] = []

    def watch(stop_at: tuple[str, int] | None) -> Watch:
        def step(name: str, done: int, _total: int, _loss: float | None) -> None:
            steps.append((name, done))
            if (name, done) == stop_at:
                raise KeyboardInterrupt

        return Watch(lambda _: None, step)

    for stop_at in (("encoder", 13), ("decoder", 7)):
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path).run(watch(stop_at))
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["encoder"]
    make(tmp_path).run(watch(None))
    assert steps.count(("encoder", 5)) == steps.count(("decoder", 5)) == 1
    for architecture in ("encoder", "decoder"):
        for name in ("model.safetensors", "tokenizer.json", "README.md"):
            assert (tmp_path / architecture / name).read_bytes() == (whole / architecture / name).read_bytes()
    assert not (tmp_path / ".build" / "checkpoints").exists()


def test_a_finished_build_is_not_made_again(make: Callable[..., Build], whole: Path) -> None:
    told: list[object] = []
    before = {file: file.stat().st_mtime_ns for file in whole.glob("*/*")}
    make(whole).run(Watch(told.append, lambda *step: told.append(step)))
    assert told == []
    assert {file: file.stat().st_mtime_ns for file in whole.glob("*/*")} == before


def test_another_build_does_not_mix_with_this_one(make: Callable[..., Build], whole: Path) -> None:
    with pytest.raises(UserError, match=r"other settings \(width\).*--out") as error:
        make(whole, SETTINGS.model_copy(update={"width": 64})).run(Watch(lambda _: None, lambda *_: None))
    assert "\n" not in str(error.value)


def test_the_seed_changes_the_weights(make: Callable[..., Build], whole: Path, tmp_path: Path) -> None:
    make(tmp_path, SETTINGS.model_copy(update={"seed": 1})).run(Watch(lambda _: None, lambda *_: None))
    first, second = (folder / "encoder" / "model.safetensors" for folder in (whole, tmp_path))
    assert first.read_bytes() != second.read_bytes()


def test_one_model_can_be_taken_out_and_made_again(make: Callable[..., Build], whole: Path, tmp_path: Path) -> None:
    out = shutil.copytree(whole, tmp_path / "copy")
    shutil.rmtree(out / "decoder")
    make(out).run(Watch(lambda _: None, lambda *_: None))
    first, second = (folder / "decoder" / "model.safetensors" for folder in (whole, out))
    assert first.read_bytes() == second.read_bytes()
