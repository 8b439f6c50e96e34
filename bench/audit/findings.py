"""What the measured facts mean for who reads the task's results; ``docs/inspect.md`` lists the rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from bench.audit.facts import Audit, Finding, Floors, LabelNames, NearDuplicates, Severity, Shared, Sizes, Tokens

EQUAL_FAULT = 0.01
"""Share of a held-out split whose very texts stand in an earlier split, above which it is a fault."""

NEAR_FAULT = 0.05
"""The same of near duplicates with the same labels; less where the split is large, see :func:`near_limit`."""

CONFLICT_FAULT = 0.01
"""Share of all documents whose texts have other labels elsewhere."""

REPEATED_NOTE = 0.01
"""Share of a split that repeats its own texts."""

UNTRAINED_FAULT = 0.01
"""Share of the test documents with a label that nothing was learned of."""

FEW_TEST_DOCUMENTS = 30
RULING_SHARE = 0.95
"""Share of the training documents with one label."""

TRUNCATION_LIMIT, TRUNCATION_NOTE = 512, 0.2
"""Tokens, and the share of test documents that are longer."""

NAMES_NOTE, NAMES_FAULT = 0.1, 0.5
"""Share of documents that name their label, chance taken out: (own - chance) / (1 - chance)."""

SKIPPED_NOTE = 0.05
"""Share of the source records that were left out."""

SHUFFLED_DEVIATIONS = 2
"""Standard deviations by which the linear floor is to exceed what its predictions score on other documents."""

TRIVIAL_SCORE = 0.99
"""Primary metric of the linear floor above which there is nothing left to compare."""


def findings(audit: Audit) -> list[Finding]:
    """Everything that the measured parts say, faults first."""
    found = [finding for rule in _RULES for finding in rule(audit)]
    return sorted(found, key=lambda finding: finding.severity != "fault")


def faults(audit: Audit) -> list[Finding]:
    """The findings that make numbers mislead."""
    return [finding for finding in findings(audit) if finding.severity == "fault"]


def near_limit(documents: int) -> float:
    """Share of a split that may be near duplicates with the same labels before its scores mislead.

    Where a method is right on a share A of the others, such copies, a share s of the split, raise its accuracy by
    s (1 - A) at most. That exceeds the half-width of the 95 % interval, 1.96 sqrt(A (1 - A) / n), at A = 1/2 for
    s > 1.96 / sqrt(n). It is at most :data:`NEAR_FAULT`, since a bias does not average out.

    Args:
        documents: Of the split, n.
    """
    return min(NEAR_FAULT, 1.96 / math.sqrt(documents))


def percent(share: float) -> str:
    """``4.2 %``; what is not zero never looks like it."""
    return f"{100 * share:.1g} %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def _worse(over: bool) -> Severity:
    return "fault" if over else "note"


def _few_test_documents(audit: Audit) -> Iterator[Finding]:
    count = audit.sizes.documents["test"]
    if count < FEW_TEST_DOCUMENTS:
        yield Finding(
            name="few-test-documents",
            severity="fault",
            what=f"there are {count} test documents only: one of them is {percent(1 / count)} of a score",
            count=count,
            remedy=f"hold out {FEW_TEST_DOCUMENTS} at the very least; hundreds, to tell methods apart",
        )


def _ruling_label(audit: Audit) -> Iterator[Finding]:
    share = audit.sizes.imbalance.largest_share
    if share > RULING_SHARE:
        name, count = next(iter(audit.sizes.frequent_labels.items()))
        metric = audit.sizes.primary_metric
        evenly = "macro" in metric
        yield Finding(
            name="ruling-label",
            severity=_worse(not evenly),
            what=f"label {name!r} is on {percent(share)} of the training documents: guessing it looks like skill"
            + (f" to metrics other than {metric}" if evenly else ""),
            count=count,
            remedy="leave the label out" if evenly else "judge by macro_f1, or leave the label out",
        )


def _untrained_labels(audit: Audit) -> Iterator[Finding]:
    sizes = audit.sizes
    if sizes.untrained_labels:
        share = sizes.untrained_documents / sizes.documents["test"]
        yield Finding(
            name="labels-only-in-test",
            severity=_worse(share > UNTRAINED_FAULT),
            what=f"{_labels(sizes.untrained_labels)} of test documents {_be(sizes.untrained_labels)} on no training "
            f"document; that concerns {sizes.untrained_documents:,} test documents ({percent(share)})",
            count=sizes.untrained_labels,
            remedy="split anew with every label in training, or leave these labels out",
        )


def _empty_labels(audit: Audit) -> Iterator[Finding]:
    empty = audit.sizes.empty_labels
    if empty:
        yield Finding(
            name="empty-labels",
            severity="note",
            what=f"{empty:,} of {_labels(audit.sizes.n_labels)} {_be(empty)} on no document at all",
            count=empty,
            remedy="leave them out; methods spend memory on them, and instructions list them",
        )


def _equal_texts(audit: Audit) -> Iterator[Finding]:
    for split, shared in audit.duplicates.shared.items():
        severity = _worse(shared.share > EQUAL_FAULT)
        yield from _shared("texts-across-splits", severity, split, shared, "stand word for word in {}, too")


def _near_texts(audit: Audit) -> Iterator[Finding]:
    near: NearDuplicates | None = audit.near_duplicates
    if near is None:
        return
    for split, shared in near.shared.items():
        helping = (shared.documents - shared.other_labels) / max(1, near.looked_at[split])
        severity = _worse(helping > near_limit(audit.sizes.documents[split]))
        what = "are near duplicates of documents in {}"
        yield from _shared("near-duplicates-across-splits", severity, split, shared, what)
    for split, count in near.given_up.items():
        if count:
            yield Finding(
                name="too-many-alike",
                severity="note",
                what=f"{count:,} {split} documents resemble so many others that it is not known whether they are near "
                "duplicates; they are left out of the share",
                count=count,
                remedy="take out what the texts have in common, such as a template or a footer, and inspect again",
            )


def _shared(name: str, severity: Severity, split: str, shared: Shared, what: str) -> Iterator[Finding]:
    if shared.documents:
        earlier = "the training split" if split == "validation" else "the training or validation split"
        yield Finding(
            name=name,
            severity=severity,
            what=f"{shared.documents:,} {split} documents ({percent(shared.share)}) {what.format(earlier)}"
            + (f", {shared.other_labels:,} of them with other labels" if shared.other_labels else ""),
            count=shared.documents,
            remedy="drop the copies, or split so that copies stay together",
        )


def _conflicting_labels(audit: Audit) -> Iterator[Finding]:
    count = audit.duplicates.conflicting
    if count:
        share = count / sum(audit.sizes.documents.values())
        yield Finding(
            name="conflicting-labels",
            severity=_worse(share > CONFLICT_FAULT),
            what=f"{count:,} documents ({percent(share)}) share their text with a document of other labels",
            count=count,
            remedy="settle their labels, or leave them out; no method can be right on all of them",
        )


def _repeated_texts(audit: Audit) -> Iterator[Finding]:
    for split, count in audit.duplicates.repeated.items():
        share = count / audit.sizes.documents[split]
        if share > REPEATED_NOTE:
            yield Finding(
                name="repeated-texts",
                severity="note",
                what=f"{count:,} {split} documents ({percent(share)}) repeat the text of another one there",
                count=count,
                remedy="keep one of each; the others only add weight",
            )


def _label_names(audit: Audit) -> Iterator[Finding]:
    names: LabelNames | None = audit.label_names
    if names is None:
        return
    beyond = (names.own - names.chance) / (1 - names.chance) if names.chance < 1 else 0.0
    if beyond > NAMES_NOTE:
        yield Finding(
            name="label-names-in-texts",
            severity=_worse(beyond > NAMES_FAULT),
            what=f"{percent(names.own)} of the texts hold the name of one of their labels; "
            f"chance would put one into {percent(names.chance)}",
            count=round(names.own * names.documents),
            remedy="see whether the label was copied into the text; if so, take it out",
        )


def _truncation(audit: Audit) -> Iterator[Finding]:
    tokens: Tokens | None = audit.tokens
    if tokens is None:
        return
    test = tokens.splits["test"]
    share = test.truncated[TRUNCATION_LIMIT]
    if share > TRUNCATION_NOTE:
        yield Finding(
            name="truncation",
            severity="note",
            what=f"{percent(share)} of the test documents are longer than {TRUNCATION_LIMIT} tokens; "
            f"{percent(test.lost[TRUNCATION_LIMIT])} of their tokens would be cut off there",
            count=round(share * test.documents),
            remedy="set max_tokens as high as model and memory allow, the same for all methods",
        )


def _floor_scores(audit: Audit) -> Iterator[Finding]:
    floors: Floors | None = audit.floors
    if floors is None or floors.linear.value is None:
        return
    linear = floors.linear.value
    if linear > TRIVIAL_SCORE:
        yield Finding(
            name="trivial",
            severity="note",
            what=f"a linear model on words reaches {floors.metric} {linear:.3f}: little is left to tell methods apart",
            count=floors.validation_documents,
            remedy="compare speed and memory here, and quality on a harder task",
        )
    shuffled = floors.shuffled
    if shuffled is not None and linear < shuffled.mean + SHUFFLED_DEVIATIONS * shuffled.deviation:
        yield Finding(
            name="words-tell-nothing",
            severity="note",
            what=f"a linear model on words reaches {floors.metric} {linear:.3f}; with its answers given to other "
            f"documents by chance it is {shuffled.mean:.3f} ± {shuffled.deviation:.3f}",
            count=floors.validation_documents,
            remedy="see whether texts and labels belong together",
        )


def _skipped(audit: Audit) -> Iterator[Finding]:
    sizes: Sizes = audit.sizes
    count = sum(sizes.skipped.values())
    share = count / (count + sum(sizes.unlimited.values()))
    if share > SKIPPED_NOTE:
        yield Finding(
            name="skipped-records",
            severity="note",
            what=f"{count:,} records of the source ({percent(share)}) were left out",
            count=count,
            remedy="see whether the reasons, listed below, are meant",
        )
    if sizes.skipped_files:
        yield Finding(
            name="unread-files",
            severity="note",
            what=f"{len(sizes.skipped_files):,} files of the source could not be read",
            count=len(sizes.skipped_files),
            remedy="bring them again, or take them away",
        )


def _labels(count: int) -> str:
    return "1 label" if count == 1 else f"{count:,} labels"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


_RULES: tuple[Callable[[Audit], Iterator[Finding]], ...] = (
    _few_test_documents,
    _ruling_label,
    _equal_texts,
    _near_texts,
    _conflicting_labels,
    _untrained_labels,
    _label_names,
    _truncation,
    _repeated_texts,
    _empty_labels,
    _floor_scores,
    _skipped,
)
