"""Which part of an answer is the program: a table of answers as models write them."""

from __future__ import annotations

from typing import Any

import pytest

from llmuses.metrics.code import preamble, read_program
from llmuses.metrics.python_text import parsed
from tests.unit.metrics.hostile import HOSTILE

PROMPT = '''from typing import List


def shout(word: str) -> str:
    return word.upper()


def total(numbers: List[int]) -> int:
    """ Add up the numbers that are not negative.
    >>> total([1, -2, 3])
    4
    """
'''
WHOLE = "def total(numbers: List[int]) -> int:\n    return sum(n for n in numbers if n >= 0)\n"
BODY = "    return sum(n for n in numbers if n >= 0)\n"
LOOP = "    result = 0\n    for n in numbers:\n        if n >= 0:\n            result += n\n    return result\n"
NOTHING = "def total(numbers):\n    return 0"
KEEP = "def keep(n):\n    return n >= 0"
FILTERED = "def total(numbers):\n    return sum(filter(keep, numbers))"
SIGNED = "def total(numbers):\n    return sum(n for n in numbers if math.copysign(1, n) > 0)"
TRUNCATED = "def total(numbers):\n    result = 0\n    for n in numbers:\n        if n >= 0:\n            result +="


def fence(code: str, language: str = "python") -> str:
    return f"```{language}\n{code.rstrip()}\n```"


def runs(reading: Any, name: str = "total") -> Any:
    """Return what the program of a reading gives for a case."""
    namespace: dict[str, Any] = {}
    exec(reading.value, namespace)
    return namespace[name]([1, -2, 3])


