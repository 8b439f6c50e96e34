"""Methods that each break one promise of the contract, and one that keeps them all."""

import json
import random
from collections import Counter

from pydantic import ConfigDict, Field

from bench.method import Method, Support
from bench.prediction import LabelSets, Scores, TopScores
from bench.settings import Settings
from bench.task import Availability


class Keeps(Method):
    """Scores a label by the words it was seen with."""

    name = "keeps"

    def fit(self, train, validation, labels, context):
        self.n = len(labels)
        self.counts = Counter(
            (word, label)
            for text, row in zip(train.texts, train.labels, strict=True)
            for word in set(text.split())
            for label in row
        )

    def predict(self, texts, context):
        import numpy as np

        return Scores(np.array([self.scores(text) for text in texts], dtype=np.float32))

    def scores(self, text):
        """For each label the share that it has in those words of the text that some label lacks."""
        found = [[self.counts[word, label] for label in range(self.n)] for word in text.split()]
        return [sum(row[label] / max(1, sum(row)) for row in found if not all(row)) for label in range(self.n)]


class Emits(Keeps):
    """Emits sets without scores: the labels that score more than half of the best."""

    name = "emits"

    def predict(self, texts, context):
        best = [self.best(text, context.task.kind) for text in texts]
        return LabelSets(best, [str(labels) for labels in best])

    def best(self, text, kind):
        scores = self.scores(text)
        ranked = sorted(range(self.n), key=lambda label: -scores[label])
        most = max(scores)
        return ranked[:1] if kind == "single" else [label for label in ranked if scores[label] * 2 > most]


class SingleOnly(Keeps):
    """Learns single-label tasks only, and says so."""

    name = "single-only"

    def supports(self, task):
        return Support(task.kind == "single", "" if task.kind == "single" else "one label a document")

    def fit(self, train, validation, labels, context):
        assert context.task.kind == "single"
        super().fit(train, validation, labels, context)


class NoDocstring(Keeps):
    name = "no-docstring"


class UndescribedSettings(Settings):
    """One without a description."""

    weight: float = 1.0


class Undescribed(Keeps):
    """Has a setting that nobody explains."""

    name = "undescribed"
    Config = UndescribedSettings


class OutOfRangeSettings(Settings):
    """One whose default is off."""

    weight: float = Field(-1.0, gt=0, description="weight")


class BadDefault(Keeps):
    """Has a default that it refuses itself."""

    name = "bad-default"
    Config = OutOfRangeSettings


class OtherConfig(Keeps):
    """Has a dictionary for settings."""

    name = "other-config"
    Config = {"weight": 1.0}  # noqa: RUF012


