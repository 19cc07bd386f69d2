"""What models write, as safe HTML: Markdown, code colours and formulas, block by block while the text arrives.

``closing`` completes what is cut in the middle, ``markdown`` parses and renders, ``code`` and ``formulas`` do their part of it,
``safety`` lets through what is known to be harmless, as the last step, and ``live`` renders only what is new.
"""

from arena.live.rendering.live import Change, LiveMarkdown, plain, render

__all__ = ["Change", "LiveMarkdown", "plain", "render"]
