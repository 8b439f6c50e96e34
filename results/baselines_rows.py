"""The rows of ``baselines_table.py``, and how each is run and kept."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError, unknown_name
from bench.record import DEFAULT_RULE, MENU, Record
from bench.store import Store, latest
from bench.task import TaskData

TASK = "debtags"
WORKER = Path(__file__).with_name("baselines_peers.py")


@dataclass(frozen=True)
class Peer:
    """A row of another library.

    Attributes:
        needs: The packages that its environment is made of.
        what: Library, model and features in words.
        own_sets: Whether it says itself which labels a document has, by a score over 0. For those that only rank, one
            threshold is chosen on the validation documents, by the rule that this project's methods are cut with.
    """

    needs: tuple[str, ...]
    what: str
    own_sets: bool = False


@dataclass(frozen=True)
class Own:
    """A row of this project's.

    Attributes:
        method: The method's name.
        settings: What is set of it.
        rules: The threshold rules that are shown.
    """

    method: str
    settings: Mapping[str, str]
    rules: tuple[str, ...] = (DEFAULT_RULE,)


_LIBMULTILABEL = ("libmultilabel==0.10.0",)
_WITH_OLDER_SCIPY = (*_LIBMULTILABEL, "scipy<1.14")
"""Its thresholding sums a matrix along an axis that newer SciPy refuses."""
ROWS: dict[str, Peer | Own] = {
    "libmultilabel-1vsrest": Peer(_LIBMULTILABEL, "LibMultiLabel, one-vs-rest, its own TF-IDF", own_sets=True),
    "libmultilabel-1vsrest-more": Peer(
        _LIBMULTILABEL, "LibMultiLabel, one-vs-rest, validation documents added to training", own_sets=True
    ),
    "libmultilabel-thresholding": Peer(_WITH_OLDER_SCIPY, "LibMultiLabel, thresholding, its own TF-IDF", own_sets=True),
    "libmultilabel-cost-sensitive": Peer(
        _WITH_OLDER_SCIPY, "LibMultiLabel, cost-sensitive, its own TF-IDF", own_sets=True
    ),
    "omikuji": Peer(("omikuji==0.5.2", "scikit-learn"), "omikuji (Parabel), scikit-learn's TF-IDF"),
    "pecos": Peer(("libpecos==1.2.8",), "PECOS XR-Linear, its own TF-IDF"),
    "bench-prior": Own("prior", {}),
    "bench-tfidf": Own("tfidf", {}, MENU),
    "bench-xmlc-parabel": Own("xmlc", {"trees": "parabel"}),
    "bench-xmlc-bonsai": Own("xmlc", {"trees": "bonsai"}),
    "bench-xmlc-xr-linear": Own("xmlc", {"trees": "xr-linear"}),
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

    @property
    def store(self) -> Store:
        """The records of this project's rows."""
        return Store(self.folder / "store")

    def records(self) -> list[Record]:
        """Those of this project's rows."""
        return latest(self.store.all(say))

    def record(self, row: Own) -> Record | None:
        """That of a row; None where it was not run."""
        for record in self.records():
            settings = record.identity.method_settings
            if record.method == row.method and all(settings.get(key) == value for key, value in row.settings.items()):
                return record
        return None

    def peer(self, name: str) -> Path:
        """The folder of another library's row."""
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
        return _run_own(row, work, fingerprint)
    folder = work.peer(name)
    if (folder / "facts.json").exists():
        return True
    python = _environment(row, work.folder / "environments")
    folder.mkdir(parents=True, exist_ok=True)
    say(f"{name}: running, log in {folder / 'log.txt'}")
    words = (WORKER, name, work.folder / "documents", folder, work.cores, work.seed)
    with (folder / "log.txt").open("wb") as log:
        command = [str(python), *map(str, words)]
        return subprocess.run(command, stdout=log, stderr=log, check=False).returncode == 0  # noqa: S603


def _run_own(row: Own, work: Work, fingerprint: str) -> bool:
    settings = [f"{TASK}.{key}={value}" for key, value in work.settings.items()]
    settings += [f"{row.method}.{key}={value}" for key, value in row.settings.items()]
    words = [sys.executable, "-m", "bench", "run", "-t", TASK, "-m", row.method, "--out", str(work.folder / "store")]
    words += ["--threads", str(work.cores), "--seed", str(work.seed)]
    words += [word for setting in settings for word in ("--set", setting)]
    subprocess.run(words, check=False)  # noqa: S603 - words of this file; what became of it stands in the store
    record = work.record(row)
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
