"""Configs as users have them are understood; what is misspelled is named with what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from arena.pipeline.config import Orders, judge_args, parse_config, read_config
from arena.pipeline.judges import mode_of, panel_of, prompt_file
from arena.pipeline.players import cast_of
from arena.pipeline.questions import read_questions
from llmuses.errors import DataError, UnknownNameError, UsageError
from llmuses.judge.templates import JudgeMode
from llmuses.settings import REGISTRY

OLD = """
question_file: registry/data/question.jsonl
answers_gen:
    chatglm3-6b:
        model_id_or_path: ZhipuAI/chatglm3-6b
        revision: v1.0.2
        precision: torch.float16
        enable: true
        template_type: chatglm3
        generation_config: {do_sample: true, max_new_tokens: 256, top_k: 20, top_p: 0.75, temperature: 0.3}
        output_file: registry/data/arena/answers/answer_chatglm3-6b.jsonl
    Qwen-7B:
        model_id_or_path: qwen/Qwen-7B
        revision: NULL
        precision: torch.float16
        enable: false
        generation_config: {do_sample: true, max_new_tokens: 256}
        output_file: registry/data/arena/answers/answer_Qwen-7B.jsonl
reviews_gen:
    enable: true
    reviewer:
        ref: llmuses.evaluator.reviewer.auto_reviewer:AutoReviewerGpt4
        args:
            max_tokens: 1024
            temperature: 0.2
            mode: single
            position_bias_mitigation: NULL
            fn_completion_parser: lmsys_parser
    prompt_file: registry/data/prompt_template/lmsys_v2.jsonl
    target_answers: NULL
    reference_file:
    review_file: registry/data/arena/reviews/review_gpt4.jsonl
    cache_file: registry/data/arena/reviews/review_gpt4.jsonl
elo_rating:
    enable: true
    metrics: ['score']
    report_file: registry/data/arena/reports/elo_rating_origin.csv
