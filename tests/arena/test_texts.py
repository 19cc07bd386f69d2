"""What is told from battles' texts: style, language, which prompts are the same."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import Rule, rate
from arena.battle_files import open_battles
from arena.texts import PROMPT, STYLES, style_columns
from llmuses.cli import main
from llmuses.errors import DataError, UsageError


def write(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    path.write_text(
        "".join(json.dumps({"model_a": "x", "model_b": "y", "winner": "tie", **line}) + "\n" for line in lines)
    )
    return path


# --- style -------------------------------------------------------------------------------------------------


def styles_of(tmp_path: Path, lines: Iterable[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the styles of each battle; many are read in one go, which takes as long as one."""
    with open_battles([write(tmp_path / "b.jsonl", lines)], derived=style_columns()) as table:
        found = table.arrays(*(f"style_{style}" for style in STYLES))
    columns = [found[f"style_{style}"].tolist() for style in STYLES]
    return [dict(zip(STYLES, row, strict=True)) for row in zip(*columns, strict=True)]


def styles(tmp_path: Path, a: Any, b: Any, name: str = "output") -> dict[str, float]:
    (found,) = styles_of(tmp_path, [{f"{name}_a": a, f"{name}_b": b}])
    return found


def test_a_matter_of_style_is_its_share_of_both_outputs(tmp_path: Path) -> None:
    cases = [
        ("length", "x" * 30, "x" * 10, 0.5),
        ("length", "同" * 10, "x" * 10, 0.0),
        ("headers", "# One\ntext\n### Two", "plain", 1.0),
        ("headers", "# One\n## Two\n## Three", "#hashtag\n# One", 0.5),
        ("headers", "text # no header", "text", 0.0),
        ("lists", "- a\n- b\n  * c", "1. a", 0.5),
        ("lists", "a - b", "2 - 1", 0.0),
        ("bold", "**a** and **b c** and __d__", "**a**", 0.5),
        ("bold", "2 ** 3 ** 4\n**", "x", 1.0),
        ("headers", "```\n# a comment\n```", "text", 0.0),
        ("lists", "```python\n- 1\n", "text", 0.0),
    ]
    found = styles_of(tmp_path, [{"output_a": a, "output_b": b} for _, a, b, _ in cases])
    mirrored = styles_of(tmp_path, [{"output_a": b, "output_b": a} for _, a, b, _ in cases])
    for (style, a, b, share), one, other in zip(cases, found, mirrored, strict=True):
        assert one[style] == pytest.approx(share), (a, b)
        assert other[style] == pytest.approx(-share), (a, b)


def test_a_missing_output_has_no_style(tmp_path: Path) -> None:
    assert all(math.isnan(share) for share in styles(tmp_path, "text", None).values())


def test_outputs_of_other_programs_logs_are_read_out_of_the_conversation(tmp_path: Path) -> None:
    def said(text: Any) -> list[dict[str, Any]]:
        return [{"role": "user", "content": "# not the model's"}, {"role": "assistant", "content": text}]

    found = styles(tmp_path, said("# One\n- a\n- b"), said("plain"), "conversation")
    assert (found["headers"], found["lists"]) == (1, 1)
    parts = styles(
        tmp_path, said([{"type": "text", "text": "x\n# One"}]), said([{"type": "text", "text": "x"}]), "conversation"
    )
    assert parts["headers"] == 1


def styled_battles(path: Path, worth: float, number: int = 3000) -> Path:
    """Write battles in which a text that is longer is ``worth`` more, and the weaker of two models writes longer ones."""
    rng, lines = np.random.default_rng(1), []
    strength = np.array([0.4, 0.2, 0.0])
    for _ in range(number):
        a, b = rng.choice(3, 2, replace=False)
        sizes = rng.integers(20, 200, 2) + 80 * np.array([a, b])
        x = (sizes[0] - sizes[1]) / sizes.sum()
        p = 1 / (1 + np.exp(-(strength[a] - strength[b] + worth * x)))
        lines.append({"model_a": f"m{a}", "model_b": f"m{b}", "winner": "model_a" if rng.random() < p else "model_b",
                      "output_a": "x" * sizes[0], "output_b": "y" * sizes[1]})  # fmt: skip
    return write(path, lines)


