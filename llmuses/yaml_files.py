"""YAML files that people write, read in one way: whatever is wrong with one is said in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmuses.errors import UsageError


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says, None for an empty one. Raises UsageError for one that cannot be read or is no YAML."""
    try:
        return parse_yaml(path.read_bytes())
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}.") from problem
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from problem


def parse_yaml(content: str | bytes) -> Any:
    """Return what YAML says, in UTF-8 where it is bytes, in UTF-16 where these begin so. Raises UsageError where it is none."""
    import yaml

    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as problem:  # a date such as 2026-02-30 is a ValueError
        raise UsageError(f"not YAML ({' '.join(str(problem).split())}).") from problem
