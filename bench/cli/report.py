"""``bench report``: the page."""

from __future__ import annotations

import typer

from bench.cli.options import DEFAULT_OUT, OutOption
from bench.errors import UserError


def report(out: OutOption = DEFAULT_OUT) -> None:
    """Write report.md, report.html (one offline file) and plots/ into the folder of the results."""
    from bench.cli.reading import read_records
    from bench.store import Store

    records = read_records(out)
    if not records:
        raise UserError(f"--out {out}: no records there; run `bench run --all` first")
    if any(record.identity.judged_on == "validation" for record in records):
        raise UserError(f"--out {out}: trials of `bench tune`, no results; see them with bench results --out {out}")
    from report import write_report

    store = Store(out)
    files = write_report(records, out, missing=store.missing(records), searches=store.searches())
    typer.echo(f"wrote {files.markdown}, {files.html} and {len(files.plots)} plots")
