"""Which answers are written together: they join as slots fall free, and leave as they end.

One step reads at most one pass of prompts and writes one token of every answer in a slot, so that a long prompt does
not hold the others up. Nothing waits for the longest answer of a batch.
"""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch

from llmuses.models.transformers.answers import Writing
from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.loops import Told
from llmuses.models.transformers.memory import free_memory, is_out_of_memory
from llmuses.models.transformers.prompt_tree import PromptTree
from llmuses.models.transformers.sampling import choose
from llmuses.models.transformers.slot_attention import Piece
from llmuses.models.transformers.slots import Layers, Prefix, Row, copied

_AHEAD = 64
"""Tokens of its answer that must fit before a prompt is let in; what comes after may have to wait again."""

_SMALLEST_PASS = 32

_KEPT = 4
"""What part of a loop's tokens may be kept of answers that have left."""


class Runs(Protocol):
    """What a loop needs of a network. See llmuses.models.transformers.decoder.Decoder."""

    @property
    def rows(self) -> Sequence[Row]: ...

    def read(self, pieces: Sequence[Piece]) -> None: ...

    def step(self, tokens: Sequence[int]) -> torch.Tensor: ...

    def add(self, path: Sequence[Prefix]) -> None: ...

    def remove(self, index: int) -> None: ...

    def kept(self, index: int, first: int) -> Layers: ...


@contextlib.contextmanager
def _as_memory_allows() -> Iterator[None]:
    """Do what may be left undone where memory does not suffice for it."""
    try:
        yield
    except RuntimeError as problem:
        if not is_out_of_memory(problem):
            raise
        problem.__traceback__ = None  # its frames hold the tensors that did not fit
        free_memory()


class _Seat:
    """One answer in the loop: the prefix that holds its prompt but for the token that is read next."""

    def __init__(self, writing: Writing, leaf: Prefix):
        self.writing = writing
        self.path = leaf.chain()

    @property
    def leaf(self) -> Prefix:
        return self.path[-1]

    @property
    def next_token(self) -> int:
        return (self.writing.tokens or self.writing.prompt.tokens)[-1]

    @property
    def own(self) -> int:
        """Return how many tokens its slot holds in the beginning."""
        return sum(len(prefix.tokens) for prefix in self.path if not prefix.merged)

    def unread(self) -> Prefix | None:
        return next((prefix for prefix in self.path if not prefix.complete), None)


