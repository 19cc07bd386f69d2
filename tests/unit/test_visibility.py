"""Who may see a run: decisions that are kept in its own folder, and what becomes of those that cannot be read."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from arena.pipeline.run import run_arena
from leaderboard.arenas import Arenas
from leaderboard.results import Results
from llmuses.cli import main
from llmuses.errors import StoreError
from llmuses.evaluation import evaluate
from llmuses.keeping.archive import back_up, restore
from llmuses.records import Battle, Winner
from llmuses.store import JsonlStore
from llmuses.visibility import BEGAN_HIDDEN, FILE, begin_hidden, decide, standing
from tests.arena.pipeline.arenas import Longer, ref
from tests.support.fake_runs import FakeRun


def hidden(folder):
    """Return whether the run in a folder is hidden."""
    found = standing(folder)
    return found is not None and found.hidden


def test_a_run_on_which_nobody_decided_is_public(tmp_path):
    assert standing(tmp_path) is None
    assert standing(tmp_path / "nowhere") is None


def test_the_last_decision_holds_with_who_made_it_and_why(tmp_path):
    decide(tmp_path, True, "a wrong\n prompt ", "ada")
    decide(tmp_path, False, "x" * 999, "bob")
    first = json.loads((tmp_path / FILE).read_text().splitlines()[0])
    assert first | {"tstamp": 0} == {"hidden": True, "reason": "a wrong prompt", "by": "ada", "tstamp": 0}
    found = standing(tmp_path)
    assert (found.hidden, found.decision.by, len(found.decision.reason)) == (False, "bob", 200)


def _torn(path):
    path.write_bytes(path.read_bytes()[:-1])


def _half_a_line(path):
    with open(path, "ab") as file:
        file.write(b'{"hidden":false,"rea')


def _half_a_line_and_a_newline(path):
    with open(path, "ab") as file:
        file.write(b'{"hidden":fal\n')


def _another_record(path):
    path.write_bytes(b'{"shown":true}\n')


def _a_link_to_nowhere(path):
    path.unlink()
    path.symlink_to("gone")


def _a_link_to_a_decision(path):
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other.name)


def _a_folder(path):
    path.unlink()
    path.mkdir()


def _a_pipe(path):
    path.unlink()
    os.mkfifo(path)


DAMAGES = [
    lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"\n\n"), lambda path: path.write_bytes(b"\0" * 4096),
    lambda path: path.write_bytes(b"\xff\xfe\n"), lambda path: path.write_bytes(b"null\n"),
    _torn, _half_a_line, _half_a_line_and_a_newline, _another_record, _a_link_to_nowhere, _a_link_to_a_decision, _a_folder,
    _a_pipe,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("was_hidden", [True, False])
def test_what_cannot_be_read_counts_as_hidden(tmp_path, damage, was_hidden):
    decide(tmp_path, was_hidden, "", "ada")
    damage(tmp_path / FILE)
    assert hidden(tmp_path)


def test_a_decision_after_a_torn_one_holds_and_the_torn_piece_is_kept(tmp_path):
    decide(tmp_path, True, "", "ada")
    _half_a_line(tmp_path / FILE)
    decide(tmp_path, False, "", "ada")
    assert not hidden(tmp_path)
    assert (tmp_path / FILE).read_bytes().splitlines()[1] == b'{"hidden":false,"rea'


def test_a_run_whose_hiding_was_killed_is_not_public_while_it_is_hidden_again(tmp_path, monkeypatch):
    """To take the torn piece away would uncover the decision before it."""
    decide(tmp_path, False, "", "ada")
    with open(tmp_path / FILE, "ab") as file:
        file.write(b'{"hidden":true,"rea')
    seen, write = [], os.write

    def looked(*said):
        seen.append(hidden(tmp_path))
        return write(*said)

    monkeypatch.setattr("llmuses.store.os.write", looked)
    decide(tmp_path, True, "", "ada")
    assert seen and all(seen) and hidden(tmp_path)


@pytest.mark.parametrize("damage", [_a_link_to_nowhere, _a_link_to_a_decision, _a_folder, _a_pipe])
def test_where_no_decision_can_be_kept_none_is_said_to_be_made(tmp_path, damage):
    decide(tmp_path, True, "", "ada")
    damage(tmp_path / FILE)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(StoreError, match="move it away"):
        decide(tmp_path, False, "", "ada")
    assert hidden(tmp_path) and {path.name for path in tmp_path.iterdir()} == before


def test_a_disk_that_takes_no_more_is_said_and_publishes_nothing(tmp_path, monkeypatch):
    decide(tmp_path, True, "", "ada")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llmuses.store.os.write", full)
    with pytest.raises(StoreError, match="No space left"):
        decide(tmp_path, False, "", "ada")
    assert hidden(tmp_path)


_DECIDING = """
import sys
from llmuses.visibility import decide
for number in range(10**6):
    decide(sys.argv[1], number % 7 != 3, "r" * (number % 90), "ada")
    if number == 5: print("ready", flush=True)
