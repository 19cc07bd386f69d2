"""Reading the HTML that pages are made of."""

from __future__ import annotations

from html.parser import HTMLParser

from llmuses.visit import Visit

_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.errors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.errors.append(f"<{tag}> names an attribute twice")
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.errors.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class Page:
    """A piece of HTML, taken apart. ``errors`` are tags that do not nest and attributes that are named twice."""

    def __init__(self, html: str):
        reader = _Reader()
        reader.feed(html)
        reader.close()
        self.html = html
        self.tags = reader.tags
        self.errors = reader.errors + [f"<{tag}> is never closed" for tag in reader.open]
        self.text = " ".join(" ".join(reader.texts).split())

    def all(self, tag: str, **attrs: str) -> list[dict[str, str]]:
        """Return the attributes of every such tag that has these attributes (``class_`` and ``data_x`` as in Python)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        return [found for name, found in self.tags if name == tag and wanted.items() <= found.items()]

    def classes(self, name: str) -> int:
        """Return how many tags have a class."""
        return sum(name in found.get("class", "").split() for _, found in self.tags)


def visit(lang: str = "en", /, **query: str) -> Visit:
    """Return a visit in a language with a query."""
    return Visit("zh" if lang == "zh" else "en", query)


HARMLESS = {
    "html", "a", "aside", "b", "bdi", "button", "code", "col", "colgroup", "dd", "details", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2", "h3",
    "header", "i", "input", "kbd", "label", "legend", "li", "mark", "nav", "ol", "option", "p", "path", "circle", "rect", "pre", "section", "select",
    "small", "span", "summary", "svg", "table", "tbody", "td", "th", "thead", "time", "tr", "ul",
}  # fmt: skip
"""The tags that pages are made of: anything else in a page came from somewhere else."""


def check_harmless(page: Page) -> None:
    """Assert that a page is well-formed and that nothing in it could run or lead away."""
    assert page.errors == []
    for tag, attrs in page.tags:
        assert tag in HARMLESS, tag
        assert not [name for name in attrs if name.startswith("on")], attrs
        for name in ("href", "action", "src"):
            assert not attrs.get(name, "").lower().startswith(("javascript:", "data:", "//", "http")), attrs
