"""What reading a collection of patents costs beside the bare parsing of its XML, and beside looking at its files."""

import os
import time

import pytest

from tasks.wipo.collection import find_collection
from tasks.wipo.fixture import write_collection
from tasks.wipo.parsing import parse_collection, parse_files

FILES = 1500
ROUNDS = 3
LONG = (b"<p>" + b" and so on, for a line or two &amp; more" * 12 + b"</p>\n") * 64


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Records with descriptions of thirty kilobytes, about as long as real ones."""
    made = write_collection(tmp_path_factory.mktemp("wipo"), FILES)
    for record in made.records:
        path = made.place / record.file
        path.write_bytes(path.read_bytes().replace(b"<txts><txt", b"<txts><txt>" + LONG + b"</txt><txt"))
    return find_collection(made.place)


def seconds(work):
    """Processor time: all that is compared runs in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def best_of(*works):
    """The best of several rounds of each, in turns."""
    rounds = [[seconds(work) for work in works] for _ in range(ROUNDS)]
    return [min(column) for column in zip(*rounds, strict=True)]


def parse_bare(collection):
    """A loop of lxml over the same files in one process; what it cannot parse it passes over."""
    from lxml import etree

    for file in collection.files:
        try:
            etree.parse(str(collection.place / file.name)).getroot().get("pn")
        except etree.XMLSyntaxError:
            continue


def test_one_process_parses_a_good_part_of_what_bare_lxml_does(collection, record_property):
    ours, reference = best_of(
        lambda: parse_files(collection.place, collection.time, collection.files), lambda: parse_bare(collection)
    )
    share = reference / ours
    record_property("share", round(share, 2))
    print(f"\n{len(collection.files) / ours:,.0f} files/s, {share:.2f} of a bare loop of lxml.etree.parse")
    assert share > 0.08  # three to five times what bare parsing costs, when it was written


def test_what_is_parsed_is_read_again_at_once(collection, record_property):
    first = seconds(lambda: parse_collection(collection, str))
    (again,) = best_of(lambda: list(parse_collection(collection, str).rows(("id", "main", "title"))))
    record_property("share", round(again / first, 3))
    print(f"\nagain: {again:.2f} s, {again / first:.2f} of the first time")
    assert again < first / 3


def test_the_stamp_costs_a_few_looks_at_each_file(collection, record_property):
    def look():
        for _, _, names, descriptor in os.fwalk(collection.place):
            for name in names:
                os.stat(name, dir_fd=descriptor)

    ours, reference = best_of(lambda: find_collection(collection.place).digest(), look)
    record_property("ratio", round(ours / reference, 2))
    per_file = ours / len(collection.files)
    print(f"\nstamp: {75_000 * per_file:.1f} s for 75,000 files, {ours / reference:.1f} times a bare walk with os.stat")
    assert ours < 5 * reference
