"""Reports with something of everything: real tables and plots of made records, chapters of made figures."""

from __future__ import annotations

import random
from dataclasses import replace

from made_records import build_record

from bench.record import Identity, Record, TaskFacts
from report.answer import Answer, Finding
from report.chapters import Answer as Given
from report.chapters import Chapter, Excerpt
from report.charts import Bars, BarSeries, Heat, Line, Lines, Rank, Ranks
from report.drawing import draw, styles
from report.html import render_html
from report.page import Report, build_report
from report.plots import Axis
from report.tables import Cell, Column, Table

HOSTILE = (
    "<script>document.title = 'run'</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"double\" and 'single' & <b>bold</b><br>",
    "تصنيف النصوص",
    "🤗 emoji %{y} &lt;",
)
METHODS = ("prior", "tfidf", "bert", "embedding-head", "instruction-tuning")


def sample_records() -> list[Record]:
    """Two tasks, of which one has names that no page may take for its own."""
    rng = random.Random(0)
    records = []
    for place, method in enumerate(METHODS):
        for seed in range(3):
            figures = {
                "f1": 0.2 + 0.12 * place + 0.02 * rng.random(),
                "speed": 900.0 / 4**place,
                "above": 90.0 * 2**place,
            }
            records.append(build_record(method=method, seed=seed, model="a/model" if place > 1 else None, **figures))
    records += [
        build_record(task="hostile", method=name, f1=0.3 + n / 20, settings={"label": name})
        for n, name in enumerate(HOSTILE)
    ]
    records += [
        _curve_point(size, seed, method, f1)
        for seed in (0, 1)
        for size, f1 in ((100, 0.4), (300, 0.5), (None, 0.6))
        for method in ("tfidf", "bert")
    ]
    failed = build_record(
        method="zero-shot", status="oom", reason="out of memory", remedy="use a smaller batch", seed=0
    )
    return [*records, failed]


def _curve_point(size: int | None, seed: int, method: str, f1: float) -> Record:
    documents = {"train": size or 2000, "validation": 100, "test": 500}
    facts = TaskFacts(kind="multi", n_labels=9, documents=documents, primary_metric="micro_f1")
    score = f1 + seed / 50 + (0.05 if method == "bert" else 0.0)
    settings = {"train_documents": size, "sampling": "hashed"}
    shared = {"task_facts": facts, "fingerprint": f"data {size}"}
    return build_record(task="curved", seed=seed, f1=score, method=method, task_settings=settings, **shared)


def sample_report() -> Report:
    """A report with an answer, chapters of every kind, failures and missing cells."""
    report = build_report(sample_records(), [Identity(task="debtags", method="few-shot", seed=0)])
    chapters = (labels_chapter(), lines_chapter(), documents_chapter())
    parts = tuple(replace(p, chapters=chapters) if p.title == "debtags" else p for p in report.parts)
    findings = tuple(Finding(part.title, part.anchor, _VERDICT, _SENTENCES) for part in parts[:2])
    answer = Answer(("Of 18 planned cells 2 have no result.",), findings)
    return replace(report, parts=parts, answer=answer, chapters=(ranks_chapter(),))


_VERDICT = "instruction-tuning reaches the highest Micro-F1, 0.690; that it beats embedding-head is sure (p < 0.001)."
_SENTENCES = (
    "It leads embedding-head by 0.121 (95 % interval 0.101 to 0.141) over 2,000 test documents.",
    "It predicts 3.5 documents per second, sixty-four times fewer than tfidf.",
    "With 2,000 documents a difference of 0.018 would have been seen.",
)


def labels_chapter(count: int = 120) -> Chapter:
    """A table of many labels, bars and shades."""
    rng = random.Random(1)
    names = [*HOSTILE, *(f"label-{place:03}" for place in range(count - len(HOSTILE)))]
    columns = (Column("label", "Label"), Column("documents", "Documents", True), Column("f1", "F1", True))
    rows = tuple(
        (
            Cell(name),
            Cell(f"{place:,}", float(place)),
            Cell(f"{rng.random():.3f}") if place % 7 else Cell("–", tone="muted"),
        )
        for place, name in enumerate(names)
    )
    bars = Bars(
        "by-group",
        "F1 by how common a label is",
        Axis("Labels"),
        Axis("Macro-F1"),
        ("head", "torso", "tail"),
        tuple(
            BarSeries(m, m, tuple(0.3 + 0.1 * n - 0.1 * i for i in range(3)), ((0.2, 0.9),) * 3)
            for n, m in enumerate(METHODS[:3])
        ),
    )
    worst = Bars(
        "worst",
        "The hardest labels",
        Axis("Label"),
        Axis("F1"),
        tuple(names[:10]),
        (BarSeries("tfidf", "tfidf", tuple(n / 10 for n in range(10))),),
    )
    heat = Heat(
        "confused",
        "What is taken for what",
        Axis("Predicted"),
        Axis("Gold"),
        tuple(names[:6]),
        tuple(names[:6]),
        tuple(tuple(None if a == b else float((a * 3 + b) % 7) for b in range(6)) for a in range(6)),
    )
    table = Table("Labels", columns, rows, (("a", "A footnote."),), ("A note.",))
    return Chapter(
        "Which labels are hard", "labels", "F1 of each label, by how common it is.", (table,), (bars, worst, heat)
    )


def lines_chapter() -> Chapter:
    """Lines with bands and the diagonal; folded."""
    points = tuple((x / 10, min(1.0, (x / 10) ** 1.2)) for x in range(11))
    lines = (
        Line(
            "tfidf",
            "tfidf",
            points,
            tuple((max(0.0, y - 0.05), min(1.0, y + 0.05)) for _, y in points),
            tuple(range(20, 31)),
        ),
        Line("bert", "bert, a/model", tuple((x, x**2) for x, _ in points)),
    )
    chart = Lines("reliability", "How often a score is right", Axis("Score"), Axis("Share right"), lines, diagonal=True)
    return Chapter(
        "Can its scores be believed",
        "calibration",
        "Of documents with a score, the share that is right.",
        (),
        (chart,),
        notes=("Bins of equal size.",),
        folded=True,
    )


def documents_chapter() -> Chapter:
    """Documents with hostile texts and labels."""
    excerpts = tuple(
        Excerpt(
            f"doc-{place}",
            f"{text} Please help, my invoice from last month is wrong and nobody answers the phone. " * 2,
            (text,),
            (Given("tfidf", (text,), True, 0.91), Given("bert, a/model", ("billing", "other"), place % 2 == 0, 0.4)),
            "all rows but one are wrong" if place % 2 else "the rows disagree",
        )
        for place, text in enumerate(HOSTILE)
    )
    return Chapter("The hardest documents", "documents", "Documents that most rows get wrong.", excerpts=excerpts)


def ranks_chapter() -> Chapter:
    """A critical-difference diagram."""
    series = tuple(Rank(method, method, 1.2 + 0.8 * place) for place, method in enumerate(reversed(METHODS)))
    chart = Ranks("ranks", "Mean ranks over tasks", series, 1.5, ((0, 1), (2, 4)), ("Friedman: p = 0.01.",))
    return Chapter("Which row ranks first", "ranks", "Over all tasks, rows by their mean rank.", charts=(chart,))


def as_page(report: Report) -> str:
    """The report as HTML with its images."""
    style = styles([one.method for figure in report.drawn for one in figure.plot.series])
    return render_html(report, {figure.name: draw(figure.plot, style) for figure in report.drawn})
