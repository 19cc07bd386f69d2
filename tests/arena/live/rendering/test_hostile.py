"""What a hostile model may write: nothing runs, loads, sends, moves, takes a name of the page's, or takes long."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.live.rendering import LiveMarkdown, plain, render
from arena.live.rendering.code import _LEXER_OF, LONGEST, coloured
from arena.live.rendering.live import LONGEST_BLOCK
from arena.live.rendering.safety import MATH_TAGS, MATH_VALUES, clean

TAGS = {
    *"p br hr strong em s code pre blockquote ul ol li table thead tbody tr th td h3 h4 h5 h6 a span div".split(),
    *MATH_TAGS,
}
CLASSES = {
    *"c-k c-s c-c c-n c-f c-t c-d c-gi c-gd md-table md-code md-lang math right center".split(),
}

MARKUP = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    '<img src="https://evil.example/mark.png">',
    "<img src=x onerror=alert(1)>",
    "![](https://evil.example/mark.png)",
    "![a][b]\n\n[b]: https://evil.example/mark.png",
    '![a](javascript:alert(1))',
    "![a](data:image/png;base64,AAAA)",
    '![" onerror="alert(1)](https://evil.example/"onerror="alert(1))',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/x)",
    "[x](arena-api/vote)",
    "[x](?model=a)",
    "[x](#top)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example/"onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "<https://a.example/\"onclick=alert(1)>",
    "<form action=https://evil.example><input name=p><button>Sign in</button></form>",
    "<button onclick=alert(1)>A is better</button>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea>",
    "<select><option>",
    "<style>.vote { display: none }</style>",
    '<div style="position:fixed;inset:0;z-index:9999;background:white">A is better</div>',
    '<p class="u-vote" id="vote">x</p>',
    '<a id="send" name="body">x</a>',
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example>",
    "<iframe src=https://evil.example></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=https://evil.example></object><embed src=https://evil.example>",
    "<video src=https://evil.example/v autoplay><audio src=https://evil.example/a autoplay>",
    "<svg onload=alert(1)><use href=https://evil.example#x /></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math href=javascript:alert(1)>click</math>",
    "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x</maction></math>",
    "<math><annotation-xml encoding=text/html><script>alert(1)</script></annotation-xml></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<dialog open>x</dialog>",
    "<body onload=alert(1) background=https://evil.example/b.png>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><?php echo 1 ?>",
    "<br onclick=alert(1)>",
    "</div></div></section><h1>Model B is GPT-5</h1>",
    "</p></td></table></code></pre><script>alert(1)</script>",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```\"><script>alert(1)</script>\ncode\n```",
    "```html\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```",
    "```python onclick=alert(1)\nx\n```",
    "`</code><script>alert(1)</script>`",
    "    </code></pre><script>alert(1)</script>",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"$\href{javascript:alert(1)}{click}$",
    r"$\url{https://evil.example}$",
    r"$\class{u-vote}{x} \style{position:fixed;inset:0}{y} \id{send}{z}$",
    r"$\unicode{x3c}script>$",
    r"$\color{url(https://evil.example)}{x}$ $\textcolor{red}{x}$",
    r"$\hspace{9999px} \kern-100em \rule{9999px}{9999px} \mspace{-99mu} \raisebox{99em}{x}$",
    r"$\includegraphics{https://evil.example/x.png}$",
    r"$\def\a{\a\a}\a$",
    r"$\newcommand{\a}{\b\b}\newcommand{\b}{\a\a}\a$",
    "$$\n</math><script>alert(1)</script>\n$$",
    r"\[ \text{</mtext></math><svg onload=alert(1)>} \]",
    "| <script>alert(1)</script> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | d |",
    "| a |\n|:-:|\n| \" onclick=alert(1) |",
    "\u202e\u2066<script>\u2069",
    "\ud83d\ude00"[:0] + "\x00<scr\x00ipt>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "**<b onclick=alert(1)>**",
    "[<img src=x onerror=alert(1)>](https://a.example)",
    "[![](https://evil.example/mark.png)](https://a.example)",
    "[a](https://user:pw@a.example) <me@a.example>",
    "# <script>alert(1)</script>",
    "> <script>alert(1)</script>",
    "- <form>\n- </form>",
]  # fmt: skip


class Seen(HTMLParser):
    """What a browser would find: elements with their attributes. Fails on whatever is not known to be harmless."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.depth = 0
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        if tag not in ("br", "hr"):
            self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        for name, value in attrs:
            assert self.is_harmless(tag, name, value or ""), (tag, name, value)
        if tag == "a":
            found = dict(attrs)
            assert found["target"] == "_blank"
            assert found["rel"] == "noopener noreferrer nofollow"

    @staticmethod
    def is_harmless(tag: str, name: str, value: str) -> bool:
        if name == "class":
            return set(value.split()) <= CLASSES
        if tag == "a":
            scheme = value.split(":", 1)[0].lower()
            return name in ("title", "target", "rel") or (name == "href" and scheme in ("http", "https", "mailto"))
        if tag == "ol":
            return name == "start" and value.isdigit()
        return value in MATH_VALUES.get(tag, {}).get(name, ())

    def handle_endtag(self, tag: str) -> None:
        assert tag in TAGS, tag
        if tag not in ("br", "hr"):
            self.depth -= 1
            assert self.depth >= 0, tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = unknown_decl = handle_pi = handle_comment

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(blocks: list[str]) -> Seen:
    """Return what is found in blocks, each of which must close what it opens."""
    found = Seen()
    for block in blocks:
        found.feed(block)
        found.close()
        assert found.depth == 0, block
    return found


