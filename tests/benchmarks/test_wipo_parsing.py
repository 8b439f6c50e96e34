"""What reading a collection of patents costs beside the bare parsing of its XML, and beside looking at its files."""

import os
import time

import pytest

from tasks.wipo.collection import find_collection
from tasks.wipo.fixture import write_collection
from tasks.wipo.parsing import parse_collection, parse_files

FILES = 1500
ROUNDS = 3
pytestmark = pytest.mark.benchmark(timer=time.process_time)  # all that is compared runs in this process
LONG = (b"<p>" + b" and so on, for a line or two &amp; more" * 12 + b"</p>\n") * 64


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Records with descriptions of thirty kilobytes, about as long as real ones."""
    made = write_collection(tmp_path_factory.mktemp("wipo"), FILES)
    for record in made.records:
        path = made.place / record.file
        path.write_bytes(path.read_bytes().replace(b"<txts><txt", b"<txts><txt>" + LONG + b"</txt><txt"))
    return find_collection(made.place)


def parse_bare(collection):
    """A loop of lxml over the same files in one process; what it cannot parse it passes over."""
    from lxml import etree

    for file in collection.files:
        try:
            etree.parse(str(collection.place / file.name)).getroot().get("pn")
        except etree.XMLSyntaxError:
            continue


def test_one_process_parses_a_good_part_of_what_bare_lxml_does(collection, figure, in_turns):
    (ours, _), (reference, _) = in_turns(
        lambda: parse_files(collection.place, collection.time, collection.files),
        lambda: parse_bare(collection),
        rounds=ROUNDS,
    )
    files = f"{len(collection.files) / ours:,.0f} files/s"
    figure("patents, time of parsing beside bare lxml", ours / reference, most=12, seen=files)


def test_what_is_parsed_is_read_again_at_once(collection, figure, in_turns):
    started = time.process_time()
    parse_collection(collection, str)
    first = time.process_time() - started
    ((again, _),) = in_turns(
        lambda: list(parse_collection(collection, str).rows(("id", "main", "title"))), rounds=ROUNDS
    )
    figure("patents, time of reading again beside parsing", again / first, most=1 / 3, seen=f"{again:.2f} s")


def test_the_stamp_costs_a_few_looks_at_each_file(collection, figure, in_turns):
    def look():
        for _, _, names, descriptor in os.fwalk(collection.place):
            for name in names:
                os.stat(name, dir_fd=descriptor)

    (ours, _), (reference, _) = in_turns(lambda: find_collection(collection.place).digest(), look, rounds=ROUNDS)
    seen = f"{75_000 * ours / len(collection.files):.1f} s for 75,000 files"
    figure("patents, time of the stamp beside a walk with os.stat", ours / reference, most=5, seen=seen)
