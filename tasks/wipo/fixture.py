"""A stand-in for the collection: its exact format with every quirk, in invented words.

``python -m tasks.wipo.fixture FOLDER [RECORDS]`` writes one to try the task on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Literal

from tasks.hierarchy_codes import codes
from tasks.invented import Zipf, below, stream, word

_COMMON, _OWN = 400, 30
_SUBGROUPS = ("00", "02", "10", "421")
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
_HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE record SYSTEM "../../wipo.dtd">\n'

SPOILED: Mapping[str, tuple[bytes, str]] = MappingProxyType(
    {
        "empty": (b"", "empty file"),
        "blank": (b" \n\n", "empty file"),
        "binary": (bytes(range(256)) * 8, "binary file"),
        "laughs": (
            f'<?xml version="1.0"?><!DOCTYPE record [{_LAUGHS}]><record pn="X"><ab>&l9;</ab></record>'.encode(),
            "file that declares entities",
        ),
        "html": (b"<html><body>moved</body></html>", "file without a <record> element"),
        "two": (
            b'<record pn="X1"><ipcs mc="A01B00100"/></record><record pn="X2"><ipcs mc="A01B00100"/></record>',
            "file with several records",
        ),
        "no-pn": (b'<record><ipcs mc="A01B00100"/></record>', "record without an id (pn)"),
        "no-mc": (
            b'<record pn="X3"><ipcs ed="7"><ipc ic="A01B00100"/></ipcs></record>',
            "record without a main code (mc)",
        ),
        "odd-mc": (b'<record pn="X4"><ipcs mc="?1"/></record>', "record whose main code cannot be read"),
    }
)
"""Files that give no record: name → content and the reason that the reader must name."""


@dataclass(frozen=True, slots=True)
class MadeText:
    """A text in one language.

    Attributes:
        markup: As it is written.
        plain: As it must be read.
        unknown: Entities in it that mean nothing.
        broken: Whether its markup is broken.
    """

    markup: str = ""
    plain: str = ""
    unknown: int = 0
    broken: bool = False


@dataclass(frozen=True, slots=True)
class MadeRecord:
    """A record as it must be read; the fields are those of :class:`tasks.wipo.records.PatentRecord`."""

    file: str
    split: Literal["train", "test"]
    id: str
    main: str
    others: tuple[str, ...]
    title: str
    inventors: str
    applicants: str
    abstract: str
    description: str
    claims: str
    english: bool
    repaired: bool
    unknown_entities: int
    unreadable_codes: int


@dataclass(frozen=True)
class MadeCollection:
    """What was written.

    Attributes:
        place: The folder that holds ``train`` and ``test``.
        records: The good records, by file.
        spoiled: File → the reason why it gives no record.
    """

    place: Path
    records: tuple[MadeRecord, ...]
    spoiled: Mapping[str, str]


def write_collection(folder: Path, records: int = 300, *, groups: int = 40, seed: int = 0) -> MadeCollection:
    """Write a collection: two thirds of the records for training, one third for testing, and the spoiled files.

    Args:
        folder: Gets ``wipo-alpha/train`` and ``wipo-alpha/test``.
        records: Good records.
        groups: Main groups among their main codes.
        seed: Another seed, other words.
    """
    place = folder / "wipo-alpha"
    author = _Author(groups, seed)
    made = []
    for number in range(records):
        record, content = author.write(number)
        _put(place / record.file, content.encode("iso-8859-1"))
        made.append(record)
    spoiled = {f"train/alphatrain/A/01/B/001/{name}.xml": pair for name, pair in SPOILED.items()}
    for name, (raw, _) in spoiled.items():
        _put(place / name, raw)
    _put(place / "wipo.dtd", b"<!ELEMENT record ANY>")
    reasons = {name: reason for name, (_, reason) in spoiled.items()}
    return MadeCollection(place, tuple(sorted(made, key=lambda record: record.file)), reasons)


class _Author:
    """Writes records; codes are popular by Zipf's law, and texts are about their main code."""

    def __init__(self, groups: int, seed: int) -> None:
        names = [name.replace(" ", "") for name in codes(groups + groups // 4, 4)]
        self._never_main = names[4::5]
        self._main = [name for name in names if name not in set(self._never_main)]
        self._popularity, self._rank, self._own = Zipf(len(self._main), 2), Zipf(_COMMON, 5), Zipf(_OWN, 3)
        self._common = [word("wipo", seed, rank) for rank in range(_COMMON)]
        self._topics: dict[str, list[str]] = {}
        self._seed = seed

    def write(self, number: int) -> tuple[MadeRecord, str]:
        """A record and its file's content."""
        random = stream("wipo-fixture", self._seed, number)
        main = self._symbol(random, self._main[self._popularity.draw(random)])
        others = self._others(random)
        foreign = number % 20 == 7
        topic = main.partition("/")[0]
        title = self._text(random, topic, 6)
        abstract = self._text(random, topic, 30) if number % 25 != 3 else MadeText()
        description = self._text(random, topic, 400 if number % 8 == 0 else 60)
        claims = self._text(random, topic, 30)
        inventors, applicants = self._names(random, 1 + number % 3), self._names(random, 1)
        split: Literal["train", "test"] = "test" if number % 3 == 2 else "train"
        id_ = f"WO{number:07d}"
        section, class_, subclass, group = main[0], main[1:3], main[3], main[4:7]
        texts = (title, abstract, description, claims)
        damage = _damage(number)
        record = MadeRecord(
            file=f"{split}/alpha{split}/{section}/{class_}/{subclass}/{group}/{id_}.xml",
            split=split,
            id=id_,
            main=main,
            others=tuple(code for code in dict.fromkeys(others) if code != main),
            title=title.plain,
            inventors="; ".join(inventors),
            applicants="; ".join(applicants),
            abstract=abstract.plain,
            description=description.plain,
            claims=claims.plain,
            english=not foreign,
            repaired=damage is not _undamaged or any(text.broken for text in texts),
            unknown_entities=sum(text.unknown for text in texts),
            unreadable_codes=number % 30 == 11,
        )
        written = [main, *others] if number % 4 == 1 else others
        ipcs = "".join(f'<ipc ic="{_spelt(code, number + i)}"/>\n' for i, code in enumerate(written))
        if record.unreadable_codes:
            ipcs += '<ipc ic="n.a."/>\n'
        content = (
            f'{_HEAD}<record cy="WO" kind="A1" dnum="{number:07d}" an="XX{number}" pn=" {id_}">\n'
            f'<ipcs ed="7" mc="{_spelt(main, number)}">\n{ipcs}</ipcs>\n'
            f"<pas>{''.join(f'<pa>{name}</pa>' for name in applicants)}</pas>\n"
            f"<ins>{''.join(f'<in>{name}</in>' for name in inventors)}</ins>\n"
            + _element("tis", "ti", title, number)
            + _element("abs", "ab", abstract, number)
            + _element("cls", "cl", claims, number)
            + _element("txts", "txt", description, number)
            + "</record>\n"
        )
        return record, damage(content)

    def _symbol(self, random: Random, group: str) -> str:
        return f"{group}/{_SUBGROUPS[below(random, len(_SUBGROUPS))]}"

    def _others(self, random: Random) -> list[str]:
        found = [self._symbol(random, self._main[self._popularity.draw(random)]) for _ in range(below(random, 4))]
        if random.random() < 0.2:
            found.append(self._symbol(random, self._never_main[below(random, len(self._never_main))]))
        return found

    def _names(self, random: Random, count: int) -> list[str]:
        return [f"{self._word(random).upper()}, {self._word(random).title()}" for _ in range(count)]

    def _word(self, random: Random) -> str:
        return self._common[self._rank.draw(random)]

    def _topical(self, random: Random, topic: str) -> str:
        # A third of the topical words are the subclass's, so that labels of every level can be learnt.
        name = topic if random.random() < 0.67 else topic[:4]
        known = self._topics.setdefault(name, [])
        if not known:
            known += [word("wipo", self._seed, name, rank) for rank in range(_OWN)]
        return known[self._own.draw(random)]

    def _text(self, random: Random, topic: str, length: int) -> MadeText:
        markup, plain, unknown, broken = [], [], 0, False
        for _ in range(length):
            one = self._topical(random, topic) if random.random() < 0.15 else self._word(random)
            if random.random() < 0.04:
                quirk = _QUIRKS[below(random, len(_QUIRKS))]
                written, read = (part.format(one) for part in (quirk.markup, quirk.plain))
                unknown, broken = unknown + quirk.unknown, broken or quirk.broken
            else:
                written = read = one
            markup.append(written)
            plain.append(read)
        # Lines and double spaces, as in files that people wrote.
        return MadeText(
            "\n".join((" ".join(markup[: length // 2]), "  ".join(markup[length // 2 :]))),
            " ".join(plain),
            unknown,
            broken,
        )


_QUIRKS = (
    MadeText("<b>{0}</b>n", "{0}n"),
    MadeText("{0}<sub>2</sub>o", "{0}2o"),
    MadeText("{0}<br/>{0}", "{0} {0}"),
    MadeText('<p align="left">{0}</p>', "{0}"),
    MadeText("{0}&eacute;", "{0}\u00e9"),
    MadeText("{0}&#252;", "{0}\u00fc"),
    MadeText("{0}\u00e4", "{0}\u00e4"),
    MadeText("{0} &amp; &lt;{0}&gt;", "{0} & <{0}>"),
    MadeText("&alpha;-{0}", "\u03b1-{0}"),
    MadeText("{0}<!-- {0} -->", "{0}"),
    MadeText("{0}&nosuchentity;{0}", "{0} {0}", unknown=1),
    MadeText("5 < 6 {0}", "5 < 6 {0}", broken=True),
    MadeText("{0} & {0}", "{0} & {0}", broken=True),
)


def _element(outer: str, inner: str, text: MadeText, number: int) -> str:
    if not text.plain:
        return f"<{outer}/>\n"
    foreign = f'<{inner} xml:lang="FR">le mot</{inner}>' if number % 10 == 5 else ""
    language = {7: ' xml:lang="DE"', 9: ""}.get(number % 20, ' xml:lang="EN"')
    return f"<{outer}>{foreign}<{inner}{language}>{text.markup}</{inner}></{outer}>\n"


def _spelt(code: str, style: int) -> str:
    """A code in one of the spellings that are met."""
    group, _, sub = code.partition("/")
    subclass, main = group[:4], int(group[4:])
    return (
        f"{subclass}{main:03d}{sub}",
        f"{subclass} {main}/{sub}",
        f"{subclass}{main:03d}/{sub}",
        f"{subclass.lower()} {main:03d}/{sub}",
        f"  {subclass}  {main} / {sub} ",
        f"{subclass}{main:04d}{sub.ljust(6, '0')}",
    )[style % 6]


def _undamaged(content: str) -> str:
    return content


def _without(tag: str) -> Callable[[str], str]:
    return lambda content: content.replace(tag, "")


def _twice(tag: str) -> Callable[[str], str]:
    return lambda content: content.replace(tag, tag * 2)


_DAMAGES: Mapping[int, Callable[[str], str]] = MappingProxyType(
    {
        2: _without("</txt>"),
        6: _without("</ti>"),
        13: _without("</record>"),
        16: _twice("</ti>"),
        21: _without("</txts>"),
    }
)


def _damage(number: int) -> Callable[[str], str]:
    """What breaks a record's markup; most are whole."""
    return _DAMAGES.get(number % 40, _undamaged)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main(words: Sequence[str]) -> None:
    """Write a stand-in where the words of a command line say."""
    parser = argparse.ArgumentParser(prog="python -m tasks.wipo.fixture", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the folder wipo-alpha is to lie")
    parser.add_argument("records", type=int, nargs="?", default=300, help="good records (300)")
    given = parser.parse_args(words)
    if (given.folder / "wipo-alpha").exists():
        parser.error(f"{given.folder / 'wipo-alpha'} is there already; name another folder")
    made = write_collection(given.folder, given.records)
    sys.stdout.write(f"{len(made.records)} records and {len(made.spoiled)} spoiled files in {made.place}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
