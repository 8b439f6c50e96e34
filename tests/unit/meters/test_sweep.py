"""A sweep goes on while larger batches pay, and ends where memory, documents or time do."""

import pytest

from bench.meters.sweep import BatchSweep, RanOut


class Machine:
    """Faster with larger batches up to a size, and out of memory from another one on."""

    def __init__(self, knee=16, fits=10_000, seconds=0.0):
        self.knee, self.fits, self.seconds = knee, fits, seconds
        self.time, self.asked = 0.0, []

    def rate(self, texts, size):
        self.asked.append((len(texts), size))
        if size > self.fits:
            raise RanOut
        self.time += self.seconds
        return 10.0 * min(size, self.knee)

    def sweep(self, texts=1000, budget=20.0):
        return BatchSweep(self.rate, lambda: self.time).measure(["text"] * texts, budget)


def test_it_ends_when_two_sizes_in_a_row_do_not_pay():
    found = Machine(knee=16).sweep()
    assert [speed.batch for speed in found.speeds] == [1, 2, 4, 8, 16, 32, 64]
    assert [speed.documents_per_second for speed in found.speeds[-3:]] == [160, 160, 160]
    assert (found.best, found.ended) == (16, "pace")


@pytest.mark.parametrize(("fits", "best"), [(8, 8), (1, 1), (0, None)])
def test_memory_ends_it_and_not_the_cell(fits, best):
    found = Machine(fits=fits).sweep()
    assert (found.best, found.ended) == (best, "memory")


def test_documents_end_it():
    found = Machine(knee=10_000).sweep(texts=20)
    assert (found.speeds[-1].batch, found.ended) == (16, "documents")


def test_time_ends_it():
    found = Machine(knee=10_000, seconds=3).sweep(budget=8)
    assert ([speed.batch for speed in found.speeds], found.ended) == ([1, 2, 4], "time")


def test_batches_are_full_and_several():
    machine = Machine(knee=10_000)
    machine.sweep(texts=1000)
    assert all(count % size == 0 and count >= min(16, size) for count, size in machine.asked)
    assert dict(reversed(pair) for pair in machine.asked)[64] == 256
