"""Arenas in one process: what is asked, what is kept, what is recorded and what is never taken for a rating."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from arena import rate
from arena.pipeline.report_records import ArenaReport
from arena.pipeline.run import Result, Talk, run_arena
from llmuses.cli import main
from llmuses.errors import CutShortError, DataError, RunLockedError, UsageError
from llmuses.records import Battle, Exclusion, Generate, Prediction, RegisterLine, Winner
from llmuses.store import JsonlStore, try_lock
from tests.arena.pipeline.arenas import Contrary, Moody, Paid, Worth, write_answers, write_config, write_questions


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LLMUSES_OUTPUTS", "OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMUSES_MODELS"):
        monkeypatch.delenv(name, raising=False)
    for kind in (Worth, Contrary, Moody, Paid):
        kind.calls.clear()
    Moody.cured = False
    write_questions(tmp_path, 9)


def answers(folder: Path) -> list[str]:
    """Return files of three models' answers: the third is best, the second second."""
    return [
        write_answers(folder, name, [start + n % 4 for n in range(9)])
        for name, start in (("low", 1), ("mid", 3), ("top", 5))
    ]


def battles(result: Result) -> list[Battle]:
    return list(JsonlStore(result.folder / "battles.jsonl", Battle))


def report(result: Result) -> ArenaReport:
    assert result.report is not None
    return result.report


def test_files_of_answers_are_compared_in_both_orders_and_nothing_is_judged_twice(tmp_path: Path) -> None:
    config = write_config(tmp_path, answers(tmp_path))
    result = run_arena(config)
    assert len(Worth.calls) == len(set(Worth.calls)) == 9 * 3 * 2
    assert [row.model for row in report(result).rows] == ["top", "mid", "low"]
    assert {battle.winner for battle in battles(result)} == {Winner.MODEL_B}, (
        "model_a and model_b are in the order of names"
    )
    assert battles(result)[0].pair_probability == pytest.approx(1 / 3)
    first = (result.folder / "battles.jsonl").read_bytes()
    run_arena(config)
    assert len(Worth.calls) == 54 and (result.folder / "battles.jsonl").read_bytes() == first


def test_answers_that_are_alike_are_judged_once_for_all_who_gave_them(tmp_path: Path) -> None:
    files = [write_answers(tmp_path, name, range(9)) for name in ("one", "two", "six")]
    for file in files:
        path = Path(file)
        path.write_text(
            "".join(
                line.replace(f'"answer": "{path.stem[7:]} ', '"answer": "It ') + "\n"
                for line in path.read_text().splitlines()
            )
        )
    result = run_arena(write_config(tmp_path, files))
    assert len(Worth.calls) == 9, "both orders and all pairs ask the very same"
    assert len(battles(result)) == 27 and {battle.winner for battle in battles(result)} == {Winner.TIE}


def test_each_judge_of_a_panel_has_its_own_battles_and_their_agreement_is_said(tmp_path: Path) -> None:
    result = run_arena(write_config(tmp_path, answers(tmp_path), kinds=(Worth, Contrary)))
    assert len(Worth.calls) == len(Contrary.calls) == 54
    assert {battle.judge for battle in battles(result)} == {"Worth", "Contrary"} and len(battles(result)) == 54
    assert report(result).agreement == 0.0
    assert [row.value for row in report(result).rows] == [0.5, 0.5, 0.5]


def test_what_a_judge_cannot_read_is_asked_once_more_and_what_fails_is_asked_again_next_time(tmp_path: Path) -> None:
    config = write_config(tmp_path, answers(tmp_path), kinds=(Moody,))
    result = run_arena(config)
    (judge,) = report(result).judges
    assert (judge.read, judge.unparsed, judge.failed, judge.asked_again) == (42, 6, 6, 6)
    assert report(result).missing == {"failed": 3, "unparsed": 3} and not result.complete
    assert judge.reasons == {"failed: TimeoutError": 6, "unparsed: nothing": 6}
    assert all(row.missing == 4 and row.bounds is not None for row in report(result).rows)
    Moody.calls.clear()
    Moody.cured = True
    result = run_arena(config)
    assert len(Moody.calls) == 6, "only what failed is asked: what could not be read was asked twice"
    assert report(result).missing == {"unparsed": 3} and result.complete


