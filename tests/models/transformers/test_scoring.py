"""Log-probabilities: equal to a plain forward pass, whatever shares the batch."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmuses.models import load_model
from llmuses.models.transformers.batching import Batcher, TokenBudget
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.models.transformers.copied_scoring import CopiedScorer
from llmuses.models.transformers.merged_scoring import MergedScorer
from llmuses.models.transformers.plain_scoring import PlainScorer
from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Outcome, Reading
from llmuses.models.transformers.scoring_scheduler import ScoringScheduler
from llmuses.records import ErrorKind, Loglikelihood, Request, Score
from tests.support.asking import answers, loglikelihood
from tests.support.tiny_models import SENTENCES, Architecture, tiny_model

REQUESTS = [
    loglikelihood("The capital of France is", " Paris", " Berlin", " a river in spring"),
    loglikelihood("Question: What is 12 plus 30? Answer:", " 42", " 4", " 8"),
    loglikelihood("A. north\nB. south\nAnswer:", " A", " B", " C", " D"),
    loglikelihood("She bought 3 apples and 5 pears, " * 6, "so she has 8.", "so she has 9 pieces of fruit."),
    loglikelihood("", "Der schnelle Fuchs", "你好"),
    loglikelihood("A river flows ", "from the hills", "to the sea"),
    loglikelihood("  ", "The end"),
    loglikelihood("One", "", " two"),
]


def load(architecture: Architecture = "llama", **args: Any) -> CausalLM:
    model = load_model(str(tiny_model(architecture=architecture)), **args)
    assert isinstance(model, CausalLM)
    return model


def plain_scores(model: CausalLM, context: str, continuations: tuple[str, ...]) -> list[Score]:
    """One full forward pass for each continuation, nothing shared, nothing padded."""
    pair = model._codec.pair(context, continuations)
    scores = []
    for continuation in pair.continuations:
        tokens = pair.context + continuation
        with torch.no_grad():
            logits = model._reader.network(torch.tensor([tokens])).logits[0].double()
        logprobs = torch.log_softmax(logits, -1)
        places = range(len(pair.context) - 1, len(tokens) - 1)
        scores.append(
            Score(
                logprob=math.fsum(float(logprobs[place, tokens[place + 1]]) for place in places),
                tokens=len(continuation),
                greedy=all(int(logits[place].argmax()) == tokens[place + 1] for place in places),
            )
        )
    return scores


def assert_equal(found: list[Score] | None, expected: list[Score]) -> None:
    assert found is not None
    assert [(score.tokens, score.greedy) for score in found] == [(score.tokens, score.greedy) for score in expected]
    for score, other in zip(found, expected, strict=True):
        assert score.logprob == pytest.approx(other.logprob, abs=1e-4)


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "gemma2"])
def test_scores_equal_a_plain_forward_pass(architecture: Architecture) -> None:
    model = load(architecture)
    found = answers(model, *REQUESTS)
    for request in REQUESTS:
        assert isinstance(request.ask, Loglikelihood)
        plain = plain_scores(model, request.ask.context, request.ask.continuations)
        assert_equal(found[request.key].scores, plain)


@functools.cache
def alone(architecture: Architecture, number: int) -> list[Score] | None:
    return answers(load(architecture), REQUESTS[number])[REQUESTS[number].key].scores


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "gemma2"])
@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(len(REQUESTS))), size=st.integers(1, 8), rows=st.integers(1, 9))
def test_scores_do_not_depend_on_what_else_is_in_the_batch(
    architecture: Architecture, order: list[int], size: int, rows: int
) -> None:
    together = answers(load(architecture, batch_size=rows), *(REQUESTS[number] for number in order[:size]))
    for number in order[:size]:
        assert_equal(together[REQUESTS[number].key].scores, alone(architecture, number) or [])


def test_a_greedy_continuation_is_recognised() -> None:
    model = load()
    for context in SENTENCES:
        pair = model._codec.pair(context, [""])
        likeliest = int(model._reader.network(torch.tensor([pair.context])).logits[0, -1].argmax())
        text = model._codec.decode([likeliest])
        if model._codec.pair(context, [text]).continuations != [[likeliest]]:
            continue  # half a character
        scores = answers(model, loglikelihood(context, text, " Paris"))[context].scores
        assert scores is not None
        assert [score.greedy for score in scores] == [True, False]
        assert (scores[0].logprob or 0) > (scores[1].logprob or 0)
        return
    pytest.fail("no sentence is followed by a whole character")


def test_options_of_one_token_cost_one_row_and_one_forward_pass() -> None:
    model = load()
    passes: list[torch.Size] = []
    model._reader.network.register_forward_hook(
        lambda module, args, kwargs, output: passes.append(kwargs["input_ids"].shape), with_kwargs=True
    )
    answers(model, loglikelihood("A. north\nB. south\nAnswer:", " A", " B", " C", " D"))
    tokens = len(model._codec.text("A. north\nB. south\nAnswer:"))
    assert passes == [torch.Size([1, tokens])]


def test_logits_are_computed_only_where_they_are_needed() -> None:
    model = load()
    shapes: list[torch.Size] = []
    model._reader.network.register_forward_hook(lambda module, args, output: shapes.append(output.logits.shape))
    answers(model, loglikelihood("She bought 3 apples and 5 pears." * 6, " A", " B"))
    assert shapes == [torch.Size([1, 1, 384])]


def test_a_request_beyond_the_window_is_rejected_and_never_cut() -> None:
    model = load_model(str(tiny_model(window=16)))
    short, long = loglikelihood("one two", " A"), loglikelihood("A river flows from the hills to the sea", " A", " B")
    found = answers(model, short, long)
    assert found[short.key].scores is not None
    error = found[long.key].error
    assert error is not None
    assert (error.kind, error.code) == (ErrorKind.REJECTED, "context_length")
    assert "16" in error.message


def test_the_last_token_of_a_continuation_needs_no_place_in_the_window() -> None:
    codec = load()._codec
    context = "one two three"
    tokens = len(codec.text(context))
    assert len(codec.pair(context, [" A"]).continuations[0]) == 1
    exact = load_model(str(tiny_model(architecture="gpt2", window=tokens)))
    assert answers(exact, loglikelihood(context, " A"))[context].scores is not None
    narrow = load_model(str(tiny_model(architecture="gpt2", window=tokens - 1)))
    assert answers(narrow, loglikelihood(context, " A"))[context].error is not None


def test_no_continuations_are_no_scores() -> None:
    assert answers(load(), loglikelihood("One"))["One"].scores == []


def test_tokens_and_time_are_recorded() -> None:
    response = answers(load(), loglikelihood("The capital of France is", " A", " B"))["The capital of France is"]
    assert response.usage is not None
    assert response.usage.prompt_tokens == len(load()._codec.text("The capital of France is"))
    assert response.latency is not None
    assert response.latency > 0


def test_the_seconds_of_a_pass_are_shared_by_the_sequences_in_it() -> None:
    class Passes:
        name = "of known length"

        def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
            assert len(asked) == 4
            yield Outcome([], [], 2.0)  # what they have in common
            yield Outcome([Reading(sequence, -1.0, True) for sequence in (0, 1, 2)], [], 4.0)
            yield Outcome([Reading(3, -1.0, True)], [], 0.5)

    scheduler = ScoringScheduler(load()._codec, Passes(), None)
    pair, single = loglikelihood("Two of them:", " A", " B"), loglikelihood("Split over two passes:", " A", " B")
    found = {response.key: response.latency for response in scheduler.run([pair, single])}
    assert found == {pair.key: pytest.approx(4.0), single.key: pytest.approx(2.5)}


@pytest.mark.parametrize("way", [MergedScorer, CopiedScorer, PlainScorer])
def test_no_second_is_counted_for_two_requests(way: type[MergedScorer | CopiedScorer | PlainScorer]) -> None:
    model = load()
    limits: Any = TokenBudget(64, 1 << 20) if way is MergedScorer else Batcher(4, None, None)
    scorer = way(model._reader, limits)
    began = time.perf_counter()
    found = list(ScoringScheduler(model._codec, scorer, None).run(REQUESTS))
    took = time.perf_counter() - began
    latencies = [response.latency or 0.0 for response in found]
    assert min(latencies) > 0
    assert sum(latencies) <= took


def test_a_network_that_computes_no_numbers_fails_the_request_and_says_why() -> None:
    model = load()
    with torch.no_grad():
        model._reader.network.lm_head.weight.fill_(math.nan)
    error = answers(model, loglikelihood("One", " two"))["One"].error
    assert error is not None
    assert (error.kind, error.code) == (ErrorKind.FAILED, "not_a_number")
    assert "precision" in error.message


def questions(subjects: int, of_each: int) -> list[Request]:
    """Return questions of some subjects, mixed, each behind the worked examples of its subject."""
    shots = {subject: f"Subject {subject}. " + SENTENCES[subject % 7] * 4 for subject in range(subjects)}
    return [
        loglikelihood(f"{shots[subject]}\nQuestion: How much is {number}?\nAnswer:", " one", " a river", " Paris")
        for number in range(of_each)
        for subject in range(subjects)
    ]


def short_of_memory(model: CausalLM, allowed: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a model's memory end at so many tokens a pass; return the list of what was read, refused passes negative."""
    passes: list[int] = []
    logits = model._reader.logits

    def narrow(tokens: torch.Tensor, wanted: Any, **inputs: Any) -> torch.Tensor:
        if tokens.numel() > allowed:
            passes.append(-tokens.numel())
            raise torch.OutOfMemoryError("CUDA out of memory")
        passes.append(tokens.numel())
        return logits(tokens, wanted, **inputs)

    monkeypatch.setattr(model._reader, "logits", narrow)
    return passes


