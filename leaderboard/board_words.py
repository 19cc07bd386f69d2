"""Words that the board and its drawer share."""

from __future__ import annotations

from leaderboard import browse_parts
from leaderboard.browse_parts import title_words
from leaderboard.figures import Column
from llmuses.i18n import Lang, text


class Words:
    """The words of one namespace in one language."""

    def __init__(self, lang: Lang, namespace: str):
        self.lang = lang
        self._namespace = namespace

    def __call__(self, name: str, **values: object) -> str:
        return text(self.lang, f"{self._namespace}.{name}", **values)

    @property
    def shared(self) -> Words:
        """Return the words that both boards share."""
        return Words(self.lang, "board")


def setting_words(column: Column, say: Words) -> str:
    """Return a column's setting in the reader's language, and its data where that alone tells it from another."""
    words = browse_parts.setting_words(column.setting, say.lang).replace(", ", say("comma"))
    return f"{words}{say('comma')}{column.source}" if column.source else words


def column_title(column: Column, say: Words) -> str:
    """Return what stands at the head of a column in the reader's language."""
    return title_words(column.dataset, column.title, say.lang)


def chance_words(column: Column, say: Words) -> list[str]:
    """Return the column's chance level in words; nothing where it is not known."""
    return [] if column.chance is None else [say("chance", n=f"{100 * column.chance:.0f}")]
