"""The front of points of which none is beaten in both coordinates (Pareto)."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]


def front(points: Sequence[Point], more_is_better: bool = False) -> tuple[int, ...]:
    """Positions of the points that no other beats: at least as good in both, and better in one.

    Args:
        points: Cost and quality of each; more quality is better.
        more_is_better: Whether more of the first is better too.

    Returns:
        By the first coordinate.
    """
    order = sorted(range(len(points)), key=lambda i: (-points[i][0] if more_is_better else points[i][0], -points[i][1]))
    found: list[int] = []
    for place in order:
        if not found or points[place][1] > points[found[-1]][1] or points[place] == points[found[-1]]:
            found.append(place)
    return tuple(reversed(found)) if more_is_better else tuple(found)


def step_line(points: Sequence[Point], more_is_better: bool = False) -> tuple[Point, ...]:
    """The front as the corners of a step line: the quality to be had at each cost."""
    chosen = list(dict.fromkeys(points[place] for place in front(points, more_is_better)))
    corners: list[Point] = []
    for point in chosen:
        if corners:
            before = corners[-1]
            corners.append((before[0], point[1]) if more_is_better else (point[0], before[1]))
        corners.append(point)
    return tuple(corners) if len(chosen) > 1 else ()
