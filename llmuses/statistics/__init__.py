"""Intervals and tests: pure functions, each with its source."""
