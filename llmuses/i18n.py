"""Words in two languages, for pages, reports and what the command line prints.

A catalogue is ``locale/LANG/NAMESPACE.json``, a flat object of names and sentences; a sentence may hold
``{placeholders}``. A key is written ``namespace.name``.
"""

from __future__ import annotations

import json
import locale
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from llmuses.settings import PACKAGE

Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = ("en", "zh")


@cache
def _catalogue(lang: Lang, namespace: str) -> dict[str, str]:
    path = PACKAGE / "locale" / lang / f"{namespace}.json"
    catalogue: dict[str, str] = json.loads(path.read_text("utf-8"))
    return catalogue


def text(lang: Lang, key: str, **values: Any) -> str:
    """Return the sentence under ``namespace.name`` in a language, its placeholders filled.

    A key that does not exist raises KeyError: a test holds the languages' catalogues against each other.
    """
    namespace, _, name = key.partition(".")
    sentence = _catalogue(lang, namespace)[name]
    return sentence.format(**values) if values else sentence


def sentences(lang: Lang, namespace: str, *starts: str) -> dict[str, str]:
    """Return a language's sentences whose names begin with one of ``starts``, unfilled: for a script that fills them."""
    return {name: words for name, words in _catalogue(lang, namespace).items() if name.startswith(starts)}


def choose(preference: str | None) -> Lang:
    """Return the language that suits a preference such as ``zh-CN,zh;q=0.9,en;q=0.8``; English where none does."""
    for part in (preference or "").split(","):
        code = part.split(";")[0].strip().lower().replace("_", "-").split("-")[0].split(".")[0]
        if code in LANGUAGES:
            return "zh" if code == "zh" else "en"
    return "en"


def terminal_language() -> Lang:
    """Return the language for what is printed: LLMUSES_LANG, else the locale's."""
    return choose(os.environ.get("LLMUSES_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or _locale())


def _locale() -> str | None:
    return locale.getlocale()[0]


def date_words(moment: float, lang: Lang, seconds: bool = False) -> str:
    """Return a moment (seconds since 1970) as date and time in UTC, as a language writes them."""
    date = datetime.fromtimestamp(moment, UTC)
    clock = date.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{date:%Y-%m-%d} {clock}" if lang == "zh" else f"{date.day} {_MONTHS[date.month - 1]} {date.year}, {clock}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Written out: the locale of the process must not show."""


def points(score: float | None, digits: int = 1) -> str:
    """Return a fraction as points, ``0.881`` as ``88.1``; an en dash where there is none."""
    return "–" if score is None else f"{100 * score:.{digits}f}".replace("-", "−")
