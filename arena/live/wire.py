"""What the page and the engine say to each other. Everything that leaves is written as JSON as it stands here."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from llmuses.records import Winner


class Mode(StrEnum):
    """``battle``: two models, names hidden. ``side``: two chosen ones. ``direct``: one chosen one, no vote."""

    BATTLE = "battle"
    SIDE = "side"
    DIRECT = "direct"


Side = Literal["a", "b"]


# --- What is asked ------------------------------------------------------------------------------------------


class Asked(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The base of what is sent: a field that is not known is refused."""


class Settings(Asked, kw_only=True, frozen=True):
    """Generation settings as a visitor chose them; ``None`` leaves one to the rules or to the model."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


class SendAsk(Asked, kw_only=True, frozen=True):
    """A prompt: the first of a new battle, or the next turn of the one that ``battle`` names (a token).

    ``mode``, ``models`` and ``settings`` count in the first turn only. ``edit`` replaces the last turn instead of adding
    one. ``image`` is the id that the upload gave; ``proof`` a solved challenge, where the rules ask for one. ``terms`` is the
    version that was accepted, or True for whichever there is now.
    """

    prompt: str
    mode: Mode = Mode.BATTLE
    models: tuple[str, ...] = ()
    battle: str | None = None
    image: str | None = None
    settings: Settings = Settings()
    terms: bool | str = False
    proof: str | None = None
    edit: bool = False


# --- What comes back while models write -----------------------------------------------------------------------


class PaneState(StrEnum):
    """How one side stands. ``failed`` has no whole answer; ``stopped`` was ended by the visitor."""

    WAITING = "waiting"
    THINKING = "thinking"
    WRITING = "writing"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class Pane(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What changed in one side's answer to this turn: ``blocks`` (safe HTML) stand in place of those from ``first`` on, ``of``
    is how many there are then (0 is written, too). ``thinking`` is the whole folded text (safe HTML), where it changed."""

    state: PaneState
    first: int = 0
    blocks: tuple[str, ...] = ()
    of: int | None = None
    thinking: str | None = None
    reason: str | None = None


class Began(msgspec.Struct, kw_only=True):
    """The first event of a turn: the battle's token, and which turn this is, from 0."""

    battle: str
    turn: int


class Frame(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What changed on both sides since the last frame. ``overdue``: a side has not begun for longer than usual."""

    a: Pane | None = None
    b: Pane | None = None
    overdue: bool = False


class Ended(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The last event of a turn: whether the battle may be voted on now, and why not."""

    vote: bool
    reason: str | None = None

    def __post_init__(self) -> None:
        assert self.vote == (self.reason is None)


Event = Began | Frame | Ended
EVENT_NAMES: dict[type, str] = {Began: "battle", Frame: "frame", Ended: "end"}


# --- What comes back after the vote ---------------------------------------------------------------------------


class Card(msgspec.Struct, kw_only=True):
    """Who a side was. ``tokens`` and ``seconds`` are of all its answers in this battle; ``rating`` and ``ci`` as published."""

    name: str
    organisation: str | None = None
    licence: str | None = None
    homepage: str | None = None
    tokens: int | None = None
    seconds: float | None = None
    rating: float | None = None
    ci: tuple[float, float] | None = None


class Moved(msgspec.Struct, kw_only=True):
    """By how many points one such vote moves the two ratings, computed from what is published."""

    a: float
    b: float


class Between(msgspec.Struct, kw_only=True):
    """How the two stood against each other in what was last published: their blind battles, and the share that A won."""

    n: int
    share: float


class Revealed(msgspec.Struct, kw_only=True):
    """What the vote uncovers. ``counted``: in the blind ranking, else ``reason`` (``named``, ``asked``, ``side``).

    ``moved`` and ``expected`` (model A's chance to win, a tie counting half) follow from the ratings last published, so
    that a vote is no oracle; ``None`` where a side has none yet. ``met`` is None where the two had no battle by then.
    """

    a: Card
    b: Card
    choice: Winner
    counted: bool
    reason: str | None = None
    moved: Moved | None = None
    expected: float | None = None
    met: Between | None = None


class Said(msgspec.Struct, kw_only=True):
    """What the judge said in one order of the answers, in terms of model A and model B; ``winner`` None: unreadable."""

    winner: Winner | None
    text: str


class Opinion(msgspec.Struct, kw_only=True):
    """The judge's view of a battle. ``orders``: A shown first, then B shown first. ``text`` is plain text: escape it."""

    judge: str
    orders: tuple[Said, Said]
    verdict: Winner | None
    agrees: bool | None
    """Whether it says what the visitor voted; a tie and both are bad are the same here."""


class ImageInfo(msgspec.Struct, kw_only=True):
    """An image that was taken: its id, its size in pixels, and where the session that sent it can see it."""

    image: str
    width: int
    height: int
    url: str


class TurnAgain(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A turn as it stood: the prompt, each side's answer whole, its image while that is kept."""

    prompt: str
    a: Pane
    b: Pane | None = None
    image: ImageInfo | None = None


class BattleAgain(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A battle for a page that was loaded anew: what was said so far, how it stands, and who plays where that is no secret."""

    turns: tuple[TurnAgain, ...]
    ended: Ended
    models: tuple[str, ...] = ()
    revealed: Revealed | None = None


class Choosable(msgspec.Struct, kw_only=True):
    """A model that side by side and direct chat can choose."""

    name: str
    tags: tuple[str, ...] = ()


class Limits(msgspec.Struct, kw_only=True):
    """What a composer must know before it sends."""

    prompt_chars: int
    turns: int
    max_tokens: int
    temperature: tuple[float, float]
    top_p: tuple[float, float]
    image_bytes: int


class Awaited(StrEnum):
    """What is to be there before all models play: weights that are loaded, or the way to models that a server runs."""

    MODELS = "models"
    SERVERS = "servers"


class Arena(msgspec.Struct, kw_only=True):
    """What the page needs to know of the arena before anything was sent."""

    modes: tuple[Mode, ...]
    models: tuple[Choosable, ...]
    limits: Limits
    terms_needed: bool
    terms: str
    """Their version: whoever accepted another one is asked again."""
    voting: Literal["open", "closed"]
    waits_for: Awaited | None
    judge: bool
    proof: bool
    logins: tuple[str, ...]
    tier: str
    samples: dict[str, dict[str, tuple[str, ...]]]
    """Prompts to begin with, by language and category."""
