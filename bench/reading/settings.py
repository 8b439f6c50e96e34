"""What a user says of how his files are written."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from bench.reading.source import BadRows, Reading, Tally
from bench.settings import Settings

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class ReadingSettings(Settings):
    """Settings of whatever reads files of the user's."""

    encoding: str = Field("auto", description="of text files; auto: byte order mark, else UTF-8, else a guess")
    delimiter: str = Field(
        "auto", description="between the cells of a CSV file: auto, comma, semicolon, tab, bar, or one character"
    )
    quoting: Literal["double", "none"] = Field(
        "double", description='whether a cell of a CSV or TSV file can stand in double quotes, or " is a letter'
    )
    on_bad_rows: BadRows = Field(
        "refuse", description="rows with too many or too few cells, lines that are no JSON: an error, or left out"
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            known = name == "auto" or bool(codecs.lookup(name))
            "a".encode("utf-8" if name == "auto" else name)
        except LookupError:
            known = False
        if not known:
            raise ValueError(
                "no text encoding is called that; known are utf-8, cp1252, utf-16, shift_jis and many more"
            )
        return name

    @field_validator("delimiter")
    @classmethod
    def _known_delimiter(cls, word: str) -> str:
        character = _DELIMITERS.get(word, word)
        if word != "auto" and (len(character) != 1 or character in '"\r\n'):
            raise ValueError("a delimiter is auto, comma, semicolon, tab, bar, or one character")
        return character

    def reading(self, columns: Sequence[str], tally: Tally) -> Reading:
        """How files with these columns are to be read."""
        return Reading(
            columns,
            encoding=None if self.encoding == "auto" else self.encoding,
            delimiter=None if self.delimiter == "auto" else self.delimiter,
            quoted=self.quoting == "double",
            bad_rows=self.on_bad_rows,
            tally=tally,
        )