"""


def test_a_process_that_is_killed_while_it_decides_leaves_a_decision_or_a_hidden_run(tmp_path):
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _DECIDING, str(tmp_path)], stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        whole = (tmp_path / FILE).read_bytes()
        last = json.loads(whole.splitlines()[-1]) if whole.endswith(b"\n") else {"hidden": True}
        assert hidden(tmp_path) is last["hidden"]


_TAKING_TURNS = """
import sys
from llmuses.visibility import decide
for number in range(20): decide(sys.argv[1], number % 2 == 0, "", sys.argv[2])
"""


def test_decisions_of_several_processes_at_once_all_stand(tmp_path):
    started = [subprocess.Popen([sys.executable, "-c", _TAKING_TURNS, str(tmp_path), by]) for by in ("ada", "bob")]
    assert [process.wait() for process in started] == [0, 0]
    lines = (tmp_path / FILE).read_text().splitlines()
    assert sorted(json.loads(line)["by"] for line in lines) == ["ada"] * 20 + ["bob"] * 20


# --- beginning hidden --------------------------------------------------------------------------------------------


def test_a_run_that_begins_hidden_is_hidden_before_there_is_anything_to_show(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "llmuses.evaluation.folder.RunFolder.save_run", lambda self, run, **_: seen.append(hidden(self.path))
    )
    evaluate("baseline:random", "arc", sample_data=True, limit=1, outputs=tmp_path, hidden=True)
    assert seen and all(seen)


def test_the_same_command_again_does_not_hide_what_was_published_meanwhile(tmp_path):
    assert begin_hidden(tmp_path, "ada")
    decide(tmp_path, False, "", "bob")
    assert not begin_hidden(tmp_path, "ada")
    assert not hidden(tmp_path)


def test_the_same_command_without_the_flag_does_not_publish(tmp_path):
    for flag in (True, False):
        result = evaluate("baseline:random", "arc", sample_data=True, limit=1, outputs=tmp_path, hidden=flag)
        assert hidden(result.folder)


def test_a_start_that_was_killed_before_its_first_word_is_hidden_and_says_so_when_it_begins_again(tmp_path):
    (tmp_path / FILE).touch()
    assert hidden(tmp_path)
    begin_hidden(tmp_path, "ada")
    assert standing(tmp_path).decision.by == "ada"


def _began_hidden(kind, outputs):
    """Write what began hidden, by what writes it, and return its folder."""
    if kind == "run":
        return evaluate("baseline:random", "arc", sample_data=True, limit=1, outputs=outputs, hidden=True).folder
    battle = Battle(
        battle_id="b", question_id="q", question="Hi?", model_a="one", model_b="two", output_a="!", output_b="?",
        winner=Winner.TIE,
    )  # fmt: skip
    JsonlStore(outputs / "given.jsonl", Battle).append(battle)
    (outputs / "again.yaml").write_text(
        f"battles_file: given.jsonl\nreviews_gen: {{reviewer: {{ref: {ref(Longer)}}}}}\n"
    )
    return run_arena(outputs / "again.yaml", outputs=outputs, hidden=True).folder


def _told(outputs):
    """Return what public pages would say of a folder of runs."""
    results = Results(outputs)
    return [*results.runs(), *results.damaged(), *Arenas(outputs).sources()]


@pytest.mark.parametrize("kind", ["run", "arena"])
def test_what_began_hidden_is_hidden_until_it_is_published_whatever_becomes_of_the_decisions(tmp_path, kind, capsys):
    folder = _began_hidden(kind, tmp_path)
    assert _told(tmp_path) == []
    (folder / FILE).unlink()
    assert hidden(folder) and standing(folder) is BEGAN_HIDDEN and _told(tmp_path) == []
    assert main(["publish", str(folder)]) == 0
    assert not hidden(folder) and len(_told(tmp_path)) == 1
    (folder / FILE).unlink()
    assert hidden(folder) and _told(tmp_path) == []


@pytest.mark.parametrize("kind", ["run", "arena"])
def test_a_copy_of_what_began_hidden_shows_nothing_while_it_is_made_file_by_file(tmp_path, kind):
    """An arena's in the order of names, as rsync copies; where ``arena.json`` came last, nobody could tell."""
    folder = _began_hidden(kind, tmp_path)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for turn in range(len(files) if kind == "run" else 1):
        outputs = tmp_path / f"copied-{turn}"
        looked = Results(outputs), Arenas(outputs)
        for file in files[turn:] + files[:turn]:
            copied = outputs / folder.name / file.relative_to(folder)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copied)
            assert _told(outputs) == looked[0].runs() == looked[1].sources() == [], file
        assert main(["publish", folder.name, "--outputs", str(outputs)]) == 0
        assert len(_told(outputs)) == 1


