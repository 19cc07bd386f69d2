"""The openai backend against a local server that answers, and misbehaves, on demand."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator

import pytest

from llmuses.errors import (
    LlmusesError,
    MissingKeyError,
    ModelError,
    UnknownNameError,
    UnreachableError,
    UsageError,
)
from llmuses.models import Model, load_model
from llmuses.models.openai import gate
from llmuses.records import ErrorKind, Generate, Message, Mode, Request
from tests.support.asking import answers, generate, loglikelihood
from tests.support.mock_openai import answer_to, token_logprob, tokens_of
from tests.support.servers import MockServer, mock_openai

CHOICE = "Which is a fruit?\nA. stone\nB. pear\nC. rain\nD. dust\nAnswer:"
KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delays are short, and the surroundings hold neither key nor address."""
    monkeypatch.setattr(gate, "FIRST_DELAY", 0.01)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with mock_openai() as running:
        yield running


def model_at(server: MockServer, **args: object) -> Model:
    return load_model("openai:some-model", base_url=server.base_url, **args)


def one_line(raised: pytest.ExceptionInfo[LlmusesError]) -> str:
    message = str(raised.value)
    assert "\n" not in message
    assert KEY not in message
    return message


# --- Answers ------------------------------------------------------------------------------------------------------


def test_an_answer_comes_with_all_that_the_server_says_about_it(server: MockServer) -> None:
    response = answers(model_at(server), generate(CHOICE))[CHOICE]
    assert response.text == answer_to(CHOICE)
    assert response.error is None
    assert response.reasoning is None
    assert response.finish_reason == "stop"
    assert response.served_model == "some-model-served"
    assert response.attempts == 1
    assert response.latency is not None
    assert 0 < response.latency < 5
    assert response.usage is not None
    assert response.usage.prompt_tokens == len(CHOICE) // 4
    assert response.usage.completion_tokens == 4
    assert response.usage.cached_tokens == 1
    assert response.usage.reasoning_tokens == 2


def test_the_latency_is_the_servers_not_that_of_waiting_for_a_slot() -> None:
    with mock_openai(latency="0.1") as slow:
        found = answers(model_at(slow, max_concurrency=2), *[generate(f"Question {n}") for n in range(10)])
    latencies = [response.latency or 0 for response in found.values()]
    assert min(latencies) >= 0.1
    assert sorted(latencies)[5] < 0.2


def test_a_conversation_is_sent_whole(server: MockServer) -> None:
    turns = (
        Message("system", "Be brief."),
        Message("user", "2+2?"),
        Message("assistant", "4"),
        Message("user", "3+3?"),
    )
    request = Request("k", Generate(messages=turns))
    whole = "\n".join(turn.content for turn in turns)
    assert answers(model_at(server), request)["k"].text == answer_to(whole)


def test_the_system_prompt_stands_before_it(server: MockServer) -> None:
    model = model_at(server, system_prompt="Be brief.")
    assert answers(model, generate("3+3?"))["3+3?"].text == answer_to("Be brief.\n3+3?")


def test_the_slots_are_filled_and_no_more_than_those() -> None:
    with mock_openai(latency="0.02") as server:
        found = answers(model_at(server, max_concurrency="8"), *[generate(f"Question {n}") for n in range(100)])
        assert server.stats().peak == 8
    assert all(response.text == answer_to(key) for key, response in found.items())


@pytest.mark.parametrize("way", ["field", "think"])
def test_reasoning_is_kept_apart(way: str) -> None:
    with mock_openai(reasoning=way) as server:
        response = answers(model_at(server), generate(CHOICE))[CHOICE]
    assert response.reasoning == "Let me think."
    assert response.text == answer_to(CHOICE)


def test_a_model_may_be_asked_again_and_again(server: MockServer) -> None:
    model = model_at(server)
    for _ in range(3):
        assert answers(model, generate("Once more"))["Once more"].text == answer_to("Once more")
    model.close()
    model.close()


def test_closing_the_iterator_hangs_up_on_the_server_at_once() -> None:
    with mock_openai(faults="hang=0.999") as server:
        model = model_at(server, max_concurrency=8)
        begin = time.monotonic()

        def requests() -> Iterator[Request]:
            for n in range(1000):
                if time.monotonic() > begin + 0.5:
                    raise KeyboardInterrupt
                time.sleep(0.1)
                yield generate(f"Question {n}")

        with pytest.raises(KeyboardInterrupt):
            list(model.run(requests()))
        assert time.monotonic() - begin < 30, "no answer would ever come"


