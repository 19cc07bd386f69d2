"""What an answer says of options that it does not choose, and answers that are taken back: a third table."""

from __future__ import annotations

import pytest

from llmuses.metrics.choice import read_choice
from tests.unit.metrics.test_read_choice import CITIES

# the options one by one beside the answer, or no answer
OPTIONS_SPOKEN_OF: dict[str, str | None] = {
    "The answer is (C).\n\nOption (A) is about supply. Option (D) describes a decrease.": "C",
    "Answer: C\n\n**Option (A)**: It lies on the Seine.\n**Option (D)**: It lies at a fjord.": "C",
    "**Option (A)**: It lies on the Seine.\n\n**Option (B)**: It lies on the Thames.\n\n**Option (D)**: It lies at a fjord.\n\nC": "C",
    "Option (A): the Seine.\nOption (D): a fjord.\n\nC": "C",
    "Option (C) is right.\nOption (D) is wrong.": "C",
    "Option (D) is wrong.\nOption (C) is right.": "C",
    "We consider option (A) and option (D). I can't decide.": None,
    "We consider option (A) and then option (D).": None,
    "Option (A) is about supply. Option (D) describes a decrease.": None,
    "Option (A) would be too far.": None,
    "Option (A) describes a river.": None,
    "Choice (A) is about supply. Choice (D) describes a decrease.": None,
    "The answer is (C). Choice (A) would be too far north.": "C",
    "The answer is (C). Answer (A) is about another river.": "C",
    "Answer: C\n\nAnswer (A): the Seine.\nAnswer (D): a fjord.": "C",
    "Answer (B)": "B",
    "Answer (B).": "B",
    "Answer **B**": "B",
    "Final answer (B)": "B",
    "The correct option (B) is the one on the Thames.": "B",
    "Answer (B) London": "B",
    "Answer **(B) London**": "B",
    "Answer (B) because the Thames": "B",
    "So my final choice **B**.": "B",
    "Option (B)": "B",
    "Choice **B**": "B",
    "Option **B**: London": "B",
    "I compared them all. Choice (B)": "B",
    "Reasoning first.\n\nOption (B)": "B",
}  # fmt: skip

# another option is mentioned after the answer, or alone
OTHERS_MENTIONED: dict[str, str | None] = {
    "答案是B。很多人会误选A。": "B",
    "答案是B。易错选项：A": "B",
    "答案是B。错误选项是A。": "B",
    "答案是B。干扰选项为A": "B",
    "答案是B。考生容易错选C。": "B",
    "答案是B，有同学会选A。": "B",
    "答案是B。多数人选择A，这是错误的。": "B",
    "正确答案是 **B. London**。其他选项：A. Paris": "B",
    "答案：B\n其余选项：\nA. Paris": "B",
    "答案：B\n\n错误选项：A、C、D": "B",
    "答案是B。其他答案：A": "B",
    "答案是B。不少学生会选择C。": "B",
    "答案是B。排除选项：A、C、D。": "B",
    "The answer is B.\n\nIncorrect option: A": "B",
    "Correct answer: B\nIncorrect answer: A": "B",
    "The correct answer is B. The most common wrong answer is A.": "B",
    "The answer is B. A tempting choice is A.": "B",
    "The answer is B. Many people choose A.": "B",
    "The answer is B. Some might select D.": "B",
    "The answer is B. If you chose A, you confused it with the Seine.": "B",
    "The answer is B. One might think the answer is A, but that is France.": "B",
    "The answer is B. For the Seine the answer would be A.": "B",
    "Answer: B\nNext best answer: A": "B",
    "Answer: B\nDistractor option: D": "B",
    "The answer is B. Students often pick A because Paris is known.": "B",
    "The answer is B. The second best option is C.": "B",
    "The correct answer is B. If the question asked about the Seine, the answer would be A.": "B",
    "The answer is B. You might be tempted to choose A.": "B",
    "The answer is B. It would be wrong to say the answer is A.": "B",
    "The answer is B. People who go with A are mistaken.": "B",
    "The answer is B. A common mistake is to choose A.": "B",
    "The answer is B. Alternative answer: A": "B",
    "The answer is B. The other choice is A.": "B",
    "The answer is B. Some think the answer is A.": "B",
    "The answer is B. Most students would go with A.": "B",
    "Answer: B\nWrong option: A - Paris": "B",
    "The answer is B. My second choice is A.": "B",
    "Some people think of the Seine, but I choose B.": "B",
    "Of the many cities, I would choose B.": "B",
    "If I had to choose, I would pick B.": "B",
    "A is wrong, the answer is B.": "B",
    "Since the others are wrong the answer is B": "B",
    "Most say A. I go with B.": "B",
    "One can see that the answer is B.": "B",
    "考生应选B": "B",
    "You should choose B.": "B",
    "If we look at a map, the answer would be B.": "B",
    "Some of the options are far; the answer is B.": "B",
    "A is the wrong city and the answer is B.": "B",
    "很多人认为是A，但正确答案是B。": "B",
    "其他选项都不对，答案是B。": "B",
    "其他选项错误，选B。": "B",
    "排除其他选项，答案是B": "B",
    "At first the answer seems to be A, but the answer is B.": "B",
    "Incorrect option: A": None,
    "错误选项是A": None,
    "易错选项：A": None,
    "Many people choose A.": None,
    "Some might select D": None,
    "Distractor option: D": None,
    "其余选项：\nA. Paris": None,
    "很多人会误选A。": None,
    "The most common wrong answer is A": None,
    "If you chose A, think again.": None,
    "Next best answer: A": None,
    "One might think the answer is A, but": None,
    "The other options are wrong. The answer is B.": "B",
    "Most people would choose A, but the answer is B.": "B",
    "For London, the answer would be B.": "B",
    "不难得出，选B": "B",
    "A项错误，选B": "B",
    "Students should choose B": "B",
}  # fmt: skip

