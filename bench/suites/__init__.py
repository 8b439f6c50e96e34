"""The suites that come with the harness."""
