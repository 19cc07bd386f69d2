"""What can be taken away from the board."""

from __future__ import annotations

import csv
import io
import json

import pytest

from leaderboard.board import make_board
from leaderboard.export import FIELDS, sheet
from leaderboard.results import Results
from leaderboard.sheets import to_csv, to_json
from tests.support.fake_runs import FakeDataset, FakeRun


def board(outputs, **query):
    return make_board(Results(outputs).runs(), query)


def read_csv(outputs, **query):
    return list(csv.DictReader(io.StringIO(to_csv(sheet(board(outputs, **query))).decode())))


def test_csv_and_json_say_the_same_as_the_report(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=20, wrong=4, unparsed=1, truncated=2)}).write(tmp_path)
    report = Results(tmp_path).runs()[0].reports["gsm8k"]
    (line,) = read_csv(tmp_path)
    (figure,) = json.loads(to_json(sheet(board(tmp_path))))["figures"]
    assert list(line) == list(FIELDS) == list(figure)
    assert float(line["score"]) == figure["score"] == report.score
    assert [figure["ci_low"], figure["ci_high"]] == list(report.ci95)
    assert (line["unparsed"], line["truncated"], line["n"], line["run"]) == ("1", "2", "20", "m-gsm8k")


def test_an_export_holds_what_the_reader_chose(tmp_path):
    FakeRun("a", {"gsm8k": FakeDataset(), "arc": FakeDataset()}).write(tmp_path)
    FakeRun("b", {"gsm8k": FakeDataset()}).write(tmp_path)
    rows = read_csv(tmp_path, q="a", hide="arc-0-shot-sample-set")
    assert [(row["model"], row["dataset"]) for row in rows] == [("a", "gsm8k")]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_model_name_is_no_formula_in_a_spreadsheet(tmp_path, name):
    FakeRun(name, spec="x", run_id="r").write(tmp_path)
    (row,) = read_csv(tmp_path)
    assert row["model"] == f"'{name}"
