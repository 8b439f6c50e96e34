"""What was read lately, up to so many bytes: a report over many cells must not hold all of their predictions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Recent(Generic[T]):
    """Values by key; the one that was not asked for the longest goes first, the last one asked for never.

    Attributes:
        most: Bytes that are held.
        size: Bytes of a value.
    """

    most: int
    size: Callable[[T], int]
    _values: OrderedDict[str, tuple[T, int]] = field(default_factory=OrderedDict)
    _held: int = 0

    def get(self, key: str, make: Callable[[], T]) -> T:
        """The value of a key, made where it is not held."""
        if key not in self._values:
            value = make()
            self._values[key] = value, self.size(value)
            self._held += self._values[key][1]
        self._values.move_to_end(key)
        while self._held > self.most and len(self._values) > 1:
            _, (_, size) = self._values.popitem(last=False)
            self._held -= size
        return self._values[key][0]
