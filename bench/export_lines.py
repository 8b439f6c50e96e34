"""Lines of Python that load an export: templates in the folder ``lines``, filled in for the very cell."""

from __future__ import annotations

from typing import Any


def lines(template: str, **words: Any) -> tuple[str, str]:
    """Lines of Python that load an export, and those that use it; see :class:`bench.method.Exported`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # What comes out is Python for a person to read, never HTML.
    environment = Environment(  # noqa: S701
        loader=PackageLoader("bench", "lines"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    load, use = environment.get_template(f"{template}.jinja").render(words).split("# use\n")
    return load, use
