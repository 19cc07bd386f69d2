"""One engine of vLLM and all who ask it: each has what belongs to it handed back, in whatever thread it asks."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from llmuses.errors import ModelError, UsageError
from llmuses.models.transformers.responses import closed

_LOOK_SECONDS = 0.5
"""How often it is looked whether the engine's process is alive."""


class Output(NamedTuple):
    """What came new of one request: an output of vLLM (``vllm.RequestOutput``)."""

    number: str
    output: Any


class Engine:
    """An ``LLM`` of vLLM. Requests of many threads share its steps: one at a time takes a step for all.

    Everything raises ModelError once the engine has died.
    """

    def __init__(self, llm: Any, name: str):
        self.llm = llm
        self._name = name
        self._lock = threading.RLock()  # a loop that is dropped withdraws, at any place of its thread
        self._inboxes: dict[str, Inbox] = {}
        self._numbers = itertools.count()
        self._closed = threading.Event()
        core = llm.llm_engine.engine_core
        if hasattr(core, "outputs_queue"):  # the engine is a process of its own
            threading.Thread(target=_watch, args=(core, self._closed), name="llmuses-vllm", daemon=True).start()

    def send(self, tokens: list[int], params: Any, inbox: Inbox) -> str:
        """Add a request and return its number. Raises UsageError for settings that vLLM refuses."""
        with self._lock:
            number, engine = str(next(self._numbers)), self._alive()
            try:
                engine.add_request(number, _prompt(engine, tokens), params)
            except ValueError as problem:
                raise UsageError(f"vLLM refuses a request to '{self._name}': {problem}") from problem
            except Exception as problem:
                raise self._died(problem) from problem
            self._inboxes[number] = inbox
            return number

    def step(self, inbox: Inbox) -> None:
        """Bring all requests on by one step, unless something has come for this inbox meanwhile."""
        with self._lock:
            if inbox.received:
                return
            engine = self._alive()
            try:
                outputs = engine.step()
            except Exception as problem:
                raise self._died(problem) from problem
            for output in outputs:
                if (owner := self._inboxes.get(output.request_id)) is None:
                    continue  # withdrawn
                owner.received.append(Output(output.request_id, output))
                if output.finished:
                    del self._inboxes[output.request_id]
                    owner.under_way.discard(output.request_id)

    def withdraw(self, numbers: Sequence[str]) -> None:
        """Take requests out; nothing comes of them any more."""
        with self._lock:
            open_ones = [number for number in numbers if self._inboxes.pop(number, None) is not None]
            if open_ones and self.llm is not None:
                self.llm.llm_engine.abort_request(open_ones)

    def close(self) -> None:
        """End the engine and free its memory. May be called more than once."""
        self._closed.set()
        with self._lock:
            llm, self.llm = self.llm, None
        if llm is not None:
            llm.llm_engine.engine_core.shutdown()

    def _alive(self) -> Any:
        if self.llm is None:
            raise closed()
        return self.llm.llm_engine

    def _died(self, problem: Exception) -> ModelError:
        """Return what to say of an engine that can do no more. vLLM prints the cause above."""
        said = str(problem).strip().splitlines()
        return ModelError(
            f"the vLLM engine of '{self._name}' died ({said[0] if said else type(problem).__name__}): where memory "
            f"was short, lower gpu_memory_utilization or max_num_seqs; the same command goes on from here."
        )


def _watch(core: Any, closed: threading.Event) -> None:
    """End the wait for outputs of a process that was killed, by the kernel for its memory say: vLLM waits for ever."""
    while not closed.wait(_LOOK_SECONDS):
        if core.resources.engine_dead:
            core.outputs_queue.put_nowait(RuntimeError("its process ended"))
            return


def _prompt(engine: Any, tokens: list[int]) -> Any:
    """Return tokens as an engine takes them: newer ones want what their renderer makes of them."""
    prompt = {"prompt_token_ids": tokens}
    renderer = getattr(engine, "renderer", None)
    return prompt if renderer is None else renderer.render_cmpl([prompt])[0]


class Inbox:
    """What one asker has under way. Leaving the ``with`` block withdraws what is not finished."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self.under_way: set[str] = set()
        self.received: list[Output] = []

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.withdraw(list(self.under_way))

    def send(self, tokens: list[int], params: Any) -> str:
        """Ask for something and return its number. Raises as ``Engine.send``."""
        number = self._engine.send(tokens, params, self)
        self.under_way.add(number)
        return number

    def receive(self) -> list[Output]:
        """Return what has come, after one step of the engine where nothing had: it may still be nothing."""
        self._engine.step(self)
        received, self.received = self.received, []
        return received

    def withdraw(self, numbers: Sequence[str]) -> None:
        """Give some requests up."""
        self._engine.withdraw(numbers)
        self.under_way.difference_update(numbers)