def test_requests_per_minute_are_kept() -> None:
    with mock_openai() as server:
        begin = time.monotonic()
        answers(model_at(server, rpm="1200"), *[generate(f"Question {n}") for n in range(11)])
        assert time.monotonic() - begin >= 0.5


def test_tokens_per_minute_are_kept() -> None:
    text = "word " * 200
    with mock_openai() as server:
        begin = time.monotonic()
        answers(model_at(server, tpm="30000"), *[generate(f"{n} {text}") for n in range(4)])
        assert time.monotonic() - begin >= 3 * 250 / 30000 * 60 * 0.8


# --- Faults that may pass -----------------------------------------------------------------------------------------

PASSING = {
    "429": "http_429",
    "503": "http_503",
    "500": "http_500",
    "half": "cut_off",
    "disconnect": "disconnected",
    "garbage": "bad_body",
    "empty": "empty_body",
    "no_choices": "no_choices",
}


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_repeated(kind: str) -> None:
    with mock_openai(faults=f"{kind}=1", fault_tries=2) as server:
        responses = answers(model_at(server), *[generate(f"Question {n}") for n in range(5)])
    assert all(response.text == answer_to(key) for key, response in responses.items())
    assert {response.attempts for response in responses.values()} == {3}


@pytest.mark.parametrize("kind", PASSING)
def test_what_does_not_pass_fails_with_its_reason_and_the_others_are_answered(kind: str) -> None:
    with mock_openai(faults=f"{kind}=0.4") as server:
        model = model_at(server, max_retries=2)
        responses = answers(model, *[generate(f"Question {n}") for n in range(30)])
        stats = server.stats()
    failed = [response.error for response in responses.values() if response.error]
    assert 3 < len(failed) < 27
    assert {(error.kind, error.code) for error in failed} == {(ErrorKind.FAILED, PASSING[kind])}
    assert all(error.message and "\n" not in error.message for error in failed)
    assert all(response.text == answer_to(key) for key, response in responses.items() if not response.error)
    assert max(stats.asked.values()) == 3


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_the_timeout() -> None:
    with mock_openai(faults="hang=0.3") as server:
        model = model_at(server, timeout="0.2", max_retries=1)
        responses = answers(model, *[generate(f"Question {n}") for n in range(20)])
    codes = {response.error.code for response in responses.values() if response.error}
    assert codes == {"timeout"}
    assert any(response.text for response in responses.values())


def test_what_the_server_asks_to_wait_is_waited() -> None:
    with mock_openai(faults="429=1", fault_tries=1, retry_after="1") as server:
        begin = time.monotonic()
        assert answers(model_at(server), generate("Question"))["Question"].attempts == 2
        assert time.monotonic() - begin >= 1


def test_a_server_that_takes_fewer_at_once_than_there_are_slots_answers_everybody() -> None:
    with mock_openai(latency="0.02", limit=4) as server:
        model = model_at(server, max_concurrency=16)
        responses = answers(model, *[generate(f"Question {n}") for n in range(120)])
        stats = server.stats()
    assert [response.error for response in responses.values() if response.error] == []
    assert 0 < stats.faults["limit"] < 120


@pytest.mark.parametrize("kind", ["500", "garbage", "no_choices"])
def test_a_server_that_answers_nothing_but_errors_is_soon_asked_once_each(kind: str) -> None:
    with mock_openai(faults=f"{kind}=1") as server:
        responses = answers(
            model_at(server, max_concurrency=4, max_retries=2), *[generate(f"Q {n}") for n in range(60)]
        )
        asked = server.stats().requests
    assert {response.error and response.error.code for response in responses.values()} == {PASSING[kind]}
    assert asked < 60 + 2 * 2 * (8 + 4), "each is asked once, but for the first ones"


def test_patience_comes_back_with_an_answer() -> None:
    with mock_openai(faults="500=1", fault_tries=2) as server:
        model = model_at(server, max_concurrency=1, max_retries=1)
        lost = answers(model, *[generate(f"Lost {n}") for n in range(20)])
        attempts = [lost[f"Lost {n}"].attempts for n in range(20)]
        assert (attempts[:8], attempts[12:]) == ([2] * 8, [1] * 8)
        assert answers(model, generate("Lost 0"))["Lost 0"].error is None
        assert answers(model, generate("Another"))["Another"].attempts == 2


