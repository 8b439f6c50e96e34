"""The verdict as JUnit XML, which every system of continuous integration shows: a test case a cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from bench.gate.finding import CellVerdict, Finding, Verdict


def as_junit(verdict: Verdict) -> bytes:
    """One test suite; a cell that closes the gate is a failure, with its reasons and remedies."""
    closed = sum(cell.closed for cell in verdict.cells)
    counts = {"tests": str(len(verdict.cells)), "failures": str(closed), "errors": "0"}
    root = ET.Element("testsuites", {"name": "bench check", **counts})
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite = ET.SubElement(
        root, "testsuite", {"name": "bench check", **counts, "skipped": "0", "time": "0", "timestamp": at}
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("reference", verdict.reference), ("updated", verdict.updated)):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for cell in verdict.cells:
        _case(suite, cell)
    ET.SubElement(suite, "system-out").text = verdict.headline
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _case(suite: ET.Element, cell: CellVerdict) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": f"bench.{cell.task}", "name": cell.name, "time": "0"})
    if cell.closed:
        closing = cell.with_outcome("closed")
        attributes = {"type": closing[0].check, "message": "; ".join(found.words for found in closing)}
        ET.SubElement(case, "failure", attributes).text = _lines(closing)
    noted = cell.with_outcome("noted")
    if noted:
        ET.SubElement(case, "system-out").text = _lines(noted)


def _lines(findings: Sequence[Finding]) -> str:
    return "\n".join(
        f"{_place(found)}: {found.words}" + (f"\n  {found.remedy}" if found.remedy else "") for found in findings
    )


def _place(found: Finding) -> str:
    """The check, and the phase where the words do not name it themselves."""
    phase = found.numbers.get("phase")
    return f"{found.check} ({phase})" if phase and not found.words.startswith(f"{phase}:") else found.check
