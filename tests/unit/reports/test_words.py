"""What a report says, in Markdown, where it can be read off."""

from __future__ import annotations

import json
import re
import string

import pytest

from llmuses.i18n import LANGUAGES, Lang
from llmuses.records import DatasetState, GenerationConfig, Mode, Order, RunStatus, Totals
from llmuses.reports import markdown
from llmuses.reports._content import duration, moment
from llmuses.settings import PACKAGE
from tests.unit.reports.builders import SHA, estimate, plan, report, run


def line(said: str, label: str) -> str:
    """Return the value that stands under a label."""
    found = re.search(rf"^- {re.escape(label)}: (.*)$", said, re.MULTILINE)
    assert found, f"nothing is said under {label!r}"
    return found[1]


def test_a_score_stands_with_its_interval_and_its_n() -> None:
    said = markdown(run(), [report()])
    assert "**69.8** ±2.8 (66.9 to 72.6), n = 1,000" in said
    assert "| MMLU | 5-shot | 69.8 ±2.8 | 66.9 to 72.6 | 1,000 | – |" in said


def test_every_verdict_is_counted() -> None:
    of = estimate(1130, 1290, unparsed=8, rejected=2, failed=29, truncated=23)
    said = markdown(run(), [report(of=of)])
    assert "1,130 correct, 150 wrong, 8 unparsed, 2 rejected, 29 failed, 23 truncated" in said
    assert line(said, "Counted") == "Unparsed and rejected answers count as wrong. Failed ones are left out."
    assert line(said, "Cut short").startswith("23 of 1,290 answers reached the length limit")


def test_an_incomplete_score_says_so_and_gives_its_bounds() -> None:
    of = estimate(800, 1000, failed=250)
    said = markdown(run(status=RunStatus.INCOMPLETE), [report(of=of)])
    assert "> **Incomplete: 250 of 1,250 answers of MMLU have no score (20.0%)." in said
    assert "would lie between 64.0 and 84.0" in said
    assert line(said, "Bounds") == "64.0 with every failed answer wrong, 84.0 with every one right"


def test_a_complete_score_has_no_bounds_and_no_warning() -> None:
    said = markdown(run(), [report()])
    assert "Bounds" not in said
    assert "Incomplete" not in said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_an_answer_no_number_is_invented(lang: Lang) -> None:
    of = estimate(0, 0, failed=40)
    said = markdown(run(), [report(of=of, chance=None)], lang)
    head = said[: said.index("- ")]
    assert re.findall(r"\d+\.\d", head) == []
    assert "nan" not in said.lower()
    assert "±" not in said


def test_a_run_without_a_report_says_that_nothing_was_scored() -> None:
    said = markdown(run(status=RunStatus.INTERRUPTED), [])
    assert "No benchmark of this run has been scored yet." in said
    assert "## Results" not in said


def test_averages_categories_and_subsets_have_tables_of_their_own() -> None:
    said = markdown(
        run(),
        [
            report(
                averages={
                    "subsets_weighted": estimate(698, 1000),
                    "subsets_unweighted": estimate(680, 1000),
                    "categories_unweighted": estimate(670, 1000),
                },
                categories={"STEM": estimate(300, 500), "Humanities": estimate(398, 500)},
                subsets={"anatomy": estimate(60, 100, unparsed=2), "virology": estimate(0, 0, failed=3)},
            )
        ],
    )
    assert "| All samples (weighted) | 69.8 ±2.8" in said
    assert "| Mean of 2 subsets (unweighted) | 68.0 ±2.9" in said
    assert "| Mean of 2 categories (unweighted) | 67.0 ±2.9" in said
    assert "| STEM | 60.0 ±4.3 | 55.6 to 64.2 | 500 | – |" in said
    assert "| anatomy | 60.0 ±9.5 | 50.2 to 69.1 | 100 | 2 unparsed |" in said
    assert "| virology | – | – | 0 | 3 failed |" in said


def test_a_single_subset_is_not_listed_again() -> None:
    said = markdown(run(), [report("gsm8k", subsets={"main": estimate(698, 1000)})])
    assert "By subset" not in said


@pytest.mark.parametrize(
    ("correct", "words"),
    [
        (698, "25.0"),
        (250, "25.0; the interval holds it, so this score is not told apart from guessing"),
        (100, "25.0; the whole interval lies below it"),
    ],
)
def test_a_score_is_held_against_chance(correct: int, words: str) -> None:
    said = markdown(run(), [report(of=estimate(correct, 1000))])
    assert line(said, "Chance") == words


def test_no_chance_level_is_named_where_none_is_known() -> None:
    assert "Chance" not in markdown(run(), [report(chance=None)])


def test_the_smallest_detectable_difference_is_named() -> None:
    said = markdown(run(), [report(detectable=0.026)])
    assert "differ by about 2.6 points to be told apart (paired test, 80% power)" in line(said, "Detectable")


def test_what_it_took_is_named_where_it_is_known() -> None:
    totals = Totals(
        prompt_tokens=1_876_543,
        completion_tokens=214_042,
        reasoning_tokens=9_000,
        seconds=211,
        cost=1.234,
        currency="USD",
    )
    said = markdown(run(), [report(totals=totals, served_models=["a-model-0613"])])
    assert line(said, "Tokens") == "1,876,543 read, 214,042 written, 9,000 of these for reasoning"
    assert line(said, "Time") == "3 min 31 s"
    assert line(said, "Cost") == "1.23 USD at the prices in models.yaml"
    assert line(said, "Served by") == "a-model-0613"


