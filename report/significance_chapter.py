"""The chapter that shows which differences are real."""

from __future__ import annotations

from collections.abc import Sequence

from report.chapters import Chapter
from report.groups import Group
from report.labels import names
from report.measures import metric_title
from report.significance import MOST_ROWS, Pair, Significance
from report.tables import Cell, Column, Table
from report.text import DASH, counted, listed, plain

_COLUMNS = (
    Column("row", "Row"),
    Column("other", "Against"),
    Column("difference", "Difference", numeric=True),
    Column("interval", "95 % interval", numeric=True),
    Column("p", "p", numeric=True),
    Column("p_holm", "p after Holm", numeric=True),
    Column("verdict", "Verdict"),
    Column("detectable", "Would have been seen from", numeric=True),
    Column("spread", "Std over seeds", numeric=True),
)
_SPREAD_NOTE = (
    "Std over seeds: sample standard deviation of each of the two rows over its own seeds. The interval holds the "
    "chance of the documents, not that of other seeds."
)


def significance_chapters(found: Significance) -> tuple[Chapter, ...]:
    """The highest row against the others, and every pair where there are more to show."""
    if not found.pairs:
        return (_untested(found),) if found.obstacle or found.untested else ()
    lead = (
        f"Each row was compared with the highest on the same test documents, in {metric_title(found.metric)}. A row is "
        "called better only where p after Holm's correction is below 0.05; else it is a tie, which does not say that "
        "two rows are alike."
    )
    chapters = [
        Chapter("Is the difference real?", "tests", lead, (_table(found.against_top, "Tests"),), (), (), _notes(found))
    ]
    if len(found.pairs) > len(found.against_top):
        lead = f"All {counted(len(found.pairs), 'pair')} of rows, tested and corrected together."
        chapters.append(Chapter("Every pair", "pairs", lead, (_table(found.pairs, "Pairs"),), folded=True))
    return tuple(chapters)


def _untested(found: Significance) -> Chapter:
    lead = f"No paired test was made: {found.obstacle}." if found.obstacle else "No paired test was made."
    if not found.obstacle and len(found.rows) == 1:
        lead = f"No paired test was made: there is nothing to compare {found.rows[0].label} with."
    return Chapter("Is the difference real?", "tests", lead, notes=left_out(found.untested))


def _table(pairs: Sequence[Pair], title: str) -> Table:
    groups = list({group.row: group for pair in pairs for group in (pair.a, pair.b)}.values())
    label = dict(zip((group.row for group in groups), names(groups), strict=True))
    rows = tuple((Cell(label[pair.a.row]), Cell(label[pair.b.row]), *_figures(pair)) for pair in pairs)
    return Table(title, _COLUMNS, rows, notes=(_SPREAD_NOTE,))


def _figures(pair: Pair) -> tuple[Cell, ...]:
    one = pair.comparison
    low, high = one.difference.low, one.difference.high
    return (
        Cell(f"{one.difference.value:+.3f}", one.difference.value),
        Cell(f"{low:+.3f} to {high:+.3f}", low),
        Cell(p_text(one.p), one.p),
        Cell(p_text(pair.verdict.p_holm), pair.verdict.p_holm),
        Cell(
            pair.verdict.word,
            tone="muted" if pair.tie else "",
            tag="within spread of seeds" if pair.within_spread else "",
        ),
        Cell(DASH, tone="muted") if pair.alike else Cell(f"{pair.detectable:.3f}", pair.detectable),
        Cell(" / ".join(DASH if spread is None else f"{spread:.3f}" for spread in one.seed_spread)),
    )


def p_text(p: float) -> str:
    """A p-value to three decimals; one that is smaller is said to be so."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _notes(found: Significance) -> tuple[str, ...]:
    tests = sorted({pair.comparison.test for pair in found.pairs})
    made = (
        f"Tests: {listed(tests)}; {found.resamples:,} resamples of the documents; Holm's correction for all "
        f"{counted(found.family, 'pair')} of the {counted(len(found.rows), 'row')} compared, since the highest was "
        "chosen by the same documents."
    )
    power = (
        "Would have been seen from: the smallest true difference that the tests, corrected for all pairs, find four "
        "times in five."
    )
    fewer = (
        (f"With more than {MOST_ROWS} rows only the pairs of the highest are tested.",)
        if len(found.rows) > MOST_ROWS
        else ()
    )
    return (made, power, *fewer, *left_out(found.untested))


def left_out(untested: Sequence[tuple[Group, str]]) -> tuple[str, ...]:
    """The rows that were not compared, with the reason."""
    by_reason: dict[str, list[str]] = {}
    for group, reason in untested:
        by_reason.setdefault(reason, []).append(group.label)
    return tuple(f"Not compared, {plain(reason)}: {listed(labels, 8)}." for reason, labels in by_reason.items())
