"""Package descriptions of which only the headline and the first sentence are read: short texts of many lengths."""

import re
from dataclasses import replace

from tasks.debian import DebianSections

_REST = re.compile(r"(?<=[.!?])\s.*", re.DOTALL)


class Sentences(DebianSections):
    """The archive section of a package from the beginning of its description."""

    name = "sentences"

    def load(self):
        data = super().load()
        return replace(data, **{name: replace(split, texts=shortened(split)) for name, split in data.splits()})


def shortened(documents):
    return [_REST.sub("", text) for text in documents.texts]
