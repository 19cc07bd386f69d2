"""Scheduling of answers, by a network that only counts: who is let in, what is read, what happens without memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.divided_loop import DividedLoop
from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.sampling import Choice
from llmuses.models.transformers.slot_attention import Piece
from llmuses.models.transformers.slot_loop import SlotLoop
from llmuses.models.transformers.slots import Layers, Prefix, Row
from llmuses.records import GenerationConfig

VOCABULARY = 50
END = 49


@pytest.fixture(autouse=True, scope="module")
def no_memory_to_free() -> Iterator[None]:
    """Collecting garbage takes long, and there is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llmuses.models.transformers.slot_loop.free_memory", lambda: None)
        yield


class Letters:
    """A codec of one character a token."""

    def decode(self, tokens: Sequence[int], special: bool = False) -> str:
        return "".join(chr(64 + token) for token in tokens)


def follows(tokens: Sequence[int]) -> int:
    """Return the token that the network writes after others: all of them count."""
    value = 7
    for token in tokens:
        value = (value * 31 + token + 1) % 10_007
    return value % VOCABULARY


def kept_of(tokens: Sequence[int]) -> Layers:
    """Return what the network keeps of tokens: which they are."""
    new = torch.tensor(tokens, dtype=torch.float32)[None, :, None]
    return {0: (new, new)}


class Counting:
    """A network that follows a rule, and notes what it is asked. ``fails`` says before each call whether it fits."""

    def __init__(self, fails: Callable[[str, int], bool] = lambda call, size: False):
        self.rows: list[Row] = []
        self.read_tokens = 0
        self.batches: list[int] = []
        self.passes: list[int] = []
        self._texts: list[list[int]] = []
        self._fails = fails

    def read(self, pieces: Sequence[Piece]) -> None:
        self.passes.append(sum(piece.length for piece in pieces))
        assert len({id(piece.prefix) for piece in pieces}) == len(pieces)
        for piece in pieces:
            assert piece.length > 0
            assert all(before.complete for before in piece.prefix.chain()[:-1])
        self._check("read", self.passes[-1])
        for piece in pieces:
            piece.prefix.extend(kept_of(piece.tokens))
            self.read_tokens += piece.length

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        self._check("step", len(tokens))
        self.batches.append(len(tokens))
        logits = torch.zeros(len(tokens), VOCABULARY)
        for number, token in enumerate(tokens):
            self._texts[number].append(token)
            logits[number, follows(self._texts[number])] = 1.0
            self.rows[number].length += 1
        return logits

    def add(self, path: Sequence[Prefix]) -> None:
        assert all(prefix.complete for prefix in path)
        for prefix in path:  # by itself or from what was kept: of these very tokens
            for keys, _ in prefix.layers.values():
                assert keys.flatten().tolist() == prefix.tokens
        row = Row([prefix for prefix in path if prefix.merged])
        row.length = sum(len(prefix.tokens) for prefix in path if not prefix.merged)
        self.rows.append(row)
        self._texts.append([token for prefix in path for token in prefix.tokens])

    def kept(self, index: int, first: int) -> Layers:
        return kept_of(self._texts[index][first:])

    def remove(self, index: int) -> None:
        for kept in (cast("list[Any]", self.rows), self._texts):
            last = kept.pop()
            if index < len(kept):
                kept[index] = last

    def _check(self, call: str, size: int) -> None:
        if self._fails(call, size):
            raise torch.OutOfMemoryError("CUDA out of memory")


def writing(tokens: Sequence[int], room: int, **config: Any) -> Writing:
    prompt = Prompt("", list(tokens), GenerationConfig(**config), room)
    return Writing(prompt, Choice(prompt.config, None, prompt.tokens), cast("Any", Letters()), frozenset([END]))


def alone(tokens: Sequence[int], room: int) -> list[int]:
    text = list(tokens)
    while len(text) < len(tokens) + room:
        text.append(follows(text))
        if text[-1] == END:
            break
    return text[len(tokens) :]


def finish(loop: SlotLoop) -> list[Writing]:
    """Return the answers in the order in which they end."""
    ended: list[Writing] = []
    steps = 0
    while loop.busy:
        steps += 1
        assert steps < 20_000
        loop.step(lambda one: ended.append(one) if one.ended else None)
    return ended


