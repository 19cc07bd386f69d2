"""Answers by transformers' own ``generate``, a batch after the other: for networks whose memory is no keys and values.

``generate`` runs the network and keeps its cache. Which token is chosen, and when an answer ends, is decided here for
each row by itself, so that an answer does not depend on its neighbours in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import transformers
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from llmuses.models.transformers.answers import Writing
from llmuses.models.transformers.loops import Told
from llmuses.models.transformers.memory import free_memory, is_out_of_memory
from llmuses.models.transformers.sampling import choose
from llmuses.models.transformers.turns import Turns

_NetworkConfig: Any = transformers.GenerationConfig


class BatchLoop:
    """Writes answers in batches of at most ``rows`` rows and ``tokens`` tokens, the longest prompts first.

    Prompts of different lengths share a batch only where the network is ``padded``: where padding changes nothing.
    ``longest`` bounds a batch's padded length where it has more than one row. Between two tokens whoever waits for the
    network gets his turn.
    """

    def __init__(
        self,
        network: Any,
        device: torch.device,
        pad: int,
        rows: int,
        tokens: int,
        longest: int | None,
        padded: bool,
        turns: Turns,
    ):
        self._network = network
        self._turns = turns
        self._device = device
        self._pad = pad
        self._rows = rows
        self._tokens = tokens
        self._longest = longest
        self._padded = padded
        self._waiting: list[Writing] = []
        self._left: set[int] = set()

    @property
    def waiting(self) -> int:
        """Return how many answers have not begun."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Return whether there is anything to be done."""
        return bool(self._waiting)

    def join(self, writings: Sequence[Writing]) -> None:
        """Add answers to those that wait."""
        self._waiting.extend(writings)
        self._waiting.sort(key=lambda writing: -len(writing.prompt.tokens))

    def leave(self, writing: Writing) -> None:
        """Take an answer out; one that is being written ends with its next token."""
        self._waiting = [other for other in self._waiting if other is not writing]
        self._left.add(id(writing))

    def step(self, told: Told) -> None:
        """Write one batch of answers to their ends."""
        batch = self._next()
        self._left.clear()
        try:
            self._write(batch, told)
        except RuntimeError as problem:
            if not is_out_of_memory(problem):
                raise
            problem.__traceback__ = None  # its frames hold the tensors that did not fit
            if not free_memory():
                self._write_less(batch, told)
        self._waiting = [writing for writing in self._waiting if not writing.ended and id(writing) not in self._left]

    def _write_less(self, batch: Sequence[Writing], told: Told) -> None:
        """Halve the batches to come; what does not fit even alone ends without an answer."""
        if len(batch) > 1:
            self._rows = len(batch) // 2
        else:
            batch[0].fail()
            told(batch[0])

    def _next(self) -> list[Writing]:
        batch: list[Writing] = []
        for writing in self._waiting[: self._rows]:
            length = _longest([*batch, writing])
            if batch and (
                length * (len(batch) + 1) > self._tokens
                or (self._longest is not None and length > self._longest)
                or (not self._padded and _read(writing) != _read(batch[0]))
            ):
                break
            batch.append(writing)
        return batch

    @torch.inference_mode()
    def _write(self, batch: Sequence[Writing], told: Told) -> None:
        rows = [[*writing.prompt.tokens, *writing.tokens] for writing in batch]
        longest = max(map(len, rows))
        for writing in batch:
            writing.begin()
        choices = _Choices(batch)
        ends = _Ends(batch, choices, told, self._left, self._turns)
        with self._turns:
            self._network.generate(
                input_ids=torch.tensor([[self._pad] * (longest - len(row)) + row for row in rows], device=self._device),
                attention_mask=torch.tensor(
                    [[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self._device
                ),
                generation_config=_NetworkConfig(
                    max_new_tokens=max(writing.prompt.room - len(writing.tokens) for writing in batch),
                    do_sample=False,
                    num_beams=1,
                    pad_token_id=self._pad,
                    use_cache=True,
                ),
                logits_processor=LogitsProcessorList([choices]),
                stopping_criteria=StoppingCriteriaList([ends]),
            )


def _read(writing: Writing) -> int:
    return len(writing.prompt.tokens) + len(writing.tokens)


def _longest(batch: Sequence[Writing]) -> int:
    """Return the length to which a batch grows: the longest prompt and the most room, less the last token."""
    return max(len(writing.prompt.tokens) for writing in batch) + max(writing.prompt.room for writing in batch) - 1


class _Choices(LogitsProcessor):
    """Lets every row choose its next token by itself."""

    def __init__(self, batch: Sequence[Writing]):
        self._batch = batch
        self.sound: list[bool] = []

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        # A hidden state that is not a number spoils every logit of its row: one column shows it.
        self.sound = (~scores[:, 0].isnan()).tolist()
        active = [row for row, writing in enumerate(self._batch) if not writing.ended]
        writings = [self._batch[row] for row in active]
        chosen = choose(
            scores[active].float(), [writing.choice for writing in writings], [writing.tokens for writing in writings]
        )
        scores[active] = -torch.inf
        scores[active, chosen] = 0.0
        return scores


class _Ends(StoppingCriteria):
    """Hands each row its token, and ends the rows that have ended; then lets those who wait use the network."""

    def __init__(self, batch: Sequence[Writing], choices: _Choices, told: Told, left: set[int], turns: Turns):
        self._batch = batch
        self._choices = choices
        self._told = told
        self._left = left
        self._turns = turns

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **_: Any) -> Any:
        for row, token in enumerate(input_ids[:, -1].tolist()):
            writing = self._batch[row]
            if not writing.ended and id(writing) not in self._left:
                writing.add(token, self._choices.sound[row])
                self._told(writing)
        done = [writing.ended or id(writing) in self._left for writing in self._batch]
        if not all(done):
            self._turns.give_way()
        return torch.tensor(done, device=input_ids.device)


@torch.inference_mode()
def padding_changes_nothing(network: Any, device: torch.device, pad: int, text: Sequence[int]) -> bool:
    """Return whether a network writes the same after padding on the left as without it, within rounding."""
    prompt, width = list(text[: len(text) // 2]), len(text)
    empty = width - len(prompt)
    settings = _NetworkConfig(
        max_new_tokens=4,
        do_sample=False,
        pad_token_id=pad,
        use_cache=True,
        output_logits=True,
        return_dict_in_generate=True,
    )

    def logits(rows: list[list[int]], masks: list[list[int]]) -> Any:
        found = network.generate(
            input_ids=torch.tensor(rows, device=device),
            attention_mask=torch.tensor(masks, device=device),
            generation_config=settings,
        )
        return torch.stack(found.logits)[:, 0].float()

    alone = logits([prompt], [[1] * len(prompt)])
    padded = logits([[pad] * empty + prompt, list(text)], [[0] * empty + [1] * len(prompt), [1] * width])
    tolerance = 1e-4 if network.dtype == torch.float32 else 0.05
    return bool((alone - padded).abs().max() <= tolerance * alone.std())
