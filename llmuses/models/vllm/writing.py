"""Written answers out of vLLM: what llmuses.models.transformers.writer is to a network, for an engine.

The engine chooses tokens; where an answer ends, and what its text is, is decided by the same code as for the
transformers backend, so that a stop string or a full window means the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llmuses.errors import ModelError
from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.sampling import Choice
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.vllm.engine import Engine, Inbox

_SEEDS = 1 << 53
"""Seeds are drawn below this: as many as a random number has."""


class EngineWriter:
    """Begins answers. ``defaults`` are the checkpoint's generation settings, ``ends`` the tokens that end an answer."""

    def __init__(self, engine: Engine, codec: Codec, defaults: Any, ends: frozenset[int]):
        self._engine = engine
        self._codec = codec
        self._defaults = defaults
        self._ends = ends

    def start(self, prompt: Prompt) -> Writing:
        """Return an answer that has not begun."""
        return Writing(prompt, Choice(prompt.config, self._defaults, prompt.tokens), self._codec, self._ends)

    def loop(self) -> EngineLoop:
        """Return a loop with answers of its own; all loops share the engine."""
        return EngineLoop(Inbox(self._engine), self._ends)


class EngineLoop:
    """Answers that the engine writes, see llmuses.models.transformers.writer.Loop."""

    def __init__(self, inbox: Inbox, ends: frozenset[int]):
        self._inbox = inbox
        self._ends = ends
        self._writings: dict[str, Writing] = {}

    def __del__(self) -> None:
        # Whoever leaves off in the middle drops the loop: what it asked for is not written to its end.
        self._inbox.withdraw(list(self._writings))

    @property
    def waiting(self) -> int:
        """Return how many answers have not begun."""
        return sum(not writing.tokens for writing in self._writings.values())

    @property
    def busy(self) -> bool:
        """Return whether there is anything to be done."""
        return bool(self._writings)

    def join(self, writings: Sequence[Writing]) -> None:
        """Add answers. Those with a common beginning are sent one after the other."""
        for writing in sorted(writings, key=lambda writing: writing.prompt.tokens):
            writing.begin()
            self._writings[self._inbox.send(writing.prompt.tokens, self._params(writing))] = writing

    def leave(self, writing: Writing) -> None:
        """Take an answer out."""
        for number in [number for number, other in self._writings.items() if other is writing]:
            self._drop(number)

    def step(self, told: Callable[[Writing], None]) -> None:
        """Go on by what the engine has written meanwhile; ``told`` is called for each answer that got tokens."""
        for number, output in self._inbox.receive():
            writing = self._writings.get(number)
            if writing is None:
                continue
            (written,) = output.outputs
            for token in written.token_ids:
                if not writing.ended:
                    writing.add(int(token))
            if output.finished and not writing.ended:
                raise ModelError(f"vLLM gave an answer up ({written.finish_reason}): the same command asks again.")
            if writing.ended:
                self._drop(number)
            told(writing)

    def _drop(self, number: str) -> None:
        del self._writings[number]
        self._inbox.withdraw([number])

    def _params(self, writing: Writing) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        choice = writing.choice
        seeded = writing.prompt.config.seed is not None
        return SamplingParams(
            max_tokens=writing.prompt.room,
            temperature=0.0 if choice.greedy else choice.temperature,
            top_p=choice.top_p,
            top_k=choice.top_k,
            repetition_penalty=choice.penalty,
            seed=int(choice.draw() * _SEEDS) if seeded and not choice.greedy else None,
            stop_token_ids=sorted(self._ends),
            ignore_eos=True,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
        )
