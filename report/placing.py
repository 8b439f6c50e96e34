"""Finding room for the labels of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_GAP = 9.0
_TOLERATED = 10.0
"""Square pixels of a label that may lie over something else before it is left out."""


class Box(NamedTuple):
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlap(self, other: Box) -> float:
        """Area shared with another."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    @property
    def area(self) -> float:
        """Its area."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


def place(
    centres: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    obstacles: Sequence[Box],
    bounds: Box,
) -> list[tuple[float, float] | None]:
    """Put each label where it covers least.

    Args:
        centres: The points to be labelled, pixels.
        sizes: Width and height of each label, pixels.
        obstacles: What should stay visible.
        bounds: What labels must not leave.

    Returns:
        For each label its lower left corner; None where there is no room.
    """
    taken = list(obstacles)
    spots: list[tuple[float, float] | None] = []
    for centre, size in zip(centres, sizes, strict=True):
        cost, box = min(((_cost(box, taken, bounds), box) for box in _candidates(centre, size)), key=lambda c: c[0])
        if cost > _TOLERATED:
            spots.append(None)
            continue
        taken.append(box)
        spots.append((box.x0, box.y0))
    return spots


def spread(heights: Sequence[float], low: float, high: float, apart: float) -> list[float]:
    """Heights at least so far apart, in the same order, as near to their own as can be (least squares).

    Args:
        heights: Ascending.
        low: The lowest that may be.
        high: The highest that may be; there must be room for all.
        apart: Least distance.
    """
    import numpy as np
    from scipy.optimize import isotonic_regression

    if not heights:
        return []
    # What must ascend by `apart` is, less so many steps, what must not descend.
    steps = apart * np.arange(len(heights))
    found = isotonic_regression(np.asarray(heights) - steps).x
    return list(np.clip(found, low, max(low, high - steps[-1])) + steps)


def _cost(box: Box, taken: Sequence[Box], bounds: Box) -> float:
    outside = box.area - box.overlap(bounds)
    return 10 * outside + sum(box.overlap(other) for other in taken)


def _candidates(centre: tuple[float, float], size: tuple[float, float]) -> Iterator[Box]:
    """Right, left, above, below, the corners, then the same farther off."""
    (x, y), (width, height) = centre, size
    for gap in (_GAP, 2 * _GAP):
        right, left, middle = x + gap, x - gap - width, x - width / 2
        above, below, level = y + gap, y - gap - height, y - height / 2
        corners = ((right, above), (left, above), (right, below), (left, below))
        for x0, y0 in ((right, level), (left, level), (middle, above), (middle, below), *corners):
            yield Box(x0, y0, x0 + width, y0 + height)
