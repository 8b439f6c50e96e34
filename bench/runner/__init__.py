"""The life of a cell: plan, executor, child."""
