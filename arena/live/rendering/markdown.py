"""Markdown as models write it: CommonMark, tables, strikethrough and formulas; no HTML, nothing that loads."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from arena.live.rendering.closing import closed
from arena.live.rendering.code import coloured, language_of
from arena.live.rendering.formulas import LONGEST, formula

DEEPEST = 20
"""Quotes and lists inside each other; what is deeper is left as text."""
GROWING = "growing"
"""Key of an environment whose text still grows: a formula that is open at its end is one."""

MOST_CELLS = 2_000
_MOST_LINES = 100
_MOST_DOLLARS = 8
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u303f\u3040-\u30ff\u3100-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


@cache
def parser() -> MarkdownIt:
    """Return the parser. It keeps nothing of a text, and one serves all."""
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    markdown.enable(["table", "strikethrough"])
    # definitions of links could change what was shown long before them
    markdown.disable(["reference", "html_block", "html_inline"])
    markdown.validateLink = lambda url: bool(_LINK.match(url.strip()))  # type: ignore[method-assign]
    markdown.block.ruler.at("table", _small_table, {"alt": ["paragraph", "reference"]})
    markdown.block.ruler.before("fence", "formula", _formula_block, {"alt": ["paragraph", "blockquote", "list"]})
    markdown.inline.ruler.before("escape", "formula", _formula_inline)
    markdown.inline.ruler.at("emphasis", _stars_and_lines)
    markdown.inline.ruler.before("autolink", "line_break", _line_break)
    for name, rule in _RULES.items():
        markdown.add_render_rule(name, rule)
    return markdown


def blocks_of(text: str, growing: bool = False) -> list[Sequence[Token]]:
    """Return the tokens of each block of a text, in order."""
    tokens = parser().parse(text, {GROWING: growing})
    blocks: list[Sequence[Token]] = []
    start = depth = 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            blocks.append(tokens[start : at + 1])
            start = at + 1
    return blocks


def close_last(tokens: Sequence[Token]) -> None:
    """Close what is open at the end of a block that still grows: an emphasis, a code span, a link, a formula."""
    for token in reversed(tokens):
        filled_up = token.type == "td_open" or (token.type == "inline" and not token.content)
        if token.nesting != -1 and not filled_up:
            if token.type == "inline" and (content := closed(token.content)) != token.content:
                (whole,) = parser().parseInline(content, {})
                token.content, token.children = content, whole.children
            return


def html_of(tokens: Sequence[Token]) -> str:
    """Return the HTML of a block, not yet made safe."""
    markdown = parser()
    return str(markdown.renderer.render(tokens, markdown.options, {}))


# --- reading ------------------------------------------------------------------------------------------------


def _formula_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""Read ``$$ … $$`` or ``\[ … \]`` that begins a line and ends one."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    opening = state.src[start : start + 2]
    closing = {"$$": "$$", "\\[": "\\]"}.get(opening)
    if closing is None or state.is_code_block(start_line):
        return False
    lines: list[str] = []
    for line in range(start_line, min(end_line, start_line + _MOST_LINES)):
        if line > start_line and state.sCount[line] < state.blkIndent:
            break
        begin = start + 2 if line == start_line else state.bMarks[line] + state.tShift[line]
        text = state.src[begin : state.eMarks[line]].strip()
        if text.endswith(closing):
            source = "\n".join((*lines, text[:-2]))
            return silent or _push_block(state, source, start_line, line + 1)
        if closing in text:
            return False
        lines.append(text)
    if state.env.get(GROWING) and end_line == state.lineMax and len(lines) == end_line - start_line:
        source = "\n".join(lines).rstrip("$\\ \n")
        source += "}" * max(0, source.count("{") - source.count("}"))
        return silent or _push_block(state, source, start_line, end_line, is_open=True)
    return False


def _small_table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Read a table, unless it has so many cells that drawing it takes long: short rows are filled up."""
    if start_line + 1 >= end_line:
        return False
    rule = state.src[state.bMarks[start_line + 1] : state.eMarks[start_line + 1]]
    if "-" not in rule or rule.strip("|-: >\t"):
        return False
    start = state.bMarks[start_line]
    end = state.src.find("\n\n", start)
    lines = state.src.count("\n", start, end if end >= 0 else len(state.src))
    if lines * (rule.count("|") + 1) > MOST_CELLS:
        return False
    return table(state, start_line, end_line, silent)


def _push_block(state: StateBlock, source: str, start_line: int, next_line: int, is_open: bool = False) -> bool:
    token = state.push("formula_block", "div", 0)
    token.content = source
    token.block = True
    token.meta = {"open": is_open}
    token.map = [start_line, next_line]
    state.line = next_line
    return True


