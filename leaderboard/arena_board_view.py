"""A visit to the arena board: from the address to ratings, and from these to the page, a download or a citation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from leaderboard.arena_board import Board, make_board
from leaderboard.arena_board_choice import Choice, audit_command, command, read_choice, rule_for
from leaderboard.arena_board_export import caption, sheet
from leaderboard.arena_board_html import About, Waiting, arena_page, no_arena_page, refused_page, waiting_page
from leaderboard.arena_board_ratings import PATIENT, Answer, Desk
from leaderboard.arenas import Facts, Source
from leaderboard.board_words import Words
from leaderboard.boards_head import CITE, Data, citation
from leaderboard.known_models import Models
from leaderboard.sheets import Sheet, to_csv
from llmuses.markup import Markup
from llmuses.visit import Visit

if TYPE_CHECKING:
    from arena.audit_records import SameBattles
    from arena.rating_records import Ratings, Rule

NO_FACTS = Facts([], [], [])


class _Look(NamedTuple):
    """What one visit sees: the choice, the ratings under its rule, and what they are of."""

    about: About
    choice: Choice
    rule: Rule
    answer: Answer[Ratings]

    def board(self, models: Models, desk: Desk) -> Board:
        """Return the board; an empty one where there are no ratings."""
        if self.answer.value is None:
            return Board([], [], 0, None, self.choice)
        return make_board(self.answer.value, self.choice, models, desk.arenas.register(self.about.source))


def arena_view(desk: Desk, visit: Visit) -> Markup:
    """Return the page that an address asks for."""
    look = _look(desk, visit.query)
    if look is None:
        return no_arena_page(visit, _waiting(desk))
    board = look.board(Models(), desk)
    if look.answer.busy:
        return waiting_page(board, look.about, visit)
    if look.answer.problem:
        return refused_page(board, look.about, look.answer.problem, visit)
    return arena_page(board, look.about, visit)


def _waiting(desk: Desk) -> Waiting | None:
    """Return the votes of the arena on this site while nothing was published of them, ``None`` where there are none."""
    from arena.live.rules import load_rules

    votes = sum(desk.arenas.votes(source) for source in desk.arenas.sources() if source.live)
    return Waiting(votes, load_rules().publishing.votes) if votes else None


def arena_sheet(desk: Desk, query: Mapping[str, str]) -> Sheet | None:
    """Return what an address shows as a sheet, ``None`` where there is nothing to take away.

    A file cannot be asked for again by itself, so that its figures are waited for.
    """
    look = _look(desk, query, PATIENT)
    if look is None or look.answer.value is None:
        return None
    return sheet(look.board(Models(), desk), look.about.source.title, look.rule)


def arena_beside(desk: Desk, visit: Visit) -> Markup:
    """Return what opens beside the board: the citation, where the address asks for it."""
    look = _look(desk, visit.query, PATIENT) if CITE in visit.query else None
    found = arena_sheet(desk, visit.query) if look else None
    if look is None or found is None:
        return Markup("")
    board = look.board(Models(), desk)
    what = "llmuses arena board: " + caption(board, look.about.source.title).partition(";")[0]
    return citation("leaderboard", visit.query, Data(to_csv(found), what), Words(visit.lang, "board"))


def _look(desk: Desk, query: Mapping[str, str], patience: float | None = None) -> _Look | None:
    sources = desk.sources()
    if not sources:
        return None
    wished = query.get("arena")
    source = next((each for each in sources if each.name == wished), sources[0])
    known = desk.facts(source, patience)
    facts = known.value or NO_FACTS
    languages = desk.languages(source)
    choice = read_choice(query, facts, languages)
    rule = rule_for(choice, facts)
    answer: Answer[Ratings] = Answer(busy=True) if known.busy else desk.ratings(source, rule, patience)
    _prepare(desk, source, facts, choice)
    judges = _judges(desk, source, facts, choice)
    file = f"{source.name}/{source.battles.name}"
    said = [] if source.live else [command(rule, file), *([audit_command(file)] if judges else [])]
    return _Look(About(sources, source, facts, languages, answer.when, said, judges), choice, rule, answer)


def _judges(desk: Desk, source: Source, facts: Facts, choice: Choice) -> SameBattles | None:
    """Return the judges held against people, where a judge's verdicts are on the board and people voted as well."""
    if choice.votes == "people" or not facts.people or facts.judge is None:
        return None
    return desk.made(source, "judges", lambda: desk.arenas.judges(source)).value


def _prepare(desk: Desk, source: Source, facts: Facts, choice: Choice) -> None:
    """Let the ratings by category be computed as long as nobody has asked for them: they are the next thing one does."""
    if len(facts.categories) > 1 and not choice.category and choice.grouped:
        desk.prepare(source, rule_for(choice._replace(category=facts.categories[0][0]), facts))
