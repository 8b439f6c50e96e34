"""The written pages: complete, offline, escaped, atomic."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import sys
import types
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.record import Identity, Record
from report import write_report
from report.drawing import draw, styles
from report.html import render_html
from report.markdown import markdown_table, render_markdown
from report.page import build_report
from report.plots import Axis, Plot, Series
from report.tables import Cell, Column, Table
from report.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeRecord

HOSTILE = (
    "<script>alert(1)</script>",
    "a|b",
    "\"quoted\" 'twice' & more",
    "تصنيف \u202e RTL",
    "🤗 emoji",
    "**bold** _it_ `code` [x](http://e.test) $x$ ~~s~~ #1 @me",
    "back\\slash | <!-- --> ]]> {{ 7*7 }} {% x %}",
    "two\nlines\x00\x1b[31m",
    "1e3",
    "![i](http://e.test/i.png)",
)


class Page(HTMLParser):
    """Collects tags, attributes and the text of each table cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.cells: list[str] = []
        self.text = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in {"td", "th"}:
            self.cells.append("")
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
            return
        self.text += data
        if self.cells:
            self.cells[-1] += data


def markdown_cells(text: str) -> list[str]:
    """Text of each table cell as a Markdown reader shows it."""
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(text)
    inline = [b for a, b in pairwise(tokens) if a.type in {"td_open", "th_open"}]
    return ["".join(child.content for child in token.children or []) for token in inline]


def svgs(page: Page) -> list[str]:
    head = "data:image/svg+xml;base64,"
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert all(source.startswith(head) for source in sources)
    return [base64.b64decode(source.removeprefix(head)).decode() for source in sources]


def drawn(records: list[Record], missing: list[Identity] | None = None) -> tuple[str, str]:
    """HTML and Markdown without the time that plots take."""
    report = build_report(records, missing or [])
    names = [figure.name for part in report.parts for figure in part.figures]
    images, addresses = dict.fromkeys(names, "<svg/>"), {name: f"plots/{name}" for name in names}
    return render_html(report, images), render_markdown(report, addresses)


def test_files_are_complete(record: MakeRecord, tmp_path: Path) -> None:
    files = write_report([record(seed=s) for s in (0, 1)] + [record(method="prior", f1=0.1)], tmp_path / "new")
    assert files.html.name == "report.html"
    assert files.markdown.name == "report.md"
    assert [path.name for path in files.plots] == ["debtags-predict-speed.svg", "debtags-host-memory.svg"]
    assert all("<svg" in path.read_text("utf-8") for path in files.plots)
    shown = re.findall(r"\]\((plots/[^)]+)\)", files.markdown.read_text())
    assert [tmp_path / "new" / address for address in shown] == list(files.plots)
    assert not list((tmp_path / "new").rglob("*.tmp"))


def test_page_asks_nothing_of_the_network(record: MakeRecord, tmp_path: Path) -> None:
    page = Page(write_report([record()], tmp_path).html.read_text())
    fetching = {"link", "iframe", "object", "embed", "video", "audio", "source", "base", "form"}
    assert not fetching & set(page.tags)
    addresses = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action", "poster"}]
    assert all(address.startswith(("data:image/", "#")) for address in addresses)
    assert ("meta", "content", "width=device-width, initial-scale=1") in page.attributes
    assert any("default-src 'none'" in value for _, _, value in page.attributes)
    html = (tmp_path / "report.html").read_text()
    assert "url(" not in html
    assert "@import" not in html
    assert not [attributes for attributes, _ in page.scripts if "src" in attributes]
    assert "prefers-color-scheme" in html
    for svg in svgs(page):
        assert not re.search(r"(href|src)=[\"'](?!#)", svg)
        assert "prefers-color-scheme" in svg


def test_any_text_is_shown_as_text(record: MakeRecord, tmp_path: Path) -> None:
    records = []
    for place, text in enumerate(HOSTILE):
        shared = {"task": HOSTILE[0], "method": text}
        records += [record(**shared, model=f"{text}{n}", settings={text: n}, f1=place / 20 + 0.1) for n in (1, 2)]
        records.append(record(**shared, model="bad", status="failed", reason=text, remedy=text, traceback=text))
    records.append(record(task=HOSTILE[1], undefined=dict.fromkeys(("p@1", "p@5"), HOSTILE[0]), metrics={}))
    files = write_report(records, tmp_path)
    page = Page(files.html.read_text())
    assert not {"b", "em", "i"} & set(page.tags)
    assert {attributes.get("type") for attributes, _ in page.scripts} == {
        None,  # our own, the only one that runs
        "application/json",
        "application/octet-stream",
    }
    assert not any("alert(1)" in text for attributes, text in page.scripts if "type" not in attributes)
    assert page.tags.count("img") == 2
    in_markdown = markdown_cells(files.markdown.read_text())
    for text in HOSTILE:
        # As method in the results, as method, reason, remedy and traceback among the failures.
        assert page.cells.count(plain(text)) >= 5
        assert in_markdown.count(plain(text)) >= 5
    assert all(re.fullmatch(r"[a-z0-9-]+\.svg", path.name) for path in files.plots)
    assert {path.parent for path in files.plots} == {tmp_path / "plots"}


def test_nothing_runs_but_the_scripts_that_the_policy_knows(record: MakeRecord, tmp_path: Path) -> None:
    page = Page(write_report([record()], tmp_path).html.read_text())
    (policy,) = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
    allowed = re.search(r"script-src ([^;]*);", policy).group(1).split()  # type: ignore[union-attr]
    packed = [text for attributes, text in page.scripts if str(attributes.get("id")).startswith("library-")]
    running = [text for attributes, text in page.scripts if "type" not in attributes]
    libraries = [gzip.decompress(base64.b64decode(text)).decode() for text in packed]
    assert len(running) == 1
    assert len(libraries) == 2
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running + libraries]
    assert allowed == [f"'sha256-{digest}'" for digest in digests]


