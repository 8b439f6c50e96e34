"""``bench compare``: are these rows of results different, by how much, and how sure is that?"""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.choosing import TasksOption
from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption
from bench.errors import UserError

RowsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ROW]...",
        help="METHOD, METHOD@MODEL, METHOD[key=value], or a cell. One: with all others. None: all pairs.",
        show_default=False,
    ),
]


def compare(
    rows: RowsArgument = None,
    tasks: TasksOption = None,
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to compare; the task's own metric by default.")
    ] = None,
    out: OutOption = DEFAULT_OUT,
    resamples: Annotated[int, typer.Option(min=100, metavar="N", help="Draws of the test documents.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the draws.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Compare rows of results in pairs, on the same test documents: the difference, its interval, paired tests."""
    from bench.cli.reading import read_records
    from bench.rows import tables
    from bench.stats.tasks import compared, groups, reader, unfinished
    from bench.store import Store

    records = read_records(out)
    if not records:
        raise UserError(f"--out {out}: no records there; run `bench run --all` first")
    if any(record.identity.judged_on == "validation" for record in records):
        raise UserError(f"--out {out}: trials of `bench tune`, no results; see them with bench results --out {out}")
    everything, wanted = tables(records), tasks or []
    found, read = groups(everything, rows or [], wanted), reader(Store(out))
    if not rows and (left := unfinished(everything, wanted)):
        typer.echo(f"bench: left out, without a finished cell: {', '.join(left)}", err=True)
    told = [(group, compared(group, read, metric or group.primary, resamples=resamples, seed=seed)) for group in found]
    from bench.cli.compare_view import as_rows, print_comparisons

    if as_json:
        from bench.cli.tables import print_json

        print_json([as_rows(group, pairs) for group, pairs in told])
        return
    for group, pairs in told:
        print_comparisons(group, pairs, resamples)