SHARED = [3, 1, 4, 1, 5, 9, 2, 6] * 8
prompts = st.lists(
    st.tuples(
        st.sampled_from([SHARED, SHARED[:24], SHARED[:24] + [7] * 40, []]),
        st.lists(st.integers(0, 40), min_size=1, max_size=30),
        st.integers(1, 40),
    ),
    max_size=14,
)


@settings(max_examples=60)
@given(
    prompts=prompts,
    rows=st.integers(1, 8),
    tokens=st.sampled_from([1, 60, 200, 10_000]),
    reads=st.sampled_from([8, 64, 1_000]),
    faults=st.lists(st.booleans(), max_size=12),
    keeps=st.booleans(),
)
def test_every_answer_is_written_once_and_as_if_it_were_alone_whatever_the_memory(
    prompts: list[tuple[list[int], list[int], int]], rows: int, tokens: int, reads: int, faults: list[bool], keeps: bool
) -> None:
    """A call fails where the next of ``faults`` says so, as long as something smaller could be asked. Some prompts begin
    as others do and then with what those answered."""
    script: Iterator[bool] = iter(faults)
    network = Counting(lambda call, size: next(script, False) and (size > 1 if call == "step" else size > 32))
    loop = SlotLoop(network, rows, tokens, reads, Kept() if keeps else None)
    prompts += [(begin, [*rest, *alone([*begin, *rest], room)[:-1], 8], 5) for begin, rest, room in prompts[:4]]
    asked = [writing([*begin, *rest], room) for begin, rest, room in prompts]
    loop.join(asked[::2])
    early: list[Writing] = []
    for _ in range(3):
        if loop.busy:
            loop.step(lambda one: early.append(one) if one.ended else None)
    loop.join(asked[1::2])
    ended = [*early, *finish(loop)]
    assert sorted(map(id, ended)) == sorted(map(id, asked))
    for one, (begin, rest, room) in zip(asked, prompts, strict=True):
        if one.answer is not None:
            assert one.tokens == alone([*begin, *rest], room)
        else:
            assert any(faults)
    assert network.rows == []


def test_a_place_that_falls_free_is_taken_at_once() -> None:
    """Sixteen answers in four slots: none waits for the longest one of a batch."""
    network = Counting()
    loop = SlotLoop(network, 4, 10_000, 1_000)
    asked = [writing([number, 1], 40 if number % 4 == 0 else 4) for number in range(1, 17)]
    loop.join(asked)
    finish(loop)
    written = sum(len(one.tokens) for one in asked)
    assert sum(network.batches) == written
    longest = max(len(one.tokens) for one in asked)
    assert len(network.batches) <= -(-written // 4) + longest


def test_what_prompts_share_is_read_once_and_all_but_the_last_token_of_the_rest() -> None:
    network = Counting()
    loop = SlotLoop(network, 8, 10_000, 1_000)
    loop.join([writing([*SHARED, number, number, number], 3) for number in range(20)])
    finish(loop)
    assert network.read_tokens == len(SHARED) + 20 * 2


def test_several_samples_of_a_prompt_are_read_once() -> None:
    network = Counting()
    loop = SlotLoop(network, 8, 10_000, 1_000)
    loop.join([writing(SHARED, 3, temperature=1.0, seed=number) for number in range(5)])
    finish(loop)
    assert network.read_tokens == len(SHARED) - 1


def test_those_that_join_later_find_what_is_there() -> None:
    network = Counting()
    loop = SlotLoop(network, 8, 10_000, 1_000)
    loop.join([writing([*SHARED, number, 1], 30) for number in range(4)])
    loop.step(lambda _: None)
    loop.step(lambda _: None)
    before = network.read_tokens
    loop.join([writing([*SHARED, number, 1], 30) for number in range(10, 13)])
    finish(loop)
    assert network.read_tokens - before == 3


def test_a_long_prompt_is_read_in_pieces_while_others_are_written() -> None:
    network = Counting()
    loop = SlotLoop(network, 4, 10_000, 16)
    short, long = writing([1, 2], 30), writing(SHARED, 2)
    loop.join([short])
    loop.step(lambda _: None)
    loop.join([long])
    finish(loop)
    assert max(network.passes) <= 16
    assert len([size for size in network.passes if size]) >= 4
    # While the four pieces were read the short answer went on.
    assert network.batches[:4] == [1, 1, 1, 1]


def test_slots_hold_no_more_tokens_than_there_is_memory_for() -> None:
    network = Counting()
    most = 400
    loop = SlotLoop(network, 64, most, 1_000)
    held: list[int] = []
    loop.join([writing([number, *range(20)], 40) for number in range(1, 41)])
    while loop.busy:
        loop.step(lambda _: None)
        held.append(len(network.rows) * max((row.length for row in network.rows), default=0))
    assert max(held) <= most
    assert max(network.batches) >= 4


def test_a_batch_that_does_not_fit_is_halved_for_good_and_nothing_is_written_twice() -> None:
    network = Counting(lambda call, size: call == "step" and size > 5)
    loop = SlotLoop(network, 16, 10_000, 1_000)
    asked = [writing([number, 1], 12) for number in range(1, 31)]
    loop.join(asked)
    finish(loop)
    assert max(network.batches) <= 5
    assert sum(network.batches) == sum(len(one.tokens) for one in asked)


def test_what_does_not_fit_even_alone_ends_without_an_answer_and_the_others_go_on() -> None:
    network = Counting(lambda call, size: call == "read" and size >= 20)
    loop = SlotLoop(network, 4, 10_000, 1_000)
    small, large = writing([1, 2, 3], 4), writing(list(range(40)) * 3, 4)
    loop.join([small, large])
    ended = finish(loop)
    assert {id(one) for one in ended} == {id(small), id(large)}
    assert small.tokens == alone([1, 2, 3], 4)


def test_an_error_that_is_no_lack_of_memory_is_raised() -> None:
    network = Counting()
    loop = SlotLoop(network, 4, 10_000, 1_000)
    loop.join([writing([1, 2], 4)])

    def broken(tokens: Sequence[int]) -> torch.Tensor:
        raise RuntimeError("shape mismatch")

    network.step = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="shape mismatch"):
        loop.step(lambda _: None)


