"""What writes answers, whatever the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from llmuses.models.transformers.answers import Writing

Told = Callable[[Writing], None]
"""Is told of each answer that got a token, or ended without one."""


class Loop(Protocol):
    """Answers in progress. Each step brings them on and tells of those that got a token or ended."""

    @property
    def waiting(self) -> int: ...

    @property
    def busy(self) -> bool: ...

    def join(self, writings: Sequence[Writing]) -> None: ...

    def leave(self, writing: Writing) -> None: ...

    def step(self, told: Told) -> None: ...