# What the answer is, and the rule that reads it. All of them are right.
COMPLETIONS: dict[str, tuple[str, str]] = {
    "a fence": (fence(WHOLE), "fenced"),
    "a fence with the prompt repeated": (fence(PROMPT + BODY), "fenced"),
    "a fence of no language": (fence(WHOLE, ""), "fenced"),
    "a fence called py": (fence(WHOLE, "py"), "fenced"),
    "a fence called Python3": (fence(WHOLE, "Python3"), "fenced"),
    "a fence with attributes": (f"```python title=\"total.py\"\n{WHOLE}```", "fenced"),
    "a fence of tildes": (f"~~~python\n{WHOLE}~~~", "fenced"),
    "a fence of four ticks": (f"````python\n{WHOLE}````", "fenced"),
    "a fence with carriage returns": (fence(WHOLE).replace("\n", "\r\n"), "fenced"),
    "a fence after prose": (f"Here is the code:\n\n{fence(WHOLE)}\n\nIt adds up what is not negative.", "fenced"),
    "a fence on the line of the prose": (f"Sure! ```python\n{WHOLE}```", "fenced"),
    "a fence in a list": ("1. Write it:\n\n   ```python\n" + "".join(f"   {line}\n" for line in WHOLE.splitlines()) + "   ```\n2. Run it.", "fenced"),
    "a fence that was never closed": (f"Here you go:\n```python\n{WHOLE}", "fenced"),
    "a fence that was cut off in its demonstration": (f"```python\n{WHOLE}\nif __name__ == '__main__':\n    print(total([1,", "fenced"),
    "a fence closed on the last line of code": (f"```python\n{WHOLE.rstrip()}```", "fenced"),
    "reasoning before it": (f"<think>\nMaybe:\n{fence(NOTHING)}\n</think>\n{fence(WHOLE)}", "fenced"),
    "a draft and a correction": (f"First try:\n{fence(NOTHING)}\nThat ignores the list. Corrected:\n{fence(WHOLE)}", "fenced"),
    "the function, then an example of use": (f"{fence(WHOLE)}\nUsage:\n{fence('print(total([1, 2]))')}", "fenced"),
    "the function, then its output": (f"{fence(WHOLE)}\nOutput:\n```\n4\n```", "fenced"),
    "the shell, then the function": (f"```bash\npip install numpy\n```\n{fence(WHOLE)}", "fenced"),
    "imports in a fence of their own": (f"{fence('import math')}\nand then\n{fence(SIGNED)}", "fenced"),
    "a helper in a fence of its own": (f"{fence(KEEP)}\nNow the function:\n{fence(FILTERED)}", "fenced"),
    "a helper below the function": (fence("def total(numbers):\n    return sum(filter(keep, numbers))\n\ndef keep(n):\n    return n >= 0"), "fenced"),
    "a docstring with a fence in it": (fence('def total(numbers):\n    """\n    ```\n    total([1])\n    ```\n    """\n    return sum(n for n in numbers if n >= 0)'), "fenced"),
    "a function that is a lambda": (fence("total = lambda numbers: sum(n for n in numbers if n >= 0)"), "fenced"),
    "a demonstration below it": (fence(WHOLE + "\nif __name__ == '__main__':\n    raise SystemExit(total([1]))"), "fenced"),
    "a wrong assertion below it": (fence(WHOLE + "\nassert total([1]) == 2\nprint('ok')"), "fenced"),
    "a question to the user below it": (fence(WHOLE + "\nn = int(input('How many? '))\nprint(total([n]))"), "fenced"),
    "tests of its own below it": (fence(WHOLE + "\ndef test():\n    assert total([]) == 1\n\ntest()"), "fenced"),
    "an import from the future": (fence("from __future__ import annotations\n\n" + WHOLE), "fenced"),
    "the body in a fence": (fence(BODY), "fenced_body"),
    "the body in a fence, moved to the left": (fence("result = 0\nfor n in numbers:\n    if n >= 0:\n        result += n\nreturn result"), "fenced_body"),
    "no fence": (WHOLE, "bare"),
    "no fence, after prose": (f"Here is the function:\n\n{WHOLE}", "bare"),
    "no fence, prose around it": (f"Sure, this is it.\n\n{WHOLE}\nThis function adds up the numbers that are not negative.", "bare"),
    "no fence, with imports": (f"import os\nfrom typing import List\n\n{WHOLE}", "bare"),
    "no fence, with a constant that it uses": ("LEAST = 0\n\ndef total(numbers):\n    return sum(n for n in numbers if n >= LEAST)", "bare"),
    "no fence, with an assertion": (f"{WHOLE}\nassert total([1]) == 1\n", "bare"),
    "a closing fence alone": (f"{WHOLE}```\nThis function adds them up.", "bare"),
    "a closing fence at the very end": (f"{WHOLE}```", "bare"),
    "a comment before it": (f"# Solution\n{WHOLE}", "bare"),
    "the body": (BODY, "bare_body"),
    "the body of several lines": (LOOP, "bare_body"),
    "the body, its first indentation lost": (LOOP.strip(), "bare_body"),
    "the body, all indentation lost": ("result = 0\nfor n in numbers:\n    if n >= 0:\n        result += n\nreturn result", "bare_body"),
    "the body after an empty line": (f"\n{BODY}", "bare_body"),
    "the body by two spaces": ("  result = [n for n in numbers if n >= 0]\n  return sum(result)\n", "bare_body"),
    "the body, then another function": (f"{BODY}\n\ndef other(x):\n    return 1 / 0\n", "bare_body"),
    "the body, then the next task": (f"{BODY}\n\nclass Test(unittest.TestCase):\n    pass\n\nprint(total([1]))\nraise SystemExit", "bare_body"),
    "the body, then prose": (f"{BODY}\nThe function above adds them up.", "bare_body"),
    "the body, then a fence": (f"{BODY}```\n\nExplanation: it adds them up.", "bare_body"),
    "the body, cut off in the next function": (f"{BODY}\n\ndef other(x):\n    return (1 +", "bare_body"),
    "the body with a helper below it": ("    return sum(filter(keep, numbers))\n\n\ndef keep(n):\n    return n >= 0\n", "bare_body"),
    "the body with a comment first": (f"    # only what counts\n{BODY}", "bare_body"),
    "the body after prose": (f"Here is the rest of the function:\n\n{LOOP}", "bare_body"),
    "the body that uses a helper of the prompt": ('    assert shout("a") == "A"\n' + BODY, "bare_body"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLETIONS)
def test_the_program_of_a_completion_is_read(name: str) -> None:
    text, rule = COMPLETIONS[name]
    reading = read_program(text, ["total"], PROMPT)
    assert reading is not None
    assert reading.rule == rule
    assert runs(reading) == 4
    start, end = reading.span
    assert 0 <= start < end <= len(text)
    assert "numbers" in text[start:end]


NO_PROGRAMS = [
    "", " \n\n", "I cannot help with that.", "Sorry", "Sorry, no.", "42", "The answer is 4.", "```\n```", "```python\n```", "```python\n\n",
    "```\n4\n```", "```text\nnothing to see\n```", "`return 4`", "None", "...", "True, False", "The function should add them up", "1. Add\n2. Return",
    "```bash\npip install total\n```", "我无法回答这个问题。", "<think>def total(numbers): return 0</think>", "\x00", "\ud800",
]  # fmt: skip


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    reading = read_program("```python\ndef total(n):\n    return '\ud800'\n```", ["total"])
    assert reading is not None
    assert reading.value == "def total(n):\n    return '?'\n"


@pytest.mark.parametrize("text", NO_PROGRAMS)
def test_where_nothing_can_be_run_nothing_is_read(text: str) -> None:
    assert read_program(text, ["total"], PROMPT) is None
    assert read_program(text, ["total"]) is None


def test_a_function_of_another_name_is_read_and_left_to_the_tests() -> None:
    reading = read_program(fence("def sum_up(numbers):\n    return sum(numbers)"), ["total"], PROMPT)
    assert reading is not None
    assert "def sum_up" in reading.value
    assert reading.rule == "fenced"


@pytest.mark.parametrize(
    "text", [fence(TRUNCATED)[:-4], TRUNCATED, fence("def total(numbers) return 0"), "def total(numbers)\n  return"]
)
def test_a_definition_that_is_cut_off_or_no_python_is_an_answer_too(text: str) -> None:
    reading = read_program(text, ["total"], PROMPT)
    assert reading is not None
    assert "def total" in reading.value


def test_the_longest_of_several_parts_counts_where_none_defines_the_name() -> None:
    text = f"{fence('def a(): pass')}\n{fence('def b(): return 1234567')}"
    reading = read_program(text, ["total"])
    assert reading is not None
    assert reading.value.startswith("def b")


# MBPP: no prompt to go on with, the markers of its prompt, names out of its tests.
MARKED: dict[str, tuple[str, str]] = {
    "the program, then the marker": (f"{WHOLE}[DONE]", "marked"),
    "the program, then the marker, then another task": (f"{WHOLE}[DONE]\n\nYou are an expert\n[BEGIN]\ndef total(n):\n    return 0\n[DONE]", "marked"),
    "both markers": (f"[BEGIN]\n{WHOLE}[DONE]", "marked"),
    "both markers after prose": (f"Here is my answer.\n[BEGIN]\n{WHOLE}[DONE]", "marked"),
    "only the first marker": (f"[BEGIN]\n{WHOLE}", "marked"),
    "a fence between the markers": (f"[BEGIN]\n{fence(WHOLE)}\n[DONE]", "fenced"),
    "markers in a fence": (f"```python\n{WHOLE}```\n[DONE]", "fenced"),
    "markers of Code Llama": (f"[PYTHON]\n{WHOLE}[/PYTHON]\n[TESTS]\nassert total([1]) == 1\n[/TESTS]", "marked"),
    "no markers": (WHOLE, "bare"),
    "carriage returns and tabs": ("def total(numbers):\r\n\treturn sum(n for n in numbers if n >= 0)\r\n[DONE]", "marked"),
    "a constant first": ("LEAST = 0\r\ndef total(numbers):\r\n  return sum(n for n in numbers if n >= LEAST)", "bare"),
    "two constants at once": ("A, B = 0, 1\ndef total(numbers):\n  return sum(n for n in numbers if n >= A) * B", "bare"),
    "a class first": ("class Least:\n    value = 0\ndef total(numbers):\n  return sum(n for n in numbers if n >= Least.value)", "bare"),
    "imports first": ("import heapq as hq\ndef total(numbers):\n  return sum(n for n in hq.nlargest(9, numbers) if n >= 0)", "bare"),
    "the assertions repeated": (f"{WHOLE}\nassert total([1, 2]) == 9\n[DONE]", "marked"),
    "prose, then the program": (f"The task asks for a sum of what is not negative.\n\n{WHOLE}\n\nLet me know!", "bare"),
    "a fence": (fence(WHOLE), "fenced"),
    "a fence and prose": (f"Here is the code:\n{fence(WHOLE)}\nThe function passes the tests.", "fenced"),
    "a fence with the tests": (fence(WHOLE + "\nassert total([5]) == 5"), "fenced"),
    "two fences, the tests in the second": (f"{fence(WHOLE)}\n{fence('assert total([1]) == 1')}", "fenced"),
    "thinking first": (f"<think>what is asked?</think>{fence(WHOLE)}", "fenced"),
    "a decorator": ("import functools\n@functools.lru_cache\ndef helper(n):\n    return max(n, 0)\ndef total(numbers):\n    return sum(map(helper, numbers))", "bare"),
    "code that goes on after prose like code": (f"x = the input\n\n{WHOLE}", "bare"),
    "an import that may fail": ("try:\n    import numpy\nexcept ImportError:\n    numpy = None\n\n" + WHOLE, "bare"),
    "a main function": (WHOLE + "\ndef main():\n    raise SystemExit(1)\n\nmain()\n", "bare"),
    "a doctest run": (fence(WHOLE + "\nimport doctest\ndoctest.testmod()"), "fenced"),
    "a table filled at the top level": ("T = []\nfor n in range(3):\n    T.append(n)\ndef total(numbers):\n    return sum(n for n in numbers if n >= T[0])", "bare"),
    "a loop that shows it": (WHOLE + "\nfor case in ([1], [2]):\n    print(total(case) / 0)", "bare"),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKED)
def test_the_program_of_an_answer_to_a_task_is_read(name: str) -> None:
    text, rule = MARKED[name]
    reading = read_program(text, ["total"])
    assert reading is not None
    assert reading.rule == rule
    namespace: dict[str, Any] = {"List": list}
    exec(reading.value, namespace)
    assert namespace["total"]([1, -2, 3]) == 4
    start, end = reading.span
    assert "numbers" in text[start:end]


def test_what_a_prompt_defines_beside_its_function() -> None:
    assert preamble(PROMPT, "total").startswith("from typing import List\n\ndef shout(word: str)")
    assert "total" not in preamble(PROMPT, "total")
    assert preamble("def f(:", "f") == ""
    assert (
        preamble('@decorated\ndef g():\n    pass\n\ndef f():\n    """ """\n', "f") == "@decorated\ndef g():\n    pass"
    )


def test_the_programs_own_imports_and_helpers_come_after_the_prompts() -> None:
    reading = read_program(fence("def shout(word):\n    return 'mine'\n\n" + WHOLE), ["total"], PROMPT)
    assert reading is not None
    namespace: dict[str, Any] = {}
    exec(reading.value, namespace)
    assert namespace["shout"]("a") == "mine"


DEEP = [
    "(" * 50_000,
    "[" * 50_000,
    "-" * 50_000 + "1",
    "x" + ".a" * 50_000,
    "if x:\n " * 500,
    "\n".join(" " * n + "if x:" for n in range(500)),
    "```\n" * 15_000,
    "[BEGIN]\n" * 7_000,
]


@pytest.mark.parametrize("text", [*HOSTILE, *DEEP], ids=range(len(HOSTILE) + len(DEEP)))
def test_no_text_is_too_much(text: str) -> None:
    for answer in (text, f"```python\n{text}"):
        reading = read_program(answer, ["total"], PROMPT)
        assert reading is None or parsed(reading.value) is not None or "total" in reading.value