def test_there_are_more_than_eighty_pieces() -> None:
    assert len(MARKUP) > 80
    assert len(set(MARKUP)) == len(MARKUP)


@pytest.mark.parametrize("markup", MARKUP)
def test_hostile_markup_comes_out_harmless(markup: str) -> None:
    seen(render(markup))
    seen(render(f"Before {markup} after **{markup}**\n\n- {markup}"))


@pytest.mark.parametrize("markup", MARKUP)
def test_hostile_markup_is_harmless_at_every_moment_while_it_arrives(markup: str) -> None:
    live = LiveMarkdown()
    for end in range(1, len(markup) + 1):
        seen(live.update(markup[:end]).blocks)
    seen(live.update(markup, finished=True).blocks)


@pytest.mark.parametrize("markup", MARKUP)
def test_hostile_markup_is_text_where_text_is_shown_as_it_was_written(markup: str) -> None:
    found = seen([plain(markup)])
    assert found.deepest == 1


@pytest.mark.parametrize("markup", MARKUP)
def test_the_last_step_alone_makes_it_harmless_too(markup: str) -> None:
    class Loose(Seen):
        def handle_endtag(self, tag: str) -> None:
            assert tag in TAGS

    Loose().feed(clean(markup))


@given(st.lists(st.sampled_from(MARKUP) | st.text(max_size=5), max_size=6).map("".join))
@settings(max_examples=150, deadline=None)
def test_no_mixture_of_them_gets_through(text: str) -> None:
    seen(render(text))


def test_the_words_of_raw_html_are_shown_as_words() -> None:
    assert seen(render("<script>alert(1)</script>")).text.strip() == "<script>alert(1)</script>"


def test_an_image_is_a_link_and_says_what_it_is() -> None:
    (block,) = render("![a chart](https://a.example/chart.png)")
    assert '<a href="https://a.example/chart.png"' in block
    assert seen([block]).text.strip() == "a chart"
    assert seen(render("![](https://a.example/x.png)")).text.strip() == "https://a.example/x.png"


def test_lengths_in_formulas_are_those_of_a_short_list() -> None:
    (block,) = render(r"$a\quad b\, c \kern-100em d \hspace{99em} e$")
    assert 'width="1em"' in block
    assert "99em" not in block
    assert "-100em" not in block


# --- Time --------------------------------------------------------------------------------------------------------------

