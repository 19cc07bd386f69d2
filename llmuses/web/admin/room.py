"""The admin room as its parts see it: the stores it looks after, and who may do what in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from arena.live.arena import LiveArena
from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import AllArenas, Source
from leaderboard.battle_index import BattleShelf
from leaderboard.board_page import Boards
from leaderboard.comparing import Comparer
from leaderboard.published import AllPublished
from leaderboard.results import AllResults
from leaderboard.samples import Shelf
from llmuses.i18n import Lang
from llmuses.jobs import JobLog, Supervisor
from llmuses.markup import Markup
from llmuses.settings import ModelEntry, arena_dir, jobs_dir, model_entries
from llmuses.visit import Visit
from llmuses.web.admin.addresses import named_servers
from llmuses.web.admin.audit import AuditLog
from llmuses.web.admin.flow import Flows
from llmuses.web.admin.pace import Paces
from llmuses.web.admin.passwords import Passwords
from llmuses.web.admin.rules import AdminRules, Role
from llmuses.web.admin.sessions import Person, Sessions


class Room:
    """What the pages and deeds of the room work with. ``arena`` is None where no live arena is served."""

    def __init__(self, results: AllResults, rules: AdminRules, arena: LiveArena | None = None):
        folder = jobs_dir(results.outputs)
        self.results = results
        self.arenas = AllArenas(results.outputs, _elsewhere(results.outputs))
        self.desk = Desk(self.arenas)
        self.shelf, self.comparer, self.battles = Shelf(), Comparer(), BattleShelf()
        self.published = AllPublished(results.outputs)
        self.boards = Boards(results, self.published)
        self.rules = rules
        self.arena = arena
        self.log = JobLog(folder)
        self.audit = AuditLog(folder)
        self.paces = Paces()
        self.flows = Flows()
        # Whoever may enter without an account sits at this machine, and may call what it may call.
        self.supervisor = Supervisor(self.log, reachable=self.reachable, kept_back=self.kept_back())
        self.passwords = Passwords([account for account in rules.accounts if account.password])
        accounts = {account.name: account for account in rules.accounts}
        self.sessions = Sessions(folder, accounts, rules.session_hours)

    def close(self) -> None:
        """Stop looking after the jobs; those that run go on."""
        self.supervisor.close()
        self.log.close()
        self.desk.close()

    def kept_back(self) -> list[str]:
        """Return the variables that hold secrets of the logins: nothing that is started here needs them."""
        logins = [*self.rules.logins.values(), *(self.arena.rules.logins.values() if self.arena else ())]
        return [login.client_secret_env for login in logins if login.client_secret_env]

    def reachable(self) -> list[str] | None:
        """Return the networks that what is started here may call beside the public internet, None where nothing is forbidden.

        A server of the inner network that models.yaml names by its number was put there by whoever looks after the machine:
        what is saved from the page is checked.
        """
        if not self.rules.accounts:
            return None
        return [*self.rules.allowed_addresses, *named_servers(model_entries())]

    def reachable_here(self) -> list[str] | None:
        """Return the same for the clients of models in this process: the arena's models, and the judge that its rules name."""
        networks = self.reachable()
        judge = self.arena.rules.judge if self.arena is not None else None
        if networks is None or judge is None:
            return networks
        return [*networks, *named_servers({"judge": ModelEntry(model=judge.model, args=judge.args)})]

    @property
    def outputs(self) -> Path:
        """The folder of runs and arenas."""
        return self.results.outputs


def _elsewhere(outputs: Path) -> list[Source]:
    """Return the live arena's battles where their folder is not among the runs."""
    folder = arena_dir(outputs)
    if folder.resolve().parent == outputs.resolve():
        return []
    return [Source(folder.name, folder / "battles.jsonl")]


class Doing(NamedTuple):
    """A deed under way: who does it, in which language they read what came of it."""

    room: Room
    person: Person
    lang: Lang


class Deed(NamedTuple):
    """Something that people do in the room by a button or a form.

    ``asks`` is what it must be told, ``run`` does it and returns what the page is told: ``say`` is a line to show, ``go`` an
    address to open. It raises an LlmusesError where it cannot be done. ``audited`` is False for what changes nothing.
    """

    role: Role
    asks: type[msgspec.Struct]
    run: Callable[[Doing, Any], Mapping[str, Any]]
    audited: bool = True


class Tab(NamedTuple):
    """One page of the room: its name in the address (``?tab=``), who sees it, and what writes it."""

    name: str
    role: Role
    view: Callable[[Room, Person, Visit], Markup]


class Asked(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a deed is told. A field that is not known is refused."""
