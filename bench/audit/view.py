"""An audit as sections of lines and tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.audit.facts import Audit, Pair, Quantiles, Shared, Spread
from bench.audit.findings import percent

NO_BREAK = "\u00a0"
_LONGEST_NAME = 48


@dataclass(frozen=True)
class Section:
    """A titled part.

    Attributes:
        title: Its title.
        columns: Heads of its table; none where it has no table.
        rows: Cells of its table.
        lines: What stands below.
    """

    title: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    lines: Sequence[str] = ()


def sections(audit: Audit) -> list[Section]:
    """Every part that was measured, in reading order; the findings are not among them."""
    return [section for part in _PARTS for section in part(audit)]


def headline(task: str, audit: Audit) -> str:
    """The task in one line."""
    sizes = audit.sizes
    return f"{task}: {sizes.kind}-label, {sizes.n_labels:,} labels, judged by {sizes.primary_metric}"


def plain(name: str) -> str:
    """A name from the data in printable signs, on one line and not too long."""
    line = "".join(sign if sign.isprintable() else "�" for sign in " ".join(name.split()))
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


def unbroken(words: str) -> str:
    """Words that are not to be parted at the end of a line."""
    return words.replace(" ", NO_BREAK)


def _documents(audit: Audit) -> list[Section]:
    sizes = audit.sizes
    rows = [
        (
            split,
            f"{count:,}",
            f"{sizes.cardinality[split]:.2f}",
            f"{100 * sizes.density[split]:.3g} %",
            f"{sizes.labels_present[split]:,}",
            f"{sizes.unlabelled[split]:,}",
        )
        for split, count in sizes.documents.items()
    ]
    columns = ("split", "documents", "labels a document", "label density", "labels present", "without label")
    return [Section("Documents", columns, rows)]


def _labels(audit: Audit) -> list[Section]:
    sizes, imbalance = audit.sizes, audit.sizes.imbalance
    rows = [
        (group.name, group.span, f"{group.labels:,}", percent(group.share), percent(group.test_share))
        for group in sizes.tail
    ]
    lines = [
        f"most frequent: {_counted(sizes.frequent_labels)}",
        f"rarest in training: {_counted(sizes.rare_labels)}",
        f"imbalance: the most frequent label is on {percent(imbalance.largest_share)} of the training documents and "
        f"{imbalance.ratio:,.1f} times as frequent as the rarest; evenness {imbalance.evenness:.2f}",
    ]
    if sizes.empty_labels or sizes.untrained_labels:
        lines.append(f"on no document: {sizes.empty_labels:,}; in test only: {sizes.untrained_labels:,}")
    if sizes.hierarchy is not None:
        nodes = ", ".join(f"{count:,}" for count in sizes.hierarchy.nodes)
        lines.append(f"hierarchy: {sizes.hierarchy.depth} levels; nodes from the top down: {nodes}")
    columns = ("labels", "training documents", "count", "share of labels", "share of test documents")
    return [Section("Labels", columns, rows, lines)]


def _lengths(audit: Audit) -> list[Section]:
    if audit.words is None:
        return []
    rows = [_length_row(split, "words", lengths) for split, lengths in audit.words.items()]
    tokens = audit.tokens
    if tokens is None:
        return [Section("Lengths", _LENGTHS, rows)]
    rows += [_length_row(split, "tokens", found.lengths) for split, found in tokens.splits.items()]
    cut = [
        (split, *(percent(share) for share in found.truncated.values())) for split, found in tokens.splits.items()
    ] + [("tokens lost (test)", *(percent(share) for share in tokens.splits["test"].lost.values()))]
    read = ", ".join(f"{found.documents:,} {split}" for split, found in tokens.splits.items())
    limits = tuple(f"> {limit:,}" for limit in tokens.splits["test"].truncated)
    return [
        Section("Lengths", _LENGTHS, rows),
        Section(
            "Documents longer than so many tokens",
            ("split", *limits),
            cut,
            [f"tokens of {tokens.model}, special ones included, of {read} documents"],
        ),
    ]


_LENGTHS = ("split", "", "50 %", "90 %", "95 %", "99 %", "longest")


def _length_row(split: str, unit: str, lengths: Quantiles) -> tuple[str, ...]:
    values = (lengths.p50, lengths.p90, lengths.p95, lengths.p99, lengths.longest)
    return (split, unit, *(f"{value:,}" for value in values))


def _duplicates(audit: Audit) -> list[Section]:
    found, near = audit.duplicates, audit.near_duplicates
    rows = [_shared_row("equal", split, shared) for split, shared in found.shared.items()]
    lines = [
        f"repeated within a split: {', '.join(f'{count:,} {split}' for split, count in found.repeated.items())}",
        f"documents whose text has other labels elsewhere: {found.conflicting:,}",
    ]
    if found.conflicts:
        lines.append(f"among them {_equal_pairs(found.conflicts)}")
    lines += [f"equal, {split}: {_equal_pairs(s.examples)}" for split, s in found.shared.items() if s.documents]
    if near is not None:
        rows += [_shared_row("nearly equal", split, shared) for split, shared in near.shared.items()]
        lines += [
            f"nearly equal, {split}: {_near_pairs(s.examples)}" for split, s in near.shared.items() if s.documents
        ]
        looked = " and ".join(f"{count:,} {split}" for split, count in near.looked_at.items())
        lines.append(
            f"nearly equal: Jaccard similarity of {near.shingle_words}-word runs at least {near.threshold:g}, proposed "
            f"by MinHash with {near.permutations} permutations, then verified; {looked} documents looked at"
            + (f"; {given_up:,} given up on" if (given_up := sum(near.given_up.values())) else "")
        )
    columns = ("texts that are", "held-out split", "documents", "share", "with other labels there")
    return [Section("Copies in earlier splits", columns, rows, lines)]


def _shared_row(kind: str, split: str, shared: Shared) -> tuple[str, ...]:
    return kind, split, f"{shared.documents:,}", percent(shared.share), f"{shared.other_labels:,}"


def _equal_pairs(pairs: Iterable[Pair]) -> str:
    return _listed(f"{plain(pair.ids[0])} = {plain(pair.ids[1])}" for pair in pairs)


def _near_pairs(pairs: Iterable[Pair]) -> str:
    return _listed(f"{plain(pair.ids[0])} ≈ {plain(pair.ids[1])} ({pair.similarity:.2f})" for pair in pairs)


def _listed(items: Iterable[str]) -> str:
    return ", ".join(map(unbroken, items))


def _label_names(audit: Audit) -> list[Section]:
    names = audit.label_names
    if names is None:
        return []
    rows = [(plain(row.name), f"{row.documents:,}", percent(row.own), percent(row.others)) for row in names.labels]
    lines = [
        f"texts that hold the name of one of their labels: {percent(names.own)}; by chance: {percent(names.chance)}; "
        f"{names.documents:,} documents looked at"
    ]
    columns = ("label", "documents", "texts with its name", "other texts with it")
    return [Section("Names of labels in texts", columns if rows else (), rows, lines)]


def _floors(audit: Audit) -> list[Section]:
    floors = audit.floors
    if floors is None:
        return []
    methods = {"frequencies of the labels": floors.prior, "linear model on words": floors.linear}
    rows = [(what, f"{floor.value:.4f}" if floor.value is not None else "–") for what, floor in methods.items()]
    lines = [
        *(f"{what}: {floor.reason}" for what, floor in methods.items() if floor.reason),
        *_shuffled(floors.shuffled),
        f"on {floors.validation_documents:,} validation documents; the linear model has {floors.labels:,} of "
        f"{audit.sizes.n_labels:,} labels and learned from {floors.train_documents:,} documents",
    ]
    return [Section("What trivial methods reach", ("method", floors.metric), rows, lines)]


def _shuffled(spread: Spread | None) -> list[str]:
    if spread is None:
        return []
    return [f"linear model, its answers given to other documents by chance: {spread.mean:.4f} ± {spread.deviation:.4f}"]


def _source(audit: Audit) -> list[Section]:
    sizes = audit.sizes
    lines = [f"left out: {count:,} ({reason})" for reason, count in sizes.skipped.items()]
    if sizes.skipped_files:
        lines.append(f"files not read: {', '.join(map(plain, sizes.skipped_files))}")
    lines += sizes.remarks
    return [Section("Source", lines=lines)] if lines else []


def _counted(labels: Mapping[str, int]) -> str:
    return _listed(f"{plain(name)} {count:,}" for name, count in labels.items())


_PARTS: tuple[Callable[[Audit], list[Section]], ...] = (
    _documents,
    _labels,
    _lengths,
    _duplicates,
    _label_names,
    _floors,
    _source,
)
