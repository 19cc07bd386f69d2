"""What a visitor may ask: the prompt's length, the battle's, and the settings."""

from __future__ import annotations

from arena.live.battles import LiveBattle
from arena.live.refusal import Refusal
from arena.live.rules import Rules, Sizes
from arena.live.wire import SendAsk, Settings
from llmuses.records import GenerationConfig


def check_prompt(prompt: str, sizes: Sizes) -> str:
    """Return a prompt as it is asked. Raises Refusal: ``too_long``, or ``malformed`` for one that says nothing."""
    if len(prompt) > sizes.prompt_chars:
        raise Refusal("too_long", length=len(prompt), limit=sizes.prompt_chars)
    asked = prompt.strip()
    if not asked:
        raise Refusal("malformed")
    return asked


def check_next(battle: LiveBattle, ask: SendAsk, prompt: str, sizes: Sizes) -> None:
    """Raise Refusal where a battle cannot take this prompt as its next turn, or in its last turn's place."""
    if battle.stop is not None:
        raise Refusal("writing")
    if ask.edit:
        if battle.choice is not None:
            raise Refusal("voted")
    elif not all(side in battle.turns[-1].answers and battle.turns[-1].answers[side].whole for side in battle.sides):
        raise Refusal("not_finished")
    elif len(battle.turns) >= sizes.turns:
        raise Refusal("turns", limit=sizes.turns)
    length = battle.length() + len(prompt)
    if length > sizes.battle_chars:
        raise Refusal("too_long", length=length, limit=sizes.battle_chars)


def generation(settings: Settings, rules: Rules) -> GenerationConfig:
    """Return how answers are sampled. Raises Refusal ``settings`` for a value outside its limits."""
    sizes = rules.sizes
    limits = {
        "temperature": (settings.temperature, sizes.temperature),
        "top_p": (settings.top_p, sizes.top_p),
        "max_tokens": (settings.max_tokens, (1, sizes.max_tokens)),
    }
    for name, (value, (low, high)) in limits.items():
        if value is not None and not low <= value <= high:  # NaN is outside as well
            raise Refusal("settings", name=name, low=low, high=high)
    return GenerationConfig(
        max_tokens=settings.max_tokens or sizes.max_tokens,
        temperature=rules.temperature if settings.temperature is None else settings.temperature,
        top_p=settings.top_p,
    )
