"""The command line: one module a command, nothing heavy imported before a command needs it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bench.cli import (
    check,
    compare,
    doctor,
    estimate,
    export,
    inspect,
    list_,
    models,
    new,
    predict,
    prepare,
    report,
    results,
    run,
    show,
    tune,
    verify,
)
from bench.errors import UserError

app = typer.Typer(
    name="bench",
    help="Fine-tune a BERT, put a head on an LLM, or instruction-tune it? Measured on your text and your GPU.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing what draws the boxes would take longer than all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", short_help="Train, predict and measure; run it again to go on.")(run.run)
app.command("tune", short_help="Find settings by validation documents.")(tune.tune)
app.command("list", short_help="List tasks, methods and suites.")(list_.list_)
app.command("show", short_help="Show the settings of a task or method, or a suite.")(show.show)
app.add_typer(models.app, name="models", short_help="List, show and build models.")
app.command("estimate", short_help="Show what cells will take, before they run.")(estimate.estimate)
app.command("results", short_help="Show the results.")(results.results)
app.command("compare", short_help="Compare results in pairs, with tests.")(compare.compare)
app.command("report", short_help="Write report.md, report.html and plots.")(report.report)
app.command("check", short_help="Hold results against a reference: the gate.")(check.check)
app.command("predict", short_help="Label a file with the model of a cell.")(predict.predict)
app.command("export", short_help="Write a cell's model for transformers and peft.")(export.export)
app.command("prepare", short_help="Bring tasks or models to this machine.")(prepare.prepare)
app.command("inspect", short_help="Show what is in a task.")(inspect.inspect)
app.command("new", short_help="Write a package with a task or method to start from.")(new.new)
app.command("verify", short_help="Check a task or method against the contract.")(verify.verify)
app.command("doctor", short_help="Check this machine.")(doctor.doctor)


def _version(asked: bool) -> None:
    if asked:
        from bench import __version__

        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        typer.echo(f"bench: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(141)
