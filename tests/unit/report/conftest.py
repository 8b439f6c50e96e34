"""A small factory of records as cells leave them."""

from __future__ import annotations

import pytest
from made_records import MakeRecord, build_record

__all__ = ["MakeRecord", "build_record"]


@pytest.fixture
def record() -> MakeRecord:
    return build_record