def test_a_server_that_dies_in_the_middle_of_a_run_leaves_failed_requests() -> None:
    with mock_openai(latency="0.02") as server:
        model = model_at(server, max_concurrency=4, max_retries=1)
        responses = []
        for response in model.run(generate(f"Question {n}") for n in range(60)):
            responses.append(response)
            if len(responses) == 10:
                server.kill()
    assert len(responses) == 60
    failed = [response.error for response in responses if response.error]
    assert len(failed) > 30
    assert {error.kind for error in failed} == {ErrorKind.FAILED}
    assert {error.code for error in failed} <= {"unreachable", "disconnected"}


# --- Refusals of one request --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("content_filter", "content_filter"),
        ("filtered", "content_filter"),
        ("context_length", "context_length"),
        ("400", "http_400"),
    ],
)
def test_what_the_server_refuses_for_good_is_rejected_and_not_repeated(kind: str, code: str) -> None:
    with mock_openai(faults=f"{kind}=0.5") as server:
        responses = answers(model_at(server), *[generate(f"Question {n}") for n in range(20)])
        asked = server.stats().asked
    assert max(asked.values()) == 1 and len(asked) <= 21
    rejected = [response.error for response in responses.values() if response.error]
    assert 2 < len(rejected) < 18
    assert {(error.kind, error.code) for error in rejected} == {(ErrorKind.REJECTED, code)}


@pytest.mark.parametrize("kind", ["context_length", "400"])
def test_what_is_refused_to_every_request_is_no_verdict_on_any_of_them(kind: str) -> None:
    with mock_openai(faults=f"{kind}=1") as server:
        with pytest.raises(ModelError, match="cannot be asked like this") as raised:
            answers(model_at(server), *[generate(f"Question {n}") for n in range(20)])
        assert server.stats().asked["Say yes."] == 1
    assert "maximum context length" in one_line(raised) or "cannot be read" in one_line(raised)


def test_a_refusal_that_is_neither_passing_nor_the_requests_fault_fails_without_repetition(server: MockServer) -> None:
    with mock_openai(faults="forbidden=0.5") as server:
        model = model_at(server, max_concurrency=1)
        for n in range(20):  # the first answer first: a server that forbids everything ends the run
            if server.stats().faults == {} and answers(model, generate(f"Question {n}"))[f"Question {n}"].text:
                break
        responses = answers(model, *[generate(f"Other {n}") for n in range(20)])
        assert max(server.stats().asked.values()) == 1
    errors = {(response.error.kind, response.error.code) for response in responses.values() if response.error}
    assert errors == {(ErrorKind.FAILED, "http_403")}


# --- What ends the run --------------------------------------------------------------------------------------------


def ask_many(model: Model) -> None:
    list(model.run(generate(f"Question {n}") for n in range(10_000)))


def test_a_wrong_key_ends_the_run_and_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with mock_openai(key="another") as server:
        with pytest.raises(UnreachableError) as raised:
            ask_many(model_at(server))
        assert server.stats().requests <= 64
    message = one_line(raised)
    assert "does not accept the key in OPENAI_API_KEY" in message
    assert "***" in message


def test_a_local_server_that_wants_a_key_says_where_to_put_it() -> None:
    with mock_openai(key="something") as server, pytest.raises(UnreachableError) as raised:
        ask_many(model_at(server))
    assert "set OPENAI_API_KEY" in one_line(raised)


def test_an_unknown_model_ends_the_run_and_the_known_one_is_named() -> None:
    with mock_openai(model="some-model-7b") as server:
        with pytest.raises(UnreachableError) as raised:
            ask_many(model_at(server))
        assert server.stats().requests <= 64
    message = one_line(raised)
    assert "does not know the model 'some-model'" in message
    assert "did you mean 'some-model-7b'?" in message


def test_a_server_that_is_not_there_ends_the_run() -> None:
    begin = time.monotonic()
    with pytest.raises(UnreachableError) as raised:
        ask_many(load_model("openai:m", base_url="http://127.0.0.1:9/v1"))
    assert time.monotonic() - begin < 3
    assert "cannot reach http://127.0.0.1:9/v1: Connection refused" in one_line(raised)


def test_a_server_that_speaks_no_tls_ends_the_run(server: MockServer) -> None:
    with pytest.raises(UnreachableError) as raised:
        ask_many(load_model("openai:m", base_url=f"https://127.0.0.1:{server.port}/v1"))
    assert "no TLS connection" in one_line(raised)


