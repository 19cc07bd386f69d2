"""Reading the number that a written answer gives: a table of what models write, English and Chinese."""

from __future__ import annotations

import pytest

from llmuses.metrics.numbers import equal_numbers, plain_number, read_number

NUMBERS = {
    # a number and little else
    "18": "18",
    " 18 ": "18",
    "18.": "18",
    "**18**": "18",
    "$18": "18",
    "18.00": "18",
    "18.50": "18.5",
    ".5": "0.5",
    "007": "7",
    "-5": "-5",
    "−5": "-5",
    "+5": "5",
    "１８": "18",
    "1,234": "1234",
    "$1,234,567.80": "1234567.8",
    "-$1,234.50": "-1234.5",
    "$-5": "-5",
    "(-3)": "-3",
    "1,00,000": "100000",
    "1{,}000": "1000",
    "1\\,000": "1000",
    "1\u202f000": "1000",
    "1_000": "1000",
    "18€": "18",
    "18%": "18",
    "USD 20": "20",
    "US$1,200": "1200",
    "Rs. 250": "250",
    "￥300": "300",
    # fractions and powers of ten
    "3/4": "3/4",
    "3 / 4 of the cake": "3/4",
    "3 1/2 cups": "7/2",
    "½": "1/2",
    "3½ hours": "7/2",
    "\\frac{3}{4}": "3/4",
    "3\\frac{1}{2}": "7/2",
    "The answer is -\\frac{1}{2}.": "-1/2",
    "The answer is 5/3.": "5/3",
    "The answer is 1/2.": "1/2",
    "The answer is 3 1/2.": "7/2",
    "So she eats 3/4.": "3/4",
    "1.5e3": "1500",
    "1.5 \\times 10^3": "1500",
    "2 × 10^{-2}": "0.02",
    # announced
    "The answer is 18.": "18",
    "The answer is 18": "18",
    "The answer is: 18": "18",
    "The answer is $18.": "18",
    "The answer is \\$18.": "18",
    "The answer is **18**.": "18",
    "The answer is **$18** per day.": "18",
    "The answer is 18 dollars a day for 5 days.": "18",
    "The final answer is 18": "18",
    "The answer is therefore 18.": "18",
    "The answer would be 18 apples.": "18",
    "The answer to the question is 18.": "18",
    "The answer is about 18.": "18",
    "The answer is that Janet makes $18.": "18",
    "The answer is 1,234 meters.": "1234",
    "The answer is -7 degrees.": "-7",
    "The answer is $-7$.": "-7",
    "The answer is 9 * 2 = 18.": "18",
    "The answer is 9 * 2 = 18 dollars, since she sells 9 eggs for $2.": "18",
    "The answer is $9 + $9 = $18.": "18",
    "The answer is 20% of 90 = 18.": "18",
    "The answer is 18 because 9 * 2 = 18 and 3 + 4 = 7.": "18",
    "The answer is 18 (16 - 3 - 4 = 9).": "18",
    "The answer is x = 18.": "18",
    "The answer is 17. No, wait: the answer is 18.": "18",
    "The answer is 18. She started with 16 eggs.": "18",
    "The answer is not 17. The answer is 18.": "18",
    "Answer: 18": "18",
    "Answer: 18 dollars": "18",
    "**Answer:** 18": "18",
    "**Answer: 18**": "18",
    "Final answer: $18": "18",
    "Answer:\n18": "18",
    "Answer: 18\n\nShe has 16 eggs, eats 3 and bakes 4, and sells 9 for $2.": "18",
    "Answer: She sells 16 - 3 - 4 = 9 eggs.\nShe makes 9 * 2 = 18 dollars.": "18",
    "Answer: 16 - 3 = 13\n13 - 4 = 9\n9 * 2 = 18": "18",
    "A: 18": "18",
    "#### 18": "18",
    "####18": "18",
    "#### -18": "-18",
    "#### 1,800": "1800",
    "She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18": "18",
    "#### $18.00": "18",
    # LaTeX boxes
    "\\boxed{18}": "18",
    "$\\boxed{18}$": "18",
    "\\boxed{\\$18}": "18",
    "\\boxed{18\\text{ dollars}}": "18",
    "\\boxed{\\text{18 dollars}}": "18",
    "\\boxed{1{,}800}": "1800",
    "\\boxed{x = 18}": "18",
    "\\boxed{\\frac{3}{4}}": "3/4",
    "\\boxed{-\\dfrac{3}{4}}": "-3/4",
    "\\boxed{50\\%}": "50",
    "\\boxed{3 \\text{ cm}^2}": "3",
    "She started with \\boxed{16} eggs and makes \\boxed{18} dollars in 5 days.": "18",
    "The answer is \\boxed{18}. I hope that 1 of these is right.": "18",
    # a base model goes on with a question of its own
    "The answer is 18\n\nQuestion: Tom has 5 apples. How many?\nAnswer: 5": "18",
    "The answer is 18.\nQuestion: Tom has 5 apples. How many?\nAnswer: The answer is 5.": "18",
    "9 * 2 = 18\n#### 18\n\nQ: Tom has 5 apples. How many?\nA: 5\n#### 5": "18",
    "She makes 9 * 2 = 18 dollars.\n\nQuestion: Tom has 5 apples. How many?\nAnswer: Tom has 5 apples.": "18",
    "\\boxed{18}\n\nQuestion: What is 2 + 3?\nAnswer: \\boxed{5}\n\nQuestion: What is 2 + 4?\nAnswer: \\boxed{6}": "18",
    "答案是18。\n\n问题：小明有5个苹果，一共几个？\n答案：5": "18",
    "Question: How much does she make?\nAnswer: 9 * 2 = 18": "18",
    "There are 16 eggs.\nQuestion: how many are left?\n16 - 3 - 4 = 9, so the answer is 9.": "9",
    # the last number of a text without an announcement
    "She sells 16 - 3 - 4 = 9 eggs. So she makes 9 * 2 = $18 every day.": "18",
    "So 10 - 5": "5",
    "It goes from 10 to -5": "-5",
    "x = -5": "-5",
    "x = - 5": "-5",
    "- 5 apples": "5",
    "It takes in 15 kg of CO2.": "15",
    "There are 18 eggs (see H2O).": "18",
    "It takes 18 m^2 of cloth.": "18",
    "= $<<2*13=26>>26": "26",
    # Chinese
    "答案是18。": "18",
    "答案是 18 元。": "18",
    "答案为 1,800 元": "1800",
    "最终答案：18": "18",
    "答案：18": "18",
    "答：她每天赚18美元。": "18",
    "答案应该是 -7 度。": "-7",
    "因此，她每天赚 18 美元。": "18",
    "共18元": "18",
    "答案是９×２＝１８。": "18",
    # thousands in other ways
    "The answer is 12 500.": "12500",
    "The answer is 1 234 567 dollars.": "1234567",
    "The answer is $12 500.50.": "12500.5",
    "\\boxed{12 500}": "12500",
    "The answer is 12\u2009500.": "12500",
    "The answer is 1'000'000.": "1000000",
    "The answer is 1.000,5 euros.": "1000.5",
    "The answer is 12.345,67 €.": "12345.67",
    "The answer is 1.234.567.": "1234567",
    "The answer is 1.000.": "1",
    "The answer is 2.345.": "2.345",
    "In room 12 500 people wait.": "500",
    "They ran 2 300 m races": "300",
    "So 1,000,000.50 in all": "1000000.5",
    # powers of ten in words
    "The answer is 2 million.": "2000000",
    "The answer is $1.5 billion.": "1500000000",
    "The answer is 30 thousand people.": "30000",
    "\\boxed{2.5 \\text{ million}}": "2500000",
    "答案是3万元。": "30000",
    "答案是1.5亿。": "150000000",
    "答案是2千。": "2000",
    "答案是2千克。": "2",
    "答案是5千米。": "5",
    "共有12万人。": "120000",
    "答案是3百万。": "3000000",
    # units, counters and currency, before and after
    "答案是18个。": "18",
    "答案为 3.5 公里。": "3.5",
    "答案是25%。": "25",
    "答案是负5。": "-5",
    "答案：¥１，２００": "1200",
    "The answer is negative 5.": "-5",
    "The answer is minus 5 degrees.": "-5",
    "10 minus 5 is 5": "5",
    "The answer is ₩5,000.": "5000",
    "The answer is 18 USD.": "18",
    "The answer is HK$18.": "18",
    "The answer is 12.5 percent.": "12.5",
    "The answer is 3/4 of an hour.": "3/4",
    "The answer is 45°.": "45",
    "The answer is 7th.": "7",
    "The answer is ~18.": "18",
    "The answer is ≈ 3.14.": "3.14",
}  # fmt: skip