@pytest.mark.parametrize("text", HOSTILE)
def test_plots_show_any_text_as_text(text: str) -> None:
    series = (Series(plain(text), plain(text), 10.0, 0.5),)
    svg = draw(Plot("k", plain(text), Axis("x"), Axis("y"), series), styles([plain(text)]))
    root = ET.fromstring(svg)
    labels = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert labels.count(plain(text)) >= 2  # title, and label or legend
    assert "script" not in {node.tag.rpartition("}")[2] for node in root.iter()}


@given(st.text(max_size=60))
def test_markdown_shows_any_text_in_a_table(text: str) -> None:
    shown = plain(text)
    table = Table("", (Column("a", "A"), Column("b", "B")), ((Cell(shown), Cell("end")),))
    assert markdown_cells(markdown_table(table)) == ["A", "B", shown, "end"]


def test_failures_have_reason_remedy_and_traceback(record: MakeRecord) -> None:
    bad = record(status="crashed", reason="signal 9", remedy="bench run --retry crashed", traceback="c0.txt")
    html, markdown = drawn([bad, record(method="prior")], [Identity(task="debtags", method="bert")])
    for text in (Page(html).text, markdown):
        assert "2 of 3 planned cells without a result: 1 crashed, 1 missing." in text
        assert "Missing and failed cells" in text
        for part in ("signal 9", "bench run --retry crashed", "c0.txt", "left no record"):
            assert part in text


def test_how_figures_were_taken_is_told(record: MakeRecord) -> None:
    html, markdown = drawn([record(facts={"truncated_share": 0.5})])
    for text in (" ".join(Page(html).text.split()), markdown.replace("\\", "")):
        for part in (
            "all above one threshold, chosen on validation documents, and the highest score always (tfidf)",
            "opens after the first steps, each document counts once an epoch (documents × epochs), and tokenising lies",
            "The window of prediction holds tokenising",
            "Predicting the validation documents is a phase of its own after it.",
            "torch, transformers, peft and bitsandbytes loaded beforehand",
            "What each row saw",
            "50.0 %",
        ):
            assert part in text


def test_machines_are_in_words(record: MakeRecord) -> None:
    one = record()
    gpu = {"name": "NVIDIA H200", "memory_mib": 143771}
    for gpus, words in (([], "no GPU"), ([gpu], "NVIDIA H200 (memory mib: 143771)")):
        hardware = {"cpu": "EPYC 7B13", "cores": 2, "memory_mib": 24105, "gpus": gpus}
        environment = one.environment.model_copy(update={"hardware": hardware})
        html, _ = drawn([one.model_copy(update={"environment": environment})])
        assert f"EPYC 7B13, 2 cores, 24,105 MiB of memory, {words}; threads used: 2" in Page(html).text


def test_nothing_failed_shows_no_banner(record: MakeRecord) -> None:
    html, markdown = drawn([record()])
    assert "without a result" not in html
    assert "Missing and failed" not in markdown


def test_origin_is_told(record: MakeRecord) -> None:
    dirty = record(environment=None)
    dirty = dirty.model_copy(
        update={"environment": dirty.environment.model_copy(update={"harness": {"git": "9f9f9f9", "dirty": True}})}
    )
    html, markdown = drawn([dirty, record(method="prior")])
    for text in (Page(html).text, markdown.replace("\\", "")):
        for part in ("EPYC 7B13", "torch 2.13.0", "9f9f9f9", "dirty: yes", "bench run --all", "2026-11-22 10:05 UTC"):
            assert part in text
        assert "413 labels" in text
        assert "train 10,000, validation 1,000, test 2,000" in text
        assert "modified harness" in text


def test_metrics_are_defined_by_the_harness(record: MakeRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = types.ModuleType("bench.metrics.evaluate")
    stub.describe = lambda name: {"micro_f1": "two times <TP>"}[name]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bench.metrics.evaluate", stub)
    page = Page(drawn([record()])[0])
    assert "two times <TP>" in page.text


def test_the_same_records_give_the_same_bytes(record: MakeRecord, tmp_path: Path) -> None:
    records = [record(seed=s, f1=0.5 + s / 50) for s in (0, 1)] + [record(method="prior", f1=0.1)]
    first, second = write_report(records, tmp_path / "a"), write_report(records[::-1], tmp_path / "b")
    assert first.html.read_bytes() == second.html.read_bytes()
    assert first.markdown.read_bytes() == second.markdown.read_bytes()


def test_a_write_that_fails_leaves_the_old_page(
    record: MakeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_report([record()], tmp_path).html.read_bytes()

    def broken(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_report([record(f1=0.1)], tmp_path)
    assert (tmp_path / "report.html").read_bytes() == old
    assert not list(tmp_path.rglob("*.tmp"))


def test_no_records_make_a_page(tmp_path: Path) -> None:
    files = write_report([], tmp_path)
    assert "0 tasks" in files.html.read_text()
    assert files.plots == ()


def test_plain_text_is_one_printable_line() -> None:
    assert plain(" a\n b\t\x1b[31m\ud800\u202ec ") == "a b \ufffd[31m\ufffd\ufffdc"
    assert len(plain("x" * 5000)) == 600


def test_numbers_do_not_break(record: MakeRecord) -> None:
    html, _ = drawn([record(f1=0.512, settings={"a/b": 1}), record(f1=0.3, settings={"a/b": 2})])
    assert "0.512" in html
    assert "a/<wbr>b=<wbr>1" in html
