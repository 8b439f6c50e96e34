"""Metrics that give credit for being near in the hierarchy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from bench.metrics.counts import by_document, intersection
from bench.metrics.f1 import micro_of
from bench.metrics.values import NO_GOLD, Undefined, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.task import Kind, LabelSpace

    _Sides = tuple[csr_matrix, csr_matrix, NDArray[np.bool_]]
    """Gold, predicted, and which documents were to be given a label and were not."""


@dataclass(frozen=True)
class Lineages:
    """The hierarchy as numbers.

    Attributes:
        nodes: int32, shape (labels, depth). Column d holds each label's node at level d + 1: an ancestor, then the
            label itself at its own level, then -1.
        n_nodes: Number of nodes, root excluded.
    """

    nodes: NDArray[np.int32]
    n_nodes: int


def lineages(labels: LabelSpace) -> Lineages:
    """Number the nodes of the hierarchy.

    A node is a path of names from the top, so that an "Other" under two parents is two nodes, and a label that is an
    ancestor of another label is the same node as that ancestor.

    Raises:
        ValueError: The labels have no hierarchy, or not one row of ancestors each.
    """
    if labels.ancestors is None or len(labels.ancestors) != len(labels.names):
        raise ValueError(f"{len(labels.names)} labels need as many rows of ancestors")
    tree: dict[tuple[int, str], int] = {}
    above = {path: _descend(tree, path) for path in dict.fromkeys(labels.ancestors)}
    nodes = np.full((len(labels), 1 + max(map(len, above), default=0)), -1, dtype=np.int32)
    n_nodes = len(tree)
    for label, (name, path) in enumerate(zip(labels.names, labels.ancestors, strict=True)):
        ids = above[path]
        own = tree.get((ids[-1] if ids else -1, name), n_nodes)
        n_nodes += own == n_nodes  # a leaf: names are unique, so that nothing else can be this node
        nodes[label, : len(ids) + 1] = (*ids, own)
    return Lineages(nodes, n_nodes)


def hierarchy_metrics(gold: csr_matrix, predicted: csr_matrix, labels: LabelSpace, kind: Kind) -> dict[str, Value]:
    """Every metric of this module by name; none where the labels have no hierarchy.

    Args:
        gold: 0/1 in canonical form, shape (documents, labels).
        predicted: The same shape and form.
        labels: The label space.
        kind: ``single``: a document that was given no label counts as given as many wrong nodes as it has right ones.

    Raises:
        ValueError: There is not one row of ancestors a label.
    """
    if labels.ancestors is None:
        return {}
    lines = lineages(labels)
    unanswered = (by_document(predicted) == 0) & (kind == "single")
    sides = gold, predicted, unanswered
    return {**_augmented(sides, lines), **_by_level(sides, lines)}


def replace_labels(matrix: csr_matrix, nodes: NDArray[np.int32], n_nodes: int) -> csr_matrix:
    """Put nodes in place of labels, each node once a document.

    Args:
        matrix: 0/1, shape (documents, labels).
        nodes: The nodes that a label stands for, shape (labels, any), -1 is none.
        n_nodes: Number of nodes.

    Returns:
        0/1 in canonical form, shape (documents, nodes).
    """
    kept = nodes >= 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    # int32: a document may have more than 127 labels under one node.
    incidence = csr_matrix((np.ones(indptr[-1], dtype=np.int32), nodes[kept], indptr), shape=(len(nodes), n_nodes))
    product = csr_matrix(matrix @ incidence)
    product.data[:] = 1
    product.sort_indices()
    return product


def _descend(tree: dict[tuple[int, str], int], path: tuple[str, ...]) -> tuple[int, ...]:
    ids, parent = [], -1
    for name in path:
        parent = tree.setdefault((parent, name), len(tree))
        ids.append(parent)
    return tuple(ids)


def _overlap(sides: _Sides, nodes: NDArray[np.int32], n_nodes: int) -> tuple[int, int, int]:
    gold, predicted, unanswered = sides
    g, p = replace_labels(gold, nodes, n_nodes), replace_labels(predicted, nodes, n_nodes)
    return int(intersection(g, p).nnz), int(p.nnz + by_document(g)[unanswered].sum()), int(g.nnz)


def _augmented(sides: _Sides, lines: Lineages) -> dict[str, Value]:
    names = ("hierarchical_precision", "hierarchical_recall", "hierarchical_f1")
    if not sides[0].nnz:
        return dict.fromkeys(names, NO_GOLD)
    return dict(zip(names, micro_of(*_overlap(sides, lines.nodes, lines.n_nodes)), strict=True))


def _by_level(sides: _Sides, lines: Lineages) -> dict[str, Value]:
    metrics: dict[str, Value] = {}
    for level in range(1, lines.nodes.shape[1] + 1):
        both, given, expected = _overlap(sides, lines.nodes[:, level - 1 : level], lines.n_nodes)
        nothing = Undefined(f"no label of a test document reaches level {level} of the hierarchy")
        metrics[f"level{level}_micro_f1"] = micro_of(both, given, expected)[2] if expected else nothing
    return metrics
