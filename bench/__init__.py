"""bench: which way of classifying text, for your documents and your GPU, with evidence."""

__version__ = "0.1.0"
