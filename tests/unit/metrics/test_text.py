"""Exact match, F1, ROUGE and BLEU: the figures of the reference packages, and what must hold of any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmuses.metrics.text import common_length, exact_match, rouge, sentence_bleu, token_f1
from llmuses.metrics.words import bleu_units, plain, words
from tests.unit.metrics.hostile import HOSTILE

PIECES = [*"ab c1.,'-", "the ", "天", "气", "。", "，", "é", "ß", "ａ", "\n", "\u0301"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)

# answer, references, ROUGE-L, ROUGE-1, ROUGE-2, BLEU. ROUGE by rouge-score 0.1.2: RougeScorer(["rouge1", "rouge2",
# "rougeL"], use_stemmer=False).score_multi(references, answer), F-measures; BLEU by sacrebleu 2.6.0:
# sentence_bleu(answer, references).score / 100, with tokenize="zh" for Chinese. For Chinese rouge-score was given a
# tokenizer of single letters and digits.
REFERENCE_FIGURES = [
    ("The cat sat on the mat.", ["A cat was sitting on the mat."], 0.615385, 0.615385, 0.363636, 0.376850),
    ("Water boils at 100 degrees Celsius at sea level.", ["At sea level, water boils at 100 degrees C."],
     0.555556, 0.888889, 0.750000, 0.293772),
    ("Paris", ["Paris is the capital of France."], 0.285714, 0.285714, 0.0, 0.002479),
    ("It doesn't matter; we'll go by train at 9:30.",
     ["We'll take the 9:30 train.", "It does not matter, we will go by train."], 0.571429, 0.571429, 0.315789, 0.214016),
    ("the the the the", ["the cat is on the mat"], 0.4, 0.4, 0.0, 0.115216),
    ("Nothing in common here", ["12 other 13 words 14"], 0.0, 0.0, 0.0, 0.0),
    ("yes", ["yes"], 1.0, 1.0, 0.0, 1.0),
    ("Prices rose 3.5% in 2020, to $1,200.50.", ["In 2020 prices rose by 3.5%, to $1,200.50."],
     0.761905, 0.952381, 0.631579, 0.392354),
    ("今天天气很好，我们去公园散步。", ["今天天气不错，我们一起去公园散步吧。"], 0.758621, 0.758621, 0.592593, 0.412259),
    ("北京", ["北京"], 1.0, 1.0, 1.0, 1.0),
    ("长江是中国最长的河流", ["中国最长的河流是长江", "长江"], 0.7, 1.0, 0.777778, 0.725980),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "references", "rouge_l", "rouge_1", "rouge_2", "bleu"), REFERENCE_FIGURES)
def test_the_figures_are_those_of_rouge_score_and_sacrebleu(
    answer: str, references: list[str], rouge_l: float, rouge_1: float, rouge_2: float, bleu: float
) -> None:
    expected = {"rouge_l": rouge_l, "rouge_1": rouge_1, "rouge_2": rouge_2}
    assert rouge(answer, references) == pytest.approx(expected, abs=1e-6)
    assert sentence_bleu(answer, references) == pytest.approx(bleu, abs=1e-6)


# --- exact match and F1 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("The Beatles", "beatles"),
        ("an apple.", "Apple"),
        ("  Paris,\nFrance ", "paris france"),
        ("U.S.A.", "USA"),
        ("it's", "its"),
        ("“Hamlet”", "Hamlet"),
        ("北京。", "北京"),
        ("《红楼梦》", "红楼梦"),
        ("ＧＤＰ：１２", "gdp12"),
        ("中国 北京", "中国北京"),
        ("第 3 名", "第3名"),
        ("", "the"),
    ],
)
def test_case_punctuation_articles_width_and_idle_spaces_do_not_count(answer: str, reference: str) -> None:
    assert exact_match(answer, [reference]) == 1.0
    assert token_f1(answer, [reference]) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("Paris", "Paris, France"),
        ("12", "1 2"),
        ("theory", "ory"),
        ("北京", "北京市"),
        ("5", "五"),
        ("", "x"),
        ("café", "cafe"),
    ],
)
def test_another_word_is_another_answer(answer: str, reference: str) -> None:
    assert exact_match(answer, [reference]) == 0.0


@pytest.mark.parametrize(
    ("answer", "references", "f1"),
    [
        ("the Eiffel Tower in Paris", ["Eiffel Tower"], 2 * 2 / (4 + 2)),
        ("Eiffel", ["Eiffel Tower", "Tower"], 2 * 1 / (1 + 2)),
        ("red red blue", ["red"], 2 * 1 / (3 + 1)),
        ("北京市", ["北京"], 2 * 2 / (3 + 2)),
        ("GPT 模型", ["模型 GPT 4"], 2 * 3 / (3 + 4)),
        ("nothing", ["all"], 0.0),
        ("", ["all"], 0.0),
        ("the", ["a"], 1.0),
    ],
)
def test_f1_counts_words_and_chinese_characters(answer: str, references: list[str], f1: float) -> None:
    assert token_f1(answer, references) == pytest.approx(f1)


# --- units -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("It's 3.5%, isn't it?", ["it", "s", "3", "5", "isn", "t", "it"]),
        ("naïve café", ["naïve", "café"]),
        ("cafe\u0301", ["café"]),
        ("Привет, мир", ["привет", "мир"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("我爱GPT4。", ["我", "爱", "gpt4"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("안녕 세계", ["안녕", "세계"]),
        ("ＡＢ１２", ["ab12"]),
        ("snake_case", ["snake", "case"]),
        ("…!?", []),
    ],
)
def test_words_are_runs_of_letters_and_chinese_stands_by_characters(text: str, units: list[str]) -> None:
    assert words(text) == units


def test_bleu_keeps_case_and_punctuation() -> None:
    assert bleu_units("Hello, World! 3.5-4 U.S. 好的。") == [
        "Hello", ",", "World", "!", "3.5", "-", "4", "U", ".", "S", ".", "好", "的", "。",
    ]  # fmt: skip
    assert sentence_bleu("hello", ["Hello"]) == 0.0


# --- what holds of any text --------------------------------------------------------------------------------


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_every_figure_is_a_share(answer: str, references: list[str]) -> None:
    figures = [exact_match(answer, references), token_f1(answer, references), sentence_bleu(answer, references)]
    assert all(0.0 <= figure <= 1.0 + 1e-12 for figure in [*figures, *rouge(answer, references).values()])


@given(TEXTS, TEXTS)
def test_a_text_is_as_close_as_can_be_to_itself_and_another_reference_does_no_harm(text: str, other: str) -> None:
    assert exact_match(text, [other, text]) == token_f1(text, [other, text]) == 1.0
    figures = rouge(text, [other, text])
    units = len(words(text))
    assert (figures["rouge_l"], figures["rouge_1"]) == (float(units > 0), float(units > 0))
    assert figures["rouge_2"] == float(units > 1)
    if bleu_units(text):
        assert sentence_bleu(text, [text]) == pytest.approx(1.0)


@given(TEXTS, TEXTS)
def test_rouge_and_f1_do_not_change_when_answer_and_reference_change_places(one: str, other: str) -> None:
    assert rouge(one, [other]) == rouge(other, [one])
    assert token_f1(one, [other]) == token_f1(other, [one])


@given(TEXTS, TEXTS)
def test_a_longest_common_sequence_is_no_longer_than_the_words_in_common(one: str, other: str) -> None:
    figures = rouge(one, [other])
    assert figures["rouge_l"] <= figures["rouge_1"]


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abc"), max_size=9))
def test_the_common_length_is_that_of_the_textbook_table(one: list[str], other: list[str]) -> None:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    assert common_length(one, other) == table[-1][-1]


@given(TEXTS)
@example("aa.\u0301")
@example("か \u3099")
def test_the_plain_form_is_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_answers_of_any_length_take_little_time() -> None:
    started = time.process_time()
    for text in [*HOSTILE[:3], "好" * 60_000, "\ud800" * 1000]:
        rouge(text, ["a short reference"])
        token_f1(text, ["a short reference"])
        sentence_bleu(text, ["a short reference"])
    assert time.process_time() - started < 30
