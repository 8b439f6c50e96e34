"""bench: which way of classifying text, for your documents and your GPU, with evidence.

``bench.load_results("results/runs").records`` is a table of what was measured.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """What notebooks use, imported when it is asked for.

    Not by a statement: what this module imports would be part of the code that names every cell.
    """
    if name in {"Results", "load_results"}:
        from importlib import import_module

        return getattr(import_module("bench.results"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
