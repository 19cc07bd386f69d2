"""Published figures of real judges, recomputed by our own reading of battles. Skipped where the data is not there."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from arena import rate, win_rates
from arena.audit import audit

DATA = Path(__file__).parents[3] / "shared" / "data" / "outputs" / "judge"
ALPACA, LLMBAR = DATA / "alpaca_eval", DATA / "LLMBar" / "Natural"
ANNOTATOR = "weighted_alpaca_eval_gpt4_turbo"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the judges' outputs are not there: {DATA}")


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def opened(path: Path) -> Any:
    with gzip.open(path.with_name(path.name + ".gz")) if not path.exists() else open(path, "rb") as file:
        return json.load(file)


# --- AlpacaEval --------------------------------------------------------------------------------------------


def preferences() -> list[dict[str, Any]]:
    lines = []
    for path in sorted((ALPACA / ANNOTATOR).glob("*.json.gz")) if ALPACA.is_dir() else []:
        lines += [line for line in json.loads(gzip.decompress(path.read_bytes())) if line["preference"] is not None]
    return lines


def winner(preference: float) -> str:
    return "model_a" if preference < 1.5 else "model_b" if preference > 1.5 else "tie"


def test_win_rates_of_alpaca_eval_are_those_of_its_leaderboard(tmp_path: Path) -> None:
    lines = preferences()
    path = write(tmp_path / "b.jsonl", [
        {"question_id": str(line["i"]), "model_a": line["generator_1"], "model_b": line["generator_2"],
         "winner": winner(line["preference"]), "judge": ANNOTATOR, "category": line["dataset"]}
        for line in lines if line["generator_1"] != line["generator_2"]
    ])  # fmt: skip
    with open(ALPACA / f"{ANNOTATOR}_leaderboard.csv") as file:
        published = {row[""]: row for row in csv.DictReader(file)}
    seen = win_rates(path).frame("observed")
    base = next(line["generator_1"] for line in lines)
    compared = 0
    for model in {line["generator_2"] for line in lines} & published.keys() - {base}:
        row = published[model]
        own = [line["preference"] - 1 for line in lines if line["generator_2"] == model]
        assert 100 * sum(own) / len(own) == pytest.approx(float(row["win_rate"]), abs=0.01)
        if model in seen.index:
            assert 100 * seen.loc[model, base] == pytest.approx(float(row["discrete_win_rate"]), abs=0.01)
            compared += 1
    assert compared >= 7


def test_ratings_of_models_that_met_one_opponent_are_their_win_rates_log_odds(tmp_path: Path) -> None:
    lines = [line for line in preferences() if line["generator_1"] != line["generator_2"]]
    path = write(tmp_path / "b.jsonl", [
        {"model_a": line["generator_1"], "model_b": line["generator_2"], "winner": winner(line["preference"])}
        for line in lines
    ])  # fmt: skip
    rates = win_rates(path)
    seen, told = rates.frame("observed"), rates.frame("predicted")
    base = lines[0]["generator_1"]
    for model in rates.models:
        if model != base:
            assert told.loc[model, base] == pytest.approx(seen.loc[model, base], abs=1e-6)
    assert rate(path).battles == len(lines)


# --- LLMBar ------------------------------------------------------------------------------------------------


def evaluators() -> list[Path]:
    return sorted(path.parent for path in LLMBAR.glob("evaluators/*/*/statistics.json"))


@pytest.mark.parametrize("folder", evaluators(), ids=lambda path: "-".join(path.parts[-2:]))
def test_agreement_with_people_is_that_of_llmbars_statistics(folder: Path, tmp_path: Path) -> None:
    published = json.loads((folder / "statistics.json").read_text())
    for order in ("False", "True"):
        lines = []
        for number, row in enumerate(opened(folder / "result.json")):
            said = row["results"][0][f"swap = {order}"]["winner"]
            names = {"1": "model_a", "2": "model_b", "3": "tie"}
            shared = {"battle_id": f"b{number}", "model_a": "first", "model_b": "second"}
            lines.append({**shared, "winner": names[str(row["label"])]})
            if str(said) in names:
                lines.append({**shared, "winner": names[str(said)], "judge": "judge"})
        found = next(judge for judge in audit(write(tmp_path / "b.jsonl", lines)).judges if judge.judge == "judge")
        assert found.agreement is not None
        right = round((found.agreement.all.share or 0) * found.agreement.all.n)
        assert right == int(published[f"correct_{order}"].split(" / ")[0].split(".")[0])


@pytest.mark.parametrize("folder", evaluators(), ids=lambda path: "-".join(path.parts[-2:]))
def test_consistency_with_sides_swapped_is_that_of_llmbars_statistics(folder: Path, tmp_path: Path) -> None:
    published = json.loads((folder / "statistics.json").read_text())
    lines, names, turned = [], {"1": "model_a", "2": "model_b"}, {"1": "model_b", "2": "model_a"}
    for number, row in enumerate(opened(folder / "result.json")):
        one, two = (str(row["results"][0][f"swap = {order}"]["winner"]) for order in ("False", "True"))
        if one in names and two in names:
            lines.append(
                {"battle_id": f"b{number}", "model_a": "first", "model_b": "second", "winner": names[one], "judge": "j"}
            )
            lines.append(
                {
                    "battle_id": f"b{number}",
                    "model_a": "second",
                    "model_b": "first",
                    "winner": turned[two],
                    "judge": "j",
                }
            )
    (found,) = audit(write(tmp_path / "b.jsonl", lines)).judges
    equal = round((found.swapped.share or 0) * found.swapped.n)
    assert equal == pytest.approx(
        int(published["equal"].split(" / ")[0]), abs=len(opened(folder / "result.json")) - found.swapped.n
    )
