"""Two small tasks and quick methods, for running the harness itself."""

import random
from collections import Counter

from pydantic import Field

from bench.method import Method
from bench.prediction import LabelSets, Scores, TopScores
from bench.settings import Settings
from bench.task import Documents, LabelSpace, Task, TaskData, TaskSettings


class SmallSettings(TaskSettings):
    """Settings of the small tasks."""

    size: int = Field(60, ge=10, description="training documents")


class SmallSingle(Task):
    """Twenty words, three labels: the label is the first word."""

    name = "small-single"
    Config = SmallSettings

    def load(self):
        rng = random.Random(5)

        def split(name, n):
            labels = [[rng.randrange(3)] for _ in range(n)]
            texts = [f"w{row[0]} " + " ".join(f"c{rng.randrange(17)}" for _ in range(5)) for row in labels]
            return Documents([f"{name}-{i}" for i in range(n)], texts, labels)

        size = self.config.size
        return TaskData(split("a", size), split("b", 20), split("c", 30), LabelSpace(("x", "y", "z")), "single")


class SmallMulti(Task):
    """Twenty words, six labels in two families: every label puts its word into the text."""

    name = "small-multi"
    Config = SmallSettings

    def load(self):
        rng = random.Random(7)

        def split(name, n):
            labels = [sorted(rng.sample(range(6), rng.randrange(1, 4))) for _ in range(n)]
            texts = [" ".join([f"w{label}" for label in row] + [f"c{rng.randrange(17)}"]) for row in labels]
            return Documents([f"{name}-{i}" for i in range(n)], texts, labels)

        names = tuple(f"{family}::{n}" for family in "pq" for n in range(3))
        space = LabelSpace(names, tuple((name[0],) for name in names))
        return TaskData(split("a", self.config.size), split("b", 20), split("c", 30), space, "multi")


class WordSettings(Settings):
    """Settings of the word counter."""

    weight: float = Field(1.0, gt=0, description="weight of a seen word")


class Words(Method):
    """Scores a label by the words it was seen with."""

    name = "words"
    Config = WordSettings

    def fit(self, train, validation, labels, context):
        self.n = len(labels)
        self.counts = Counter(
            (word, label)
            for text, row in zip(train.texts, train.labels, strict=True)
            for word in text.split()
            for label in row
        )

    def predict(self, texts, context):
        import numpy as np

        scores = np.zeros((len(texts), self.n), dtype=np.float32)
        for i, text in enumerate(texts):
            for label in range(self.n):
                scores[i, label] = sum(self.config.weight * self.counts[word, label] for word in text.split())
        return Scores(scores)


class SparseWords(Words):
    """The same, as sparse scores."""

    name = "sparse-words"

    def predict(self, texts, context):
        from scipy.sparse import csr_matrix

        return TopScores(csr_matrix(super().predict(texts, context).values))


class Emitter(Words):
    """Emits the best label of the word counter as a bare set, and nothing for every tenth document."""

    name = "emitter"

    def predict(self, texts, context):
        best = super().predict(texts, context).values.argmax(axis=1)
        sets = [[] if i % 10 == 9 else [int(label)] for i, label in enumerate(best)]
        return LabelSets(sets, [f"label {row}" for row in sets], {"parse_failures": sum(not row for row in sets)})


class Chance(Words):
    """Random scores from the cell's seed."""

    name = "chance"

    def predict(self, texts, context):
        import numpy as np

        rng = np.random.default_rng(context.seeds.of("scores"))
        return Scores(rng.random((len(texts), self.n), dtype=np.float32))


class Surroundings(Words):
    """Notes what its process was given."""

    name = "surroundings"

    def fit(self, train, validation, labels, context):
        import os

        super().fit(train, validation, labels, context)
        names = ("HF_HUB_OFFLINE", "OMP_NUM_THREADS", "GOMP_SPINCOUNT")
        context.note(text_hash=hash("text"), **{name: os.environ.get(name) for name in names})
