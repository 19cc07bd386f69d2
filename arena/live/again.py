"""A battle for a page that was loaded anew: each answer as it was shown last."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from arena.live.battles import Answer, Turn
from arena.live.playing import MakeWriter
from arena.live.wire import ImageInfo, Pane, PaneState, TurnAgain
from llmuses.models.base import Delta


async def turn_again(turn: Turn, make: MakeWriter, image: ImageInfo | None) -> TurnAgain:
    """Return a turn with its answers rendered; ``image`` is where its image can be seen, as long as that is kept."""
    panes = [await _pane(answer, make) for _, answer in sorted(turn.answers.items())] or [Pane(state=PaneState.FAILED)]
    return TurnAgain(
        prompt=turn.prompt,
        a=panes[0],
        b=panes[1] if len(panes) > 1 else None,
        image=image,
    )


async def _pane(answer: Answer, make: MakeWriter) -> Pane:
    async def said() -> AsyncGenerator[Delta, None]:
        yield Delta(text=answer.text, reasoning=answer.thoughts)

    writer = make(lambda: None)
    await writer.follow(said())
    pane = writer.changes() or Pane(state=answer.state)
    pane.state = answer.state
    return pane
