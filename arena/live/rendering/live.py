"""An answer rendered while it grows: what is complete is rendered once, only its last block again and again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it.token import Token

from arena.live.rendering.closing import without_unclear_end
from arena.live.rendering.code import coloured, language_of
from arena.live.rendering.markdown import blocks_of, close_last, html_of
from arena.live.rendering.safety import clean

LONGEST_BLOCK = 8_000
"""Characters: a block that is longer is shown as it was written, for reading marks may take long."""
LONGEST_CODE = 60_000
LONGEST = 400_000
_STEP = 2_000

_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_ENDS_WITH_ITS_LINE = {"heading_open", "hr"}
_ENDS_WITH_A_BLANK_LINE = {"paragraph_open", "table_open", "blockquote_open", "formula_block"}


class Change(NamedTuple):
    """What is new: ``blocks`` stand in place of those from ``first`` on, ``of`` is how many there are then."""

    first: int
    blocks: list[str]
    of: int


def render(text: str) -> list[str]:
    """Return the blocks of a whole text as safe HTML."""
    if len(text) <= LONGEST_BLOCK:
        return [clean(html_of(tokens)) for tokens in blocks_of(text)]
    live = LiveMarkdown()
    for end in range(_STEP, min(len(text), LONGEST), _STEP):
        live.update(text[:end])
    live.update(text, finished=True)
    return live.shown


def plain(text: str) -> str:
    """Return a text as safe HTML that shows it as it was written; "" for none."""
    lines = html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")
    return f"<p>{lines}</p>" if text else ""


class LiveMarkdown:
    """One text that grows at its end. ``shown`` is what was given out so far, block by block."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._complete: list[str] = []
        self._at = 0
        self._number: int | None = None  # of the item that comes next, where a list goes on
        self._code = _GrowingCode()

    def update(self, text: str, finished: bool = False) -> Change:
        """Take the whole text so far and return what changed; ``finished`` where nothing will follow.

        A list is given item by item while it grows, and as one block in the end.
        """
        text = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
        blocks = render(text) if finished and len(text) <= LONGEST_BLOCK else self._blocks(text, finished)
        first = 0
        for old, new in zip(self.shown, blocks, strict=False):
            if old != new:
                break
            first += 1
        self.shown = blocks
        return Change(first, blocks[first:], len(blocks))

    def _blocks(self, text: str, finished: bool) -> list[str]:
        tail = text[self._at :]
        most = LONGEST_CODE if tail.lstrip(" ").startswith(("```", "~~~")) else LONGEST_BLOCK
        if len(tail) > most:
            return [*self._complete, plain(tail)]
        clear = tail if finished else without_unclear_end(tail)
        units = _units(blocks_of(clear, growing=not finished), self._number)
        lines = clear.split("\n")
        done = _complete(units, lines)
        shown = [clean(html_of(unit.tokens)) for unit in units[:done]]
        if done:
            self._complete += shown
            line = units[done].start if done < len(units) else units[-1].end
            self._at += sum(len(complete) + 1 for complete in lines[:line])
            goes_on = done < len(units) and units[done].block == units[done - 1].block
            self._number = units[done].number if goes_on else None
            self._code = _GrowingCode()
        if done < len(units) and not finished:
            close_last(units[-1].tokens)
            self._code.colour(units[-1].tokens[0])
        return [*self._complete, *(clean(html_of(unit.tokens)) for unit in units[done:])]


class _Unit(NamedTuple):
    """What is rendered at once: a block, or an item of a list. Lines count from 0, ``end`` is the first after it.

    ``block`` counts the blocks, ``number`` is an item's place in its list.
    """

    tokens: Sequence[Token]
    start: int
    end: int
    block: int
    number: int | None = None


def _units(blocks: Sequence[Sequence[Token]], number: int | None = None) -> list[_Unit]:
    """Return each block, and in place of a list each item as a list of its own that counts on.

    ``number`` is that of the first item, where the text begins in the middle of a list.
    """
    units: list[_Unit] = []
    for block, tokens in enumerate(blocks):
        opening = tokens[0]
        if opening.type in ("bullet_list_open", "ordered_list_open"):
            begins = number if number is not None and block == 0 else int(opening.attrs.get("start", 1))
            units += _items(tokens, block, begins)
        else:
            start, end = opening.map or (0, 0)
            units.append(_Unit(tokens, start, end, block))
    return units


def _items(tokens: Sequence[Token], block: int, number: int) -> Iterator[_Unit]:
    opening, begin = tokens[0], 1
    for at, token in enumerate(tokens):
        if token.type == "list_item_close" and token.level == 1:
            start, end = tokens[begin].map or (0, 0)
            counts_on = opening.type == "ordered_list_open" and number != 1
            own = opening.copy(attrs={"start": number} if counts_on else {})
            yield _Unit([own, *tokens[begin : at + 1], tokens[-1]], start, end, block, number)
            begin, number = at + 1, number + 1


def _complete(units: Sequence[_Unit], lines: Sequence[str]) -> int:
    """Return how many units cannot change any more, whatever is written next. The last line may go on."""
    last = len(lines) - 1
    for number in range(len(units), 0, -1):
        unit = units[number - 1]
        following = units[number] if number < len(units) else None
        if _ends_by_itself(unit, lines, last):
            return number
        if following is None or following.tokens[0].meta.get("open"):
            continue  # a formula that is open may still turn out to be none
        if following.start <= last - 2:
            return number
        if unit.block == following.block and _ITEM.match(lines[following.start]):
            return number
    return 0


def _ends_by_itself(unit: _Unit, lines: Sequence[str], last: int) -> bool:
    token = unit.tokens[0]
    if unit.end > last:
        return False
    if token.type in _ENDS_WITH_ITS_LINE:
        return True
    if token.type == "fence":
        closing = lines[unit.end - 1].strip()
        return unit.end - unit.start > 1 and closing.startswith(token.markup) and set(closing) == {token.markup[0]}
    return token.type in _ENDS_WITH_A_BLANK_LINE and unit.end < last and not lines[unit.end].strip()


class _GrowingCode:
    """Colours code that grows: all of it anew whenever it is a fifth longer, what came since in one colour."""

    def __init__(self) -> None:
        self._size = 0
        self._html = ""

    def colour(self, token: Token) -> None:
        """Put the HTML of a fence's code beside it; nothing for any other token."""
        if token.type != "fence":
            return
        code = token.content
        if len(code) >= 1.2 * self._size + 40:
            self._size = code.rfind("\n") + 1
            self._html = coloured(code[: self._size], language_of(token.info))
        token.meta = {"html": self._html + html.escape(code[self._size :], quote=False)}
