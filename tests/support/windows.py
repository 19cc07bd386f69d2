"""Windows of one browser, each as good as new and none of them cold."""

from __future__ import annotations

from typing import Any

from llmuses.web import assets

_OF_A_PAGE = ("viewport", "color_scheme", "reduced_motion")
_PATIENCE = 120_000
"""Milliseconds that are waited for what is to come: a machine may have much to do."""

_USUAL = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "reduced_motion": "no-preference"}


class Windows:
    """Opens windows and takes them back.

    A new browser context starts a process, loads every script and compiles it: three seconds of work, a page's own is less
    than one. So contexts of one kind (a server, a language, a phone) are used again after all that a visitor leaves behind
    is gone: cookies, storage, permissions. In each stays a tab open that keeps its process alive.
    """

    def __init__(self, browser: Any):
        self._browser = browser
        self._free: dict[tuple[object, ...], list[tuple[Any, Any]]] = {}

    def open(self, address: str, **options: Any) -> Window:
        """Return a window on the app at this address that nobody has used. The options are those of a browser context."""
        of_page = {**_USUAL, **{name: options.pop(name) for name in _OF_A_PAGE if name in options}}
        kind = {"locale": "en-US", **options}
        free = self._free.setdefault((address, *sorted(kind.items())), [])
        if free:
            context, keeper = free.pop()
        else:
            context = self._browser.new_context(base_url=address, viewport=of_page["viewport"], **kind)
            keeper = context.new_page()
            keeper.goto(assets.address(assets.LOGO))
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.set_viewport_size(of_page.pop("viewport"))
        page.emulate_media(**of_page)
        return Window(page, keeper, free)

    def close(self) -> None:
        """Close what is left of all windows."""
        for free in self._free.values():
            for context, _ in free:
                context.close()
        self._free.clear()


class Window:
    """A window on the app: it remembers every request, every error and every complaint of the browser."""

    def __init__(self, page: Any, keeper: Any, free: list[tuple[Any, Any]]):
        self.page, self.context = page, page.context
        self._keeper, self._free = keeper, free
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda problem: self.problems.append(str(problem)))
        page.on("console", lambda said: said.type == "error" and self.problems.append(said.text))

    def open(self, path: str = "benchmarks") -> Any:
        """Go to a page of the app and return it once it is there."""
        self.page.goto(path)
        self.page.locator("#main").wait_for()
        return self.page

    def close(self) -> None:
        """Close the window, and every other that it opened, and forget who was here."""
        for page in self.context.pages:
            if page is not self._keeper:
                page.close()
        self._keeper.evaluate("localStorage.clear()")
        self.context.clear_cookies()
        self.context.clear_permissions()
        self._free.append((self.context, self._keeper))
