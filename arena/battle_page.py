"""The battle page. Gradio carries its markup and nothing else: what happens in it goes to `llmuses.web.arena_api`."""

from __future__ import annotations

import gradio as gr

from arena.live.arena import LiveArena
from arena.live_html import battle_page
from llmuses.markup import Markup
from llmuses.settings import read_only
from llmuses.visit import Visit, render

_JS = "llmuses.arena(element, watch)"


def build(page: gr.Blocks, _: object, *, arena: LiveArena) -> None:
    """Place the page into the route that is open."""
    content = gr.HTML(elem_classes=["u"], apply_default_css=False, js_on_load=_JS)

    def view(visit: Visit) -> Markup:
        return battle_page(
            visit.lang,
            visit.query.get("mode"),
            arena.rules,
            arena.playable,
            arena.standing(),
            still=read_only(),
            terms=arena.terms(visit.lang),
        )

    def opened(request: gr.Request) -> str:
        return render(request, view)

    page.load(opened, None, content, queue=False, show_progress="hidden", api_visibility="private")
