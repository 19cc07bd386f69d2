"""Runs beside each other: paired differences on the samples that they share, or what keeps them apart."""

from __future__ import annotations

from llmuses.comparison.compare import compare
from llmuses.comparison.result import Comparison

__all__ = ["Comparison", "compare"]
