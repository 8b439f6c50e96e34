"""``bench predict``: label a file's documents with the model of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.cells import CellArgument, DeviceOption, LocalModelsOption, StartOption
from bench.cli.options import DEFAULT_OUT, OutOption, PluginsOption, checked_device
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.deciding import Rule
    from bench.reading.documents import Documents
    from bench.reading.source import Tally
    from bench.saved import SavedCell

_MOST_TOP = 100


def predict(
    cell: CellArgument,
    given: Annotated[
        Path, typer.Option("--input", "-i", metavar="FILE", help="Documents: CSV, TSV, JSONL or Parquet.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where labels go: .csv, .tsv, .jsonl or .parquet.")
    ],
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="COLUMN", help="Column with the text (text). Repeatable, then joined."),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="Column with ids; `id`, else rows are numbered.")
    ] = None,
    top: Annotated[
        int, typer.Option(min=0, max=_MOST_TOP, metavar="K", help="Also the K best labels with their scores.")
    ] = 0,
    separator: Annotated[
        str, typer.Option(metavar="TEXT", help="Parts the labels in a cell of a CSV or TSV file.")
    ] = "; ",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="How the file is written: encoding, delimiter, quoting, …"),
    ] = None,
    decision: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="Choose labels by another rule of the cell: global-threshold, …"),
    ] = None,
    out: OutOption = DEFAULT_OUT,
    model: StartOption = None,
    local_models: LocalModelsOption = None,
    device: DeviceOption = None,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="CPU threads; as many as the cell had by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output if it is there.")] = False,
    plugins: PluginsOption = None,
) -> None:
    """Label the documents of a file with the model of a finished cell, by the same rule and threshold.

    The cell must have been run with --save-models. Files of any size: a part of the documents is held at a time.
    """
    from bench.cli.cells import find_cell, known_method
    from bench.cli.predict_view import watching
    from bench.labelled_file import Layout, new_table
    from bench.labelling import Labeller, parts
    from bench.reading.source import Tally
    from bench.registry import Registry
    from bench.runner.executor import child_environment
    from bench.saved import Surroundings

    saved, registry = find_cell(cell, out), Registry.discover(plugins or ())
    known_method(saved, registry)
    rule = _rule(saved, decision, top)
    _check_output(output, given, force)
    layout = Layout(saved.labels.names, saved.profile.kind, rule.decision.rule != "emitted", top)
    tally, usable = Tally(), _threads(saved, threads)
    # Before anything is imported that computes: libraries read there how many threads they may use.
    with child_environment(usable), new_table(output, layout, separator) as write, watching() as watch:
        documents = _documents(given, text, id_, sets, tally)
        surroundings = Surroundings(usable, checked_device(device), model, local_models, watch)
        with saved.loaded(registry, surroundings) as (method, context):
            labeller = Labeller(method, context, rule, top)
            for part in parts(documents):
                with watch.part(part):
                    write(layout.row(one) for one in labeller.label(part))
    for line in [*tally.lines(), *watch.lines({**tally.skipped, **labeller.problems})]:
        typer.echo(line, err=True)
    typer.echo(f"{watch.summary()}: {output}", err=True)


def _rule(saved: SavedCell, wanted: str | None, top: int) -> Rule:
    """The cell's rule, or the one that is wanted.

    Raises:
        UserError: The cell does not have it, or scores are wanted of a cell that has none.
    """
    from bench.deciding import rule_of

    rule = rule_of(saved.record, saved.folder, wanted)
    if top and rule.decision.rule == "emitted":
        raise UserError(f"cell {saved.record.cell}: {saved.record.method} gave labels without scores; leave --top out")
    return rule


def _check_output(output: Path, given: Path, force: bool) -> None:
    if not output.exists():
        return
    if given.exists() and output.samefile(given):
        raise UserError(f"--output {output} is the input; name another file")
    if not output.is_file():
        raise UserError(f"--output {output} is no regular file; name another")
    if not force:
        raise UserError(f"--output {output} is there already; name another file, or replace it with --force")


def _threads(saved: SavedCell, wanted: int | None) -> int:
    """As many as the cell had, for their number can change the last bits of a score; no more than there are."""
    from bench.meters.environment import usable_cores

    return wanted or min(saved.record.environment.threads or usable_cores(), usable_cores())


def _documents(
    given: Path, text: Sequence[str] | None, id_: str | None, sets: Sequence[str] | None, tally: Tally
) -> Documents:
    from bench.cli.words import parse_sets
    from bench.reading.documents import Documents
    from bench.reading.settings import ReadingSettings
    from bench.settings import resolve_settings

    settings = resolve_settings(ReadingSettings, parse_sets(sets), "a file")
    return Documents.of(given, text or ("text",), id_, settings, tally)
