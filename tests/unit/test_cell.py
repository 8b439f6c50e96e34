"""A cell's name covers what can change its numbers and nothing else."""

import pytest

from bench.cell import cell_name, slot_name
from bench.record import Identity

BASE = Identity(
    task="t",
    task_settings={"a": 1, "b": [1, 2]},
    task_fingerprint="f",
    method="m",
    method_settings={"x": 0.1, "y": None},
    method_source="s",
    model="g",
    model_revision="r",
    seed=3,
)
CHANGES = {
    "task": "u",
    "task_settings": {"a": 2, "b": [1, 2]},
    "task_fingerprint": "g",
    "method": "n",
    "method_settings": {"x": 0.2, "y": None},
    "method_source": "z",
    "model": "h",
    "model_revision": "q",
    "seed": 4,
    "decision": "top-k",
    "judged_on": "validation",
    "record_schema": 99,
}


def test_the_changes_cover_every_field():
    assert set(CHANGES) == set(Identity.model_fields)


@pytest.mark.parametrize("field", CHANGES)
def test_every_part_of_the_identity_changes_the_name(field):
    assert cell_name(BASE.model_copy(update={field: CHANGES[field]})) != cell_name(BASE)


@pytest.mark.parametrize("field", CHANGES)
def test_the_slot_is_what_the_user_chose(field):
    same = slot_name(BASE.model_copy(update={field: CHANGES[field]})) == slot_name(BASE)
    assert same == (field in {"task_fingerprint", "method_source", "model_revision", "record_schema"})


def test_the_order_of_keys_does_not_matter():
    turned = BASE.model_copy(update={"task_settings": {"b": [1, 2], "a": 1}})
    assert cell_name(turned) == cell_name(BASE)


def test_the_name_is_pinned():
    """A change here makes every result of every user stale: it must be meant."""
    assert cell_name(BASE) == "89d7089609c63699"
