"""The logs of other programs: told by their content, read whole, and refused with file and line where they are not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from llmuses.errors import DataError
from llmuses.evaluation.formats import FORMATS, Answer, LogFile
from llmuses.records import Generate, Loglikelihood, Message

LINE = {"id": "main/0", "output": "The answer is 1."}
EVALSCOPE_OUTPUT = {
    "choices": [{"message": {"role": "assistant", "content": "ANSWER: 4"}, "stop_reason": "max_tokens"}],
    "usage": {"input_tokens": 30, "output_tokens": 7, "total_tokens": 37},
    "time": 1.5,
    "error": None,
}
EVALSCOPE_MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is 2 + 2?"},
    {"role": "assistant", "content": "ANSWER: 4"},
]
EVALSCOPE = {"index": 3, "model": "some-model", "model_output": EVALSCOPE_OUTPUT, "messages": EVALSCOPE_MESSAGES}
REVIEW = {
    "index": 7,
    "target": "4",
    "messages": EVALSCOPE_MESSAGES,
    "sample_score": {"score": {"value": {"acc": 1.0}, "prediction": "ANSWER: 4"}, "sample_id": 7, "group_id": 3},
}
WRITTEN_BY_LM_EVAL = {
    "doc_id": 5,
    "doc": {"question": "What is 2 + 2?", "answer": "#### 4"},
    "target": "#### 4",
    "arguments": {"gen_args_0": {"arg_0": "Question: What is 2 + 2?\nAnswer:", "arg_1": {"until": ["Question:"]}}},
    "resps": [["It is 4."]],
    "filtered_resps": ["4"],
    "filter": "strict-match",
}
CHOSEN_BY_LM_EVAL = {
    "doc_id": 0,
    "doc": {"question": "Which one?", "choices": ["this", "that"]},
    "target": "1",
    "arguments": {
        "gen_args_0": {"arg_0": "Question: Which one?\nAnswer:", "arg_1": " this"},
        "gen_args_1": {"arg_0": "Question: Which one?\nAnswer:", "arg_1": " that"},
    },
    "resps": [[["-3.5", "False"]], [["-1.25", "True"]]],
    "filtered_resps": [["-3.5", "False"], ["-1.25", "True"]],
    "filter": "none",
}
OPENCOMPASS = {
    "0": {"origin_prompt": [{"role": "HUMAN", "prompt": "What is 2 + 2?"}], "prediction": "It is 4.", "gold": "4"},
    "1": {"origin_prompt": "What is 3 + 3?", "prediction": "6", "gold": "6"},
}
OWN = {
    "key": "0" * 24,
    "dataset": "gsm8k",
    "sample_id": "main/2",
    "subset": "main",
    "model": "m",
    "ask": {"kind": "generate", "messages": [{"role": "user", "content": "What?"}], "config": {}},
    "response": {"key": "0" * 24, "text": "That.", "finish_reason": "length"},
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "id and output": LINE,
    "llmuses predictions": OWN,
    "EvalScope predictions": EVALSCOPE,
    "EvalScope reviews": REVIEW,
    "lm-evaluation-harness samples": WRITTEN_BY_LM_EVAL,
    "OpenCompass predictions": OPENCOMPASS,
}


def write(path: Path, lines: Iterable[object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def read(path: Path) -> list[Answer]:
    return list(LogFile(path))


def read_lines(tmp_path: Path, *lines: object) -> list[Answer]:
    return read(write(tmp_path / "log.jsonl", lines))


def refusal(tmp_path: Path, *lines: object) -> str:
    with pytest.raises(DataError) as refused:
        read_lines(tmp_path, *lines)
    assert "\n" not in str(refused.value)
    return str(refused.value).replace(str(tmp_path), "")


# --- which one it is ---------------------------------------------------------------------------------------


def test_every_format_has_an_example_here() -> None:
    assert set(EXAMPLES) == {known.name for known in FORMATS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_format_is_told_by_its_content_and_is_no_other(name: str, tmp_path: Path) -> None:
    assert [known.name for known in FORMATS if known.recognises(EXAMPLES[name])] == [name]
    assert LogFile(write(tmp_path / "whatever.txt", [EXAMPLES[name]])).format.name == name


@pytest.mark.parametrize(
    "line",
    [
        {"question": "What?", "answer": "That."},
        {"id": "main/0", "solution": "a reference solution is no output"},
        {"output": "an answer without an id"},
        {},
    ],
)
def test_what_is_none_of_them_is_refused_with_an_example_of_each(line: dict[str, str], tmp_path: Path) -> None:
    said = refusal(tmp_path, line)
    assert said.startswith("/log.jsonl:1: a record of")
    for known in FORMATS:
        assert known.name in said and known.example in said


@pytest.mark.parametrize("content", ["", "\n\n", "not JSON at all\n", "3\n", '["a", "b"]\n', '{"id": "a", "out'])
def test_a_file_without_a_record_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=r"log\.jsonl"):
        LogFile(path)


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*log\.jsonl: No such file"):
        LogFile(tmp_path / "log.jsonl")


# --- lines of id and output --------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["id", "sample_id", "task_id"])
@pytest.mark.parametrize("output", ["output", "response", "prediction", "completion"])
def test_lines_go_by_the_names_that_people_use(own: str, output: str, tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {own: "main/3", output: "Three."})
    assert (answer.sample_id, answer.response.text, answer.line) == ("main/3", "Three.", 1)


def test_a_program_is_a_solution_where_the_line_names_a_task(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {"task_id": "HumanEval/0", "solution": "def f(): pass"})
    assert answer.response.text == "def f(): pass"


def test_an_id_may_be_a_number(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {"task_id": 11, "completion": "x"})
    assert answer.sample_id == "11"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"id": "a", "output": "x", "response": "y"}, "both 'output' and 'response' are there"),
        ({"id": "a", "sample_id": "b", "output": "x"}, "both 'id' and 'sample_id' are there"),
        ({"id": "a", "text": "x"}, "no output or response or prediction or completion or solution"),
        ({"output": "x"}, "no id or sample_id or task_id"),
        ({"id": "a", "output": 18}, "'output' must be a text or null, not int"),
        ({"id": "a", "output": ["x", "y"]}, "'output' must be a text or null, not list"),
        ({"id": True, "output": "x"}, "an id must be a text or a whole number, not bool"),
        ({"id": 1.5, "output": "x"}, "an id must be a text or a whole number, not float"),
        ([LINE, 3], "expected an object, found int"),
    ],
)
def test_a_line_of_another_shape_is_named(line: object, said: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, LINE, line)
    assert "/log.jsonl:2: " in message and said in message


def test_a_null_is_no_answer_and_an_empty_text_is_one(tmp_path: Path) -> None:
    null, empty = read_lines(tmp_path, {"id": "a", "output": None}, {"id": "b", "output": ""})
    assert null.response.text is None and null.response.error is not None and null.response.error.code == "no_output"
    assert empty.response.text == "" and empty.response.error is None


def test_thinking_is_set_apart_before_an_answer_is_read(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {"id": "a", "output": "<think>\nIs it 5?\n</think>\n\nThe answer is 4."})
    assert (answer.response.reasoning, answer.response.text) == ("Is it 5?", "The answer is 4.")


def test_an_answer_keeps_its_white_space(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {"task_id": "HumanEval/0", "completion": "    return 1\n"})
    assert answer.response.text == "    return 1\n"


@pytest.mark.parametrize(
    ("said", "truncated"), [("length", True), ("max_tokens", True), ("stop", False), (None, False)]
)
def test_why_an_answer_ended_is_taken_over(said: str | None, truncated: bool, tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {**LINE, "finish_reason": said})
    assert answer.response.truncated is truncated


# --- the other programs ------------------------------------------------------------------------------------


def test_evalscopes_predictions_are_read_whole(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, EVALSCOPE)
    assert (answer.index, answer.model, answer.response.text) == (3, "some-model", "ANSWER: 4")
    assert answer.response.truncated and answer.response.latency == 1.5
    assert answer.response.usage is not None and answer.response.usage.completion_tokens == 7
    assert answer.ask == Generate(messages=(Message("system", "Be brief."), Message("user", "What is 2 + 2?")))


def test_evalscopes_parts_of_reasoning_and_text_are_told_apart(tmp_path: Path) -> None:
    parts = [
        {"type": "reasoning", "reasoning": "Add."},
        {"type": "text", "text": "ANSWER: "},
        {"type": "text", "text": "4"},
    ]
    output = {**EVALSCOPE_OUTPUT, "choices": [{"message": {"role": "assistant", "content": parts}}]}
    (answer,) = read_lines(tmp_path, {**EVALSCOPE, "model_output": output})
    assert (answer.response.reasoning, answer.response.text) == ("Add.", "ANSWER: 4")


@pytest.mark.parametrize("output", [None, {"choices": []}, {**EVALSCOPE_OUTPUT, "error": "timed out"}])
def test_where_evalscope_has_no_output_there_is_no_answer(output: object, tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {**EVALSCOPE, "model_output": output})
    assert answer.response.error is not None and answer.response.text is None


def test_a_review_of_evalscope_is_of_its_group_where_questions_are_repeated(tmp_path: Path) -> None:
    lone = {**REVIEW, "sample_score": {"score": REVIEW["sample_score"]["score"]}}  # type: ignore[index]
    repeated, single = read_lines(tmp_path, REVIEW, lone)
    assert (repeated.index, single.index) == (3, 7)
    assert repeated.response.text == "ANSWER: 4"


def test_what_a_tool_said_to_a_model_is_kept_as_text(tmp_path: Path) -> None:
    messages = [*EVALSCOPE_MESSAGES[:2], {"role": "tool", "content": "4"}]
    (answer,) = read_lines(tmp_path, {**EVALSCOPE, "messages": messages})
    assert answer.ask is None and "What is 2 + 2?" in answer.seen


def test_a_written_answer_of_the_harness(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, WRITTEN_BY_LM_EVAL)
    assert (answer.index, answer.response.text) == (5, "It is 4.")
    assert answer.ask == Generate(messages=(Message("user", "Question: What is 2 + 2?\nAnswer:"),))
    assert "What is 2 + 2?" in answer.seen


def test_the_harness_repeats_each_document_for_each_filter_and_one_is_read(tmp_path: Path) -> None:
    lines = [{**WRITTEN_BY_LM_EVAL, "doc_id": n, "filter": name} for name in ("strict", "flexible") for n in range(3)]
    assert [answer.index for answer in read_lines(tmp_path, *lines)] == [0, 1, 2]


def test_repeats_of_the_harness_are_answers_of_their_own(tmp_path: Path) -> None:
    answers = read_lines(tmp_path, {**WRITTEN_BY_LM_EVAL, "resps": [["It is 4.", "It is 5."]]})
    assert [(answer.index, answer.response.text) for answer in answers] == [(5, "It is 4."), (5, "It is 5.")]


def test_a_chat_of_the_harness_is_taken_apart(tmp_path: Path) -> None:
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 + 2?"}])
    (answer,) = read_lines(tmp_path, {**WRITTEN_BY_LM_EVAL, "arguments": {"gen_args_0": {"arg_0": chat, "arg_1": {}}}})
    assert answer.ask == Generate(messages=(Message("system", "Be brief."), Message("user", "What is 2 + 2?")))


@pytest.mark.parametrize(
    "resps",
    [
        [[["-3.5", "False"]], [["-1.25", "True"]]],
        [[[-3.5, False]], [[-1.25, True]]],
        [[-3.5, False], [-1.25, True]],
    ],
)
def test_log_probabilities_of_the_harness_in_each_of_its_versions(resps: object, tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, {**CHOSEN_BY_LM_EVAL, "resps": resps})
    assert answer.ask == Loglikelihood(context="Question: Which one?\nAnswer:", continuations=(" this", " that"))
    assert [(s.logprob, s.greedy) for s in answer.response.scores or ()] == [(-3.5, False), (-1.25, True)]


def test_older_logs_of_the_harness_hold_their_arguments_as_lists(tmp_path: Path) -> None:
    pairs = [list(pair.values()) for pair in CHOSEN_BY_LM_EVAL["arguments"].values()]  # type: ignore[attr-defined]
    (answer,) = read_lines(tmp_path, {**CHOSEN_BY_LM_EVAL, "arguments": pairs})
    assert isinstance(answer.ask, Loglikelihood) and answer.ask.continuations == (" this", " that")


def test_continuations_without_their_context_are_left_out(tmp_path: Path) -> None:
    more = {"gen_args_2": {"arg_0": "", "arg_1": " this"}, "gen_args_3": {"arg_0": "", "arg_1": " that"}}
    line = {
        **CHOSEN_BY_LM_EVAL,
        "arguments": {**CHOSEN_BY_LM_EVAL["arguments"], **more},  # type: ignore[dict-item]
        "resps": [*CHOSEN_BY_LM_EVAL["resps"], [["-9", "False"]], [["-8", "False"]]],  # type: ignore[misc]
    }
    (answer,) = read_lines(tmp_path, line)
    assert [score.logprob for score in answer.response.scores or ()] == [-3.5, -1.25]


def test_one_continuation_after_several_contexts_is_refused(tmp_path: Path) -> None:
    arguments = {f"gen_args_{n}": {"arg_0": f"context {n}", "arg_1": " end"} for n in range(2)}
    assert "do not follow one context" in refusal(tmp_path, {**CHOSEN_BY_LM_EVAL, "arguments": arguments})


@pytest.mark.parametrize("indent", [None, 4])
def test_opencompass_writes_one_object_on_one_line_or_many(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "gsm8k.json"
    path.write_text(json.dumps(OPENCOMPASS, indent=indent))
    first, second = read(path)
    assert (first.index, first.response.text, second.index, second.response.text) == (0, "It is 4.", 1, "6")
    assert first.ask == Generate(messages=(Message("user", "What is 2 + 2?"),))


def test_several_answers_of_opencompass_to_a_question_are_repeats(tmp_path: Path) -> None:
    answers = read_lines(tmp_path, {"0": {"origin_prompt": "What?", "prediction": ["a", "b"]}})
    assert [(answer.index, answer.response.text) for answer in answers] == [(0, "a"), (0, "b")]


def test_perplexities_of_opencompass_are_refused(tmp_path: Path) -> None:
    entry = {"label: A": {"testing input": "x", "PPL": 1.2}, "prediction": "A"}
    assert "it holds perplexities" in refusal(tmp_path, {"0": entry})


def test_our_own_predictions_are_read_back(tmp_path: Path) -> None:
    (answer,) = read_lines(tmp_path, OWN)
    assert (answer.sample_id, answer.response.text, answer.response.truncated) == ("main/2", "That.", True)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "id and output"])
def test_a_later_line_of_another_shape_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    assert f"/log.jsonl:2: not a line of {name} (" in refusal(tmp_path, EXAMPLES[name], {"strange": {"x": 1}})


# --- the file itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_packed_file_is_read_as_the_plain_one_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    plain = LogFile(write(tmp_path / "log.jsonl", [EXAMPLES[name]]))
    (tmp_path / "packed").write_bytes(gzip.compress((tmp_path / "log.jsonl").read_bytes()))
    packed = LogFile(tmp_path / "packed")
    assert list(packed) == list(plain)
    assert packed.sha256 == plain.sha256


def test_a_packed_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(json.dumps({**LINE, "id": n}).encode() + b"\n" for n in range(5000)))
    (tmp_path / "log.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="the packed file is cut off or damaged"):
        read(tmp_path / "log.jsonl.gz")


def test_a_last_line_that_was_torn_is_left_out_and_said(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [LINE, LINE])
    path.write_bytes(path.read_bytes() + b'{"id": "main/9", "outp')
    log = LogFile(path)
    assert len(list(log)) == 2 and log.torn


def test_a_last_line_without_a_newline_is_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [LINE, LINE])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    log = LogFile(path)
    assert len(list(log)) == 2 and not log.torn


def test_a_broken_line_in_the_middle_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(LINE) + "\n{broken\n" + json.dumps(LINE) + "\n")
    with pytest.raises(DataError, match=r"log\.jsonl:2: not JSON"):
        read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + json.dumps(LINE).encode() + b"\n",
        b"\n\n" + json.dumps(LINE).encode() + b"\r\n\r\n",
        json.dumps([LINE]).encode(),
        json.dumps([LINE], indent=2).encode(),
        json.dumps({**LINE, "score": float("nan")}).encode() + b"\n",
    ],
    ids=["a byte order mark", "empty lines", "a list", "a list over many lines", "a NaN beside it"],
)
def test_what_other_programs_write_around_the_lines_does_no_harm(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(content)
    assert [answer.sample_id for answer in read(tmp_path / "log.jsonl")] == ["main/0"]


def test_half_a_surrogate_pair_is_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"id": "a", "output": "\\ud83d end"}\n')
    assert read(tmp_path / "log.jsonl")[0].response.text == "\\ud83d end"


def test_a_line_that_is_nested_without_end_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps(LINE) + "\n" + "[" * 100_000 + "\n")
    with pytest.raises(DataError, match=r"log\.jsonl:2: not JSON"):
        read(tmp_path / "log.jsonl")
