"""Makes ``results/reference/gpu.{csv,md}`` on a machine with an NVIDIA GPU: suite ``gpu`` beside a plain script.

    python results/gpu_table.py WORK [--to FOLDER] [--tiny]

Beside each cell of the suite runs ``plain_trainer.py`` on the same documents, model and settings, in a process of its
own. What is finished stays in the folder ``WORK``: the same command again goes on where it stopped. ``--tiny`` runs the
same on a processor, with the embedded models on a few short documents, to see whether it works.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.model import materialise, resolve
from bench.record import PhaseMemory, Record
from bench.registry import Registry
from bench.store import Store, latest
from bench.task import TaskData
from bench.task_cache import freeze
from report.provenance import hardware_line

SCRIPT = Path(__file__).with_name("plain_trainer.py")
TARGET = Path(__file__).parent / "reference"
KINDS = {"bert": "bert", "embedding-head": "head", "instruction-tuning": "instruct"}
GOAL_MODEL, GOAL_METHOD = "meta-llama/Llama-3.1-8B:random", "embedding-head"
GOAL_MIB, GOAL_RATIO, GOAL_LOSS = 12 * 1024, 1.5, 0.1
TINY = {
    "synthetic-clv.documents": 96,
    "synthetic-clv.shortest": 4,
    "synthetic-clv.longest": 20,
    "bert.max_tokens": 32,
    "embedding-head.max_tokens": 32,
    "instruction-tuning.max_tokens": 32,
}
_PREFACE = """\
# Memory and speed on a GPU

`python results/gpu_table.py WORK`, {date}. {machine}. {versions}

