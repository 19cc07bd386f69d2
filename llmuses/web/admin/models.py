"""The tab of models: what models.yaml holds, edited here and checked before it is saved; how those of the arena stand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaderboard.board_words import Words
from llmuses.errors import StoreError, UsageError
from llmuses.markup import Markup, attrs, icon, join
from llmuses.models.load import parse_spec, public_args, typed_args
from llmuses.models.obstacles import obstacle
from llmuses.settings import ArenaEntry, ModelEntry, arena_entries, model_entries, own_models_file, parse_models
from llmuses.visit import Visit
from llmuses.web.admin.addresses import check_address
from llmuses.web.admin.room import Asked, Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person

_EXAMPLE = """\
# my-model:
#   model: openai:my-model
#   args: {base_url: "https://example.org/v1", api_key_env: MY_KEY}
#   organisation: My lab
#   arena: {weight: 1}
"""


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab."""
    say = Words(visit.lang, "admin")
    states = {} if room.arena is None else {state.name: state for state in room.arena.player_states()}
    playing = arena_entries()
    rows = join(_row(name, entry, name in playing, states.get(name), say) for name, entry in model_entries().items())
    heads = join(
        Markup('<th scope="col">{}</th>').format(say(f"models.{name}"))
        for name in ("name", "spec", "organisation", "licence", "arena", "state")
    )
    return Markup(
        '<div class="u-wide"><table class="u-tbl cozy u-models"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<form class="u-yaml" data-deed="save-models"><label class="g-field"><span>{path}</span>'
        '<textarea class="g-input mono" name="text" rows="18" spellcheck="false">{text}</textarea><small>{help}</small></label>'
        '<input type="hidden" name="seen" value="{seen}"><div class="row"><button class="g-btn primary">{save}</button>'
        '<button class="g-btn" type="submit" data-deed="check-models">{check}</button></div></form>'
    ).format(
        heads=heads,
        rows=rows,
        path=own_models_file(),
        text=_text() or _EXAMPLE,
        help=say("models.help"),
        seen=_stamp(own_models_file()),
        save=say("models.save"),
        check=say("models.check"),
    )


def _row(name: str, entry: ModelEntry, plays: bool, state: Any, say: Words) -> Markup:
    return Markup(
        '<tr><th scope="row" class="name">{}</th><td class="mono">{}</td><td>{}</td><td class="q">{}</td><td>{}</td><td>{}</td></tr>'
    ).format(
        name,
        entry.model,
        entry.organisation or "–",
        entry.licence or "–",
        _part(entry, say) if plays else "–",
        _state(state, obstacle(name), say),
    )


def _part(entry: ModelEntry, say: Words) -> str:
    """Return in words how a model takes part in the arena."""
    arena = entry.arena or ArenaEntry()
    words = say("models.weight", weight=f"{arena.weight:g}")
    if arena.budget is None:
        return words
    return f"{words} · {say('models.budget', budget=f'{arena.budget:g}', currency=entry.currency)}"


def _state(state: Any, why: str, say: Words) -> Markup:
    if why:
        return Markup('<span class="u-v bare wrong">{}{}</span>').format(icon("wrong", small=True), why)
    if state is None:
        return Markup("–")
    word = say(f"models.state.{state.state}")
    if state.state == "playing":
        return Markup('<span class="u-v bare correct">{}{}</span>').format(icon("correct", small=True), word)
    return Markup("<span{}>{}</span>").format(attrs(title=state.reason), word)


# --- the file ------------------------------------------------------------------------------------------------------


class _Text(Asked, kw_only=True, frozen=True):
    """The whole file, and the stamp of the file that the page was written from."""

    text: str
    seen: str = ""


def _check(doing: Doing, asked: _Text) -> Mapping[str, Any]:
    names = check_models(asked.text, doing.room)
    return {"say": Words(doing.lang, "admin")("models.checked", n=len(names)), "html": ""}


def _save(doing: Doing, asked: _Text) -> Mapping[str, Any]:
    names = check_models(asked.text, doing.room)
    path = own_models_file()
    if asked.seen != _stamp(path):
        raise UsageError(Words(doing.lang, "admin")("models.stale"))
    write_text(path, asked.text)
    return {"say": Words(doing.lang, "admin")("models.saved", n=len(names))}


def check_models(text: str, room: Room) -> list[str]:
    """Return the names in a models.yaml. Raises UsageError where it could not be used, holds a secret, or leads inside."""
    entries = parse_models(text)
    known = {entry.args.get("base_url") for entry in model_entries().values()}
    for name, entry in entries.items():
        try:
            parse_spec(entry.model)
            if public_args(entry.args) != entry.args:
                raise UsageError("a key is named by its environment variable (api_key_env), never written down.")
            typed_args(entry.model, entry.args)
            url = entry.args.get("base_url")
            if url and room.rules.accounts and url not in known:
                check_address(str(url), room.rules.networks())
        except UsageError as problem:
            raise UsageError(f"{name}: {problem}") from problem
    return list(entries)


def _text() -> str:
    try:
        return own_models_file().read_text("utf-8")
    except OSError:
        return ""


def _stamp(path: Path) -> str:
    """Return what changes whenever the file does."""
    try:
        status = path.stat()
    except OSError:
        return "none"
    return f"{status.st_mtime_ns}-{status.st_size}"


def write_text(path: Path, text: str) -> None:
    """Replace a file whole: readers see the old or the new one. Raises StoreError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text if text.endswith("\n") else f"{text}\n", "utf-8")
        os.replace(fresh, path)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem


TAB = Tab("models", Role.ADMIN, view)
DEEDS = {
    "check-models": Deed(Role.ADMIN, _Text, _check, audited=False),
    "save-models": Deed(Role.ADMIN, _Text, _save),
}