def _formula_inline(state: StateInline, silent: bool) -> bool:
    r"""Read ``$ … $``, ``$$ … $$``, ``\( … \)`` or ``\[ … \]`` inside a line (pandoc's rules for the first)."""
    src, start = state.src, state.pos
    opening = src[start : start + 2]
    closing = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}.get(opening)
    if closing is not None:
        end = src.find(closing, start + 2, start + LONGEST)
        size, display = 2, opening != "\\("
    elif src[start] == "$":
        end, size, display = _dollar(src, start), 1, False
    else:
        return False
    source = src[start + size : end]
    if end < 0 or not source.strip():
        return False
    if not silent:
        token = state.push("formula_inline", "span", 0)
        token.content = source
        token.meta = {"display": display}
    state.pos = end + size
    return True


def _dollar(src: str, start: int) -> int:
    """Return where the formula that a dollar opens is closed, -1 where it opens none, as in "$5 or $6"."""
    if src[start + 1 : start + 2].isspace() or src[start + 1 : start + 2] == "":
        return -1
    at = start
    for _ in range(_MOST_DOLLARS):
        at = src.find("$", at + 1, start + LONGEST)
        if at < 0:
            return -1
        before, after = src[at - 1], src[at + 1 : at + 2]
        if before != "\\" and not before.isspace() and not after.isdigit():
            return at
    return -1


def _stars_and_lines(state: StateInline, silent: bool) -> bool:
    """Read a run of ``*`` or ``_`` as marks of emphasis; which of them belong together is found out later.

    The rules are CommonMark's (0.31, 6.2) but for one: beside a Chinese, Japanese or Korean character a star may stand next
    to punctuation on its other side, for these are written without spaces, and ``**重点：**内容`` is meant to be strong.
    """
    src, start = state.src, state.pos
    mark = src[start]
    if silent or mark not in "*_":
        return False
    end = start
    while end < state.posMax and src[end] == mark:
        end += 1
    before, after = src[start - 1] if start else " ", src[end] if end < state.posMax else " "
    opens = not after.isspace() and (not _is_punctuation(after) or _is_loose(before, mark))
    closes = not before.isspace() and (not _is_punctuation(before) or _is_loose(after, mark))
    if mark == "_":
        opens, closes = (
            opens and (not closes or _is_punctuation(before)),
            closes and (not opens or _is_punctuation(after)),
        )
    for _ in range(end - start):
        token = state.push("text", "", 0)
        token.content = mark
        state.delimiters.append(Delimiter(ord(mark), end - start, len(state.tokens) - 1, -1, opens, closes))
    state.pos = end
    return True


def _is_loose(letter: str, mark: str) -> bool:
    """Return whether punctuation may stand on the other side of a mark that this letter stands beside."""
    return letter.isspace() or _is_punctuation(letter) or (mark == "*" and bool(_CJK.match(letter)))


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _line_break(state: StateInline, silent: bool) -> bool:
    """Read ``<br>``, the one tag that cells of tables need."""
    found = _BREAK.match(state.src, state.pos) if state.src[state.pos] == "<" else None
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


# --- writing ------------------------------------------------------------------------------------------------

Environment = MutableMapping[str, Any]


def _fence(_: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Environment) -> str:
    token = tokens[at]
    language = language_of(token.info)
    name = f'<div class="md-lang">{html.escape(language)}</div>' if language else ""
    known = token.meta.get("html") if token.meta else None
    inner = coloured(token.content, language) if known is None else known
    return f'<div class="md-code">{name}<pre><code>{inner}</code></pre></div>\n'


def _formula(_: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Environment) -> str:
    token = tokens[at]
    return formula(token.content, display=token.block or bool(token.meta.get("display")))


def _image(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Environment) -> str:
    """Show an image as a link to it: loading it would tell its server who reads this answer."""
    token = tokens[at]
    address = str(token.attrs.get("src", ""))
    words = renderer.renderInlineAsText(token.children, options, env) or address
    return f'<a href="{html.escape(address)}">{html.escape(words, quote=False)}</a>'


def _heading(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Environment) -> str:
    """Write a heading below those of the page."""
    level = min(6, int(tokens[at].tag[1]) + 2)
    return f"<h{level}>" if tokens[at].nesting == 1 else f"</h{level}>\n"


def _table(_: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Environment) -> str:
    return '<div class="md-table"><table>\n' if tokens[at].nesting == 1 else "</table></div>\n"


def _cell(_: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Environment) -> str:
    token = tokens[at]
    if token.nesting == -1:
        return f"</{token.tag}>\n"
    side = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{token.tag} class="{side}">' if side in ("right", "center") else f"<{token.tag}>"


_RULES = {
    "fence": _fence,
    "code_block": _fence,
    "formula_block": _formula,
    "formula_inline": _formula,
    "image": _image,
    "heading_open": _heading,
    "heading_close": _heading,
    "table_open": _table,
    "table_close": _table,
    "th_open": _cell,
    "th_close": _cell,
    "td_open": _cell,
    "td_close": _cell,
}
