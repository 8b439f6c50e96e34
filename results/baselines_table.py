"""Makes ``results/reference/baselines.{csv,md}``: this project's baselines beside those of other libraries on debtags.

    python results/baselines_table.py WORK [--rows NAME …] [--documents N] [--cores N] [--seed N] [--to FOLDER]

Each library runs in a virtual environment of its own, which is made in the folder ``WORK`` of packages from the
registry, in a process of its own, on the documents as the harness froze them. What is finished stays in ``WORK``: the
same command again goes on where it stopped, and makes the table of all that is there. Every metric is computed here,
from scores, by ``bench.metrics``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines_rows import ROWS, TASK, Own, Peer, Work, chosen, hand_over, keep_to_cores, run, say

from bench.errors import UserError
from bench.judging import Judge
from bench.prediction import TopScores, rank
from bench.predictions_file import SplitPredictions
from bench.record import Record
from bench.registry import Registry
from bench.task import TaskData
from bench.task_cache import freeze
from report.provenance import hardware_line

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

METRICS = ("micro_f1", "macro_f1", "p@1", "p@3", "p@5")
TARGET = Path(__file__).parent / "reference"
OWN_RULE = "its own: score over 0"
_PREFACE = """\
# Baselines beside other libraries

`python results/baselines_table.py WORK`, {date}. debtags: {documents}. {machine}.

Each row is trained on the training documents, in a process of its own, as its own documentation shows, and judged here
from its scores. The validation documents choose thresholds and nothing else; one row adds them to its training.
omikuji and PECOS rank labels: for their F1 the one threshold that suits the validation documents best is taken, by the
rule of `bench`. Seconds go from texts to a model, and from texts to scores; memory is the most that the process held.
omikuji takes no seed: its rows differ a little each time.
"""


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Attributes:
        what: What was run.
        rule: How label sets were made of scores.
        metrics: Metric → value on test documents.
        train_seconds: From texts to a model.
        predict_seconds: From the texts of the test documents to scores.
        peak_mib: Most resident memory of its process.
        versions: Library → version.
    """

    what: str
    rule: str
    metrics: Mapping[str, float | None]
    train_seconds: float
    predict_seconds: float
    peak_mib: float | None
    versions: Mapping[str, str]

    def row(self) -> dict[str, Any]:
        """The line as plain values, rounded."""
        return {
            "what": self.what,
            "rule": self.rule,
            **{name: _rounded(self.metrics.get(name), 4) for name in METRICS},
            "train_seconds": round(self.train_seconds, 1),
            "predict_seconds": round(self.predict_seconds, 1),
            "peak_mib": _rounded(self.peak_mib, 0),
            "versions": " ".join(f"{name}={number}" for name, number in self.versions.items()),
        }


def main(words: Sequence[str]) -> int:
    """Run the rows that are missing, write the table; 1 if a row failed."""
    given = _parser().parse_args(words)
    rows = chosen(given.rows)
    work = Work(given.work.resolve(), given.cores, given.seed, given.documents)
    keep_to_cores(work.cores)
    frozen = freeze(Registry.discover().get("task", TASK), work.settings, say=say)
    work.keep_to(frozen.fingerprint)
    data = frozen.load()
    hand_over(data, work.folder / "documents")
    failed = [name for name in rows if not run(name, work, frozen.fingerprint)]
    lines = [line for name in ROWS for line in lines_of(name, work, data)]
    write(lines, preface(work, data, lines), given.to)
    say(f"{given.to / 'baselines.md'}: {len(lines)} lines" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def lines_of(name: str, work: Work, data: TaskData) -> list[Line]:
    """What the table says of a row; nothing where it is not finished."""
    row = ROWS[name]
    if isinstance(row, Peer):
        folder = work.peer(name)
        return [peer_line(row, folder, data)] if (folder / "facts.json").exists() else []
    record = work.record(row)
    return own_lines(row, record) if record is not None else []


def peer_line(peer: Peer, folder: Path, data: TaskData) -> Line:
    """The line of a library, judged by this project's metrics."""
    from scipy.sparse import load_npz

    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    scores: list[Any] = [load_npz(folder / f"{name}.npz").tocsr() for name in ("validation", "test")]
    rule, metrics = judged(peer, data, *scores)
    seconds = facts["train_seconds"], facts["predict_seconds"]
    return Line(peer.what, rule, metrics, *seconds, facts["peak_mib"], facts["versions"])


def judged(
    peer: Peer, data: TaskData, validation: csr_matrix, test: csr_matrix
) -> tuple[str, Mapping[str, float | None]]:
    """How label sets were made of a library's scores, and the metrics of the test documents.

    Args:
        peer: The library.
        data: The documents.
        validation: Scores of the validation documents, shape (documents, labels).
        test: Scores of the test documents.
    """
    judge = Judge.of(data.train, data.labels, data.kind)
    if peer.own_sets:
        gold = data.test.label_matrix(len(data.labels))
        split = SplitPredictions(data.test.ids, gold, positive(test), rank(TopScores(test)))
        return OWN_RULE, judge.evaluate(split).metrics
    rule = judge.rule(data.validation, TopScores(validation))
    return rule.decision.rule, judge.evaluate(judge.decide(data.test, TopScores(test), rule)).metrics


def positive(scores: csr_matrix) -> csr_matrix:
    """1 where a score is over 0, shape (documents, labels), dtype int8, indices sorted."""
    import numpy as np

    found = scores.copy()
    found.data = (found.data > 0).astype(np.int8)
    found.eliminate_zeros()
    found.sort_indices()
    return found


def own_lines(row: Own, record: Record) -> list[Line]:
    """The lines of one of this project's rows, one a threshold rule."""
    if record.status != "ok" or record.decision is None:
        return []
    metrics = {record.decision.rule: record.metrics} | {
        rule: {**record.metrics, **other.metrics} for rule, other in record.alternatives.items()
    }
    peaks = [peak.host for phase, peak in record.peak_mib.items() if phase != "validate"]
    known = [peak for peak in peaks if peak is not None]
    words = " ".join([row.method, *row.settings.values()])
    seconds = record.seconds["train"], record.seconds["predict"]
    return [
        Line(f"`bench` {words}", rule, metrics[rule], *seconds, max(known, default=None), _versions(row, record))
        for rule in row.rules
        if rule in metrics
    ]


def preface(work: Work, data: TaskData, lines: Sequence[Line]) -> str:
    """What was run, on what, when and how it is to be read."""
    records = [record for record in work.records() if record.status == "ok"]
    machine = hardware_line(records, records[-1].environment.hardware_id) if records else "no row of `bench`"
    sizes = ", ".join(f"{len(documents):,} {name}" for name, documents in data.splits())
    sample = "" if work.documents is None else f", a sample of at most {work.documents:,} a split"
    said = _PREFACE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        documents=f"{len(data.labels)} labels; documents: {sizes}{sample}",
        machine=f"{work.cores} cores, seed {work.seed}. {machine}; load average {os.getloadavg()[0]:.1f} at the end",
    )
    return "\n".join([said, *_versions_lines(lines), ""])


