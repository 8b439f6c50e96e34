from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.wipo.fixture import SPOILED
from tasks.wipo.records import PatentRecord, UnreadableRecordError, parse_record

HEAD = '<?xml version="1.0" encoding="iso-8859-1"?>\n<!DOCTYPE record SYSTEM "wipo.dtd">\n'


def whole(**parts: str) -> str:
    inner = {
        "ipcs": '<ipcs ed="7" mc="A01B00100"><ipc ic="A01C 3/00"/></ipcs>',
        "names": "<pas><pa>FIRM, Ltd.</pa></pas><ins><in>ONE, A.</in><in>TWO, B.</in></ins>",
        "tis": '<tis><ti xml:lang="EN">a title</ti></tis>',
        "abs": '<abs><ab xml:lang="EN">an abstract</ab></abs>',
        "cls": '<cls><cl xml:lang="EN">a claim</cl></cls>',
        "txts": '<txts><txt xml:lang="EN">a description</txt></txts>',
        "end": "</record>",
    } | parts
    return f'{HEAD}<record cy="WO" kind="A1" dnum="1" an="X" pn="WO1">' + "\n".join(inner.values())


def read(text: str) -> PatentRecord:
    return parse_record(text.encode("iso-8859-1"))


def test_a_whole_record() -> None:
    record = read(whole())
    assert (record.id, record.main, record.others) == ("WO1", "A01B001/00", ("A01C003/00",))
    assert (record.inventors, record.applicants) == ("ONE, A.; TWO, B.", "FIRM, Ltd.")
    texts = (record.title, record.abstract, record.claims, record.description)
    assert texts == ("a title", "an abstract", "a claim", "a description")
    assert record.english
    assert not record.repaired


@pytest.mark.parametrize("tag", ["ti", "ab", "cl", "txt", "tis", "abs", "cls", "txts", "record", "pa", "in", "ipcs"])
def test_a_missing_end_tag_costs_nothing(tag: str) -> None:
    expected, record = read(whole()), read(whole().replace(f"</{tag}>", ""))
    assert record.repaired
    for name in PatentRecord.__slots__:
        assert name == "repaired" or getattr(record, name) == getattr(expected, name)


@pytest.mark.parametrize("tag", ["ti", "ab", "cl", "tis", "abs"])
def test_an_end_tag_too_many_costs_nothing(tag: str) -> None:
    record = read(whole().replace(f"</{tag}>", f"</{tag}>" * 3))
    assert record.repaired
    assert (record.title, record.abstract, record.claims, record.description) == (
        "a title", "an abstract", "a claim", "a description",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("H<sub>2</sub>O <b><i>x</b></i>", "H2O x"),
        ("one<br/>two<p>three</p>four", "one two three four"),
        ('<figure src="a.gif"/>see', "see"),
        ("caf&eacute; &alpha; &#233; &#xE9; &nbsp;x", "café α é é x"),
        ("R&amp;D &lt;b&gt; &quot;", 'R&D <b> "'),
        ("&amp;eacute;", "&eacute;"),
        ("a <!-- <txt>no</txt> --> b", "a b"),
        ("<?pi x?>a", "a"),
        ("<![CDATA[x < y & z]]>", "x < y & z"),
        ("<![CDATA[<b>x</b> <!-- y]]> z", "<b>x</b> <!-- y z"),
        ("a <!-- <record pn='2'> 5 < 6 ]]> <![CDATA[ --> b", "a b"),
        ("<P ALIGN='left'>a</P >b<x:y z = \"1\"\n/>c", "a b c"),
        ("\u00fc \u00e9\u00df", "ü éß"),
        ("  many \n\n\t spaces ", "many spaces"),
    ],
)
def test_what_is_inside_a_text(markup: str, plain: str) -> None:
    record = read(whole(abs=f'<abs><ab xml:lang="EN">{markup}</ab></abs>'))
    assert record.abstract == plain
    assert not record.repaired
    assert record.description == "a description"


@pytest.mark.parametrize(
    "markup",
    [
        "5 < 6",
        "a<5",
        "R & D",
        "x &",
        "if a <x then b and c >y",
        "the valve <in the pipe> and <cl 5> and <record of> it",
        "<p align=left>",
        "a[b[0]]>c",
        "a <!-- never closed",
        "a <![CDATA[ never closed",
        "a <? never closed",
    ],
)
def test_signs_that_should_have_been_escaped_are_kept_and_noted(markup: str) -> None:
    record = read(whole(abs=f"<abs><ab>{markup}</ab></abs>"))
    assert (record.abstract, record.repaired) == (markup, True)
    assert (record.claims, record.description) == ("a claim", "a description")


