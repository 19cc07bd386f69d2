"""What every benchmark keeps to, shown on the sample set that ships with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Literal

import pytest

from llmuses.benchmarks import Benchmark, benchmark_names, get_benchmark
from llmuses.benchmarks.base import Judgement, Scorer
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.generation import Generation
from llmuses.records import Generate, GenerationConfig, Loglikelihood, Mode, Response, Sample
from tests.unit.benchmarks.answers import SPECIAL, right_answers, wrong_answers
from tests.unit.benchmarks.plans import (
    SAMPLES,
    examples_of,
    modes_of,
    plan_for,
    rows_of,
    scored,
    shipped_subsets,
    text_of,
    written,
)
from tests.unit.metrics.hostile import HOSTILE

HOSTILE_ANSWERS = [
    None, "", " ", "\n" * 50, "\x00", "\ud800", "A" * 5000, "9" * 5000, "1/0", "1e999999999", "\\boxed{", "{}[]()", "答案：",
    "The answer is", "####", "Answer: " + "(" * 3000, "\\frac{1}{0}", "<answer>", *(text[:3000] for text in HOSTILE[:20]),
]  # fmt: skip
HOSTILE_SCORES = [
    scored(), scored(None, None, None, None), scored(-1.0), scored(float("nan"), float("nan"), -1.0, -2.0),
    scored(*[float("-inf")] * 4), scored(*[-1.0] * 30), Response(key="k"),
]  # fmt: skip

Judge = Callable[[Benchmark, Sample, Response, Mode], Judgement]

BENCHMARKS = [get_benchmark(name) for name in benchmark_names()]
SHIPPED = [(benchmark, subset) for benchmark in BENCHMARKS for subset in shipped_subsets(benchmark)]


def each(pairs: list[tuple[Benchmark, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("benchmark", "subset"), pairs, ids=[f"{b.name}/{s}" for b, s in pairs])


each_benchmark = pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda b: b.name)
each_subset = each(SHIPPED)
each_subset_by_logprob = each([(b, s) for b, s in SHIPPED if Mode.LOGPROB in b.modes])
each_written_subset = each([(b, s) for b, s in SHIPPED if isinstance(b, Generation)])


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """Scores an answer as a run does: with the benchmark's scorer, opened once."""
    scorers: dict[tuple[str, Mode], Scorer] = {}
    with ExitStack() as stack:

        def score(benchmark: Benchmark, sample: Sample, response: Response, mode: Mode) -> Judgement:
            known = (benchmark.name, mode)
            if known not in scorers:
                scorers[known] = stack.enter_context(benchmark.scorer(plan_for(benchmark, mode)))
            return scorers[known](sample, response)

        yield score


# --- the class ---------------------------------------------------------------------------------------------


@each_benchmark
def test_a_benchmark_describes_itself(benchmark: Benchmark) -> None:
    assert benchmark.name.isidentifier()
    assert benchmark.title
    assert benchmark.licence
    assert benchmark.paper.startswith("https://")
    assert benchmark.homepage.startswith("https://")
    assert benchmark.group in {"knowledge", "reasoning", "maths", "code", "instructions", "own"}
    assert len(set(benchmark.subsets)) == len(benchmark.subsets)
    assert set(benchmark.categories) in (set(), set(benchmark.subsets))
    assert all(set(members) <= set(benchmark.subsets) for members in benchmark.groups.values())
    assert isinstance(benchmark.generation, GenerationConfig)
    if benchmark.hub is not None:
        for name in (benchmark.hub.modelscope, benchmark.hub.huggingface):
            assert name.count("/") == 1
        kinds = {"parquet", "csv", "jsonl", "json", "txt"}
        assert all(pattern.rpartition(".")[2] in kinds for pattern in benchmark.hub.patterns)
    for mode in benchmark.modes:
        assert benchmark.metrics_of(plan_for(benchmark, mode))
    assert set(benchmark.default_subsets or ()) <= set(benchmark.subsets)
    assert len(set(benchmark.variants)) == len(benchmark.variants) != 1
    assert not benchmark.runs_code or benchmark.waits


@each_benchmark
def test_a_benchmark_is_one_object_without_state(benchmark: Benchmark) -> None:
    assert get_benchmark(benchmark.name) is benchmark
    assert vars(benchmark) == {}


@each_benchmark
def test_a_sample_set_and_its_worked_examples_ship_with_a_benchmark(benchmark: Benchmark) -> None:
    subsets = shipped_subsets(benchmark)
    assert subsets
    assert sum(len(rows_of(benchmark, subset, benchmark.split)) for subset in subsets) >= 5
    for subset in subsets:
        assert rows_of(benchmark, subset, benchmark.split)
        assert len(examples_of(benchmark, subset, 99)) >= benchmark.few_shot


# --- rows --------------------------------------------------------------------------------------------------