class LaxSettings(Settings):
    """Takes anything."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Lax(Keeps):
    """Takes settings that it does not have."""

    name = "lax"
    Config = LaxSettings


class LacksLibrary(Keeps):
    """Needs a library that is not there."""

    name = "lacks-library"

    def availability(self):
        return Availability(False, "abacus is not installed", "pip install abacus")


class SaysTrue(Keeps):
    """Says bare true."""

    name = "says-true"

    def supports(self, task):
        return True


class RefusesDumbly(Keeps):
    """Refuses without a word."""

    name = "refuses-dumbly"

    def supports(self, task):
        return Support(task.kind == "single")


class RefusesAll(Keeps):
    """Refuses everything."""

    name = "refuses-all"

    def supports(self, task):
        return Support(False, "no reason is good enough")


class Raises(Keeps):
    """Raises in training."""

    name = "raises-in-fit"

    def fit(self, train, validation, labels, context):
        raise ValueError("no learning today")


class ReturnsList(Keeps):
    """Returns a bare list."""

    name = "returns-list"

    def predict(self, texts, context):
        return super().predict(texts, context).values.tolist()


class TooFew(Keeps):
    """Leaves out the last document."""

    name = "too-few"

    def predict(self, texts, context):
        return super().predict(texts[:-1], context)


class Double(Keeps):
    """Scores in double precision."""

    name = "double"

    def predict(self, texts, context):
        return Scores(super().predict(texts, context).values.astype(float))


class Logarithm(Keeps):
    """Takes the logarithm of nothing."""

    name = "logarithm"

    def predict(self, texts, context):
        import numpy as np

        with np.errstate(divide="ignore"):
            return Scores(np.log(super().predict(texts, context).values))


class OutOfRange(Emits):
    """Counts labels from 1."""

    name = "out-of-range"

    def best(self, text, kind):
        return [label + 1 for label in super().best(text, kind)] if "today" in text else super().best(text, kind)


class Twice(Emits):
    """Says every label twice."""

    name = "twice"

    def best(self, text, kind):
        return super().best(text, kind) * 2


class TwoOfOne(Emits):
    """Gives two labels where a document has one."""

    name = "two-of-one"

    def best(self, text, kind):
        found = super().best(text, kind)
        return [*found, (found[0] + 1) % self.n] if kind == "single" and "today" in text else found


class Unseeded(Keeps):
    """Draws from a generator that nobody seeded."""

    name = "unseeded"

    def fit(self, train, validation, labels, context):
        super().fit(train, validation, labels, context)
        self.jitter = random.SystemRandom().random() / 10

    def predict(self, texts, context):
        import numpy as np

        return Scores((super().predict(texts, context).values + self.jitter).astype(np.float32))


class Varies(Unseeded):
    """Draws from such a generator, and says so."""

    name = "varies"

    def varies(self):
        return "the abacus takes no seed"


class BatchNormalised(Keeps):
    """Divides by the batch's largest score."""

    name = "batch-normalised"

    def predict(self, texts, context):
        scores = super().predict(texts, context).values
        return Scores(scores / max(1.0, scores.max()))


class Remembers(Keeps):
    """Lets a document's place in the batch count."""

    name = "remembers"

    def predict(self, texts, context):
        import numpy as np

        scores = super().predict(texts, context).values
        return Scores(scores + np.arange(len(texts), dtype=np.float32)[:, None])


class ChangesInputs(Keeps):
    """Shouts, in place."""

    name = "changes-inputs"

    def fit(self, train, validation, labels, context):
        super().fit(train, validation, labels, context)
        train.texts[:] = [text.upper() for text in train.texts]
        train.texts[:] = [text.lower() + " " for text in train.texts]


class ShortWords(Keeps):
    """Cannot bear a text of one character."""

    name = "short-words"

    def predict(self, texts, context):
        if any(len(text) < 2 for text in texts):
            raise IndexError("string index out of range")
        return super().predict(texts, context)


class CountsLabels(Keeps):
    """Counts labels in the documents."""

    name = "counts-labels"

    def fit(self, train, validation, labels, context):
        super().fit(train, validation, labels, context)
        self.n = 1 + max(label for row in train.labels for label in row)


class NeedsLabels(Keeps):
    """Looks at the first label of every document."""

    name = "needs-labels"

    def fit(self, train, validation, labels, context):
        self.first = [row[0] for row in train.labels]
        super().fit(train, validation, labels, context)


class SavesOnly(Keeps):
    """Saves and cannot load."""

    name = "saves-only"

    def save(self, folder):
        (folder / "counts").write_text("")


class Forgets(SavesOnly):
    """Loads nothing of what it learnt."""

    name = "forgets"

    def load(self, folder, labels, context):
        self.n, self.counts = len(labels), Counter()


class Saves(Keeps):
    """Saves and loads."""

    name = "saves"

    def save(self, folder):
        (folder / "counts.json").write_text(json.dumps([[*key, n] for key, n in self.counts.items()]))

    def load(self, folder, labels, context):
        self.n = len(labels)
        self.counts = Counter({(w, label): n for w, label, n in json.loads((folder / "counts.json").read_text())})


