"""What the battle page lays over itself: a drawer with how votes count, the terms, or the judge's opinion."""

from __future__ import annotations

from collections.abc import Sequence

from arena.live.texts import texts
from llmuses.i18n import Lang, text
from llmuses.markup import Markup, icon, join


def drawer(lang: Lang, terms: Sequence[str] | None = None) -> Markup:
    """Return the drawer, closed, with the texts that it may hold. ``terms`` are those of this arena, where it has its own."""
    panels = join(
        Markup('<div data-panel="{}" hidden>{}</div>').format(
            name, join(Markup("<p>{}</p>").format(words) for words in paragraphs)
        )
        for name, paragraphs in (("votes", texts(lang, "votes")), ("terms", terms or texts(lang, "terms")))
    )
    titles = join(
        Markup('<h2 data-panel="{}" hidden>{}</h2>').format(name, text(lang, key))
        for name, key in (("votes", "arena.how"), ("terms", "arena.terms"), ("judge", "arena.say.judge.title"))
    )
    return Markup(
        '<div data-drawer-host><aside class="u-drawer" tabindex="-1" inert data-key="" aria-label="{about}">'
        '<header class="row">{titles}<button type="button" class="g-btn sm ghost end" data-close aria-label="{close}" title="{close}">{cross}</button></header>'
        '<div class="body">{panels}<div data-panel="judge" aria-live="polite" hidden></div></div></aside></div>'
    ).format(
        about=text(lang, "arena.heading"),
        titles=titles,
        panels=panels,
        close=text(lang, "arena.close"),
        cross=icon("close"),
    )
