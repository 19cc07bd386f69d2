"""Written answers by a causal language model: several prompts at a time, each by its own settings.

transformers' ``generate`` runs the network and keeps the cache. Which token is chosen, and when an answer ends, is
decided here for each row by itself, so that an answer does not depend on its neighbours in the batch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import transformers
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from llmuses.models.transformers.tokenization import Codec
from llmuses.records import GenerationConfig

_NetworkConfig: Any = transformers.GenerationConfig


class Prompt(NamedTuple):
    """What one answer starts from.

    ``room`` is how many tokens the answer may have; ``opening`` is a tag of reasoning that the chat template opened.
    """

    key: str
    tokens: list[int]
    config: GenerationConfig
    room: int
    opening: str = ""


class Answer(NamedTuple):
    """One answer: its text up to a stop string, how many tokens were written, why it ended (stop or length).

    ``seconds`` is from the start of the batch to the answer's last token, ``first`` to its first. ``sound`` is false
    where the network computed something that is not a number, so that the text means nothing.
    """

    text: str
    tokens: int
    finish_reason: str
    seconds: float
    first: float
    sound: bool = True


class Writer:
    """Runs prompts through a network.

    What a request leaves open (top_p, top_k, repetition_penalty) is taken from the checkpoint's own
    generation_config.json; a request's temperature decides between greedy decoding and sampling.
    """

    def __init__(self, network: Any, codec: Codec, device: torch.device, pad: int, ends: frozenset[int]):
        self.network = network
        self._codec = codec
        self._device = device
        self._pad = pad
        self._ends = ends
        self._defaults = network.generation_config
        # generate() fills whatever is unset from the network's own settings: leave none there.
        network.generation_config = _NetworkConfig()

    @torch.inference_mode()
    def write(self, prompts: Sequence[Prompt]) -> list[Answer]:
        """Return the answers to a batch of prompts, in their order."""
        longest = max(len(prompt.tokens) for prompt in prompts)
        padding = [longest - len(prompt.tokens) for prompt in prompts]
        tokens = [[self._pad] * pad + prompt.tokens for pad, prompt in zip(padding, prompts, strict=True)]
        mask = [[0] * pad + [1] * len(prompt.tokens) for pad, prompt in zip(padding, prompts, strict=True)]
        ends = _Ends(prompts, self._codec, self._ends)
        choices = _Choices([self._choice(prompt.config) for prompt in prompts], padding)
        self.network.generate(
            input_ids=torch.tensor(tokens, device=self._device),
            attention_mask=torch.tensor(mask, device=self._device),
            generation_config=_NetworkConfig(
                max_new_tokens=max(prompt.room for prompt in prompts),
                do_sample=False,
                num_beams=1,
                pad_token_id=self._pad,
                use_cache=True,
            ),
            logits_processor=LogitsProcessorList([choices]),
            stopping_criteria=StoppingCriteriaList([ends]),
        )
        return [answer._replace(sound=sound) for answer, sound in zip(ends.answers(), choices.sound(), strict=True)]

    def _choice(self, config: GenerationConfig) -> _Choice | None:
        """Return how a row's next token is chosen; None for plain greedy decoding."""
        penalty = self._setting(config, "repetition_penalty")
        steps: list[LogitsProcessor] = []
        if penalty not in (None, 1.0):
            steps.append(RepetitionPenaltyLogitsProcessor(penalty))
        if config.temperature <= 0:
            return _Choice(steps, None) if steps else None
        top_k, top_p = self._setting(config, "top_k"), self._setting(config, "top_p")
        if config.temperature != 1:
            steps.append(TemperatureLogitsWarper(float(config.temperature)))
        if top_k:
            steps.append(TopKLogitsWarper(int(top_k)))
        if top_p is not None and top_p < 1:
            steps.append(TopPLogitsWarper(top_p))
        random = torch.Generator(self._device)
        if config.seed is None:
            random.seed()
        else:
            random.manual_seed(config.seed)
        return _Choice(steps, random)

    def _setting(self, config: GenerationConfig, name: str) -> float | None:
        asked = getattr(config, name)
        value = getattr(self._defaults, name, None) if asked is None else asked
        return None if value is None else float(value)


