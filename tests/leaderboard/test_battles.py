"""Battles to read: what is shown, what must never be, and that the shares are those of the ratings."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.rating import rate
from arena.rating_records import Rule
from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas, Source
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import PUBLIC_AFTER, Hall, Place, groups_of, place, read_mapping
from leaderboard.battles_export import battles_sheet
from leaderboard.battles_page import battles_view
from leaderboard.ready import Ready
from llmuses.commands.view import opened_file
from llmuses.errors import DataError, UsageError
from llmuses.records import Battle, Redaction, Winner
from llmuses.settings import REGISTRY
from llmuses.store import JsonlStore
from tests.support.arenas import EXCLUDED, SECRET, STRENGTHS, WITHDRAWN, write_arena
from tests.support.fake_runs import HOSTILE
from tests.support.pages import Page, check_harmless, visit

FILES = ("ui/plotly.js", "ui/template.json")
EXAMPLE = REGISTRY / "data" / "qa_browser"


@pytest.fixture
def outputs(tmp_path):
    write_arena(tmp_path)
    return tmp_path


def page(arenas, lang="en", **query):
    found = Page(str(battles_view(Ready(Desk(arenas), patience=60), BattleShelf(), visit(lang, **query), FILES)))
    assert found.errors == []
    return found


def hall(folder, **more):
    return Hall(BattleShelf(), Source(folder.name, folder / "battles.jsonl"), **more)


# --- what must never be shown ----------------------------------------------------------------------------------------


def test_a_withdrawn_battle_shows_nothing_wherever_one_looks(outputs):
    arenas = Arenas(outputs)
    assert "is not shown" in page(arenas, id=WITHDRAWN).text
    seen = [page(arenas, page=str(number)).html for number in range(1, 13)]
    seen += [page(arenas, id=f"b{number:05}").html for number in (6, 8, 16)]
    assert not [html for html in seen if SECRET in html or WITHDRAWN in html]


def test_a_battle_that_is_withdrawn_while_the_page_is_open_is_gone_at_the_next_look(outputs):
    shelf = BattleShelf()
    source = Source("arena-open", outputs / "arena-open" / "battles.jsonl")
    assert Hall(shelf, source).shown("b00020") is not None
    with JsonlStore(source.battles, Redaction) as store:
        store.append(Redaction(battle_id="b00020"))
    assert Hall(shelf, source).shown("b00020") is None


def test_a_withdrawal_that_stands_before_its_battle_counts_as_well(tmp_path):
    folder = tmp_path / "arena-early"
    with JsonlStore(folder / "battles.jsonl", Redaction) as store:
        store.append(Redaction(battle_id="b00003"))
    write_arena(tmp_path, "arena-early", battles=20)
    assert hall(folder).shown("b00003") is None


def test_battles_of_the_arena_on_this_site_are_shown_a_day_after_the_vote(tmp_path):
    start = time.time() - PUBLIC_AFTER - 10 * 3600
    folder = write_arena(tmp_path, "arena-live", battles=40, start=start)
    shown = hall(folder)
    assert shown.shown("b00005") is not None
    assert shown.shown("b00030") is None
    assert sum(share.n for share in shown.shares(shown.select(Place())).values()) < 40
    assert hall(folder, clock=lambda: time.time() + 10 * PUBLIC_AFTER).shown("b00030") is not None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_and_texts_change_nothing(tmp_path, lang):
    path = tmp_path / "arena-evil" / "battles.jsonl"
    with JsonlStore(path, Battle) as store:
        for number, winner in enumerate(Winner):
            store.append(
                Battle(battle_id=f"{HOSTILE}{number}", question_id="q", model_a=f"a {HOSTILE}", model_b=f"b {HOSTILE}", winner=winner,
                       category=f"c{number} {HOSTILE}", question=HOSTILE, output_a=HOSTILE, output_b=HOSTILE, judge=HOSTILE)
            )  # fmt: skip
    arenas = Arenas(tmp_path)
    for query in (
        {},
        {"model": f"a {HOSTILE}"[:300]},
        {"id": f"{HOSTILE}0"},
        {"group": "<b>", "result": "'", "page": "-1"},
    ):
        found = page(arenas, lang, **query)
        check_harmless(found)


# --- figures -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("judge", ["human", "judge-model"])
def test_the_shares_are_those_that_the_ratings_have(outputs, judge):
    folder = outputs / "arena-open"
    shown = hall(folder)
    shares = shown.shares(shown.select(Place(judge=judge)))
    rated = {line.model: (line.won, line.battles) for line in rate(folder / "battles.jsonl", Rule(judge=judge)).models}
    assert {model: (share.share, share.n) for model, share in shares.items()} == {
        model: (pytest.approx(won), n) for model, (won, n) in rated.items()
    }


def test_groups_divide_the_battles_and_excluded_ones_do_not_count(outputs):
    shown = hall(outputs / "arena-open")
    overall = shown.shares(shown.select(Place()))
    groups = shown.by_group(Place())
    for model, share in overall.items():
        assert sum(group[model].n for group in groups.values()) == share.n
    assert sum(share.n for share in overall.values()) == 2 * (600 - 2)
    assert shown.reason(shown.shown(EXCLUDED)) == "asked anew"
    assert "asked anew" in page(Arenas(outputs), id=EXCLUDED).text


def test_a_language_is_a_filter_where_battles_name_several(outputs):
    with JsonlStore(outputs / "arena-open" / "battles.jsonl", Battle) as store:
        store.append(
            Battle(battle_id="zh", question_id="q", model_a="gamma", model_b="zeta", winner=Winner.TIE, language="zh")
        )
    shown = hall(outputs / "arena-open")
    assert shown.languages() == ["en", "zh"]
    assert [battle.battle_id for battle in shown.read(shown.newest(shown.select(Place(language="zh"))))] == ["zh"]


@pytest.mark.parametrize("result", ["won", "lost", "tied", "torn", "all"])
def test_filters_leave_what_they_say(outputs, result):
    shown = hall(outputs / "arena-open")
    battles = shown.read(shown.newest(shown.select(Place(model="gamma", other="zeta", result=result))))
    assert battles
    assert [battle.tstamp for battle in battles] == sorted((battle.tstamp for battle in battles), reverse=True)
    for battle in battles:
        assert {battle.model_a, battle.model_b} == {"gamma", "zeta"}
        winner = {Winner.MODEL_A: battle.model_a, Winner.MODEL_B: battle.model_b}.get(battle.winner)
        torn = bool(battle.verdicts) and battle.verdicts[0] != battle.verdicts[1]
        fits = {"won": winner == "gamma", "lost": winner == "zeta", "tied": winner is None, "torn": torn, "all": True}
        assert fits[result]


def test_one_battle_says_who_won_in_each_order(outputs):
    found = page(Arenas(outputs), id="b00003")
    assert found.text.count("shown first") == 2
    torn = page(Arenas(outputs), id="b00015")
    assert "Tie" in torn.text.split("Decision")[1][:60]


def test_the_list_grows_with_the_file_and_only_what_is_new_is_read(outputs):
    shelf = BattleShelf()
    source = Source("arena-open", outputs / "arena-open" / "battles.jsonl")
    before = len(Hall(shelf, source).rows)
    with JsonlStore(source.battles, Battle) as store:
        store.append(Battle(battle_id="new", question_id="q", model_a="gamma", model_b="newcomer", winner=Winner.TIE))
    after = Hall(shelf, source)
    assert len(after.rows) == before + 1
    assert "newcomer" in after.models()


# --- categories --------------------------------------------------------------------------------------------------------


def test_a_mapping_groups_categories_and_a_star_takes_the_rest():
    mapping = {"Words": ["writing", "写作"], "Rest": ["*"], "Never": ["nothing"]}
    assert groups_of(["maths", "writing", "写作"], mapping) == {"Words": ["writing", "写作"], "Rest": ["maths"]}
    assert groups_of(["maths", "writing"], {"Words": ["writing"]}) == {"Words": ["writing"], "maths": ["maths"]}
    assert groups_of(["maths"], {}) == {"maths": ["maths"]}


@given(
    st.lists(st.text(max_size=5), unique=True),
    st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5) | st.just("*"), max_size=4), max_size=4),
)
def test_every_category_is_in_exactly_one_group(categories, mapping):
    grouped = [kind for kinds in groups_of(categories, mapping).values() for kind in kinds]
    assert sorted(grouped) == sorted(categories)


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: b\n", "a: [1]\n", "a: [", "", "1: [a]\n"])
def test_a_file_that_is_no_mapping_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "mapping.yaml"
    path.write_text(content)
    with pytest.raises((DataError, UsageError), match=r"mapping\.yaml"):
        read_mapping(path)


# --- files from elsewhere ------------------------------------------------------------------------------------------------


def test_the_example_opens_with_its_groups_and_both_orders(tmp_path):
    with opened_file(EXAMPLE / "battle.jsonl", EXAMPLE / "category_mapping.yaml") as source:
        arenas = Arenas(tmp_path, [source])
        found = page(arenas, arena="battle")
        assert {"Writing", "Thinking", "Code", "Knowledge", "Others"} <= set(found.text.split())
        assert "10, the newest first" in found.text
        shown = Hall(BattleShelf(), source)
        battles = shown.read(range(10))
        assert all(battle.verdicts and len(battle.verdicts) == 2 for battle in battles)
        torn = [battle for battle in battles if battle.verdicts[0] != battle.verdicts[1]]
        assert torn
        assert all(battle.winner is Winner.TIE for battle in torn)


def test_our_own_file_is_read_where_it_is_and_may_grow(outputs):
    path = outputs / "arena-open" / "battles.jsonl"
    with opened_file(path) as source:
        assert source.battles == path


def test_a_file_without_a_battle_is_refused(tmp_path):
    path = tmp_path / "none.jsonl"
    path.write_text('{"question": "no models here"}\n')
    with pytest.raises(DataError, match="no row is a battle"), opened_file(path):
        pass


def test_without_any_battle_the_page_says_how_to_come_by_some(tmp_path):
    assert "llmuses view --review-file" in page(Arenas(tmp_path)).text
    assert "There is no such arena" in page(Arenas(write_arena(tmp_path).parent), arena="other").text


# --- addresses -----------------------------------------------------------------------------------------------------------

TEXTS = st.none() | st.text(min_size=1, max_size=30)


@given(
    st.builds(
        Place,
        TEXTS,
        TEXTS,
        TEXTS,
        TEXTS,
        TEXTS,
        TEXTS,
        st.sampled_from(["all", "won", "torn"]),
        st.integers(0, 900),
        TEXTS,
    )
)
def test_an_address_reproduces_the_view(there):
    from urllib.parse import parse_qsl

    query = dict(parse_qsl(there.to().partition("?")[2], keep_blank_values=True))
    assert place(query) == there._replace(page=there.page if there.page > 1 else 0)


def test_strengths_come_out_in_their_order(outputs):
    shown = hall(outputs / "arena-open")
    assert list(shown.shares(shown.select(Place()))) == list(STRENGTHS)
    assert msgspec.json.encode(shown.read([0])[0])


# --- what can be taken away


def test_what_is_taken_away_are_the_shares_of_the_page_with_every_model(outputs):
    desk = Desk(Arenas(outputs))
    found = battles_sheet(desk, BattleShelf(), {"model": "gamma", "result": "won"})
    there = hall(outputs / "arena-open")
    overall = {record["model"]: record["share"] for record in found.records if record["category"] is None}
    assert overall == {name: share.share for name, share in there.shares(there.select(Place())).items()}
    for group, shares in there.by_group(Place()).items():
        for name, share in shares.items():
            (record,) = [line for line in found.records if (line["category"], line["model"]) == (group, name)]
            assert (record["ci_low"], record["ci_high"], record["battles"]) == (*share.ci95, share.n)
    assert SECRET not in str(found)


def test_no_battles_are_no_file(tmp_path, outputs):
    assert battles_sheet(Desk(Arenas(tmp_path / "none")), BattleShelf(), {}) is None
    assert battles_sheet(Desk(Arenas(outputs)), BattleShelf(), {"arena": "nowhere"}) is None
    assert battles_sheet(Desk(Arenas(outputs)), BattleShelf(), {"language": "xx"}) is None
