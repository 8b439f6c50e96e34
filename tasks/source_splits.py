"""Splits packages by source, so that nothing a method has learnt from comes back in the test split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tasks.apt_lists import Package

TRAIN, VALIDATION = 0.75, 0.05
"""Shares of the sources; the rest are tested."""


def split_sources(packages: Iterable[Package]) -> dict[str, str]:
    """Assign each source package to a split, whatever the order of the packages.

    Packages of one source describe themselves in nearly the same words, so a source stays whole; sources that share a
    long description stay together, whatever their synopses say. The first name among such sources is hashed.

    Returns:
        Source → ``train``, ``validation`` or ``test``.
    """
    parents: dict[str, str] = {}
    owners: dict[str, str] = {}
    for package in packages:
        body = " ".join((package.description.body or package.description.synopsis).split())
        _join(parents, package.source, owners.setdefault(body, package.source))
    return {source: split_of(_root(parents, source)) for source in parents}


def split_of(name: str) -> str:
    """The split that a name hashes to."""
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") / 2**64
    if place < TRAIN:
        return "train"
    return "validation" if place < TRAIN + VALIDATION else "test"


def _root(parents: dict[str, str], name: str) -> str:
    while parents.setdefault(name, name) != name:
        parents[name] = name = parents[parents[name]]
    return name


def _join(parents: dict[str, str], one: str, other: str) -> None:
    roots = _root(parents, one), _root(parents, other)
    parents[max(roots)] = min(roots)