class _Choice(NamedTuple):
    """How one row's next token is chosen. Without ``random`` it is the likeliest one."""

    steps: list[LogitsProcessor]
    random: torch.Generator | None

    def __call__(self, tokens: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return logits whose maximum is the chosen token. ``tokens`` is (1, length), ``logits`` (1, vocabulary)."""
        for step in self.steps:
            logits = step(tokens, logits)
        if self.random is None:
            return logits
        probabilities = torch.softmax(logits, dim=-1).nan_to_num(1.0)
        drawn = torch.multinomial(probabilities, 1, generator=self.random)
        return torch.full_like(logits, -torch.inf).scatter_(1, drawn, 0.0)


class _Choices(LogitsProcessor):
    """Lets every row choose by itself; its padding is not part of what it has read."""

    def __init__(self, choices: Sequence[_Choice | None], padding: Sequence[int]):
        self._choices = [(row, choice) for row, choice in enumerate(choices) if choice is not None]
        self._padding = padding
        self._unsound: torch.Tensor | None = None

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        # A hidden state that is not a number spoils every logit of its row: one column shows it.
        unsound = scores[:, 0].isnan()
        self._unsound = unsound if self._unsound is None else self._unsound | unsound
        for row, choice in self._choices:
            scores[row] = choice(input_ids[row : row + 1, self._padding[row] :], scores[row : row + 1])[0]
        return scores

    def sound(self) -> list[bool]:
        """Return for each row whether all of its logits were numbers."""
        return [] if self._unsound is None else (~self._unsound).tolist()


class _Ends(StoppingCriteria):
    """Writes down each row's tokens and decides when it ends: an end token, a stop string, or no room left."""

    def __init__(self, prompts: Sequence[Prompt], codec: Codec, ends: frozenset[int]):
        self._rooms = [prompt.room for prompt in prompts]
        self._stops = [[stop for stop in prompt.config.stop if stop] for prompt in prompts]
        self._codec = codec
        self._ends = ends
        self._written: list[list[int]] = [[] for _ in prompts]
        self._answers: list[Answer | None] = [None] * len(prompts)
        # A stop string of n bytes spans at most n tokens; the first of them may be cut, hence a few more.
        self._tails = [max((len(stop.encode()) for stop in stops), default=0) + 4 for stops in self._stops]
        self._started = time.perf_counter()
        self._first = 0.0

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **_: Any) -> Any:
        self._first = self._first or time.perf_counter() - self._started
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self._answers[row] is None:
                self._written[row].append(token)
                if reason := self._ending(row, token):
                    self._answers[row] = self._answer(row, reason)
        done = [answer is not None for answer in self._answers]
        return torch.tensor(done, device=input_ids.device)

    def _ending(self, row: int, token: int) -> str | None:
        written = self._written[row]
        if token in self._ends:
            return "stop"
        if self._stops[row]:
            tail = self._codec.decode(written[-self._tails[row] :], special=True)
            if any(stop in tail for stop in self._stops[row]):
                return "stop"
        return "length" if len(written) >= self._rooms[row] else None

    def _answer(self, row: int, reason: str) -> Answer:
        written = self._written[row]
        text = self._codec.decode(written[:-1] if written[-1] in self._ends else written)
        found = [place for stop in self._stops[row] if (place := text.find(stop)) >= 0]
        return Answer(
            text=text[: min(found)] if found else text,
            tokens=len(written),
            finish_reason="stop" if found else reason,
            seconds=time.perf_counter() - self._started,
            first=self._first,
        )

    def answers(self) -> list[Answer]:
        """Return all answers, once every row has ended."""
        return [answer for answer in self._answers if answer is not None]
