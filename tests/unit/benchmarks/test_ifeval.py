"""IFEval: its rows in each layout, what is sent, and how instructions add up to scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmuses.benchmarks import get_benchmark
from llmuses.errors import DataError
from llmuses.evaluation import evaluate
from llmuses.records import Generate, Mode, Sample
from tests.support.scripted import ScriptedModel, last_message
from tests.unit.benchmarks.ifeval_answers import FOLLOWING
from tests.unit.benchmarks.plans import plan_for, rows_of, written

IFEVAL = get_benchmark("ifeval")
PLAN = plan_for(IFEVAL, Mode.GENERATE)

ROW: dict[str, Any] = {
    "key": 7,
    "prompt": "Name two rivers without a comma, in at least 4 words.",
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
    "kwargs": [{}, {"relation": "at least", "num_words": 4}],
}


def samples(root: Path, *rows: dict[str, Any], name: str = "input_data.jsonl") -> list[Sample]:
    (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return list(IFEVAL.samples(root, "default", "train"))


def test_a_row_is_a_prompt_and_its_instructions(tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, ROW)
    assert (sample.sample_id, sample.question) == ("7", ROW["prompt"])
    assert sample.target == "punctuation:no_comma, length_constraints:number_words"
    ask = IFEVAL.prompt(sample, [], PLAN).ask
    assert isinstance(ask, Generate)
    assert [message.content for message in ask.messages] == [ROW["prompt"]]


@pytest.mark.parametrize("name", ["input_data.jsonl", "ifeval_input_data.jsonl", "train.jsonl"])
def test_the_authors_file_and_the_hubs_are_found(tmp_path: Path, name: str) -> None:
    assert len(samples(tmp_path, ROW, name=name)) == 1


def test_a_table_gives_each_instruction_the_columns_of_all_and_leaves_them_empty(tmp_path: Path) -> None:
    empty = {"num_words": None, "relation": None, "keywords": None}
    filled = [{**empty, **given} for given in ROW["kwargs"]]
    assert samples(tmp_path, {**ROW, "kwargs": filled}) == samples(tmp_path, ROW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instruction_id_list": ["punctuation:no_comma"]}, "1 instructions and 2 kwargs"),
        ({"kwargs": [{}, {"num_words": 4}]}, "relation"),
        ({"instruction_id_list": ["punctuation:none", "length_constraints:number_words"]}, "punctuation:none"),
        ({"prompt": None}, "prompt"),
        ({"instruction_id_list": [], "kwargs": []}, "0 instructions"),
    ],
)
def test_a_row_that_cannot_be_checked_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=rf"input_data.jsonl:2: .*{said}"):
        samples(tmp_path, ROW, {**ROW, "key": 8, **change})


def judged(text: str, sample: Sample, **plan: Any) -> tuple[str | None, list[float]]:
    judgement = IFEVAL.judge(sample, written(text), msgspec.structs.replace(PLAN, **plan))
    assert list(judgement.scores) == ["prompt_strict", "prompt_loose", "inst_strict", "inst_loose"]
    return judgement.extracted, list(judgement.scores.values())


def test_a_prompt_counts_when_all_is_followed_and_instructions_count_by_their_share(tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, ROW)
    assert judged("The Nile and the Rhine.", sample) == (sample.target, [1, 1, 1, 1])
    assert judged("Nile and Rhine.", sample) == ("punctuation:no_comma", [0, 0, 0.5, 0.5])
    assert judged("Nile, Rhine.", sample) == ("none", [0, 0, 0, 0])


def test_an_opening_line_is_forgiven_in_the_loose_scores_only(tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, ROW)
    assert judged("Well, sure!\nThe Nile and the Rhine.", sample) == (
        "length_constraints:number_words",
        [0, 1, 0.5, 1],
    )


def test_one_form_of_the_text_is_enough_for_each_instruction_not_one_form_for_all(tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, ROW)
    # Without its first line it has no comma, but too few words.
    assert judged("Two long rivers, here:\nNile and Rhine.", sample)[1] == [0, 1, 0.5, 1]


def test_a_verdict_says_of_each_instruction_whether_it_was_followed() -> None:
    sample = rows_of(IFEVAL, "default", "train")[0]
    verdict = IFEVAL.judge(sample, written("Flour, water and yeast."), PLAN).verdict
    assert verdict == {
        "instructions": [
            {"instruction": "punctuation:no_comma", "strict": False, "loose": False},
            {"instruction": "length_constraints:number_words", "strict": True, "loose": True},
        ]
    }


def test_an_answer_may_be_narrowed_by_the_users_own_expression(tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, ROW)
    text = "Let me see, rivers.\n[The Nile and the Rhine.]"
    assert judged(text, sample, extract=r"\[(.*)\]")[1] == [1, 1, 1, 1]
    assert judged("no brackets", sample, extract=r"\[(.*)\]") == (None, [0, 0, 0, 0])


def test_the_sample_set_asks_for_every_kind_of_instruction_and_can_be_followed() -> None:
    rows = rows_of(IFEVAL, "default", "train")
    assert len({kind for row in rows for kind in row.details["instructions"]}) == 25
    assert {row.sample_id for row in rows} == set(FOLLOWING)


def test_a_report_weighs_prompts_alike_and_at_the_level_of_instructions_instructions_alike(tmp_path: Path) -> None:
    short = {
        **ROW,
        "key": 8,
        "prompt": "Name a river.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{}],
    }
    samples(tmp_path, ROW, short)
    model = ScriptedModel(lambda ask: "Nile." if last_message(ask) == "Name a river." else "Nile, Rhine.")
    args = {"ifeval": {"local_path": str(tmp_path)}}
    (report,) = evaluate(model, "ifeval", dataset_args=args, outputs=tmp_path / "outputs").reports
    assert (report.metric, report.score, report.n) == ("prompt_strict", 0.5, 2)
    assert (report.metrics["inst_strict"].score, report.metrics["inst_strict"].n) == (pytest.approx(1 / 3), 3)
