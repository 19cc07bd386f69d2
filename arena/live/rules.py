"""How an arena is run: one YAML file, read into one struct. registry/config/live.yaml says what each rule means."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import msgspec

from arena.live.wire import Mode
from llmuses.errors import UsageError, in_words
from llmuses.settings import REGISTRY
from llmuses.yaml_files import read_yaml

RULES_ENV = "LLMUSES_ARENA_CONFIG"


class _Rule(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A rule of the file: a name that is not known is refused."""


class Rate(_Rule, kw_only=True, frozen=True):
    """At most ``count`` in ``seconds``, in any such stretch of time."""

    count: int
    seconds: float

    def __post_init__(self) -> None:
        if self.count < 1 or self.seconds <= 0:
            raise ValueError("count is 1 or more, seconds above 0")


SITE = 4


class Rates(_Rule, kw_only=True, frozen=True):
    """Limits of one deed: for one voter, and for all who call from one /24 or /64. An IPv6 /48, in which there are many of
    these, has ``SITE`` times as much as one."""

    voter: tuple[Rate, ...] = ()
    block: tuple[Rate, ...] = ()

    @property
    def site(self) -> tuple[Rate, ...]:
        """Return the limits of an IPv6 /48."""
        return tuple(Rate(count=SITE * rate.count, seconds=rate.seconds) for rate in self.block)


def _rates(voter: tuple[int, float], block: tuple[int, float]) -> Rates:
    return Rates(voter=(Rate(count=voter[0], seconds=voter[1]),), block=(Rate(count=block[0], seconds=block[1]),))


class RateLimits(_Rule, kw_only=True, frozen=True):
    """How often each deed may be done."""

    send: Rates = _rates((30, 600), (150, 600))
    vote: Rates = _rates((60, 3600), (240, 3600))
    image: Rates = _rates((10, 600), (50, 600))
    opinion: Rates = _rates((10, 600), (50, 600))
    withdraw: Rates = _rates((60, 600), (240, 600))
    login: Rates = _rates((20, 600), (100, 600))
    again: Rates = _rates((120, 600), (600, 600))
    """A page that is loaded anew asks for the battle of each mode: that must not cost anybody a prompt."""


class Sizes(_Rule, kw_only=True, frozen=True):
    """How much a visitor may send and ask for."""

    prompt_chars: int = 12_000
    battle_chars: int = 60_000
    """All prompts and the longer side's answers together."""
    turns: int = 10
    max_tokens: int = 1024
    """The default and the most."""
    temperature: tuple[float, float] = (0.0, 1.5)
    top_p: tuple[float, float] = (0.05, 1.0)
    image_bytes: int = 8_000_000
    image_pixels: int = 24_000_000
    images_per_session: int = 4


class Slots(_Rule, kw_only=True, frozen=True):
    """How much at once, and how long things are remembered."""

    writing: int = 200
    """Battles that are being written at once, over all visitors of this process."""
    writing_per_voter: int = 2
    writing_per_block: int = 12
    seconds_per_turn: float = 300.0
    """A side that writes longer is stopped: it failed."""
    overdue_seconds: float = 8.0
    """After so long without a first word the page says that it takes longer than usual."""
    idle_seconds: float = 3600.0
    """A battle that nobody touched for so long is forgotten."""
    battles: int = 5_000
    """More than so many in memory, and the one untouched longest is forgotten."""
    image_bytes: int = 500_000_000
    """Of the images in all battles; where they take more, battles with images are forgotten, as above."""


class Publishing(_Rule, kw_only=True, frozen=True):
    """Ratings are published in batches: not before ``seconds`` have passed and ``votes`` new votes are there."""

    seconds: float = 3600.0
    votes: int = 50


class Filter(_Rule, kw_only=True, frozen=True):
    """What looks at prompts before models do: a file of words, one a line, or an OpenAI-compatible moderation endpoint."""

    words: str | None = None
    moderation_url: str | None = None
    moderation_model: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    seconds: float = 5.0
    closed_on_failure: bool = False
    """Whether a prompt is refused where the endpoint does not answer."""


