"""Win rates, frames and figures: what a notebook gets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from arena import Rule, rate, win_rates
from arena.figures import ratings_figure, win_rates_figure

WINNERS = {"x>y": ("x", "y", "model_a"), "y>x": ("x", "y", "model_b"), "x=y": ("y", "x", "tie"),
           "y>z": ("z", "y", "model_b"), "z>y": ("z", "y", "model_a")}  # fmt: skip


@pytest.fixture
def battles(tmp_path: Path) -> Path:
    seen = ["x>y"] * 6 + ["y>x"] * 2 + ["x=y"] * 2 + ["y>z"] * 3 + ["z>y"]
    lines = [dict(zip(("model_a", "model_b", "winner"), WINNERS[kind], strict=True)) for kind in seen]
    path = tmp_path / "b.jsonl"
    path.write_text("".join(json.dumps({**line, "category": "c"}) + "\n" for line in lines))
    return path


def test_observed_win_rates_are_what_was_seen(battles: Path) -> None:
    rates = win_rates(battles)
    assert rates.models == ["x", "y", "z"]
    seen = rates.frame("observed")
    assert seen.loc["x", "y"] == pytest.approx(0.7)
    assert seen.loc["y", "x"] == pytest.approx(0.3)
    assert seen.loc["y", "z"] == pytest.approx(0.75)
    assert np.isnan(seen.loc["x", "z"]), "they never met"
    assert rates.frame("battles").loc["x", "y"] == 10


@pytest.mark.parametrize("rule", [Rule(), Rule(ties="davidson")])
def test_predicted_win_rates_add_up_to_one_and_meet_what_was_seen(battles: Path, rule: Rule) -> None:
    table = win_rates(battles, rule).frame("predicted").to_numpy(dtype=float)
    off = ~np.eye(3, dtype=bool)
    assert (table + table.T)[off] == pytest.approx(1)
    assert table[0, 1] == pytest.approx(0.7, abs=0.02)
    assert table[0, 2] > table[1, 2] > 0.5


def test_a_frame_has_a_row_for_each_model_and_group(battles: Path) -> None:
    frame = rate(battles, Rule(by="category")).frame()
    assert frame["group"].tolist() == ["", "", "", "c", "c", "c"]
    first = frame.iloc[0]
    assert first["model"] == "x"
    assert first["low"] < first["rating"] < first["high"]
    assert frame.loc[frame["group"] == "c", "borrowed"].between(0, 1).all()


def test_figures_hold_the_numbers(battles: Path) -> None:
    ratings = rate(battles, Rule(by="category"))
    (points,) = ratings_figure(ratings).data
    assert list(points.y) == ["x", "y", "z"]
    assert list(points.x) == [model.rating for model in ratings.models]
    assert "rating, c" in ratings_figure(ratings, "c").layout.xaxis.title.text
    with pytest.raises(KeyError):
        ratings_figure(ratings, "nothing")
    (cells,) = win_rates_figure(win_rates(battles), "observed").data
    assert cells.z[0][1] == pytest.approx(70)
    assert cells.z[0][0] is None and cells.z[0][2] is None
