"""``llmuses compare`` from the command line to what is printed and written, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmuses import compare, evaluate
from llmuses.cli import main
from llmuses.comparison.markdown import markdown
from llmuses.comparison.result import Part, Refusal
from llmuses.comparison.words import content, refusal_words
from llmuses.i18n import Lang
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun


@pytest.fixture(autouse=True)
def english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_LANG", "en")
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path / "outputs"))


def two_runs(tmp_path: Path) -> list[str]:
    FakeRun("better", {"gsm8k": FakeDataset(n=200, wrong=30, unparsed=2, failed=3)}).write(tmp_path / "outputs")
    FakeRun("worse", {"gsm8k": FakeDataset(n=200, wrong=60, truncated=1)}).write(tmp_path / "outputs")
    return ["better-gsm8k", "worse-gsm8k"]


def test_two_runs_by_their_ids_are_a_table_and_what_must_be_known_about_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *two_runs(tmp_path)]) == 0
    out = capsys.readouterr().out
    for words in (
        "better − worse",
        "+12.7",
        "< 0.001",
        "25 / 0 / 172",
        "Detectable",
        "3 samples have no answer in one of the two runs",
        "better: 2 unparsed, 3 failed.",
        "worse: 1 truncated.",
        "McNemar",
    ):
        assert words in out, out


def test_baselines_on_the_shipped_samples_go_through_from_end_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["baseline:random", "baseline:majority"]
    assert main(["eval", "--model", *models, "--datasets", "arc", "gsm8k", "--sample-data", "--limit", "8"]) == 0
    runs = [str(path.parent) for path in sorted(tmp_path.glob("outputs/*/run.json"))]
    capsys.readouterr()
    assert main(["compare", *runs, "--json", "--output", "there/found.json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "there" / "found.json").read_text("utf-8"))
    assert [each["dataset"] for each in printed["datasets"]] == ["arc", "gsm8k"]
    pair = printed["datasets"][0]["pairs"][0]
    assert pair["won"] + pair["lost"] + pair["tied"] == pair["n"] == 16
    assert printed["comparisons"] == 2
    assert main(["compare", *runs, "--dataset", "arc", "--output", "found.md"]) == 0
    assert (tmp_path / "found.md").read_text("utf-8").startswith("# Comparison of 2 runs")


def test_nothing_that_can_be_compared_is_one_line_that_says_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = two_runs(tmp_path)
    FakeRun("other", {"gsm8k": FakeDataset(n=200, few_shot=3)}).write(tmp_path / "outputs")
    assert main(["compare", first, "other-gsm8k", "--output", "found.md"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert "better and other differ in few-shot (0 / 3)" in err
    assert not (tmp_path / "found.md").exists()


def test_a_pair_that_was_refused_among_others_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FakeRun("other", {"gsm8k": FakeDataset(n=200, few_shot=3)}).write(tmp_path / "outputs")
    assert main(["compare", *two_runs(tmp_path), "other-gsm8k"]) == 1
    out = capsys.readouterr().out
    assert "better − worse" in out
    assert "Not compared: worse and other differ in few-shot (0 / 3)." in out


BAD = {
    "one run": (["compare", "better-gsm8k"], "two different runs or more"),
    "a run that is not there": (["compare", "better-gsm8k", "wurse-gsm8k"], "did you mean 'worse-gsm8k'?"),
    "a dataset that is not there": (
        ["compare", "better-gsm8k", "worse-gsm8k", "--dataset", "gsm8"],
        "did you mean 'gsm8k'?",
    ),
    "a file of another kind": (["compare", "better-gsm8k", "worse-gsm8k", "--output", "x.csv"], ".md or .json"),
    "a file that cannot be written": (
        ["compare", "better-gsm8k", "worse-gsm8k", "--output", "outputs/better-gsm8k/run.json/x.md"],
        "cannot write",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(case: tuple[list[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_runs(tmp_path)
    argv, words = case
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and words in err


# --- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_same_figures_in_both_languages(lang: Lang, tmp_path: Path) -> None:
    runs = two_runs(tmp_path)
    FakeRun("third", {"gsm8k": FakeDataset(n=200, wrong=90)}).write(tmp_path / "outputs")
    said = content(compare([*runs, "third-gsm8k"]), lang)
    (section,) = said.sections
    assert [row[2] for row in section.rows] == ["+12.7", "+27.9", "+15.0"]
    assert any("third" in note and "3" in note for note in section.notes)
    assert "{" not in " ".join([said.title, said.foot, *section.notes, *said.columns])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_part_of_an_identity_has_a_name(lang: Lang, tmp_path: Path) -> None:
    result = evaluate("baseline:random", "gsm8k", sample_data=True, limit=1, outputs=tmp_path)
    optional = ["variant", "extraction", "judge", "judge_settings", "code", "answers"]
    for name in [*result.reports[0].identity, *optional]:
        refusal = Refusal(first="a", second="b", reason="differs", parts=[Part(name=name, first="1", second="")])
        assert refusal_words(refusal, {"a": "A", "b": "B"}, lang)


def test_of_long_settings_only_what_differs_is_said() -> None:
    part = Part(name="generation", first="max_tokens 512, temperature 0", second="max_tokens 512, temperature 0.7")
    refusal = Refusal(first="a", second="b", reason="differs", parts=[part])
    assert "(temperature 0 / temperature 0.7)" in refusal_words(refusal, {"a": "A", "b": "B"}, "en")


def test_a_difference_of_nothing_has_no_sign(tmp_path: Path) -> None:
    runs = [FakeRun(name, {"gsm8k": FakeDataset(n=50, wrong=9)}).write(tmp_path) for name in ("a", "b")]
    (row,) = content(compare(runs), "en").sections[0].rows
    assert row[2] == "0.0"


def test_names_of_models_are_no_markup(tmp_path: Path) -> None:
    runs = [
        FakeRun(f"{name} {HOSTILE}", {"gsm8k": FakeDataset(n=20, wrong=9)}, run_id=name).write(tmp_path)
        for name in ("a", "b")
    ]
    written = markdown(compare(runs))
    assert "<script" not in written.replace("\\<script", "")
    assert len([line for line in written.splitlines() if line.startswith("|")]) == 3