def test_the_same_command_without_the_flag_keeps_what_a_run_says_of_its_beginning(tmp_path):
    for flag in (True, False):
        result = evaluate("baseline:random", "arc", sample_data=True, limit=1, outputs=tmp_path, hidden=flag)
    (result.folder / FILE).unlink()
    assert hidden(result.folder)


def test_a_run_that_was_published_and_is_begun_again_with_the_flag_did_not_begin_hidden(tmp_path):
    for flag in (False, True):
        result = evaluate("baseline:random", "arc", sample_data=True, limit=1, outputs=tmp_path, hidden=flag)
        decide(result.folder, False, "", "ada")
    (result.folder / FILE).unlink()
    assert not hidden(result.folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"began_hidden": 1}'])
def test_an_arena_whose_beginning_cannot_be_read_is_hidden(tmp_path, content):
    arena = tmp_path / "arena-copied"
    arena.mkdir()
    (arena / "battles.jsonl").touch()
    assert len(_told(tmp_path)) == 1
    (arena / "arena.json").write_text(content)
    assert hidden(arena) and _told(tmp_path) == []
    (arena / "arena.json").unlink()
    os.mkfifo(arena / "arena.json")
    assert hidden(arena) and _told(tmp_path) == []


# --- the commands ------------------------------------------------------------------------------------------------


