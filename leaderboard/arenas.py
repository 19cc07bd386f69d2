"""The arenas below the outputs folder, and battle files that were named: who played there, and what the battles come to.

A rating is computed once for each state of a file and each rule, and kept. Nothing is ever written.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from leaderboard.kept import Kept, sign
from llmuses.errors import DataError, LlmusesError
from llmuses.records import HUMAN, RegisterLine
from llmuses.settings import arena_dir
from llmuses.store import JsonlStore
from llmuses.visibility import Standings, beginning

if TYPE_CHECKING:
    from arena.audit_records import SameBattles
    from arena.live.published import Published
    from arena.rate_tables import WinRates
    from arena.rating_records import Ratings, Rule

V = TypeVar("V")

PUBLISHED = "published.json"

Votes = Literal["people", "judge", "both"]


class Source(NamedTuple):
    """One file of battles. ``name`` is what addresses call it by, ``mapping`` a file that groups its categories."""

    name: str
    battles: Path
    mapping: Path | None = None

    @property
    def folder(self) -> Path:
        """Return the folder that the file lies in."""
        return self.battles.parent

    @property
    def live(self) -> bool:
        """Whether people vote here on this site, wherever its folder is: of its ratings only what was published is shown."""
        return self.folder.resolve() == arena_dir(self.folder.parent).resolve()

    @property
    def counted(self) -> Path:
        """Return the file whose state decides what is shown: for the arena on this site what was published last."""
        return self.folder / PUBLISHED if self.live else self.battles

    @property
    def title(self) -> str:
        """Return what people call it."""
        return self.name.removeprefix("arena-")


class Facts(NamedTuple):
    """What a file's battles are of, each value with how many battles have it, the commonest first."""

    categories: list[tuple[str, int]]
    judges: list[tuple[str, int]]
    models: list[str]

    @property
    def people(self) -> int:
        """How many battles people decided."""
        return dict(self.judges).get(HUMAN, 0)

    @property
    def judge(self) -> str | None:
        """Return the model that judged most battles, None where none did."""
        return next((name for name, _ in self.judges if name != HUMAN), None)