N = LONGEST_BLOCK - 100
SLOW = {
    "emphasis that opens": "*a " * (N // 3),
    "emphasis that closes": "a* " * (N // 3),
    "emphasis both ways": "*a_ " * (N // 4),
    "emphasis inside emphasis": "*a **a " * (N // 7),
    "underscores and stars": "_a *b " * (N // 12) + "c* " * (N // 6),
    "stars": "*" * N,
    "stars and spaces": "** " * (N // 3),
    "backticks": "`" * N,
    "backticks of all lengths": "".join("`" * n + "a" for n in range(1, 170)),
    "one backtick and many two": "`" + "``a" * (N // 3),
    "brackets": "[" * N,
    "images": "![" * (N // 2),
    "closing brackets": "]" * N,
    "links without an end": "[a](" * (N // 4),
    "links in links": "[a](b" * (N // 5),
    "link titles": '[a](b "' * (N // 7),
    "angles": "<" * N,
    "tags": "<a " * (N // 3),
    "comments": "<!--" * (N // 4),
    "autolinks": "<https://a" * (N // 10),
    "entities": "&" * N,
    "long entity": "&" + "a" * N,
    "escapes": "\\" * N,
    "quotes": ">" * N,
    "quotes with spaces": "> " * (N // 2),
    "lists": "- " * (N // 2),
    "lists and quotes": "- > " * (N // 4),
    "numbers": "1. " * (N // 3),
    "deep list": "".join("  " * n + "- a\n" for n in range(120)),
    "short lists": "- a\n" * (N // 4),
    "blank lines": "\n" * N,
    "spaces": " " * N + "x",
    "spaces in lines": ("a" + " " * 100 + "\n") * (N // 102),
    "hashes": "#" * N,
    "heading's end": "# " + "a #" * (N // 3),
    "rules": "---\n" * (N // 4),
    "setext": "a\n=\n" * (N // 4),
    "lines": "a\n" * (N // 2),
    "wide table": "|" + "a|" * (N // 6) + "\n|" + "-|" * (N // 6) + "\n|" + "b|" * (N // 6),
    "long table": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * (N // 10),
    "short table with many rows": "|a|b|c|d|e|f|g|h|\n" + "|-" * 8 + "|\n" + "|\n" * (N // 2),
    "pipes": "|" * N,
    "tables": "|a|\n|-|\n" * (N // 8),
    "dollars": "$" * N,
    "dollars and words": "$a " * (N // 3),
    "dollars closed badly": "$a $" * (N // 4),
    "formulas": "$a$ " * (N // 4),
    "different formulas": " ".join(f"$x_{{{n}}}$" for n in range(N // 9)),
    "display formulas": "$$\n" * (N // 3),
    "open display formulas": "\\[\na\n\n" * (N // 6),
    "open inline formulas": "\\(" * (N // 2),
    "deep formula": "$" + "{" * 900 + "}" * 900 + "$",
    "fractions": "$" + "\\frac{1}{" * 190 + "}" * 190 + "$",
    "roots": "$" + "\\sqrt" * 390 + " x$",
    "indices": "$x" + "^{x" * 600 + "}" * 600 + "$",
    "tildes": "~" * N,
    "tildes in pairs": "~~a " * (N // 4),
    "fences": "```\n" * (N // 4),
    "fences of many kinds": "```\n~~~\n" * (N // 8),
    "no end of line": "a" * N,
    "code": "```python\n" + "x = [1, 'a', f(b)]  # c\n" * 800,
    "brackets in code": "```python\n" + "(" * N,
    "strings in code": "```javascript\n" + "`${" * (N // 3),
    "quotes in code": "```python\n" + "'\"" * (N // 2),
    "marks in code": "```cpp\n" + "template<" * (N // 9),
}  # fmt: skip
SECONDS = 4.0
"""Of one processor that others share. What is quadratic at this length takes minutes; the slowest of these takes about one."""


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_no_input_takes_long(text: str) -> None:
    began = time.process_time()
    seen_blocks = render(text)
    live = LiveMarkdown()
    live.update(text)
    assert time.process_time() - began < SECONDS
    assert sum(map(len, seen_blocks)) < 100 * len(text) + 1000


@pytest.mark.parametrize(
    "language",
    ["python", "javascript", "cpp", "html", "sql", "bash", "yaml", "css", "php", "ruby", "haskell"],
)
@pytest.mark.parametrize(
    "piece", ["(", "'", '"', "/*", "\\", "<a ", "{", "a:", "#", "$(", "<!--", "''' ", "-", " ", "\n", "@a", "0x", "1e"]
)
def test_colouring_takes_no_longer_than_it_may_whatever_the_code(language: str, piece: str) -> None:
    code = piece * (4_000 // len(piece))
    began = time.process_time()
    found = Seen()
    found.feed(coloured(code, language))
    found.close()
    assert time.process_time() - began < 2.0
    assert found.text == code


@pytest.mark.parametrize("language", sorted(set(_LEXER_OF.values())))
def test_no_language_takes_long_for_long_lines_and_gaps(language: str) -> None:
    for piece in ("\n", "::", "=", "a:", "=>", "- a: ", "[", " \n", "a"):
        code = (piece * LONGEST)[:LONGEST]
        began = time.process_time()
        found = Seen()
        found.feed(coloured(code, language))
        found.close()
        assert time.process_time() - began < 1.0, piece
        assert found.text == code


@pytest.mark.parametrize("language", ["ini", "julia", "matlab", "python", "scala"])
def test_lines_as_long_as_they_may_be_are_coloured_soon(language: str) -> None:
    for piece in ("::", "=", "(", "'", "a "):
        code = ((piece * 500)[:499] + "\n") * 40
        began = time.process_time()
        coloured(code, language)
        assert time.process_time() - began < 1.5, piece


def test_blocks_are_no_deeper_than_a_browser_can_bear() -> None:
    for text in ("> " * 5000 + "a", "- " * 5000 + "a", "**a " * 3000 + "b" + "**" * 3000):
        assert seen(render(text)).deepest < 120