def test_the_worth_of_length_is_found_and_taken_out(tmp_path: Path) -> None:
    path = styled_battles(tmp_path / "b.jsonl", 2.5)
    plain, styled = rate(path), rate(path, Rule(style=True))
    assert [model.model for model in plain.models] == ["m2", "m1", "m0"], "the longest texts seem the best"
    assert [model.model for model in styled.models] == ["m0", "m1", "m2"]
    assert styled.style is not None
    (length,) = styled.style
    assert length.name == "length"
    assert length.ci95[0] < 2.5 * length.sd * 400 / math.log(10) < length.ci95[1]


def test_style_that_is_worth_nothing_changes_nothing_but_the_intervals(tmp_path: Path) -> None:
    path = styled_battles(tmp_path / "b.jsonl", 0.0)
    ratings = rate(path, Rule(style=True))
    assert ratings.style is not None and ratings.style[0].ci95[0] < 0 < ratings.style[0].ci95[1]
    assert [model.model for model in ratings.models] == ["m0", "m1", "m2"]


def test_without_outputs_style_cannot_be_accounted_for(tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", [{"winner": "model_a"}, {"winner": "model_b"}])
    with pytest.raises(DataError, match="0 battles with both output_a and output_b"):
        rate(path, Rule(style=True))
    with pytest.raises(UsageError, match="--style"):
        rate(path, Rule(style=True, by="category"))


def test_the_command_says_what_style_is_worth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--style", "--battles", str(styled_battles(tmp_path / "b.jsonl", 2.5, 500))]) == 0
    assert "length: +" in capsys.readouterr().out


# --- language ----------------------------------------------------------------------------------------------


def languages(tmp_path: Path, lines: Iterable[dict[str, Any]]) -> list[str | None]:
    """Return the language of each battle; many are read in one go, which takes as long as one."""
    with open_battles([write(tmp_path / "b.jsonl", lines)], columns=["language"]) as table:
        return [code for (code,) in table.texts("language")]


def test_a_language_is_its_code_however_it_is_spelled(tmp_path: Path) -> None:
    cases = [
        ("en", "en"), ("English", "en"), ("EN", "en"), ("en-US", "en"), ("eng", "en"), ("Chinese", "zh"), ("zh-Hans", "zh"),
        ("zh_CN", "zh"), ("中文", "zh"), ("cmn", "zh"), ("Japanese", "ja"), ("pt-BR", "pt"), ("Português", "pt"), ("Farsi", "fa"),
        (" german ", "de"), ("klingon", "klingon"),
    ]  # fmt: skip
    lines = [{"language": spelling, "question": "whatever the question is"} for spelling, _ in cases]
    found = dict(zip((spelling for spelling, _ in cases), languages(tmp_path, lines), strict=True))
    assert found == dict(cases)


@pytest.mark.parametrize("absent", [{}, {"language": "unknown"}, {"language": ""}], ids=["none", "unknown", "empty"])
def test_a_language_that_is_not_given_is_told_from_the_question(absent: dict[str, str], tmp_path: Path) -> None:
    cases = [
        ("Write a poem about the sea.", "en"),
        ("What’s the difference between a stack and a queue?", "en"),
        ("请解释一下什么是梯度下降", "zh"),
        ("用 Python 写一个快速排序函数", "zh"),
        ("Translate 你好 into English, and explain how it is used in the south.", "en"),
        ("日本の首都はどこですか", "ja"),
        ("대한민국의 수도는 어디인가요", "ko"),
        ("Объясни, почему мы видим радугу", "ru"),
        ("Чому небо блакитне, і коли воно сіре?", "uk"),
        ("¿Cómo puedo aprender a cocinar en casa?", "es"),
        ("Comment est-ce que je peux apprendre à nager rapidement ?", "fr"),
        ("Wie kann ich meine Steuererklärung selbst machen?", "de"),
        ("Come posso imparare a cucinare bene la pasta?", "it"),
        ("لماذا السماء زرقاء في النهار", "ar"),
        ("चंद्रमा पृथ्वी की परिक्रमा क्यों करता है", "hi"),
        ("Γιατί ο ουρανός είναι γαλάζιος;", "el"),
        ("ทำไมท้องฟ้าเป็นสีฟ้า", "th"),
        ("Dlaczego niebo jest niebieskie w ciągu dnia?", "pl"),
        ("12 + 34 = ?", None),
        ("hi", None),
    ]
    found = languages(tmp_path, [{"question": question, **absent} for question, _ in cases])
    assert dict(zip((question for question, _ in cases), found, strict=True)) == dict(cases)


def test_a_conversation_is_told_by_what_the_person_said(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "请写一首关于大海的诗"},
        {"role": "assistant", "content": "The sea and the sky, what a view."},
    ]
    assert languages(tmp_path, [{"conversation": turns}]) == ["zh"]


