"""What was read and written of conversations, kept for prompts that begin in the same way.

The next turn of a conversation repeats all turns before it; conversations have a system prompt in common. A tree of runs
of tokens holds the keys and values of each run once (a radix tree, as in SGLang: arXiv 2312.07104, 3).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from llmuses.models.transformers.memory import register
from llmuses.models.transformers.prefixes import in_common
from llmuses.models.transformers.slots import Layers, Prefix, joined

_WORTH = 32
"""So many tokens must be known for a prompt to go on from there."""


class _Run:
    """Tokens after those of ``parent``, and what the network keeps of them. ``used`` is when it was last of use."""

    def __init__(self, tokens: list[int], layers: Layers, parent: _Run | None):
        self.tokens = tokens
        self.layers = layers
        self.parent = parent
        self.children: dict[int, _Run] = {}
        self.used = 0
        if parent is not None:
            parent.children[tokens[0]] = self


class Kept:
    """Keys and values of sequences, by their tokens. What was not of use for longest goes first. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()
        register(self)

    @property
    def size(self) -> int:
        """How many tokens are kept."""
        return self._size

    def keep(self, tokens: Sequence[int], layers: Callable[[int], Layers]) -> None:
        """Keep a sequence. ``layers`` returns what the network keeps of its tokens from a position on, a copy of its own."""
        with self._lock:
            path = self._walk(tokens)
            known = sum(length for _, length in path)
            if known == len(tokens):
                return
            parent = self._root
            if path:
                parent, length = path[-1]
                if length < len(parent.tokens):
                    parent = self._split(parent, length)
            new = _Run(list(tokens[known:]), layers(known), parent)
            new.used = self._clock
            self._size += len(new.tokens)

    def recall(self, path: Sequence[Prefix]) -> None:
        """Give prefixes that follow on one another what is kept of their tokens, as far as it goes."""
        with self._lock:
            found = self._walk([token for prefix in path for token in prefix.tokens])
            known = sum(length for _, length in found)
            if known < _WORTH:
                return
            for prefix in path:
                if prefix.complete:
                    continue
                if prefix.known or prefix.start >= known:
                    return
                prefix.extend(_between(found, prefix.start, min(prefix.end, known)))

    def shrink(self, most: int) -> None:
        """Let go of what was not of use for longest until at most so many tokens are kept."""
        with self._lock:
            while self._size > max(0, most):
                oldest = min(self._leaves(), key=lambda run: run.used)
                assert oldest.parent is not None
                del oldest.parent.children[oldest.tokens[0]]
                self._size -= len(oldest.tokens)

    def give_up(self) -> bool:
        """Let everything go; return whether there was anything."""
        with self._lock:
            had = self._size > 0
            self._clear()
        return had

    def _clear(self) -> None:
        self._root = _Run([], {}, None)
        self._size = 0
        self._clock = 0

    def _walk(self, tokens: Sequence[int]) -> list[tuple[_Run, int]]:
        """Return the runs that a sequence begins with, and of each how many tokens: all but for the last one."""
        self._clock += 1
        tokens = list(tokens)
        path: list[tuple[_Run, int]] = []
        run, known = self._root, 0
        while known < len(tokens) and (child := run.children.get(tokens[known])) is not None:
            length = in_common(child.tokens, tokens, known)
            child.used = self._clock
            path.append((child, length))
            run, known = child, known + length
            if length < len(child.tokens):
                break
        return path

    def _split(self, run: _Run, length: int) -> _Run:
        """Cut a run in two; return the first one."""
        tokens = run.tokens
        first, rest = _part(run.layers, 0, length), _part(run.layers, length, len(tokens))
        upper = _Run(tokens[:length], first, run.parent)
        upper.used = run.used
        run.tokens, run.layers, run.parent = tokens[length:], rest, upper
        upper.children[tokens[length]] = run
        return upper

    def _leaves(self) -> list[_Run]:
        leaves, waiting = [], [*self._root.children.values()]
        while waiting:
            run = waiting.pop()
            waiting += run.children.values()
            if not run.children:
                leaves.append(run)
        return leaves


def _part(layers: Layers, first: int, last: int) -> Layers:
    """Return a copy of some tokens: the rest can be let go."""
    return {
        index: (keys[:, first:last].clone(), values[:, first:last].clone()) for index, (keys, values) in layers.items()
    }


def _between(path: Sequence[tuple[_Run, int]], first: int, last: int) -> Layers:
    """Return what is kept of the tokens from one position to another, a copy."""
    stretches: list[Layers] = []
    start = 0
    for run, length in path:
        begin, end = max(first, start) - start, min(last, start + length) - start
        if begin < end:
            stretches.append(
                {index: (keys[:, begin:end], values[:, begin:end]) for index, (keys, values) in run.layers.items()}
            )
        start += length
    return {index: joined([layers[index] for layers in stretches]) for index in stretches[0]}