@pytest.mark.parametrize(("mitigation", "calls"), [("swap_position", 54), ("randomize_order", 27), (None, 27)])
def test_orders_are_both_shown_drawn_or_fixed(mitigation: str | None, calls: int, tmp_path: Path) -> None:
    result = run_arena(write_config(tmp_path, answers(tmp_path), args={"position_bias_mitigation": mitigation}))
    assert len(Worth.calls) == calls
    firsts = {first.split()[0] for _, first, _ in Worth.calls}
    assert firsts == ({"low", "mid"} if mitigation is None else {"low", "mid", "top"})
    assert (report(result).judges[0].position is None) == (mitigation is None)
    assert [row.value for row in report(result).rows] == [1.0, 0.5, 0.0]


def test_against_a_baseline_only_battles_with_it_are_fought(tmp_path: Path) -> None:
    low, mid, top = answers(tmp_path)
    config = write_config(
        tmp_path,
        [low, top],
        args={"mode": "pairwise_baseline"},
        reviews={"baseline_file": mid},
        rating_gen={"baseline_model": "mid", "report_file": "out/table.csv"},
    )
    result = run_arena(config)
    assert len(Worth.calls) == 9 * 2 * 2
    assert {(b.model_a, b.model_b) for b in battles(result)} == {("low", "mid"), ("top", "mid")}
    assert [(row.model, row.value, row.n) for row in report(result).rows] == [("top", 1.0, 9), ("low", 0.0, 9)]
    table = (tmp_path / "out" / "table.csv").read_text().splitlines()
    assert table[0].startswith("metric,model,value,low,high,n") and table[1].startswith("win_rate,top,1.0,")


def test_single_answers_get_mean_scores_with_intervals_on_their_scale(tmp_path: Path) -> None:
    config = write_config(
        tmp_path, answers(tmp_path), args={"mode": "single"}, reviews={"review_file": "out/scores.jsonl"}
    )
    result = run_arena(config)
    assert len(Worth.calls) == 27
    rows = {row.model: row for row in report(result).rows}
    assert rows["top"].value == pytest.approx(sum(5 + n % 4 for n in range(9)) / 9)
    for row in rows.values():
        assert row.ci95 is not None and row.value is not None and 1 <= row.ci95[0] < row.value < row.ci95[1] <= 10
    lines = [json.loads(line) for line in (tmp_path / "out" / "scores.jsonl").read_text().splitlines()]
    assert len(lines) == 27 and lines[0] == {**lines[0], "model": "low", "score": 1.0, "judge": "Worth"}
    assert not (result.folder / "battles.jsonl").exists()


def test_a_budget_is_kept_spent_on_pairs_drawn_alike_and_grows_without_paying_again(tmp_path: Path) -> None:
    write_questions(tmp_path, 200)
    files = [write_answers(tmp_path, name, range(200)) for name in ("a", "b", "c")]
    result = run_arena(write_config(tmp_path, files, budget=301))
    assert len(Worth.calls) == 300 and len(battles(result)) == 150
    pairs = [(battle.model_a, battle.model_b) for battle in battles(result)]
    for pair in set(pairs):
        assert abs(pairs.count(pair) - 50) < 4 * math.sqrt(50 * 2 / 3)
    earlier = {battle.battle_id for battle in battles(result)}
    result = run_arena(write_config(tmp_path, [*files, write_answers(tmp_path, "d", range(200))], budget=400))
    assert len(Worth.calls) == 400
    assert earlier < {battle.battle_id for battle in battles(result)}
    assert {round(battle.pair_probability or 0, 6) for battle in battles(result)} == {0.333333, 0.166667}
    with pytest.raises(UsageError, match="fewer than one pair takes"):
        run_arena(write_config(tmp_path, files, budget=1))


def test_an_answer_that_is_missing_makes_no_battle_and_is_counted(tmp_path: Path) -> None:
    low, mid, top = answers(tmp_path)
    Path(low).write_text("".join(Path(low).read_text().splitlines(keepends=True)[:6]))
    result = run_arena(write_config(tmp_path, [low, mid, top]))
    assert report(result).missing == {"answer": 6} and report(result).decided == 21
    absent = {player.model: player.absent for player in report(result).players}
    assert absent == {"low": 3, "mid": 0, "top": 0}
    assert result.complete, "nothing failed that could be asked again"


