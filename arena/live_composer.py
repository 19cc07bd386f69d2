"""The battle page's composer: the box, an image, settings, Send and Stop; under it the note, over it the terms."""

from __future__ import annotations

from arena.live.rules import Rules
from llmuses.i18n import Lang, text
from llmuses.markup import Markup, icon, join


def composer(lang: Lang, rules: Rules) -> Markup:
    """Return the box with all that goes with a prompt; the terms lie over the line above it until they are accepted."""
    return Markup(
        '<div class="a-below"><form class="g-composer" data-composer>'
        '<textarea class="ta" name="prompt" rows="2" aria-label="{box}" aria-describedby="a-count" autocomplete="off"'
        ' enterkeyhint="send" data-write></textarea>'
        '<div class="foot"><input type="file" accept="image/png,image/jpeg,image/webp,image/gif" hidden data-file>'
        '<span class="a-thumb" data-thumb hidden><img alt=""><button type="button" class="a-icon" data-do="unimage" title="{remove}" aria-label="{remove}">{cross}</button></span>'
        '<button type="button" class="g-btn sm ghost" data-do="image" aria-label="{image}">{picture}<span class="hide">{image}</span></button>'
        "{settings}"
        '<span class="sm qq tn a-count" id="a-count" data-count></span><span class="end"></span>'
        '<button type="button" class="g-btn sm ghost" data-do="unedit" hidden>{cancel}</button>'
        '<button type="submit" class="g-btn sm primary" data-send>{up}<span data-words></span></button>'
        '<button type="button" class="g-btn sm" data-do="stop" hidden>{square}<span data-words></span></button>'
        "</div></form>{ask}</div>"
    ).format(
        ask=_terms(lang),
        box=text(lang, "arena.box"),
        remove=text(lang, "arena.image.remove"),
        cross=icon("close", small=True),
        image=text(lang, "arena.image"),
        picture=icon("image"),
        settings=_settings(lang, rules),
        cancel=text(lang, "arena.edit.cancel"),
        up=icon("send", small=True),
        square=icon("stop", small=True),
    )


def _settings(lang: Lang, rules: Rules) -> Markup:
    sizes = rules.sizes
    fields: tuple[tuple[str, float, float, str], ...] = (
        ("temperature", *sizes.temperature, "0.1"),
        ("top_p", *sizes.top_p, "0.05"),
        ("max_tokens", 1, sizes.max_tokens, "1"),
    )
    rows = join(
        Markup(
            '<label><span class="grow">{}</span><input class="g-input sm" type="number" inputmode="decimal" name="{}"'
            ' min="{:g}" max="{:g}" step="{}" placeholder="{:g}–{:g}" data-setting></label>'
        ).format(text(lang, f"arena.{name}"), name, low, high, step, low, high)
        for name, low, high, step in fields
    )
    return Markup(
        '<details class="u-menu a-settings"><summary class="g-btn sm ghost" aria-label="{words}">{sliders}'
        '<span class="hide">{words}</span></summary><div class="u-pop">{rows}<p class="sm qq" data-own>{own}</p>'
        '<p class="sm qq" data-locked hidden>{locked}</p></div></details>'
    ).format(
        words=text(lang, "arena.settings"),
        sliders=icon("sliders"),
        rows=rows,
        own=text(lang, "arena.settings.own"),
        locked=text(lang, "arena.settings.locked"),
    )


def note(lang: Lang) -> Markup:
    """Return the line below everything."""
    return Markup('<div class="u-foot a-note"><span data-note>{} {}</span></div>').format(
        text(lang, "arena.note"), _terms_link(lang)
    )


def _terms(lang: Lang) -> Markup:
    """Return what the first Send asks: a card over the line above the box."""
    return Markup(
        '<div class="a-terms" data-terms role="group" aria-label="{name}" hidden><span><span data-ask="first">{ask}</span>'
        '<span data-ask="changed" hidden>{changed}</span> {terms}</span>'
        '<button type="button" class="g-btn sm primary" data-do="agree">{agree}</button></div>'
    ).format(
        name=text(lang, "arena.terms"),
        ask=text(lang, "arena.terms.ask"),
        changed=text(lang, "arena.terms.changed"),
        terms=_terms_link(lang),
        agree=text(lang, "arena.terms.agree"),
    )


def _terms_link(lang: Lang) -> Markup:
    return Markup('<button type="button" class="a-link" data-open="terms">{}</button>').format(
        text(lang, "arena.terms")
    )