class SlotLoop:
    """Writes answers in at most ``rows`` slots that hold at most ``tokens`` tokens, shared ones counted once.

    ``reads`` is how many tokens of prompts are read in one pass. Answers that leave are ``kept`` for prompts that begin
    as they do, where this is not None.
    """

    def __init__(self, network: Runs, rows: int, tokens: int, reads: int, kept: Kept | None = None):
        self._network = network
        self.tokens = tokens
        self._rows = rows
        self._reads = reads
        self._kept = kept
        self._tree = PromptTree()
        self._waiting: deque[_Seat] = deque()
        self._reading: list[_Seat] = []
        self._writing: list[_Seat] = []
        self._full = False

    @property
    def waiting(self) -> int:
        """Return how many answers have not begun."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Return whether there is anything to be done."""
        return bool(self._waiting or self._reading or self._writing)

    def join(self, writings: Sequence[Writing]) -> None:
        """Add answers to those that wait. What they have in common is arranged to be read once."""
        leaves = self._tree.place([[*writing.prompt.tokens, *writing.tokens] for writing in writings])
        seats = [_Seat(writing, leaf) for writing, leaf in zip(writings, leaves, strict=True)]
        # Those that begin alike come one after the other, the longest first among them.
        order: dict[int, int] = {}
        for seat in seats:
            for prefix in seat.path:
                order.setdefault(id(prefix), len(order))
        seats.sort(key=lambda seat: ([order[id(prefix)] for prefix in seat.path[:-1]], -seat.leaf.end))
        self._waiting.extend(seats)

    def leave(self, writing: Writing) -> None:
        """Take an answer out, wherever it is. Nothing happens where it has ended."""
        for seats in (self._waiting, self._reading):
            for seat in [seat for seat in seats if seat.writing is writing]:
                seats.remove(seat)
                self._keep_read(seat)
                self._tree.leave(seat.leaf)
        for index, seat in enumerate(self._writing):
            if seat.writing is writing:
                self._keep(index)
                self._stand_up(index)
                break

    def step(self, told: Told) -> None:
        """Read one pass of prompts, then write one token of each answer in a slot."""
        self._let_in()
        try:
            self._read()
        except RuntimeError as problem:
            self._after(problem, self._read_less, told)
            return
        if not self._writing:
            return
        try:
            logits = self._network.step([seat.next_token for seat in self._writing])
        except RuntimeError as problem:
            self._after(problem, self._write_fewer, told)
            return
        self._take(logits, told)

    # --- Who is let in ---------------------------------------------------------------------------------------

    def _let_in(self) -> None:
        while self._waiting and len(self._writing) + len(self._reading) < self._rows:
            needed = self._held_with(self._waiting[0])
            if (self._writing or self._reading) and (self._full or needed > self.tokens):
                return
            seat = self._waiting.popleft()
            if self._kept is not None:
                with _as_memory_allows():
                    self._kept.recall(seat.path)
                self._kept.shrink(self.tokens - needed)
            seat.writing.begin()
            self._reading.append(seat)

    def _held_with(self, seat: _Seat) -> int:
        """Return how many tokens are held with one more answer: slots are as long as the longest of them."""
        inside = [*self._reading, seat]
        longest = max([other.own + _AHEAD for other in inside] + [row.length for row in self._network.rows])
        rows = len(self._writing) + len(inside)
        return rows * longest + self._merged([*self._writing, *inside])

    def _merged(self, seats: Sequence[_Seat]) -> int:
        shared = {id(prefix): len(prefix.tokens) for seat in seats for prefix in seat.path if prefix.merged}
        return sum(shared.values())

    def _make_room(self) -> None:
        """Let the youngest answers wait again where all of them have grown too long to be held together."""
        merged = self._merged(self._writing)
        while self._writing:
            longest = max(row.length for row in self._network.rows) + 1
            left = self.tokens - len(self._writing) * longest - merged
            if left >= 0 or len(self._writing) == 1:
                if self._kept is not None:
                    self._kept.shrink(left)
                return
            self._put_back(1)

    def _put_back(self, count: int) -> None:
        """Let the youngest answers wait until another one ends. What they have written is read again then."""
        seats = [self._stand_up(len(self._writing) - 1) for _ in range(count)]
        self._join_first(seats)
        self._full = True

    def _join_first(self, seats: Sequence[_Seat]) -> None:
        others, self._waiting = self._waiting, deque()
        self.join([seat.writing for seat in reversed(seats)])
        self._waiting.extend(others)

    def _keep(self, index: int) -> None:
        """Keep what was read and written of an answer that leaves: its conversation may go on."""
        if self._kept is None:
            return
        writing, known = self._writing[index].writing, self._network.rows[index].position
        if writing.answer is None or writing.answer.sound:
            tokens = [*writing.prompt.tokens, *writing.tokens][:known]
            self._remember(tokens, functools.partial(self._network.kept, index))

    def _keep_read(self, seat: _Seat) -> None:
        """Keep what was read of a prompt that leaves before its answer began: it may be asked again, or gone on with."""
        path = [prefix for prefix in seat.path if prefix.known]
        tokens = [token for prefix in path for token in prefix.tokens[: prefix.known]]
        self._remember(tokens, functools.partial(copied, path))

    def _remember(self, tokens: Sequence[int], layers: Callable[[int], Layers]) -> None:
        most = self.tokens // _KEPT
        if self._kept is None or not tokens or len(tokens) > most:
            return
        with _as_memory_allows():
            self._kept.keep(tokens, layers)
        self._kept.shrink(most)

    def _stand_up(self, index: int) -> _Seat:
        seat, last = self._writing[index], self._writing.pop()
        if index < len(self._writing):
            self._writing[index] = last
        self._network.remove(index)
        self._tree.leave(seat.leaf)
        self._full = False
        return seat

    # --- What is read and written -----------------------------------------------------------------------------

    def _read(self) -> None:
        """Read the next pieces of prompts, each prefix once; who has all of them read gets a slot."""
        pieces: dict[int, Piece] = {}
        left = self._reads
        for seat in self._reading:
            prefix = seat.unread()
            if left and prefix is not None and id(prefix) not in pieces:
                piece = Piece(prefix, min(left, len(prefix.tokens) - prefix.known))
                pieces[id(prefix)] = piece
                left -= piece.length
        if pieces:
            self._network.read(list(pieces.values()))
        for seat in [seat for seat in self._reading if seat.unread() is None]:
            self._network.add(seat.path)
            self._reading.remove(seat)
            self._writing.append(seat)
        self._make_room()

    def _take(self, logits: torch.Tensor, told: Told) -> None:
        writings = [seat.writing for seat in self._writing]
        sound = (~logits[:, 0].isnan()).tolist()  # a hidden state that is not a number spoils every logit of its row
        tokens = choose(logits, [writing.choice for writing in writings], [writing.tokens for writing in writings])
        for writing, token, good in zip(writings, tokens, sound, strict=True):
            writing.add(token, good)
        for index in reversed(range(len(writings))):
            if writings[index].ended:
                self._keep(index)
                self._stand_up(index)
        for writing in writings:
            told(writing)

    # --- Where memory does not suffice --------------------------------------------------------------------------

    def _after(self, problem: RuntimeError, remedy: Callable[[Told], None], told: Told) -> None:
        if not is_out_of_memory(problem):
            raise problem
        problem.__traceback__ = None  # its frames hold the tensors that did not fit
        if not free_memory():
            remedy(told)
            free_memory()

    def _read_less(self, told: Told) -> None:
        if self._reads > _SMALLEST_PASS:
            self._reads //= 2
        elif self._writing:
            self._let_out(len(self._reading))
            self._rows = len(self._writing)
        elif len(self._reading) > 1:
            self._let_out(len(self._reading) // 2)
            self._rows = len(self._reading)
        else:
            seat = self._reading.pop()
            self._tree.leave(seat.leaf)
            self._give_up(seat.writing, told)

    def _write_fewer(self, told: Told) -> None:
        self._let_out(len(self._reading))
        self._rows = max(1, len(self._writing) // 2)
        if len(self._writing) > 1:
            self._put_back(len(self._writing) - self._rows)
        else:
            self._give_up(self._stand_up(0).writing, told)

    def _let_out(self, count: int) -> None:
        """Let the last of those whose prompts are being read wait again."""
        seats = [self._reading.pop() for _ in range(count)]
        for seat in seats:
            self._tree.leave(seat.leaf)
        self._join_first(seats)
        self._full = bool(self._writing)

    def _give_up(self, writing: Writing, told: Told) -> None:
        writing.fail()
        told(writing)
