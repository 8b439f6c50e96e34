"""Quality metrics on sparse label sets and top-k rankings; NumPy and SciPy only.

Nothing is imported here, so that :mod:`bench.metrics.definitions` (names and captions) costs no import of NumPy.
Start at :func:`bench.metrics.evaluate.evaluate`; label sets come from :mod:`bench.metrics.thresholds`. Of every metric
a larger value is better, but for the ``*_labels`` counts, which only say how many labels an average covers.
"""