def test_a_battle_that_is_judged_anew_takes_the_earlier_one_out_and_deletes_nothing(tmp_path: Path) -> None:
    low, mid, top = answers(tmp_path)
    config = write_config(tmp_path, [low, mid, top])
    before = battles(run_arena(config))
    changed = Path(low).read_text().replace("low says 1", "low says 99", 1)
    original = Path(low).read_text()
    Path(low).write_text(changed)
    result = run_arena(config)
    path = result.folder / "battles.jsonl"
    exclusions = list(JsonlStore(path, Exclusion))
    gone = {line.battle_id for line in exclusions if line.reason}
    assert len(gone) == 2 and len(battles(result)) == 29
    assert {b.battle_id for b in before} < {b.battle_id for b in battles(result)}
    assert rate(path).battles == 27
    assert any("2 earlier battles" in note for note in report(result).notes)
    Path(low).write_text(original)
    calls = len(Worth.calls)
    run_arena(config)
    assert len(Worth.calls) == calls, "verdicts that were set aside are taken again"
    assert rate(path).battles == 27 and len(list(JsonlStore(path, Battle))) == 31


def test_verdicts_of_another_arena_are_taken_where_the_same_was_asked(tmp_path: Path) -> None:
    low, mid, top = answers(tmp_path)
    first = run_arena(write_config(tmp_path, [low, mid]), outputs="one")
    cache = {"cache_file": str(first.folder / "verdicts" / "Worth.jsonl")}
    second = run_arena(write_config(tmp_path, [low, mid, top], reviews=cache), outputs="two")
    assert len(Worth.calls) == 18 + 36 and len(battles(second)) == 27
    cache = {"cache_file": str(first.folder / "battles.jsonl")}
    third = run_arena(write_config(tmp_path, [low, mid], reviews=cache), outputs="three")
    assert len(Worth.calls) == 54 + 18 and "holds no judge calls" in report(third).notes[0]


def test_each_step_can_be_done_alone(tmp_path: Path) -> None:
    files = answers(tmp_path)
    asked = run_arena(write_config(tmp_path, files, reviews={"enable": False}))
    assert asked.report is None and asked.complete and Worth.calls == []
    judged = run_arena(write_config(tmp_path, files, rating_gen={"enable": False}))
    assert report(judged).ratings == {} and len(battles(judged)) == 27
    rated = run_arena(write_config(tmp_path, files, reviews={"enable": False}, rating_gen={"metrics": ["bt", "elo"]}))
    assert len(Worth.calls) == 54
    assert set(report(rated).ratings) == {"bt", "elo"} and report(rated).decided == 27
    assert report(rated).rows == report(judged).rows


def test_a_metric_that_the_mode_gives_nothing_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'score' cannot be had in mode pairwise, only bt, elo, pairwise"):
        run_arena(write_config(tmp_path, answers(tmp_path), rating_gen={"metrics": ["score"]}))
    assert Worth.calls == []


def test_the_register_knows_every_model_that_ever_played(tmp_path: Path) -> None:
    low, mid, top = answers(tmp_path)
    run_arena(write_config(tmp_path, [low, mid, top]))
    result = run_arena(write_config(tmp_path, [mid, top]))
    assert [line.model for line in JsonlStore(result.folder / "register.jsonl", RegisterLine)] == ["low", "mid", "top"]
    assert len(battles(result)) == 27, "battles of a model that left stay in the record"


def test_no_rating_takes_a_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(
        tmp_path, answers(tmp_path), reviews={"review_file": "reviews.jsonl"}, rating_gen={"report_file": "t.csv"}
    )
    result = run_arena(config, dry_run=True)
    path = result.folder / "dry-run" / "battles.jsonl"
    assert report(result).dry_run and Worth.calls == []
    assert {battle.judge for battle in JsonlStore(path, Battle)} == {"dry-run"}
    with pytest.raises(DataError, match="no line is a battle"):
        rate(path)
    assert main(["rate", "--battles", str(path)]) == 2
    assert not (tmp_path / "reviews.jsonl").exists() and not (tmp_path / "t.csv").exists()
    assert not (result.folder / "battles.jsonl").exists() and not (result.folder / "report.json").exists()
    again = run_arena(config, dry_run=True)
    assert [row.value for row in report(again).rows] == [row.value for row in report(result).rows]
    assert len(list(JsonlStore(path, Battle))) == 27


