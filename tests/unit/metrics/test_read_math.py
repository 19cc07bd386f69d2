"""Reading the mathematical answer out of a text: a table of what models write, English and Chinese."""

from __future__ import annotations

import pytest

from llmuses.metrics.math import boxed_math, read_math

ANSWERS = {
    # boxes
    "\\boxed{5}": "5",
    "$\\boxed{5}$.": "5",
    "\\(\\boxed{5}\\)": "5",
    "\\[\\boxed{\\frac{3}{4}}\\]": "\\frac{3}{4}",
    "**Final Answer**\n\n$$\\boxed{-2\\sqrt7-1}$$": "-2\\sqrt7-1",
    "\\boxed{\\text{(C)}}": "\\text{(C)}",
    "\\boxed{\\text{Evelyn}}": "\\text{Evelyn}",
    "\\boxed{x = 5}": "x = 5",
    "\\boxed{12.}": "12",
    "\\boxed{$7$}": "7",
    "\\fbox{8}": "8",
    "\\boxed 9": "9",
    "\\boxed{\\boxed{3}}": "3",
    "\\boxed{\\begin{pmatrix} 1 \\\\ -2 \\end{pmatrix}}": "\\begin{pmatrix} 1 \\\\ -2 \\end{pmatrix}",
    "\\boxed{\\left[ \\frac12, \\infty \\right)}": "\\left[ \\frac12, \\infty \\right)",
    "\\boxed{(-\\infty, 5) \\cup (5, \\infty)}": "(-\\infty, 5) \\cup (5, \\infty)",
    "\\boxed{\\{1, 2\\}}": "\\{1, 2\\}",
    "First $\\boxed{4}$, but then $3$ is missing, so in all there are $\\boxed{7}$ of them.": "7",
    "We get $\\boxed{5}$ and that is \\boxed{": "5",
    "The box \\boxed{} is empty, the answer is 6.": "6",
    "So $x = \\boxed{3}$ or $x = \\boxed{-5}$.": "3, -5",
    "\\boxed{1}, \\boxed{2}, and \\boxed{4}": "1, 2, 4",
    "\\[\\boxed{(2, 2)} \\quad \\text{and} \\quad \\boxed{(6, 2)}\\]": "(2, 2), (6, 2)",
    "\\boxed{3} \\text{ for the first and } \\boxed{4}": "3, 4",
    "\\boxed{1} apples and \\boxed{2} pears": "1, 2",
    "\\boxed{5}, i.e. \\boxed{5}": "5",
    "Since $y = \\boxed{3}$, it follows that $x = \\boxed{5}$": "5",
    "\\boxed{1} is too small. We try \\boxed{2}": "2",
    # the sentence that base models end on
    "Final Answer: The final answer is $3$. I hope it is correct.": "3",
    "Final Answer: The final answer is $x = 9$ and $x = -3$. I hope it is correct.": "x = 9, x = -3",
    "Final Answer: The final answer is 3 units. I hope it is correct.": "3",
    "Final Answer: The final answer is \\frac{1}{2}. I hope it is correct.": "\\frac{1}{2}",
    "The final answer is $\\boxed{7}$. I hope it is correct.": "7",
    "The final answer is $4$ inches per second. I hope it is correct.": "4",
    "$\\boxed{2}$\nThe final answer is $3$. I hope it is correct.": "3",
    "The final answer is $3$. I hope it is correct.\n\nProblem:\nWhat is $2+2$?\n\nSolution:\n$\\boxed{4}$": "3",
    # a base model goes on with a problem of its own
    "The answer is $\\boxed{12}$.\n\nProblem:\nWhat is 3+4?\n\nSolution:\n$\\boxed{7}$": "12",
    "\\boxed{12}.\n\nProblem: What is 3+4?\nSolution: \\boxed{7}": "12",
    "The answer is $12$.\n\n**Problem:** What is $3+4$?\n\n**Solution:** The answer is $7$.": "12",
    "So there are 12.\n\nProblem:\nWhat is $3+4$?\n\nSolution:\nIt is $7$.": "12",
    "Problem: What is $5+7$?\n\nSolution: $\\boxed{12}$": "12",
    "We know that $x = 3$.\nProblem: What is $4x$?\nIt is $\\boxed{12}$.": "12",
    # announced
    "The answer is $\\frac{1}{2}$.": "\\frac{1}{2}",
    "The answer is \\(\\frac{1}{2}\\).": "\\frac{1}{2}",
    "The answer is $$x^2 + 1$$": "x^2 + 1",
    "The answer is \\[\n\\sqrt{2}\n\\]": "\\sqrt{2}",
    "The answer is x^2 - 7x + 12.": "x^2 - 7x + 12",
    "The answer is 2x + 3y because both count.": "2x + 3y",
    "The answer is (3, \\frac{\\pi}{2}).": "(3, \\frac{\\pi}{2})",
    "The answer is [0, 1).": "[0, 1)",
    "The answer is {1, 2, 3}.": "{1, 2, 3}",
    "The answer is the point $(3, 4)$.": "(3, 4)",
    "The answer is x = 5.": "x = 5",
    "The answer is $x = 5$, since $x > 0$.": "x = 5",
    "The answer is $2$ or $-2$.": "2, -2",
    "The answers are $2$, $3$ and $5$.": "2, 3, 5",
    "The answers are 3, 5 and 7.": "3, 5 and 7",
    "The answer is 18 dollars a day for 5 days.": "18",
    "The answer is 18 (16 - 3 + 5 = 18).": "18",
    "The answer is $18.": "$18",
    "The answer is $18 a day and $20 in all.": "$18",
    "The answer is 50%.": "50%",
    "The answer is 30°.": "30°",
    "The answer is 60^\\circ.": "60^\\circ",
    "The answer is 4:30 p.m.": "4:30 p.m",
    "The answer is 3$\\sqrt{2}$.": "3$\\sqrt{2}",
    "The answer is 1,000.": "1,000",
    "The answer is Evelyn.": "Evelyn",
    "The answer is Evelyn, who is the fastest.": "Evelyn",
    "The answer is no solution.": "no solution",
    "The answer is even.": "even",
    "The answer is (C).": "(C)",
    "The answer is \\text{(C)}.": "\\text{(C)}",
    "Therefore, the final answer is: $\\pi$": "\\pi",
    "The answer to the question is therefore $8$.": "8",
    "The answer is $3$. No, wait: the answer is $4$.": "4",
    "The answer is \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}.": "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
    "#### \\frac{1}{2}": "\\frac{1}{2}",
    "#### 42": "42",
    "Answer: 5": "5",
    "Answer: $\\frac{2}{3}$": "\\frac{2}{3}",
    "**Answer:** $x > 3$": "x > 3",
    "**Answer**: 5 cm": "5",
    "### Final Answer\n$\\frac{3}{4}$": "\\frac{3}{4}",
    "**Final Answer**\n\n12": "12",
    "Answer: We count the pairs.\nThere are $3 \\cdot 4$ of them, so $12$.": "12",
    # nothing but mathematics
    "42": "42",
    "x=5": "x=5",
    "(3, 4)": "(3, 4)",
    "$\\frac{1}{2}$": "\\frac{1}{2}",
    "-\\frac{1}{2}": "-\\frac{1}{2}",
    "Evelyn": "Evelyn",
    "C": "C",
    "We add both.\n\n$x + 1$": "x + 1",
    "We add both.\n\n(3, 4)": "(3, 4)",
    # the last formula, or the last number where it comes later
    "So the area is $9\\pi$ square units.": "9\\pi",
    "Hence $x = 3 + 4 = 7$.": "x = 3 + 4 = 7",
    "We multiply: $$\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}$$": "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
    "\\[\\begin{align*} x &= 3 + 4 \\\\ &= 7. \\end{align*}\\]": "7",
    "\\begin{align*}\nx &= 3 + 4 \\\\\n&= 7\n\\end{align*}": "7",
    "Since $x + y = 12$, there are 18 ways.": "18",
    "So she has 18 apples.": "18",
    "She pays $18 for it.": "18",
    # an expression without dollar signs is read whole
    "Therefore the slope is 5/3.": "5/3",
    "So x = 2√3": "x = 2√3",
    "So the length is 2√3.": "2√3",
    "Thus the value is √3/2.": "√3/2",
    "The volume is 4π.": "4π",
    "The volume is 16 pi.": "16 pi",
    "The area is 28π cm².": "28π",
    "So the area is π.": "π",
    "The 2 of them give π/2.": "π/2",
    "Thus f(x) = x^2 + 1.": "f(x) = x^2 + 1",
    "So the line is x + y = 5 here.": "x + y = 5",
    "The point is (1/2, 3).": "(1/2, 3)",
    "The interval is [0, 1).": "[0, 1)",
    "The solutions are 1, 2, and 3.": "1, 2, and 3",
    "We have x = 1 or x = 2 as solutions.": "x = 1 or x = 2",
    "So we get \\frac{1}{2} + x.": "\\frac{1}{2} + x",
    "Thus 2^10.": "2^10",
    "Thus 2^5.": "2^5",
    "So it is 2^10 = 1024.": "1024",
    "So 9 * 2 = $18 every day.": "18",
    "The ratio is 3:2.": "3:2",
    "So x > 3.": "x > 3",
    "It is $\\sqrt{2}$ + 1.": "$\\sqrt{2}$ + 1",
    "The probability is 50%.": "50%",
    "The cloth measures 18 m^2 now.": "18 m^2",
    "So the answer must be that x = 3√2.": "x = 3√2",
    "So the sum is 5k.": "5k",
    # what only stands beside a number is no part of it
    "In 2010, 5 people came.": "5",
    "If x = 1, y = 2.": "y = 2",
    "In room 12 500 people wait.": "500",
    "In class B 18 of them win.": "18",
    "Step 3: x = 5": "x = 5",
    "There are 18 eggs (see H2O).": "18",
    "So (5 apples) remain.": "5",
    "The value is **5/3**.": "5/3",
    "It costs 25,000/year then.": "25000",
    "He goes on 5-day trips.": "5",
    # Chinese
    "答案是$\\frac{1}{2}$。": "\\frac{1}{2}",
    "因此，答案为 $x=3$ 或 $x=5$。": "x=3, x=5",
    "答案：$\\sqrt{2}$": "\\sqrt{2}",
    "最终答案：\\(2\\pi\\)": "2\\pi",
    "答案是 18 元。": "18",
    "答案是（3，4）。": "(3,4)",
    "所以共有 $12$ 种方法。": "12",
    "所以共有12种方法。": "12",
    "故答案为 \\boxed{12}。": "12",
}  # fmt: skip

