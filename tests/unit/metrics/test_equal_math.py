"""Whether two mathematical answers mean the same: a table of targets and answers, in the processes that compare them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmuses.metrics.math_plain import decide, math_form
from llmuses.metrics.math_pool import MathPool

PLAIN = [
    # decided without algebra
    ("5", "5"),
    ("5", "5.0"),
    ("5", "05"),
    ("5", "$5$"),
    ("5", "\\text{5}"),
    ("5", "x = 5"),
    ("x = 5", "5"),
    ("x = 5", "x=5"),
    ("5", "f(2) = 5"),
    ("10000", "10,000"),
    ("10,000", "10{,}000"),
    ("34,\\!650", "34650"),
    ("1,\\!000,\\!000", "1000000"),
    ("\\frac{1}{2}", "\\dfrac{1}{2}"),
    ("\\frac{1}{2}", "\\tfrac12"),
    ("\\frac{1}{2}", "\\frac12"),
    ("\\frac{1}{2}", "1/2"),
    ("\\frac{1}{2}", "0.5"),
    ("\\frac{1}{2}", "{1 \\over 2}"),
    ("\\frac{1}{2}", "\\frac{2}{4}"),
    ("-\\frac{1}{2}", "\\frac{-1}{2}"),
    ("\\frac{270}{7}", "\\frac{270}7"),
    ("\\frac{7}{2}", "3\\frac{1}{2}"),
    ("\\frac{1}{3}", "0.\\overline{3}"),
    ("\\frac{1}{3}", "0.333333"),
    ("0.25", ".25"),
    ("50\\%", "50"),
    ("50\\%", "0.5"),
    ("20", "20\\%"),
    ("\\$15.48", "15.48"),
    ("\\$20", "20 \\text{ dollars}"),
    ("-\\$0.50", "-0.5"),
    ("60^\\circ", "60"),
    ("60^\\circ", "60^{\\circ}"),
    ("60", "60°"),
    ("60^\\circ", "60 \\text{ degrees}"),
    ("25 \\text{ ft}", "25"),
    ("25", "25 \\text{ ft}"),
    ("45 \\text{ units}^2", "45"),
    ("15\\mbox{ cm}^2", "15 \\text{ cm}^2"),
    ("8\\sqrt{3} \\text { square inches}", "8\\sqrt{3}"),
    ("225", "225 \\text{ square inches}"),
    ("225", "225 cm^2"),
    ("3", "3 \\text{ cm}"),
    ("18", "18 元"),
    ("\\text{(C)}", "C"),
    ("\\text{(C)}", "(C)"),
    ("\\text{(C)}", "\\textbf{(C)}"),
    ("\\text{Evelyn}", "Evelyn"),
    ("\\text{even}", "Even"),
    ("\\text{odd}", "\\text{Odd}"),
    ("\\text{Yes}", "\\text{yes}"),
    ("\\text{No}", "no"),
    ("\\text{Ann}", "\\text{ann}"),
    ("16\\pi", "16 pi"),
    ("2\\sqrt{3}", "2√3"),
    ("2\\sqrt{3}", "2 sqrt3"),
    ("\\sqrt{x}", "√x"),
    ("\\text{no solution}", "No solution"),
    ("\\text{4:30 p.m.}", "4:30 \\text{ pm}"),
    ("\\text{A,C,F}", "A, C, F"),
    ("-221_3", "-221"),
    ("4210_{5}", "4210_5"),
    ("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\frac{\\pi}{2})"),
    ("\\sqrt{5}", "\\sqrt5"),
    ("\\frac{\\sqrt{3}}{3}", "\\frac{\\\\sqrt{3}}{3}"),
    ("5", "\\text{The area is } 5"),
    ("5", "\\text{Area} = 5 \\text{ cm}^2"),
    ("x \\le 5", "x \\leq 5"),
    ("y = x^2 + 2", "x^2+2"),
]
ALGEBRA = [
    # numbers in other forms
    ("\\sqrt{12}", "2\\sqrt{3}"),
    ("2\\sqrt{3}+1", "1+\\sqrt{12}"),
    ("\\frac{\\sqrt{3}}{3}", "\\frac{1}{\\sqrt{3}}"),
    ("\\sqrt{2}", "1.41421356"),
    ("1500", "1.5 \\times 10^3"),
    ("1024", "2^{10}"),
    ("26000", "1000(26)"),
    ("6", "2(3)"),
    ("120", "5!"),
    ("120", "5! = 120"),
    ("120", "(3+2)! = 120"),
    ("10", "\\binom{5}{2}"),
    ("3", "\\log_2 8"),
    ("\\frac{63}{8}", "7 + \\frac{7}{8}"),
    ("8\\pi - 16", "-16 + 8\\pi"),
    ("\\frac{5\\pi}{4}", "1.25\\pi"),
    # complex numbers
    ("\\frac{3}{2} + \\frac{3}{2} i", "\\frac{3+3i}{2}"),
    ("-12 + 15i", "15i - 12"),
    ("-1", "i^2"),
    ("-1", "e^{i\\pi}"),
    # expressions
    ("(x+1)(x-1)", "x^2 - 1"),
    ("x^2 - 7x + 12", "(x-3)(x-4)"),
    ("-2n^2 - n", "-n(2n+1)"),
    ("4a-2", "2(2a-1)"),
    ("32R^2 - 3(a^2 + b^2 + c^2)", "32R^2 - 3a^2 - 3b^2 - 3c^2"),
    ("\\frac{1}{2-x}", "-\\frac{1}{x-2}"),
    ("\\sec x", "\\frac{1}{\\cos x}"),
    ("\\sin^2 x", "\\sin^2(x)"),
    ("8\\sin^2(x)", "8 \\sin^2 x"),
    ("\\cos^2 \\theta", "\\cos^2(\\theta)"),
    ("\\tan^2 x", "\\tan^{2}(x)"),
    ("2x^2 + 2x", "2x^1(x+1)"),
    ("\\cot x", "\\frac{\\cos x}{\\sin x}"),
    # several answers, in any order
    ("1,-2", "-2, 1"),
    ("1,-2", "x = 1 \\text{ or } x = -2"),
    ("1,-2", "x = -2, x = 1"),
    ("1,-2", "\\{1, -2\\}"),
    ("1,-2", "{-2}, {1}"),
    ("5", "x \\in \\{5\\}"),
    ("\\frac{5}{2},-3", "-3 和 2.5"),
    ("1 \\pm \\sqrt{19}", "1 + \\sqrt{19}, 1 - \\sqrt{19}"),
    ("6, 8", "8 and 6"),
    ("(2,1),(1,2)", "(1,2),(2,1)"),
    ("\\{1,2,3\\}", "3,2,1"),
    ("3,3,5", "5,3"),
    ("100,200", "200, 100"),
    ("AB=4,CD=5", "4,5"),
    ("a=4,-8,-10", "-10,-8,4"),
    # points and vectors, in their order
    ("(p,q)=(3,2)", "(3,2)"),
    ("(3,2)", "p=3, q=2"),
    ("(0;0;6)", "(0,0,6)"),
    ("\\left( \\frac{11}{2}, -1, 1 \\right)", "(5.5, -1, 1)"),
    ("\\begin{pmatrix} 6/5 \\\\ -17/5 \\end{pmatrix}", "\\begin{pmatrix} 1.2 \\\\ -3.4 \\end{pmatrix}"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}"),
    ("\\begin{pmatrix} 1/5 & 4/5 \\\\ 0 & 1 \\end{pmatrix}", "\\begin{pmatrix} 0.2 & 0.8 \\\\ 0 & 1 \\end{pmatrix}"),
    # intervals and inequalities
    ("[0,1)", "0 \\le x < 1"),
    ("(-7, -2)", "-7 < x < -2"),
    ("-793 < a < 10", "(-793, 10)"),
    ("(-\\infty,5) \\cup (5,\\infty)", "x \\neq 5"),
    ("\\left[ \\frac{1}{2}, \\infty \\right)", "x \\ge \\frac12"),
    ("x > 3", "3 < x"),
    ("(-\\infty,-1] \\cup [4,\\infty)", "x \\in (-\\infty, -1] \\cup [4, \\infty)"),
    # equations
    ("x - 3z = 0", "x = 3z"),
    ("x - 3z = 0", "2x - 6z = 0"),
    ("y = 2x + 3", "y - 2x = 3"),
    ("x^2 + 2", "f(x) = 2 + x^2"),
    ("y = x^2 + 2", "f(x) = x^2 + 2"),
    ("5", "2 + 3 = 5"),
    ("\\pi", "\\pi \\approx 3.14"),
    ("\\frac{1}{\\sqrt{6}}", "\\frac{NO}{BO} = \\frac{1}{\\sqrt{6}}"),
    ("7:32", "S_1 : S_2 = 7:32"),
    ("7:32", "\\frac{7}{32}"),
]
OTHER = [
    ("5", "6"),
    ("5", "-5"),
    ("5", "50"),
    ("0.02", "2"),
    ("3", "300"),
    ("1,-2", "1"),
    ("1", "1,-2"),
    ("1,2,3", "1,2"),
    ("1,2,3", "1,2,4"),
    ("326.5", "326.53"),
    ("\\frac{1}{3}", "0.33"),
    ("\\sqrt{2}", "1.41"),
    ("\\pi", "3.14"),
    ("\\text{Evelyn}", "Debra"),
    ("\\text{even}", "odd"),
    ("\\text{(C)}", "\\text{(D)}"),
    ("d", "\\text{E}"),
    ("x", "X"),
    ("2Rr", "2r^2"),
    ("5t", "5"),
    ("6s", "6"),
    ("(3,1)", "(5,2)"),
    ("(1,2)", "(2,1)"),
    ("(1,2)", "[1,2]"),
    ("[0,1)", "[0,1]"),
    ("(0,1)", "\\{0,1\\}"),
    ("p-q", "q-p"),
    ("\\sin^2 x", "\\sin x^2"),
    ("\\text{yes}", "\\text{no}"),
    ("\\text{Ann}", "\\text{Bob}"),
    ("AB", "ab"),
    ("x^2 + 1", "x^2 - 1"),
    ("x=3", "y=3"),
    ("x=3", "x=4"),
    ("x + y = 3", "3"),
    ("x - 3z = 0", "0"),
    ("x > 3", "x \\ge 3"),
    ("x > 3", "x < 3"),
    ("60^\\circ", "\\frac{\\pi}{3}"),
    ("101_2", "101_3"),
    ("4210_5", "555_{10}"),
    ("4:30", "5:30"),
    ("\\text{4:30 p.m.}", "4:30 a.m."),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 2 \\\\ 1 \\end{pmatrix}"),
    ("0", "\\emptyset"),
    ("1", "\\frac{1}{0}"),
    ("", ""),
    ("5", ""),
    ("5", "???"),
    ("5", "\\frac{"),
    ("5", "\\undefinedmacro{5}"),
]


@pytest.fixture(scope="module")
def pool() -> Iterator[MathPool]:
    with MathPool(1) as pool:
        yield pool


@pytest.mark.parametrize(("target", "answer"), PLAIN)
def test_plain_forms_decide_what_is_the_same_without_a_process(target: str, answer: str) -> None:
    assert decide(target, answer) is True


@pytest.mark.parametrize(("target", "answer"), ALGEBRA)
def test_an_answer_that_means_the_same_is_equal(pool: MathPool, target: str, answer: str) -> None:
    assert pool.compare(target, answer) == (True, None)


@pytest.mark.parametrize(("target", "answer"), OTHER)
def test_an_answer_that_means_something_else_is_not_equal(pool: MathPool, target: str, answer: str) -> None:
    assert pool.compare(target, answer) == (False, None)


@pytest.mark.parametrize(("target", "answer"), [pair for pair in PLAIN + ALGEBRA if "=" not in "".join(pair)])
def test_what_names_nothing_is_equal_the_other_way_round_too(pool: MathPool, target: str, answer: str) -> None:
    assert pool.compare(answer, target).equal


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("\\left( \\dfrac{1}{2} , 3 \\right)", "(\\frac{1}{2},3)"),
        ("\\text{(C)}", "C"),
        ("25 \\text{ ft}", "25"),
        ("\\sin x", "\\sin x"),
        ("5\\,\\mathrm{cm}^{2}", "5"),
        ("$60^{\\circ}$.", "60"),
        ("{5}", "5"),
    ],
)
def test_an_answer_has_one_plain_form(text: str, form: str) -> None:
    assert math_form(text) == form