# --- Models that are asked ---------------------------------------------------------------------------------


def write_asked(folder: Path, players: dict[str, Any], **reviews: Any) -> Path:
    content = {
        "questions_file": "questions.jsonl",
        "answers_gen": players,
        "reviews_gen": {"reviewer": {"ref": "tests.arena.pipeline.arenas:Worth"}, **reviews},
    }
    (folder / "asked.yaml").write_text(yaml.safe_dump(content))
    return folder / "asked.yaml"


def test_answers_are_written_where_the_config_wants_them_and_those_from_elsewhere_are_taken(tmp_path: Path) -> None:
    given = {"question_id": "q2", "model_id": "other", "answer": "from elsewhere 7"}
    (tmp_path / "out.jsonl").write_text(json.dumps(given) + "\n")
    players = {
        "random": {"model": "baseline:random", "output_file": "out.jsonl"},
        "echo": {"model": "baseline:echo", "output_file": "new/echo.jsonl"},
    }
    result = run_arena(write_asked(tmp_path, players))
    stored = list(JsonlStore(result.folder / "answers" / "random.jsonl", Prediction))
    assert "q2" not in {prediction.sample_id for prediction in stored} and len(stored) == 8
    rows = {row["question_id"]: row for row in map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())}
    assert rows["q2"]["answer"] == "from elsewhere 7" and "asked_by" not in rows["q2"]
    assert rows["q1"]["asked_by"] == "llmuses" and rows["q1"]["choices"] == [
        {"index": 0, "turns": [rows["q1"]["answer"]]}
    ]
    disabled = {**players, "random": {"enable": False, "output_file": "out.jsonl"}}
    again = run_arena(write_asked(tmp_path, disabled, target_answers=["out.jsonl", "echo"]))
    assert report(again).decided == report(result).decided == 9
    assert len(battles(again)) == 9, "the same answers from a file are the same battles"


def test_a_conversation_is_asked_turn_by_turn_with_the_models_own_answers(tmp_path: Path) -> None:
    questions = [
        {"question_id": 1, "text": "Only 1?"},
        {"question_id": 2, "turns": ["First 2?", "Then 3?"], "category": "talk"},
    ]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in questions))
    players = {"echo": {"model": "baseline:echo"}, "random": {"model": "baseline:random"}}
    result = run_arena(write_asked(tmp_path, players))
    (second,) = JsonlStore(result.folder / "answers" / "echo.turn2.jsonl", Prediction)
    assert isinstance(second.ask, Generate)
    assert [(m.role, m.content) for m in second.ask.messages] == [
        ("user", "First 2?"),
        ("assistant", "First 2?"),
        ("user", "Then 3?"),
    ]
    talk = next(battle for battle in battles(result) if battle.question_id == "2")
    assert [message.content for message in talk.conversation or []] == ["First 2?", "Then 3?"]
    assert (talk.output_a or "").startswith("First 2?\n\n")


def test_a_model_whose_answers_are_all_stored_is_not_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arena.pipeline import answers as step

    loaded: list[str] = []
    load = step.load_model

    def counted(spec: str, **args: Any) -> Any:
        loaded.append(spec)
        return load(spec, **args)

    monkeypatch.setattr(step, "load_model", counted)
    players: dict[str, Any] = {"echo": {"model": "baseline:echo"}, "random": {"model": "baseline:random"}}
    run_arena(write_asked(tmp_path, players))
    run_arena(write_asked(tmp_path, players))
    assert loaded == ["baseline:echo", "baseline:random"]
    players["random"]["args"] = {"seed": 3}
    run_arena(write_asked(tmp_path, players))
    assert loaded == ["baseline:echo", "baseline:random", "baseline:random"], "another seed is another model"


