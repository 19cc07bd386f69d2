"""Prompts letter by letter, where papers and other harnesses agree on them, and how answers to them are scored."""

from __future__ import annotations

import msgspec
import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.records import Generate, Loglikelihood, Mode, Sample
from tests.unit.benchmarks.plans import plan_for, scored, written

MMLU, GSM8K, ARC = get_benchmark("mmlu"), get_benchmark("gsm8k"), get_benchmark("arc")


def choice(question: str, choices: str, target: str, subset: str = "abstract_algebra") -> Sample:
    return Sample(sample_id="x/0", subset=subset, question=question, choices=choices.split("|"), target=target)


SHOT = choice("What is 1 + 1?", "1|2|3|4", "B")
ASKED = choice("What is 2 + 3?", "4|5|6|7", "B")
PROBLEM = Sample(
    sample_id="main/0", subset="main", question="Ann has 2 pens and buys 3. How many has she?", target="5",
    details={"reasoning": "She has 2+3=5 pens."},
)  # fmt: skip


def context(benchmark: object, sample: Sample, shots: list[Sample]) -> Loglikelihood:
    ask = get_benchmark(str(benchmark)).prompt(sample, shots, plan_for(get_benchmark(str(benchmark)), Mode.LOGPROB)).ask
    assert isinstance(ask, Loglikelihood)
    return ask


def test_mmlus_log_likelihood_prompt_is_that_of_the_paper_and_of_lm_evaluation_harness() -> None:
    ask = context("mmlu", ASKED, [SHOT])
    assert ask.context == (
        "The following are multiple choice questions (with answers) about abstract algebra.\n\n"
        "What is 1 + 1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: B\n\n"
        "What is 2 + 3?\nA. 4\nB. 5\nC. 6\nD. 7\nAnswer:"
    )
    assert ask.continuations == (" A", " B", " C", " D")


def test_without_worked_examples_mmlu_keeps_its_first_sentence() -> None:
    assert context("mmlu", ASKED, []).context == (
        "The following are multiple choice questions (with answers) about abstract algebra.\n\n"
        "What is 2 + 3?\nA. 4\nB. 5\nC. 6\nD. 7\nAnswer:"
    )


def test_arcs_log_likelihood_prompt_scores_the_options_texts_and_shows_none() -> None:
    ask = context(
        "arc",
        choice("Which is hot?", "ice|the Sun|snow", "B", "ARC-Easy"),
        [choice("Which flies?", "a bat|a cat", "A")],
    )
    assert ask.context == "Question: Which flies?\nAnswer: a bat\n\nQuestion: Which is hot?\nAnswer:"
    assert ask.continuations == (" ice", " the Sun", " snow")


@pytest.mark.parametrize(("variant", "examination", "gap"), [("paper", "考试", ""), ("lm-eval", "", " ")])
def test_ceval_is_asked_as_its_authors_do_or_as_lm_evaluation_harness_does(
    variant: str, examination: str, gap: str
) -> None:
    ceval = get_benchmark("ceval")
    shot = choice("1+1等于____", "1|2|3|4", "B", "accountant")
    plan = msgspec.structs.replace(plan_for(ceval, Mode.LOGPROB), variant=variant)
    ask = ceval.prompt(choice("2+3等于____", "4|5|6|7", "B", "accountant"), [shot], plan).ask
    assert isinstance(ask, Loglikelihood)
    assert ask.context == (
        f"以下是中国关于注册会计师{examination}的单项选择题，请选出其中的正确答案。\n\n"
        f"1+1等于____\nA. 1\nB. 2\nC. 3\nD. 4\n答案：{gap}B\n\n"
        "2+3等于____\nA. 4\nB. 5\nC. 6\nD. 7\n答案："
    )
    assert ask.continuations == tuple(gap + letter for letter in "ABCD")


def test_ceval_is_asked_as_in_its_paper_unless_told_otherwise() -> None:
    assert get_benchmark("ceval").variants[0] == "paper"


def test_gsm8ks_prompt_has_worked_solutions_without_calculator_annotations() -> None:
    ask = GSM8K.prompt(PROBLEM, [PROBLEM], plan_for(GSM8K, Mode.GENERATE)).ask
    assert isinstance(ask, Generate)
    (message,) = ask.messages
    assert message.content == (
        "Solve each problem step by step. End with the line “The answer is NUMBER.”\n\n"
        "Question: Ann has 2 pens and buys 3. How many has she?\nAnswer: She has 2+3=5 pens.\nThe answer is 5.\n\n"
        "Question: Ann has 2 pens and buys 3. How many has she?\nAnswer:"
    )


