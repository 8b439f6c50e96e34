"""Whether the documents of a task can carry a comparison: sizes, lengths, duplicates, leaks, and what is trivial.

Each module measures one part of :class:`bench.audit.facts.Audit`; :mod:`bench.audit.kept` keeps what was measured
beside the frozen documents, and :mod:`bench.audit.findings` judges it.
"""
