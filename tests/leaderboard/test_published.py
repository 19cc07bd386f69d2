"""Results that others published: brought in from their tables, told apart, ranked and averaged with none."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from leaderboard.board_page import Boards
from leaderboard.demo_state import DemoState
from leaderboard.figures import Kind
from leaderboard.published import FILE, AllPublished, PublishedResults, Table, read_table
from leaderboard.results import Results
from leaderboard.sheets import to_csv
from llmuses.cli import main
from llmuses.errors import DataError
from llmuses.records import PublishedResult
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun
from tests.support.pages import Page, check_harmless, visit

SOURCE = "https://example.org/table"
TABLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "experiments"


def table(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def bring(tmp_path, text, *more):
    outputs = tmp_path / "outputs"
    path = table(tmp_path, text)
    return main(["import", str(path), "--source", SOURCE, "--outputs", str(outputs), *more]), outputs


def result(model="a/m", score=0.5, **more):
    return PublishedResult(
        **{"model": model, "dataset": "mmlu", "setting": "5-shot", "score": score, "source": SOURCE, **more}
    )


def test_a_row_is_a_result_numbers_beside_the_score_are_its_parts_and_words_its_notes(tmp_path):
    path = table(tmp_path, "model,revision,humanities,score,n,ci_low,ci_high,organisation,kind,parameters\n"
                           "a/m,v1,0.4,0.5,100,0.4,0.6,A,chat,7\n")  # fmt: skip
    (found,) = read_table(path, Table("mmlu", "5-shot", SOURCE))
    assert found == result(
        parts={"humanities": 0.4},
        notes={"revision": "v1"},
        n=100,
        ci95=(0.4, 0.6),
        organisation="A",
        kind="chat",
        parameters=7.0,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model,acc\nm,0.5\n", "no column 'score', only model, acc"),
        ("name,score\nm,0.5\n", "no column 'model'"),
        ("model,score\nm,high\n", "t.csv:2: 'high' under 'score' is no number"),
        ("model,score\nm,55.1\n", "t.csv:2: 55.1 under 'score' is no share between 0 and 1: --percent takes points"),
        ("model,score\n,0.5\n", "t.csv:2: a row needs a model"),
        ("model,score,kind\nm,0.5,robot\n", "kind is chat or base, not 'robot'"),
        ("", "no column 'model', only nothing"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_the_line(tmp_path, text, words):
    with pytest.raises(DataError) as refused:
        list(read_table(table(tmp_path, text), Table("mmlu", "", SOURCE)))
    assert words in str(refused.value)


def test_a_table_in_points_is_taken_as_points(tmp_path):
    path = table(tmp_path, "model,score,part\nm,55.1,40\n")
    (found,) = read_table(path, Table("mmlu", "", SOURCE, percent=True))
    assert (found.score, found.parts) == (pytest.approx(0.551), {"part": pytest.approx(0.4)})


def test_a_benchmark_must_be_named_somewhere(tmp_path, capsys):
    code, outputs = bring(tmp_path, "model,score\nm,0.5\n")
    assert code == 2
    assert "--dataset" in capsys.readouterr().err
    assert not (outputs / FILE).exists()


def test_what_is_imported_stands_after_our_runs_hatched_unranked_and_in_no_average(tmp_path, capsys):
    code, outputs = bring(tmp_path, "model,score\nlab/great,0.99\n", "--dataset", "mmlu", "--setting", "5-shot")
    assert code == 0
    assert "1 results of 1 models on mmlu" in capsys.readouterr().out
    for model, wrong in (("one", 10), ("two", 20)):
        FakeRun(model, {"mmlu": FakeDataset(n=40, wrong=wrong, few_shot=5, sample_data=False)}).write(outputs)
    boards = Boards(Results(outputs))
    board = boards.board({})
    assert [(row.model, bool(row.published)) for row in board.rows] == [("one", False), ("two", False), ("great", True)]
    (column,) = board.columns
    theirs = board.rows[-1].cells[column.key]
    assert (theirs.kind, theirs.ranked, board.rows[-1].mean) == (Kind.PUBLISHED, False, None)
    assert board.best[column.key] == 0.75, "the column's best is our best"
    page = Page(boards.view(visit(), DemoState()))
    check_harmless(page)
    assert page.classes("pubrow") == 1
    (cell,) = [a for a in page.all("a") if "published_by" in a.get("data-drawer", "")]
    assert "published elsewhere, not run here" in cell["title"]
    assert "±" not in page.html.partition('class="pubrow"')[2].partition("</tr>")[0]
    assert [row.model for row in boards.board({"published": "0"}).rows] == ["one", "two"]


def test_where_we_have_no_such_column_or_several_it_has_one_of_its_own(tmp_path):
    outputs = tmp_path / "outputs"
    PublishedResults(outputs).add([result(), result(dataset="theirs", setting="")])
    for sha in "ab":
        of = FakeDataset(few_shot=5, sample_data=False, sha256=sha * 64)
        FakeRun("m", {"mmlu": of}, run_id=sha).write(outputs)
    board = Boards(Results(outputs)).board({})
    assert [column.key for column in board.columns if not column.identity] == [
        "mmlu-5-shot-published",
        "theirs-published",
    ]
    assert len(board.columns) == 4
    assert [column.dataset for column in board.basis] == ["mmlu"]


def test_only_what_is_new_is_read_and_a_later_line_replaces_an_earlier_one(tmp_path):
    store = PublishedResults(tmp_path)
    assert store.read() == []
    store.add([result(score=0.1), result(model="b")])
    first = store.read()
    assert store.read() is first
    store.add([result(score=0.2)])
    assert [(each.model, each.score) for each in store.read()] == [("a/m", 0.2), ("b", 0.5)]
    with open(tmp_path / FILE, "a") as file:
        file.write('{"model": 3}\n')
    assert len(store.read()) == 2
    assert "line 4 is no result" in store.damaged()[0].problem


# --- hidden ones -------------------------------------------------------------------------------------------------

OTHER = "A. Nother, 2026"


def shown(outputs):
    """Return what public pages and files say of imported results, asked anew."""
    boards, query = Boards(Results(outputs)), {"published_by": SOURCE, "of": "lab/great"}
    drawer = boards.beside(visit("en", **query))
    page = boards.view(visit(), DemoState())
    return "great" in page, SOURCE in to_csv(boards.sheet({})).decode(), drawer != ""


def test_what_is_imported_hidden_is_on_no_public_page_and_in_no_file_until_it_is_published(tmp_path, capsys):
    text, told = "model,score\nlab/great,0.99\nlab/good,0.9\n", ("--dataset", "mmlu", "--hidden")
    _, outputs = bring(tmp_path, text, *told)
    assert f"They are hidden: llmuses publish {SOURCE}" in capsys.readouterr().out
    PublishedResults(outputs).add([result("other/m", source=OTHER)])
    assert shown(outputs) == (False, False, False)
    assert [each.model for each in PublishedResults(outputs).read()] == ["other/m"]
    assert len(AllPublished(outputs).read()) == 3
    assert main(["publish", SOURCE, "--outputs", str(outputs)]) == 0
    assert f"Published: {SOURCE}." in capsys.readouterr().out
    assert shown(outputs) == (True, True, True)
    bring(tmp_path, text, *told)
    assert "was published before and stays public: llmuses hide" in capsys.readouterr().out
    assert shown(outputs) == (True, True, True)


def test_a_source_that_is_hidden_stays_so_whatever_is_imported_of_it(tmp_path, capsys):
    _, outputs = bring(tmp_path, "model,score\nlab/great,0.99\n", "--dataset", "mmlu")
    looked = PublishedResults(outputs)
    assert len(looked.read()) == 1
    assert main(["hide", SOURCE, "--reason", "a wrong table", "--outputs", str(outputs)]) == 0
    bring(tmp_path, "model,score\nlab/great,0.5\nlab/new,0.4\n", "--dataset", "mmlu")
    assert "They are hidden" in capsys.readouterr().out
    assert looked.read() == [] and shown(outputs) == (False, False, False)
    source = AllPublished(outputs).sources()[SOURCE]
    assert source.hidden and source.decision.reason == "a wrong table" and len(source.results) == 2
    assert [each.score for each in source.results] == [0.5, 0.4], "hiding changed no figure"


def test_a_source_of_which_something_is_public_is_hidden_whole_by_an_import_that_says_so(tmp_path):
    bring(tmp_path, "model,score\nlab/great,0.99\n", "--dataset", "mmlu")
    _, outputs = bring(tmp_path, "model,score\nlab/new,0.4\n", "--dataset", "mmlu", "--hidden")
    assert PublishedResults(outputs).read() == [] and len(AllPublished(outputs).read()) == 2


def test_a_file_that_is_copied_line_by_line_shows_nothing_of_what_was_imported_hidden(tmp_path):
    _, outputs = bring(
        tmp_path, "model,score\n" + "".join(f"m{n},0.5\n" for n in range(9)), "--dataset", "mmlu", "--hidden"
    )
    whole, copy = (outputs / FILE).read_bytes(), tmp_path / "copy"
    copy.mkdir()
    for size in range(0, len(whole) + 1, 40):
        (copy / FILE).write_bytes(whole[:size])
        assert PublishedResults(copy).read() == []


def test_a_hiding_that_was_killed_half_way_is_done_by_the_next_one(tmp_path):
    _, outputs = bring(tmp_path, "model,score\nlab/great,0.99\n", "--dataset", "mmlu")
    AllPublished(outputs).decide(SOURCE, True, "", "ada")
    whole = (outputs / FILE).read_bytes()
    (outputs / FILE).write_bytes(whole[:-9])
    assert len(PublishedResults(outputs).read()) == 1, "it was not said to be hidden"
    AllPublished(outputs).decide(SOURCE, True, "", "ada")
    assert PublishedResults(outputs).read() == []


def test_a_source_and_a_run_of_one_name_are_told_apart(tmp_path, capsys):
    FakeRun("one", run_id="one").write(tmp_path)
    PublishedResults(tmp_path).add([result(source="one"), result(source="two")])
    assert main(["hide", "one", "--outputs", str(tmp_path)]) == 2
    assert "'one' is a source of imported results and a folder" in capsys.readouterr().err
    assert main(["hide", str(tmp_path / "one"), "two", "--outputs", str(tmp_path)]) == 0
    assert "Hidden: one, two." in capsys.readouterr().out
    assert [each.source for each in PublishedResults(tmp_path).read()] == ["one"]
    assert Results(tmp_path).runs() == []


def test_the_drawer_says_everything_that_the_table_said_and_text_of_others_does_nothing(tmp_path):
    outputs = tmp_path / "outputs"
    PublishedResults(outputs).add(
        [result(model=HOSTILE, notes={HOSTILE: HOSTILE}, parts={"humanities": 0.4}, source=HOSTILE)]
    )
    boards = Boards(Results(outputs))
    check_harmless(Page(boards.view(visit(), DemoState())))
    drawer = Page(boards.beside(visit("en", published_by=HOSTILE, of=HOSTILE)))
    check_harmless(drawer)
    assert "40.0" in drawer.text
    assert boards.beside(visit("en", published_by="nobody", of="nothing")) == ""


@pytest.mark.skipif(not TABLES.is_dir(), reason="the tables of ../shared/data/experiments are not here")
def test_every_figure_of_the_founding_tables_is_on_the_board_with_its_source(tmp_path):
    outputs = tmp_path / "outputs"
    source = "https://github.com/modelscope/llmuses"
    figures = set()
    for name, setting in (("mmlu_0shot", "0-shot"), ("mmlu_5shot", "5-shot")):
        path = TABLES / f"{name}.csv"
        assert main(["import", str(path), "--source", source, "--dataset", "mmlu", "--setting", setting,
                     "--score", "weighted_avg", "--outputs", str(outputs)]) == 0  # fmt: skip
        for row in csv.DictReader(open(path, encoding="utf-8")):
            for column, text in row.items():
                if column not in ("model", "revision", "precision", "target_note") and text:
                    figures.add((row["model"], setting, "" if column == "weighted_avg" else column, float(text)))
    boards = Boards(Results(outputs))
    exported = {
        (row["spec"], row["setting"], row["part"], float(row["score"]))
        for row in csv.DictReader(io.StringIO(to_csv(boards.sheet({})).decode()))
        if row["source"] == source and row["state"] == "published" and row["ranked"] == "False"
    }
    assert exported == figures
    assert len({model for model, *_ in figures}) == 10
    page = Page(boards.view(visit(), DemoState()))
    for model, setting, part, score in sorted(figures):
        beside = Page(boards.beside(visit("en", published_by=source, of=model)))
        shown = beside.text if part else page.text
        assert f"{100 * score:.1f}".replace("-", "−") in shown, (model, setting, part)
