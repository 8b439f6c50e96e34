"""A method whose library is not installed: told everywhere, in the way of nothing."""

import json

from commands import PLUGINS

METHODS = PLUGINS / "contract" / "sample_methods.py"


def test_it_is_listed_with_what_brings_it(bench):
    done = bench("list", "methods", "--plugins", METHODS, "--json")
    states = {row["name"]: row for row in json.loads(done.out)}
    lacking = states["lacks-library"]
    assert (lacking["status"], lacking["reason"]) == ("unavailable", "abacus is not installed")
    assert lacking["remedy"] == "pip install abacus"
    assert states["keeps"]["status"] == "ok"


def test_its_cells_are_unavailable_and_the_rest_runs(bench, tmp_path):
    words = (
        "run",
        "-t",
        "synthetic-clv",
        "-m",
        "lacks-library",
        "-m",
        "prior",
        "--plugins",
        METHODS,
        "--out",
        tmp_path,
    )
    done = bench(*words, "--json")
    records = {record["method"]: record for record in json.loads(done.out)}
    assert done.code == 0
    assert records["lacks-library"]["status"] == "unavailable"
    assert records["lacks-library"]["reason"] == "abacus is not installed"
    assert records["lacks-library"]["remedy"] == "pip install abacus"
    assert records["prior"]["status"] == "ok"