@each_benchmark
def test_sample_ids_are_unique_across_subsets(benchmark: Benchmark) -> None:
    subsets = shipped_subsets(benchmark)
    ids = [sample.sample_id for subset in subsets for sample in rows_of(benchmark, subset, benchmark.split)]
    assert len(set(ids)) == len(ids)


@each_subset
def test_a_sample_has_a_question_and_an_answer_that_can_be_right(benchmark: Benchmark, subset: str) -> None:
    for samples in (rows_of(benchmark, subset, benchmark.split), examples_of(benchmark, subset, 99)):
        for sample in samples:
            assert sample.subset == subset
            assert sample.question == sample.question.strip() != ""
            if isinstance(benchmark, MultipleChoice):
                assert sample.target in LETTERS[: len(sample.choices)]
                assert len(set(sample.choices)) == len(sample.choices) >= 2
                assert all(choice.strip() for choice in sample.choices)


@each_subset
def test_reading_the_rows_again_gives_the_same_samples(benchmark: Benchmark, subset: str) -> None:
    assert rows_of(benchmark, subset, benchmark.split) == rows_of(benchmark, subset, benchmark.split)


@each_subset
def test_no_question_is_among_the_worked_examples(benchmark: Benchmark, subset: str) -> None:
    shown = {shot.question for shot in examples_of(benchmark, subset, 99)}
    assert not shown & {sample.question for sample in rows_of(benchmark, subset, benchmark.split)}


