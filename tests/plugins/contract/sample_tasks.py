"""Tasks that each break one promise of the contract, and one that keeps them all."""

import random
import time
import uuid
from dataclasses import replace

from bench.task import Availability, Documents, LabelSpace, Task, TaskData, TaskSettings


class KeepsTask(Task):
    """Four topics, a word each."""

    name = "keeps-task"

    def load(self):
        def split(name, size):
            ids = [f"{name}-{i}" for i in range(size)]
            return Documents(ids, [f"w{i % 4} of {name} {i}" for i in range(size)], [[i % 4] for i in range(size)])

        labels = LabelSpace(("a", "b", "c", "d"))
        return TaskData(split("train", 24), split("validation", 8), split("test", 12), labels, "single")


class LoadsToAnswer(KeepsTask):
    """Loads everything to say whether it is there."""

    name = "loads-to-answer"

    def availability(self):
        self.load()
        return Availability()


class Swallows(KeepsTask):
    """Loads everything to say whether it is there, and takes every error for no."""

    name = "swallows"

    def availability(self):
        try:
            self.load()
        except Exception:
            return Availability(False, "no file letters.csv", "bench prepare swallows")
        return Availability()


class Waits(KeepsTask):
    """Waits before it answers."""

    name = "waits"

    def availability(self):
        time.sleep(4)
        return Availability()


class AnswersTrue(KeepsTask):
    """Says bare true."""

    name = "answers-true"

    def availability(self):
        return True


class NoRemedy(KeepsTask):
    """Does not say what to do."""

    name = "no-remedy"

    def availability(self):
        return Availability(False, "it is not here")


class Absent(KeepsTask):
    """Is elsewhere."""

    name = "absent"

    def availability(self):
        return Availability(False, "no file letters.csv", "bench prepare absent")


class StampsTime(KeepsTask):
    """Stamps with something new every time."""

    name = "stamps-time"

    def stamp(self):
        return uuid.uuid4().hex


class StampsObject(KeepsTask):
    """Stamps with what JSON does not know."""

    name = "stamps-object"

    def stamp(self):
        return {1, 2}


class ReturnsDict(KeepsTask):
    """Loads a dictionary."""

    name = "returns-dict"

    def load(self):
        return {"train": []}


class NoTest(KeepsTask):
    """Has no test documents."""

    name = "no-test"

    def load(self):
        return replace(super().load(), test=Documents([], [], []))


class BytesTexts(KeepsTask):
    """Has texts that are bytes."""

    name = "bytes-texts"

    def load(self):
        data = super().load()
        return replace(data, train=replace(data.train, texts=[b"x", *data.train.texts[1:]]))


class NewIds(KeepsTask):
    """Makes ids up."""

    name = "new-ids"

    def load(self):
        data = super().load()
        return replace(data, train=replace(data.train, ids=[uuid.uuid4().hex for _ in data.train.ids]))


class OrderOfSets(KeepsTask):
    """Takes documents in the order of a set."""

    name = "order-of-sets"

    def load(self):
        data = super().load()
        place = {id_: i for i, id_ in enumerate(data.train.ids)}
        return replace(data, train=data.train.take([place[id_] for id_ in set(data.train.ids)]))


class NewTexts(KeepsTask):
    """Makes texts up."""

    name = "new-texts"

    def load(self):
        data = super().load()
        texts = [f"{text} {random.SystemRandom().random()}" for text in data.train.texts]
        return replace(data, train=replace(data.train, texts=texts))


class UnlimitedSettings(TaskSettings):
    """Knows no limits."""

    def limits(self):
        return {}


class Unlimited(KeepsTask):
    """Gives all documents, whatever was asked."""

    name = "unlimited"
    Config = UnlimitedSettings


class LineBreaks(KeepsTask):
    """Has a line break in a label."""

    name = "line-breaks"

    def load(self):
        return replace(super().load(), labels=LabelSpace(("a", "b\nb", "c", "d")))


class UnknownMetric(KeepsTask):
    """Judged by a metric that does not exist."""

    name = "unknown-metric"

    def load(self):
        return replace(super().load(), primary_metric="macro_f")


class UndefinedMetric(KeepsTask):
    """Judged by a hierarchy that it does not have."""

    name = "undefined-metric"

    def load(self):
        return replace(super().load(), primary_metric="hierarchical_f1")


class SortedSplits(KeepsTask):
    """Was cut out of a sorted file."""

    name = "sorted-splits"

    def load(self):
        data = super().load()
        return replace(data, train=replace(data.train, labels=[[i % 2] for i in range(24)]),
                       test=replace(data.test, labels=[[2 + i % 2] for i in range(12)]))  # fmt: skip


class RareUnseen(KeepsTask):
    """Has one rare label in test only."""

    name = "rare-unseen"

    def load(self):
        data = super().load()
        train = replace(data.train, labels=[[i % 3] for i in range(24)])
        return replace(data, train=train, test=replace(data.test, labels=[[3 if i == 0 else i % 3] for i in range(12)]))


class Leaks(KeepsTask):
    """Tests what it trained on."""

    name = "leaks"

    def load(self):
        data = super().load()
        return replace(data, test=replace(data.test, texts=[*data.train.texts[:4], *data.test.texts[4:]]))


class LeaksInCapitals(Leaks):
    """Tests what it trained on, shouted."""

    name = "leaks-in-capitals"

    def load(self):
        data = super().load()
        return replace(data, test=replace(data.test, texts=[text.upper() for text in data.test.texts]))
