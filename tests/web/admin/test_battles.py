"""AI battles from the room: the config that the form comes to, what it refuses, and how far the battles are."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import yaml

from arena.pipeline.config import found, read_config
from arena.pipeline.questions import read_questions
from arena.pipeline.report_records import ArenaReport, JudgeReport
from leaderboard.results import AllResults
from llmuses.errors import LlmusesError, UsageError
from llmuses.records import JobEvent
from llmuses.visit import Visit
from llmuses.web.admin import battles, health_tab, jobs
from llmuses.web.admin.battle_job import battle_job
from llmuses.web.admin.battle_plan import QUESTIONS, BattlesAsked, command_of, plan_of, write_plan
from llmuses.web.admin.clone import copy_link
from llmuses.web.admin.room import Doing, Room
from llmuses.web.admin.rules import AdminRules

FORM: dict[str, Any] = {
    "name": "spring", "models": ["baseline:echo", "baseline:random", "baseline:majority"], "judge": "judge", "number": 10,
}  # fmt: skip


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    models = tmp_path / "models.yaml"
    models.write_text(yaml.safe_dump({"judge": {"model": "openai:judge"}, "--yes": {"model": "openai:x"}}))
    monkeypatch.setenv("LLMUSES_MODELS", str(models))
    monkeypatch.setenv("OPENAI_API_KEY", "a key that nobody is asked with")
    return Room(AllResults(tmp_path / "outputs"), AdminRules())


def asked(**changes: Any) -> BattlesAsked:
    return msgspec.convert({**FORM, **changes}, BattlesAsked)


def test_the_estimate_counts_answers_battles_and_calls(room: Room) -> None:
    plan = plan_of(asked(), room)
    turns = sum(len(question.turns) for question in plan.questions)
    assert (len(plan.questions), plan.pairs) == (10, 3)
    assert plan.wanted == (3 * turns, 30, 60)
    assert plan_of(asked(orders="randomize_order"), room).wanted.calls == 30
    assert plan_of(asked(budget=20, policy="active"), room).wanted[1:] == (10, 20)


def test_questions_come_evenly_from_the_categories_that_were_chosen(room: Room) -> None:
    chosen = [
        question.category for question in plan_of(asked(categories=["writing", "math"], number=5), room).questions
    ]
    assert sorted({chosen.count(name) for name in ("writing", "math")}) == [2, 3]
    assert len(chosen) == 5


def test_a_judge_is_chosen_by_a_person_and_one_that_cannot_run_is_marked_and_refused_before_anything_is_planned(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = battles.view(room, room.sessions.nobody(), Visit("en", {}))
    assert '<option value="">Choose a judge</option>' in form and "judge (cannot run" not in form
    monkeypatch.delenv("OPENAI_API_KEY")
    form = battles.view(room, room.sessions.nobody(), Visit("en", {}))
    assert '<option value="judge">judge (cannot run: OPENAI_API_KEY is not set' in form
    with pytest.raises(UsageError, match="judge: OPENAI_API_KEY is not set"):
        plan_of(asked(), room)


def test_a_judge_that_is_a_contestant_is_said_to_be_one(room: Room) -> None:
    doing = Doing(room, room.sessions.nobody(), "en")
    assert "contestant" not in battles._plan(doing, asked())["html"]
    assert "judge is a contestant as well" in battles._plan(doing, asked(models=["judge", "baseline:echo"]))["html"]


def test_the_config_that_is_written_is_one_that_the_command_reads(room: Room) -> None:
    plan = plan_of(asked(max_tokens=32, budget=12, policy="fewest"), room)
    write_plan(plan)
    config = read_config(plan.path)
    assert list(config.answers_gen) == FORM["models"]
    assert config.budget == 12
    assert config.matchmaking.policy == "fewest"
    assert read_questions(found(config.questions_file, plan.path.parent, "")) == plan.questions
    assert command_of(plan, room)[:3] == ["arena", "-c", str(plan.path.resolve())]


def test_all_questions_need_no_file_of_their_own(room: Room) -> None:
    plan = plan_of(asked(number=None), room)
    write_plan(plan)
    assert Path(read_config(plan.path).questions_file) == QUESTIONS.resolve()
    assert plan.own_questions is None


def test_a_name_is_given_once(room: Room) -> None:
    write_plan(plan_of(asked(), room))
    with pytest.raises(UsageError, match="choose another name"):
        write_plan(plan_of(asked(number=3), room))
    assert len(plan_of(asked(), room).questions) == 10


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""}, {"name": "../x"}, {"name": "--yes"}, {"name": "a/b"}, {"name": "a b"}, {"name": ".hidden"}, {"name": "x" * 61},
        {"name": "a\n"}, {"models": ["baseline:echo"]}, {"models": ["baseline:echo", "baseline:echo"]},
        {"models": ["baseline:echo", "openai:http"]}, {"models": ["baseline:echo", "/etc"]}, {"judge": ""}, {"judge": "baseline:random"},
        {"judge": "openai:gpt"}, {"categories": ["none"]}, {"number": 0}, {"number": -1}, {"budget": 0}, {"policy": "active"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_anything_is_written(room: Room, changes: dict[str, Any]) -> None:
    with pytest.raises(LlmusesError):
        plan_of(asked(**changes), room)
    assert not list(room.log.folder.glob("battles-*"))


def test_a_job_says_how_many_battles_there_will_be_before_there_are_any(room: Room) -> None:
    plan = plan_of(asked(), room)
    write_plan(plan)
    job = room.log.job(room.log.submit(command_of(plan, room), "spring: all", "network", "ada"))
    stands = battle_job(room, job)
    assert stands is not None
    assert (stands.source, stands.battles, stands.all_battles) == (None, 0, 30)


def test_a_job_that_decided_nothing_says_so_and_what_the_judge_said_instead(room: Room) -> None:
    plan = plan_of(asked(), room)
    write_plan(plan)
    name = room.log.submit(command_of(plan, room), "spring: all", "network", "ada")
    assert "No battle is decided yet" in jobs.view(room, room.sessions.nobody(), Visit("en", {}))
    room.log.say(name, JobEvent.DONE, exit_code=0)
    place = room.outputs / "arena-battles-spring" / "report.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(msgspec.json.encode(nothing_decided()))
    page = jobs.view(room, room.sessions.nobody(), Visit("en", {}))
    assert "Nothing decided" in page and "verdict unreadable 30" in page and "I like &lt;b&gt;both" in page
    assert "decided yet" not in page and "u-v bare correct" not in page
    health = health_tab.view(room, room.sessions.nobody(), Visit("en", {}))
    assert "nothing fails" not in health and name in health


def test_battles_that_ended_before_any_was_decided_await_none(room: Room) -> None:
    plan = plan_of(asked(), room)
    write_plan(plan)
    name = room.log.submit(command_of(plan, room), "spring: all", "network", "ada")
    room.log.say(name, JobEvent.FAILED, reason="no torch", exit_code=1)
    page = jobs.view(room, room.sessions.nobody(), Visit("en", {}))
    assert "decided yet" not in page and "before any battle was decided" in page


def nothing_decided() -> ArenaReport:
    judge = JudgeReport(
        judge="judge", model="openai:judge", calls=60, read=0, unparsed=60, rejected=0, failed=0, asked_again=60,
        reasons={"unparsed: I like <b>both": 60}, position=None, prompt_tokens=1, completion_tokens=1,
    )  # fmt: skip
    return ArenaReport(
        arena="battles-spring", mode="pairwise", dry_run=False, questions=10, categories={}, languages={}, players=[],
        baseline=None, budget=None, planned=30, decided=0, missing={"unparsed": 30}, judges=[judge], rows=[], pairs=[],
        agreement=None, ratings={}, notes=[], version="", tstamp=0.0,
    )  # fmt: skip


def test_a_copy_of_battles_is_the_form_filled_in_but_for_the_name(room: Room) -> None:
    form = asked(
        categories=["writing", "math"], number=6, max_tokens=32, budget=12, policy="fewest", orders="randomize_order",
        hidden=True,
    )  # fmt: skip
    plan = plan_of(form, room)
    write_plan(plan)
    job = room.log.job(room.log.submit(command_of(plan, room), "spring: all", "network", "ada"))
    address = copy_link(job)
    assert address is not None
    fields: dict[str, Any] = dict(parse_qsl(urlsplit(address).query))
    page = battles.view(room, room.sessions.nobody(), Visit("en", fields))
    assert page.count(" checked") == 3 + 2 + 1
    assert page.count(" selected") == 3
    assert fields.pop("tab") == "battles"
    fields |= {name: fields[name].split(",") for name in ("models", "categories")}
    again = msgspec.convert({**fields, "name": "autumn"}, BattlesAsked, strict=False)
    assert again == msgspec.structs.replace(form, name="autumn")


def test_battles_whose_config_is_gone_are_copied_as_they_are(room: Room) -> None:
    job = room.log.job(room.log.submit(["arena", "-c", "/nowhere.yaml"], "spring: all", "network", "ada"))
    assert copy_link(job) is None


def test_battles_that_were_restored_into_another_folder_go_on_in_that_one(room: Room, tmp_path: Path) -> None:
    plan = plan_of(asked(), room)
    write_plan(plan)
    room.log.submit(command_of(plan, room), "spring: all", "network", "ada")
    shutil.copytree(room.outputs, tmp_path / "restored")
    other = Room(AllResults(tmp_path / "restored"), AdminRules())
    (job,) = other.log.jobs()
    config = tmp_path / "restored" / "jobs" / "battles-spring.yaml"
    assert job.command == ["arena", "-c", str(config.resolve()), "--yes", "--outputs", str(tmp_path / "restored")]
    shutil.rmtree(room.outputs)
    stands = battle_job(other, job)
    assert stands is not None and stands.all_battles == 30, "its questions lie beside it"


def test_an_evaluation_fights_no_battles(room: Room) -> None:
    job = room.log.job(room.log.submit(["eval", "--model", "a/b"], "x", "network", "ada"))
    assert battle_job(room, job) is None


def test_the_config_of_several_models_has_no_references_and_the_form_checks_names_as_the_server_does(
    room: Room,
) -> None:
    assert "&id" not in plan_of(asked(max_tokens=32), room).text
    assert r'pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"' in str(
        battles.view(room, room.sessions.nobody(), Visit("en", {}))
    ), "browsers read a pattern with the flag v: a hyphen in a class is escaped"


def test_a_job_shows_how_fast_its_answers_and_verdicts_come(room: Room) -> None:
    write_plan(plan_of(asked(), room))
    config = room.outputs / "jobs" / "battles-spring.yaml"
    job = room.log.submit(["arena", "-c", str(config)], "spring: all", "network", "ada")
    room.log.say(job, JobEvent.STARTED)
    now = time.time()
    for store, seconds in (("answers/echo.jsonl", range(120, 72, -2)), ("verdicts/judge.jsonl", range(60, 0, -2))):
        path = room.outputs / "arena-battles-spring" / store
        path.parent.mkdir(parents=True)
        line = {"response": {"usage": {"prompt_tokens": 3, "completion_tokens": 2}, "latency": 0.5}}
        path.write_bytes(b"".join(msgspec.json.encode({**line, "tstamp": now - ago}) + b"\n" for ago in seconds))
    page = jobs.view(room, room.sessions.nobody(), Visit("en", {}))
    assert "answers and verdicts a second, last 2 min, 0." in page
    assert "<polyline" in page
    for name, value in {"Rate": "–", "Answers": "24 / ", "Battles": "0 / 30", "Tokens": "270"}.items():
        assert re.search(rf'<div class="sm qq">{name}</div><div class="tn b u-figure">{value}', page), name
