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


@pytest.mark.quick
def test_reading_and_splitting(table, figure):
    size = table.stat().st_size / 2**20
    pandas, records, load = (measured(program, table) for program in (PANDAS, RECORDS, LOAD))
    seen = f"{size:.0f} MiB of CSV, {pandas[0]:.2f} s with pandas"
    figure("records of a table, time beside pandas", records[0] / pandas[0], most=4, seen=seen)
    figure("records of a table, memory", records[1], unit="MiB", most=20, seen="nothing is kept")
    figure("a task of a table, time beside pandas", load[0] / pandas[0], most=25, seen=f"{load[0]:.2f} s")
    figure("a task of a table, memory beside its file", load[1] / size, most=4, seen=f"{load[1]:.0f} MiB")
