"""The rows of ``baselines_table.py``, and how each is run and kept."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import UserError, unknown_name
from bench.record import DEFAULT_RULE, MENU, Record
from bench.store import Store, latest
from bench.task import TaskData

TASK = "debtags"
WORKER = Path(__file__).with_name("baselines_peers.py")
OWN_RULE, OUR_RULE = "its own: score over 0", DEFAULT_RULE


@dataclass(frozen=True)
class Peer:
    """A row of another library.

    Attributes:
        needs: The packages that its environment is made of.
        what: Library, model and features in words.
        cuts: How label sets are made of its scores, a line of the table each: ``OWN_RULE`` where it says itself which
            labels a document has, ``OUR_RULE`` for the rule that this project's methods are cut with.
    """

    needs: tuple[str, ...]
    what: str
    cuts: tuple[str, ...] = (OUR_RULE,)


@dataclass(frozen=True)
class Own:
    """A row of this project's.

    Attributes:
        method: The method's name.
        what: The method and what is set of it in words.
        settings: What is set of it.
        rules: The threshold rules that are shown.
    """

    method: str
    what: str
    settings: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = (DEFAULT_RULE,)


_LIBMULTILABEL = ("libmultilabel==0.10.0",)
_WITH_OLDER_SCIPY = (*_LIBMULTILABEL, "scipy<1.14")
"""Its thresholding sums a matrix along an axis that newer SciPy refuses."""
_PLAIN = {
    "ngrams": "1",
    "characters": "0",
    "min_df": "1",
    "stop_words": "false",
    "sublinear_tf": "false",
    "c": "1",
    "class_weight": "none",
    "tolerance": "0.0001",
    "prune": "0",
}
ROWS: dict[str, Peer | Own] = {
    "libmultilabel-1vsrest": Peer(_LIBMULTILABEL, "LibMultiLabel, one-vs-rest", (OWN_RULE, OUR_RULE)),
    "libmultilabel-1vsrest-l2svm": Peer(
        _LIBMULTILABEL, "LibMultiLabel, one-vs-rest, `-s 2 -B 1 -e 0.0001`", (OWN_RULE, OUR_RULE)
    ),
    "libmultilabel-1vsrest-more": Peer(
        _LIBMULTILABEL, "LibMultiLabel, one-vs-rest, validation documents added to training", (OWN_RULE,)
    ),
    "libmultilabel-thresholding": Peer(_WITH_OLDER_SCIPY, "LibMultiLabel, thresholding", (OWN_RULE,)),
    "libmultilabel-cost-sensitive": Peer(_WITH_OLDER_SCIPY, "LibMultiLabel, cost-sensitive", (OWN_RULE,)),
    "omikuji": Peer(("omikuji==0.5.2", "scikit-learn==1.9.1"), "omikuji (Parabel), scikit-learn's TF-IDF"),
    "pecos": Peer(("libpecos==1.2.8",), "PECOS XR-Linear, its TF-IDF"),
    "bench-prior": Own("prior", "`prior`"),
    "bench-tfidf": Own("tfidf", "`tfidf`", rules=MENU),
    "bench-tfidf-plain": Own("tfidf", "`tfidf` with scikit-learn's defaults: words, C = 1", _PLAIN),
    "bench-xmlc-parabel": Own("xmlc", "`xmlc` Parabel", {"trees": "parabel"}),
    "bench-xmlc-bonsai": Own("xmlc", "`xmlc` Bonsai", {"trees": "bonsai"}),
    "bench-xmlc-xr-linear": Own("xmlc", "`xmlc` XR-Linear, one tree", {"trees": "xr-linear", "n_trees": "1"}),
}
ASKED_FOR = {"libmultilabel-cost-sensitive"}
"""Rows that take very long and run only if they are named."""


@dataclass(frozen=True)
class Work:
    """The folder in which rows are made and kept.

    Attributes:
        folder: It.
        cores: Cores that every row computes on.
        seed: Seed of those rows that take one.
        documents: At most so many of each split; None for all.
    """

    folder: Path
    cores: int
    seed: int
    documents: int | None

    @property
    def settings(self) -> dict[str, int]:
        """What is set of the task."""
        splits = ("train", "validation", "test")
        return {f"{split}_documents": self.documents for split in splits} if self.documents else {}

    def record(self, name: str) -> Record | None:
        """That of one of this project's rows; None where it was not run."""
        return next(iter(latest(Store(self.of(name)).all(say))), None)

    def of(self, name: str) -> Path:
        """The folder of a row."""
        return self.folder / "rows" / name

    def keep_to(self, fingerprint: str) -> None:
        """Refuse a folder whose rows are of other documents, cores or seed.

        Raises:
            UserError: They are.
        """
        mark, asked = self.folder / "run.json", {"task": fingerprint, "cores": self.cores, "seed": self.seed}
        self.folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            mark.write_text(json.dumps(asked), "utf-8")
        found = json.loads(mark.read_text("utf-8"))
        if found != asked:
            raise UserError(f"{self.folder}: its rows are of {found}, asked for {asked}; name another folder")


