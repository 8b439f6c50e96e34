"""The verdict as JUnit XML, Markdown and JSON; names may hold anything."""

import json

from gated import Cell
from lxml import etree

from bench.gate.junit import as_junit
from bench.gate.markdown import as_markdown

HOSTILE = "<script>alert(1)</script> | \"q\" & 'a' \x1b[31m \u202e💥\nline @team https://x.y " + "z" * 400

JUNIT = b"""<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <xs:complexType name="said" mixed="true"><xs:attribute name="type" type="xs:string"/>
  <xs:attribute name="message" type="xs:string"/></xs:complexType>
 <xs:attributeGroup name="counts"><xs:attribute name="name" type="xs:string" use="required"/>
  <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
  <xs:attribute name="errors" type="xs:nonNegativeInteger"/></xs:attributeGroup>
 <xs:element name="testsuites"><xs:complexType><xs:sequence>
  <xs:element name="testsuite" maxOccurs="unbounded"><xs:complexType><xs:sequence>
   <xs:element name="properties" minOccurs="0"><xs:complexType><xs:sequence>
    <xs:element name="property" maxOccurs="unbounded"><xs:complexType>
     <xs:attribute name="name" type="xs:string" use="required"/>
     <xs:attribute name="value" type="xs:string" use="required"/></xs:complexType></xs:element>
   </xs:sequence></xs:complexType></xs:element>
   <xs:element name="testcase" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="failure" type="said" minOccurs="0"/>
    <xs:element name="system-out" type="xs:string" minOccurs="0"/></xs:sequence>
    <xs:attribute name="classname" type="xs:string" use="required"/>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
   <xs:element name="system-out" type="xs:string" minOccurs="0"/></xs:sequence>
   <xs:attributeGroup ref="counts"/><xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
   <xs:attribute name="time" type="xs:decimal"/><xs:attribute name="timestamp" type="xs:dateTime"/>
  </xs:complexType></xs:element></xs:sequence><xs:attributeGroup ref="counts"/></xs:complexType></xs:element>
</xs:schema>"""
"""What readers of JUnit XML have in common."""


def verdict(gate, **now):
    gate.refer(Cell(method="one"), Cell(method="two"), Cell(method="three", model=HOSTILE))
    return gate.judge(Cell(method="one"), Cell(method="two", wrong=0.5, **now))


def parsed(found):
    document = etree.fromstring(as_junit(found))
    etree.XMLSchema(etree.fromstring(JUNIT)).assertValid(document)
    return document


def test_junit_has_a_case_for_each_cell_and_a_failure_for_each_that_does_not_hold(gate):
    document = parsed(verdict(gate))
    assert (document.get("tests"), document.get("failures")) == ("3", "2")
    cases = {case.get("name"): case.find("failure") for case in document.iter("testcase")}
    assert cases["one, seed 0"] is None
    assert cases["two, seed 0"].get("type") == "quality"
    assert cases["two, seed 0"].get("message").startswith("micro_f1 fell from")
    assert "write the reference again" in cases["two, seed 0"].text
    (hostile,) = (name for name in cases if "three" in name)
    assert "<script>alert(1)</script>" in hostile
    assert not set("\x1b\n\u202e") & set(hostile)


def test_an_open_gate_has_no_failure(gate):
    gate.refer(Cell())
    document = parsed(gate.judge(Cell()))
    assert document.get("failures") == "0"
    assert document.find(".//failure") is None


def test_markdown_says_the_verdict_first_and_escapes_what_comes_from_data(gate):
    text = as_markdown(verdict(gate))
    assert text.startswith("## ❌ gate CLOSED: 2 of 3 cells do not hold (1 missing or failed, 1 quality)")
    assert "- **made-up × two, seed 0**\n  - quality: micro" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    unescaped = rows[0].count("|")
    assert all(row.replace("\\|", "").count("|") == unescaped for row in rows)
    assert "<script>" not in text
    assert "@team" not in text
    assert "https://" not in text


def test_json_is_plain_and_complete(gate):
    found = json.loads(json.dumps(verdict(gate).as_json(), allow_nan=False))
    assert found["open"] is False
    assert [cell["closed"] for cell in found["cells"]] == [False, True, True]
    quality = next(one for one in found["cells"][1]["findings"] if one["check"] == "quality")
    assert quality["numbers"]["now"] < quality["numbers"]["before"]
    assert quality["numbers"]["high"] < 0
