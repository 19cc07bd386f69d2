"""The app below a path of a site: ``https://example.org/llmuses/``."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Below:
    """ASGI middleware that tells the app below which path the world sees it.

    A proxy may hand the path on or take it off: the app sees the same. Only where it is called like one of the app's own
    pages (``/arena``) must the proxy hand it on, since ``/arena`` could else be either.
    """

    def __init__(self, app: ASGIApp, root: str):
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._root and scope["type"] in ("http", "websocket"):
            scope = {**scope, "root_path": self._root}
            if scope["path"] != self._root and not scope["path"].startswith(f"{self._root}/"):
                scope["path"] = self._root + scope["path"]
                scope["raw_path"] = self._root.encode("ascii") + scope.get("raw_path", b"")
        await self._app(scope, receive, send)