def chosen(names: Sequence[str]) -> list[str]:
    """The rows to run, in the table's order; without names all but those that have to be asked for.

    Raises:
        UserError: There is none of that name.
    """
    for name in names:
        if name not in ROWS:
            raise unknown_name("row", name, ROWS)
    return [name for name in ROWS if name in names or (not names and name not in ASKED_FOR)]


def keep_to_cores(cores: int) -> None:
    """Keep this process and all that it starts to so many cores, where the system can do so.

    Raises:
        UserError: There are fewer.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    usable = sorted(os.sched_getaffinity(0))
    if cores > len(usable):
        raise UserError(f"--cores {cores}: this process may use {len(usable)}")
    os.sched_setaffinity(0, usable[:cores])


def hand_over(data: TaskData, folder: Path) -> None:
    """Write texts and labels of every split for those who cannot read the harness's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, documents in data.splits():
        rows = zip(documents.texts, documents.labels, strict=True)
        lines = [json.dumps({"text": text, "labels": [int(label) for label in labels]}) for text, labels in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "labels.json").write_text(json.dumps(len(data.labels)), "utf-8")


def run(name: str, work: Work, fingerprint: str) -> bool:
    """Run a row unless it is finished; whether it is now.

    Args:
        name: The row's.
        work: Where.
        fingerprint: That of the documents.

    Raises:
        UserError: One of this project's rows ran on other documents.
    """
    row = ROWS[name]
    if isinstance(row, Own):
        return _run_own(name, row, work, fingerprint)
    folder = work.of(name)
    if (folder / "facts.json").exists():
        return True
    python = _environment(row, work.folder / "environments")
    folder.mkdir(parents=True, exist_ok=True)
    say(f"{name}: running, log in {folder / 'log.txt'}")
    words = (WORKER, name, work.folder / "documents", folder, work.cores, work.seed)
    with (folder / "log.txt").open("wb") as log:
        command = [str(python), *map(str, words)]
        return subprocess.run(command, stdout=log, stderr=log, check=False).returncode == 0  # noqa: S603


def _run_own(name: str, row: Own, work: Work, fingerprint: str) -> bool:
    settings = [f"{TASK}.{key}={value}" for key, value in work.settings.items()]
    settings += [f"{row.method}.{key}={value}" for key, value in row.settings.items()]
    words = [sys.executable, "-m", "bench", "run", "-t", TASK, "-m", row.method, "--out", str(work.of(name))]
    words += ["--threads", str(work.cores), "--seed", str(work.seed)]
    words += [word for setting in settings for word in ("--set", setting)]
    subprocess.run(words, check=False)  # noqa: S603 - words of this file; what became of it stands in the store
    record = work.record(name)
    if record is not None and record.identity.task_fingerprint != fingerprint:
        raise UserError(f"{row.method} ran on other documents than the libraries; remove {work.folder} and start again")
    return record is not None and record.status == "ok"


def _environment(peer: Peer, folder: Path) -> Path:
    """The Python of a virtual environment with what a library needs, made where there is none yet."""
    home = folder / re.sub(r"[^\w.=-]+", "_", " ".join(peer.needs))
    python, ready = home / "bin" / "python", home / "ready"
    if not ready.exists():
        say(f"installing {' '.join(peer.needs)}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)  # noqa: S603
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *peer.needs], check=True)  # noqa: S603
        ready.touch()
    return python


def say(line: object) -> None:
    """Tell the user a line."""
    sys.stderr.write(f"{line}\n")
