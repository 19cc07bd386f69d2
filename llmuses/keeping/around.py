"""Files that the surroundings name and that may lie anywhere: models, the arena's rules and words, the admin room's accounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = "settings"
"""The folder of a backup, and below a restored one, in which they are."""

ACCOUNTS = "admin.yaml"


class Around(NamedTuple):
    """A file that is named: what it is, by what it is called in a backup, where it lies, what names it, and whether it holds
    hashes of passwords."""

    what: str
    name: str
    path: Path
    by: str
    secret: bool = False


def around() -> Iterator[Around]:
    """Yield the files that LLMUSES_MODELS, LLMUSES_ARENA_CONFIG, its ``filter.words`` and LLMUSES_ADMIN_CONFIG name."""
    for variable, what, name in (
        ("LLMUSES_MODELS", "Models", "models.yaml"),
        ("LLMUSES_ARENA_CONFIG", "Rules of the arena", "arena.yaml"),
        ("LLMUSES_ADMIN_CONFIG", "Accounts and rules of the admin room", ACCOUNTS),
    ):
        if named := os.environ.get(variable):
            path = Path(named).expanduser()
            yield Around(what, name, path, variable, name == ACCOUNTS)
            if name == "arena.yaml" and (words := _words(path)) is not None:
                yield Around("Words that the arena refuses", "words.txt", words, f"filter.words in {path.name}")


def _words(rules: Path) -> Path | None:
    """Return the list of words of a file of rules; None where it has none, or is no such file: whoever starts is told."""
    import yaml

    try:
        found = yaml.safe_load(rules.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    group = found.get("filter") if isinstance(found, dict) else None
    words = group.get("words") if isinstance(group, dict) else None
    return Path(words).expanduser() if isinstance(words, str) else None
