"""Meters: what a phase costs in memory and time, and on which machine."""
