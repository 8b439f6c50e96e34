"""Where settings are searched for: declared, said, and handed to the sampler."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from bench.errors import UserError
from bench.settings import Settings
from bench.spaces import AnyOf, Around, Between, Options, Within, domains, parse_spaces


class Searched(Settings):
    """Settings with spaces."""

    rate: Annotated[float, Around(10)] = Field(0.002, gt=0)
    head: Annotated[float | None, Around(10)] = None
    depth: Annotated[int, Within(1, 5)] = 3
    pooling: Annotated[str, AnyOf("mean", "last")] = "mean"
    fixed: int = 1


class Narrowed(Searched):
    """A subclass that declares another default keeps the space that it declares."""

    rate: Annotated[float, Around(2)] = Field(1.0, gt=0)


def test_spaces_start_from_the_settings_as_they_stand():
    found = domains(Searched())
    assert found == {
        "rate": Between(0.0002, 0.02, log=True),
        "depth": Between(1, 5),
        "pooling": Options(("mean", "last")),
    }
    assert domains(Searched(head=0.5))["head"] == Between(0.05, 5.0, log=True)
    assert domains(Narrowed())["rate"] == Between(0.5, 2.0, log=True)


def test_the_user_outranks_what_is_declared():
    said = {"fixed": Options((1, 2)), "depth": Between(2, 3)}
    found = domains(Searched(), said)
    assert found["depth"] == Between(2, 3)
    assert found["fixed"] == Options((1, 2))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a=1..9", Between(1, 9)),
        ("a=0..0.5", Between(0, 0.5)),
        ("a=log:1e-5..1e-3", Between(1e-5, 1e-3, log=True)),
        ("a=mean,last", Options(("mean", "last"))),
        ("a=1,2.5,true,null", Options((1, 2.5, True, None))),
        ("a=-1..1", Between(-1, 1)),
    ],
)
def test_words(word, expected):
    assert parse_spaces([word]) == {"a": expected}


@pytest.mark.parametrize("word", ["a", "=1,2", "a=", "a=2..1", "a=x..y", "a=log:0..1", "a=log:-1..1", "a=1.."])
def test_words_that_are_no_space(word):
    with pytest.raises(UserError, match=r"--space"):
        parse_spaces([word])


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e4), st.floats(0, 1))
def test_what_is_set_lies_within_the_ends(low, ratio, place):
    domain = Between(low, low * ratio, log=True)
    value = domain.value(low * ratio**place)
    assert value in domain


def test_whole_numbers_stay_whole_and_options_have_positions():
    whole = Between(1, 5)
    assert isinstance(whole.value(3), int)
    assert repr(whole.distribution()).startswith("IntDistribution")
    options = Options(("mean", None, "last"))
    assert options.value(options.drawn(None)) is None
    assert (True in Between(0, 1), 0.5 in Between(0, 1), "mean" in options) == (False, False, True)