class Greedy(Keeps):
    """Takes all threads there are."""

    name = "greedy"

    def fit(self, train, validation, labels, context):
        from threadpoolctl import threadpool_limits

        super().fit(train, validation, labels, context)
        threadpool_limits(4)


class Litters(Keeps):
    """Leaves a file where it stands."""

    name = "litters"

    def fit(self, train, validation, labels, context):
        from pathlib import Path

        super().fit(train, validation, labels, context)
        Path("checkpoint.bin").write_text("")


class NotesArrays(Keeps):
    """Notes what no record can hold."""

    name = "notes-arrays"

    def fit(self, train, validation, labels, context):
        import numpy as np

        super().fit(train, validation, labels, context)
        context.note(loss=np.float32(1.5))


class MixesUp(Keeps):
    """Mixes labels up."""

    name = "mixes-up"

    def predict(self, texts, context):
        import numpy as np

        return Scores(np.roll(super().predict(texts, context).values, 1, axis=1))


class EmitsAnyOrder(Emits):
    """Emits the same labels in another order at every second fit."""

    name = "emits-any-order"
    fits = 0

    def fit(self, train, validation, labels, context):
        super().fit(train, validation, labels, context)
        EmitsAnyOrder.fits += context.task.kind == "multi"
        self.step = -1 if self.fits % 2 else 1

    def best(self, text, kind):
        return super().best(text, kind)[:: self.step]


class SparseNan(Keeps):
    """Has no score for a text of one character."""

    name = "sparse-nan"

    def predict(self, texts, context):
        import numpy as np
        from scipy.sparse import csr_matrix

        scores = super().predict(texts, context).values + np.float32(1e-6)
        scores[[len(text) < 2 for text in texts]] = np.nan
        return TopScores(csr_matrix(scores))


class OddLabel(Emits):
    """Labels what it does not know -1."""

    name = "odd-label"

    def best(self, text, kind):
        return super().best(text, kind) if any(self.scores(text)) else [-1]


class OddColumn(Keeps):
    """Has one column for what it does not know."""

    name = "odd-column"

    def predict(self, texts, context):
        scores = super().predict(texts, context)
        return scores if scores.values.any() else Scores(scores.values[:, :1])


class LoadsShort(Saves):
    """Labels one document less, once loaded."""

    name = "loads-short"
    first = 0

    def load(self, folder, labels, context):
        super().load(folder, labels, context)
        self.first = 1

    def predict(self, texts, context):
        return super().predict(texts[self.first :], context)


class GreedyLater(Keeps):
    """Takes all threads for documents that come alone."""

    name = "greedy-later"

    def predict(self, texts, context):
        from threadpoolctl import threadpool_limits

        if len(texts) == 1:
            threadpool_limits(4)
        return super().predict(texts, context)


class LittersLater(Keeps):
    """Leaves a file where it stands for documents that come alone."""

    name = "litters-later"

    def predict(self, texts, context):
        from pathlib import Path

        if len(texts) == 1:
            Path("answer.txt").write_text("")
        return super().predict(texts, context)


class NotesNan(Keeps):
    """Notes what JSON does not know."""

    name = "notes-nan"

    def fit(self, train, validation, labels, context):
        super().fit(train, validation, labels, context)
        context.note(loss=float("nan"))


class HalfBroken(MixesUp):
    """Ignores documents of one label, mixes the labels of the others up."""

    name = "half-broken"

    def predict(self, texts, context):
        import numpy as np

        if context.task.kind == "single":
            return Scores(np.tile(np.arange(self.n, dtype=np.float32), (len(texts), 1)))
        return super().predict(texts, context)


class Ignores(Keeps):
    """Ignores what documents say."""

    name = "ignores"

    def predict(self, texts, context):
        import numpy as np

        return Scores(np.tile(np.arange(self.n, dtype=np.float32), (len(texts), 1)))
