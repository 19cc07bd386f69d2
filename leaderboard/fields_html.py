"""The fields of a page's filters that several pages have: a labelled select, and radio buttons that look like one control."""

from __future__ import annotations

from collections.abc import Sequence

from llmuses.markup import Markup, attrs, join


def select(name: str, label: str, options: Sequence[tuple[str, str]], chosen: str, default: str = "") -> Markup:
    """Return a labelled native select; the ``default`` is left out of addresses."""
    choices = join(
        Markup('<option value="{}"{}>{}</option>').format(value, attrs(selected=value == chosen), words)
        for value, words in options
    )
    return Markup(
        '<label class="g-chips"><span class="lab">{}</span><select class="g-chip" name="{}" data-default="{}">{}</select></label>'
    ).format(label, name, default, choices)


def joined(name: str, label: str, options: Sequence[tuple[str, str]], chosen: str, default: str) -> Markup:
    """Return radio buttons that look like one control."""
    chips = join(
        Markup(
            '<label class="g-chip"><input class="sr" type="radio" name="{}" value="{}" data-default="{}"{}>{}</label>'
        ).format(name, value, default, attrs(checked=value == chosen), words)
        for value, words in options
    )
    return Markup(
        '<fieldset class="g-chips"><legend class="sr">{}</legend><span class="g-join">{}</span></fieldset>'
    ).format(label, chips)
