"""Platt scaling of many labels at once, where the rare ones lean on what all have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.linear_model import ALWAYS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAN = 20.0
"""What the shared sigmoid counts beside a label's own documents: the precision of a normal prior."""

_STEPS = 30
_DECISIONS = 2**23  # looked at together: 0.5 GB
_FLATTEST = 0.05


@dataclass(frozen=True)
class Sigmoids:
    """A sigmoid a label, told by its log-odds ``slope · score + offset``, so that no score is rounded to 0 or 1.

    Attributes:
        slopes: float32, above zero, shape (labels,): the order of a label's documents stays as it is.
        offsets: float32, shape (labels,).
    """

    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]

    @classmethod
    def none(cls, labels: int) -> Sigmoids:
        """Those that leave scores as they are."""
        import numpy as np

        return cls(np.ones(labels, np.float32), np.zeros(labels, np.float32))

    @classmethod
    def fit(cls, scores: NDArray[np.float32], gold: NDArray[np.bool_]) -> Sigmoids:
        """Learn them from scores of documents that nothing was trained on, both of shape (documents, labels).

        One sigmoid is fitted to all decisions by Platt's method (1999), with his smoothed targets; then each label's
        own, from a normal prior around the shared one: a label without positive documents hardly leaves it.
        """
        import numpy as np

        found = cls.none(scores.shape[1])
        trained = np.flatnonzero((np.abs(scores) < ALWAYS).all(axis=0))
        scores, gold = scores[:, trained], gold[:, trained]
        if not gold.any() or gold.all():
            return found
        # Two numbers are known well from some millions of decisions.
        every = -(-scores.size // _DECISIONS)
        slope, offset = _newton(scores[::every].reshape(-1, 1), gold[::every].reshape(-1, 1), 1e-6)
        width = max(1, _DECISIONS // len(scores))
        parts = [slice(start, start + width) for start in range(0, scores.shape[1], width)]
        own = [_newton((scores[:, part] * slope + offset).astype(np.float32), gold[:, part], _LEAN) for part in parts]
        slopes, offsets = (np.concatenate(numbers) for numbers in zip(*own, strict=True))
        found.slopes[trained], found.offsets[trained] = slopes * slope, slopes * offset + offsets
        return found

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The log-odds of scores, shape (documents, labels)."""
        calibrated: NDArray[np.float32] = scores * self.slopes + self.offsets
        return calibrated


def _newton(
    scores: NDArray[np.float32], gold: NDArray[np.bool_], lean: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes, at least ``_FLATTEST``, and offsets, one a column, of penalised maximum likelihood around 1 and 0."""
    import numpy as np

    positives = gold.sum(axis=0)
    wanted = np.where(gold, (positives + 1) / (positives + 2), 1 / (len(gold) - positives + 2))
    slopes, offsets = np.ones(scores.shape[1]), np.zeros(scores.shape[1])
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(scores * slopes + offsets, -30, 30)))
        error, spread = share - wanted, share * (1 - share)
        down, left = (error * scores).sum(axis=0) + lean * (slopes - 1), error.sum(axis=0) + lean * offsets
        a, b, c = (spread * scores**2).sum(axis=0) + lean, (spread * scores).sum(axis=0), spread.sum(axis=0) + lean
        scale = 1 / np.maximum(a * c - b * b, 1e-12)
        # A whole step of Newton's method may overshoot where all scores lie on one side.
        step, turn = np.clip((c * down - b * left) * scale, -1, 1), np.clip((a * left - b * down) * scale, -1, 1)
        # A slope that would fall below the least stays there, and its offset is sought alone.
        held = (slopes <= _FLATTEST) & (step > 0)
        step, turn = np.where(held, 0, step), np.where(held, np.clip(left / c, -1, 1), turn)
        slopes, offsets = np.maximum(slopes - step, _FLATTEST), offsets - turn
        if max(np.abs(step).max(), np.abs(turn).max()) < 1e-5:
            break
    return slopes, offsets
