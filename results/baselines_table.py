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
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines_rows import OUR_RULE, ROWS, TASK, Own, Peer, Work, chosen, hand_over, keep_to_cores, run, say

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
_PREFACE = """\
# Baselines beside other libraries

`python results/baselines_table.py WORK`, {date}. debtags: {documents}. {machine}.

Each row is trained on the training documents, in a process of its own, and judged here from its scores. Other
libraries are set as their own documentation sets them. The defaults of `tfidf` were chosen on the validation documents
of this very task, those of the others were not; the row with scikit-learn's defaults was not tuned either. Test
documents chose nothing. One row adds the validation documents to its training.

Label sets are made by the library itself, or by a rule of `bench` whose thresholds are chosen on validation documents
(`docs/metrics.md`). Macro-F1 is over the labels that occur in training or test documents (`macro_f1`). Seconds go from
texts to a model, from the texts of the validation documents to thresholds (of all three rules where `bench` does it),
and from the texts of the test documents to scores; what a library takes to be imported is not counted. Memory is the
most that the process held. omikuji takes no seed: its rows differ a little each time.
"""


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Attributes:
        what: What was run.
        rule: How label sets were made of scores.
        metrics: Metric → value on test documents.
        train_seconds: From texts to a model.
        threshold_seconds: From the texts of the validation documents to thresholds; None where there are none of ours.
        predict_seconds: From the texts of the test documents to scores.
        peak_mib: Most resident memory of its process.
        versions: Library → version.
    """

    what: str
    rule: str
    metrics: Mapping[str, float | None]
    train_seconds: float
    threshold_seconds: float | None
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
            "threshold_seconds": _rounded(self.threshold_seconds, 1),
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
        folder = work.of(name)
        return peer_lines(row, folder, data) if (folder / "facts.json").exists() else []
    record = work.record(name)
    return own_lines(row, record) if record is not None else []


def peer_lines(peer: Peer, folder: Path, data: TaskData) -> list[Line]:
    """The lines of a library, one a way to make label sets, judged by this project's metrics."""
    from scipy.sparse import load_npz

    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    scores: list[Any] = [load_npz(folder / f"{name}.npz").tocsr() for name in ("validation", "test")]
    lines = []
    for cut in peer.cuts:
        started = time.perf_counter()
        metrics = judged(cut, data, *scores)
        ours = facts["validate_seconds"] + time.perf_counter() - started if cut == OUR_RULE else None
        seconds = facts["train_seconds"], ours, facts["predict_seconds"]
        lines.append(Line(peer.what, cut, metrics, *seconds, facts["peak_mib"], facts["versions"]))
    return lines


def judged(cut: str, data: TaskData, validation: csr_matrix, test: csr_matrix) -> Mapping[str, float | None]:
    """The metrics of the test documents by a library's scores.

    Args:
        cut: How label sets are made of them: by this project's default rule, or by a score over 0.
        data: The documents.
        validation: Scores of the validation documents, shape (documents, labels).
        test: Scores of the test documents.
    """
    judge = Judge.of(data.train, data.labels, data.kind)
    if cut == OUR_RULE:
        rule = judge.rule(data.validation, TopScores(validation))
        return judge.evaluate(judge.decide(data.test, TopScores(test), rule)).metrics
    gold = data.test.label_matrix(len(data.labels))
    return judge.evaluate(SplitPredictions(data.test.ids, gold, positive(test), rank(TopScores(test)))).metrics


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
    known = [peak.host for peak in record.peak_mib.values() if peak.host is not None]
    threshold = record.seconds["validate"] + record.seconds["decide"]
    seconds = record.seconds["train"], threshold, record.seconds["predict"]
    return [
        Line(f"`bench` {row.what}", rule, metrics[rule], *seconds, max(known, default=None), _versions(row, record))
        for rule in row.rules
        if rule in metrics
    ]


def preface(work: Work, data: TaskData, lines: Sequence[Line]) -> str:
    """What was run, on what, when and how it is to be read."""
    found = [work.record(name) for name, row in ROWS.items() if isinstance(row, Own)]
    records = [record for record in found if record is not None and record.status == "ok"]
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
        writer = csv.DictWriter(stream, list(Line("", "", {}, 0, None, 0, None, {}).row()), lineterminator="\n")
        writer.writeheader()
        writer.writerows(line.row() for line in lines)
    (folder / "baselines.md").write_text(f"{preface}\n{table(lines)}\n", "utf-8")


def table(lines: Sequence[Line]) -> str:
    """The lines as Markdown, the highest micro-F1 first; the best figure of a metric is bold."""
    head = (
        "what",
        "label sets",
        "micro-F1",
        "macro-F1",
        "P@1",
        "P@3",
        "P@5",
        "train s",
        "threshold s",
        "predict s",
        "peak MiB",
    )
    best = {name: max((_known(line, name) for line in lines), default=0.0) for name in METRICS}
    body = [
        [line.what, line.rule]
        + [_shown(line.metrics.get(name), best[name]) for name in METRICS]
        + [f"{line.train_seconds:.1f}"]
        + ["" if line.threshold_seconds is None else f"{line.threshold_seconds:.1f}"]
        + [f"{line.predict_seconds:.1f}", "?" if line.peak_mib is None else f"{line.peak_mib:,.0f}"]
        for line in sorted(lines, key=lambda line: -_known(line, "micro_f1"))
    ]
    return "\n".join(_line(cells) for cells in [head, ["---", "---", *["---:"] * 9], *body])


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


def _shown(value: float | None, best: float) -> str:
    if value is None:
        return "?"
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
