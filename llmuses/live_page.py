"""A page that is one function of a visit: written when it is opened, and again whenever its address changes."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from llmuses.markup import DRAWER_JS, PAGE_JS, Markup
from llmuses.visit import Visit, render

View = Callable[[Visit], Markup]


def live_page(page: gr.Blocks, view: View, drawer: View | None = None) -> gr.HTML:
    """Place a page into the route that is open and return its component.

    ``view`` returns the page for a visit, all of it escaped; static/shell.js says which attributes make its links and
    forms ask again. ``drawer`` returns what links with ``data-drawer`` open beside it, or nothing where the visit's
    query names nothing. Both may raise: the reader then sees a message with a code, the log has the traceback.
    """
    content = gr.HTML(elem_classes=["u"], apply_default_css=False, js_on_load=PAGE_JS)
    outputs = [content]
    if drawer is not None:
        outputs.append(gr.HTML(elem_classes=["u"], apply_default_css=False, js_on_load=DRAWER_JS))

    def opened(request: gr.Request) -> str | list[str]:
        written = [render(request, each) for each in (view, drawer) if each is not None]
        return written if drawer is not None else written[0]

    def asked(request: gr.Request, event: gr.EventData) -> str:
        return render(request, view, event)

    page.load(opened, None, outputs, queue=False, show_progress="hidden", api_visibility="private")
    content.input(
        asked, None, content, queue=False, show_progress="hidden", trigger_mode="always_last", api_visibility="private"
    )
    if drawer is not None:
        beside = drawer

        def selected(request: gr.Request, event: gr.EventData) -> str:
            return render(request, beside, event)

        content.select(
            selected,
            None,
            outputs[1],
            queue=False,
            show_progress="hidden",
            trigger_mode="always_last",
            api_visibility="private",
        )
    return content
