"""Code in colours: a handful of classes, whose colours static/code.css has for light and dark."""

from __future__ import annotations

import html
import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST = 20_000
"""Characters: longer code has one colour."""
_LONGEST_LINE = 500
"""Characters: where one is longer all has one colour, for some languages' rules take the square of a line."""
_GAP = re.compile(r"\s{200}")
"""As long a gap is no code, and takes the square of its length as well."""
SECONDS = 0.1
"""Code that takes longer goes on in one colour."""

_NAMES = {
    "bash": "bash sh shell zsh console shell-session",
    "c": "c h",
    "cpp": "cpp c++ cc hpp cxx",
    "csharp": "csharp c# cs",
    "css": "css",
    "diff": "diff patch udiff",
    "docker": "dockerfile docker",
    "go": "go golang",
    "haskell": "haskell hs",
    "html": "html xhtml",
    "ini": "ini cfg conf dosini",
    "java": "java",
    "javascript": "javascript js node jsx mjs",
    "json": "json jsonc json5",
    "julia": "julia jl",
    "kotlin": "kotlin kt",
    "lua": "lua",
    "make": "makefile make mk",
    "matlab": "matlab octave",
    "php": "php",
    "python": "python py python3 py3 ipython",
    "r": "r rscript",
    "ruby": "ruby rb",
    "rust": "rust rs",
    "scala": "scala",
    "sql": "sql mysql postgresql sqlite postgres",
    "swift": "swift",
    "toml": "toml",
    "typescript": "typescript ts tsx",
    "xml": "xml svg",
    "yaml": "yaml yml",
}
_LEXER_OF = {alias: name for name, aliases in _NAMES.items() for alias in aliases.split()}
"""Only languages whose rules are plain enough to be read fast, whatever is written."""


def language_of(info: str) -> str:
    """Return the language that a fence names, as a word to be shown; "" for none."""
    word = info.strip().split(maxsplit=1)[0] if info.strip() else ""
    return "".join(letter for letter in word if letter.isalnum() or letter in "+#.-_")[:20]


def coloured(code: str, language: str) -> str:
    """Return code as HTML text with spans of ``CODE_CLASSES``; escaped text for a language that is not known."""
    lexer = _lexer(language.lower())
    if lexer is None or len(code) > LONGEST or _is_slow(code):
        return html.escape(code, quote=False)
    pieces: list[str] = []
    last, held, read = "", "", 0
    until = time.monotonic() + SECONDS
    for _, kind, text in lexer.get_tokens_unprocessed(code):
        read += len(text)
        css = _class_of(kind) if not text.isspace() else ""
        if css != last:
            pieces.append(_span(last, held))
            last, held = css, ""
        if time.monotonic() > until:
            break
        held += text
    else:
        return "".join((*pieces, _span(last, held), html.escape(code[read:], quote=False)))
    return "".join((*pieces, _span(last, held), html.escape(code[read - len(text) :], quote=False)))


def _is_slow(code: str) -> bool:
    return max(map(len, code.split("\n"))) > _LONGEST_LINE or _GAP.search(code) is not None


def _span(css: str, text: str) -> str:
    escaped = html.escape(text, quote=False)
    return f'<span class="{css}">{escaped}</span>' if css and text else escaped


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    if language not in _LEXER_OF:
        return None
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(_LEXER_OF[language], stripnl=False, ensurenl=False)


@lru_cache(maxsize=512)
def _class_of(kind: Any) -> str:
    from pygments.token import Comment, Generic, Keyword, Literal, Name, Number, Operator, String

    for parent, css in (
        (Comment, "c-c"),
        (String, "c-s"),
        (Number, "c-n"),
        (Keyword.Type, "c-t"),
        (Keyword, "c-k"),
        (Operator.Word, "c-k"),
        (Name.Decorator, "c-d"),
        (Name.Function, "c-f"),
        (Name.Class, "c-t"),
        (Name.Builtin, "c-t"),
        (Name.Tag, "c-k"),
        (Name.Attribute, "c-f"),
        (Generic.Inserted, "c-gi"),
        (Generic.Deleted, "c-gd"),
        (Literal, "c-s"),
    ):
        if kind in parent:
            return css
    return ""