def test_gsm8k_is_asked_with_4_worked_examples_and_stops_before_a_next_question() -> None:
    assert GSM8K.few_shot == 4
    assert GSM8K.generation.stop == ("\nQuestion:",)
    assert GSM8K.generation.temperature == 0.0


def test_as_turns_the_introduction_stands_before_the_first_question_only() -> None:
    ask = GSM8K.prompt(PROBLEM, [PROBLEM], plan_for(GSM8K, Mode.GENERATE, 1, "turns")).ask
    assert isinstance(ask, Generate)
    first, answer, last = (message.content for message in ask.messages)
    assert first.startswith("Solve each problem step by step.")
    assert answer == "She has 2+3=5 pens.\nThe answer is 5."
    assert last == "Question: Ann has 2 pens and buys 3. How many has she?\nAnswer:"


@pytest.mark.parametrize("benchmark", ["mmlu", "arc"])
def test_a_written_answer_is_asked_for_in_the_form_that_is_read(benchmark: str) -> None:
    chosen = get_benchmark(benchmark)
    ask = chosen.prompt(ASKED, [SHOT], plan_for(chosen, Mode.GENERATE)).ask
    assert isinstance(ask, Generate)
    text = ask.messages[0].content
    assert "“Answer: LETTER”" in text
    assert text.endswith("What is 2 + 3?\nA. 4\nB. 5\nC. 6\nD. 7\nAnswer:")
    assert "\nB. 2\nC. 3\nD. 4\nAnswer: B\n\n" in text


# --- scores of log-likelihoods -------------------------------------------------------------------------------


def test_the_likeliest_letter_is_the_answer_and_the_first_of_equals_counts() -> None:
    assert MMLU.judge(ASKED, scored(-3, -1, -2, -4), plan_for(MMLU, Mode.LOGPROB)).extracted == "B"
    assert MMLU.judge(ASKED, scored(-2, -1, -1, -4), plan_for(MMLU, Mode.LOGPROB)).extracted == "B"


def test_letters_that_a_server_did_not_name_are_taken_for_less_likely() -> None:
    judgement = MMLU.judge(ASKED, scored(None, -7, None, None), plan_for(MMLU, Mode.LOGPROB))
    assert (judgement.extracted, judgement.scores) == ("B", {"acc": 1.0})


def test_without_any_log_probability_nothing_is_read() -> None:
    judgement = MMLU.judge(ASKED, scored(None, None, None, None), plan_for(MMLU, Mode.LOGPROB))
    assert (judgement.extracted, judgement.scores) == (None, {"acc": 0.0})
    assert judgement.reason


def test_acc_norm_divides_by_the_length_in_bytes() -> None:
    # Sums: the short one is likelier. Per byte, -4 / 3 against -6 / 12: the long one is.
    sample = choice("q", "ice|the high Sun", "B", "ARC-Easy")
    judgement = ARC.judge(sample, scored(-4, -6), plan_for(ARC, Mode.LOGPROB))
    assert judgement.scores == {"acc_norm": 1.0, "acc": 0.0}
    assert judgement.extracted == "B"


def test_bytes_and_not_characters_are_counted() -> None:
    # Two characters each; "日本" has six bytes: -4 / 6 is more than -3 / 2.
    sample = choice("q", "ab|日本", "B", "ARC-Easy")
    assert ARC.judge(sample, scored(-3, -4), plan_for(ARC, Mode.LOGPROB)).scores == {"acc_norm": 1.0, "acc": 0.0}


# --- written answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The answer is 5.", True),
        ("She has 2+3=5 pens.\nThe answer is 5.", True),
        ("$5.00", True),
        ("#### 5", True),
        ("The answer is 4.", False),
        ("The answer is 4 or 5.", False),
    ],
)
def test_a_number_is_right_by_its_value(text: str, right: bool) -> None:
    assert GSM8K.judge(PROBLEM, written(text), plan_for(GSM8K, Mode.GENERATE)).scores == {"acc": float(right)}


def test_a_judgement_points_at_what_it_read() -> None:
    text = "It is 2 + 3, so the answer is (B) 5."
    judgement = MMLU.judge(ASKED, written(text), plan_for(MMLU, Mode.GENERATE))
    assert judgement.span is not None
    assert text[slice(*judgement.span)] == "B"
    assert judgement.rule == "announced"