# the answer is taken back
CORRECTED: dict[str, str | None] = {
    "The answer is A.\nActually, it's B.": "B",
    "The answer is A. Actually, B.": "B",
    "The answer is A. Actually, it's B because the Thames runs there.": "B",
    "The answer is A, no wait, B.": "B",
    "The answer is A... no, B.": "B",
    "Answer: A\nCorrection: B": "B",
    "Answer: A\n\nWait, let me re-check. The Thames runs through London.\n\nB": "B",
    "答案是A。不对，应该是B。": "B",
    "答案是A。等等，重新考虑，是B。": "B",
    "答案是A？不，是B": "B",
    "The answer is A. Hmm, wait. It should be B.": "B",
    "A\n\nWait, no. The Thames is in England, so it's B.": "B",
    "The answer is A. Sorry, I meant B.": "B",
    "The answer is A. No, it's B.": "B",
    "The answer is A. On second thought, B.": "B",
    "答案是A。更正：B": "B",
    "The answer is B. Wait, let me double-check. Yes, that is right.": "B",
    "Answer: B\n\nWait times are long there. No, really.": "B",
    "The answer is B. Actually, London is known for it.": "B",
    "Answer: B\nIs it the Seine? No, that is Paris.": "B",
    "The answer is B. No other city lies on it.": "B",
    "The answer is B. Wait, is it A? No, the answer is B.": "B",
    "The answer is B. Option A names Paris. This is incorrect.": "B",
    "答案是B。A不对，C也不对。": "B",
    "答案是B。\nA：巴黎，不对。": "B",
    "Answer: B\nIs it on the Seine? No, C is in Italy.": "B",
    "Answer: B. Actually, A lies on the Seine.": "B",
    "\\boxed{A}\n\nWait, that is France. So the answer is B.": "B",
    "The answer is A — no, B.": "B",
    "The answer is B. No, wait, I should check. It is correct.": "B",
    "The answer is B. Sorry, I can't explain more.": "B",
    "The answer is B. This matches the map. Wait, does it? Yes, it does.": "B",
    "答案是B。重新检查后，确认无误。": "B",
    "Answer: A\n\nWait, let me re-check. The Thames runs through": None,
    "The answer is A. Wait, that's wrong.": None,
    "答案是A。等等，不对。": None,
    "The answer is A. Wait, no. It could be B or C.": None,
}  # fmt: skip

# said in other words; what only looks so
LOOSER: dict[str, str | None] = {
    "A. Paris ❌\nB. London ✅": "B",
    "A. Paris ❌\nB. London ✅\nC. Rome ❌\nD. Oslo ❌": "B",
    "A) Paris - incorrect\nB) London - correct": "B",
    "A) Paris - incorrect\nB) London - correct\nC) Rome - incorrect\nD) Oslo - incorrect": "B",
    "My guess is B.": "B",
    "I'd guess B": "B",
    "I am not sure, but I'd guess B": "B",
    "Only option B works.": "B",
    "B is the most likely answer.": "B",
    "B is the most appropriate answer.": "B",
    "B makes the most sense.": "B",
    "Among these, B is the best.": "B",
    "This is option B.": "B",
    "This corresponds to B.": "B",
    "Final: B": "B",
    "Result: B": "B",
    "Selected: B": "B",
    "Answer: the letter is B": "B",
    "Ans) B": "B",
    "符合题意的是B": "B",
    "由此可知B正确": "B",
    "是B": "B",
    "毫无疑问，是B": "B",
    "A. Paris ❌\nIt lies in France.\nB. London ✅\nIt does.\nD. Oslo ❌": "B",
    "(A) Paris ❌\n(B) London ✔️": "B",
    "Response: B": "B",
    "Verdict: **B**": "B",
    "A. Paris ✅\nC. Rome ❌\nBut that was the wrong way round.\n\nB": "B",
    "B?": None,
    "A: B": None,
    "This is B or C.": None,
    "Only A and B work.": None,
    "Result: A city": None,
    "It corresponds to B vitamins.": None,
    "A. Paris ✅\nB. London ✅": None,
    "是A还是B": None,
    "Is it B?": None,
    "B makes the most sense. A makes the most sense too.": None,
    "A. Paris ❌": None,
    "Final: A few remarks": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "letter"), OPTIONS_SPOKEN_OF.items())
