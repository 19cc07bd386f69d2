"""Arenas end to end: the right ranking comes out, nothing is paid twice, and what a judge cannot say is said to be missing."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from llmuses.records import ErrorKind, Winner
from tests.end_to_end.arena_commands import (
    arena_command,
    arena_report,
    battles,
    run_arena_command,
    stored_calls,
    write_config,
    write_questions,
)
from tests.end_to_end.commands import ROOT
from tests.support.arena_judge import TROUBLES, preferred, trouble_of, worth
from tests.support.forks import Forked
from tests.support.servers import MockServer, mock_openai

PLAYERS = ("skill-40", "skill-50", "skill-60")
IN_FLIGHT = 16


def expected_winner(one: str, two: str, question: str) -> Winner:
    """Return who wins a battle before an unbiased judge."""
    letter = preferred(worth(one, question), worth(two, question))
    return {"A": Winner.MODEL_A, "B": Winner.MODEL_B, "C": Winner.TIE}[letter]


def requests(*servers: MockServer) -> list[int]:
    return [server.requests() for server in servers]


def test_all_pairs_are_decided_as_the_judge_prefers_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    texts = write_questions(tmp_path / "questions.jsonl", 24)
    outputs = tmp_path / "outputs"
    with mock_openai(arena="fair") as players, mock_openai(arena="fair") as judge:
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url)
        done = run_arena_command(config, outputs)
        assert done.returncode == 0, done.stderr
        assert "24 questions × 3 pairs × 2 orders = 144 judge calls" in done.stdout
        assert requests(players, judge) == [3 * 24, 3 * 24 * 2]
        again = run_arena_command(config, outputs)
        assert again.returncode == 0 and "144 of them made before" in again.stdout
        assert requests(players, judge) == [72, 144], "a finished arena asks nothing"

        more = write_config(tmp_path, (*PLAYERS, "skill-55"), players.base_url, judge.base_url)
        assert run_arena_command(more, outputs).returncode == 0
        assert requests(players, judge) == [72 + 24, 144 + 3 * 24 * 2], "a fourth model costs its own calls alone"
        assert max(judge.stats().asked.values()) == 1
    found = {(b.question_id, b.model_a, b.model_b): b for b in battles(outputs)}
    assert len(found) == len(battles(outputs)) == 24 * 6
    for (identifier, one, two), battle in found.items():
        assert battle.winner is expected_winner(one, two, texts[int(identifier)])
        assert battle.verdicts == [battle.winner, battle.winner]
    report = arena_report(outputs)
    assert [row.model for row in report.rows] == ["skill-60", "skill-55", "skill-50", "skill-40"]
    assert [model.model for model in report.ratings["bt"].models] == ["skill-60", "skill-55", "skill-50", "skill-40"]
    assert report.complete and report.missing == {}


def test_an_arena_killed_at_random_moments_pays_for_nothing_that_was_answered(tmp_path: Path) -> None:
    write_questions(tmp_path / "questions.jsonl", 40)
    outputs = tmp_path / "outputs"
    chance = random.Random(5)
    kills = 0
    with mock_openai(arena="fair", latency="0.1") as players, mock_openai(arena="fair", latency="0.25") as judge:
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url)
        for _ in range(5):
            before = judge.requests() + players.requests()
            process = Forked(arena_command(config, outputs))
            wanted = before + chance.randint(15, 70)
            while process.poll() is None and judge.requests() + players.requests() < wanted:
                time.sleep(0.01)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            held = {call.ask.messages[-1].content for call in stored_calls(outputs, "verdicts", "judge")}  # type: ignore[union-attr]
            paid = {prompt: n for prompt, n in judge.stats().asked.items() if prompt in held}
            previous = paid
        assert kills >= 3, "the arena ended before it was killed often enough"
        assert run_arena_command(config, outputs).returncode == 0
        asked = judge.stats().asked
        assert {prompt: asked[prompt] for prompt in previous} == previous, (
            "what was stored at a kill is not asked again"
        )
        assert len(asked) == 240
        assert sum(asked.values()) <= 240 + kills * IN_FLIGHT, "only what was in flight at a kill is asked again"
        assert sum(players.stats().asked.values()) <= 120 + kills * IN_FLIGHT
    with mock_openai(arena="fair") as players, mock_openai(arena="fair") as judge:
        calm = tmp_path / "calm"
        calm.mkdir()
        (calm / "questions.jsonl").write_bytes((tmp_path / "questions.jsonl").read_bytes())
        config = write_config(calm, PLAYERS, players.base_url, judge.base_url)
        assert run_arena_command(config, calm / "outputs").returncode == 0
    assert arena_report(outputs).rows == arena_report(calm / "outputs").rows
    assert len(battles(outputs)) == 120
    winners = [
        {(b.question_id, b.model_a, b.model_b): b.winner for b in battles(place)}
        for place in (outputs, calm / "outputs")
    ]
    assert winners[0] == winners[1]


def test_a_judge_in_trouble_for_a_fifth_of_its_calls_is_reported_as_it_was(tmp_path: Path) -> None:
    texts = write_questions(tmp_path / "questions.jsonl", 60)
    outputs = tmp_path / "outputs"
    shares = dict.fromkeys(TROUBLES, 0.04)
    arena = ",".join(f"{kind}={share}" for kind, share in shares.items())
    with (
        mock_openai(arena="fair") as players,
        mock_openai(arena=arena, faults="hang=0.03,content_filter=0.03") as judge,
    ):
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url, judge_timeout=4)
        done = run_arena_command(config, outputs)
        assert done.returncode == 1, done.stderr
        hung = judge.stats().faults["hang"]
    report = arena_report(outputs)
    (seen,) = report.judges
    calls = stored_calls(outputs, "verdicts", "judge")
    prompts = {call.key: call.ask.messages[-1].content for call in calls}  # type: ignore[union-attr]
    failed = {call.key for call in calls if call.response.error and call.response.error.kind is ErrorKind.FAILED}
    refused = {call.key for call in calls if call.response.error and call.response.error.kind is ErrorKind.REJECTED}
    troubled = {key for key, prompt in prompts.items() if key not in failed | refused and trouble_of(prompt, shares)}
    assert len(calls) == seen.calls == 360
    assert failed and hung >= len(failed) == seen.failed
    assert seen.unparsed == len(troubled) > 30 and seen.rejected == len(refused) > 0
    assert seen.read == 360 - len(troubled) - len(failed) - len(refused)
    assert len(stored_calls(outputs, "verdicts", "judge.again")) == seen.asked_again == len(troubled)
    assert {reason.partition(":")[0] for reason in seen.reasons} == {"unparsed", "rejected", "failed"}

    sets = {"failed": failed, "rejected": refused, "unparsed": troubled}
    fates = {call.sample_id: next((name for name, keys in sets.items() if call.key in keys), "") for call in calls}
    wanted, missing = {}, Counter[str]()
    for number, text in enumerate(texts):
        for one, two in combinations(PLAYERS, 2):
            fate = {fates[f"{number}|{one}|{two}"], fates[f"{number}|{two}|{one}"]}
            if fate == {""}:
                wanted[str(number), one, two] = expected_winner(one, two, text)
            else:
                missing[next(name for name in sets if name in fate)] += 1
    assert {(b.question_id, b.model_a, b.model_b): b.winner for b in battles(outputs)} == wanted
    assert report.missing == dict(missing) and report.decided == len(wanted) and report.planned == 180
    for row in report.rows:
        assert row.n + row.missing == 120 and row.bounds is not None and row.value is not None
        won = sum(
            1.0 if w is (Winner.MODEL_A if a == row.model else Winner.MODEL_B) else 0.5 if w is Winner.TIE else 0.0
            for (_, a, b), w in wanted.items()
            if row.model in (a, b)
        )
        assert row.value == pytest.approx(won / row.n)
        assert row.bounds == pytest.approx((won / 120, (won + row.missing) / 120))
    assert f"{180 - len(wanted)} of 180 are missing" in done.stdout


def test_what_failed_is_asked_again_by_the_same_command_and_only_that(tmp_path: Path) -> None:
    write_questions(tmp_path / "questions.jsonl", 30)
    outputs = tmp_path / "outputs"
    with mock_openai(arena="fair") as players, mock_openai(arena="fair", faults="500=0.2", fault_tries=1) as judge:
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url)
        assert run_arena_command(config, outputs).returncode == 1
        failed = arena_report(outputs).judges[0].failed
        assert run_arena_command(config, outputs).returncode == 0
        assert judge.stats().requests == 180 + failed > 180
    assert arena_report(outputs).complete and len(battles(outputs)) == 90


def test_a_judge_that_likes_the_first_place_is_found_out_and_its_contradictions_are_ties(tmp_path: Path) -> None:
    write_questions(tmp_path / "questions.jsonl", 60)
    outputs = tmp_path / "outputs"
    with mock_openai(arena="fair") as players, mock_openai(arena="first=0.5") as judge:
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url)
        assert run_arena_command(config, outputs).returncode == 0
    report = arena_report(outputs)
    bias = report.judges[0].position
    assert bias is not None and bias.both == 180
    assert bias.contradictory == bias.first > 40 and bias.second == 0
    assert bias.first_share is not None and bias.ci95 is not None and bias.ci95[0] > 0.6
    turned = [battle for battle in battles(outputs) if battle.verdicts == [Winner.MODEL_A, Winner.MODEL_B]]
    assert len(turned) == bias.contradictory and {battle.winner for battle in turned} == {Winner.TIE}
    assert [row.model for row in report.rows] == ["skill-60", "skill-50", "skill-40"]


def test_ctrl_c_ends_an_arena_cleanly_and_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    write_questions(tmp_path / "questions.jsonl", 40)
    outputs = tmp_path / "outputs"
    with mock_openai(arena="fair") as players, mock_openai(arena="fair", latency="0.3") as judge:
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url)
        process = Forked(arena_command(config, outputs))
        while judge.requests() < 40:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode == 1
        assert said == "llmuses: stopped; the same command goes on from here.\n"
        held = len(stored_calls(outputs, "verdicts", "judge"))
        assert 20 <= held < 240
    with mock_openai(arena="fair") as players:
        config = write_config(tmp_path, PLAYERS, players.base_url, judge.base_url)
        away = run_arena_command(config, outputs)
    assert away.returncode == 1
    assert away.stderr.startswith("llmuses: judge judge: cannot reach") and "What was answered is kept" in away.stderr


@pytest.mark.parametrize(("name", "calls"), [("cfg_arena", 504), ("cfg_pairwise_baseline", 336), ("cfg_single", 252)])
def test_the_shipped_configs_run_dry_and_in_earnest(
    name: str, calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ROOT / "llmuses" / "registry" / "config" / f"{name}.yaml"
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMUSES_MODELS"):
        monkeypatch.delenv(variable, raising=False)
    dry = run_arena_command(config, tmp_path, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    place = tmp_path / f"arena-{name}"
    assert "drawn at random" in dry.stdout and "Dry run" in (place / "dry-run" / "report.md").read_text()
    assert not (place / "battles.jsonl").exists() and not (place / "report.json").exists()
    with mock_openai() as judge:
        monkeypatch.setenv("OPENAI_BASE_URL", judge.base_url)
        done = run_arena_command(config, tmp_path)
        asked = judge.stats().asked
    assert done.returncode == 0, done.stderr
    report = arena_report(tmp_path, name)
    (seen,) = report.judges
    assert not report.dry_run and report.questions == 84
    assert seen.calls == calls and seen.read + seen.unparsed == calls
    alike = calls - len({call.key for call in stored_calls(tmp_path, "verdicts", "gpt-4", name)})
    assert sum(asked.values()) == calls - alike + seen.asked_again
