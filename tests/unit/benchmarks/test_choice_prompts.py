"""Prompts of HellaSwag, CMMLU, MMLU-Pro and GPQA letter by letter, and how answers to them are scored."""

from __future__ import annotations

from typing import Any

import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.records import Generate, Loglikelihood, Mode, Sample
from tests.unit.benchmarks.plans import plan_for, scored, written

HELLASWAG, CMMLU = get_benchmark("hellaswag"), get_benchmark("cmmlu")
MMLU_PRO, GPQA = get_benchmark("mmlu_pro"), get_benchmark("gpqa")


def sample(subset: str, question: str, choices: str, target: str, **details: Any) -> Sample:
    return Sample(
        sample_id="x", subset=subset, question=question, choices=choices.split("|"), target=target, details=details
    )


def context(benchmark: str, asked: Sample, shots: list[Sample]) -> Loglikelihood:
    chosen = get_benchmark(benchmark)
    ask = chosen.prompt(asked, shots, plan_for(chosen, Mode.LOGPROB, len(shots))).ask
    assert isinstance(ask, Loglikelihood)
    return ask


def message(benchmark: str, asked: Sample, shots: list[Sample]) -> str:
    chosen = get_benchmark(benchmark)
    ask = chosen.prompt(asked, shots, plan_for(chosen, Mode.GENERATE, len(shots))).ask
    assert isinstance(ask, Generate)
    (only,) = ask.messages
    return only.content


# --- HellaSwag ---------------------------------------------------------------------------------------------

SCENE = sample("default", "Baking: A man kneads dough. He", "bakes it.| Wait. Bake.|eats it.|sings.", "B")
SHOT = sample("default", "Running: A girl ties her shoes. She", "runs.|sleeps.|swims.|flies.", "A")


def test_hellaswags_endings_go_on_with_the_scene_without_a_cue_as_in_lm_evaluation_harness() -> None:
    ask = context("hellaswag", SCENE, [SHOT])
    assert ask.context == "Running: A girl ties her shoes. She runs.\n\nBaking: A man kneads dough. He"
    assert ask.continuations == (" bakes it.", "  Wait. Bake.", " eats it.", " sings.")


def test_hellaswags_endings_stand_under_letters_where_one_is_to_be_written() -> None:
    assert message("hellaswag", SCENE, []) == (
        "Which ending goes on with the scene most plausibly? End with a line of the form “Answer: LETTER”, where LETTER "
        "is the letter of that ending.\n\n"
        "Baking: A man kneads dough. He\nA. bakes it.\nB. Wait. Bake.\nC. eats it.\nD. sings.\nAnswer:"
    )


def test_hellaswag_is_scored_by_the_sum_and_per_byte() -> None:
    # Per byte " Wait. Bake." (12) is the likeliest, as a sum "sings." (6).
    judgement = HELLASWAG.judge(SCENE, scored(-9, -6, -9, -5), plan_for(HELLASWAG, Mode.LOGPROB))
    assert judgement.scores == {"acc_norm": 1.0, "acc": 0.0}


def test_hellaswag_is_asked_without_worked_examples_and_its_guess_is_a_quarter() -> None:
    assert HELLASWAG.few_shot == 0
    assert HELLASWAG.chance == 0.25


# --- CMMLU -------------------------------------------------------------------------------------------------


def test_cmmlus_log_likelihood_prompt_is_that_of_its_authors() -> None:
    ask = context(
        "cmmlu", sample("agronomy", "一加二等于", "1|2|3|4", "C"), [sample("agronomy", "一加一等于", "1|2|3|4", "B")]
    )
    assert ask.context == (
        "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n\n"
        "题目：一加一等于\nA. 1\nB. 2\nC. 3\nD. 4\n答案是：B\n\n"
        "题目：一加二等于\nA. 1\nB. 2\nC. 3\nD. 4\n答案是："
    )
    assert ask.continuations == ("A", "B", "C", "D")


def test_cmmlus_written_answer_is_asked_for_in_the_form_that_is_read() -> None:
    asked = sample("agronomy", "一加二等于", "1|2|3|4", "C")
    text = message("cmmlu", asked, [])
    assert text.startswith(
        "以下是关于农学的单项选择题。请回答最后一题，并以“答案：字母”的形式结尾。\n\n题目：一加二等于\n"
    )
    for answer in ("答案：C", "一加二等于三。\n答案：C", "故选C。", "答案是C"):
        assert CMMLU.judge(asked, written(answer), plan_for(CMMLU, Mode.GENERATE)).scores == {"acc": 1.0}


