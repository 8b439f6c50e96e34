"""One module a format: each opens a path as a :class:`~tasks.tabular.source.Source`."""
