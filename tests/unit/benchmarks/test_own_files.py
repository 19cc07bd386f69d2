"""A user's own files, general_qa and general_mcq: names, columns, forms of an answer, what is wrong said with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmuses.benchmarks import Benchmark, get_benchmark
from llmuses.benchmarks.own import language_of
from llmuses.errors import DataError
from llmuses.records import DatasetPlan, Generate, Loglikelihood, Mode, Sample
from tests.unit.benchmarks.plans import plan_for, written

QA, MCQ = get_benchmark("general_qa"), get_benchmark("general_mcq")
ROUGE = plan_for(QA, Mode.GENERATE)


def variant(name: str) -> DatasetPlan:
    return msgspec.structs.replace(ROUGE, variant=name)


def one(benchmark: Benchmark, root: Path, row: dict[str, Any]) -> Sample:
    (root / "mine.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    (sample,) = benchmark.samples(root, "mine", "test")
    return sample


def table(root: Path, name: str, text: str) -> Path:
    (root / name).write_text(text, "utf-8")
    return root / name


# --- files and subsets -------------------------------------------------------------------------------------


def test_every_file_of_a_folder_is_a_subset_named_after_it(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl", "c_val.tsv", "d_test.json", "c_dev.tsv", "notes.md", ".hidden.csv", "_draft.csv"):
        table(tmp_path, name, "question,answer\nq,a\n")
    assert QA.subsets_in(tmp_path) == ("a", "b", "c", "d")
    assert [path.name for path in QA.find(tmp_path, "c", "test")] == ["c_val.tsv"]
    assert [path.name for path in QA.find(tmp_path, "c", "dev")] == ["c_dev.tsv"]
    assert QA.find(tmp_path, "b", "dev") == []


def test_a_single_file_is_one_subset_without_worked_examples(tmp_path: Path) -> None:
    file = table(tmp_path, "my questions.csv", "question,answer\nq,a\n")
    table(tmp_path, "other.csv", "question,answer\nq,a\n")
    assert QA.subsets_in(file) == ("my questions",)
    assert QA.find(file, "my questions", "test") == [file]
    assert QA.find(file, "my questions", "dev") == []


def test_own_rows_are_not_shown_in_public() -> None:
    assert not QA.publish_samples
    assert not MCQ.publish_samples


# --- questions with answers in words -----------------------------------------------------------------------


@pytest.mark.parametrize("question", ["query", "question", "input", "prompt"])
@pytest.mark.parametrize("answer", ["response", "answer", "target", "output", "reference"])
def test_the_columns_have_the_names_that_people_give_them(tmp_path: Path, question: str, answer: str) -> None:
    sample = one(QA, tmp_path, {question: " Who? ", answer: " Ada "})
    assert (sample.sample_id, sample.question, sample.target) == ("mine/0", "Who?", "Ada")


@pytest.mark.parametrize(
    "row",
    [
        'q,"[""Ada"", ""Ada Lovelace""]"\n',
        "q,Ada\n",
    ],
)
def test_a_table_holds_one_answer_or_a_list_of_right_ones(tmp_path: Path, row: str) -> None:
    table(tmp_path, "mine.csv", "question,answer\n" + row)
    (sample,) = QA.samples(tmp_path, "mine", "test")
    assert sample.details["answers"] == (["Ada", "Ada Lovelace"] if "Lovelace" in row else ["Ada"])


def test_an_answer_in_brackets_that_is_no_list_is_a_text(tmp_path: Path) -> None:
    table(tmp_path, "mine.csv", "question,answer\nq,[sic] yes\n")
    assert next(QA.samples(tmp_path, "mine", "test")).target == "[sic] yes"


def test_a_row_keeps_its_own_id(tmp_path: Path) -> None:
    assert one(QA, tmp_path, {"id": "case-7", "query": "q", "answer": "a"}).sample_id == "case-7"


@pytest.mark.parametrize(
    "history",
    [
        [["Hi", "Hello."]],
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
        '[["Hi", "Hello."]]',
    ],
)
def test_a_system_message_and_earlier_turns_come_before_the_question(tmp_path: Path, history: Any) -> None:
    sample = one(QA, tmp_path, {"system": "Be brief.", "history": history, "query": "Who?", "answer": "Ada"})
    prompt = QA.prompt(sample, [], ROUGE)
    assert isinstance(prompt.ask, Generate)
    assert [(message.role, message.content) for message in prompt.ask.messages] == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "Who?"),
    ]
    assert prompt.question_at == (3, 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"answer": "a"}, "no column 'query or question or input or prompt'"),
        ({"query": "q"}, "no column 'response or answer"),
        ({"query": " ", "answer": "a"}, "its query is empty"),
        ({"query": "q", "answer": []}, "it has no right answer"),
        ({"query": "q", "answer": "a", "history": [["only one"]]}, "neither pairs"),
        ({"query": "q", "answer": "a", "history": [{"role": "king", "content": "x"}]}, "not system, user or assistant"),
        ({"query": "q", "answer": "a", "history": "yesterday"}, "its history is no list"),
    ],
)
def test_what_a_row_lacks_is_said_with_file_and_line(tmp_path: Path, line: dict[str, Any], said: str) -> None:
    good = json.dumps({"query": "q", "answer": "a"})
    table(tmp_path, "mine.jsonl", f"{good}\n{json.dumps(line)}\n")
    with pytest.raises(DataError, match=rf"mine.jsonl:2: not a row of general_qa \(.*{said}"):
        list(QA.samples(tmp_path, "mine", "test"))


@pytest.mark.parametrize(
    ("name", "answer", "scores"),
    [
        ("exact", "the cat!", {"exact_match": 1.0, "f1": 1.0}),
        ("exact", "a black cat", {"exact_match": 0.0, "f1": 2 / 3}),
        ("f1", "a black cat", {"f1": 2 / 3, "exact_match": 0.0}),
    ],
)
def test_the_variant_says_which_metric_is_the_main_one(
    tmp_path: Path, name: str, answer: str, scores: dict[str, float]
) -> None:
    judgement = QA.judge(one(QA, tmp_path, {"query": "q", "answer": "Cat"}), written(answer), variant(name))
    assert list(judgement.scores) == list(scores) == list(QA.metrics_of(variant(name)))
    assert judgement.scores == pytest.approx(scores)


def test_by_default_answers_are_compared_by_rouge_l(tmp_path: Path) -> None:
    assert QA.variants[0] == "rouge"
    scores = QA.judge(
        one(QA, tmp_path, {"query": "q", "answer": "a cat mat"}), written("The mat has a cat"), ROUGE
    ).scores
    assert list(scores) == ["rouge_l", "rouge_1", "rouge_2", "bleu"]
    assert list(scores.values())[:3] == pytest.approx([4 / 8, 6 / 8, 2 / 6])


def test_bleu_may_be_the_main_metric_and_any_of_several_answers_is_right(tmp_path: Path) -> None:
    sample = one(QA, tmp_path, {"query": "长江在哪里？", "answer": ["在中国", "长江在中国。"]})
    judgement = QA.judge(sample, written("长江在中国。"), variant("bleu"))
    assert list(judgement.scores) == ["bleu", "rouge_l", "rouge_1", "rouge_2"]
    assert judgement.scores == pytest.approx({"bleu": 1.0, "rouge_l": 1.0, "rouge_1": 1.0, "rouge_2": 1.0})


def test_the_answer_may_be_found_by_the_users_own_expression(tmp_path: Path) -> None:
    sample = one(QA, tmp_path, {"query": "q", "answer": "Ada"})
    plan = msgspec.structs.replace(variant("exact"), extract=r"<a>(.*?)</a>")
    assert QA.judge(sample, written("I think of <a>Ada</a> here."), plan).scores["exact_match"] == 1.0
    assert QA.judge(sample, written("Ada"), plan).extracted is None


def test_a_judge_is_asked_with_the_right_answers_in_the_questions_language(tmp_path: Path) -> None:
    plan = variant("judge")
    assert QA.needs_judge(plan)
    assert not QA.needs_judge(ROUGE)
    english = one(QA, tmp_path, {"query": "Who?", "answer": ["Ada", "Lady Lovelace"]})
    (message,) = QA.judge_ask(english, written("It was Ada."), plan) or ()
    assert all(text in message.content for text in ("Who?", "- Ada", "- Lady Lovelace", "It was Ada.", "Verdict"))
    chinese = one(QA, tmp_path, {"query": "谁写了《红楼梦》？", "answer": "曹雪芹"})
    (message,) = QA.judge_ask(chinese, written("曹雪芹写的。"), plan) or ()
    assert "判定" in message.content
    assert QA.judge_ask(english, written(" "), plan) is None
    assert QA.judge(english, written(" "), plan).extracted is None


@pytest.mark.parametrize(
    ("verdict", "extracted", "score"),
    [("Same person.\nVerdict: CORRECT", "correct", 1.0), ("判定：错误", "incorrect", 0.0), ("Hm.", None, 0.0)],
)
def test_the_verdict_of_a_judge_is_the_score(tmp_path: Path, verdict: str, extracted: str | None, score: float) -> None:
    sample = one(QA, tmp_path, {"query": "Who?", "answer": "Ada"})
    judgement = QA.read_verdict(sample, written("Ada"), verdict, variant("judge"))
    assert (judgement.extracted, judgement.scores) == (extracted, {"correct": score})


# --- multiple choice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "choices", "target"),
    [
        ({"question": "q", "A": "one", "B": "two", "answer": "B"}, ["one", "two"], "B"),
        ({"question": "q", "A": "one", "B": "two", "answer": "(b)"}, ["one", "two"], "B"),
        ({"question": "q", "A": "one", "B": "two", "C": "", "D": None, "answer": "two"}, ["one", "two"], "B"),
        ({"query": "q", "choices": ["one", "two"], "target": 1}, ["one", "two"], "B"),
        ({"input": "q", "options": {"A": "one", "B": "two"}, "answer": "0"}, ["one", "two"], "A"),
        ({"question": "q", "choices": '["one", "two"]', "answer": "A"}, ["one", "two"], "A"),
        ({"question": "q", "choices": [3, 2, 1], "answer": 1}, ["3", "2", "1"], "C"),  # an option's text, not a place
        ({"question": "q", "choices": ["A", "B", "AB"], "answer": "B"}, ["A", "B", "AB"], "B"),
        ({"question": "q", "choices": [str(n) for n in range(12)], "answer": "L"}, [str(n) for n in range(12)], "L"),
        ({"question": "q", **dict(zip("ABCDEFGHIJ", "zyxwvutsrq", strict=True)), "answer": "q"}, list("zyxwvutsrq"), "J"),
    ],
)  # fmt: skip
def test_options_come_in_columns_or_a_list_and_the_answer_as_letter_text_or_place(
    tmp_path: Path, row: dict[str, Any], choices: list[str], target: str
) -> None:
    sample = one(MCQ, tmp_path, row)
    assert (sample.choices, sample.target) == (choices, target)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"A": "one", "B": "two", "answer": "B"}, "no column 'question or query or input'"),
        ({"question": "q", "A": "one", "B": "two"}, "no column 'answer or target'"),
        ({"question": "q", "A": "one", "answer": "A"}, "two options at least"),
        ({"question": "q", "A": "one", "B": "", "C": "three", "answer": "A"}, "option B is empty"),
        ({"question": "q", "A": "one", "B": "one", "answer": "A"}, "two options are equal"),
        ({"question": "q", "A": "one", "B": "two", "answer": "C"}, "'C' is no letter up to B"),
        ({"question": "q", "A": "one", "B": "two", "answer": 2}, "'2' is no letter up to B"),
        ({"question": "q", "choices": ["B", "A"], "answer": "B"}, "the letter of one option and the text of another"),
        ({"question": "q", "choices": "one|two", "answer": "A"}, "its choices are no list"),
    ],
)
def test_what_a_question_lacks_is_said_with_file_and_line(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=rf"mine.jsonl:1: not a row of general_mcq \(.*{said}"):
        one(MCQ, tmp_path, row)


def test_a_question_is_put_in_its_own_language(tmp_path: Path) -> None:
    english = one(MCQ, tmp_path, {"question": "Which?", "A": "one", "B": "two", "answer": "B"})
    chinese = one(MCQ, tmp_path, {"question": "哪一个是偶数？", "A": "一", "B": "二", "answer": "B"})
    asked = [MCQ.prompt(sample, [], plan_for(MCQ, Mode.LOGPROB)).ask for sample in (english, chinese)]
    assert asked == [
        Loglikelihood(context="Which?\nA. one\nB. two\nAnswer:", continuations=(" A", " B")),
        Loglikelihood(context="哪一个是偶数？\nA. 一\nB. 二\n答案：", continuations=("A", "B")),
    ]
    written_ask = MCQ.prompt(chinese, [english], plan_for(MCQ, Mode.GENERATE, 1)).ask
    assert isinstance(written_ask, Generate)
    assert written_ask.messages[0].content.startswith("请回答下面的单项选择题，并以“答案：字母”的形式结尾。\n\nWhich?")
    assert MCQ.judge(chinese, written("答案：B"), plan_for(MCQ, Mode.GENERATE)).scores == {"acc": 1.0}


@pytest.mark.parametrize(
    ("text", "language"),
    [("你好", "zh"), ("What does 你好 mean?", "en"), ("GPT 是什么？", "zh"), ("1 + 1 = ?", "en"), ("", "en")],
)
def test_a_text_is_chinese_where_it_has_more_chinese_characters_than_latin_words(text: str, language: str) -> None:
    assert language_of(text) == language
