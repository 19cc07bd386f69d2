"""The next token: greedy or drawn, by a row's own settings and its own random numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from llmuses.models.transformers import sampling
from llmuses.models.transformers.sampling import Choice, choose
from llmuses.records import GenerationConfig

DRAWS = 4_000


def choice(defaults: Any = None, prompt: tuple[int, ...] = (1, 2), **config: Any) -> Choice:
    return Choice(GenerationConfig(**config), defaults, prompt)


def some_logits(size: int = 40) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(3)) * 2


def frequencies(logits: torch.Tensor, **config: Any) -> torch.Tensor:
    one = choice(temperature=config.pop("temperature", 1.0), seed=5, **config)
    drawn = [choose(logits[None].clone(), [one], [[]])[0] for _ in range(DRAWS)]
    return torch.bincount(torch.tensor(drawn), minlength=len(logits)) / DRAWS


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"temperature": 0.5},
        {"top_k": 5},
        {"top_p": 0.7},
        {"top_p": 0.3, "top_k": 20},
        {"top_k": 30, "top_p": 0.9, "temperature": 1.7},
        {"top_k": 1_000},
        {"top_p": 1.0},
    ],
    ids=str,
)
def test_tokens_are_drawn_as_often_as_transformers_own_warpers_say(config: dict[str, Any]) -> None:
    """Each frequency of 4,000 draws within five standard errors of the softmax after transformers' warpers."""
    logits = some_logits()
    warped = TemperatureLogitsWarper(float(config.get("temperature", 1.0)))(None, logits[None].clone())
    if config.get("top_k"):
        warped = TopKLogitsWarper(config["top_k"])(None, warped)
    if config.get("top_p", 1.0) < 1:
        warped = TopPLogitsWarper(config["top_p"])(None, warped)
    shares = warped.softmax(-1)[0]
    found = frequencies(logits, **config)
    assert (found[shares == 0] == 0).all()
    error = (shares * (1 - shares) / DRAWS).sqrt()
    assert ((found - shares).abs() <= 5 * error + 1e-3).all()


def test_top_p_looks_at_as_many_tokens_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.zeros(40)
    monkeypatch.setattr(sampling, "_CANDIDATES", 4)
    found = frequencies(logits, top_p=0.9)
    assert (found > 0).sum() == 36


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.7, 1.5]),
            st.sampled_from([None, 3, 50]),
            st.sampled_from([None, 0.5, 1.0]),
            st.sampled_from([None, 1.3]),
            st.integers(0, 5),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_row_chooses_the_same_alone_and_among_others(rows: list[Any]) -> None:
    def made() -> list[Choice]:
        return [choice(temperature=t, top_k=k, top_p=p, repetition_penalty=r, seed=seed) for t, k, p, r, seed in rows]

    logits = torch.randn(len(rows), 60, generator=torch.Generator().manual_seed(9)) * 3
    written = [[number, 7] for number in range(len(rows))]
    together = choose(logits.clone(), made(), written)
    alone = [
        choose(logits[number : number + 1].clone(), [one], [written[number]])[0] for number, one in enumerate(made())
    ]
    assert together == alone


@pytest.mark.parametrize("penalty", [0.8, 1.3, 2.0])
def test_a_penalty_is_that_of_transformers_over_all_that_was_read_and_written(penalty: float) -> None:
    logits, read, written = some_logits(), [1, 5, 5, 9], [2, 30]
    expected = RepetitionPenaltyLogitsProcessor(penalty)(torch.tensor([read + written]), logits[None].clone())[0]
    one = choice(prompt=tuple(read), repetition_penalty=penalty)
    found = logits.clone()
    one.penalise(found, written[:1])
    found = logits.clone()
    one.penalise(found, written)
    assert torch.equal(found, expected)


def test_what_a_request_leaves_open_comes_from_the_checkpoint() -> None:
    defaults = SimpleNamespace(top_k=1, top_p=0.5, repetition_penalty=1.2)
    assert choice(defaults).top_k == 1
    assert choice(defaults).top_p == 0.5
    assert choice(defaults, top_k=7, top_p=0.9, repetition_penalty=1.0).top_k == 7
    assert choice(defaults, repetition_penalty=1.0).penalty == 1.0


def test_a_seed_gives_the_same_numbers_for_the_same_prompt_and_others_for_another_one() -> None:
    def numbers(prompt: tuple[int, ...], seed: int | None) -> list[float]:
        one = choice(prompt=prompt, temperature=1.0, seed=seed)
        return [one.draw() for _ in range(3)]

    assert numbers((1, 2), 4) == numbers((1, 2), 4)
    assert numbers((1, 2), 4) != numbers((1, 3), 4)
    assert numbers((1, 2), 4) != numbers((1, 2), 5)
    assert numbers((1, 2), None) != numbers((1, 2), None)


@pytest.mark.parametrize("config", [{}, {"top_k": 3}, {"top_p": 0.5}], ids=str)
def test_numbers_that_are_none_break_nothing(config: dict[str, Any]) -> None:
    logits = torch.full((1, 10), torch.nan)
    assert 0 <= choose(logits, [choice(temperature=1.0, seed=1, **config)], [[]])[0] < 10
