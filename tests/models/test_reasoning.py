from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmuses.models.reasoning import split_reasoning


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("Answer: B", None, "Answer: B"),
        ("<think>It is B.</think>Answer: B", "It is B.", "Answer: B"),
        ("\n<think>\nIt is B.\n</think>\n\nAnswer: B", "It is B.", "Answer: B"),
        ("<thinking>It is B.</thinking> Answer: B", "It is B.", "Answer: B"),
        ("<THINK>It is B.</THINK>Answer: B", "It is B.", "Answer: B"),
        ("<think>\n\n</think>\n\nAnswer: B", None, "Answer: B"),
        ("<think>It might be A, or", "It might be A, or", ""),
        ("<think>", None, ""),
        ("It is B.\n</think>\n\nAnswer: B", "It is B.", "Answer: B"),
        ("<think>a</think>one</think>two", "a", "one</think>two"),
        ("Put <think>this</think> into the template.", None, "Put <think>this</think> into the template."),
        ("", None, ""),
        ("<thought>It is B.</thought>Answer: B", "It is B.", "Answer: B"),
        ("<reasoning>It is B.</reasoning>\nAnswer: B", "It is B.", "Answer: B"),
        ("<seed:think>It is B.</seed:think>Answer: B", "It is B.", "Answer: B"),
        ("[THINK]It is B.[/THINK]Answer: B", "It is B.", "Answer: B"),
        ("◁think▷It is B.◁/think▷Answer: B", "It is B.", "Answer: B"),
        ("<|begin_of_thought|>\n\nIt is B.\n\n<|end_of_thought|>\n\nAnswer: B", "It is B.", "Answer: B"),
        ("It is B.\n[/THINK]\nAnswer: B", "It is B.", "Answer: B"),
        ("<think>a [/THINK] b</think>Answer: B", "a [/THINK] b", "Answer: B"),
        (
            "<|channel|>analysis<|message|>It is B.<|end|><|start|>assistant<|channel|>final<|message|>Answer: B<|return|>",
            "It is B.",
            "Answer: B",
        ),
        ("<|channel|>analysis<|message|>It might be A, or", "It might be A, or", ""),
        ("Models write <|channel|>final<|message|> first.", None, "Models write <|channel|>final<|message|> first."),
    ],
)
def test_reasoning_is_kept_apart_from_the_answer(text: str, reasoning: str | None, answer: str) -> None:
    assert split_reasoning(text) == (reasoning, answer)


@given(reasoning=st.text(), answer=st.text())
def test_whatever_was_thought_the_answer_comes_out_whole(reasoning: str, answer: str) -> None:
    assume("<" not in reasoning)
    assert split_reasoning(f"<think>{reasoning}</think>{answer}") == (reasoning.strip() or None, answer.lstrip())


@given(text=st.text())
def test_a_text_without_tags_stays_as_it_is(text: str) -> None:
    assume("<" not in text)
    assert split_reasoning(text) == (None, text)
