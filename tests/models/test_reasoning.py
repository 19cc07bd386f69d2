from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmuses.models.reasoning import ReasoningSplitter, split_reasoning


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


def in_pieces(pieces: list[str], opening: str = "") -> tuple[str, str]:
    splitter = ReasoningSplitter(opening)
    reasoning = text = ""
    for piece in [*map(splitter.feed, pieces), splitter.finish()]:
        if piece.recast:
            reasoning, text = reasoning + text, ""
        reasoning += piece.reasoning
        text += piece.text
    return reasoning, text


PARTS = [
    "<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<", "</", "[", "◁",
    "</thi", "<|", "|>", "<|begin_of_thought|>", "<|end_of_thought|>", " ", "\n", "\n\n", "It is B.", "a < b", "x", "é", "思",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=12), st.data())
def test_a_text_in_pieces_is_split_as_the_whole_is(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    reasoning, answer = in_pieces(pieces)
    assert (reasoning.strip() or None, answer) == split_reasoning(text)


CHANNELS = (
    "<|channel|>analysis<|message|>It is B, I think.<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>"
    "Answer: B<|return|>"
)


@given(st.lists(st.integers(0, len(CHANNELS)), max_size=12))
def test_channels_in_pieces_are_split_as_the_whole_is(cuts: list[int]) -> None:
    cuts = sorted(cuts)
    reasoning, answer = in_pieces([CHANNELS[a:b] for a, b in zip([0, *cuts], [*cuts, len(CHANNELS)], strict=True)])
    assert (reasoning.strip(), answer) == split_reasoning(CHANNELS)


def test_a_word_is_given_at_once_and_only_what_may_be_a_tag_waits() -> None:
    splitter = ReasoningSplitter()
    assert [splitter.feed(word).text for word in ("A ", "word, 1 <", " 2, </", "b>", "!")] == [
        "A ", "word, 1 ", "< 2, ", "</b>", "!",
    ]  # fmt: skip
    splitter = ReasoningSplitter()
    assert [splitter.feed(word).reasoning for word in ("<thi", "nk>", "\nFirst", " this</thi", "s")] == [
        "", "", "First", " this", "</this",
    ]  # fmt: skip


def test_thoughts_whose_beginning_the_template_wrote_are_thoughts_from_the_first_word() -> None:
    splitter = ReasoningSplitter("<think>")
    assert splitter.feed("First this.").reasoning == "First this."
    assert splitter.feed("</think>\n").text == ""
    assert splitter.feed("\nB").text == "B"


def test_thoughts_that_nothing_announced_are_recast_when_they_end() -> None:
    splitter = ReasoningSplitter()
    assert splitter.feed("First this.").text == "First this."
    piece = splitter.feed(" Then that.</think>\n\nB")
    assert piece == (" Then that.", "B", True)


def test_splitting_takes_time_in_proportion_to_the_text() -> None:
    def seconds(n: int) -> float:
        splitter = ReasoningSplitter()
        began = time.process_time()
        for _ in range(n):
            splitter.feed("word <")
        return time.process_time() - began

    seconds(2_000)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.002)
