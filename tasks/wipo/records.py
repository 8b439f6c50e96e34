"""One file of the collection as one record: tolerant of broken markup, deaf to DTDs, entities and the network.

Imports nothing of the harness, so that the hash of this module's source is the version of the parser.
"""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass
from html.entities import html5
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tasks.wipo.codes import normalise

if TYPE_CHECKING:
    from lxml.etree import _Element

_STRUCTURE = frozenset(
    ("record", "ipcs", "ipc", "pas", "pa", "ins", "in", "tis", "ti", "abs", "ab", "txts", "txt", "cls", "cl")
)
_WITHIN_WORDS = frozenset(("b", "i", "u", "o", "em", "strong", "small", "sub", "sup", "sb", "sp", "font", "span"))
"""Inline tags that do not part words; any other does."""

_REST_OF_TAG = r"""(?:\s++[^\s=<>"'/]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'))*+\s*+/?>"""
_SIGN = re.compile(rf"<(?:/?([A-Za-z_][\w:.-]*+){_REST_OF_TAG})?")
"""A tag, or a ``<`` that begins none: ``if a <b and c> d`` is prose, which the whole shape alone tells."""

_ENCODING = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([\w.-]+)[\"']")
_RECORD = re.compile(rf"<record{_REST_OF_TAG}")
_END_TAG = re.compile(r"</[A-Za-z][^<>]*>")
_CUT_OFF = re.compile(r"<[^<>]*+\Z")
_SECTIONS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
_OPENING = re.compile("|".join(map(re.escape, _SECTIONS)))
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)(?:(#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)?")
_LONGEST_NUMBER = len("#1114111")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class UnreadableRecordError(Exception):
    """A file that is no record; the message is the reason, in words that group such files."""


@dataclass(frozen=True, slots=True)
class PatentRecord:
    """What a file says. Texts have single spaces; where a text comes in several languages, the English one is taken.

    Attributes:
        id: Publication number (``pn``).
        main: The main code (``mc``), normalised.
        others: The other codes (``ic``), normalised, each once.
        title: Title.
        inventors: Names, parted by semicolons.
        applicants: Names, parted by semicolons.
        abstract: Abstract.
        description: Description.
        claims: Claims.
        english: Whether any of the four long texts is in English, or in no language that is named.
        repaired: Whether the markup was broken and had to be mended.
        unknown_entities: Entities without a known meaning, each read as a space.
        unreadable_codes: Other codes that are no codes.
    """

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


def parse_record(content: bytes) -> PatentRecord:
    """Read a file's bytes.

    Raises:
        UnreadableRecordError: It is empty, binary or no record, declares entities, holds several records, or has
            neither id nor main code.
    """
    body = _body(content)
    entities, signs = _Entities(), _Signs()
    mended = _SIGN.sub(signs.replace, _REFERENCE.sub(entities.replace, body))
    ends = mended.count("]]>")  # not allowed in a text, which would end there
    root, faults = _parse(mended.replace("]]>", "]]&gt;"))
    others, unreadable = _other_codes(root)
    id_, main = _id(root), _main_code(root)
    texts = [_text(root, tag) for tag in ("ti", "ab", "txt", "cl")]
    title, abstract, description, claims = (text.content for text in texts)
    return PatentRecord(
        id_,
        main,
        tuple(code for code in others if code != main),
        title,
        _names(root, "in"),
        _names(root, "pa"),
        abstract,
        description,
        claims,
        english=any(text.english for text in texts),
        repaired=faults or entities.bare + signs.lonely + ends > 0,
        unknown_entities=entities.unknown,
        unreadable_codes=unreadable,
    )


class _Entities:
    """Puts characters in place of references, since no DTD is read that would tell what they are."""

    def __init__(self) -> None:
        self.unknown = 0
        self.bare = 0

    def replace(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            self.bare += 1
            return "&amp;"
        known = len(name) <= _LONGEST_NUMBER if name.startswith("#") else f"{name};" in html5
        if not known:
            self.unknown += 1
            return " "
        return escape(html.unescape(found[0]), {'"': "&quot;"})


class _Signs:
    """Takes inline tags out, keeps those of the structure, and escapes every other ``<``."""

    def __init__(self) -> None:
        self.lonely = 0

    def replace(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            self.lonely += 1
            return "&lt;"
        if name in _STRUCTURE:
            return found[0]
        return "" if name.lower() in _WITHIN_WORDS else " "


@dataclass(frozen=True)
class _Text:
    content: str = ""
    english: bool = False


def _body(content: bytes) -> str:
    """The text from the record's start on: what stands before it, a DTD too, is never parsed."""
    if not content.strip():
        raise UnreadableRecordError("empty file")
    if b"\0" in content:
        raise UnreadableRecordError("binary file")
    text = _without_sections(_decode(content))
    start = _RECORD.search(text)
    if "<!ENTITY" in text[: start.start() if start is not None else None].upper():
        raise UnreadableRecordError("file that declares entities")
    if start is None:
        raise UnreadableRecordError("file without a <record> element")
    if _RECORD.search(text, start.end()):
        raise UnreadableRecordError("file with several records")
    return _CUT_OFF.sub("", text[start.start() :])


def _without_sections(text: str) -> str:
    """CDATA as escaped text; without comments and processing instructions. What is opened and never closed stays."""
    kept, done = [], 0
    last = {opening: text.rfind(closing) for opening, closing in _SECTIONS.items()}
    for found in _OPENING.finditer(text):
        opening, start = found[0], found.end()
        if found.start() < done or last[opening] < start:
            continue
        end = text.find(_SECTIONS[opening], start)
        kept += [text[done : found.start()], escape(text[start:end]) if opening == "<![CDATA[" else ""]
        done = end + len(_SECTIONS[opening])
    return "".join([*kept, text[done:]])


def _decode(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig", "replace")
    declared = _ENCODING.match(content.lstrip())
    try:
        return content.decode(declared[1].decode() if declared else "iso-8859-1")
    except (LookupError, UnicodeError):
        return content.decode("iso-8859-1")


def _parse(body: str) -> tuple[_Element, bool]:
    """The record's element, and whether its markup was broken."""
    root, log = _recover(body)
    if any(entry.type_name == "ERR_TAG_NAME_MISMATCH" for entry in log):
        # One end tag too many closes the record early, and the rest is lost. A text ends where the next tag stands,
        # whichever it is: without end tags everything can be read.
        root, _ = _recover(_END_TAG.sub("<_/>", body))
    if root is None or root.tag != "record":
        raise UnreadableRecordError("file without a <record> element")
    return root, bool(log)


def _recover(body: str) -> tuple[_Element | None, list[Any]]:
    from lxml import etree

    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=True,  # else a text of ten million characters is cut; no entity is left that could grow
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        root = None
    return root, list(parser.error_log)


def _id(root: _Element) -> str:
    id_ = " ".join((root.get("pn") or "").split())
    if not id_:
        raise UnreadableRecordError("record without an id (pn)")
    return id_


def _main_code(root: _Element) -> str:
    raw = next((element.get("mc") for element in root.iter("ipcs") if (element.get("mc") or "").strip()), None)
    if raw is None:
        raise UnreadableRecordError("record without a main code (mc)")
    code = normalise(raw)
    if code is None:
        raise UnreadableRecordError("record whose main code cannot be read")
    return code


def _other_codes(root: _Element) -> tuple[list[str], int]:
    raw = [code for element in root.iter("ipc") if (code := (element.get("ic") or "").strip())]
    codes = [normalise(code) for code in raw]
    return list(dict.fromkeys(code for code in codes if code is not None)), codes.count(None)


def _names(root: _Element, tag: str) -> str:
    names = (_spaced(element.text) for element in root.iter(tag))
    return "; ".join(name for name in names if name)


def _text(root: _Element, tag: str) -> _Text:
    """The texts of a tag in the best language that has any: English, else unnamed, else the first.

    Inline tags are gone by now, and children are other structure that a missing end tag let in: the text ends there.
    """
    by_language: dict[str, list[str]] = {}
    for element in root.iter(tag):
        text = _spaced(element.text)
        if text:
            by_language.setdefault((element.get(_LANGUAGE) or "").strip().upper()[:2], []).append(text)
    if not by_language:
        return _Text()
    best = min(by_language, key=lambda language: ("EN", "", language).index(language))
    return _Text(" ".join(by_language[best]), english=best in {"EN", ""})


def _spaced(text: str | None) -> str:
    return " ".join((text or "").split())
