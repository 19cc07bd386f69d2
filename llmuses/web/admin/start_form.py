"""The form of what is started in the room: its fields, who will see it, and beside them what it will take."""

from __future__ import annotations

from collections.abc import Mapping

from leaderboard.board_words import Words
from llmuses.markup import Markup, attrs, icon, join


def start_form(
    say: Words, query: Mapping[str, str], words: str, sign: str, deeds: tuple[str, str], *fields: Markup
) -> Markup:
    """Return the form around ``fields``. ``words`` is what its texts begin with in the catalogue, ``sign`` the drawing that stands
    where the plan will, ``deeds`` are the one that starts it and the one that says what it will take."""
    start, plan = deeds
    return Markup(
        '<form class="u-newrun" data-deed="{start}" autocomplete="off"><section>{fields}{seen_by}'
        '<div class="row u-formend"><button class="g-btn primary" type="submit">{send}<span>{go}</span></button>'
        '<button class="g-btn" type="submit" data-deed="{plan}">{look}</button></div></section>'
        '<section data-outcome="{plan}"><div class="u-card u-msg">{sign}<h3>{before}</h3><p class="md">{body}</p></div></section></form>'
    ).format(
        start=start,
        plan=plan,
        fields=join(fields),
        seen_by=_seen_by(say, query),
        send=icon("send"),
        go=say(f"{words}.start"),
        look=say("eval.plan"),
        sign=icon(sign),
        before=say(f"{words}.before"),
        body=say(f"{words}.before.body"),
    )


def _seen_by(say: Words, query: Mapping[str, str]) -> Markup:
    """Return the choice of a form whether everybody sees what it starts from the beginning."""
    hidden = query.get("hidden") == "1"
    choices = join(
        Markup('<label class="u-check"><input type="radio" name="hidden" value="{}" data-bool{}> {}</label>').format(
            "true" if value else "false", attrs(checked=value is hidden), say(f"eval.hidden.{'yes' if value else 'no'}")
        )
        for value in (False, True)
    )
    return Markup('<fieldset class="g-field u-plain u-seenby"><legend>{}</legend>{}</fieldset>').format(
        say("eval.hidden"), choices
    )
