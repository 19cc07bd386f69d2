"""Markdown shows names as they are: read back by a Markdown reader, every name is the text it was."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmuses.reports import markdown
from llmuses.reports._markdown import code, escape, fence
from tests.unit.reports.builders import estimate, report, run

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NAMES = st.text(
    st.sampled_from("abc_*`|[]()<>!#~&;\\-+=.1 \n$:'\"中—") | st.characters(codec="utf-8"), min_size=1, max_size=30
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def shown(name: str) -> str:
    """Return a name as one line shows it: control characters are spaces, spaces around are gone."""
    return CONTROL.sub(" ", name).strip()


def plain(source: str) -> str:
    """Return the text that a Markdown reader shows, and check that it is nothing but text."""
    paragraph = READER.parse(source)
    assert [token.type for token in paragraph] in ([], ["paragraph_open", "inline", "paragraph_close"])
    pieces = paragraph[1].children or [] if paragraph else []
    assert {piece.type for piece in pieces} <= {"text", "text_special"}
    return "".join(piece.content for piece in pieces)


@given(NAMES)
def test_an_escaped_name_is_read_back_as_it_was(name: str) -> None:
    assert plain(escape(name)) == shown(name)


@given(NAMES)
def test_a_code_span_is_read_back_as_it_was(name: str) -> None:
    written = code(name)
    if not shown(name):
        assert written == ""
        return
    (span,) = READER.parseInline("x " + written)[0].children[1:]  # type: ignore[index]
    assert (span.type, span.content) == ("code_inline", shown(name))


@given(NAMES)
def test_nothing_in_a_command_ends_its_block(name: str) -> None:
    command = shown(name)
    blocks = READER.parse(fence(command))
    assert [(block.type, block.content.rstrip("\n")) for block in blocks] == [("fence", command.rstrip("\n"))]


@given(NAMES)
def test_no_name_breaks_a_table(name: str) -> None:
    said = markdown(run(model=name), [report(title=name, subsets={name: estimate(1, 2), "other": estimate(1, 2)})])
    tables = [token for token in READER.parse(said) if token.type == "table_open"]
    cells = [token for token in READER.parse(said) if token.type == "td_open"]
    assert len(tables) == 2
    assert len(cells) == 6 + 2 * 5


def test_names_of_subsets_stay_readable_in_the_source() -> None:
    assert escape("high_school_biology") == "high_school_biology"
    assert escape("_private_") == r"\_private\_"


def test_the_text_ends_in_one_newline() -> None:
    said = markdown(run(), [report()])
    assert said.endswith("\n")
    assert not said.endswith("\n\n")