def test_a_server_that_hangs_up_on_everybody_ends_the_run() -> None:
    with mock_openai(faults="disconnect=1") as server, pytest.raises(UnreachableError) as raised:
        ask_many(model_at(server, max_retries=1))
    assert "gives no answer" in one_line(raised)


def test_an_address_without_its_v1_ends_the_run(server: MockServer) -> None:
    with pytest.raises(UnreachableError) as raised:
        ask_many(load_model("openai:m", base_url=server.base_url.removesuffix("/v1")))
    assert "usually ends in /v1" in one_line(raised)


def test_a_used_up_quota_ends_the_run() -> None:
    with mock_openai(faults="quota=1") as server, pytest.raises(UnreachableError) as raised:
        ask_many(model_at(server))
    assert "quota" in one_line(raised)


def test_a_parameter_that_the_server_does_not_take_ends_the_run() -> None:
    with mock_openai(dialect="strict") as server, pytest.raises(ModelError) as raised:
        answers(model_at(server), generate("Question", top_k=5))
    assert "top_k" in one_line(raised)


# --- What a server teaches ----------------------------------------------------------------------------------------


def test_a_server_with_newer_parameters_is_asked_with_those() -> None:
    with mock_openai(dialect="modern", latency="0.01") as server:
        model = model_at(server, max_concurrency=4)
        responses = answers(model, *[generate(f"Question {n}") for n in range(40)])
        first = server.stats().requests
        assert first <= 40 + 2 * 8, "only what was under way or ready to be sent is refused"
        answers(model, generate("Question"))
        assert server.stats().requests == first + 1
    assert all(response.text == answer_to(key) for key, response in responses.items())
    assert {response.attempts for response in responses.values()} == {1}
    adapted = ["max_completion_tokens in place of max_tokens", "temperature left to the server"]
    assert model.details["adapted"] == adapted


def test_a_server_that_only_streams_is_read_as_a_stream() -> None:
    with mock_openai(dialect="stream", reasoning="field") as server:
        response = answers(model_at(server), generate(CHOICE))[CHOICE]
    assert response.text == answer_to(CHOICE)
    assert response.reasoning == "Let me think."
    assert response.finish_reason == "stop"
    assert response.usage is not None
    assert response.usage.completion_tokens == 4


# --- Log-probabilities --------------------------------------------------------------------------------------------


def expected(context: str, continuation: str) -> float:
    """Return the sum over the tokens that reach into the continuation."""
    before, total = "", 0.0
    for token in tokens_of(context + continuation):
        if len(before) + len(token) > len(context):
            total += token_logprob(before, token)
        before += token
    return total


CLOZE = ("What falls from clouds?", " rain and some snow", " stones", " a pear, or two!")
LETTERS = (CHOICE, " A", " B", " C", " D")


@pytest.mark.parametrize("bos", [False, True])
@pytest.mark.parametrize("texts", [LETTERS, CLOZE, ("Ends with a space: ", "B", "a word")])
def test_echoed_prompts_give_exact_sums(bos: bool, texts: tuple[str, ...]) -> None:
    context, *continuations = texts
    with mock_openai(bos=bos) as server:
        model = model_at(server)
        response = answers(model, loglikelihood(context, *continuations))[context]
    assert response.scores is not None
    assert [score.logprob for score in response.scores] == pytest.approx([expected(context, c) for c in continuations])
    assert all(score.greedy for score in response.scores)
    assert response.usage is not None
    assert model.details["logprobs"] == "completions"


def test_tokens_that_cannot_be_shown_are_counted() -> None:
    context, continuations = "天上会落下什么？", ("雨", "石头")
    with mock_openai(split_unicode=True) as server:
        response = answers(model_at(server), loglikelihood(context, *continuations))[context]
        assert server.stats().asked == {context: 1, **{context + c: 1 for c in continuations}}
    assert response.scores is not None
    assert [score.tokens for score in response.scores] == [3, 6]


def test_letters_are_read_from_chat_where_prompts_are_not_echoed() -> None:
    with mock_openai(logprobs="chat") as server:
        model = model_at(server)
        response = answers(model, loglikelihood(*LETTERS))[CHOICE]
        before = server.stats().requests
        answers(model, loglikelihood(*LETTERS))
        assert server.stats().requests == before + 1, "the way is remembered"
    assert response.scores is not None
    sums = [math.log(math.exp(token_logprob(CHOICE, x)) + math.exp(token_logprob(CHOICE, f" {x}"))) for x in "ABCD"]
    assert [score.logprob for score in response.scores] == pytest.approx(sums)
    assert sum(score.greedy for score in response.scores) <= 1
    assert model.details["logprobs"] == "chat"