def test_ratings_by_language_come_of_logs_without_one(tmp_path: Path) -> None:
    lines = [
        {"winner": w, "question": q}
        for w in ("model_a", "model_b")
        for q in ("Why is the sky blue?", "天空为什么是蓝色的")
    ]
    ratings = rate(write(tmp_path / "b.jsonl", lines * 20), Rule(by="language"))
    assert list(ratings.groups) == ["en", "zh"]
    assert rate(tmp_path / "b.jsonl", Rule(language="zh")).battles == 40


# --- repeated prompts --------------------------------------------------------------------------------------


def test_prompts_are_the_same_but_for_case_spaces_and_punctuation(tmp_path: Path) -> None:
    questions = ["Hello, world!", "  hello   WORLD", "hello world?", "Hello there", None, None, "你好!", "你好"]
    path = write(tmp_path / "b.jsonl", [{"question": question} for question in questions])
    with open_battles([path], derived=PROMPT) as table:
        found = table.arrays("same_prompt")["same_prompt"].tolist()
    assert found[0] == found[1] == found[2] != found[3]
    assert found[4] != found[5], "what is not known is not the same"
    assert found[6] == found[7]


def test_a_prompt_asked_n_times_counts_as_its_root(tmp_path: Path) -> None:
    own = [{"winner": w, "question": f"question {n}"} for n, w in enumerate(["model_a", "model_b"] * 50)]
    spam = [{"winner": "model_a", "question": "Hi!"}] * 100
    path = write(tmp_path / "b.jsonl", own + spam)
    ratings = rate(path, Rule(dedup=True))
    first = ratings.models[0]
    assert first.won == pytest.approx(60 / 110)
    assert ratings.notes == ["100 battles repeat a prompt: they count as 10."]
    plain = rate(path).models[0]
    assert first.rating is not None and plain.rating is not None and first.rating < plain.rating


def test_intervals_of_discounted_battles_are_no_narrower_than_without_the_repeats(tmp_path: Path) -> None:
    own = [{"winner": w, "question": f"question {n}"} for n, w in enumerate(["model_a", "model_b"] * 50)]
    spam = [{"winner": w, "question": "Hi!"} for w in ["model_a", "model_b"] * 50]
    alone, both = (
        rate(write(tmp_path / "1.jsonl", own)),
        rate(write(tmp_path / "2.jsonl", own + spam), Rule(dedup=True)),
    )
    assert both.models[0].ci95 is not None and alone.models[0].ci95 is not None
    assert both.models[0].ci95[1] - both.models[0].ci95[0] >= 0.9 * (alone.models[0].ci95[1] - alone.models[0].ci95[0])
