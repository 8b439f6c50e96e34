"""A build: from a corpus to two folders that ``AutoModel`` loads, resumed where it was interrupted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.files import new_folder, write_atomic
from bench.meters.environment import packages
from bench.model_files import write_checksums
from bench.pretraining.corpus import Corpus
from bench.pretraining.settings import BuildSettings
from bench.settings import settings_dict

if TYPE_CHECKING:
    from bench.method import Architecture
    from bench.pretraining.trainer import Course

ARCHITECTURES: tuple[Architecture, ...] = ("encoder", "decoder")

_WORK = ".build"
_VALIDATION_ROWS = 1_000
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")


@dataclass(frozen=True)
class Watch:
    """How a build tells where it stands.

    Attributes:
        say: Gets a line.
        step: Gets the architecture, steps done, steps in all and the latest training loss.
    """

    say: Callable[[str], None]
    step: Callable[[str, int, int, float | None], None]


@dataclass(frozen=True)
class Text:
    """A corpus as rows of token ids.

    Attributes:
        train: To learn from.
        validation: To measure by.
    """

    train: list[list[int]]
    validation: list[list[int]]


@dataclass(frozen=True)
class Made:
    """What is known of a network that was built.

    Attributes:
        architecture: ``encoder`` or ``decoder``.
        parameters: All of them.
        embeddings: Those that hold the vectors of tokens and places.
        tokens_read: Tokens of text read while training, special ones left out.
        epochs: How often the corpus was read, on average.
        validation_rows: Rows that the validation loss is taken over.
        course: Training and validation loss.
    """

    architecture: Architecture
    parameters: int
    embeddings: int
    tokens_read: int
    epochs: float
    validation_rows: int
    course: Course


@dataclass(frozen=True)
class Build:
    """One tokenizer and two networks from one corpus.

    Attributes:
        corpus: The text.
        settings: Everything else that the models follow from.
        out: Folder that gets a folder ``encoder`` and a folder ``decoder``.
        command: What to type to make them again; goes into the cards.
    """

    corpus: Corpus
    settings: BuildSettings
    out: Path
    command: str

    def run(self, watch: Watch) -> None:
        """Make what is not there yet.

        Raises:
            UserError: The folder holds a build from other text or with other settings.
        """
        self._claim()
        missing = [name for name in ARCHITECTURES if not (self.out / name).is_dir()]
        if missing:
            self._make(missing, watch)
        shutil.rmtree(self._work / "checkpoints", ignore_errors=True)

    @property
    def _work(self) -> Path:
        return self.out / _WORK

    def _claim(self) -> None:
        """Write down what is being built, or compare with what was."""
        wanted = {
            "corpus": self.corpus.fingerprint,
            "settings": settings_dict(self.settings),
            "libraries": {name: version for name, version in packages().items() if name in _LIBRARIES},
        }
        claim = self._work / "build.json"
        if claim.is_file():
            _compare(json.loads(claim.read_text("utf-8")), wanted, self.out)
        elif any((self.out / name).exists() for name in ARCHITECTURES):
            raise UserError(f"{self.out} holds models that were not built there; name another folder with --out")
        else:
            write_atomic(claim, json.dumps(wanted, indent=1).encode())

    def _make(self, architectures: Iterable[Architecture], watch: Watch) -> None:
        from bench.pretraining import tokenizer
        from bench.pretraining.card import write_card
        from bench.pretraining.rows import rows_of
        from bench.training import quiet

        corpus, settings = self.corpus, self.settings
        watch.say(f"tokenizer: {settings.vocabulary} tokens from {len(corpus.train)} documents")
        learnt = tokenizer.train(corpus.train.values(), settings.vocabulary)

        def rows(texts: Iterable[str]) -> list[list[int]]:
            encodings = learnt.encode_batch(list(texts), add_special_tokens=False)
            return rows_of([encoding.ids for encoding in encodings], settings.row_tokens)

        text = Text(rows(corpus.train.values()), _some(rows(corpus.validation.values())))
        for architecture in architectures:
            with quiet(), new_folder(self.out / architecture) as folder:
                made = self._train(architecture, text, folder, watch)
                tokenizer.write(learnt, architecture, folder)
                write_card(self, made, folder)
                write_checksums(folder)
            watch.say(f"{architecture}: validation loss {made.course.losses[-1][2]:.4f}; in {self.out / architecture}")

    def _train(self, architecture: Architecture, text: Text, folder: Path, watch: Watch) -> Made:
        """Train one network and write its weights in half precision."""
        from bench.pretraining.networks import draw, objective
        from bench.pretraining.rows import reading_order
        from bench.pretraining.trainer import Lesson, pretrain

        network = draw(architecture, self.settings)
        course = pretrain(
            network,
            Lesson(text.train, text.validation, objective(architecture, self.settings)),
            self.settings,
            self._work / "checkpoints" / architecture,
            lambda step, total, loss: watch.step(architecture, step, total, loss),
        )
        network.half().save_pretrained(folder)
        sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
        read = reading_order([len(row) for row in text.train], self.settings)
        return Made(
            architecture,
            sum(sizes.values()),
            sum(size for name, size in sizes.items() if "embed" in name and "norm" not in name.lower()),
            sum(len(text.train[row]) for row in read),
            len(read) / len(text.train),
            len(text.validation),
            course,
        )


def _some(rows: list[list[int]]) -> list[list[int]]:
    """At most 1,000 rows, evenly spread: enough for the third decimal, at little of the time."""
    return rows[:: -(-len(rows) // _VALIDATION_ROWS)]


def _compare(found: dict[str, Any], wanted: dict[str, Any], out: Path) -> None:
    if found == wanted:
        return
    parts = [part for part in wanted if found.get(part) != wanted[part]]
    settings = [key for key, value in wanted["settings"].items() if found["settings"].get(key) != value]
    words = ", ".join(f"{part} ({', '.join(settings)})" if part == "settings" else part for part in parts)
    raise UserError(
        f"{out} holds another build, with other {words}; name another folder with --out, or remove this one"
    )