class TestLeaving:
    @pytest.mark.parametrize("when", [0, 1, 3])
    def test_who_leaves_frees_the_place_and_the_others_are_not_touched(self, when: int) -> None:
        network = Counting()
        loop = SlotLoop(network, 2, 10_000, 1_000)
        asked = [writing([*SHARED, number, 1], 20) for number in range(5)]
        loop.join(asked)
        early: list[Writing] = []
        for _ in range(when):
            loop.step(lambda one: early.append(one) if one.ended else None)
        for gone in (0, 3):
            loop.leave(asked[gone])
            loop.leave(asked[gone])
        ended = [*early, *finish(loop)]
        assert {id(one) for one in ended} == {id(asked[number]) for number in (1, 2, 4)}
        for number in (1, 2, 4):
            assert asked[number].tokens == alone([*SHARED, number, 1], 20)
        assert network.rows == []

    def test_what_nobody_uses_any_more_is_forgotten(self) -> None:
        network = Counting()
        loop = SlotLoop(network, 2, 10_000, 1_000)
        asked = [writing([*SHARED, number, 1], 20) for number in range(3)]
        loop.join(asked)
        loop.step(lambda _: None)
        for one in asked:
            loop.leave(one)
        assert not loop.busy
        assert loop._tree._below == {}


def test_answers_that_may_become_long_are_written_apart_and_leave_where_they_are() -> None:
    """Up to 20 tokens are read: a prompt of 8 and an answer of 13, whose last one is written only."""
    networks = Counting(), Counting()
    short, long = (SlotLoop(network, 4, 10_000, 1_000) for network in networks)
    loop = DividedLoop(20, short, long)
    asked = [writing([number, *range(7)], room) for number, room in enumerate((13, 14, 5, 40, 13, 14), start=1)]
    loop.join(asked)
    assert (short.waiting, long.waiting, loop.waiting) == (3, 3, 6)
    early: list[Writing] = []
    loop.step(lambda one: early.append(one) if one.ended else None)
    for gone in (4, 5):
        loop.leave(asked[gone])
    while loop.busy:
        loop.step(lambda one: early.append(one) if one.ended else None)
    assert {id(one) for one in early} == {id(one) for one in asked[:4]}
    assert all(one.tokens == alone(one.prompt.tokens, one.prompt.room) for one in asked[:4])
    assert not (short.busy or long.busy)
    assert [network.rows for network in networks] == [[], []]