def test_an_option_that_is_only_spoken_of_is_not_the_answer(text: str, letter: str | None) -> None:
    reading = read_choice(text, CITIES)
    assert (reading and reading.value) == letter


@pytest.mark.parametrize(("text", "letter"), OTHERS_MENTIONED.items())
def test_another_option_that_is_mentioned_does_not_override_the_answer(text: str, letter: str | None) -> None:
    reading = read_choice(text, CITIES)
    assert (reading and reading.value) == letter


@pytest.mark.parametrize(("text", "letter"), CORRECTED.items())
def test_an_answer_that_is_taken_back_is_never_read(text: str, letter: str | None) -> None:
    reading = read_choice(text, CITIES)
    assert (reading and reading.value) == letter


@pytest.mark.parametrize(("text", "letter"), LOOSER.items())
def test_a_looser_announcement_is_read_where_nobody_could_doubt_it(text: str, letter: str | None) -> None:
    reading = read_choice(text, CITIES)
    assert (reading and reading.value) == letter


HEADS = [
    "Let's analyze each option:", "Let's consider each answer choice:", "To find the correct answer, let's look at each option:",
    "Analysis of each choice -", "Let's go option by option:", "The first option is", "Possible answer:", "我们来逐一分析选项：",
    "我们来分析每个选项：", "分析各选项：", "第一个选项：", "可能的答案：", "候选答案为：",
]  # fmt: skip
LISTS = {
    "to its end": "\n\nA) Paris - it lies on the Seine.\nB) London - it lies on the Thames.\nC) Rome\nD) Oslo",
    "cut off": "\n\n**A) Paris** - it lies on the",
    "in Chinese": "\nA选项：Paris，位于法国。\nB选项：London，位于英国。\nC选项：Rome。\nD选项：Oslo。",
    "in Chinese, cut off": "\nA. Paris：位于",
}


@pytest.mark.parametrize("options", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("head", HEADS)
def test_a_line_above_the_options_announces_none_of_them(head: str, options: str) -> None:
    assert read_choice(head + options, CITIES) is None
    reading = read_choice(f"{head}{options}\n\nSo the answer is B.", CITIES)
    assert reading is not None and reading.value == "B"


LATE_FORMS: dict[str, str | None] = {
    "选项：\nA. Paris：法国。\nB. London：英国。": None,
    "Option:\nA) Paris\nB) London": None,
    "Correct option:\nA) Paris\n\nThe others:\nB) London lies elsewhere.": "A",
    "正确选项：\nB. London\nC. Rome不对": "B",
    "My first choice is B": "B",
    "The only one option is B.": "B",
    "I initially thought the answer was A, but it's B.": "B",
    "I thought the answer was A at first. The answer is B.": "B",
    "At first I thought that the correct answer was A.": None,
    "I think the answer might be B.": "B",
    "The answer might be A or B.": None,
    "The answer could be A. It is in France, though.": None,
    "【答案】B【解析】泰晤士河流经伦敦。": "B",
    "A ❌\nB ✅\nC ❌\nD ❌": "B",
    "A选项：Paris，错误。\nB选项：London，正确。\nC选项：Rome，错误。\nD选项：Oslo，错误。": "B",
    "A) Paris: incorrect.\nB) London: correct.\nC) Rome: incorrect.\nD) Oslo: incorrect.": "B",
    "A选项：Paris，正确。\nB选项：London，错误。": None,
    "A选项：Paris，正确。\nB选项：London，正确。\nC选项：Rome，正确。\nD选项：Oslo，错误。": None,
}


@pytest.mark.parametrize(("text", "letter"), LATE_FORMS.items())
def test_a_list_of_verdicts_is_read_where_all_others_are_wrong(text: str, letter: str | None) -> None:
    reading = read_choice(text, CITIES)
    assert (None if reading is None else reading.value) == letter


def test_which_of_two_is_right_is_not_told_by_verdicts_since_the_wrong_one_may_be_asked_for() -> None:
    assert read_choice("A项：地球是圆的，正确。\nB项：地球是平的，错误。", ["圆的", "平的"]) is None
