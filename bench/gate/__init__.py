"""The gate: records of now against a committed reference; it closes where quality, memory or speed fell."""
