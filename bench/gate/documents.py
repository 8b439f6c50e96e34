"""Whether a cell was judged on the documents that the reference was: the same ids, the same labels, the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.gate.answers import Answers, differing_rows, equal
from bench.gate.finding import Finding
from bench.gate.words import plain

if TYPE_CHECKING:
    from bench.predictions_file import SplitPredictions
    from bench.record import Record

_REMEDY = "if that was meant, write the reference again with --update --reason WHY"


def check_documents(before: Record, now: Record, kept: Answers, answers: Answers) -> list[Finding]:
    """Compare test and validation documents, and what can be known of the training documents.

    Where test documents differ nothing else can be compared.
    """
    found = _differences("test", kept.test, answers.test)
    if found:
        return [Finding("documents", "closed", f"test documents or labels changed: {found}", _REMEDY)]
    apart = [_validation(kept, answers), _overlap(answers), _training(before, now, kept, answers)]
    findings = [finding for finding in apart if finding is not None]
    return findings or [Finding("documents", "held")]


def _validation(kept: Answers, answers: Answers) -> Finding | None:
    before, now = kept.splits.get("validation"), answers.splits.get("validation")
    if before is None or now is None:
        return None
    found = _differences("validation", before, now)
    if not found:
        return None
    words = f"validation documents or labels, on which thresholds are chosen, changed: {found}"
    return Finding("documents", "closed", words, _REMEDY)


def _overlap(answers: Answers) -> Finding | None:
    validation = answers.splits.get("validation")
    shared = set(validation.ids) & set(answers.test.ids) if validation is not None else set()
    if not shared:
        return None
    words = f"{len(shared)} test documents are among those on which thresholds were chosen, e.g. {plain(min(shared))!r}"
    return Finding("documents", "closed", words, "choose thresholds on validation documents alone")


def _training(before: Record, now: Record, kept: Answers, answers: Answers) -> Finding | None:
    """Training documents are known by their number and their labels; texts by the fingerprint of all."""
    import numpy as np

    facts = [record.task_facts.documents["train"] if record.task_facts else 0 for record in (before, now)]
    if facts[0] != facts[1]:
        return Finding("documents", "closed", f"training documents were {facts[0]}, now {facts[1]}", _REMEDY)
    if not np.array_equal(kept.train_counts, answers.train_counts):
        return Finding("documents", "closed", "labels of training documents changed", _REMEDY)
    if before.identity.task_fingerprint != now.identity.task_fingerprint:
        return Finding(
            "documents", "noted", "texts, label names or training documents changed; test documents and labels did not"
        )
    return None


def _differences(name: str, before: SplitPredictions, now: SplitPredictions) -> str:
    """What differs, in words; empty where nothing does."""
    if list(before.ids) != list(now.ids):
        gone, come = set(before.ids) - set(now.ids), set(now.ids) - set(before.ids)
        if not gone and not come:
            return f"the {name} documents come in another order"
        return f"{len(gone)} of {len(before.ids)} {name} documents are gone, {len(come)} are new"
    if before.gold.shape != now.gold.shape:
        return f"there were {before.gold.shape[1]} labels, now {now.gold.shape[1]}"
    if not equal(before.gold, now.gold):
        relabelled = int(differing_rows(before.gold, now.gold).sum())
        return f"{relabelled} of {len(before.ids)} {name} documents have other labels"
    return ""
