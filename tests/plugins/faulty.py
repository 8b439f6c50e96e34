"""Methods that misbehave in every way that a cell must survive."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.method import Method
from bench.prediction import Scores


class Well(Method):
    """Behaves."""

    name = "well"

    def fit(self, train, validation, labels, context):
        self.n = len(labels)

    def predict(self, texts, context):
        import numpy as np

        return Scores(np.zeros((len(texts), self.n), dtype=np.float32))


class Segfaults(Well):
    """Reads address 0."""

    name = "segfaults"

    def fit(self, *_):
        ctypes.string_at(0)


class Exits(Well):
    """Leaves without a word."""

    name = "exits"

    def fit(self, *_):
        os._exit(3)


class SysExits(Well):
    """Leaves by sys.exit."""

    name = "sys-exits"

    def fit(self, *_):
        sys.exit(4)


class Hangs(Well):
    """Never ends."""

    name = "hangs"

    def fit(self, *_):
        while True:
            time.sleep(3600)


class HangsDeaf(Well):
    """Never ends and does not listen."""

    name = "hangs-deaf"

    def fit(self, *_):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        while True:
            time.sleep(3600)


class Eats(Well):
    """Allocates without end."""

    name = "eats"

    def fit(self, *_):
        hoard = []
        while True:
            hoard.append(bytearray(2**24))


class EatsTorch(Well):
    """Allocates tensors without end."""

    name = "eats-torch"
    uses_torch = True

    def fit(self, *_):
        import torch

        hoard = []
        while True:
            hoard.append(torch.ones(2**22))


class EatsInChild(Well):
    """Has a child that allocates without end."""

    name = "eats-in-child"

    def fit(self, *_):
        greedy = "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\nhoard = []\n"
        greedy += "while True: hoard.append(bytearray(2**24))"
        subprocess.run([sys.executable, "-c", greedy], check=False)
        while True:
            time.sleep(3600)


class Raises(Well):
    """Raises in the middle of training."""

    name = "raises"

    def fit(self, *_):
        raise ValueError("the loss | is <b>not</b> a number")


class Diverges(Well):
    """Predicts scores that are not numbers."""

    name = "diverges"

    def predict(self, texts, context):
        import numpy as np

        return Scores(np.full((len(texts), self.n), np.nan, dtype=np.float32))


class Short(Well):
    """Predicts too few documents."""

    name = "short"

    def predict(self, texts, context):
        return super().predict(texts[:-1], context)


class NotesTensor(Well):
    """Notes what no record can hold."""

    name = "notes-tensor"

    def fit(self, train, validation, labels, context):
        super().fit(train, validation, labels, context)
        import numpy as np

        context.note(loss=np.float32(1.5))


class TooMany(Well):
    """Emits two labels for a document that has one."""

    name = "too-many"

    def predict(self, texts, context):
        from bench.prediction import LabelSets

        return LabelSets([[0, 1]] * len(texts), [""] * len(texts))


class FailsAfterLoading(Well):
    """Raises in training, after its load phase has ended."""

    name = "fails-after-loading"

    def fit(self, train, validation, labels, context):
        with context.phase("load"):
            pass
        raise ValueError("after loading")


class HangsTelling(Well):
    """Says through a named pipe that it is at work, and never ends; the pipe closes when it dies."""

    name = "hangs-telling"

    def fit(self, *_):
        with Path(os.environ["BENCH_TEST_PIPE"]).open("w") as pipe:
            pipe.write("at work\n")
            pipe.flush()
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            while True:
                time.sleep(3600)


class HangsTellingTorch(HangsTelling):
    """The same, forked from the warm server."""

    name = "hangs-telling-torch"
    uses_torch = True