class Arenas:
    """The public arenas of one outputs folder, and the files that were named. May be used from many threads."""

    def __init__(self, outputs: Path, named: Sequence[Source] = ()):
        self._outputs = outputs
        self._named = list(named)
        self._kept = Kept(256)
        self._standings = Standings()

    def sources(self) -> list[Source]:
        """Return the files that were named, then the arenas, the one that changed last first."""
        places = list(self._outputs.glob("[!.]*/battles.jsonl"))
        self._standings.only(str(path.parent) for path in places)
        found = [Source(path.parent.name, path) for path in places if self._shows(path.parent)]
        taken = {source.name for source in self._named}
        changed = {source: stamp[0] for source in found if (stamp := sign(source.battles))}
        return [*self._named, *sorted((s for s in changed if s.name not in taken), key=lambda s: -changed[s])]

    def _shows(self, folder: Path) -> bool:
        """Return whether an arena below the outputs folder is for these readers: here, whether it is public."""
        stands = self._standings.of(str(folder)) or beginning(folder)
        return stands is None or not stands.hidden

    def source(self, name: str | None) -> Source | None:
        """Return the arena of this name, the first where none is named; None where there is none."""
        found = self.sources()
        return next((source for source in found if source.name == name or not name), None)

    def facts(self, source: Source) -> Facts:
        """Return what a file's battles are of; nothing where no line is a battle."""
        if source.live:
            found = self.published(source)
            return (
                Facts([], [(HUMAN, found.votes)], [line.model for line in found.models]) if found else Facts([], [], [])
            )
        return self._kept.get(("facts", *_state(source)), lambda: _facts(source))

    def languages(self, source: Source) -> list[tuple[str, int]]:
        """Return the languages of a file's battles by their ISO codes, the commonest first."""
        if source.live:
            return []
        return self._kept.get(("languages", *_state(source)), lambda: _values(source, "language"))

    def register(self, source: Source) -> list[RegisterLine]:
        """Return the register of an arena's models, in its order."""
        path = source.folder / "register.jsonl"
        return self._kept.get(("register", path, sign(path)), lambda: list(JsonlStore(path, RegisterLine)))

    def ratings(self, source: Source, rule: Rule) -> Ratings:
        """Return the ratings under a rule; of the arena on this site those that were published, whatever the rule.

        Raises as ``arena.rate`` does, and DataError where nothing was published yet.
        """
        from arena.rating import rate

        if source.live:
            return self._published_ratings(source, rule)
        return self._kept.get(("ratings", *_state(source), rule), lambda: rate(source.battles, rule))

    def win_rates(self, source: Source, rule: Rule) -> WinRates:
        """Return who wins how often against whom, predicted and observed. Raises as ``arena.win_rates`` does."""
        from arena.rate_tables import win_rates, win_rates_of

        if source.live:
            names, counts = self._published(source).counts()
            return win_rates_of(self.ratings(source, rule), names, counts)
        return self._kept.get(("rates", *_state(source), rule), lambda: win_rates(source.battles, rule))

    def judges(self, source: Source) -> SameBattles | None:
        """Return an arena's judges beside each other, held against people's votes; None where these have no battle in common.
        Nothing is said of the arena on this site: votes there are published in batches, as ratings alone."""
        from arena.audit_agreement import judges_beside

        if source.live:
            return None
        return self._kept.get(("judges", *_state(source)), lambda: judges_beside([source.battles]))

    def votes(self, source: Source) -> int:
        """Return how many battles were decided so far, published or not."""
        return self._kept.get(("votes", source.battles, sign(source.battles)), lambda: _lines(source.battles))

    def published(self, source: Source) -> Published | None:
        """Return what was published last of the arena on this site, None where nothing was yet."""
        from arena.live.published import Published
        from llmuses.store import read_json

        if sign(source.counted) is None:
            return None
        return self._kept.get(("published", *_state(source)), lambda: read_json(source.counted, Published))

    def _published(self, source: Source) -> Published:
        found = self.published(source)
        if found is None:
            raise DataError("no ratings of this arena were published yet: they follow a while after the votes.")
        return found

    def _published_ratings(self, source: Source, rule: Rule) -> Ratings:
        from arena.rating_records import Ratings

        found = self._published(source)
        return Ratings(models=found.models, battles=found.votes, rule=rule, groups={}, notes=found.notes)


class AllArenas(Arenas):
    """All arenas, hidden ones too: for the admin room, never for a page."""

    def _shows(self, folder: Path) -> bool:
        return True


def votes_of(facts: Facts, wish: str | None) -> Votes:
    """Return whose votes are counted: people's where there are any and nothing else is wished for that is there."""
    there: dict[str, bool] = {
        "people": facts.people > 0,
        "judge": facts.judge is not None,
        "both": facts.people > 0 and facts.judge is not None,
    }
    if wish in ("people", "judge", "both") and there[wish]:
        return wish  # type: ignore[return-value]  # one of the three, as the line above says
    return "people" if there["people"] else "judge"


def rule_of(facts: Facts, votes: Votes, **more: Any) -> Rule:
    """Return the rule that counts these votes; ``more`` are other fields of it."""
    from arena.rating_records import Rule

    if votes == "people":
        return Rule(judge=HUMAN, blind_only=True, **more)
    if votes == "both":
        return Rule(judge=facts.judge, combine="ppi", **more)
    cluster = (
        "none" if more.get("style") else "question"
    )  # as an arena's own report has it: a judge reads few questions often
    return Rule(judge=facts.judge, **{"cluster": cluster, **more})


# --- reading -----------------------------------------------------------------------------------------------------


def _state(source: Source) -> tuple[Hashable, ...]:
    return source.battles, sign(source.counted)


def _lines(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 18), b""))


def _facts(source: Source) -> Facts:
    from arena.battle_files import open_battles

    try:
        with open_battles([source.battles], columns=["category", "judge"]) as table:
            return Facts(table.values("category"), table.values("judge"), table.names)
    except LlmusesError:
        return Facts([], [], [])


def _values(source: Source, column: str) -> list[tuple[str, int]]:
    from arena.battle_files import open_battles

    try:
        with open_battles([source.battles], columns=[column]) as table:
            return table.values(column)
    except LlmusesError:
        return []
