"""A gate in a folder of its own."""

import pytest
from gated import Gate


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)
