"""``bench inspect``: what is in a task."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bench.cli.options import JsonOption, PluginsOption, SetOption


def inspect(
    task: Annotated[str, typer.Argument(help="A task.")],
    sets: SetOption = None,
    plugins: PluginsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the documents, labels and lengths of a task."""
    from bench.audit import audit
    from bench.cli.words import of_plugin, parse_sets
    from bench.registry import Registry
    from bench.task_cache import freeze

    plugin = Registry.discover(plugins or ()).get("task", task)
    frozen = freeze(plugin, of_plugin(task, parse_sets(sets)), say=lambda line: typer.echo(line, err=True))
    facts = {"task": task, "fingerprint": frozen.fingerprint, **audit(frozen.load())}
    if as_json:
        from bench.cli.tables import print_json

        print_json(facts)
        return
    _print(facts)


def _print(facts: dict[str, Any]) -> None:
    from bench.cli.tables import print_table

    typer.echo(
        f"{facts['task']}: {facts['kind']}-label, {facts['n_labels']} labels, judged by {facts['primary_metric']}"
    )
    typer.echo(f"fingerprint {facts['fingerprint']}\n")
    splits = facts["documents"]
    print_table(
        ["split", "documents", "labels a document", "labels present", "words: median", "95 %", "longest"],
        [
            (
                split,
                f"{splits[split]:,}",
                f"{facts['cardinality'][split]:.2f}",
                f"{facts['labels_present'][split]:,}",
                *(f"{value:,}" for value in facts["words"][split].values()),
            )
            for split in splits
        ],
    )
    typer.echo("\nmost frequent labels (training documents): " + _named(facts["frequent_labels"]))
    typer.echo("rarest labels (training documents): " + _named(facts["rare_labels"]))
    typer.echo(f"texts in more than one split: {facts['texts_shared_by_splits']}")
    for reason, count in facts["skipped"].items():
        typer.echo(f"left out: {count:,} ({reason})")
    if facts["skipped_files"]:
        typer.echo("files not read: " + ", ".join(facts["skipped_files"]))


def _named(labels: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in labels.items())