class TestKeeping:
    """Answers that have left are kept for the prompts that begin as they do."""

    def test_the_next_turn_of_a_conversation_reads_what_is_new(self) -> None:
        network, kept = Counting(), Kept()
        loop = SlotLoop(network, 4, 10_000, 1_000, kept)
        first = writing(SHARED, 12)
        loop.join([first])
        finish(loop)
        before = network.read_tokens
        turn = [*SHARED, *first.tokens, 8, 8, 8]
        second = writing(turn, 12)
        loop.join([second])
        finish(loop)
        assert second.tokens == alone(turn, 12)
        assert network.read_tokens - before == 3
        assert kept.size == len(turn) + len(second.tokens) - 1

    def test_what_was_written_of_an_answer_that_is_left_counts(self) -> None:
        network, kept = Counting(), Kept()
        loop = SlotLoop(network, 4, 10_000, 1_000, kept)
        left = writing(SHARED, 40)
        loop.join([left])
        for _ in range(5):
            loop.step(lambda _: None)
        loop.leave(left)
        assert kept.size == len(SHARED) + len(left.tokens) - 1
        before = network.read_tokens
        loop.join([writing([*SHARED, *left.tokens, 8], 4)])
        finish(loop)
        assert network.read_tokens - before == 1

    @pytest.mark.parametrize(("passes", "read", "of_use"), [(0, 0, 0), (1, 16, 0), (3, 40, 40)])
    def test_what_was_read_of_a_prompt_that_is_left_counts(self, passes: int, read: int, of_use: int) -> None:
        network, kept = Counting(), Kept()
        loop = SlotLoop(network, 4, 10_000, 16, kept)
        loop.join([left := writing(SHARED, 4), other := writing([*SHARED[:40], 8, 8, 8], 4)])
        for _ in range(passes):
            loop.step(lambda _: None)
        assert left.tokens == []
        loop.leave(left)
        assert kept.size == read
        loop.leave(other)
        before = network.read_tokens
        loop.join([again := writing([*SHARED, 8, 8], 4)])
        finish(loop)
        assert again.tokens == alone([*SHARED, 8, 8], 4)
        assert network.read_tokens - before == len(SHARED) + 1 - of_use

    def test_answers_that_need_the_room_get_it_at_once(self) -> None:
        network, kept = Counting(), Kept()
        loop = SlotLoop(network, 16, 800, 1_000, kept)
        for number in range(3):
            loop.join([writing([number, *SHARED[:40]], 10)])
            finish(loop)
        assert 0 < kept.size <= 200
        asked = [writing([40, number, *range(20)], 60) for number in range(12)]
        loop.join(asked)
        most_rows = 0
        while loop.busy:
            loop.step(lambda _: None)
            rows = len(network.rows)
            most_rows = max(most_rows, rows)
            assert rows * max((row.length for row in network.rows), default=0) + kept.size <= 800
        assert most_rows >= 8
        assert all(one.tokens == alone(one.prompt.tokens, 60) for one in asked)

    def test_where_memory_does_not_suffice_it_goes_first_and_batches_stay_as_large(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = Kept()
        monkeypatch.setattr("llmuses.models.transformers.slot_loop.free_memory", kept.give_up)
        network = Counting(lambda call, size: kept.size > 0 and size == 6)
        loop = SlotLoop(network, 6, 10_000, 1_000, kept)
        loop.join([writing(SHARED, 3)])
        finish(loop)
        assert kept.size > 0
        asked = [writing([number, 1], 12) for number in range(1, 13)]
        loop.join(asked)
        finish(loop)
        assert max(network.batches) == 6
        assert all(one.tokens == alone(one.prompt.tokens, 12) for one in asked)

    @pytest.mark.parametrize("call", ["keep", "recall"])
    def test_without_memory_to_keep_or_recall_answers_are_written_all_the_same(
        self, call: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        kept = Kept()
        loop = SlotLoop(Counting(), 2, 10_000, 1_000, kept)
        monkeypatch.setattr(kept, call, full)
        for _ in range(2):
            loop.join([one := writing(SHARED, 6)])
            finish(loop)
            assert one.tokens == alone(SHARED, 6)

    def test_what_is_too_long_is_not_kept_nor_does_it_push_others_out(self) -> None:
        kept = Kept()
        loop = SlotLoop(Counting(), 2, 400, 1_000, kept)
        loop.join([writing(SHARED[:20], 4)])
        finish(loop)
        size = kept.size
        assert size > 0
        loop.join([writing([7] * 150, 4)])
        finish(loop)
        assert kept.size == size