Suite `gpu`: random weights, documents of up to 512 tokens. `plain` is `results/plain_trainer.py`: `Trainer`, `peft` and
`bitsandbytes` as their documentation has them, dynamic padding, on the same documents, model, batches, rank and
checkpointing. Tokens are those that are no padding, after the first steps; documents a second are those of prediction
from the first moment to the last, tokenising and whatever warms up included. Memory is what torch allocated and
reserved at most, and what NVML shows for the process; `?` is unknown. Loss is the mean over the last quarter of the
steps. Share of peak is of the measured rate of matrix products.
"""


@dataclass(frozen=True)
class Line:
    """A line of the table; None is unknown.

    Attributes:
        model: What was trained.
        method: How.
        who: ``bench`` or ``plain``.
        status: Of the record; of the script ``ok`` or ``failed``.
        micro_batch: Documents on the device at once, in training.
        train_tokens_per_second: Non-padding ones.
        share_of_peak: Of the operations that the device can do.
        loss: At the end.
        train_allocated_mib: Peak of torch's allocator.
        train_reserved_mib: Peak of what torch holds.
        train_process_mib: Peak by NVML.
        documents_per_second: In prediction.
        predict_reserved_mib: Peak of what torch holds.
    """

    model: str
    method: str
    who: str
    status: str
    micro_batch: int | None = None
    train_tokens_per_second: float | None = None
    share_of_peak: float | None = None
    loss: float | None = None
    train_allocated_mib: float | None = None
    train_reserved_mib: float | None = None
    train_process_mib: float | None = None
    documents_per_second: float | None = None
    predict_reserved_mib: float | None = None


@dataclass(frozen=True)
class Work:
    """Where cells and scripts are run and kept.

    Attributes:
        folder: It.
        tiny: Whether small networks stand for large ones, on a processor.
    """

    folder: Path
    tiny: bool

    @property
    def device(self) -> str:
        """What is computed on."""
        return "cpu" if self.tiny else "cuda"

    def cells(self) -> list[Record]:
        """Run the suite as far as it is not finished; its records."""
        words = [sys.executable, "-m", "bench", "run", "--suite", "gpu", "--out", str(self.folder / "cells")]
        if self.tiny:
            words += ["--model", "embedded-encoder:random", "--model", "embedded-decoder:random", "--device", "cpu"]
            words += [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
        subprocess.run(words, check=False)  # noqa: S603 - words of this file; what became of it stands in the store
        return latest(Store(self.folder / "cells").all(say))

    def beside(self, record: Record) -> Mapping[str, Any] | None:
        """What the plain script finds where a cell ran; None where it fails."""
        found = self.folder / "plain" / f"{record.cell}.json"
        if not found.exists():
            given = json.dumps(self.plain_settings(record))
            say(f"{record.method} {record.model}: the plain script")
            done = subprocess.run([sys.executable, str(SCRIPT), given], stdout=subprocess.PIPE, check=False)  # noqa: S603
            if done.returncode:
                return None
            found.parent.mkdir(parents=True, exist_ok=True)
            found.write_bytes(done.stdout.splitlines()[-1])
        return json.loads(found.read_bytes())  # type: ignore[no-any-return]

    def plain_settings(self, record: Record) -> dict[str, Any]:
        """The settings of a cell in the words of the script."""
        settings = record.identity.method_settings
        same = ("max_tokens", "batch_size", "predict_batch_size", "epochs", "learning_rate")
        given = {name: settings[name] for name in same} | {
            "kind": KINDS[record.method],
            "documents": str(self.documents(record)),
            "model": str(materialise(resolve(str(record.model)))),
            "seed": record.seed,
            "threads": record.environment.threads,
            "device": self.device,
        }
        if record.method == "bert":
            return given
        adapter = {name: settings[name] for name in ("rank", "alpha")}
        return (
            given
            | adapter
            | {"nf4": settings["quantisation"] == "nf4", "checkpointing": settings["gradient_checkpointing"]}
        )

    def documents(self, record: Record) -> Path:
        """A folder with the documents of a cell.

        Raises:
            UserError: The task has changed since.
        """
        plugin = Registry.discover().get("task", record.task)
        frozen = freeze(plugin, record.identity.task_settings, say=say)
        if frozen.fingerprint != record.identity.task_fingerprint:
            raise UserError(f"{record.task} has changed since its cells ran; remove {self.folder} and start again")
        folder = self.folder / "documents" / frozen.fingerprint
        if not folder.is_dir():
            hand_over(frozen.load(), folder)
        return folder


def main(words: Sequence[str]) -> int:
    """Run what is missing, write the table; 1 if something failed, 2 where there is no GPU."""
    parser = argparse.ArgumentParser(description="Suite gpu beside a plain script.")
    parser.add_argument("work", type=Path, help="folder for what is run")
    parser.add_argument("--to", type=Path, default=TARGET, help="folder of gpu.csv and gpu.md")
    parser.add_argument("--tiny", action="store_true", help="small networks on a processor")
    given = parser.parse_args(words)
    try:
        check(given.tiny, given.to)
        work = Work(given.work.resolve(), given.tiny)
        records = work.cells()
        lines = [line for record in records for line in lines_of(record, work)]
    except UserError as error:
        say(error)
        return 2
    write(lines, preface(records), given.to)
    failed = [line for line in lines if line.status != "ok"]
    say(f"{given.to / 'gpu.md'}: {len(lines)} lines, {len(failed)} of them not ok")
    return 1 if failed or not lines else 0


def check(tiny: bool, to: Path) -> None:
    """Refuse what would make no reference.

    Raises:
        UserError: There is no GPU, or a tiny run would overwrite the reference.
    """
    if tiny and to == TARGET:
        raise UserError("--tiny is no reference; name a folder with --to")
    if tiny:
        return
    import torch

    if not torch.cuda.is_available():
        raise UserError("torch sees no CUDA device; run this where there is one, or try it with --tiny --to FOLDER")


def hand_over(data: TaskData, folder: Path) -> None:
    """Write texts and labels of a single-label task for the plain script."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train", "test"):
        documents = getattr(data, name)
        rows = zip(documents.texts, documents.labels, strict=True)
        lines = [json.dumps({"text": text, "label": int(labels[0])}) for text, labels in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "labels.json").write_text(json.dumps(list(data.labels.names)), "utf-8")


def lines_of(record: Record, work: Work) -> list[Line]:
    """A cell, and the script beside it; a cell that did not end well stands alone."""
    own = own_line(record)
    return [own, plain_line(record, work.beside(record))] if record.status == "ok" else [own]


def own_line(record: Record) -> Line:
    """A cell, whatever became of it."""
    unknown = PhaseMemory()
    train, predict = (record.peak_mib.get(phase, unknown) for phase in ("train", "predict"))
    compute = record.compute.get("train")
    return Line(
        str(record.model),
        record.method,
        "bench",
        record.status,
        record.facts.get("micro_batch"),
        record.tokens_per_second.get("train"),
        compute.share_of_peak if compute else None,
        last_quarter(record.facts.get("loss_curve", [])),
        train.allocated,
        train.reserved,
        train.process,
        whole_rate(record),
        predict.reserved,
    )


def whole_rate(record: Record) -> float | None:
    """Test documents over all seconds of prediction, as the script counts them: it has no warm-up apart."""
    seconds = record.seconds.get("predict")
    return record.task_facts.documents["test"] / seconds if seconds and record.task_facts is not None else None