def test_subjects_that_come_mixed_share_their_examples_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load()
    passes = short_of_memory(model, 10**9, monkeypatch)
    asked = questions(5, 12)
    answers(model, *asked)
    ask = asked[0].ask
    assert isinstance(ask, Loglikelihood)
    assert sum(passes) < 5 * len(model._codec.text(ask.context)) + 60 * 40


@pytest.mark.parametrize("allowed", [16, 40, 150])
def test_running_out_of_memory_in_the_middle_costs_time_and_no_result(
    allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions(3, 4)
    expected = answers(load(), *asked)
    model = load()
    passes = short_of_memory(model, allowed, monkeypatch)
    found = answers(model, *asked)
    for request in asked:
        assert_equal(found[request.key].scores, expected[request.key].scores or [])
    refused = [-tokens for tokens in passes if tokens < 0]
    assert refused
    assert refused == sorted(refused, reverse=True)
    # What was read was read once: as many tokens as where memory suffices.
    plenty = load()
    unhindered = short_of_memory(plenty, 10**9, monkeypatch)
    answers(plenty, *asked)
    assert sum(tokens for tokens in passes if tokens > 0) == sum(unhindered)


def test_a_request_for_which_memory_never_suffices_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load()
    logits = model._reader.logits
    poison = model._codec.text("springt über")[-1]

    def narrow(tokens: torch.Tensor, wanted: Any, **inputs: Any) -> torch.Tensor:
        if poison in tokens:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return logits(tokens, wanted, **inputs)

    monkeypatch.setattr(model._reader, "logits", narrow)
    fine = questions(2, 3)
    bad = loglikelihood("Der schnelle Fuchs springt über", " den", " einen")
    found = answers(model, *fine[:3], bad, *fine[3:])
    error = found[bad.key].error
    assert error is not None
    assert (error.kind, error.code) == (ErrorKind.FAILED, "out_of_memory")
    expected = answers(load(), *fine)
    for request in fine:
        assert_equal(found[request.key].scores, expected[request.key].scores or [])


def test_an_identical_request_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load()
    passes = short_of_memory(model, 10**9, monkeypatch)
    ask = loglikelihood("The capital of France is", " Paris", " Berlin")
    found = answers(model, *(Request(str(number), ask.ask) for number in range(20)))
    once = sum(passes)
    passes.clear()
    answers(model, ask)
    assert once == sum(passes)
    assert len({str(response.scores) for response in found.values()}) == 1


def test_requests_are_read_only_as_far_ahead_as_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmuses.models.transformers.scoring_scheduler.WINDOW", 4)
    read: list[int] = []

    def requests() -> Iterator[Request]:
        for number in range(10):
            read.append(number)
            yield loglikelihood(f"{number} apples", " A", " B")

    responses = load().run(requests())
    next(responses)
    assert len(read) == 4
    assert isinstance(responses, Generator)
    responses.close()
