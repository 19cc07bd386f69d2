"""Reading rows: every row that is there, in order, and each bad one named with file and place."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.benchmarks.rows import Filter, Row, cell, column_values, read_rows, row_place
from llmuses.errors import DataError

COLUMNS = ("question", "A", "B", "C", "D", "answer")


def rows(path: Path, columns: tuple[str, ...] = COLUMNS, only: Filter | None = None) -> list[Row]:
    return [row for _, row in read_rows(path, columns, only)]


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def parquet(path: Path, table: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"COPY (SELECT * FROM {table}) TO '{path}' (FORMAT parquet)")
    return path


# --- CSV ---------------------------------------------------------------------------------------------------


def test_a_csv_file_without_header_loses_no_row(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "q1,a,b,c,d,A\nq2,e,f,g,h,B\n")
    assert [row["question"] for row in rows(path)] == ["q1", "q2"]
    assert rows(path)[0] == dict(zip(COLUMNS, ["q1", "a", "b", "c", "d", "A"], strict=True))


def test_quoted_cells_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", '"one, two","say ""a""",b,c,d,A\n"first\nsecond\n\nthird",a,b,c,d,B\n')
    first, second = rows(path)
    assert first["question"] == "one, two"
    assert first["A"] == 'say "a"'
    assert second["question"] == "first\nsecond\n\nthird"


@pytest.mark.parametrize(
    "header",
    [
        "question,A,B,C,D,answer",
        "Question,A,B,C,D,Answer",
        '"question","A","B","C","D","answer"',
        " question ,A,B,C,D, answer",
    ],
)
def test_a_header_is_told_from_a_row_whatever_its_case(tmp_path: Path, header: str) -> None:
    path = written(tmp_path, "x.csv", f"{header}\nq1,a,b,c,d,A\n")
    assert [(row["question"], row["A"], row["answer"]) for row in rows(path)] == [("q1", "a", "A")]


def test_a_headers_own_names_and_order_count(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "id,answer,question,extra\n7,A,q1,x\n")
    assert rows(path) == [{"id": "7", "answer": "A", "question": "q1", "extra": "x"}]


def test_a_first_row_that_speaks_of_a_question_is_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "Which word is it?,question,reply,call,shout,A\n")
    assert [row["A"] for row in rows(path)] == ["question"]


def test_a_file_that_needs_a_header_takes_its_first_row_for_it(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "question,answer\nq1,#### 1\n")
    assert rows(path, columns=()) == [{"question": "q1", "answer": "#### 1"}]


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", b"\xef\xbb\xbfq1,a,b,c,d,A\n")
    assert rows(path)[0]["question"] == "q1"
    path = written(tmp_path, "y.csv", b"\xef\xbb\xbfquestion,A,B,C,D,answer\nq1,a,b,c,d,A\n")
    assert [row["question"] for row in rows(path)] == ["q1"]


def test_carriage_returns_are_line_ends_but_stay_inside_cells(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", b'q1,a,b,c,d,A\r\n"two\r\nlines",a,b,c,d,B\r\n')
    assert [(row["question"], row["answer"]) for row in rows(path)] == [("q1", "A"), ("two\r\nlines", "B")]


def test_empty_lines_are_no_rows_and_shift_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "\n\nquestion,A,B,C,D,answer\n\nq1,a,b,c,d,A\n   \n\nq2,a,b,c,d,B\n\n")
    assert [row["question"] for row in rows(path)] == ["q1", "q2"]


def test_a_tsv_file_is_split_at_tabs(tmp_path: Path) -> None:
    path = written(tmp_path, "x.tsv", "q,1\ta\tb\tc\td\tA\n")
    assert rows(path)[0]["question"] == "q,1"


