"""The hierarchy of labels, from their names or from a table of parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.errors import TaskDataError

Ancestors = tuple[tuple[str, ...], ...]


def from_names(names: Sequence[str], separator: str) -> Ancestors:
    """The ancestors of labels that spell out their path: of ``a/b/c`` they are ``a`` and ``a/b``.

    Raises:
        TaskDataError: A level has no name.
    """
    return tuple(_beginnings(name, separator) for name in names)


def from_parents(names: Sequence[str], parents: Mapping[str, str], place: str) -> Ancestors:
    """The ancestors of labels by a table of parents; what has no row there is at the top.

    Args:
        names: The labels.
        parents: Label or inner node → the node above it.
        place: Where the table stands, for messages.

    Raises:
        TaskDataError: The table has a cycle.
    """
    _refuse_cycles(parents, place)
    known: dict[str, tuple[str, ...]] = {}
    return tuple(_path(name, parents, known) for name in names)


def _beginnings(name: str, separator: str) -> tuple[str, ...]:
    parts = name.split(separator)
    if not all(part.strip() for part in parts):
        raise TaskDataError(f"label {name!r}: a level between {separator!r} has no name")
    # Labels are known without the space around them, and so are the nodes above them.
    return tuple(separator.join(parts[:depth]).strip() for depth in range(1, len(parts)))


def _refuse_cycles(parents: Mapping[str, str], place: str) -> None:
    sound: set[str] = set()
    for name in parents:
        trail: dict[str, None] = {}  # a set that keeps its order
        node: str | None = name
        while node is not None and node not in sound:
            if node in trail:
                nodes = list(trail)
                circle = " < ".join([*nodes[nodes.index(node) :], node])
                raise TaskDataError(f"{place}: labels are their own ancestors: {circle}; break the cycle")
            trail[node] = None
            node = parents.get(node)
        sound.update(trail)


def _path(name: str, parents: Mapping[str, str], known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Nodes above a node, top first; siblings share one tuple."""
    trail = [name]
    while (above := parents.get(trail[-1])) is not None:
        trail.append(above)
    path = tuple(reversed(trail[1:]))
    return known.setdefault(path[-1] if path else "", path)