class Proof(_Rule, kw_only=True, frozen=True):
    """A proof of work for each new battle (altcha's challenge): ``numbers`` is how many hashes it takes at most."""

    numbers: int = 100_000
    seconds: float = 600.0


class Provider(_Rule, kw_only=True, frozen=True):
    """An OpenID Connect provider. The client's secret stands in the environment under ``client_secret_env``; its id may stand
    there too, under ``client_id_env``: where a host makes the client, it tells both that way."""

    issuer: str
    client_id: str | None = None
    client_id_env: str | None = None
    client_secret_env: str | None = None
    label: str | None = None
    scopes: tuple[str, ...] = ("openid",)

    def __post_init__(self) -> None:
        if bool(self.client_id) == bool(self.client_id_env):
            raise ValueError("a provider has either client_id or client_id_env")


class Judging(_Rule, kw_only=True, frozen=True):
    """The judge whose opinion can be asked after a vote: a SPEC, and arguments for it."""

    model: str
    args: dict[str, Any] = {}
    prompt_file: str | None = None
    max_tokens: int = 1024
    seconds: float = 120.0


class Web(_Rule, kw_only=True, frozen=True):
    """What stands between the arena and the internet."""

    proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-* headers are believed."""
    origins: tuple[str, ...] = ()
    """Addresses of this site that its own Host header does not show, ``https://example.org``: their pages may call."""
    embedded: bool = False
    """Whether the app is shown in a frame of another site: the cookie then is SameSite=None; Secure; Partitioned."""
    session_days: float = 180.0

    def __post_init__(self) -> None:
        for network in self.proxies:
            ip_network(network)


class Rules(_Rule, kw_only=True, frozen=True):
    """All rules of an arena."""

    voting: Literal["open", "closed"] = "open"
    modes: tuple[Mode, ...] = (Mode.BATTLE, Mode.SIDE, Mode.DIRECT)
    models: tuple[str, ...] | None = None
    """Who plays, of the models that have ``arena`` in models.yaml; None for all of them."""
    terms: bool = True
    login_to_vote: bool = False
    temperature: float = 0.7
    """Unless the visitor or the model's own entry says otherwise."""
    policy: str = "active"
    policy_options: dict[str, Any] = {}
    sizes: Sizes = Sizes()
    rates: RateLimits = RateLimits()
    slots: Slots = Slots()
    publishing: Publishing = Publishing()
    filter: Filter = Filter()
    proof: Proof | None = None
    logins: dict[str, Provider] = {}
    judge: Judging | None = None
    web: Web = Web()
    samples: dict[str, dict[str, tuple[str, ...]]] = {}


def load_rules(path: Path | None = None) -> Rules:
    """Return the rules of the shipped file with those of one's own over them: ``path``, or what LLMUSES_ARENA_CONFIG names.

    A group of one's own (``sizes``, ``slots``, ...) changes only what it names. Raises UsageError that names the file.
    """
    own = path or (Path(named).expanduser() if (named := os.environ.get(RULES_ENV)) else None)
    shipped = _read(REGISTRY / "config" / "live.yaml")
    merged = shipped
    if own:
        ours = _read(own)
        if "policy" in ours:
            shipped.pop("policy_options", None)  # they were those of the shipped policy
        merged = _merged(shipped, ours)
    try:
        return msgspec.convert(merged, Rules)
    except (msgspec.ValidationError, ValueError) as problem:
        raise UsageError(f"{own or REGISTRY / 'config' / 'live.yaml'}: {in_words(problem)}.") from problem


def _read(path: Path) -> dict[str, Any]:
    found = read_yaml(path) or {}
    if not isinstance(found, dict):
        raise UsageError(f"{path}: rules are names with values.")
    return found


_WHOLE = {"logins", "samples", "policy_options"}
"""Groups that one's own file replaces whole: their names are the user's."""


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        if isinstance(value, dict) and isinstance(old, dict) and name not in _WHOLE:
            merged[name] = _merged(old, value)
        else:
            merged[name] = value
    return merged
