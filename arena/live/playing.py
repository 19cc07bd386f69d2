"""What the engine asks of the models that play: who they are, that one writes, and what it came to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from arena.live.wire import Awaited, Pane, PaneState
from llmuses.models.base import Delta
from llmuses.records import GenerationConfig, Message, Usage

if TYPE_CHECKING:
    from arena.live.players import PlayerState


class Player(NamedTuple):
    """A model that may play now. ``weight`` is how often, beside the others; ``tags`` say what it can (``vision``)."""

    name: str
    weight: float = 1.0
    tags: tuple[str, ...] = ()
    organisation: str | None = None
    licence: str | None = None
    homepage: str | None = None


class Players(Protocol):
    """All models of the arena. Who sits out (over its budget, failing) is not among ``playing``."""

    def start(self) -> None:
        """Begin to load the models, in the background. Called once."""
        ...

    @property
    def waits_for(self) -> Awaited | None:
        """Return what must be there before all play, None where nothing is awaited: else there may be more players soon."""
        ...

    @property
    def promising(self) -> int:
        """Return how many models may play, once they are loaded; those that sit out by themselves are among them."""
        ...

    def playing(self) -> Sequence[Player]:
        """Return who may play now."""
        ...

    def states(self) -> Sequence[PlayerState]:
        """Return how each model stands, for an admin's eyes."""
        ...

    def known(self, name: str) -> Player | None:
        """Return what is known of a model of this arena, playing or not."""
        ...

    def stream(self, name: str, messages: tuple[Message, ...], config: GenerationConfig) -> AsyncGenerator[Delta, None]:
        """Return a model's answer as it is written, by its own generation settings over ``config``.

        Raises StreamError where it fails. The players keep count of money and failures by themselves.
        """
        ...


class Writer(Protocol):
    """One side's answer while it is written: takes deltas, gives what a page must change (``arena.live.pane``).

    It is made with ``news``, a function that it calls whenever ``changes`` would return something.
    """

    state: PaneState
    text: str
    """The answer so far, as the model wrote it."""
    reasoning: str
    """What it thought, which a reader may unfold."""
    finish: str | None
    """Why it ended, as the server said."""
    usage: Usage | None

    async def follow(self, stream: AsyncGenerator[Delta, None]) -> None:
        """Take the stream until it ends (``finished``), fails (``failed``, with a reason) or the task is cancelled; the stream is
        closed then. Raises nothing of the stream's."""
        ...

    def stop(self, state: PaneState, reason: str | None = None) -> None:
        """End it from outside, where it has not ended: ``stopped``, or ``failed`` with a reason. What comes later is dropped."""
        ...

    def changes(self) -> Pane | None:
        """Return what changed since the last call, None where nothing did."""
        ...


MakeWriter = Callable[[Callable[[], None]], Writer]
"""Makes a writer that calls a function when it has news."""
