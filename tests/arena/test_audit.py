"""``llmuses audit``: what is planted in battles is found, and what is not is not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.audit import audit, family_of
from arena.audit_agreement import cohens_kappa, judges_beside
from arena.audit_markdown import audit_markdown
from arena.audit_records import Audit, JudgeAudit, SameBattles
from llmuses.cli import main
from llmuses.errors import DataError

MODELS = ("gpt-4", "gpt-3.5", "claude-2", "qwen-7b", "llama-2")
STRENGTH = np.array([0.9, 0.3, 0.5, 0.0, -0.6])
POINTS = 400 / np.log(10)


def write(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def decided(latent: float) -> str:
    return "model_a" if latent > 0.2 else "model_b" if latent < -0.2 else "tie"


def battles(
    number: int = 2000, *, position: float = 0.0, length: float = 0.0, own: float = 0.0, agree: float = 0.8
) -> list[dict[str, Any]]:
    """Return people's votes on some questions, and a judge called gpt-4o on the same ones with sides swapped by chance.

    The judge favours the first by ``position``, longer texts by ``length`` a whole share, its family by ``own``.
    """
    rng, lines = np.random.default_rng(3), []
    for n in range(number):
        a, b = (int(model) for model in rng.choice(len(MODELS), 2, replace=False))
        sizes = rng.integers(50, 400, 2)
        mood = rng.logistic()
        shared = {"question_id": f"q{n}", "battle_id": f"b{n}", "category": ("maths", "poems")[n % 2]}
        lines.append({**shared, "model_a": MODELS[a], "model_b": MODELS[b], "winner": decided(STRENGTH[a] - STRENGTH[b] + mood),
                      "voter": f"v{n % 40}", "tstamp": 60.0 * n, "output_a": "x" * sizes[0], "output_b": "x" * sizes[1]})  # fmt: skip
        seen = mood if rng.random() < agree else rng.logistic()
        if rng.random() < 0.5:
            a, b, sizes, seen = b, a, sizes[::-1], -seen
        lean = length * (sizes[0] - sizes[1]) / sizes.sum() + own * ((a < 2) - (b < 2)) + position
        lines.append({**shared, "model_a": MODELS[a], "model_b": MODELS[b], "judge": "gpt-4o",
                      "winner": decided(STRENGTH[a] - STRENGTH[b] + lean + seen),
                      "output_a": "x" * sizes[0], "output_b": "x" * sizes[1]})  # fmt: skip
    return lines


def judge_of(found: Audit, name: str = "gpt-4o") -> JudgeAudit:
    return next(judge for judge in found.judges if judge.judge == name)


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("a") / "b.jsonl", battles(position=0.5, length=2.0, own=0.8))


def test_biases_that_are_there_are_found(biased: Path) -> None:
    judge = judge_of(audit(biased))
    assert judge.position is not None and judge.position.ci95[0] < 0.5 * POINTS < judge.position.ci95[1]
    assert judge.length is not None and judge.length.ci95[0] > 50
    assert judge.family == ["gpt-3.5", "gpt-4"]
    assert judge.self_preference is not None
    assert 0 < judge.self_preference.ci95[0] < 0.8 * POINTS < judge.self_preference.ci95[1] + 30
    assert judge.first_wins.ci95 is not None and judge.first_expected is not None
    assert judge.first_wins.ci95[0] > judge.first_expected


def test_biases_that_are_not_there_are_not_found(tmp_path: Path) -> None:
    found = audit(write(tmp_path / "b.jsonl", battles()))
    for judge in found.judges:
        for effect in (judge.position, judge.length, judge.self_preference):
            assert effect is None or (effect.ci95[0] < 15 and effect.ci95[1] > -15)
    people = judge_of(found, "human")
    assert people.agreement is None and people.self_preference is None and people.family == []
    assert found.voters == []


def test_agreement_is_counted_on_the_same_battles_whatever_the_sides(tmp_path: Path) -> None:
    same = judge_of(audit(write(tmp_path / "1.jsonl", battles(400, agree=1.0)))).agreement
    less = judge_of(audit(write(tmp_path / "2.jsonl", battles(400, agree=0.0)))).agreement
    assert same is not None and less is not None
    assert same.all.share == 1 and same.kappa == 1
    assert same.all.n == 400 > same.decided.n
    assert less.kappa is not None and 0 < less.kappa < 0.4


def test_agreement_stands_by_category_too(biased: Path) -> None:
    judge = judge_of(audit(biased))
    assert list(judge.categories) == ["maths", "poems"]
    assert sum(part.all.n for part in judge.categories.values()) == 2000


def test_kappa_of_a_table_that_is_known() -> None:
    kappa, error = cohens_kappa(np.array([[20, 5], [10, 15]]))
    assert kappa == pytest.approx(0.4)
    assert error == pytest.approx(np.sqrt(0.7 * 0.3 / 50) / 0.5)
    assert cohens_kappa(np.array([[9, 0], [0, 0]]))[0] is None


def test_swapped_and_repeated_verdicts_are_told_apart(tmp_path: Path) -> None:
    base = {"judge": "j", "model_a": "x", "model_b": "y"}
    lines = []
    for n in range(30):
        one = {**base, "battle_id": f"b{n}", "winner": "model_a"}
        turned = {**one, "model_a": "y", "model_b": "x", "winner": "model_b" if n < 20 else "model_a"}
        lines += [one, {**one, "winner": "model_a" if n < 27 else "tie"}, turned]
    judge = judge_of(audit(write(tmp_path / "b.jsonl", lines)), "j")
    assert (judge.repeats.n, judge.repeats.share) == (30, pytest.approx(0.9))
    assert judge.swapped.n == 30
    assert judge.swapped.share is not None and judge.swapped.share < 0.7


def test_voters_who_look_odd_are_named_with_the_reason(tmp_path: Path) -> None:
    lines = [line for line in battles(3000) if "judge" not in line]
    for line in lines[:60]:
        line.update(voter="leftie", winner="model_a")
    for n, line in enumerate(lines[60:120]):
        line.update(voter="bot", tstamp=5e5 + n * 1.5)
    loyal = [line for line in lines[120:] if "llama-2" in (line["model_a"], line["model_b"])][:60]
    for line in loyal:
        line.update(voter="fan", winner="model_a" if line["model_a"] == "llama-2" else "model_b")
    for line in lines[2990:]:
        line.update(voter="few", winner="model_a", tstamp=0.0)
    found = {voter.voter: " ".join(voter.reasons) for voter in audit(write(tmp_path / "b.jsonl", lines)).voters}
    assert found.keys() == {"leftie", "bot", "fan"}
    assert "left side" in found["leftie"]
    assert "every 1.5 seconds" in found["bot"]
    assert "for llama-2" in found["fan"]


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o", "gpt"),
        ("openai/GPT-4o", "gpt"),
        ("Qwen2.5-7B-Instruct", "qwen"),
        ("claude-2", "claude"),
        ("01-yi", "01-yi"),
    ],
)
def test_a_family_is_the_word_a_name_begins_with(model: str, family: str) -> None:
    assert family_of(model) == family


def test_the_command_prints_and_writes(biased: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--battles", str(biased)]) == 0
    printed = capsys.readouterr().out
    assert "## gpt-4o" in printed and "Cohen's kappa" in printed
    report, data = tmp_path / "a.md", tmp_path / "a.json"
    assert main(["audit", "--battles", str(biased), "--output", str(report)]) == 0
    assert report.read_text() == printed
    assert main(["audit", "--battles", str(biased), "--output", str(data)]) == 0
    assert {judge["judge"] for judge in json.loads(data.read_text())["judges"]} == {"human", "gpt-4o"}
    assert main(["audit", "--battles", str(biased), "--output", "a.txt"]) == 2


def test_peoples_votes_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    lines = battles(300)
    verdicts = write(tmp_path / "v.jsonl", [line for line in lines if "judge" in line])
    people = write(tmp_path / "h.jsonl", [line for line in lines if "judge" not in line])
    out = tmp_path / "a.json"
    assert main(["audit", "--battles", str(verdicts), "--humans", str(people), "--output", str(out)]) == 0
    judges = {judge["judge"]: judge for judge in json.loads(out.read_text())["judges"]}
    assert judges["gpt-4o"]["agreement"]["all"]["n"] == 300


def test_votes_that_are_of_other_battles_than_the_judges_are_said_to_be(tmp_path: Path) -> None:
    pair = {"question_id": "q1", "model_a": "one", "model_b": "two", "winner": "model_a"}
    verdict = {**pair, "battle_id": "b1", "judge": "gpt-4o"}
    (note,) = audit(write(tmp_path / "apart.jsonl", [verdict, pair])).notes
    assert "gpt-4o and people decided no battle in common" in note and "battle_id" in note
    assert audit(write(tmp_path / "same.jsonl", [verdict, {**pair, "battle_id": "b1"}])).notes == []


# --- Several judges, several people -------------------------------------------------------------------------------


def judged(right: dict[str, float], number: int = 400, votes: int = 1, sure: float = 1.0) -> list[dict[str, Any]]:
    """Return people's votes on some answers, and judges' verdicts on the same answers in battles of their own, in which each
    judge is right with its chance and else says the opposite; people vote as ``sure`` as that for the better answer."""
    rng, lines = np.random.default_rng(11), []
    for n in range(number):
        pair = {"model_a": "x", "model_b": "y"} if n % 2 else {"model_a": "y", "model_b": "x"}
        same = {"comparison_id": f"c{n}", "question_id": f"q{n}", **pair}
        said = ("model_a", "model_b") if n % 3 else ("model_b", "model_a")
        for vote in range(votes):
            voted = said[int(rng.random() >= sure)]
            lines.append({**same, "battle_id": f"v{n}", "winner": voted, "judge": "human", "voter": f"v{vote}"})
        for judge, chance in right.items():
            verdict = said[int(rng.random() >= chance)]
            lines.append({**same, "battle_id": f"{judge}{n}", "winner": verdict, "judge": judge})
    return lines


def beside(folder: Path, lines: Iterable[dict[str, Any]]) -> SameBattles:
    found = judges_beside([write(folder / "b.jsonl", lines)])
    assert found is not None
    return found


def test_people_vote_once_and_every_judge_of_the_same_answers_is_held_against_them(tmp_path: Path) -> None:
    found = beside(tmp_path, judged({"poor": 0.6, "good": 0.9, "fair": 0.87}))
    assert found.battles == 400
    assert [line.judge for line in found.judges] == ["good", "fair", "poor"]
    assert {line.agreement.all.n for line in found.judges} == {400}
    assert found.judges[0].agreement.all.share == pytest.approx(0.9, abs=0.04)
    assert found.rivals == ["fair"], "what is clear is said, and what is not is not"
    poor = found.behind("poor")
    assert poor is not None and poor.ci95[0] < 0.3 < poor.ci95[1] and poor.ci95[0] > 0.15


def test_judges_are_compared_on_what_all_of_them_decided_and_each_pair_on_what_both_did(tmp_path: Path) -> None:
    lines = [
        line
        for line in judged({"all": 0.8, "most": 0.8, "few": 0.8})
        if int(line["question_id"][1:]) < {"few": 50, "most": 300}.get(line["judge"], 400)
    ]
    found = beside(tmp_path, lines)
    assert found.battles == 50
    assert {line.agreement.all.n for line in found.judges} == {50}
    assert sorted(lead.battles for lead in found.leads) == [50, 50, 300]


def test_judges_without_a_battle_in_common_are_each_on_their_own_and_their_difference_is_not_told(
    tmp_path: Path,
) -> None:
    lines = [
        line
        for line in judged({"even": 0.9, "odd": 0.5})
        if line["judge"] == "human" or (line["judge"] == "odd") == int(line["question_id"][1:]) % 2
    ]
    found = beside(tmp_path, lines)
    assert (found.battles, found.leads, found.rivals) == (0, [], ["odd"])
    assert [line.agreement.all.n for line in found.judges] == [200, 200]
    assert "no battle in common" in audit_markdown(audit(tmp_path / "b.jsonl"))


def test_the_difference_of_two_judges_is_that_of_pairs_not_of_two_samples(tmp_path: Path) -> None:
    lines = judged({"one": 0.7}, 300)
    alike = [
        {**line, "judge": "two", "battle_id": f"two{line['question_id']}"} for line in lines if line["judge"] == "one"
    ]
    for line in alike[:3]:  # right where the other one was wrong or the other way round
        line["winner"] = {"model_a": "model_b", "model_b": "model_a"}[line["winner"]]
    (lead,) = beside(tmp_path, lines + alike).leads
    assert lead.ci95[1] - lead.ci95[0] < 0.04, "judges that differ in three battles are known to be nearly alike"


def test_votes_on_one_battle_share_its_weight(tmp_path: Path) -> None:
    """Three people say one, one, two; a judge that says one agrees with two of three of them."""
    same = {"comparison_id": "c", "model_a": "x", "model_b": "y"}
    votes = [{**same, "winner": said, "judge": "human"} for said in ("model_a", "model_a", "model_b")]
    found = beside(tmp_path, [*votes, {**same, "winner": "model_a", "judge": "j"}])
    assert found.judges[0].agreement.all.n == 1
    assert found.judges[0].agreement.all.share == pytest.approx(2 / 3)
    assert found.people is not None and found.people.share == pytest.approx(1 / 3), "one pair of three says the same"


def test_how_far_people_agree_with_each_other_stands_beside_the_judges(tmp_path: Path) -> None:
    found = beside(tmp_path, judged({"perfect": 1.0}, votes=3, sure=0.8))
    assert found.people is not None and found.people.n == 400
    assert found.people.share == pytest.approx(0.8**2 + 0.2**2, abs=0.05)
    assert found.judges[0].agreement.all.share == pytest.approx(0.8, abs=0.04)
    assert beside(tmp_path, judged({"perfect": 1.0})).people is None


def test_the_audit_begins_with_the_judges_beside_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "b.jsonl", judged({"good|1": 0.9, "poor": 0.6}))
    assert main(["audit", "--battles", str(path)]) == 0
    printed = capsys.readouterr().out
    head = printed.partition("\n## good")[0]
    assert "On the 400 battles that people and all of these judges decided." in head
    assert "| good\\|1 | 400 | " in head and "good|1 agrees with people best." in head


def test_without_people_no_judge_is_held_against_them(tmp_path: Path) -> None:
    lines = [line for line in judged({"one": 0.9, "two": 0.8}) if line["judge"] != "human"]
    found = audit(write(tmp_path / "b.jsonl", lines))
    assert found.same_battles is None and "Agreement with people" not in audit_markdown(found)


def test_a_file_without_battles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no line is a battle"):
        audit(write(tmp_path / "b.jsonl", [{"x": 1}]))
