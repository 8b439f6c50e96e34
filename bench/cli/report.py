"""``bench report``: the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEFAULT_OUT, OutOption
from bench.cli.report_view import Teller, show_answer
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.record import Record
    from report.wishes import Wishes

RecommendOption = Annotated[
    str | None,
    typer.Option(
        "--recommend",
        metavar="LIMITS",
        help='The best row under limits, as in "memory<16GiB, latency<50ms, micro_f1>0.8". Also: predict_memory, '
        "latency_p50, train_time, speed, parameters, cost.",
    ),
]
PriceOption = Annotated[
    str | None,
    typer.Option("--price", metavar="MONEY", help='What an hour of the machine costs, as in 2.50 or "2.50 EUR/h".'),
]
EnergyPriceOption = Annotated[
    str | None,
    typer.Option("--energy-price", metavar="MONEY", help='What a kWh costs, as in 0.30 or "0.30 EUR/kWh".'),
]
PublishedOption = Annotated[
    list[Path] | None,
    typer.Option("--published", metavar="FILE", help="YAML with published figures to set apart. Repeatable."),
]


def report(
    out: OutOption = DEFAULT_OUT,
    recommend: RecommendOption = None,
    price: PriceOption = None,
    energy_price: EnergyPriceOption = None,
    published: PublishedOption = None,
) -> None:
    """Write report.md, report.html (one offline file), plots/ and tables/ into the folder of the results.

    The answer comes first: which row is highest, which differences the paired tests call real, what it costs.
    """
    from bench.cli.reading import read_records
    from bench.store import Store

    records = read_records(out)
    if not records:
        raise UserError(f"--out {out}: no records there; run `bench run --all` first")
    if any(record.identity.judged_on == "validation" for record in records):
        raise UserError(f"--out {out}: trials of `bench tune`, no results; see them with bench results --out {out}")
    from report import write_report
    from report.evidence import Evidence

    store = Store(out)
    wishes = _wishes(records, recommend, (price, energy_price), published or [])
    files = write_report(
        records,
        out,
        missing=store.missing(records),
        searches=store.searches(),
        evidence=Evidence(store),
        wishes=wishes,
    )
    if files.answer:
        show_answer(files.answer)
    typer.echo(f"wrote {files.markdown}, {files.html}, {len(files.plots)} plots and {len(files.tables)} tables")


def _wishes(
    records: Sequence[Record], recommend: str | None, prices: tuple[str | None, str | None], published: Sequence[Path]
) -> Wishes:
    """What the options ask for."""
    from report.limits import parse_limits
    from report.prices import Prices, energy_price, machine_price
    from report.publications import built_in, read_publication
    from report.wishes import Wishes

    hour, energy = prices
    paid = Prices(machine_price(hour) if hour else None, energy_price(energy) if energy else None)
    metrics = sorted({name for record in records for name in record.metrics})
    limits = parse_limits(recommend, paid, metrics) if recommend is not None else ()
    known = (*built_in(), *map(read_publication, published))
    return Wishes(paid, limits, known, Teller())
