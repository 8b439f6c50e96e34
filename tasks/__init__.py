"""Labelled collections that come with the harness."""
