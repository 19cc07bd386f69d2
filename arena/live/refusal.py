"""What the live arena says no to: a code that a page puts into words, and the figures that the words need."""

from __future__ import annotations

from typing import Literal, get_args

from llmuses.errors import LlmusesError

Code = Literal[
    "malformed",  # what was sent cannot be read, or says what cannot be meant
    "mode",  # this arena does not offer this kind of battle
    "terms",  # the terms were not accepted
    "closed",  # voting is closed on this copy
    "proof",  # a proof of work is asked for, and none that counts was sent
    "login",  # only those who logged in may do this
    "rate",  # too much from here: `retry_after` says when to come back
    "busy",  # the whole arena is full for the moment
    "too_long",  # figures: `length`, `limit`, in characters
    "turns",  # the battle has as many turns as it may: figure `limit`
    "settings",  # generation settings outside their limits: figures `name`, `low`, `high`
    "filtered",  # the content filter does not let the prompt through
    "no_models",  # fewer models can play than are needed
    "model",  # a model that was chosen does not play here
    "image",  # not an image, too large, or of a kind that is not taken
    "no_vision",  # a model of this battle reads no images
    "image_gone",  # the image is not (or no longer) there
    "foreign",  # not this visitor's battle, or a token that is not ours
    "ended",  # the battle is over, or is not known (any more)
    "voted",  # the battle was voted on already
    "writing",  # the models are still writing
    "not_finished",  # no vote: not both sides have an answer
    "not_voted",  # only after the vote
    "not_saved",  # the vote could not be written: nothing was counted
    "no_judge",  # this arena has no judge, or it did not answer
    "origin",  # called from somebody else's page
]  # fmt: skip
CODES: tuple[Code, ...] = get_args(Code)
"""Every code; the words are in the locale under ``arena.refused.CODE``."""


class Refusal(LlmusesError):
    """The arena does not do what was asked. ``retry_after`` is in seconds, where waiting helps."""

    def __init__(self, code: Code, retry_after: float | None = None, **figures: int | float | str):
        super().__init__(code if not figures else f"{code} {figures}")
        self.code = code
        self.retry_after = retry_after
        self.figures = figures
