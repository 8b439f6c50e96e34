"""Asking the hub ends, whatever happens to the question."""

import threading
from urllib.error import URLError

import pytest

from bench.checkup_hub import hub, why_unreachable


def test_an_answer_is_no_reason():
    assert why_unreachable(lambda: None) is None


@pytest.mark.parametrize(
    "error", [URLError("no route to host"), OSError("no route to host"), ValueError("no route to host")]
)
def test_a_failure_is_its_reason(error):
    def ask():
        raise error

    assert why_unreachable(ask) == "no route to host"


def test_a_question_that_hangs_is_given_up():
    for_ever = threading.Event()
    try:
        assert "no answer" in why_unreachable(for_ever.wait, patience=0.05)
    finally:
        for_ever.set()


def test_offline_nothing_is_asked():
    (found,) = hub()  # the tests set HF_HUB_OFFLINE
    assert found.state == "note"
    assert "HF_HUB_OFFLINE" in found.found
