"""The command that a warning names says what the run said."""

import shlex
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.cli.data_options import DataWords
from bench.cli.task_warnings import InspectCommand
from bench.cli.words import parse_sets
from bench.registry import Registry
from bench.suite import Suite, load_suite

REGISTRY = Registry.discover()
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def command(suite, data=None, own=(), plugins=()):
    return InspectCommand(data or DataWords(), own, plugins, suite, REGISTRY)


def sets(words):
    return parse_sets(words[place + 1] for place, word in enumerate(words) if word == "--set")


@settings(max_examples=200, deadline=None)
@given(VALUES | st.lists(VALUES, max_size=3))
@example("a\x85b")
def test_settings_are_read_as_they_were_given(value):
    words = shlex.split(command(Suite(settings={"table": {"text": value}})).of("table"))
    assert sets(words) == {"text": value}


def test_limits_of_a_suite_are_named():
    words = command(load_suite("default"), plugins=[Path("my plugins/a.py")]).of("synthetic-clv")
    assert words.startswith("bench inspect synthetic-clv --plugins 'my plugins/a.py' --set train_documents=1000")


def test_a_file_of_the_users_is_named_with_its_columns():
    data = DataWords("a.csv", ("title", "the body"), "queue", "b.csv", "mail")
    words = command(Suite(), data, ("table",)).of("table")
    assert words == ("bench inspect --data a.csv --text title --text 'the body' --label queue --test b.csv --name mail")
    assert command(Suite(), data, ("mail",)).of("table") == "bench inspect table"