def write(lines: Sequence[Line], preface: str, folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "baselines.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(Line("", "", {}, 0, 0, None, {}).row()), lineterminator="\n")
        writer.writeheader()
        writer.writerows(line.row() for line in lines)
    (folder / "baselines.md").write_text(f"{preface}\n{table(lines)}\n", "utf-8")


def table(lines: Sequence[Line]) -> str:
    """The lines as Markdown, the highest micro-F1 first; the best figure of a metric is bold."""
    head = ("what", "label sets", "micro-F1", "macro-F1", "P@1", "P@3", "P@5", "train s", "predict s", "peak MiB")
    best = {name: max((_known(line, name) for line in lines), default=0.0) for name in METRICS}
    body = [
        [line.what, line.rule]
        + [_shown(_known(line, name), best[name]) for name in METRICS]
        + [f"{line.train_seconds:.1f}", f"{line.predict_seconds:.1f}"]
        + ["?" if line.peak_mib is None else f"{line.peak_mib:,.0f}"]
        for line in sorted(lines, key=lambda line: -_known(line, "micro_f1"))
    ]
    return "\n".join(_line(cells) for cells in [head, ["---", "---", *["---:"] * 8], *body])


def _versions(row: Own, record: Record) -> dict[str, str]:
    own = {"xr-linear": "libpecos", "parabel": "omikuji", "bonsai": "omikuji"}.get(row.settings.get("trees", ""))
    packages = record.environment.packages
    found = {"bench-text": str(record.environment.harness.get("version", "?"))}
    found |= {name: packages[name] for name in ("numpy", "scipy", "scikit-learn") if name in packages}
    if own is not None:
        try:
            found[own] = version(own)
        except PackageNotFoundError:
            found[own] = "?"
    return found


def _versions_lines(lines: Sequence[Line]) -> list[str]:
    """Who ran with what, each set of versions once."""
    users: dict[str, list[str]] = {}
    for line in lines:
        words = ", ".join(f"{name} {number}" for name, number in line.versions.items())
        if line.what not in users.setdefault(words, []):
            users[words].append(line.what)
    return [f"- {'; '.join(who)}: {words}" for words, who in users.items()]


def _known(line: Line, metric: str) -> float:
    return line.metrics.get(metric) or 0.0


def _shown(value: float, best: float) -> str:
    return f"**{value:.3f}**" if value == best else f"{value:.3f}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="baselines_table.py", description="Baselines beside other libraries.")
    parser.add_argument("work", type=Path, help="folder in which rows are made and kept")
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help=f"run only: {', '.join(ROWS)}")
    parser.add_argument("--documents", type=int, help="a sample of at most so many documents a split; all by default")
    parser.add_argument("--cores", type=int, default=2, help="cores that every row computes on (2)")
    parser.add_argument("--seed", type=int, default=0, help="seed of those rows that take one (0)")
    parser.add_argument("--to", type=Path, default=TARGET, help="folder of the table")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        say(f"error: {error}")
        sys.exit(2)
