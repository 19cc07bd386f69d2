"""infer: what is stored is not asked again, the rest is on disk before it is handed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from llmuses.errors import UnreachableError
from llmuses.inference import Item, Predictions, infer
from llmuses.records import (
    Generate,
    GenerationConfig,
    Image,
    Message,
    Prediction,
    Request,
    Response,
    Sample,
    prediction_key,
)
from llmuses.store import JsonlStore
from tests.support.scripted import ScriptedModel, failure, last_message, rejection


def item(name: str, prompt: str | None = None, repeat: int = 0, dataset: str = "sums") -> Item:
    sample = Sample(sample_id=name, subset="main", question=name, target="1")
    return Item(dataset, sample, repeat, Generate(messages=(Message("user", prompt or f"What is {name}?"),)))


def echo() -> ScriptedModel:
    return ScriptedModel(lambda ask: f"echo of {last_message(ask)}")


def lines(folder: Path, dataset: str = "sums") -> list[Prediction]:
    return list(JsonlStore(folder / f"{dataset}.jsonl", Prediction))


def test_every_item_is_asked_and_yielded_with_its_prediction(tmp_path: Path) -> None:
    items = [item(str(n)) for n in range(5)]
    pairs = list(infer(echo(), items, Predictions(tmp_path)))
    assert [i.sample.sample_id for i, _ in pairs] == ["0", "1", "2", "3", "4"]
    assert [p.response.text for _, p in pairs][3] == "echo of What is 3?"


def test_a_prediction_is_on_disk_when_it_is_handed_on(tmp_path: Path) -> None:
    for count, (_, prediction) in enumerate(infer(echo(), [item(str(n)) for n in range(4)], Predictions(tmp_path)), 1):
        assert [line.key for line in lines(tmp_path)][-1] == prediction.key
        assert len(lines(tmp_path)) == count


def test_what_is_stored_is_not_asked_again(tmp_path: Path) -> None:
    items = [item(str(n)) for n in range(6)]
    list(infer(echo(), items[:4], Predictions(tmp_path)))
    model = echo()
    pairs = list(infer(model, items, Predictions(tmp_path)))
    assert [last_message(ask) for ask in model.asked] == ["What is 4?", "What is 5?"]
    assert sorted(p.sample_id for _, p in pairs) == list("012345")
    assert len(lines(tmp_path)) == 6


def test_a_changed_prompt_is_asked_and_its_old_answer_set_aside(tmp_path: Path) -> None:
    list(infer(echo(), [item("0"), item("1")], Predictions(tmp_path)))
    model = echo()
    list(infer(model, [item("0", "What is nought?"), item("1")], Predictions(tmp_path)))
    assert [last_message(ask) for ask in model.asked] == ["What is nought?"]
    assert [line.sample_id for line in lines(tmp_path)] == ["1", "0"]
    aside = list(JsonlStore(tmp_path / "sums.superseded.jsonl", Prediction))
    assert [last_message(line.ask) for line in aside] == ["What is 0?"]


@pytest.mark.parametrize(
    "change",
    [
        lambda ask, identity, repeat: (ask, identity + "x", repeat),
        lambda ask, identity, repeat: (ask, identity, repeat + 1),
        lambda ask, identity, repeat: (
            Generate(messages=ask.messages, config=GenerationConfig(temperature=0.5)),
            identity,
            repeat,
        ),
        lambda ask, identity, repeat: (Generate(messages=(Message("user", "other"),)), identity, repeat),
        lambda ask, identity, repeat: (Generate(messages=(Message("system", "a"),)), identity, repeat),
        lambda ask, identity, repeat: (
            Generate(messages=(Message("user", "a", (Image("image/png", b"x"),)),)),
            identity,
            repeat,
        ),
    ],
)
def test_whatever_could_change_an_answer_changes_its_key(change: object) -> None:
    plain = (Generate(messages=(Message("user", "a"),)), "model", 0)
    assert callable(change)
    assert prediction_key(*change(*plain)) != prediction_key(*plain)
    assert prediction_key(*plain) == prediction_key(Generate(messages=(Message("user", "a"),)), "model", 0)


def test_the_key_of_an_ask_in_words_is_what_it_was_before_messages_could_hold_images() -> None:
    ask = Generate(messages=(Message("system", "x"), Message("user", "hé\n")))
    assert prediction_key(ask, "id", 0) == "8495e42b20f604969f40c5fd"


def test_a_failure_is_asked_again_and_a_rejection_is_not(tmp_path: Path) -> None:
    items = [item("fails"), item("refused"), item("fine")]

    def moody(ask: object) -> object:
        text = last_message(ask)  # type: ignore[arg-type]
        return failure() if "fails" in text else rejection() if "refused" in text else "yes"

    first = list(infer(ScriptedModel(moody), items, Predictions(tmp_path)))  # type: ignore[arg-type]
    assert [p.response.error.code if p.response.error else "" for _, p in first] == ["http_500", "content_filter", ""]
    model = echo()
    list(infer(model, items, Predictions(tmp_path)))
    assert [last_message(ask) for ask in model.asked] == ["What is fails?"]
    assert sorted(line.sample_id for line in lines(tmp_path)) == ["fails", "fine", "refused"]


def test_equal_requests_in_flight_are_sent_once_and_answer_all(tmp_path: Path) -> None:
    class Batched(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            yield from super().run(list(requests))

    model = Batched(lambda ask: "same")
    pairs = list(infer(model, [item("a", "same?"), item("b", "same?"), item("c")], Predictions(tmp_path)))
    assert len(model.asked) == 2
    assert sorted(p.sample_id for _, p in pairs) == ["a", "b", "c"]
    again = echo()
    list(infer(again, [item("a", "same?"), item("b", "same?"), item("c")], Predictions(tmp_path)))
    assert again.asked == []


def test_an_answer_of_another_run_is_copied_under_the_same_key_only(tmp_path: Path) -> None:
    list(infer(echo(), [item("old-name", "What?")], Predictions(tmp_path / "a")))
    model = echo()
    other = [tmp_path / "a" / "sums.jsonl"]
    pairs = list(infer(model, [item("new-name", "What?"), item("x")], Predictions(tmp_path / "b"), reuse=other))
    assert [last_message(ask) for ask in model.asked] == ["What is x?"]
    assert {p.sample_id for _, p in pairs} == {"new-name", "x"}
    assert {line.sample_id for line in lines(tmp_path / "b")} == {"new-name", "x"}
    stranger = ScriptedModel(lambda ask: "mine", identity="another model")
    list(infer(stranger, [item("new-name", "What?")], Predictions(tmp_path / "c"), reuse=other))
    assert len(stranger.asked) == 1


def test_new_answers_go_to_the_shared_store_and_failures_do_not(tmp_path: Path) -> None:
    share = JsonlStore(tmp_path / "shared.jsonl", Prediction)
    model = ScriptedModel(lambda ask: failure() if "bad" in last_message(ask) else "ok")
    list(infer(model, [item("good"), item("bad")], Predictions(tmp_path / "run"), share=share))
    assert [line.sample_id for line in share] == ["good"]


def test_a_request_that_the_model_forgets_is_a_failure_with_a_reason(tmp_path: Path) -> None:
    class Forgetful(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            yield from (response for response in super().run(requests) if response.text != "lost")

    model = Forgetful(lambda ask: "lost" if "1" in last_message(ask) else "ok")
    pairs = {p.sample_id: p for _, p in infer(model, [item("0"), item("1")], Predictions(tmp_path))}
    assert pairs["1"].response.error is not None
    assert pairs["1"].response.error.code == "no_response"


def test_closing_the_iterator_closes_the_model_s(tmp_path: Path) -> None:
    closed = []

    class Closing(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            try:
                yield from super().run(requests)
            finally:
                closed.append(True)

    answers = infer(Closing(lambda ask: "ok"), [item(str(n)) for n in range(9)], Predictions(tmp_path))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert closed == [True]
    assert len(lines(tmp_path)) == 1


def test_an_error_of_the_model_ends_the_run_and_keeps_what_was_answered(tmp_path: Path) -> None:
    class Vanishing(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            for count, response in enumerate(super().run(requests)):
                if count == 2:
                    raise UnreachableError("gone")
                yield response

    with pytest.raises(UnreachableError):
        list(infer(Vanishing(lambda ask: "ok"), [item(str(n)) for n in range(9)], Predictions(tmp_path)))
    assert len(lines(tmp_path)) == 2
