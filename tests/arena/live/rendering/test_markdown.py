"""Markdown as models write it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from arena.live.rendering import render
from arena.live.rendering.code import _LEXER_OF, coloured
from arena.live.rendering.formulas import LONGEST, mathml


def shown(text: str) -> str:
    return "".join(render(text)).replace("\n", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a **b** *c* ~~d~~ `e`", "<p>a <strong>b</strong> <em>c</em> <s>d</s> <code>e</code></p>"),
        ("# One\n## Two\n##### Five", "<h3>One</h3><h4>Two</h4><h6>Five</h6>"),
        ("a\\\nb  \nc", "<p>a<br>b<br>c</p>"),
        ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
        ("- a\n  - b", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("a<br>b<BR/>c", "<p>a<br>b<br>c</p>"),
        ("&amp; &copy; \\*", "<p>&amp; © *</p>"),
        ("---", "<hr>"),
        ("> a\n> - b", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote>"),
        ("    code", '<div class="md-code"><pre><code>code</code></pre></div>'),
        ("a_b_c and snake_case_name", "<p>a_b_c and snake_case_name</p>"),
    ],
)
def test_what_is_written_is_shown_as_it_is_meant(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    ("text", "strong"),
    [
        ("**重点：**内容", "重点："),
        ("他说**「你好」**然后走了", "「你好」"),
        ("这是**“引用”**的话", "“引用”"),
        ("请看**第1步（重要）**：先安装", "第1步（重要）"),
        ("これは**「強調」**です", "「強調」"),
        ("**중요:**내용", "중요:"),
    ],
)
def test_strong_words_in_scripts_without_spaces_are_strong(text: str, strong: str) -> None:
    assert f"<strong>{strong}</strong>" in shown(text)


@given(
    st.lists(st.sampled_from(["*", "**", "_", "__", "a", "b", " ", ".", "(", ")", "“", "1"]), max_size=14).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_elsewhere_emphasis_is_commonmark_s(text: str) -> None:
    paragraph = re.match(r"<p>(.*)</p>", shown(f"x{text}x"))
    expected = MarkdownIt("commonmark").renderInline(f"x{text}x")
    assert paragraph is None or paragraph[1] == expected.replace("&quot;", '"')


# --- Formulas ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("so $x^2$ is", 1),
        ("\\(a\\) and \\[b\\]", 2),
        ("$$a$$", 1),
        ("$$\na\n+ b\n$$", 1),
        ("\\[\na\n\\]", 1),
        ("- item\n  $$\n  a\n  $$", 1),
        ("> $$a$$", 1),
        ("| $a$ |\n|---|\n| $b$ |", 2),
        ("costs $5 or $6", 0),
        ("costs $5, $6 and $7.", 0),
        ("US$ 5 and $ 6", 0),
        ("\\$x\\$", 0),
        ("`$x$`", 0),
        ("```\n$$x$$\n```", 0),
        ("$ x$", 0),
        ("5$", 0),
    ],
)
def test_formulas_are_told_from_prices(text: str, formulas: int) -> None:
    assert shown(text).count("<math") == formulas


@pytest.mark.parametrize(
    ("source", "element"),
    [
        (r"\frac{1}{2}", "<mfrac>"),
        (r"\sqrt[3]{x}", "<mroot>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtable>"),
        (r"\begin{align*} a &= b \end{align*}", "<mtable>"),
        (r"\begin{gather} a \\ b \end{gather}", "<mtable>"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "<mtd>"),
        (r"\begin{cases} 1 & x \\ 2 & y \end{cases}", "<mtable>"),
        (r"\left( \frac{a}{b} \right]", 'stretchy="true"'),
        (r"\text{if } x > 0", "<mtext>if"),
        (r"\boxed{42}", 'notation="box"'),
        (r"\displaystyle \sum_{i=1}^n i \nonumber", "<munderover>|<msubsup>"),
        (r"\mathbb{R} \to \infty \quad", 'width="1em"'),
        ("x < y", "&lt;"),
        ("速度", "速"),
    ],
)
def test_formulas_become_mathml(source: str, element: str) -> None:
    found = mathml(source, display=True)
    assert any(part in (found or "") for part in element.split("|"))


@pytest.mark.parametrize(
    "source",
    [
        r"\frac{1}{", r"\unknown{x}", r"\left( x", "x^", r"\begin{matrix} a", r"\ce{H2O}", "a" * (LONGEST + 1),
        r"\newcommand{\a}{b}\a", r"\def\a{b}\a", "{" * 99 + "}" * 99,
    ],
)  # fmt: skip
def test_a_formula_that_is_not_understood_is_shown_as_its_source(source: str) -> None:
    assert mathml(source, display=False) is None
    (block,) = render(f"$${source}$$")
    assert "<math" not in block
    assert source[:20].replace("&", "&amp;") in block


# --- Code ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", sorted(_LEXER_OF))
def test_every_name_of_a_language_is_known_and_code_stays_what_it_is(language: str) -> None:
    code = 'if (x < 1) { return "a" + 2; } # def f(): pass\n\n  -- SELECT 1 FROM t;'
    coloured_code = coloured(code, language)
    plain = re.sub(r"</?span[^>]*>", "", coloured_code)
    assert plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == code


@pytest.mark.parametrize("language", ["", "text", "klingon", "../../etc", "python;x"])
def test_code_of_no_known_language_is_shown_in_one_colour(language: str) -> None:
    assert coloured("a < b", language) == "a &lt; b"


def test_what_code_says_of_itself_is_a_short_word() -> None:
    (block,) = render("```c++ {.line-numbers}\nint x;\n```")
    assert '<div class="md-lang">c++</div>' in block
    (block,) = render("```" + "x" * 500 + "\ncode\n```")
    assert f'<div class="md-lang">{"x" * 20}</div>' in block