def test_cells_that_look_like_missing_values_stay_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "q,None,NA,null,nan,A\n")
    assert [rows(path)[0][letter] for letter in "ABCD"] == ["None", "NA", "null", "nan"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("q1,a,b,c,d,A\nq2,a,b,c,d\n", 2),
        ("q1,a,b,c,d,A\n\n\nq2,a,b,c,d,e,A\n", 4),
        ('"q1\nmore",a,b,c,d,A\n"q2\nmore",a,b\n', 3),
        ("question,A,B,C,D,answer\nq1,a,b,c,d,A\nq2,a\n", 3),
    ],
)
def test_a_wrong_number_of_cells_names_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    path = written(tmp_path, "x.csv", text)
    with pytest.raises(DataError) as problem:
        rows(path)
    assert str(problem.value).startswith(f"{path}:{line}: ")
    assert "expected 6" in str(problem.value)


def test_a_quote_that_is_never_closed_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", 'q1,a,b,c,d,A\n"q2,a,b,c,d,A\nq3,a,b,c,d,A\n')
    with pytest.raises(DataError, match=r"x\.csv:2: "):
        rows(path)


def test_a_cell_of_endless_length_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "q1,a,b,c,d,A\n" + "x" * 200_000 + ",a,b,c,d,A\n")
    with pytest.raises(DataError, match=r"x\.csv:2: "):
        rows(path)


def test_the_number_of_a_row_is_the_line_that_it_begins_on(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", 'q1,a,b,c,d,A\n"q\n2",a,b,c,d,A\n\nq3,a,b,c,d,A\n')
    assert [number for number, _ in read_rows(path, COLUMNS)] == [1, 2, 5]


cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)


@given(st.lists(st.lists(cells, min_size=6, max_size=6), max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    path = tmp_path_factory.mktemp("rows") / "x.csv"
    path.write_bytes(text.getvalue().encode())
    assert [list(row.values()) for row in rows(path)] == table


# --- JSON --------------------------------------------------------------------------------------------------


def test_jsonl_is_read_line_by_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", '\ufeff{"a": 1}\r\n\n  \n{"a": "\u00e9\\n"}')
    assert list(read_rows(path)) == [(1, {"a": 1}), (4, {"a": "é\n"})]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"a": ', "not JSON"),
        ("garbage", "not JSON"),
        ('{"a": 1} {"a": 2}', "not JSON"),
        ("[1, 2]", "expected an object, found list"),
        ("7", "expected an object, found int"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ('{"a": ' + "1" * 5000 + "}", "5000 digits"),
        ("[" * 100_000, "not a JSON row"),
    ],
)
def test_a_bad_line_names_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, "x.jsonl", f'{{"a": 1}}\n\n{line}\n{{"a": 2}}\n')
    with pytest.raises(DataError) as problem:
        rows(path)
    assert str(problem.value).startswith(f"{path}:3: ")
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)


def test_the_rows_before_a_bad_line_are_given_out(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", '{"a": 1}\nbad\n')
    stream = read_rows(path)
    assert next(stream) == (1, {"a": 1})
    with pytest.raises(DataError):
        next(stream)


@pytest.mark.parametrize(
    "text", ['[{"a": 1}, {"a": 2}]', '{"data": [{"a": 1}, {"a": 2}]}', '{"examples": [{"a": 1}, {"a": 2}]}']
)
def test_json_holds_a_list_of_rows(tmp_path: Path, text: str) -> None:
    assert list(read_rows(written(tmp_path, "x.json", text))) == [(1, {"a": 1}), (2, {"a": 2})]


def test_a_single_json_object_is_a_single_row(tmp_path: Path) -> None:
    assert rows(written(tmp_path, "x.json", '{"a": 1}')) == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1},\n{"a": }]', "x.json:2: not JSON"),
        ('[{"a": 1}, 2]', "x.json, row 2: expected an object"),
        ('"text"', "expected a list of rows, found str"),
    ],
)
def test_bad_json_names_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, "x.json", text)
    with pytest.raises(DataError) as problem:
        rows(path)
    assert said in str(problem.value)


# --- Parquet -----------------------------------------------------------------------------------------------


