"""The content filter: a hook before any model sees a prompt. A list of words, a moderation endpoint, both or none."""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from arena.live.house import HouseFile
from arena.live.refusal import Refusal
from arena.live.rules import Filter
from llmuses.errors import UsageError

_log = logging.getLogger(__name__)


class ContentFilter:
    """Lets a prompt through or raises Refusal ``filtered``."""

    def __init__(self, rule: Filter, house: HouseFile):
        """``house`` has words that win over those of the rule. Raises UsageError where the file of words cannot be read."""
        self._rule = rule
        self._house = house
        self._ruled = _pattern(words_of(rule))
        self._decided: tuple[Sequence[str], re.Pattern[str] | None] = ((), None)

    def _words(self) -> re.Pattern[str] | None:
        words = self._house.now().words
        if words is None:
            return self._ruled
        if words != self._decided[0]:
            self._decided = (words, _pattern(words))
        return self._decided[1]

    async def check(self, prompt: str) -> None:
        """Return where the prompt may be asked. Raises Refusal."""
        words = self._words()
        if words is not None and words.search(_folded(prompt)):
            raise Refusal("filtered")
        if self._rule.moderation_url and await self._flagged(prompt):
            raise Refusal("filtered")

    async def _flagged(self, prompt: str) -> bool:
        """Ask the endpoint. Where it gives no answer, the rules say which way that counts."""
        import aiohttp

        key = os.environ.get(self._rule.api_key_env)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = {"input": prompt} | ({"model": self._rule.moderation_model} if self._rule.moderation_model else {})
        try:
            timeout = aiohttp.ClientTimeout(total=self._rule.seconds)
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.post(str(self._rule.moderation_url), json=body, headers=headers) as answer,
            ):
                answer.raise_for_status()
                found = msgspec.json.decode(await answer.read(), type=_Moderation)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as problem:
            _log.warning("the moderation endpoint gave no answer: %s", type(problem).__name__)
            return self._rule.closed_on_failure
        return any(result.flagged for result in found.results)


class _Result(msgspec.Struct):
    flagged: bool


class _Moderation(msgspec.Struct):
    results: list[_Result]


def words_of(rule: Filter) -> list[str]:
    """Return the lines of the rule's file of words, none where it names none. Raises UsageError where it cannot be read."""
    if not rule.words:
        return []
    path = Path(rule.words).expanduser()
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(
            f"filter.words: cannot read {path}: {getattr(problem, 'strerror', None) or problem}"
        ) from problem


def _pattern(lines: Iterable[str]) -> re.Pattern[str] | None:
    words = [word for line in lines if not line.startswith("#") and (word := _folded(line))]
    return re.compile("|".join(_whole(word) for word in words)) if words else None


def _whole(word: str) -> str:
    """Return a pattern of a word on its own; scripts without spaces know no borders of words."""
    plain = re.escape(word).replace(r"\ ", r"\s+")
    return rf"(?<!\w){plain}(?!\w)" if word.isascii() else plain


def _folded(text: str) -> str:
    """Return a text as it is compared: case, width, and characters that cannot be seen make no difference."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Cf").strip()