# --- MMLU-Pro ----------------------------------------------------------------------------------------------

PRO = sample("math", "What is 2 + 3?", "4|5|6|7|8|9|10|11|12|13", "B")
PRO_SHOT = sample("math", "What is 1 + 1?", "1|2|3", "B", reasoning="One and one is two. The answer is (B).")


def test_mmlu_pros_prompt_has_worked_examples_with_reasoning_as_in_the_paper() -> None:
    assert message("mmlu_pro", PRO, [PRO_SHOT]) == (
        "The following are multiple choice questions (with answers) about math. Think step by step and then finish your "
        'answer with "the answer is (X)" where X is the correct letter choice.\n'
        "Question:\nWhat is 1 + 1?\nOptions:\nA. 1\nB. 2\nC. 3\n"
        "Answer: Let's think step by step. One and one is two. The answer is (B).\n\n"
        "Question:\nWhat is 2 + 3?\nOptions:\nA. 4\nB. 5\nC. 6\nD. 7\nE. 8\nF. 9\nG. 10\nH. 11\nI. 12\nJ. 13\n"
        "Answer: Let's think step by step."
    )


def test_by_log_probability_mmlu_pros_letters_are_compared_at_once() -> None:
    ask = context("mmlu_pro", PRO, [PRO_SHOT])
    assert ask.context == (
        "The following are multiple choice questions (with answers) about math.\n\n"
        "Question:\nWhat is 1 + 1?\nOptions:\nA. 1\nB. 2\nC. 3\nAnswer: B\n\n"
        "Question:\nWhat is 2 + 3?\nOptions:\nA. 4\nB. 5\nC. 6\nD. 7\nE. 8\nF. 9\nG. 10\nH. 11\nI. 12\nJ. 13\nAnswer:"
    )
    assert ask.continuations == tuple(f" {letter}" for letter in "ABCDEFGHIJ")


def test_mmlu_pros_chance_is_by_each_questions_number_of_options() -> None:
    plan = plan_for(MMLU_PRO, Mode.GENERATE)
    assert (MMLU_PRO.sample_chance(PRO, plan), MMLU_PRO.sample_chance(PRO_SHOT, plan)) == (1 / 10, 1 / 3)


def test_mmlu_pro_is_asked_with_5_worked_examples_and_stops_before_a_next_question() -> None:
    assert MMLU_PRO.few_shot == 5
    assert MMLU_PRO.generation.stop == ("Question:",)
    assert MMLU_PRO.generation.max_tokens == 2048


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2 + 3 = 5. The answer is (B).", 1.0),
        ("the answer is (J).", 0.0),
        ("I think that (I) is tempting, but the answer is (B).", 1.0),
        ("We need 5.", 0.0),
    ],
)
def test_a_letter_among_ten_is_read_after_reasoning(text: str, right: float) -> None:
    assert MMLU_PRO.judge(PRO, written(text), plan_for(MMLU_PRO, Mode.GENERATE)).scores == {"acc": right}


# --- GPQA --------------------------------------------------------------------------------------------------

HARD = sample("diamond", "Which is heavier?", "an electron|a proton|a photon|a neutrino", "B")


def test_gpqas_prompt_asks_for_steps_and_a_last_line() -> None:
    assert message("gpqa", HARD, []) == (
        "Answer the following multiple choice question. Think step by step, then end with a line of the form “Answer: "
        "LETTER”, where LETTER is the letter of the right option.\n\n"
        "What is the correct answer to this question: Which is heavier?\n\n"
        "Choices:\n(A) an electron\n(B) a proton\n(C) a photon\n(D) a neutrino\n\nLet's think step by step."
    )


def test_gpqas_worked_examples_give_their_letter_in_words() -> None:
    assert "Let's think step by step. The correct answer is (B).\n\nWhat is" in message("gpqa", HARD, [HARD])


def test_by_log_probability_gpqas_letters_are_compared() -> None:
    ask = context("gpqa", HARD, [])
    assert ask.context.endswith("Choices:\nA. an electron\nB. a proton\nC. a photon\nD. a neutrino\nAnswer:")
    assert ask.continuations == (" A", " B", " C", " D")
