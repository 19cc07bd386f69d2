"""Pages of a large arena: they open at once, say that figures are being computed, and ask again by themselves."""

from __future__ import annotations

import threading
import time

import pytest

from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas
from leaderboard.battle_index import BattleShelf
from leaderboard.battles_page import battles_view
from leaderboard.charts import look
from leaderboard.charts_html import charts_page
from leaderboard.model_page import model_view
from leaderboard.ready import Busy, Ready
from leaderboard.results import Results
from tests.support.arenas import write_arena
from tests.support.pages import Page, visit

SOON = 0.05
"""Seconds that a visit waits here."""


class Slow:
    """An arena whose figures take as long as a test says."""

    def __init__(self, folder):
        self.results, self.arenas, self.shelf = Results(folder), Arenas(folder), BattleShelf()
        self.desk = Desk(self.arenas)
        self.held: dict[str, threading.Event] = {}

    def hold(self, monkeypatch, owner, name):
        """Let a method of ``owner`` wait until it is let go."""
        event, method = self.held.setdefault(name, threading.Event()), getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given: event.wait(60) and method(*given))

    def let_go(self):
        for event in self.held.values():
            event.set()

    def pages(self, patience=SOON):
        """Return each page as one visit gets it now."""
        charts = look(self.results, Ready(self.desk, patience), visit("en"))
        return {
            "charts": Page(str(charts_page(charts, visit("en"), ("", "")))),
            "model": self.model(patience),
            "battles": Page(str(battles_view(Ready(self.desk, patience), self.shelf, visit("en"), ("", "")))),
        }

    def model(self, patience):
        """Return a model's page as one visit gets it now."""
        ready = Ready(self.desk, patience)
        return Page(str(model_view(self.results, ready, self.shelf, visit("en", name="gamma"))))


@pytest.fixture
def slow(tmp_path):
    write_arena(tmp_path)
    made = Slow(tmp_path)
    yield made
    made.let_go()
    made.desk.close()


def live(page):
    return page.all("div", id="main")[0].get("data-live")


def test_a_page_waits_for_nothing_and_comes_again_until_its_figures_are_there(slow, monkeypatch):
    for owner, name in ((slow.arenas, "facts"), (slow.shelf, "battles")):
        slow.hold(monkeypatch, owner, name)
    began = time.monotonic()
    early = slow.pages()
    assert time.monotonic() - began < 30, "figures that never come would take a minute"
    for name, words in {"charts": "being computed", "model": "being computed", "battles": "being read"}.items():
        assert live(early[name]) == "1"
        assert words in early[name].text
    slow.let_go()
    for page in slow.pages(patience=60).values():
        assert live(page) is None
        assert page.errors == []
        assert "gamma" in page.text


def test_what_is_ready_is_shown_beside_what_is_not(slow, monkeypatch):
    Ready(slow.desk, 60).facts(slow.arenas.sources()[0])
    slow.hold(monkeypatch, slow.arenas, "win_rates")
    page = slow.model(patience=6)
    assert live(page) == "1"
    assert "Rating" in page.text
    assert "being computed" in page.text


def test_one_visit_waits_no_longer_for_many_figures_than_for_one(slow, monkeypatch):
    slow.hold(monkeypatch, slow.arenas, "win_rates")
    source = slow.arenas.sources()[0]
    ready, began = Ready(slow.desk, 1.0), time.monotonic()
    for number in range(20):
        with pytest.raises(Busy):
            ready.made(source, number, lambda: slow.arenas.win_rates(source, None))
    assert time.monotonic() - began < 15, "one after the other they would be waited for for twenty seconds"
