"""What an arena tells its visitors before they vote: how votes count, and the terms; as they come with the page."""

from __future__ import annotations

from llmuses.i18n import Lang, text

_PARTS = {"votes": 5, "terms": 4}


def texts(lang: Lang, name: str) -> list[str]:
    """Return the paragraphs of ``votes`` or ``terms`` that come with the page."""
    return [text(lang, f"arena.{name}.{part}") for part in range(1, _PARTS[name] + 1)]
