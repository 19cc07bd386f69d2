"""Written answers: each as if it were alone, cut where it should be, and counted."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from llmuses.models import Model, load_model
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.records import ErrorKind, Generate, GenerationConfig, Message, Request, Response
from tests.support.asking import answers, generate, loglikelihood
from tests.support.tiny_families import tiny_family, tiny_phi_long
from tests.support.tiny_models import Architecture, tiny_model

ARCHITECTURES: list[Architecture] = ["llama", "gpt2", "gemma2"]
TEXTS = [
    "The capital of France is",
    "A. north\nB. south\nC. east\nAnswer:",
    "你好，世界。",
    "She bought 3 apples and 5 pears, " * 5,
    "Der",
]


def load(architecture: Architecture = "llama", **args: Any) -> CausalLM:
    model = load_model(str(tiny_model(architecture=architecture)), **args)
    assert isinstance(model, CausalLM)
    return model


def text_of(model: Model, request: Request) -> str:
    text = answers(model, request)[request.key].text
    assert text is not None
    return text


@pytest.fixture(scope="module")
def model() -> CausalLM:
    return load()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_greedy_answers_equal_those_of_transformers_alone(architecture: Architecture) -> None:
    model = load(architecture)
    found = answers(model, *(generate(text, max_tokens=24) for text in TEXTS))
    fresh = transformers.AutoModelForCausalLM.from_pretrained(tiny_model(architecture=architecture))
    for text in TEXTS:
        tokens = model._codec.text(text)
        plain = fresh.generate(torch.tensor([tokens]), max_new_tokens=24, do_sample=False, pad_token_id=0)
        assert found[text].text == model._codec.decode(plain[0, len(tokens) :].tolist())


ASKS = [
    generate(TEXTS[0], max_tokens=20),
    generate(TEXTS[1], max_tokens=3),
    generate(TEXTS[2], max_tokens=12, temperature=0.8, top_p=0.9, seed=7),
    generate(TEXTS[3], max_tokens=16, repetition_penalty=1.3),
    generate(TEXTS[4], max_tokens=30, temperature=1.0, top_k=5, seed=8),
    loglikelihood("The capital", " of"),
]


@functools.cache
def alone(architecture: Architecture, number: int) -> Response:
    return answers(load(architecture), ASKS[number])[ASKS[number].key]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@settings(max_examples=6, deadline=None)
@given(order=st.permutations(range(len(ASKS))), size=st.integers(2, 6), rows=st.integers(1, 6))
def test_an_answer_does_not_depend_on_what_else_is_in_the_batch(
    architecture: Architecture, order: list[int], size: int, rows: int
) -> None:
    together = answers(load(architecture, batch_size=rows), *(ASKS[number] for number in order[:size]))
    for number in order[:size]:
        found, expected = together[ASKS[number].key], alone(architecture, number)
        assert (found.text, found.finish_reason) == (expected.text, expected.finish_reason)


class TestEnds:
    def test_an_answer_that_uses_up_its_tokens_is_truncated(self, model: CausalLM) -> None:
        response = answers(model, generate(TEXTS[0], max_tokens=5))[TEXTS[0]]
        assert response.finish_reason == "length"
        assert response.truncated
        assert response.usage is not None
        assert response.usage.completion_tokens == 5
        assert response.usage.prompt_tokens == len(model._codec.text(TEXTS[0]))

    @pytest.mark.parametrize("length", [1, 2, 3, 5])
    @pytest.mark.parametrize("start", [0, 1, 4, 9])
    def test_a_stop_string_ends_the_answer_and_is_cut_off(self, model: CausalLM, start: int, length: int) -> None:
        whole = text_of(model, generate(TEXTS[0], max_tokens=30))
        stop = whole[start : start + length]
        assert "\ufffd" not in stop or length == 1
        response = answers(model, generate(TEXTS[0], max_tokens=30, stop=(stop,)))[TEXTS[0]]
        assert response.text == whole[: whole.index(stop)]
        assert response.finish_reason == "stop"
        assert response.usage is not None
        assert (response.usage.completion_tokens or 0) <= 30

    def test_the_first_of_several_stop_strings_counts(self, model: CausalLM) -> None:
        whole = text_of(model, generate(TEXTS[1], max_tokens=30))
        stops = (whole[12:14], "never written", whole[6:8], "")
        cut = min(whole.index(stop) for stop in stops if stop and stop in whole)
        assert text_of(model, generate(TEXTS[1], max_tokens=30, stop=stops)) == whole[:cut]

    def test_a_stop_string_that_is_not_written_changes_nothing(self, model: CausalLM) -> None:
        assert text_of(model, generate(TEXTS[0], max_tokens=9, stop=("never written",))) == text_of(
            model, generate(TEXTS[0], max_tokens=9)
        )

    def test_an_end_token_of_the_checkpoint_s_settings_ends_the_answer(self, model: CausalLM, tmp_path: Path) -> None:
        prompt = model._codec.text(TEXTS[0])
        network = model._writer.network
        written = network.generate(torch.tensor([prompt]), max_new_tokens=6, do_sample=False)[0, len(prompt) :].tolist()
        folder = changed_checkpoint(tmp_path, eos_token_id=[383, written[4]])
        response = answers(load_model(str(folder)), generate(TEXTS[0], max_tokens=30))[TEXTS[0]]
        assert response.finish_reason == "stop"
        assert response.text == model._codec.decode(written[:4])
        assert response.usage is not None
        assert response.usage.completion_tokens == 5

    def test_answers_fill_the_window_and_no_more(self) -> None:
        """Learned positions end at the window: one token too many would be an error, not just nonsense."""
        model = load_model(str(tiny_model(architecture="gpt2", window=32)))
        requests = [generate(text, max_tokens=100) for text in (TEXTS[0], TEXTS[4], TEXTS[1])]
        for response in answers(model, *requests).values():
            assert response.usage is not None
            assert response.finish_reason == "length"
            # Every token but the last one is read.
            assert (response.usage.prompt_tokens or 0) + (response.usage.completion_tokens or 0) == 32 + 1

    def test_a_prompt_beyond_the_window_is_rejected(self) -> None:
        model = load_model(str(tiny_model(window=16)))
        found = answers(model, generate(TEXTS[3]), generate(TEXTS[4], max_tokens=4))
        error = found[TEXTS[3]].error
        assert error is not None
        assert (error.kind, error.code) == (ErrorKind.REJECTED, "context_length")
        assert found[TEXTS[4]].text is not None


def changed_checkpoint(folder: Path, **settings: Any) -> Path:
    """Return a copy of the tiny model with other generation settings."""
    copy = folder / "changed"
    shutil.copytree(tiny_model(), copy)
    (copy / "generation_config.json").write_text(json.dumps(settings))
    return copy


class TestSampling:
    def test_the_same_seed_gives_the_same_answer_and_another_seed_another(self, model: CausalLM) -> None:
        texts = {
            seed: [text_of(model, generate(TEXTS[0], max_tokens=16, temperature=1.0, seed=seed)) for _ in range(2)]
            for seed in (1, 2, 3)
        }
        assert all(first == second for first, second in texts.values())
        assert len({first for first, _ in texts.values()}) == 3

    def test_without_a_seed_answers_differ(self, model: CausalLM) -> None:
        request = generate(TEXTS[0], max_tokens=16, temperature=1.5)
        assert len({text_of(model, request) for _ in range(4)}) > 1

    def test_sampling_does_not_touch_the_random_numbers_of_others(self, model: CausalLM) -> None:
        torch.manual_seed(1)
        expected = torch.rand(3)
        torch.manual_seed(1)
        text_of(model, generate(TEXTS[0], max_tokens=4, temperature=1.0, seed=5))
        assert torch.equal(torch.rand(3), expected)

    @pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-4}])
    def test_the_narrowest_sampling_is_greedy(self, model: CausalLM, narrow: dict[str, float]) -> None:
        sampled: dict[str, Any] = {"temperature": 1.0, "seed": 3, **narrow}
        assert text_of(model, generate(TEXTS[1], max_tokens=16, **sampled)) == text_of(
            model, generate(TEXTS[1], max_tokens=16)
        )

    def test_frequencies_follow_the_model_s_probabilities(self, model: CausalLM) -> None:
        """The first token of 600 answers against the softmax: each frequency within four standard errors."""
        tokens = model._codec.text(TEXTS[0])
        with torch.no_grad():
            probabilities = torch.softmax(model._writer.network(torch.tensor([tokens])).logits[0, -1] / 2.0, -1)
        requests = [generate(TEXTS[0], key=str(seed), max_tokens=1, temperature=2.0, seed=seed) for seed in range(600)]
        texts = [response.text for response in answers(model, *requests).values()]
        for token in probabilities.topk(3).indices.tolist():
            text, share = model._codec.decode([token]), float(probabilities[token])
            if "\ufffd" not in text:
                error = (share * (1 - share) / 600) ** 0.5
                assert texts.count(text) / 600 == pytest.approx(share, abs=4 * error)

    def test_what_a_request_leaves_open_comes_from_the_checkpoint_s_settings(
        self, model: CausalLM, tmp_path: Path
    ) -> None:
        tuned = load_model(str(changed_checkpoint(tmp_path, top_k=1, repetition_penalty=1.7, do_sample=True)))
        assert isinstance(tuned, CausalLM)
        penalised = text_of(model, generate(TEXTS[1], max_tokens=16, repetition_penalty=1.7))
        assert text_of(tuned, generate(TEXTS[1], max_tokens=16)) == penalised
        assert text_of(tuned, generate(TEXTS[1], max_tokens=16, temperature=1.0)) == penalised
        plain = text_of(model, generate(TEXTS[1], max_tokens=16))
        assert text_of(tuned, generate(TEXTS[1], max_tokens=16, repetition_penalty=1.0)) == plain

    def test_a_repetition_penalty_equals_that_of_transformers_and_ignores_padding(self, model: CausalLM) -> None:
        fresh = transformers.AutoModelForCausalLM.from_pretrained(tiny_model())
        tokens = model._codec.text(TEXTS[4])
        plain = fresh.generate(
            torch.tensor([tokens]), max_new_tokens=16, do_sample=False, repetition_penalty=1.5, pad_token_id=0
        )
        found = answers(
            model, generate(TEXTS[3], max_tokens=16), generate(TEXTS[4], max_tokens=16, repetition_penalty=1.5)
        )
        assert found[TEXTS[4]].text == model._codec.decode(plain[0, len(tokens) :].tolist())


class TestConversations:
    def test_a_chat_model_reads_its_template(self) -> None:
        chat, base = load_model(str(tiny_model(chat=True))), load()
        rendered = "<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n<|im_start|>assistant\n"
        assert text_of(chat, generate("What is 2 + 2?", max_tokens=4)) == text_of(
            base, generate(rendered, max_tokens=4)
        )

    def test_chat_template_none_reads_plain_text(self) -> None:
        chat, base = load_model(str(tiny_model(chat=True)), chat_template="none"), load()
        assert text_of(chat, generate("Der", max_tokens=4)) == text_of(base, generate("Der", max_tokens=4))

    def test_a_conversation_that_the_template_refuses_is_rejected(self, tmp_path: Path) -> None:
        folder = tmp_path / "picky"
        shutil.copytree(tiny_model(chat=True), folder)
        (folder / "chat_template.jinja").write_text("{{ raise_exception('users only') }}")
        error = answers(load_model(str(folder)), generate("Hi"))["Hi"].error
        assert error is not None
        assert (error.kind, error.code) == (ErrorKind.REJECTED, "chat_template")
        assert "users only" in error.message

    def test_an_empty_conversation_is_answered_by_a_base_model(self, model: CausalLM) -> None:
        request = Request("empty", Generate(messages=(), config=GenerationConfig(max_tokens=3)))
        assert answers(model, request)["empty"].text is not None

    def test_reasoning_that_the_template_opened_is_kept_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "thinker"
        shutil.copytree(tiny_model(chat=True), folder)
        template = folder / "chat_template.jinja"
        template.write_text(template.read_text() + "<think>\n")
        model = load_model(str(folder))
        assert isinstance(model, CausalLM)
        unfinished = answers(model, generate("Hi", max_tokens=8))["Hi"]
        assert unfinished.text == ""
        assert unfinished.reasoning
        assert unfinished.usage is not None
        assert (unfinished.usage.reasoning_tokens or 0) > 0
        monkeypatch.setattr(model._codec, "decode", lambda *_, **__: "2 and 2\n</think>\n\nThe answer is 4.")
        finished = answers(model, generate("Hi", max_tokens=8))["Hi"]
        assert (finished.reasoning, finished.text) == ("2 and 2", "The answer is 4.")


def test_requests_are_read_only_as_far_ahead_as_one_window(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmuses.models.transformers.writing_scheduler.WINDOW", 4)
    read: list[int] = []

    def requests() -> Any:
        for number in range(100):
            read.append(number)
            yield generate("Der", key=str(number), max_tokens=1)

    responses = model.run(requests())
    assert isinstance(next(responses), Response)
    assert len(read) == 4
    for _ in range(4):
        next(responses)
    assert len(read) == 8
    responses.close()  # type: ignore[attr-defined]


def test_answers_come_as_their_batch_ends_with_their_times(model: CausalLM) -> None:
    found = answers(model, generate(TEXTS[0], max_tokens=2), generate(TEXTS[4], max_tokens=40))
    short, long = found[TEXTS[0]], found[TEXTS[4]]
    assert short.latency is not None
    assert long.latency is not None
    assert 0 < (short.first_token or 0) <= short.latency < long.latency


def test_a_network_that_computes_no_numbers_fails_greedy_and_sampled_answers(model: CausalLM) -> None:
    broken = load()
    with torch.no_grad():
        broken._writer.network.lm_head.weight.fill_(float("nan"))
    found = answers(broken, generate("Der", max_tokens=3), generate("Das", max_tokens=3, temperature=1.0))
    for response in found.values():
        assert response.error is not None
        assert response.error.code == "not_a_number"


def test_a_multi_turn_conversation_reaches_the_model_in_order() -> None:
    chat, base = load_model(str(tiny_model(chat=True))), load()
    messages = (Message("system", "Be brief."), Message("user", "1"), Message("assistant", "2"), Message("user", "3"))
    request = Request("turns", Generate(messages=messages, config=GenerationConfig(max_tokens=4)))
    rendered = "".join(f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages)
    assert text_of(chat, request) == text_of(base, generate(rendered + "<|im_start|>assistant\n", max_tokens=4))


class TestEqualRequests:
    def counted(self, model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Return a list that gets the number of rows of each pass."""
        rows: list[int] = []
        forward = model._writer.network.forward

        def counting(**inputs: Any) -> Any:
            rows.append(len(inputs["input_ids"]))
            return forward(**inputs)

        monkeypatch.setattr(model._writer.network, "forward", counting)
        return rows

    def test_greedy_ones_are_answered_once(self, model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = text_of(model, generate(TEXTS[0], max_tokens=6))
        rows = self.counted(model, monkeypatch)
        found = answers(model, *(generate(TEXTS[0], key=str(number), max_tokens=6, seed=number) for number in range(5)))
        assert {response.text for response in found.values()} == {expected}
        assert max(rows) == 1

    def test_also_when_the_first_one_has_been_answered_long_ago(
        self, model: CausalLM, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("llmuses.models.transformers.writing_scheduler.WINDOW", 1)
        rows = self.counted(model, monkeypatch)
        responses = model.run(generate(TEXTS[0], key=str(number), max_tokens=2) for number in range(4))
        texts = [response.text for response in responses]
        assert len(texts) == 4
        assert len(set(texts)) == 1
        assert len(rows) == 3  # the prompt, and two tokens

    def test_those_that_differ_in_their_end_are_not_equal(self, model: CausalLM) -> None:
        requests = [
            generate(TEXTS[0], key="short", max_tokens=2),
            generate(TEXTS[0], key="long", max_tokens=8),
            generate(TEXTS[0], key="stopped", max_tokens=8, stop=(" ",)),
        ]
        found = answers(model, *requests)
        for request in requests:
            assert found[request.key].text == text_of(model, request)

    def test_sampled_ones_are_several_samples_from_one_reading_of_the_prompt(
        self, model: CausalLM, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asks = [generate(TEXTS[3], key=str(number), max_tokens=8, temperature=1.0, seed=number) for number in range(6)]
        expected = [text_of(model, ask) for ask in asks]
        read: list[int] = []
        forward = model._writer.network.forward

        def counting(**inputs: Any) -> Any:
            read.append(inputs["input_ids"].shape[1])
            return forward(**inputs)

        monkeypatch.setattr(model._writer.network, "forward", counting)
        found = answers(model, *asks)
        assert [found[ask.key].text for ask in asks] == expected
        assert len(set(expected)) > 1
        assert sum(length for length in read if length > 1) == len(model._codec.text(TEXTS[3])) - 1


class TestMemory:
    @pytest.mark.parametrize("family", ["llama", "gemma3", "mamba"])
    def test_what_runs_out_of_memory_in_the_middle_is_taken_up_again_and_nothing_is_lost(
        self, family: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = load_model(str(tiny_family(family)), device_map="cpu")
        assert isinstance(model, CausalLM)
        asks = [
            *(generate(text, max_tokens=20) for text in TEXTS),
            *(generate(text, key=f"drawn {text}", max_tokens=20, temperature=1.0, seed=3) for text in TEXTS),
        ]
        expected = answers(model, *asks)
        forward, passes = model._writer.network.forward, 0

        def failing(**inputs: Any) -> Any:
            nonlocal passes
            passes += 1
            if passes in (1, 9, 21) or (passes > 5 and inputs["input_ids"].shape[0] > 5):
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(**inputs)

        monkeypatch.setattr(model._writer.network, "forward", failing)
        found = answers(model, *asks)
        assert passes > 21
        for key, response in expected.items():
            assert (found[key].text, found[key].finish_reason) == (response.text, response.finish_reason)
            assert found[key].usage == response.usage

    def test_an_answer_that_does_not_fit_alone_fails_and_says_what_helps(
        self, model: CausalLM, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forward = model._writer.network.forward

        def failing(**inputs: Any) -> Any:
            if inputs["input_ids"].shape[1] >= 20 or passes_long(inputs):
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(**inputs)

        def passes_long(inputs: dict[str, Any]) -> bool:
            return int(inputs["position_ids"].max()) >= 30

        monkeypatch.setattr(model._writer.network, "forward", failing)
        found = answers(model, generate(TEXTS[3], max_tokens=4), generate(TEXTS[4], max_tokens=4))
        error = found[TEXTS[3]].error
        assert error is not None
        assert (error.kind, error.code) == (ErrorKind.FAILED, "out_of_memory")
        assert found[TEXTS[4]].text is not None


def test_positions_that_depend_on_the_length_are_not_mixed() -> None:
    """Phi-3's long variants read all rows of a batch by the longest one: only what stays short is written in slots."""
    folder = str(tiny_phi_long(short=64))
    model = load_model(folder)
    assert isinstance(model, CausalLM)
    assert model.details["writing"] == "slots up to 64 tokens, then generate"
    assert load_model(folder, max_length=64).details["writing"] == "slots"
    asked = [
        generate(f"{text} {n}", max_tokens=n, key=f"{text}{n}") for text in (TEXTS[0], TEXTS[3]) for n in (1, 9, 30)
    ]
    lengths = {
        len(model._codec.text(request.ask.messages[0].content)) + request.ask.config.max_tokens - 1
        for request in asked
        if isinstance(request.ask, Generate)
    }
    assert min(lengths) < 60
    assert max(lengths) > 80
    found = answers(model, *asked)
    for request in asked:
        assert found[request.key].text == answers(model, request)[request.key].text