def test_a_letter_that_is_not_among_the_likeliest_tokens_has_no_logprob() -> None:
    with mock_openai(logprobs="chat", top=5) as server:
        model = model_at(server)
        response = answers(model, loglikelihood(*LETTERS, " E"))[CHOICE]
    logprobs = [score.logprob for score in response.scores or ()]
    assert len(logprobs) == 5
    assert logprobs[4] is None
    assert any(value is not None for value in logprobs)
    assert model.details["adapted"] == ["5 top log-probabilities"]


def test_chat_cannot_score_continuations_of_many_words() -> None:
    with mock_openai(logprobs="chat") as server, pytest.raises(ModelError) as raised:
        answers(model_at(server), loglikelihood(*CLOZE))
    assert "mode generate" in one_line(raised)


@pytest.mark.parametrize("way", ["auto", "chat", "completions"])
def test_a_server_without_logprobs_ends_the_run_with_the_way_out(way: str) -> None:
    with mock_openai(logprobs="none") as server, pytest.raises(ModelError) as raised:
        answers(model_at(server, logprobs=way), loglikelihood(*LETTERS))
    one_line(raised)
    if way != "completions":
        assert "mode generate" in str(raised.value)


def test_the_endpoint_may_be_chosen() -> None:
    with mock_openai() as server:
        response = answers(model_at(server, logprobs="chat"), loglikelihood(*LETTERS))[CHOICE]
        assert server.stats().requests == 1
    assert response.scores is not None


def test_faults_in_scoring_are_repeated() -> None:
    with mock_openai(faults="500=0.5", fault_tries=1) as server:
        responses = answers(model_at(server), *[loglikelihood(f"Question {n}", " A", " B") for n in range(10)])
    assert all(response.scores for response in responses.values())
    assert any(response.attempts > 1 for response in responses.values())


# --- Arguments, key, identity -------------------------------------------------------------------------------------


def test_a_server_elsewhere_needs_a_key() -> None:
    with pytest.raises(MissingKeyError) as raised:
        load_model("openai:m", base_url="https://api.example.org/v1", api_key_env="EXAMPLE_KEY")
    assert "EXAMPLE_KEY" in one_line(raised)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_a_server_on_this_machine_needs_none(host: str) -> None:
    assert load_model("openai:m", base_url=f"http://{host}:8000/v1").details["server"].startswith(f"http://{host}:8000")


@pytest.mark.parametrize("address", ["localhost:8000/v1", "ftp://localhost/v1", "http://", "http://h:port/v1"])
def test_what_is_no_address_is_said_so(address: str) -> None:
    with pytest.raises(UsageError, match="base_url"):
        load_model("openai:m", base_url=address)


def test_the_identity_names_what_changes_answers_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def identity(**args: object) -> str:
        return load_model("openai:m", **{"base_url": "https://api.example.org/v1", **args}).identity

    plain = identity()
    assert plain == identity(base_url="https://me:pw@API.example.org:443/v1/", max_concurrency=3, timeout=9, rpm=10)
    others = [
        identity(base_url="https://api.example.org/v2"),
        identity(system_prompt="Be brief."),
        identity(reasoning_effort="low"),
        identity(reasoning_budget=100),
        identity(reasoning_budget=0),
        identity(logprobs="chat"),
    ]
    assert len({plain, *others}) == 7
    assert plain != load_model("openai:n", base_url="https://api.example.org/v1").identity


def test_the_key_is_in_nothing_that_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = load_model("openai:m", base_url=f"https://user:{KEY}@api.example.org/v1?token={KEY}")
    assert KEY not in model.identity + repr(dict(model.details)) + model.name
    assert model.prefers is Mode.GENERATE


def test_a_model_that_is_served_under_its_folders_path_is_called_by_the_folders_name() -> None:
    model = load_model("openai:/models/some-model", base_url="http://localhost:8000/v1")
    assert model.name == "some-model"
    assert "/models/some-model" in model.identity
    assert load_model("openai:org/some-model", base_url="http://localhost:8000/v1").name == "org/some-model"


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, server: MockServer) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    assert load_model("openai:m").details["server"] == server.base_url


def test_arguments_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'max_concurrency'"):
        load_model("openai:m", max_concurency=3)
    with pytest.raises(UsageError):
        load_model("openai:m", max_concurrency=0)
    with pytest.raises(UsageError, match="reasoning_effort"):
        load_model("openai:m", reasoning_budget=100)
