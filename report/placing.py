"""Finding room for the labels of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Corners = NDArray[np.float64]

_GAP = 9.0
_TOLERATED = 10.0
"""Square pixels of a label that may lie over something else before it is left out."""


class Box(NamedTuple):
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


_NOWHERE = Box(0.0, 0.0, 0.0, 0.0)


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
    import numpy as np

    taken = np.array([*obstacles, *[_NOWHERE] * len(centres)]).reshape(-1, 4)
    spots: list[tuple[float, float] | None] = []
    for number, (centre, size) in enumerate(zip(centres, sizes, strict=True), start=len(obstacles)):
        boxes = np.array(list(_candidates(centre, size)))
        costs = 10 * (_areas(boxes) - _overlaps(boxes, np.array([bounds]))) + _overlaps(boxes, taken)
        least = int(costs.argmin())
        if costs[least] > _TOLERATED:
            spots.append(None)
            continue
        taken[number] = boxes[least]
        spots.append((float(boxes[least, 0]), float(boxes[least, 1])))
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


def _areas(boxes: Corners) -> Corners:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _overlaps(boxes: Corners, others: Corners) -> Corners:
    """The area that each box shares with others, all added up; shape (boxes,)."""
    import numpy as np

    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared: Corners = np.maximum(high - low, 0).prod(axis=2).sum(axis=1)
    return shared


def _candidates(centre: tuple[float, float], size: tuple[float, float]) -> Iterator[Box]:
    """Right, left, above, below, the corners, then the same farther off."""
    (x, y), (width, height) = centre, size
    for gap in (_GAP, 2 * _GAP):
        right, left, middle = x + gap, x - gap - width, x - width / 2
        above, below, level = y + gap, y - gap - height, y - height / 2
        corners = ((right, above), (left, above), (right, below), (left, below))
        for x0, y0 in ((right, level), (left, level), (middle, above), (middle, below), *corners):
            yield Box(x0, y0, x0 + width, y0 + height)