NOTHING = [
    "",
    " \n",
    "I do not know.",
    "The answer is eighteen.",
    "十八",
    "\\boxed{}",
    "\\boxed{x}",
    "####",
    "CO2",
    "2^5",
    "The answer is 5 or 6.",
    "The answer is 5-6 hours.",
    "The answer is between 5 and 10.",
    "The answer is 5 to 10.",
    "The answer is 3:30.",
    "The answer is 3,5.",
    "The answer is 1,2,3.",
    "The answer is 12,3456.",
    "\\boxed{3,5}",
    "答案是3或5。",
    "答案是5到6。",
    "\\boxed{5, 6}",
    "\\boxed{5 \\text{ or } 6}",
]


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_the_number_that_an_answer_gives_is_read(text: str, value: str) -> None:
    reading = read_number(text)
    assert reading is not None, "nothing was read"
    assert reading.value == value


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_guessed_where_an_answer_gives_no_number_or_several(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1,200", "1200"),
        ("-$1,200.50", "-1200.5"),
        ("18.0", "18"),
        ("18.", "18"),
        ("−3", "-3"),
        ("１８", "18"),
        ("50%", "50"),
        (" 7 / 2 ", "7/2"),
        (".5", "0.5"),
        ("-.50", "-0.5"),
        ("007", "7"),
        ("-0", "0"),
        ("0", "0"),
        ("0.0", "0"),
        ("100", "100"),
        ("1.000,5", "1000.5"),
        ("1.234.567", "1234567"),
        ("1.234", "1.234"),
        ("1'000", "1000"),
        ("1 000", "1000"),
    ],
)
def test_a_number_is_written_in_one_way(text: str, plain: str) -> None:
    assert plain_number(text) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [("18", "18.0"), ("1,000", "1000"), ("1/2", "0.5"), ("7/2", "3.5"), ("-3", "−3"), ("0.1", "1/10"), ("$5", "5")],
)
def test_numbers_of_one_value_are_equal(one: str, other: str) -> None:
    assert equal_numbers(one, other)
    assert equal_numbers(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("18", "19"),
        ("0.33", "1/3"),
        ("5", "-5"),
        ("", ""),
        ("eighteen", "eighteen"),
        ("1/0", "1/0"),
        ("1e999999999", "1e999999999"),
        ("9" * 100_000, "9" * 100_000),
        ("nan", "nan"),
    ],
)
def test_other_values_and_what_is_no_number_are_not_equal(one: str, other: str) -> None:
    assert not equal_numbers(one, other)
