"""``bench check``: the gate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.gate.finding import Limits, Verdict
    from bench.gate.reference import ReferenceFile
    from bench.record import Record


def check(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="The file that results are held against.")],
    out: OutOption = DEFAULT_OUT,
    margin: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="Fall of the metric that never closes the gate.")
    ] = 0.01,
    memory_tolerance: Annotated[
        float, typer.Option(min=0, metavar="X", help="Growth of a memory peak that does not, as a share of it.")
    ] = 0.1,
    speed_tolerance: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="Loss of documents a second that does not, as a share.")
    ] = 0.3,
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="Judge quality by it; by default by each task's primary metric.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write the reference from the results.")] = False,
    reason: Annotated[str | None, typer.Option(metavar="WHY", help="Why it is written; kept in its history.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the verdict as JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the verdict as Markdown.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold results against a reference: exit code 0 where the gate is open, 1 where it is closed.

    It closes where quality fell by more than the margin and by more than chance, where memory or speed on the same
    hardware changed by more than their tolerance, where figures do not follow from predictions, and where a cell is
    missing or failed.
    """
    from bench.gate.reference import ReferenceFile

    file = ReferenceFile(reference)
    if update:
        _update(file, out, reason)
        return
    if reason is not None:
        raise UserError("--reason: says why a reference is written; it goes with --update")
    from bench.gate.finding import Limits

    verdict = _judge(file, out, Limits(margin, memory_tolerance, speed_tolerance, metric))
    _show(verdict, as_json)
    _write(verdict, junit, markdown)
    if not verdict.open:
        raise typer.Exit(1)


def _update(file: ReferenceFile, out: Path, reason: str | None) -> None:
    from bench.cli.check_view import print_written
    from bench.gate.keeping import update
    from bench.store import Store

    print_written(file.path, update(file, _records(out), Store(out), reason or ""))


def _judge(file: ReferenceFile, out: Path, limits: Limits) -> Verdict:
    from bench.gate.verdict import judge
    from bench.store import Store

    file.read()  # a missing reference is told before missing results
    return judge(file, _records(out), Store(out), limits)


def _records(out: Path) -> list[Record]:
    """Those of the cells that the last run meant; where that is not known the latest of each slot.

    A cell of other code may have been run later, as before a change was taken back, or while a model was still there.
    """
    from bench.cli.reading import read_records
    from bench.store import Store, latest

    everything, meant = read_records(out, history=True), Store(out).meant()
    of_now = latest(record for record in everything if meant.get(record.slot, record.cell) == record.cell)
    records = [record for record in of_now if record.identity.judged_on is None]
    if not records:
        raise UserError(f"--out {out}: nothing to compare, there are no results; run `bench run --suite ci` first")
    return records


def _write(verdict: Verdict, junit: Path | None, markdown: Path | None) -> None:
    from bench.gate.junit import as_junit
    from bench.gate.markdown import as_markdown

    if junit is not None:
        _put(junit, as_junit(verdict), "--junit")
    if markdown is not None:
        _put(markdown, as_markdown(verdict).encode(), "--markdown")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write(as_markdown(verdict))
        except OSError as error:
            raise UserError(f"GITHUB_STEP_SUMMARY {summary}: {error.strerror or error}") from None


def _put(path: Path, content: bytes, option: str) -> None:
    from bench.files import write_atomic

    try:
        write_atomic(path, content)
    except OSError as error:
        raise UserError(f"{option} {path}: {error.strerror or error}") from None


def _show(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        from bench.cli.tables import print_json

        print_json(verdict.as_json())
        return
    from bench.cli.check_view import print_verdict

    print_verdict(verdict)