@pytest.mark.parametrize("number", ["#" + "9" * 5000, "#x" + "F" * 5000, "#00000000233"])
def test_a_number_that_is_no_character_is_unknown(number: str) -> None:
    record = read(whole(abs=f"<abs><ab>a&{number};b</ab></abs>"))
    assert (record.abstract, record.unknown_entities, record.description) == ("a b", 1, "a description")


def test_a_long_text_is_read_to_its_end() -> None:
    """The parser's own limit for one text is ten million characters."""
    record = read(whole(abs=f"<abs><ab>{'x' * 10_500_000} end</ab></abs>"))
    assert len(record.abstract) == 10_500_004
    assert (record.description, record.repaired) == ("a description", False)


@pytest.mark.parametrize("mark", ["<![CDATA[", "<!--", "<?", "<a ", '<a b="', "<a b='<a b=\"", '<a b="c" ', "&", "<"])
def test_what_is_opened_and_never_closed_takes_no_time(mark: str) -> None:
    started = time.process_time()
    record = read(whole(abs=f"<abs><ab>{mark * 100_000}</ab></abs>"))
    assert time.process_time() - started < 2  # every look ahead at all that follows takes many times as long
    assert (len(record.abstract), record.description) == (len((mark * 100_000).strip()), "a description")


def test_unknown_entities_are_spaces_and_counted() -> None:
    record = read(whole(abs="<abs><ab>a&madeup;b &other; c</ab></abs>"))
    assert (record.abstract, record.unknown_entities) == ("a b c", 2)


@pytest.mark.parametrize(
    ("elements", "text", "english"),
    [
        ('<ab xml:lang="FR">mot</ab><ab xml:lang="EN">word</ab>', "word", True),
        ('<ab xml:lang="DE">Wort</ab><ab xml:lang="FR">mot</ab>', "Wort", False),
        ('<ab xml:lang="FR">mot</ab><ab>word</ab>', "word", True),
        ('<ab xml:lang="FR">mot</ab><ab xml:lang="EN"> </ab>', "mot", False),
        ('<ab xml:lang="en-GB">one</ab><ab xml:lang="EN">two</ab>', "one two", True),
        ('<ab xml:lang="EN">word <ab xml:lang="FR">mot</ab>', "word", True),
    ],
)
def test_english_is_preferred(elements: str, text: str, english: bool) -> None:
    record = read(whole(tis="", cls="", txts="", abs=f"<abs>{elements}</abs>"))
    assert (record.abstract, record.english) == (text, english)


def test_codes() -> None:
    ipcs = '<ipcs mc=" A01B  1/00"><ipc ic="A01B00100"/><ipc ic="A01C 3/00"/><ipc ic="A01C00300"/><ipc ic="?"/></ipcs>'
    record = read(whole(ipcs=ipcs))
    assert (record.main, record.others, record.unreadable_codes) == ("A01B001/00", ("A01C003/00",), 1)


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_no_record_is_refused_with_a_reason(name: str) -> None:
    content, reason = SPOILED[name]
    started = time.perf_counter()
    with pytest.raises(UnreadableRecordError) as caught:
        parse_record(content)
    assert str(caught.value) == reason
    assert time.perf_counter() - started < 1


def test_entities_are_never_resolved(tmp_path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    (tmp_path / "evil.dtd").write_text('<!ENTITY a "FROM A DTD"><!ATTLIST record pn CDATA "WO9">')
    declared = f'<!DOCTYPE record [<!ENTITY a SYSTEM "file://{tmp_path}/secret">]>'
    with pytest.raises(UnreadableRecordError, match="declares entities"):
        parse_record(f'{declared}<record pn="1"><ipcs mc="A01B"/><ab>&a;</ab></record>'.encode())
    external = f'<!DOCTYPE record SYSTEM "{tmp_path}/evil.dtd">'
    record = parse_record(f'{external}<record pn="1"><ipcs mc="A01B"/><ab>x &a; y</ab></record>'.encode())
    assert (record.id, record.abstract) == ("1", "x y")


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("iso-8859-1", "no-such"), ("iso-8859-1", "")],
)
def test_encodings(encoding: str, declared: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    record = parse_record(f'{head}<record pn="1"><ipcs mc="A01B"/><ab>é</ab></record>'.encode(encoding))
    assert record.abstract == "é"


@settings(deadline=None, max_examples=60)
@given(st.integers(1, len(whole())))
def test_a_file_cut_anywhere_gives_a_beginning_or_a_reason(end: int) -> None:
    expected = read(whole())
    try:
        record = read(whole()[:end])
    except UnreadableRecordError:
        return
    assert record.main == expected.main
    for name in ("title", "abstract", "description", "claims"):
        assert getattr(expected, name).startswith(getattr(record, name).rstrip("<"))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_record_or_a_reason(content: bytes) -> None:
    for data in (content, b'<record pn="1"><ipcs mc="A01B"/><ab>' + content):
        with suppress(UnreadableRecordError):
            assert parse_record(data).id