def test_nothing_is_said_to_be_written_where_only_probabilities_were_asked_for() -> None:
    said = markdown(run(), [report(totals=Totals(prompt_tokens=22_957))])
    assert line(said, "Tokens") == "22,957 read"


def test_what_is_not_known_is_left_out() -> None:
    said = markdown(run(), [report()])
    for label in ("Tokens", "Time", "Cost", "Served by", "Detectable", "Repeats"):
        assert f"- {label}:" not in said


def test_other_metrics_and_repeats_are_named() -> None:
    said = markdown(run(), [report(metric="acc_norm", metrics={"acc": estimate(600, 1000)}, repeats=4)])
    assert line(said, "Metric") == "acc_norm"
    assert line(said, "Metric acc") == "60.0 ±3.0"
    assert line(said, "Repeats").startswith("4 answers to each question")


def test_a_reader_can_run_it_again() -> None:
    said = markdown(run(limit=50, model_args={"max_concurrency": 8}, model_details={"server": "vLLM"}), [report()])
    assert "```bash\nllmuses eval --model openai:a-model --datasets mmlu\n```" in said
    assert line(said, "Model") == "`openai:a-model`"
    assert line(said, "Identity") == "`openai:a-model@http://localhost:8000/v1`"
    assert line(said, "Details") == "max_concurrency 8, server vLLM"
    assert line(said, "Seed").startswith("7,")
    assert line(said, "Limit") == "50 samples of each subset"
    assert line(said, "SHA-256") == f"`{SHA}`"
    assert line(said, "Versions") == "llmuses 0.1.0"
    assert line(said, "Started") == "21 Sep 2026, 14:13 UTC"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (plan(sample_data=True), "sample set that comes with llmuses, split test"),
        (plan(local_path="/rows/mmlu"), "/rows/mmlu, split test"),
        (plan(), "ModelScope, split test"),
        (plan(hub="huggingface", split="validation"), "Hugging Face, split validation"),
    ],
)
def test_it_says_where_the_rows_came_from(how: object, words: str) -> None:
    assert line(markdown(run(how), [report()]), "Data") == words  # type: ignore[arg-type]


def test_the_sampling_is_named_for_written_answers_only() -> None:
    config = GenerationConfig(max_tokens=2048, temperature=0.7, top_p=0.9, stop=("\nQuestion:",))
    said = markdown(run(plan(generation=config)), [report()])
    assert line(said, "Generation") == r'temperature 0.7, up to 2,048 tokens, top_p 0.9, stop \["\\nQuestion:"\]'
    assert "Generation" not in markdown(run(plan(mode=Mode.LOGPROB)), [report(mode=Mode.LOGPROB)])


def test_the_setting_is_said_in_the_language_of_the_report() -> None:
    how = plan(few_shot_as="turns", mode=Mode.LOGPROB, sample_data=True)
    assert "5-shot, examples as chat turns, logprob, sample set" in markdown(run(how), [report()], "en")
    assert "5-shot、示例按对话轮次给出、对数概率、样本集" in markdown(run(how), [report()], "zh")


def test_borrowed_examples_are_called_borrowed() -> None:
    order = Order(method="stratified", seed=0, n=10, sha256="")
    state = DatasetState(total=10, planned={}, sha256="", order=order, chance=0.25, borrowed_shots=True)
    said = markdown(run(states={"mmlu": state}), [report()])
    assert "| MMLU | 5-shot (borrowed) |" in said
    assert line(said, "Examples").startswith("The rows came without worked examples")


def test_sample_sets_and_demo_runs_are_labelled() -> None:
    assert "small sample sets that come with llmuses" in markdown(run(plan(sample_data=True)), [report()])
    assert "belongs to the demo of a first start" in markdown(run(demo=True), [report()])


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0.04, "< 0.1 s", "< 0.1 秒"),
        (4.23, "4.2 s", "4.2 秒"),
        (59.4, "59 s", "59 秒"),
        (59.6, "1 min 0 s", "1 分 0 秒"),
        (200, "3 min 20 s", "3 分 20 秒"),
        (3599.7, "1 h 0 min", "1 小时 0 分"),
        (4320, "1 h 12 min", "1 小时 12 分"),
        (3_600_000, "1,000 h 0 min", "1,000 小时 0 分"),
    ],
)
def test_a_span_of_time_is_said_in_the_units_that_matter(seconds: float, en: str, zh: str) -> None:
    assert (duration(seconds, "en"), duration(seconds, "zh")) == (en, zh)


def test_a_point_in_time_is_said_in_utc_whatever_the_locale() -> None:
    assert moment(0, "en") == "1 Jan 1970, 00:00 UTC"
    assert moment(0, "zh") == "1970-01-01 00:00 UTC"


def test_both_languages_have_the_same_sentences_with_the_same_places() -> None:
    def sentences(lang: str) -> dict[str, set[str | None]]:
        catalogue = json.loads((PACKAGE / "locale" / lang / "report.json").read_text("utf-8"))
        places = {
            name: {field for _, field, _, _ in string.Formatter().parse(said)} for name, said in catalogue.items()
        }
        return {name: found - {None} for name, found in places.items()}

    assert sentences("en") == sentences("zh")