def test_runs_are_hidden_listed_and_published_by_their_ids(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path))
    for name in ("one", "two", "three"):
        FakeRun(name, run_id=name).write(tmp_path)
    assert main(["hide", "one", str(tmp_path / "two"), "two", "--reason", "a trial"]) == 0
    assert "Hidden: one, two." in capsys.readouterr().out
    assert standing(tmp_path / "one").decision.reason == "a trial"
    main(["list", "runs", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert {row["run"]: row["hidden"] for row in rows} == {"one": "yes", "two": "yes", "three": ""}
    assert main(["publish", "one"]) == 0
    assert [hidden(tmp_path / name) for name in ("one", "two", "three")] == [False, True, False]


def test_where_one_run_is_not_there_none_is_hidden(tmp_path, capsys):
    FakeRun("one", run_id="one").write(tmp_path)
    assert main(["hide", "one", "onne", "--outputs", str(tmp_path)]) == 2
    assert "did you mean 'one'?" in capsys.readouterr().err
    assert standing(tmp_path / "one") is None


def test_a_name_that_is_here_and_below_the_outputs_means_neither(tmp_path, monkeypatch, capsys):
    """Else the one would be hidden and said to be, and the other would stay public."""
    here, outputs = tmp_path / "here", tmp_path / "outputs"
    for place in (here, outputs):
        FakeRun("one", run_id="one").write(place)
    monkeypatch.chdir(here)
    assert main(["hide", "one", "--outputs", str(outputs)]) == 2
    assert "name the whole path" in capsys.readouterr().err
    assert main(["hide", str(outputs / "one"), "--outputs", str(outputs)]) == 0
    assert (hidden(here / "one"), hidden(outputs / "one")) == (False, True)
    assert main(["hide", "one", "--outputs", str(here)]) == 0, "two ways to the same folder"


def test_a_run_is_hidden_and_published_in_all_its_copies(tmp_path, capsys):
    """Else the copy would show it once the hidden folder is moved away, and one published would stay hidden by the other."""
    for name in ("one", "two"):
        FakeRun(name, run_id=name).write(tmp_path)
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    (tmp_path / "link").symlink_to("copy")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text('{"run_id": "one')
    assert main(["hide", "one", "--outputs", str(tmp_path)]) == 0
    assert "Hidden: one, copy" in capsys.readouterr().out
    shutil.move(tmp_path / "one", tmp_path.with_name("elsewhere"))
    assert [entry.run_id for entry in Results(tmp_path).runs()] == ["two"]
    shutil.move(tmp_path.with_name("elsewhere"), tmp_path / "one")
    assert main(["publish", "copy", "--outputs", str(tmp_path)]) == 0
    assert {entry.run_id for entry in Results(tmp_path).runs()} == {"one", "two"}
    assert len((tmp_path / "copy" / FILE).read_text().splitlines()) == 2, "a link to a folder is no other one"


def test_whatever_the_pages_show_as_an_arena_can_be_hidden_but_the_one_on_this_site(tmp_path, capsys):
    for name in ("arena-copied", "arena-live", ".arena-moved-aside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "battles.jsonl").touch()
    assert main(["hide", "arena-copied", "--outputs", str(tmp_path)]) == 0
    assert [source.name for source in Arenas(tmp_path).sources()] == ["arena-live"]
    assert main(["hide", "arena-live", "--outputs", str(tmp_path)]) == 2
    assert "where people vote" in capsys.readouterr().err


def test_an_evaluation_says_that_its_run_is_hidden_or_public_after_all(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path))
    command = ["eval", "--model", "baseline:random", "--datasets", "arc", "--sample-data", "--limit", "1", "--hidden"]
    assert main(command) == 0
    assert "This is hidden: llmuses publish" in capsys.readouterr().out
    (folder,) = (path.parent for path in tmp_path.glob("*/run.json"))
    main(["publish", str(folder)])
    assert main(command) == 0
    assert "was published before and stays public: llmuses hide" in capsys.readouterr().out


def test_answers_of_a_hidden_run_are_compared_like_any_others(tmp_path, capsys):
    for name in ("one", "two"):
        FakeRun(name, run_id=name).write(tmp_path)
    decide(tmp_path / "one", True, "", "ada")
    assert main(["compare", "one", "two", "--outputs", str(tmp_path)]) == 0
    assert "one" in capsys.readouterr().out


def test_a_backup_keeps_hidden_what_is_hidden_for_whatever_reason(tmp_path):
    outputs, elsewhere, file = tmp_path / "outputs", tmp_path / "elsewhere", tmp_path / "all.tar.gz"
    names = ["decided", *(f"run-{number}" for number in range(len(DAMAGES)))]
    for name in names:
        FakeRun(name, run_id=name).write(outputs)
        decide(outputs / name, name == "decided", "", "ada")
    for name, damage in zip(names[1:], DAMAGES, strict=True):
        damage(outputs / name / FILE)
    back_up(outputs, file)
    restore(file, elsewhere)
    assert [name for name in names if not hidden(elsewhere / name)] == []