def test_parquet_rows_come_in_order_with_lists_and_structs(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "x.parquet", "(VALUES ('q1', ['a', 'b'], {'label': ['1', '2']}, 1)) t(question, choices, c, answer)"
    )
    assert list(read_rows(path)) == [
        (1, {"question": "q1", "choices": ["a", "b"], "c": {"label": ["1", "2"]}, "answer": 1})
    ]


def test_parquet_is_streamed_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = parquet(tmp_path / "x.parquet", "(SELECT i, repeat('x', 100) AS text FROM range(50000) t(i))")
    stream = read_rows(path)
    assert [next(stream)[1]["i"] for _ in range(3)] == [0, 1, 2]
    assert [row["i"] for _, row in stream] == list(range(3, 50_000))


def test_a_path_with_brackets_stars_and_quotes_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "it's [all]*?"
    folder.mkdir()
    plain = parquet(tmp_path / "x.parquet", "(VALUES (1)) t(a)")
    plain.rename(folder / "x.parquet")
    assert rows(folder / "x.parquet") == [{"a": 1}]
    assert column_values(folder / "x.parquet", "a") == {"1"}


def test_what_is_no_parquet_file_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "x.parquet", "not a table")
    with pytest.raises(DataError, match=r"x\.parquet: not a Parquet file") as problem:
        rows(path)
    assert "\n" not in str(problem.value)


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    path = parquet(tmp_path / "x.parquet", "(SELECT i, random() AS r FROM range(50000) t(i))")
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + b"\x00" * 3000 + whole[5000:])
    with pytest.raises(DataError, match=r"x\.parquet"):
        rows(path)


# --- any format --------------------------------------------------------------------------------------------


def test_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    for name in ("x.csv", "x.jsonl", "x.json"):
        with pytest.raises(DataError, match="not UTF-8 text"):
            rows(written(tmp_path, name, b'{"a": "\xe9"}'))


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        rows(tmp_path / "missing.csv")
    with pytest.raises(DataError, match=r"rows are read from \.csv"):
        rows(written(tmp_path, "x.xlsx", "x"))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet"])
def test_a_filter_takes_the_rows_of_one_value_with_their_own_numbers(tmp_path: Path, kind: str) -> None:
    table = [{"s": "x", "n": "0"}, {"s": "y", "n": "1"}, {"s": "x", "n": "2"}]
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        path.write_text("s,n\n" + "".join(f"{row['s']},{row['n']}\n" for row in table))
    elif kind == "parquet":
        parquet(path, "(VALUES ('x', '0'), ('y', '1'), ('x', '2')) t(s, n)")
    else:
        path.write_text(json.dumps(table) if kind == "json" else "\n".join(map(json.dumps, table)))
    first = 2 if kind == "csv" else 1
    assert list(read_rows(path, (), Filter("s", "x"))) == [(first, table[0]), (first + 2, table[2])]
    assert list(read_rows(path, (), Filter("s", "z"))) == []
    assert rows(path, (), Filter("other", "x")) == table
    assert column_values(path, "s") == {"x", "y"}
    assert column_values(path, "other") is None


def test_the_values_of_a_column_are_looked_up_again_when_the_file_changes(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", '{"s": "x"}\n')
    assert column_values(path, "s") == {"x"}
    written(tmp_path, "x.jsonl", '{"s": "x"}\n{"s": "yy"}\n')
    assert column_values(path, "s") == {"x", "yy"}


def test_a_place_names_lines_only_where_rows_are_lines() -> None:
    assert row_place(Path("a/x.csv"), 3) == "a/x.csv:3"
    assert row_place(Path("a/x.jsonl"), 3) == "a/x.jsonl:3"
    assert row_place(Path("a/x.parquet"), 3) == "a/x.parquet, row 3"


def test_a_cell_is_found_under_the_first_of_its_names() -> None:
    assert cell({"input": "q", "target": 0}, "question", "input") == "q"
    assert cell({"a": 0}, "a") == 0
    with pytest.raises(KeyError, match="question or input"):
        cell({"question": None}, "question", "input")
