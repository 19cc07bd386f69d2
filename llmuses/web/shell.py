"""The app: its pages joined under one bar, its static files, its downloads, and what stands before them all."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import gradio as gr
from fastapi import FastAPI
from gradio.routes import App
from starlette.requests import Request
from starlette.responses import Response

from leaderboard.results import Results
from llmuses.settings import root_path
from llmuses.web import assets
from llmuses.web.bar import Entry
from llmuses.web.downloads import SheetOf, add_downloads
from llmuses.web.guard import Guard
from llmuses.web.theme import theme


class Page(NamedTuple):
    """One page: its path below the app (``""`` is home), its entry in the bar, and what builds it inside its route.

    ``moved`` returns where an address with this query leads by now, relative to the app, ``None`` where it leads here.
    """

    path: str
    name: str
    build: Callable[[gr.Blocks, Results], None]
    moved: Callable[[Mapping[str, str]], str | None] | None = None


def create_app(
    results: Results,
    pages: Sequence[Page],
    sheets: Mapping[str, SheetOf] | None = None,
    routes: Sequence[Callable[[FastAPI], None]] = (),
    admin: Callable[[Request], bool] = lambda request: False,
) -> FastAPI:
    """Return the web app of these pages, the first of which is home, of ``sheets`` to take away, by their names, and of what
    ``routes`` add to it. Nothing is served outside of them. ``admin`` says whether there is an admin room for a caller."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route(f"/{assets.PREFIX}/{{name}}", _static, methods=["GET", "HEAD"])
    add_downloads(app, results, sheets or {})
    for add in routes:
        add(app)
    blocks = _blocks(results, pages)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SSR mode")  # said of every app with several pages, whatever is asked for
        gr.mount_gradio_app(
            app,
            blocks,
            path="/",
            root_path=root_path() or None,
            theme=theme(),
            head=assets.styles(),  # once more: after Gradio's own sheets, whose resets have the same weight
            footer_links=[],
            run_history=False,
            show_error=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            max_file_size=0,
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        )
    app.add_middleware(
        Guard,
        pages={page.path: page.name for page in pages},
        entries=_entries(pages),
        moved={page.path: page.moved for page in pages if page.moved},
        admin=admin,
    )
    return app


def _entries(pages: Sequence[Page]) -> list[Entry]:
    paths: dict[str, str] = {}
    for page in pages:
        if page.name not in paths or (page.path and paths[page.name] == "./"):
            paths[page.name] = page.path or "./"
    return [Entry(name, path) for name, path in paths.items()]


def _blocks(results: Results, pages: Sequence[Page]) -> gr.Blocks:
    home, *others = pages
    blocks: gr.Blocks
    with _no_app_yet():
        with gr.Blocks(title="llmuses", fill_width=True, analytics_enabled=False) as blocks:
            home.build(blocks, results)
        for page in others:
            with blocks.route(page.name, f"/{page.path}", show_in_navbar=False):
                page.build(blocks, results)
        blocks.max_threads = 40  # caps all handlers together, and mount_gradio_app has no word for it
        blocks.queue(api_open=False)
        # No event of the pages goes through the queue, which would look a thousand times a second whether one does.
        blocks._queue.sleep_when_free = blocks._queue.progress_update_sleep_when_free = 1.0
    return blocks


@contextlib.contextmanager
def _no_app_yet() -> Iterator[None]:
    """Keep Gradio from making a whole web app after each page and for the queue, all of which it throws away: more than a
    second of the app's start."""
    make = App.__dict__["create_app"]
    setattr(App, "create_app", staticmethod(lambda *_, **__: None))  # noqa: B010
    try:
        yield
    finally:
        setattr(App, "create_app", make)  # noqa: B010


_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def _static(name: str, request: Request) -> Response:
    if assets.plotly_address().endswith(f"/{name}"):
        plain, small = assets.plotly_script()
        if "gzip" in request.headers.get("accept-encoding", ""):
            packed = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", **_FOR_EVER}
            return Response(small, media_type="text/javascript", headers=packed)
        return Response(plain, media_type="text/javascript", headers=_FOR_EVER)
    found = assets.served().get(name)
    if found is None:
        return Response(status_code=404)
    content, kind = found
    return Response(content, media_type=kind, headers=_FOR_EVER)
