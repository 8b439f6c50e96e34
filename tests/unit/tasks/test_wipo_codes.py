from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.wipo.codes import LEVELS, at_level, normalise, path

SPELLINGS = [
    "A01B 1/00", "A01B001/00", "A01B00100", "a01b 1/00", " A01B  001 / 00 ", "A01B\u00a01/00", "A01B0001000000",
    "A01B 1:00", "A01B1/00", "A01B\t1 00", "A 01 B 1/00", "A01B001/000", "A01B 1/00\n",
]  # fmt: skip


@pytest.mark.parametrize("raw", SPELLINGS)
def test_one_code_has_one_spelling(raw: str) -> None:
    assert normalise(raw) == "A01B001/00"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("A01B003421", "A01B003/421"),
        ("H04L 12/40", "H04L012/40"),
        ("C12N2310/10", "C12N2310/10"),
        ("C12N2310100000", "C12N2310/10"),
        ("A01B00342", "A01B003/42"),
        ("A01B001", "A01B001"),
        ("a01b 1", "A01B001"),
        ("C12N2310", "C12N2310"),
        ("A01B", "A01B"),
        ("A01", "A01"),
        ("A", "A"),
        ("A01B 1/x", "A01B"),
        ("A01B 0/00", "A01B"),
        ("A01B 1/00/2", "A01B"),
        ("A01B 12345678901", "A01B"),
        ("I01B 1/00", None),
        ("A1B 1/00", None),
        ("", None),
        ("?", None),
    ],
)
def test_codes_are_read_as_deep_as_they_can_be(raw: str, code: str | None) -> None:
    assert normalise(raw) == code


def test_levels() -> None:
    assert path("A01B001/00") == ("A", "A01", "A01B", "A01B001", "A01B001/00")
    assert path("C12N2310/10")[3] == "C12N2310"
    assert [at_level("A01B", level) for level in LEVELS] == ["A", "A01", "A01B", None, None]
    assert [at_level("A01B001", level) for level in LEVELS] == ["A", "A01", "A01B", "A01B001", None]


def test_main_groups_are_not_merged() -> None:
    """Cutting six characters off ``A01B001/00`` would make one group of all under a hundred, or of two subclasses."""
    groups = {
        at_level(str(normalise(raw)), "main-group") for raw in ("A01B 1/00", "A01B 3/00", "A01C 1/00", "B01B00100")
    }
    assert groups == {"A01B001", "A01B003", "A01C001", "B01B001"}


@given(
    st.sampled_from("ABCDEFGH"), st.integers(1, 99), st.sampled_from("BCNZ"), st.integers(1, 999), st.integers(0, 999)
)
def test_every_spelling_means_the_same(section: str, class_: int, subclass: str, main: int, sub: int) -> None:
    above, tail = f"{section}{class_:02d}{subclass}", f"{sub:02d}"
    raws = [f"{above} {main}/{tail}", f"{above}{main:03d}/{tail}", f"{above}{main:03d}{tail}",
            f"{above}{main:04d}{tail.ljust(6, '0')}", f"{above.lower()}  {main} : {tail}"]  # fmt: skip
    codes = {normalise(raw) for raw in raws}
    assert len(codes) == 1
    (code,) = codes
    assert code is not None
    assert normalise(code) == code
    assert at_level(code, "main-group") == f"{above}{main:03d}"