@pytest.mark.parametrize(
    "benchmark", [b for b in BENCHMARKS if isinstance(b, MultipleChoice)], ids=lambda benchmark: benchmark.name
)
def test_right_letters_are_spread_evenly(benchmark: Benchmark) -> None:
    samples = [s for subset in shipped_subsets(benchmark) for s in rows_of(benchmark, subset, benchmark.split)]
    usual = Counter(len(sample.choices) for sample in samples).most_common(1)[0][0]
    targets = [sample.target for sample in samples if len(sample.choices) == usual]
    counts = Counter(targets)
    assert max(counts.values()) - min(counts.values()) <= max(2, len(targets) // 10), counts


@pytest.mark.parametrize("benchmark", [get_benchmark(name) for name in ("arc", "hellaswag")], ids=lambda b: b.name)
def test_where_texts_are_scored_the_longest_option_is_right_no_more_often_than_chance_has_it(
    benchmark: Benchmark,
) -> None:
    samples = [s for subset in shipped_subsets(benchmark) for s in rows_of(benchmark, subset, benchmark.split)]
    right = 0
    for sample in samples:
        lengths = [len(choice.encode()) for choice in sample.choices]
        right += lengths[ord(sample.target) - ord("A")] == max(lengths)
    assert right <= sum(1 / len(sample.choices) for sample in samples)


# --- asking ------------------------------------------------------------------------------------------------


@each_subset
@pytest.mark.parametrize("few_shot_as", ["text", "turns"])
@pytest.mark.parametrize("shots", [0, 1, 5])
def test_a_prompt_ends_with_the_samples_own_question(
    benchmark: Benchmark, subset: str, shots: int, few_shot_as: Literal["text", "turns"]
) -> None:
    examples = examples_of(benchmark, subset, shots)
    for mode in benchmark.modes:
        plan = plan_for(benchmark, mode, len(examples), few_shot_as)
        for sample in rows_of(benchmark, subset, benchmark.split):
            prompt = benchmark.prompt(sample, examples, plan)
            own = text_of(prompt.ask, prompt.question_at)
            assert prompt.shots == len(examples)
            assert own.count(sample.question) == 1
            assert not any(shot.question in own for shot in examples)


@each_subset
def test_a_prompt_shows_each_worked_example_once_and_its_answer(benchmark: Benchmark, subset: str) -> None:
    examples = examples_of(benchmark, subset, 3)
    sample = rows_of(benchmark, subset, benchmark.split)[0]
    for mode in benchmark.modes:
        ask = benchmark.prompt(sample, examples, plan_for(benchmark, mode, 3)).ask
        text = ask.context if isinstance(ask, Loglikelihood) else ask.messages[0].content
        for shot in examples:
            assert text.count(shot.question) == 1
            if benchmark.name in SPECIAL:
                continue
            answers = [shot.choices[LETTERS.index(shot.target)]] if shot.choices else []
            assert any(
                f"{answer}\n\n" in text
                for answer in (
                    shot.target,
                    f"{shot.target}.",
                    f"({shot.target}).",
                    f"${shot.target}$. I hope it is correct.",
                    *answers,
                )
            )


@each_subset
def test_turns_alternate_and_begin_and_end_with_the_user(benchmark: Benchmark, subset: str) -> None:
    examples = examples_of(benchmark, subset, 3)
    sample = rows_of(benchmark, subset, benchmark.split)[0]
    ask = benchmark.prompt(sample, examples, plan_for(benchmark, Mode.GENERATE, len(examples), "turns")).ask
    assert isinstance(ask, Generate)
    roles = [message.role for message in ask.messages if message.role != "system"]
    assert roles == ["user", "assistant"] * len(examples) + ["user"]
    assert all(message.content.strip() for message in ask.messages)


@each_subset_by_logprob
def test_a_log_likelihood_has_one_continuation_for_each_option(benchmark: Benchmark, subset: str) -> None:
    for sample in rows_of(benchmark, subset, benchmark.split):
        ask = benchmark.prompt(sample, [], plan_for(benchmark, Mode.LOGPROB)).ask
        assert isinstance(ask, Loglikelihood)
        assert len(set(ask.continuations)) == len(sample.choices)
        assert not ask.context.endswith(" ")


@each_subset
def test_the_generation_config_of_the_plan_is_what_is_asked_with(benchmark: Benchmark, subset: str) -> None:
    sample = rows_of(benchmark, subset, benchmark.split)[0]
    plan = plan_for(benchmark, Mode.GENERATE)
    plan.generation = GenerationConfig(max_tokens=7, temperature=0.5, stop=("x",))
    ask = benchmark.prompt(sample, [], plan).ask
    assert isinstance(ask, Generate)
    assert ask.config == plan.generation


# --- scoring -----------------------------------------------------------------------------------------------


@each_subset
def test_a_right_answer_scores_1_in_every_metric(judge: Judge, benchmark: Benchmark, subset: str) -> None:
    for sample in rows_of(benchmark, subset, benchmark.split):
        for mode, response in right_answers(benchmark, sample):
            judgement = judge(benchmark, sample, response, mode)
            metrics = benchmark.metrics_of(plan_for(benchmark, mode))
            assert judgement.scores == dict.fromkeys(metrics, 1.0), response
            assert tuple(judgement.scores) == metrics, "the main metric comes first"
            assert judgement.rule
            if benchmark.name not in SPECIAL:
                assert judgement.extracted == sample.target


@each_subset
def test_a_wrong_answer_scores_0_and_says_what_was_read(judge: Judge, benchmark: Benchmark, subset: str) -> None:
    for sample in rows_of(benchmark, subset, benchmark.split):
        for mode, response in wrong_answers(benchmark, sample):
            judgement = judge(benchmark, sample, response, mode)
            assert set(judgement.scores.values()) == {0.0}
            assert judgement.extracted not in (None, sample.target)


@each_subset
def test_an_empty_answer_is_unparsed_and_wrong(judge: Judge, benchmark: Benchmark, subset: str) -> None:
    sample = rows_of(benchmark, subset, benchmark.split)[0]
    if Mode.GENERATE not in modes_of(benchmark):
        pytest.skip("written answers are read by a judge model")
    metrics = benchmark.metrics_of(plan_for(benchmark, Mode.GENERATE))
    for text in ("", " \n", None):
        judgement = judge(benchmark, sample, written(text), Mode.GENERATE)
        assert judgement.extracted is None
        assert judgement.reason
        assert judgement.scores == dict.fromkeys(metrics, 0.0)


@each_benchmark
def test_judging_never_raises(judge: Judge, benchmark: Benchmark) -> None:
    sample = rows_of(benchmark, shipped_subsets(benchmark)[0], benchmark.split)[0]
    for mode in modes_of(benchmark):
        hostile = HOSTILE_SCORES if mode is Mode.LOGPROB else [written(text) for text in HOSTILE_ANSWERS]
        for response in hostile:
            judgement = judge(benchmark, sample, response, mode)
            assert set(judgement.scores) == set(benchmark.metrics_of(plan_for(benchmark, mode)))
            assert all(0 <= score <= 1 for score in judgement.scores.values())


@each_written_subset
def test_a_reference_solution_is_judged_right_like_a_models_answer(
    judge: Judge, benchmark: Benchmark, subset: str
) -> None:
    assert isinstance(benchmark, Generation)
    for samples in (rows_of(benchmark, subset, benchmark.split), examples_of(benchmark, subset, 99)):
        for sample in samples:
            judgement = judge(benchmark, sample, written(benchmark.example_answer(sample)), Mode.GENERATE)
            assert set(judgement.scores.values()) == {1.0}


@each_subset
def test_chance_is_the_share_of_options_that_are_right(benchmark: Benchmark, subset: str) -> None:
    for sample in rows_of(benchmark, subset, benchmark.split):
        plan = plan_for(benchmark, benchmark.modes[0])
        assert 0 <= benchmark.sample_chance(sample, plan) < 1
        if isinstance(benchmark, MultipleChoice) and benchmark.name not in SPECIAL:
            assert benchmark.sample_chance(sample, plan) == 1 / len(sample.choices)
        assert benchmark.chance in (None, benchmark.sample_chance(sample, plan))


def test_the_sample_sets_say_that_they_are_no_benchmark() -> None:
    readme = (SAMPLES / "README.md").read_text("utf-8")
    assert "not a score of the benchmark" in readme
    assert [name for name in benchmark_names() if f"`{name}/`" not in readme] == []
