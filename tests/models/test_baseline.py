"""Reference players without weights."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from llmuses.errors import UnknownNameError
from llmuses.models import load_model
from llmuses.models.baseline import options_of
from llmuses.records import Mode, prediction_key
from tests.support.asking import answers, generate, loglikelihood

SHOTS = (
    "Sum?\nA. 1\nB. 2\nC. 3\nAnswer: C\n\nSky?\nA. red\nB. blue\nC. grey\nAnswer: C\n\nGrass?\nA. green\nAnswer: A\n\n"
)
QUESTION = "Fruit?\nA. stone\nB. pear\nC. rain\nAnswer:"
LETTERS = (" A", " B", " C")


@pytest.mark.parametrize(
    ("prompt", "letters"),
    [
        (QUESTION, "ABC"),
        (SHOTS + QUESTION, "ABC"),
        (SHOTS, "A"),
        ("Fruit?\n(A) stone\n(B) pear", "AB"),
        ("水果？\nA、石头\nB、梨\n答案：", "AB"),
        ("What is 2 + 2?", ""),
    ],
)
def test_the_options_of_the_last_question_are_found(prompt: str, letters: str) -> None:
    assert options_of(prompt) == list(letters)


def test_random_chooses_each_option_equally_often() -> None:
    model = load_model("baseline:random")
    requests = [loglikelihood(QUESTION, *LETTERS, key=str(n)) for n in range(3000)]
    chosen = Counter([s.greedy for s in r.scores or ()].index(True) for r in answers(model, *requests).values())
    assert all(900 < chosen[index] < 1100 for index in range(3))
    written = answers(model, *[generate(QUESTION, key=str(n)) for n in range(3000)])
    texts = Counter(response.text for response in written.values())
    assert texts.keys() == {"Answer: A", "Answer: B", "Answer: C"}
    assert min(texts.values()) > 900


def test_random_gives_the_same_request_the_same_answer_and_another_repeat_its_own() -> None:
    model = load_model("baseline:random")
    ask = generate("What is 2 + 2?").ask
    keys = [prediction_key(ask, model.identity, repeat) for repeat in range(20)]
    first = answers(model, *[generate("What is 2 + 2?", key=key) for key in keys])
    again = answers(load_model("baseline:random"), *[generate("What is 2 + 2?", key=key) for key in reversed(keys)])
    assert {key: r.text for key, r in first.items()} == {key: r.text for key, r in again.items()}
    assert len({response.text for response in first.values()}) > 5


def test_another_seed_is_another_player() -> None:
    one, two = load_model("baseline:random"), load_model("baseline:random", seed="1")
    assert one.identity != two.identity
    requests = [generate("What is 2 + 2?", key=str(n)) for n in range(20)]
    assert [r.text for r in answers(one, *requests).values()] != [r.text for r in answers(two, *requests).values()]


def test_majority_says_the_letter_that_the_worked_examples_give_most() -> None:
    model = load_model("baseline:majority")
    found = answers(model, generate(SHOTS + QUESTION, "shots"), generate(QUESTION, "none"), generate("2 + 2?", "sum"))
    assert found["shots"].text == "Answer: C"
    assert found["none"].text == "Answer: A"
    assert found["sum"].text == "The answer is 1."
    scored = answers(model, loglikelihood(SHOTS + QUESTION, *LETTERS, key="shots"))["shots"].scores or []
    assert [score.greedy for score in scored] == [False, False, True]


def test_echo_says_its_prompt_back() -> None:
    model = load_model("baseline:echo")
    assert answers(model, generate("What is 2 + 2?"))["What is 2 + 2?"].text == "What is 2 + 2?"
    scores = answers(model, loglikelihood("It rains pears", " stones", " pears"))["It rains pears"].scores or []
    assert [score.greedy for score in scores] == [False, True]


def test_scores_are_as_many_as_the_continuations_and_one_is_best() -> None:
    for player in ("random", "majority", "echo"):
        scores = answers(load_model(f"baseline:{player}"), loglikelihood(QUESTION, *LETTERS))[QUESTION].scores or []
        assert len(scores) == 3
        logprobs = sorted(score.logprob or 0.0 for score in scores)
        assert logprobs[-1] > logprobs[-2]


def test_a_delay_makes_it_slow_enough_to_be_watched() -> None:
    model = load_model("baseline:random", delay="0.05")
    assert model.identity == load_model("baseline:random").identity
    begin = time.monotonic()
    answers(model, generate("a"), generate("b"))
    assert time.monotonic() - begin >= 0.1


def test_an_unknown_player_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'random'"):
        load_model("baseline:randon")


def test_multiple_choice_is_best_asked_by_logprob() -> None:
    assert load_model("baseline:echo").prefers is Mode.LOGPROB