def plain_line(record: Record, found: Mapping[str, Any] | None) -> Line:
    """What the script found where a cell ran."""
    if found is None:
        return Line(str(record.model), record.method, "plain", "failed")
    train, predict = (found[f"{phase}_peak_mib"] or {} for phase in ("train", "predict"))
    return Line(
        str(record.model),
        record.method,
        "plain",
        "ok",
        record.identity.method_settings["batch_size"],
        found["tokens_per_second"],
        None,
        found["last_loss"],
        train.get("allocated"),
        train.get("reserved"),
        None,
        len(found["predicted"]) / found["predict_seconds"],
        predict.get("reserved"),
    )


def last_quarter(curve: Sequence[Sequence[float]]) -> float | None:
    """The mean loss over the last quarter of the steps.

    Args:
        curve: [step, mean since the pair before] pairs.
    """
    steps = [0, *(step for step, _ in curve)]
    pairs = [
        (step - before, loss) for before, (step, loss) in zip(steps, curve, strict=False) if step > 0.75 * steps[-1]
    ]
    total = sum(count for count, _ in pairs)
    return sum(count * loss for count, loss in pairs) / total if total else None


def goals(lines: Sequence[Line]) -> list[str]:
    """What is said of the goals; nothing where the largest head was not trained."""
    found = {line.who: line for line in lines if (line.model, line.method) == (GOAL_MODEL, GOAL_METHOD)}
    own, plain = found.get("bench"), found.get("plain")
    if own is None:
        return []
    held = own.train_process_mib or own.train_reserved_mib
    said = [f"- {GOAL_MODEL}, {GOAL_METHOD}, at most {GOAL_MIB:,} MiB in training: {_verdict(held, GOAL_MIB)}"]
    ours, theirs = own.train_tokens_per_second, plain.train_tokens_per_second if plain else None
    ratio = ours / theirs if ours and theirs else None
    said.append(f"- at least {GOAL_RATIO} times the plain script's tokens a second: {_verdict(ratio, GOAL_RATIO, -1)}")
    apart = abs(own.loss - plain.loss) if plain and own.loss is not None and plain.loss is not None else None
    said.append(f"- loss at most {GOAL_LOSS} apart: {_verdict(apart, GOAL_LOSS)}")
    return said


def write(lines: Sequence[Line], said: str, folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "gpu.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [column.name for column in fields(Line)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(line) for line in lines)
    (folder / "gpu.md").write_text("\n".join([said, table(lines), "", *goals(lines), ""]), "utf-8")


def table(lines: Sequence[Line]) -> str:
    """The lines as Markdown, the speed of a cell also as a multiple of the script's."""
    head = ["model", "method", "", "train tokens/s", "share of peak", "loss", "micro-batch", "train MiB allocated"]
    head += ["reserved", "process", "predict documents/s", "predict MiB reserved"]
    return "\n".join(_row(cells) for cells in [head, ["---"] * 3 + ["---:"] * 9, *(_cells(line) for line in lines)])


def preface(records: Sequence[Record]) -> str:
    """What was run, where, when and with what."""
    if not records:
        return "# Memory and speed on a GPU\n\nNo cell was run.\n"
    one = records[-1].environment
    names = ("torch", "transformers", "peft", "bitsandbytes")
    versions = ", ".join(f"{name} {one.packages.get(name, '?')}" for name in names) + "."
    machine = hardware_line(records, one.hardware_id)
    return _PREFACE.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine, versions=versions)


def say(line: object) -> None:
    """Tell the user a line."""
    sys.stderr.write(f"{line}\n")


def _cells(line: Line) -> list[str]:
    who = line.who if line.status == "ok" else f"{line.who}: {line.status}"
    share = "?" if line.share_of_peak is None else f"{line.share_of_peak:.0%}"
    known = [line.train_allocated_mib, line.train_reserved_mib, line.train_process_mib]
    return [
        line.model,
        line.method,
        who,
        _number(line.train_tokens_per_second),
        share,
        _number(line.loss, ".3f"),
        _number(line.micro_batch),
        *map(_number, known),
        _number(line.documents_per_second, ",.1f"),
        _number(line.predict_reserved_mib),
    ]


def _number(value: float | None, form: str = ",.0f") -> str:
    return "?" if value is None else format(value, form)


def _verdict(value: float | None, bound: float, sign: int = 1) -> str:
    """``yes`` or ``no`` with the figure; sign -1: it is to be at least the bound."""
    if value is None:
        return "not known"
    return f"{'yes' if sign * value <= sign * bound else 'no'} ({value:,.2f})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
