"""An answer that grows: nothing that is complete changes, and what is there in the end is what was meant."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.live.rendering import LiveMarkdown, plain, render
from arena.live.rendering.live import LONGEST_BLOCK, _units
from arena.live.rendering.markdown import blocks_of, html_of
from arena.live.rendering.safety import clean

ANSWER = r"""# The plan

Some **bold *and* italic** with `code`, $x_i^2$ and costs of $5 or $6.

- one
- two **b**
  - inside
- three

3. a
4. b

```python
def f(x):
    return x + 1  # more
```

| a | b |
|---|--:|
| 1 | 2 |

$$
\frac{1}{2}
$$

> a quote
that goes on

The end.
"""

PIECES = [
    "word", " ", "\n", "\n\n", "- ", "* ", "1. ", "2. ", "  ", "    ", "> ", "# ", "#", "---", "===", "```", "```py\n", "`",
    "**", "*", "_", "~~", "$", "$$", "\\[", "\\]", "\\(", "\\)", "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "[", "](",
    "https://x.org", ")", "!", "<br>", "<", "\\", "=", "+", "1", ".", "a_b", "中文。", "x^2",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def states_of(text: str, step: int = 1) -> list[list[str]]:
    """Return what a page shows after each piece, built from the changes alone."""
    live = LiveMarkdown()
    shown: list[str] = []
    states = []
    for end in [*range(step, len(text), step), len(text)]:
        change = live.update(text[:end])
        shown[change.first :] = change.blocks
        assert len(shown) == change.of
        states.append(list(shown))
    change = live.update(text, finished=True)
    shown[change.first :] = change.blocks
    assert len(shown) == change.of
    return [*states, shown]


def test_what_is_shown_in_the_end_is_the_whole_rendered_at_once() -> None:
    assert states_of(ANSWER)[-1] == render(ANSWER)


@given(texts)
@settings(max_examples=100, deadline=None)
def test_any_text_ends_as_the_whole_rendered_at_once(text: str) -> None:
    assert states_of(text)[-1] == render(text)


def without_air(html: str) -> str:
    """A list is loose if there is a blank line anywhere in it, which nobody knows while it grows."""
    return re.sub(r"</?p>|\s", "", html)


@given(texts)
@settings(max_examples=150, deadline=None)
def test_what_is_complete_never_changes_whatever_follows(text: str) -> None:
    live = LiveMarkdown()
    whole = [without_air(clean(html_of(unit.tokens))) for unit in _units(blocks_of(text))]
    for end in range(1, len(text) + 1):
        live.update(text[:end])
        complete = [without_air(block) for block in live._complete]
        assert complete == whole[: len(complete)]


def test_only_what_is_not_complete_is_given_again() -> None:
    given_out = sum(len(blocks) for blocks in changes_of(ANSWER * 10))
    assert given_out < 3.2 * len(ANSWER * 10)  # a few hundred blocks, most of them once a letter


def changes_of(text: str) -> list[list[str]]:
    live = LiveMarkdown()
    return [live.update(text[:end]).blocks for end in range(1, len(text) + 1)]


def test_a_long_list_is_given_item_by_item_and_counts_on() -> None:
    live = LiveMarkdown()
    live.update("1. one\n2. two\n3. thr")
    change = live.update("1. one\n2. two\n3. three")
    assert (change.first, change.of) == (2, 3)
    assert change.blocks == ['<ol start="3">\n<li>three</li>\n</ol>\n']
    assert live.update("1. one\n2. two\n3. three", finished=True).of == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello **wor", "<p>Hello <strong>wor</strong></p>"),
        ("Hello **", "<p>Hello</p>"),
        ("Hello **world*", "<p>Hello <strong>world</strong></p>"),
        ("a *b **c", "<p>a <em>b <strong>c</strong></em></p>"),
        ("**a** and **b", "<p><strong>a</strong> and <strong>b</strong></p>"),
        ("***both", "<p><em><strong>both</strong></em></p>"),
        ("~~gone", "<p><s>gone</s></p>"),
        ("2 * 3 and snake_case", "<p>2 * 3 and snake_case</p>"),
        ("2 * 3 *", "<p>2 * 3</p>"),
        ("run `pip inst", "<p>run <code>pip inst</code></p>"),
        ("run `", "<p>run</p>"),
        ("``a ` b", "<p><code>a ` b</code></p>"),
        ("**see `co", "<p><strong>see <code>co</code></strong></p>"),
        ("see [the docs](https://x.o", "<p>see the docs</p>"),
        ("see ![a picture](https://x.o", "<p>see a picture</p>"),
        ("see [the docs]", "<p>see [the docs]</p>"),
        ("it costs $5", "<p>it costs $5</p>"),
        ("text\n-", "<p>text</p>"),
        ("text\n=", "<p>text</p>"),
        ("text\n1", "<p>text</p>"),
        ("text\n```py", "<p>text</p>"),
        ("text\n\n| a | b |", "<p>text</p>"),
        ("text\n\n| a | b |\n", "<p>text</p>"),
        ("text\n\n| a | b |\n|--", "<p>text</p>"),
        ("text\\", "<p>text</p>"),
        ("> quoted **wor", "<blockquote>\n<p>quoted <strong>wor</strong></p>\n</blockquote>"),
    ],
)
def test_what_is_open_at_the_end_is_closed_and_what_is_unclear_waits(text: str, shown: str) -> None:
    assert [block.strip() for block in LiveMarkdown().update(text).blocks] == [shown]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("so $\\frac{1}{2", "<mfrac>"),
        ("so \\(x^2 +", "<msup>"),
        ("\\[ x_1 +", 'display="block"'),
        ("$$\n\\sqrt{x", "<msqrt>"),
        ("```python\ndef f", "<pre><code>def f"),
        ("| a | b |\n|---|---|\n| **x", "<td><strong>x</strong></td>"),
    ],
)
def test_formulas_fences_and_tables_are_closed_while_they_grow(text: str, tags: str) -> None:
    (block,) = LiveMarkdown().update(text).blocks
    assert tags in block


def test_a_list_whose_items_all_say_one_counts_as_it_will_in_the_end() -> None:
    live = LiveMarkdown()
    shown = []
    for text in ("1. a\n1. b\n1. c", "1. a\n1. b\n1. c\n1. d\n1. e"):
        live.update(text)
        shown.append([int(found[1]) if (found := re.search(r'start="(\d+)"', block)) else 1 for block in live.shown])
    assert shown == [[1, 2, 3], [1, 2, 3, 4, 5]]


def test_a_text_that_has_ended_is_not_completed() -> None:
    assert LiveMarkdown().update("2 **", finished=True).blocks == ["<p>2 **</p>\n"]
    assert LiveMarkdown().update("42", finished=True).blocks == ["<p>42</p>\n"]


def test_code_that_grows_is_coloured_now_and_then_and_whole_in_the_end() -> None:
    code = "```python\n" + "x = 1  # one\n" * 60
    blocks = changes_of(code)
    assert 'class="c-c"' in blocks[-1][0]
    assert render(code + "```")[0].count('class="c-c"') == 60


def test_all_ways_to_end_a_line_are_one() -> None:
    assert states_of("a\r\n\r\n- b\r- c")[-1] == render("a\n\n- b\n- c")


def test_a_block_beyond_all_measure_is_shown_as_it_was_written() -> None:
    text = "Before.\n\nAnd then.\n\n" + "a *b " * LONGEST_BLOCK
    live = LiveMarkdown()
    live.update("Before.\n\nAnd then.\n\na")
    live.update(text)
    assert live.shown[0] == "<p>Before.</p>\n"
    assert live.shown[-1].startswith("<p>a *b a *b")


def test_a_long_text_of_ordinary_blocks_is_rendered_whole() -> None:
    blocks = render("A **short** one.\n\n" * 3000)
    assert len(blocks) == 3000
    assert set(blocks) == {"<p>A <strong>short</strong> one.</p>\n"}


def test_rendering_while_it_grows_takes_time_in_proportion_to_the_text() -> None:
    def seconds(n: int) -> float:
        text = ANSWER * n
        live = LiveMarkdown()
        began = time.process_time()
        for end in range(0, len(text), 20):
            live.update(text[:end])
        return time.process_time() - began

    seconds(1)
    assert seconds(24) < 18 * max(seconds(4), 0.01), "six times as much is six times the work, and not thirty-six"


def test_text_as_it_was_written_is_escaped_and_keeps_its_lines() -> None:
    assert plain("a <b>\n& c") == "<p>a &lt;b&gt;<br>&amp; c</p>"
    assert plain("") == ""
