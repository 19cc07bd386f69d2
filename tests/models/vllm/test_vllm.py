"""The vllm backend over a stand-in for vLLM that computes: its answers against those of the transformers backend."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from llmuses.errors import MissingDependencyError, ModelError, UnknownNameError, UsageError
from llmuses.models import Delta, Model, Streamer, load_model
from llmuses.models.load import check_model, default_mode
from llmuses.models.vllm.model import VllmModel
from llmuses.models.vllm.scoring import MOST_TARGETS
from llmuses.records import ErrorKind, Generate, Message, Mode, Request, Response
from tests.support import fake_vllm
from tests.support.asking import answers, generate, loglikelihood
from tests.support.fake_vllm import LLM, LLMEngine
from tests.support.tiny_models import SENTENCES, tiny_gguf, tiny_model

SHOTS = "The capital of France is Paris. She bought 3 apples and 5 pears.\n" * 4
SCORING = [
    loglikelihood("The capital of France is", " Paris", " Berlin", " a river in spring"),
    loglikelihood("A. north\nB. south\nAnswer:", " A", " B", " C", " D"),
    loglikelihood(SHOTS + "Question: What is 12 plus 30? Answer:", " 42", " 4", " 8"),
    loglikelihood(SHOTS + "Answer:", " A", " B", " B", " the whole of it"),
    loglikelihood("", "Der schnelle Fuchs", "你好"),
    loglikelihood("  ", "The end"),
    loglikelihood("One", "", " two"),
]
WRITING = [
    generate(SENTENCES[0], max_tokens=24),
    generate(SENTENCES[1], max_tokens=1),
    generate(SENTENCES[2], max_tokens=40, stop=("\n", "er")),
    generate(SENTENCES[3], max_tokens=12, repetition_penalty=1.3),
    generate(SENTENCES[5], max_tokens=16),
    Request(
        "turns",
        Generate(messages=(Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello, "))),
    ),
]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_vllm.install(monkeypatch)


def load(chat: bool = False, bos: bool = False, window: int = 512, **args: Any) -> VllmModel:
    model = load_model(f"vllm:{tiny_model(chat=chat, bos=bos, window=window)}", **args)
    assert isinstance(model, VllmModel)
    return model


def engine() -> LLMEngine:
    assert LLM.made is not None
    return LLM.made.llm_engine


def words(response: Response) -> tuple[Any, ...]:
    usage = response.usage
    assert usage is not None
    return response.text, response.reasoning, response.finish_reason, usage.prompt_tokens, usage.completion_tokens


# --- The same as the transformers backend -------------------------------------------------------------------------


@pytest.mark.parametrize("bos", [False, True])
def test_log_probabilities_are_those_of_the_transformers_backend(bos: bool) -> None:
    found = answers(load(bos=bos), *SCORING)
    expected = answers(load_model(str(tiny_model(bos=bos))), *SCORING)
    for key, response in expected.items():
        assert response.scores is not None
        scores = found[key].scores
        assert scores is not None
        assert [(score.tokens, score.greedy) for score in scores] == [(s.tokens, s.greedy) for s in response.scores]
        assert [score.logprob for score in scores] == pytest.approx([s.logprob for s in response.scores], abs=1e-4)
        assert found[key].usage == response.usage


@pytest.mark.parametrize("chat", [False, True])
def test_greedy_answers_are_those_of_the_transformers_backend_word_for_word(chat: bool) -> None:
    found = answers(load(chat=chat), *WRITING)
    expected = answers(load_model(str(tiny_model(chat=chat))), *WRITING)
    assert {key: words(response) for key, response in found.items()} == {
        key: words(response) for key, response in expected.items()
    }


def test_whatever_is_in_flight_together_an_answer_stays_the_same() -> None:
    model = load(max_num_seqs="2")
    together = answers(model, *WRITING, *SCORING)
    for request in (WRITING[2], SCORING[3]):
        alone = answers(model, request)[request.key]
        assert (alone.text, alone.scores) == (together[request.key].text, together[request.key].scores)


def test_the_same_seed_gives_the_same_answer_and_each_prompt_draws_numbers_of_its_own() -> None:
    model = load()

    def texts(seed: int | None) -> list[str | None]:
        asks = [generate(text, max_tokens=12, temperature=1.5, seed=seed) for text in SENTENCES[:3]]
        found = answers(model, *asks)
        return [found[ask.key].text for ask in asks]

    assert texts(3) == texts(3)
    assert texts(3) != texts(4)


def test_several_samples_of_one_prompt_are_different_and_the_prompt_is_read_once() -> None:
    model = load()
    asks = [generate(SHOTS, key=f"{n}", max_tokens=6, temperature=1.5, seed=n) for n in range(6)]
    assert len({response.text for response in answers(model, *asks).values()}) == 6
    prompt = len(model._scoring._codec.text(SHOTS))
    assert engine().read < prompt + 6 * (fake_vllm.BLOCK + 1)


# --- What it costs ------------------------------------------------------------------------------------------------


def test_options_of_one_token_are_one_request_that_reads_the_cache_of_prefixes() -> None:
    model = load()
    asks = [loglikelihood(f"{SHOTS}{n} Answer:", " A", " B", " C", " D") for n in range(10)]
    answers(model, *asks)
    shared = len(model._scoring._codec.text(SHOTS))
    assert engine().steps == 1
    assert engine().read < shared + 10 * 2 * fake_vllm.BLOCK


def test_equal_sequences_are_read_once() -> None:
    model = load()
    asks = [loglikelihood(SHOTS, " the end of it", " the end of that", key=f"{n}") for n in range(20)]
    found = answers(model, *asks)
    assert len({response.scores[0].logprob for response in found.values() if response.scores}) == 1
    assert engine().read < 3 * len(model._scoring._codec.text(SHOTS + " the end of that"))


def test_more_options_than_vllm_gives_log_probabilities_for_are_several_requests() -> None:
    model = load()
    letters = [chr(first) for first in range(0x21, 0x7F)] + [f" {chr(first)}" for first in range(0x21, 0x7F)]
    ask = loglikelihood("One", *letters)
    assert len(letters) > MOST_TARGETS
    (expected,) = answers(load_model(str(tiny_model())), ask).values()
    (found,) = answers(model, ask).values()
    assert found.scores is not None
    assert expected.scores is not None
    assert [s.logprob for s in found.scores] == pytest.approx([s.logprob for s in expected.scores], abs=1e-4)


# --- Limits and faults --------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_rejected_and_never_cut() -> None:
    model = load(window=32)
    long = "She bought 3 apples " * 12
    found = answers(model, loglikelihood(long, " A"), generate(long, key="written"), generate("Hi", max_tokens=9_999))
    for key in (long, "written"):
        error = found[key].error
        assert error is not None
        assert (error.kind, error.code) == (ErrorKind.REJECTED, "context_length")
    assert found["Hi"].finish_reason == "length"


def test_max_length_is_the_same_limit_as_for_the_transformers_backend() -> None:
    texts = [text[:length] for text in SENTENCES for length in range(4, 40, 3)]
    asks = [loglikelihood(text, " A", " B", key=f"{n}") for n, text in enumerate(texts)]
    asks += [generate(text, key=f"w{n}", max_tokens=3) for n, text in enumerate(texts)]
    model = load(max_length="12")
    found = answers(model, *asks)
    expected = answers(load_model(str(tiny_model()), max_length="12"), *asks)
    assert {key: r.error for key, r in found.items()} == {key: r.error for key, r in expected.items()}
    assert any(response.error for response in found.values())
    assert {key: r.finish_reason for key, r in found.items()} == {key: r.finish_reason for key, r in expected.items()}
    assert "max_length=12" in model.identity
    with pytest.raises(UsageError, match="max_length=513 is more than the 512"):
        load(max_length="513")


@pytest.mark.parametrize("asked", [SCORING, WRITING], ids=["scoring", "writing"])
def test_an_engine_that_dies_ends_the_run_in_one_line_and_keeps_what_was_answered(asked: list[Request]) -> None:
    model = load(max_num_seqs="1")
    engine().dies_at = 3
    responses: list[Response] = []
    with pytest.raises(ModelError, match=r"the vLLM engine of .* died \(EngineCore encountered") as raised:
        responses.extend(model.run(asked))
    assert "\n" not in str(raised.value)
    assert all(response.error is None for response in responses)


def test_an_engine_whose_process_is_killed_is_not_waited_for() -> None:
    model = load()
    engine().engine_core.resources.engine_dead = True
    with pytest.raises(ModelError, match=r"died \(its process ended\)"):
        list(model.run(WRITING))
    model.close()
    with pytest.raises(ModelError, match="the model was closed"):
        list(model.run(WRITING))


def test_leaving_off_in_the_middle_takes_back_what_was_asked() -> None:
    model = load(max_num_seqs="1")
    for asked in (SCORING, WRITING):
        responses = model.run(asked)
        next(responses)
        assert engine().running
        responses.close()  # type: ignore[attr-defined]
        assert not engine().running
    assert answers(model, WRITING[0])[WRITING[0].key].text


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            ValueError("No available memory for the cache blocks. Try increasing it."),
            "does not fit into memory: choose",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), "does not fit into memory: choose max_length=N"),
        (RuntimeError("Engine core initialization failed.\nSee above."), "vLLM cannot load '.*': RuntimeError: Engine"),
    ],
)
def test_what_vllm_says_when_it_cannot_load_ends_in_one_line(
    refusal: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LLM, "refuses", refusal)
    with pytest.raises(ModelError, match=words) as raised:
        load()
    assert "\n" not in str(raised.value)


def test_settings_that_vllm_refuses_are_named() -> None:
    with pytest.raises(ValueError, match="temperature must be in"):
        answers(load(), generate("Hi", temperature=3.0))


def test_without_vllm_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"'vllm': pip install 'llmuses\[vllm\]'"):
        check_model(f"vllm:{tiny_model()}")


def test_what_cannot_be_meant_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UsageError, match="GGUF"):
        check_model(f"vllm:{tiny_gguf()}")
    with pytest.raises(UnknownNameError, match="unknown precision 'fp17'"):
        check_model(f"vllm:{tiny_model()}", precision="fp17")
    with pytest.raises(UsageError, match="gpu_memory_utilization"):
        check_model(f"vllm:{tiny_model()}", gpu_memory_utilization="2")
    with pytest.raises(UsageError, match="no chat template that turns thinking"):
        load(thinking="on")
    assert LLM.made is None


# --- Identity and settings ----------------------------------------------------------------------------------------


def test_answers_of_the_two_backends_are_never_taken_for_each_other() -> None:
    model, other = load(), load_model(str(tiny_model()))
    assert model.identity != other.identity
    assert model.identity.split(":", 1)[1] == other.identity.split(":", 1)[1]
    assert (model.name, default_mode(f"vllm:{tiny_model()}")) == (other.name, Mode.LOGPROB)


def test_the_identity_differs_with_whatever_could_change_an_answer() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"precision": "bfloat16"},
        {"max_length": "100"},
        {"quantization": "fp8"},
        {"chat_template": "none"},
    ]
    assert len({load(chat=True, **change).identity for change in changes}) == len(changes)
    same: list[dict[str, Any]] = [
        {},
        {"max_num_seqs": "4"},
        {"gpu_memory_utilization": "0.5"},
        {"enforce_eager": "true"},
    ]
    assert len({load(chat=True, **change).identity for change in same}) == 1


def test_vllm_is_told_the_precision_of_the_checkpoint_and_caches_prefixes() -> None:
    load(tensor_parallel_size="2", enforce_eager="true")
    settings = engine().settings
    assert settings["dtype"] == "float32"
    assert settings["enable_prefix_caching"] is True
    assert (settings["tensor_parallel_size"], settings["enforce_eager"]) == (2, True)
    assert "gpu_memory_utilization" not in settings


# --- Streams ------------------------------------------------------------------------------------------------------


async def read(model: Model, ask: Request) -> tuple[str, int, Delta]:
    assert isinstance(model, Streamer)
    deltas = [delta async for delta in model.stream(ask)]
    return "".join(delta.text for delta in deltas), len(deltas), deltas[-1]


def test_streams_beside_a_run_come_to_what_run_answers() -> None:
    model = load(chat=True)
    expected = answers(model, *WRITING)

    async def both() -> tuple[list[tuple[str, int, Delta]], dict[str, Response]]:
        run = asyncio.to_thread(answers, model, *SCORING, *WRITING)
        *streams, found = await asyncio.gather(*(read(model, ask) for ask in WRITING), run)
        return streams, found  # type: ignore[return-value]

    streams, found = asyncio.run(both())
    assert [text for text, _, _ in streams] == [expected[ask.key].text for ask in WRITING]
    assert streams[0][1] > 5
    assert all(
        last.finish_reason == expected[ask.key].finish_reason
        for ask, (_, _, last) in zip(WRITING, streams, strict=True)
    )
    assert {key: response.error for key, response in found.items()} == dict.fromkeys(found)
    model.close()


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    yield
    if LLM.made is not None:
        LLM.made.llm_engine._shutdown()