NOTHING = [
    "",
    " \n\n ",
    "I do not know.",
    "I cannot solve this problem, sorry.",
    "\\boxed{}",
    "\\boxed{ }",
    "\\boxed{5",
    "\\boxed{" + "x" * 3000 + "}",
    "The answer is",
    "The answer is not clear to me.",
    "We start with $\\frac{1}{2} + \\frac{1}{3",
    "Then $x = 3$. Next, \\begin{align*} x^2 &= 9 \\\\ x^3 &= 2",
    "First $x = 3$, and after that \\[ x^2 + 5",
    "我不知道。",
    "So ⌊3/2⌋ is what we want.",
    "It follows that x ≡ 3 here.",
]


@pytest.mark.parametrize(("text", "value"), ANSWERS.items())
def test_the_answer_that_a_text_gives_is_read(text: str, value: str) -> None:
    reading = read_math(text)
    assert reading is not None, "nothing was read"
    assert reading.value == value


@pytest.mark.parametrize("text", NOTHING, ids=lambda text: text[:30])
def test_nothing_is_guessed_where_a_text_gives_no_answer_or_breaks_off_in_a_formula(text: str) -> None:
    assert read_math(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The final answer is $3$. I hope it is correct.", "final_answer"),
        ("$\\boxed{3}$", "boxed"),
        ("The answer is $3$.", "announced"),
        ("$3$", "alone"),
        ("Therefore $x = 3$ holds.", "last_formula"),
        ("Therefore 3 remain.", "last_number"),
    ],
)
def test_a_reading_says_by_which_rule_it_was_found(text: str, rule: str) -> None:
    reading = read_math(text)
    assert reading is not None
    assert reading.rule == rule


@pytest.mark.parametrize("text", ANSWERS)
def test_the_place_of_a_reading_holds_its_value(text: str) -> None:
    reading = read_math(text)
    assert reading is not None
    start, end = reading.span
    assert 0 <= start < end <= len(text)
    last = reading.value.rpartition(", ")[2].rpartition("=")[2].strip(" $")
    assert last[-3:].replace(",", "") in text[start:end].replace("，", "").replace(",", "").replace("）", ")")


@pytest.mark.parametrize(
    ("solution", "gold"),
    [
        ("Thus $\\boxed{\\frac{3}{4}}.$", "\\frac{3}{4}"),
        ("$\\boxed{1}$ is wrong. So the answer is $\\boxed{2}$. Remark: $3$ would do too.", "2"),
        ("$\\boxed{\\$15.48}$, which is the price", "\\$15.48"),
        ("$\\boxed{34,\\!650}$.", "34,\\!650"),
        ("$\\boxed{140}^\\circ.$", "140"),
        ("no box", None),
    ],
)
def test_a_reference_solutions_answer_is_its_last_box(solution: str, gold: str | None) -> None:
    assert boxed_math(solution) == gold
