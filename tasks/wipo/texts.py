"""Which of a record's texts a method gets to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

TextName = Literal["first-words", "title", "abstract", "claims"]

_FIRST = ("title", "inventors", "applicants", "abstract", "description")


@dataclass(frozen=True)
class TextView:
    """A way to make a text of a record.

    Attributes:
        fields: Fields of the record, in order; each begins a line.
        words: At most so many words of all of them; None for all.
    """

    fields: tuple[str, ...]
    words: int | None = None

    def of(self, record: Mapping[str, Any]) -> str:
        """The text; empty where the record has none of the fields."""
        lines, left = [], self.words
        for field in self.fields:
            if left is None:
                lines.append(record[field])
                continue
            words = record[field].split(None, left)[:left]
            lines.append(" ".join(words))
            left -= len(words)
        return "\n".join(line for line in lines if line)


def text_view(name: TextName, words: int) -> TextView:
    """The view of a name.

    Args:
        name: ``first-words`` is that of Fall et al. (2003): the first words of title, inventors, applicants, abstract
            and description. The others are one field, whole.
        words: How many ``first-words`` has.
    """
    return TextView(_FIRST, words) if name == "first-words" else TextView((name,))