"""


def test_an_older_config_is_understood() -> None:
    config = parse_config(yaml.safe_load(OLD))
    player = config.answers_gen["chatglm3-6b"]
    assert (player.spec, player.model_args) == (
        "ZhipuAI/chatglm3-6b",
        {"revision": "v1.0.2", "precision": "torch.float16"},
    )
    assert config.answers_gen["Qwen-7B"].model_args == {"precision": "torch.float16"}
    args = judge_args(config.reviews_gen.reviewers[0])
    assert (args.model, args.mode, args.position_bias_mitigation) == ("gpt-4", JudgeMode.SINGLE, None)
    assert prompt_file(config, Path()) is None, "the shipped prompts stand for those of old"
    assert config.rating_gen.metrics == ["score"]
    assert [player.name for player in cast_of(config, Path(), JudgeMode.SINGLE).judged] == ["chatglm3-6b"]


def test_orders_are_swapped_unless_the_config_says_otherwise() -> None:
    def orders(args: dict[str, Any]) -> Orders | None:
        config = parse_config({"questions_file": "q", "reviews_gen": {"reviewer": {"args": args}}})
        return judge_args(config.reviews_gen.reviewers[0]).position_bias_mitigation

    assert orders({}) is Orders.SWAP
    assert orders({"position_bias_mitigation": "randomize_order"}) is Orders.RANDOM
    assert orders({"position_bias_mitigation": None}) is orders({"position_bias_mitigation": "None"}) is None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a key at the top": ({"question_files": "q"}, "'question_files': did you mean 'question_file' or 'questions_file'"),
    "a key of a model": (
        {"questions_file": "q", "answers_gen": {"m": {"model": "baseline:echo", "generation": {}}}},
        "answers_gen.m: 'generation': did you mean 'generation_config'",
    ),
    "a key of the reviews": (
        {"questions_file": "q", "reviews_gen": {"reviewers": {}}},
        "reviews_gen: 'reviewers': did you mean 'reviewer'",
    ),
    "a key of the rating": (
        {"questions_file": "q", "elo_rating": {"metric": ["elo"]}},
        "rating_gen: 'metric': did you mean 'metrics'",
    ),
    "a key of one judge of a panel": (
        {"questions_file": "q", "reviews_gen": {"reviewer": [{"arg": {}}]}},
        "reviews_gen.reviewer: 'arg': did you mean 'args'",
    ),
    "a metric": ({"questions_file": "q", "rating_gen": {"metrics": ["elos"]}}, "metrics"),
    "no questions": ({"answers_gen": {}}, "questions_file"),
    "two names of one part": ({"questions_file": "q", "elo_rating": {}, "rating_gen": {}}, "elo_rating and rating_gen"),
    "a model without a SPEC": ({"questions_file": "q", "answers_gen": {"m": {"enable": True}}}, "needs model: SPEC"),
    "two SPECs": (
        {"questions_file": "q", "answers_gen": {"m": {"model": "a", "model_id_or_path": "b"}}},
        "and not both",
    ),
    "two models for one file": (
        {"questions_file": "q", "answers_gen": {"a/b": {"model": "x"}, "a-b": {"model": "y"}}},
        "need the same file name",
    ),
    "a budget of nothing": ({"questions_file": "q", "budget": 0}, "budget must be 1"),
    "matchmaking without a budget": (
        {"questions_file": "q", "matchmaking": {"policy": "active"}},
        "matchmaking chooses the pairs that a budget is spent on; set budget",
    ),
    "a policy": ({"questions_file": "q", "budget": 9, "matchmaking": {"policy": "activ"}}, "activ"),
    "a key of matchmaking": (
        {"questions_file": "q", "budget": 9, "matchmaking": {"polcy": "active"}},
        "matchmaking: 'polcy': did you mean 'policy'",
    ),
    "an option of another policy": (
        {"questions_file": "q", "budget": 9, "matchmaking": {"policy": "fewest", "top": 3}},
        "policy fewest",
    ),
    "an option out of its bounds": (
        {"questions_file": "q", "budget": 9, "matchmaking": {"policy": "active", "floor": 0}},
        "floor is above 0",
    ),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_one_line_that_names_it(content: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse_config(content)
    assert said in str(problem.value) and "\n" not in str(problem.value)


ARGS: dict[str, tuple[dict[str, Any], str]] = {
    "a key": ({"temprature": 0}, "did you mean 'temperature'"),
    "a mode": ({"mode": "pairs"}, "mode"),
    "orders": ({"position_bias_mitigation": "swap"}, "position_bias_mitigation"),
    "a parser": ({"fn_completion_parser": "[[8]]"}, "fn_completion_parser"),
    "a parser that is nowhere": ({"fn_completion_parser": "nowhere:read"}, "must be importable"),
    "a judge's server": ({"model_args": {"base_url": "ftp://x"}}, "base_url is no address"),
    "a prompt file": ({}, "prompt_file 'no.jsonl': there is no such file"),
}


@pytest.mark.parametrize(("args", "said"), ARGS.values(), ids=ARGS)
def test_wrong_arguments_of_a_judge_are_named(args: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    prompts = {} if args else {"prompt_file": "no.jsonl"}
    config = parse_config({"questions_file": "q", "reviews_gen": {"reviewer": {"args": args}, **prompts}})
    with pytest.raises(UsageError) as problem:
        panel_of(config, Path(), dry_run=False)
    assert said in str(problem.value)


REVIEWERS = {
    "no class": ("arena.pipeline:Nobody", {}, "no class Nobody in arena.pipeline"),
    "no module": ("nowhere.at_all:Reviewer", {}, "must be importable from here"),
    "no colon": ("Reviewer", {}, "neither FILE.py:CLASS nor module:CLASS"),
    "no method": ("pathlib:Path", {}, "has no method review"),
    "wrong args": ("tests.arena.pipeline.arenas:Moody", {"patients": 2}, "args do not fit"),
}


@pytest.mark.parametrize(("ref", "args", "said"), REVIEWERS.values(), ids=REVIEWERS)
def test_a_reviewer_that_cannot_be_used_is_said_before_anything_is_asked(
    ref: str, args: dict[str, Any], said: str
) -> None:
    config = parse_config({"questions_file": "q", "reviews_gen": {"reviewer": {"ref": ref, "args": args}}})
    with pytest.raises(UsageError, match=said):
        panel_of(config, Path(), dry_run=False)


def test_a_reviewer_may_lie_in_the_folder_that_the_command_is_run_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "class Shorter:\n    def review(self, question, a, b):\n        return '[[A]]' if len(a) < len(b) else '[[B]]'\n"
    (tmp_path / "own_rules_of_a_test.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    config = parse_config({"questions_file": "q", "reviews_gen": {"reviewer": {"ref": "own_rules_of_a_test:Shorter"}}})
    (judge,) = panel_of(config, tmp_path, dry_run=False)
    assert judge.name == "Shorter"


def test_the_judges_of_a_panel_have_names_of_their_own_and_one_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    panel: list[dict[str, Any]] = [{"args": {"model": "gpt-4"}}, {"args": {"model": "gpt-4", "temperature": 1}}]
    config = parse_config({"questions_file": "q", "reviews_gen": {"reviewer": panel}})
    assert [(judge.name, judge.free) for judge in panel_of(config, Path(), False)] == [
        ("gpt-4", False),
        ("gpt-4 2", False),
    ]
    panel[1]["args"]["mode"] = "single"
    with pytest.raises(UsageError, match="asked the same"):
        mode_of(parse_config({"questions_file": "q", "reviews_gen": {"reviewer": panel}}))


@pytest.mark.parametrize("name", ["cfg_arena", "cfg_pairwise_baseline", "cfg_single"])
def test_the_shipped_configs_are_whole(name: str) -> None:
    config = read_config(REGISTRY / "config" / f"{name}.yaml")
    cast = cast_of(config, REGISTRY / "config", mode_of(config))
    assert len(cast.judged) >= 2


def test_the_shipped_questions_are_many_in_two_languages_and_several_categories() -> None:
    questions = read_questions(REGISTRY / "data" / "question.jsonl")
    assert len(questions) >= 80
    assert len({question.category for question in questions}) >= 8
    languages = [question.language for question in questions]
    assert languages.count("zh") >= 30 and languages.count("en") >= 30
    assert sum(len(question.turns) > 1 for question in questions) >= 10
    assert all(len(question.references) in (0, len(question.turns)) for question in questions)


QUESTIONS = {
    "no id": ('{"text": "x"}', ":1: a question needs a question_id"),
    "no text": ('{"question_id": 1}', ":1: a question needs a text"),
    "an empty turn": ('{"question_id": 1, "turns": ["a", " "]}', ":1: a question needs a text"),
    "one id twice": (
        '{"question_id": 1, "text": "a"}\n{"question_id": "1", "text": "b"}',
        ":2: question_id 1 is there twice",
    ),
    "no JSON": ('{"question_id": 1, "text": "a"}\n\n{', ":3: not JSON"),
    "no object": ("3", ":1: not a JSON object"),
    "nothing": ("\n", "there is no question in it"),
}


@pytest.mark.parametrize(("content", "said"), QUESTIONS.values(), ids=QUESTIONS)
def test_broken_questions_are_named_by_line(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(content)
    with pytest.raises(DataError) as problem:
        read_questions(tmp_path / "q.jsonl")
    assert said in str(problem.value)


def test_names_that_lead_nowhere_are_errors(tmp_path: Path) -> None:
    players = {"echo": {"model": "baseline:echo"}, "random": {"model": "baseline:random"}}
    for reviews, said in (
        ({"target_answers": ["ecco"]}, "'ecco': did you mean 'echo'"),
        ({"target_answers": ["nowhere.jsonl"]}, "target_answers 'nowhere.jsonl': there is no such file"),
        ({"target_answers": ["echo"]}, "needs two models"),
        ({"target_answers": ["echo", "echo", "random"]}, "names one model twice"),
    ):
        config = parse_config(
            {"questions_file": "q", "answers_gen": players, "reviews_gen": {"enable": True, **reviews}}
        )
        with pytest.raises((UsageError, UnknownNameError), match=said):
            cast_of(config, tmp_path, JudgeMode.PAIRWISE)
    with pytest.raises(UsageError, match="needs a baseline_file"):
        cast_of(parse_config({"questions_file": "q", "answers_gen": players}), tmp_path, JudgeMode.BASELINE)
