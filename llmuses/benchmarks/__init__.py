"""What is asked: one class in one file for each benchmark."""

from llmuses.benchmarks.base import Benchmark
from llmuses.benchmarks.registry import benchmark_names, get_benchmark

__all__ = ["Benchmark", "benchmark_names", "get_benchmark"]