def test_a_second_process_in_the_same_arena_is_told_so(tmp_path: Path) -> None:
    config = write_config(tmp_path, answers(tmp_path))
    folder = run_arena(config).folder
    with open(folder / "arena.lock", "a+") as held:
        assert try_lock(held)
        with pytest.raises(RunLockedError, match="is being worked on"):
            run_arena(config)


# --- Money -------------------------------------------------------------------------------------------------


def paid(folder: Path) -> Path:
    return write_config(folder, answers(folder), kinds=(Paid,))


def test_calls_that_cost_money_are_refused_where_nobody_can_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null"))
    assert main(["arena", "--c", str(paid(tmp_path))]) == 2
    assert "judge Paid may cost money, up to 54 calls: add --yes" in capsys.readouterr().err
    assert Paid.calls == [] and not (tmp_path / "outputs").exists()
    assert main(["arena", "--config", str(paid(tmp_path)), "--yes"]) == 0
    assert len(Paid.calls) == 54
    assert "= 54 judge calls, about " in "".join(capsys.readouterr()), "who need not be asked is told"
    assert main(["arena", "-c", str(paid(tmp_path))]) == 0, "a finished arena costs nothing"


def test_what_it_will_take_is_asked_before_the_first_call(tmp_path: Path) -> None:
    asked: list[str] = []

    def confirm(answer: bool) -> Talk:
        return Talk(lambda words: asked.append(words) or answer, lambda _: None, lambda *_: None)  # type: ignore[func-returns-value]

    with pytest.raises(CutShortError, match="no judge was asked"):
        run_arena(paid(tmp_path), talk=confirm(False))
    assert Paid.calls == []
    assert asked[0].startswith("9 questions × 3 pairs × 2 orders = 54 judge calls, about ") and asked[0].endswith(
        "; go on?"
    )
    assert run_arena(paid(tmp_path), talk=confirm(True)).complete
    run_arena(paid(tmp_path), talk=confirm(False))
    assert len(asked) == 2, "nobody is asked about nothing"


def test_a_price_in_models_yaml_is_part_of_the_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {
        "wise": {"model": "openai:wise", "args": {"base_url": "http://127.0.0.1:9/v1"}, "price": [1000.0, 2000.0]}
    }
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(models))
    monkeypatch.setenv("LLMUSES_MODELS", str(tmp_path / "models.yaml"))
    content = yaml.safe_load(write_config(tmp_path, answers(tmp_path)).read_text())
    content["reviews_gen"]["reviewer"] = {"args": {"model": "wise", "max_tokens": 100}}
    (tmp_path / "cfg.yaml").write_text(yaml.safe_dump(content))
    asked: list[str] = []
    talk = Talk(lambda words: bool(asked.append(words)), lambda _: None, lambda *_: None)  # type: ignore[func-returns-value]
    with pytest.raises(CutShortError):
        run_arena(tmp_path / "cfg.yaml", talk=talk)
    assert "and at most 5,400 of verdicts, at most about " in asked[0] and " USD; go on?" in asked[0]


def test_a_prompt_file_that_serves_not_every_question_is_refused_before_anybody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    prompt = {"name": "only a", "mode": "pairwise", "style": "[[A]]", "user": "{question} {answer_a} {answer_b}"}
    (tmp_path / "prompts.jsonl").write_text(json.dumps({**prompt, "categories": ["a"]}) + "\n")
    content = yaml.safe_load(write_config(tmp_path, answers(tmp_path)).read_text())
    content["reviews_gen"] |= {"reviewer": {"args": {"model": "x"}}, "prompt_file": "prompts.jsonl"}
    (tmp_path / "cfg.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError, match="no judge prompt serves"):
        run_arena(tmp_path / "cfg.yaml")
    assert not (tmp_path / "outputs").exists()


# --- The report --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "words"), [("en", ("win rate", "Pair by pair")), ("zh", ("胜率", "逐对结果"))])
def test_the_report_is_written_in_the_language_of_the_terminal(
    lang: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_LANG", lang)
    result = run_arena(write_config(tmp_path, answers(tmp_path), kinds=(Moody,)))
    text = (result.folder / "report.md").read_text("utf-8")
    assert all(word in text for word in words)
    assert "{" not in text and "| top | 100.0 |" in text
