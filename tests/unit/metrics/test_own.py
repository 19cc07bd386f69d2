"""A user's own extractor: a regular expression or a function, in the place of a benchmark's reading or before it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.errors import UsageError
from llmuses.metrics.choice import read_choice
from llmuses.metrics.numbers import read_number
from llmuses.metrics.own import extractor_sha256, own_extractor, read_narrowed


def found(spec: str, text: str) -> str | None:
    got = own_extractor(spec)(text)
    if got is not None and got.start is not None:
        assert text[got.start :].startswith(got.text)
    return None if got is None else got.text


@pytest.mark.parametrize(
    ("expression", "text", "answer"),
    [
        (r"Answer: (\w+)", "Answer: B", "B"),
        (r"Answer: (\w+)", "Answer: A, no. Answer: B", "B"),  # the last match counts
        (r"[0-9]+", "3 and 4 make 7", "7"),  # without a group all of the match does
        (r"<a>(.*?)</a>", "<a>one</a> <a>two</a>", "two"),
        (r"(?:is|are) ([A-D])", "It is C", "C"),
        (r"([A-D])\)|\(([A-D])", "B) then (C", "B"),  # the first group; a match without it does not count
        (r"^= (.+)$", "x\n= 7\ny", "7"),  # ^ and $ are the beginnings and ends of lines
        (r"答案[:：]\s*([A-D])", "答案：D", "D"),
        (r"(?i)final: (\w+)", "FINAL: b", "b"),
        (r"(?s)BEGIN(.*)END", "BEGIN a\nb END", " a\nb "),
        (r"(x*)", "ab", ""),
        (r"Answer: (\w+)", "B", None),
        (r"Answer: (\w+)", "", None),
    ],
)
def test_the_first_group_of_the_last_match_is_the_answer(expression: str, text: str, answer: str | None) -> None:
    assert found(expression, text) == answer


@given(st.text(alphabet="ab1 \n", max_size=30))
def test_what_a_regular_expression_finds_stands_where_it_says(text: str) -> None:
    answer = found(r"([ab])1", text)
    assert answer == (None if "a1" not in text and "b1" not in text else text[max(text.rfind("a1"), text.rfind("b1"))])


@pytest.mark.parametrize(
    ("expression", "text", "letter"),
    [
        (r"\[\[(.*?)\]\]", "A is wrong. [[B]]", "B"),
        (r"\[\[(.*?)\]\]", "[[the blue one]]", "B"),  # what is found is read as any answer is
        (r"\[\[(.*?)\]\]", "The answer is A.", None),
        (r"\[\[(.*?)\]\]", "[[neither]]", None),
        (None, "The answer is A.", "A"),
    ],
)
def test_what_is_found_is_read_as_an_answer_by_itself(expression: str | None, text: str, letter: str | None) -> None:
    reading = read_narrowed(expression, text, lambda part: read_choice(part, ["the red one", "the blue one"]))
    assert (reading.value if reading else None) == letter
    if reading is not None and expression is not None:
        assert reading.rule.startswith("own:")


def test_the_place_of_a_narrowed_reading_is_its_place_in_the_whole_text() -> None:
    text = "First 12.\nResult: about 1,200 m.\nThen 3."
    reading = read_narrowed(r"Result: (.*)", text, read_number)
    assert reading is not None
    assert (reading.value, text[slice(*reading.span)]) == ("1200", "1,200")


# --- functions ---------------------------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"extractors_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "def last_word(text):\n    return text.split()[-1] if text.split() else None\n"
        "def changed(text):\n    return text + '!'\n"
        "def number(text):\n    return 7\n"
        "LETTER = 'A'\n",
        "utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def test_a_function_gives_the_part_of_the_text_that_is_the_answer(module: str) -> None:
    assert found(f"{module}:last_word", "I say B") == "B"
    assert found(f"{module}:last_word", "") is None


def test_a_function_may_put_the_answer_in_other_words(module: str) -> None:
    reading = read_narrowed(f"{module}:changed", "b", lambda part: read_choice(part.upper().rstrip("!"), ["x", "y"]))
    assert reading is not None
    assert (reading.value, reading.span) == ("B", (0, 0))


def test_a_function_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pick_of_this_folder.py").write_text("def last(text):\n    return text[-1:]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = list(sys.path)
    assert found("pick_of_this_folder:last", "I say B") == "B"
    assert found(f"{tmp_path}/pick_of_this_folder.py:last", "I say B") == "B"
    assert sys.path == [*before, str(tmp_path)], "what it imports later is found, and stands in nobody's way"


def test_a_function_that_gives_no_text_fails_and_is_no_zero(module: str) -> None:
    with pytest.raises(TypeError, match="gave int"):
        found(f"{module}:number", "B")


def test_an_extractor_is_told_by_the_text_of_its_file(tmp_path: Path) -> None:
    sums = set()
    for name, text in (("a", "return text"), ("b", "return text"), ("c", "return None")):
        (tmp_path / f"{name}.py").write_text(f"def find(text):\n    {text}\n", "utf-8")
        sums.add(extractor_sha256(f"{tmp_path}/{name}.py:find"))
    assert len(sums) == 2 and all(len(each) == 64 for each in sums)
    assert extractor_sha256("([A-D])") == extractor_sha256("builtins:str") == ""


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("([A-D]", "neither a regular expression"),
        ("no_such_module:find", "extract: there is no module no_such_module: it must be importable from here"),
        ("json:no_such_function", "extract: unknown function in json 'no_such_function'"),
        ("no_such_file.py:find", "extract: cannot read no_such_file.py"),
    ],
)
def test_an_extractor_that_cannot_be_used_is_said(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        own_extractor(spec)


def test_what_is_no_function_is_said(module: str) -> None:
    with pytest.raises(UsageError, match="is not a function"):
        own_extractor(f"{module}:LETTER")
