"""Reading a table takes a small multiple of what pandas takes for it, and hardly more memory than its rows."""

import csv
import json
import random
import subprocess
import sys

import pytest

ROWS = 60_000

PANDAS = "import pandas\n{measure}\npandas.read_csv(path, dtype=str, keep_default_na=False)"
RECORDS = """
from pathlib import Path
from bench.reading.files import open_source
from bench.reading.source import Reading
{measure}
for record in open_source(Path(path), Reading(('text', 'label'))).records():
    pass
"""
LOAD = """
from tasks.table import TableSettings, TableTask
{measure}
TableTask(TableSettings(path=path)).load()
"""
MEASURE = """
import json, resource, sys, time
path = sys.argv[1]
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, started = peak(), time.perf_counter()
"""
TELL = "\nprint(json.dumps([time.perf_counter() - started, peak() - before]))"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV file of some 35 MB."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(5000)]
    path = tmp_path_factory.mktemp("table") / "table.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text", "label"])
        for row in range(ROWS):
            writer.writerow([row, " ".join(chance.choices(words, k=80)) + f', "quoted" {row}', f"label {row % 37}"])
    return path


def measured(program, path):
    """Best seconds of three, and the MiB by which memory grew."""
    source = program.format(measure=MEASURE) + TELL
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", source, path], check=True, capture_output=True).stdout)
        for _ in range(3)
    ]
    return min(seconds for seconds, _ in runs), min(memory for _, memory in runs)


def test_reading_and_splitting(table, record_property):
    size = table.stat().st_size / 2**20
    pandas, records, load = (measured(program, table) for program in (PANDAS, RECORDS, LOAD))
    record_property("records", round(records[0] / pandas[0], 2))
    record_property("load", round(load[0] / pandas[0], 2))
    print(
        f"\n{size:.0f} MiB of CSV: pandas {pandas[0]:.2f} s and {pandas[1]:.0f} MiB; records "
        f"{records[0] / pandas[0]:.1f} times that, {records[1]:.0f} MiB; the whole task "
        f"{load[0] / pandas[0]:.1f} times that, {load[1]:.0f} MiB"
    )
    assert records[0] / pandas[0] < 4
    assert records[1] < 20  # nothing is kept
    assert load[1] < 4 * size
    assert load[0] / pandas[0] < 25
