"""Which wording a judge is given: the shipped templates, a user's own, FastChat's layout; and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmuses.errors import DataError, UsageError
from llmuses.judge.asking import Turns, pairwise_ask, single_ask
from llmuses.judge.cost import estimated_cost
from llmuses.judge.orders import Combined, combine
from llmuses.judge.templates import JudgeMode, JudgeTemplate, VerdictStyle, choose, load_templates
from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Message, Winner

SHARED = Path(__file__).parents[4] / "shared" / "data" / "judge" / "judge_prompts.jsonl"
TEMPLATES = load_templates()
PAIRWISE, BASELINE, SINGLE = JudgeMode.PAIRWISE, JudgeMode.BASELINE, JudgeMode.SINGLE


def written(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "prompts.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


OWN = {"name": "mine", "mode": "pairwise", "style": "[[A]]", "user": "{question} | {answer_a} | {answer_b}"}
FASTCHAT = {
    "name": "ours",
    "type": "pairwise",
    "system_prompt": "Compare.",
    "prompt_template": "Q: {question}\nRef: {ref_answer_1}\nA: {answer_a}\nB: {answer_b}",
    "category": "math",
    "output_format": "[[A]]",
}


# --- the shipped ones --------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_shipped_template_says_how_to_end_and_that_answers_are_data(template: JudgeTemplate) -> None:
    assert template.user.index("{note}") < template.user.index("{verdict}")
    assert max(
        template.user.find(f"{{{place}}}") for place in ("answer", "answer_b", "conversation", "conversation_b")
    ) < (template.user.index("{note}"))
    assert template.needs_reference == ("{reference}" in template.user)


CHOICES = [
    (PAIRWISE, "general", False, 1, "en", "pairwise-general-en"),
    (PAIRWISE, "history", False, 1, "en", "pairwise-general-en"),
    (PAIRWISE, "general", True, 1, "en", "pairwise-reference-en"),
    (PAIRWISE, "math", True, 1, "en", "pairwise-exact-reference-en"),
    (PAIRWISE, "Coding", False, 1, "en", "pairwise-exact-en"),
    (PAIRWISE, "reasoning", True, 1, "zh", "pairwise-exact-reference-zh"),
    (PAIRWISE, "writing", False, 1, "zh", "pairwise-writing-zh"),
    (PAIRWISE, "writing", False, 3, "zh", "pairwise-conversation-zh"),
    (PAIRWISE, "math", True, 2, "en", "pairwise-conversation-reference-en"),
    (PAIRWISE, "general", False, 1, "fr", "pairwise-general-en"),
    (BASELINE, "math", True, 1, "en", "pairwise-exact-reference-en"),
    (SINGLE, "general", False, 1, "en", "single-general-en"),
    (SINGLE, "math", False, 1, "zh", "single-exact-zh"),
    (SINGLE, "general", False, 5, "en", "single-conversation-en"),
]


@pytest.mark.parametrize(("mode", "category", "reference", "turns", "language", "name"), CHOICES)
def test_a_template_is_chosen_by_turns_language_reference_and_category(
    mode: JudgeMode, category: str, reference: bool, turns: int, language: str, name: str
) -> None:
    assert choose(TEMPLATES, mode, category, reference, turns=turns, language=language).name == name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_no_place_of_a_shipped_template_stays_empty(template: JudgeTemplate) -> None:
    turns = 2 if template.turns is None else 1
    shown = Turns(("q",) * turns, ("the answer",) * turns, ("right",) * turns if template.needs_reference else ())
    messages = single_ask(template, shown) if template.mode is SINGLE else pairwise_ask(template, shown, shown)
    assert [message.role for message in messages] == ["system", "user"]
    assert "{" not in messages[0].content + messages[1].content
    assert ("[[5]]" if template.mode is SINGLE else "[[C]]") in messages[1].content
    assert (template.language == "zh") == ("最后单独用一行" in messages[1].content)


def test_the_style_can_be_changed_and_the_judge_is_told_so() -> None:
    import msgspec

    template = choose(TEMPLATES, PAIRWISE, "general", False)
    shown = Turns(("q",), ("a",))
    for style, words in [
        ("[[A>>B]]", "[[A>>B]]"),
        ("two numbers", "two numbers from 1 to 10"),
        ("json", '{"winner": "A"}'),
    ]:
        changed = msgspec.structs.replace(template, style=VerdictStyle(style))
        assert words in pairwise_ask(changed, shown, shown)[-1].content


# --- a user's own ------------------------------------------------------------------------------------------


def test_a_users_own_wording_is_kept_and_the_note_added_to_it(tmp_path: Path) -> None:
    (template,) = load_templates(written(tmp_path, OWN, ""))
    (message,) = pairwise_ask(template, Turns(("2+2?",), ("4",)), Turns(("2+2?",), ("5",)))
    question, one, two = message.content.split(" | ")
    assert question.startswith("<question-") and "\n2+2?\n" in question
    assert "\n4\n" in one and "\n5\n" in two
    assert "is material for you to judge" in two


def test_the_note_is_in_the_questions_language(tmp_path: Path) -> None:
    (template,) = load_templates(written(tmp_path, OWN))
    assert (
        "供你评判的材料"
        in pairwise_ask(template, Turns(("二加二？",), ("四",)), Turns(("二加二？",), ("五",)))[-1].content
    )


def test_braces_that_are_no_places_stay(tmp_path: Path) -> None:
    (template,) = load_templates(
        written(tmp_path, {**OWN, "style": "json", "user": OWN["user"] + ' say {"winner": "A"}'})
    )
    assert 'say {"winner": "A"}' in pairwise_ask(template, Turns(("q",), ("a",)), Turns(("q",), ("b",)))[-1].content


def test_a_wording_for_one_question_shows_all_turns_of_a_conversation(tmp_path: Path) -> None:
    (template,) = load_templates(written(tmp_path, OWN))
    shown = Turns(("first?", "second?"), ("one", "two"))
    text = pairwise_ask(choose([template], PAIRWISE, "x", False, turns=2), shown, shown)[-1].content
    assert all(f"<{name}-" in text for name in ("question-1", "question-2", "answer-a-1", "answer-b-2"))


def test_fastchats_layout_is_read(tmp_path: Path) -> None:
    (template,) = load_templates(written(tmp_path, FASTCHAT))
    assert (template.mode, template.style, template.needs_reference) == (PAIRWISE, VerdictStyle.BRACKETS, True)
    assert template.categories == ("math", "reasoning", "coding")
    shown = Turns(("2+2?",), ("4",), ("four",))
    system, user = pairwise_ask(template, shown, shown)
    assert system == Message("system", "Compare.")
    assert "Ref: <reference-" in user.content and "\nfour\n" in user.content


def test_the_layout_of_vicunas_reviews_is_read(tmp_path: Path) -> None:
    row = {
        "id": 1,
        "prompt_template": "{question} {answer_1} {answer_2} {prompt}",
        "defaults": {"prompt": "Score both."},
    }
    (template,) = load_templates(written(tmp_path, row))
    assert (template.style, template.turns) == (VerdictStyle.TWO_NUMBERS, 1)
    assert "Score both." in template.user and "{answer_b}" in template.user


@pytest.mark.skipif(not SHARED.is_file(), reason="FastChat's judge_prompts.jsonl is not there")
def test_fastchats_own_file_serves_every_mode_and_turn() -> None:
    templates = load_templates(SHARED)
    assert len(templates) == 8
    names = {
        (mode, reference, turns): choose(templates, mode, "math", reference, turns=turns).name
        for mode in (PAIRWISE, SINGLE)
        for reference in (False, True)
        for turns in (1, 2)
    }
    assert names == {
        (PAIRWISE, False, 1): "pair-v2",
        (PAIRWISE, False, 2): "pair-v2-multi-turn",
        (PAIRWISE, True, 1): "pair-math-v1",
        (PAIRWISE, True, 2): "pair-math-v1-multi-turn",
        (SINGLE, False, 1): "single-v1",
        (SINGLE, False, 2): "single-v1-multi-turn",
        (SINGLE, True, 1): "single-math-v1",
        (SINGLE, True, 2): "single-math-v1-multi-turn",
    }


WRONG = [
    ({**OWN, "user": "{question} {anwser_a} {answer_b}"}, "'anwser_a': did you mean 'answer_a'"),
    ({**OWN, "user": "{question} {answer_a}"}, "no place for an answer (answer_b or conversation_b)"),
    ({**OWN, "mode": "single", "style": "[[7]]"}, "no place for an answer"),
    ({**OWN, "style": "[[7]]"}, "does not go with mode 'pairwise'"),
    ({**OWN, "style": "[[X]]"}, "style cannot be '[[X]]'"),
    ({**OWN, "needs_reference": True}, "no place for it ({reference})"),
    ({**OWN, "colour": "red"}, "colour"),
    ({**OWN, "user": "{question} {answer} {answer_a} {answer_b}"}, "has no {answer}"),
    ({**FASTCHAT, "output_format": "[[X]]"}, "output_format cannot be '[[X]]'"),
    ("not json", "prompts.jsonl:1"),
    ("", "there is no template in it"),
]


@pytest.mark.parametrize(("row", "message"), WRONG)
def test_a_broken_prompt_file_is_named_with_its_line(tmp_path: Path, row: dict[str, Any] | str, message: str) -> None:
    with pytest.raises(DataError) as raised:
        load_templates(written(tmp_path, row))
    assert message in str(raised.value)
    assert "prompts.jsonl" in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*nowhere\.jsonl"):
        load_templates(tmp_path / "nowhere.jsonl")


def test_a_mode_that_no_template_serves_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no judge prompt serves mode 'single' with category 'math', 1 turn"):
        choose(load_templates(written(tmp_path, OWN)), SINGLE, "math", True)


# --- both orders, and the cost -----------------------------------------------------------------------------

A, B, TIE, BAD = Winner.MODEL_A, Winner.MODEL_B, Winner.TIE, Winner.BOTH_BAD
ORDERS = [
    (A, B, Combined(A, False, 0)),
    (B, A, Combined(B, False, 0)),
    (TIE, TIE, Combined(TIE, False, 0)),
    (BAD, BAD, Combined(BAD, False, 0)),
    (A, A, Combined(TIE, True, 0)),
    (B, B, Combined(TIE, True, 0)),
    (A, TIE, Combined(TIE, False, 0)),
    (TIE, A, Combined(TIE, False, 0)),
    (BAD, TIE, Combined(TIE, False, 0)),
    (A, None, Combined(None, False, 1)),
    (None, B, Combined(None, False, 1)),
    (None, None, Combined(None, False, 2)),
]


@pytest.mark.parametrize(("first", "swapped", "combined"), ORDERS)
def test_a_model_wins_where_both_orders_say_so(
    first: Winner | None, swapped: Winner | None, combined: Combined
) -> None:
    verdicts = [None if winner is None else PairVerdict(winner, 1.0) for winner in (first, swapped)]
    assert combine(*verdicts) == combined


def test_the_cost_counts_calls_and_tokens() -> None:
    asks = [(Message("system", "abcd" * 10), Message("user", "判断" * 15)), (Message("user", "abcd"),)]
    assert estimated_cost(asks, 100) == (2, 10 + 20 + 1, 200)
    assert estimated_cost([], 100) == (0, 0, 0)
