"""A cell's model as a folder that other libraries load, with a page that says how."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.deciding import rule_of
from bench.errors import UserError
from bench.files import new_folder
from bench.method import Context, Exported, Method
from bench.model_card import front_matter
from bench.record import Decision, Record
from bench.saved import SavedCell
from bench.task import Kind

PAGE = "README.md"
LABELS = "labels.json"
THRESHOLDS = "thresholds.json"
_CHOSEN = {
    "global-threshold": "chosen = scores > {threshold!r}",
    "label-thresholds": "import json\nfrom pathlib import Path\n\n"
    f'chosen = scores > torch.tensor(json.loads(Path(folder, "{THRESHOLDS}").read_text("utf-8")))',
    "top-k": "chosen = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1) < {k}",
}
"""Python that decides on any number of labels, by rule."""
_MARK = "Written by `bench export`"
_SPLITS = ("train", "validation", "test")
_METRICS = ("micro_f1", "macro_f1", "p@1", "p@5", "ndcg@5", "exact_match")


def check_target(target: Path, force: bool) -> None:
    """Refuse a folder that holds something.

    Raises:
        UserError: It does, and it is not an earlier export that may be replaced.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise UserError(f"--to {target}: a file is called that; name a folder")
    if not any(target.iterdir()):
        return
    if not force:
        raise UserError(f"--to {target}: the folder is not empty; name another, or replace it with --force")
    page = target / PAGE
    if not page.is_file() or _MARK not in page.read_text("utf-8", "replace"):
        raise UserError(f"--to {target}: --force replaces what `bench export` wrote, and this is something else")


def export(cell: SavedCell, method: Method, context: Context, target: Path) -> Exported:
    """Write a loaded method's files, the labels' names and the page into a folder, whole or not at all.

    Raises:
        UserError: The method has no form that other libraries load, and the message says what to do instead; or the
            folder cannot be written.
    """
    try:
        with new_folder(target.absolute()) as folder:
            exported = _exported(cell, method, context, folder)
            names = json.dumps(cell.labels.names, ensure_ascii=False, indent=1)
            (folder / LABELS).write_text(names + "\n", "utf-8")
            thresholds = rule_of(cell.record, cell.folder).thresholds
            if thresholds is not None:
                (folder / THRESHOLDS).write_text(json.dumps(thresholds.tolist()) + "\n", "utf-8")
            (folder / PAGE).write_text(page(cell.record, exported), "utf-8")
    except OSError as error:
        raise UserError(f"--to {target}: {error.strerror or error}") from None
    return exported


def _exported(cell: SavedCell, method: Method, context: Context, folder: Path) -> Exported:
    """Have the method write its files; faults of others than those are the cell's."""
    try:
        return method.export(folder, cell.labels, context)
    except NotImplementedError as error:
        raise UserError(f"cell {cell.record.cell}: {error}") from None
    except OSError as error:
        written = error.filename is None or Path(error.filename).is_relative_to(folder)
        if error.errno is not None and written:  # a full disk names no file
            raise
        reason = " ".join(str(error).split())
        raise UserError(f"cell {cell.record.cell}: {method.name} cannot be exported: {reason}") from error


def page(record: Record, exported: Exported) -> str:
    """The page of an export: a short model card whose lines of Python load this very folder.

    The hub reads what stands at its top; see :func:`bench.model_card.front_matter`.
    """
    usage = [*_usage(record, exported)]  # first, as it refuses a record that lacks what a page needs
    head = front_matter(record, exported.library, _metrics(record))
    return "\n".join([head, *usage, *_facts(record)]) + "\n"


def decision_lines(decision: Decision, kind: Kind) -> str:
    """Lines of Python that make ``labels`` of ``scores`` and ``names``, as the harness did.

    Thresholds of labels of their own are read from the folder.
    """
    if decision.rule == "emitted":
        return ""
    if kind == "single":
        return "labels = [names[i] for i in scores.argmax(dim=1).tolist()]\n"
    chosen = _CHOSEN[decision.rule].format(threshold=decision.threshold, k=decision.k)
    return (
        f"{chosen}  # found on validation documents\n"
        "chosen[torch.arange(len(scores)), scores.argmax(dim=1)] = True  # the best label in any case\n"
        "labels = [[names[i] for i in row.nonzero().flatten().tolist()] for row in chosen]\n"
    )


def _usage(record: Record, exported: Exported) -> Iterator[str]:
    facts, decision = record.task_facts, record.decision
    if facts is None or decision is None:
        raise UserError(f"cell {record.cell} does not say how its labels were decided on; run it again")
    yield f"\n# {record.task}: {record.method}"
    yield f"\n{_MARK} from cell `{record.cell}`: {exported.what}."
    yield "\n## Load it\n\nIn this folder, or with its path for `folder`:\n"
    yield f"```python\n{exported.load.strip()}\n```"
    yield "\n## Label documents\n"
    rule = decision_lines(decision, facts.kind)
    yield f'```python\ntexts = ["a document", "another document"]\n{exported.use.strip()}\n{rule}```'
    yield from (f"\n{note}" for note in exported.notes)


def _facts(record: Record) -> Iterator[str]:
    facts = record.task_facts
    rows: dict[str, Any] = {
        "task": f"{record.task} ({facts.kind}-label, {facts.n_labels} labels)" if facts is not None else record.task,
        "documents": ", ".join(f"{split} {facts.documents[split]:,}" for split in _SPLITS) if facts is not None else "",
        "task fingerprint": record.identity.task_fingerprint,
        "method": record.method,
        "base model": record.model,
        "base revision": record.identity.model_revision,
        "quantisation in training": record.identity.method_settings.get("quantisation"),
        "seed": record.seed,
        "settings": f"`{json.dumps(record.identity.method_settings, ensure_ascii=False)}`",
        "trained with": ", ".join(f"{name} {version}" for name, version in _libraries(record)),
    }
    yield "\n## What it is\n\n| | |\n| --- | --- |"
    yield from (f"| {key} | {_cell(value)} |" for key, value in rows.items() if value not in {None, ""})
    yield "\n## What was measured, on the test documents\n\n| metric | value |\n| --- | --- |"
    yield from (f"| {name} | {value:.4f} |" for name, value in _metrics(record))
    if record.from_scratch:
        yield "\nThe base model has random weights: a check of the set-up, not a model to use."


def _libraries(record: Record) -> Iterator[tuple[str, str]]:
    packages = record.environment.packages
    return ((name, packages[name]) for name in ("torch", "transformers", "peft", "bitsandbytes") if name in packages)


def _metrics(record: Record) -> Iterator[tuple[str, float]]:
    primary = [record.task_facts.primary_metric] if record.task_facts is not None else []
    for name in dict.fromkeys([*primary, *_METRICS]):
        value = record.metrics.get(name)
        if value is not None:
            yield name, value


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
