"""What the battle page lays over itself: the drawer (how votes count, the terms, the judge's opinion) and the keys."""

from __future__ import annotations

from llmuses.i18n import Lang, text
from llmuses.markup import Markup, icon, join

_PARTS = {"votes": 5, "terms": 4}
_KEYS = (
    (("1", "2", "3", "4"), "vote"),
    (("N",), "next"),
    (("C",), "write"),
    (("Enter",), "send"),
    (("Shift", "Enter"), "line"),
    (("/",), "find"),
    (("Esc",), "esc"),
    (("?",), "help"),
)


def drawer(lang: Lang) -> Markup:
    """Return the drawer, closed, with the texts that it may hold."""
    panels = join(
        Markup('<div data-panel="{}" hidden>{}</div>').format(
            name, join(Markup("<p>{}</p>").format(text(lang, f"arena.{name}.{part}")) for part in range(1, parts + 1))
        )
        for name, parts in _PARTS.items()
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


def keys(lang: Lang) -> Markup:
    """Return the dialog that names all keys."""
    rows = join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(
            join((Markup("<kbd>{}</kbd>").format(key) for key in each), Markup(" ")), text(lang, f"arena.keys.{name}")
        )
        for each, name in _KEYS
    )
    return Markup(
        '<dialog class="u-card a-keys" aria-labelledby="a-keys-title"><form method="dialog" class="row">'
        '<h2 id="a-keys-title">{}</h2><button class="g-btn sm ghost end" aria-label="{}">{}</button></form>'
        '<dl class="u-facts">{}</dl><p class="sm qq">{}</p></dialog>'
    ).format(
        text(lang, "arena.keys.title"), text(lang, "arena.close"), icon("close"), rows, text(lang, "arena.keys.when")
    )
