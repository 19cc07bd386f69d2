"""A copy on a hub: the real libraries of both hubs against a stand-in on the loopback that can be written to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import httpx2
import pytest

from leaderboard.results import Results
from llmuses.errors import BackupError, NewerFormatError, UsageError
from llmuses.keeping import contents, mirror
from llmuses.keeping.archive import back_up
from llmuses.keeping.hubs import Shelf, shelf
from llmuses.keeping.mark import marked
from llmuses.keeping.mirror import MINUTES_ENV, Mirror, fetch, mirroring
from llmuses.keeping.standing import WHERE_ENV, mirror_state
from llmuses.records import FolderMark, MirrorState
from llmuses.store import write_json
from llmuses.visit import Visit
from llmuses.web.admin import health_tab
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import AdminRules
from tests.keeping.test_archive import FILES, SECRETS, killed_while_moving, read, write
from tests.support.hub_server import HubServer
from tests.support.hub_writing import writable_hub
from tests.support.hubs import point_hubs_at
from tests.web.test_health import caller, figures

PLACES = ["hf:me/kept", "ms:me/kept"]
REPO = "me/kept"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Both hubs, in which somebody with a token may make datasets."""
    for name in ("LLMUSES_ARENA", "LLMUSES_ADMIN_CONFIG", WHERE_ENV, MINUTES_ENV):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_token")
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", "ms-token")
    with writable_hub() as server:
        point_hubs_at(server.url, tmp_path / "hubs", monkeypatch)
        yield server


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    write(tmp_path / "outputs", {**FILES, **SECRETS})
    return tmp_path / "outputs"


def kept(hub: HubServer) -> dict[str, bytes]:
    """Return the files of the dataset."""
    return dict(hub.repositories["dataset", REPO]["main"])


@pytest.mark.parametrize("where", PLACES)
class TestEitherHub:
    def test_what_comes_back_is_what_was_there_and_the_dataset_is_private(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path
    ) -> None:
        assert Mirror(outputs, where).push() is not None
        assert REPO in hub.hidden
        assert fetch(where, tmp_path / "new") is not None
        assert read(tmp_path / "new") == FILES
        assert marked(tmp_path / "new") == marked(outputs)

    def test_no_secret_is_in_any_file_of_the_dataset(self, where: str, hub: HubServer, outputs: Path) -> None:
        Mirror(outputs, where).push()
        whole = b"".join(kept(hub).values())
        assert [name for name, secret in SECRETS.items() if secret in whole] == []
        assert b"jobs/secret" in whole, "the manifest names what was left out"

    def test_only_the_pieces_that_changed_are_sent_and_the_old_ones_go(
        self, where: str, hub: HubServer, outputs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(contents, "PIECE", 8)
        copy = Mirror(outputs, where)
        write(outputs, {"long.jsonl": b"1234567\nabcdefg\n"})
        copy.push()
        before = set(kept(hub))
        assert copy.push() is None, "nothing has changed"
        with open(outputs / "long.jsonl", "ab") as file:
            file.write(b"more\ntorn")
        copy.push()
        assert len(set(kept(hub)) - before) == 1, "one new piece"
        (outputs / "long.jsonl").unlink()
        copy.push()
        write(outputs, {"late.jsonl": b"x\n"})
        copy.push()
        named = {piece for kept in copy._copied for piece in kept.pieces}
        assert {name.rpartition("/")[2] for name in kept(hub) if name.startswith("objects/")} == named
        fetch(where, tmp_path / "new")
        assert read(tmp_path / "new") == {**FILES, "late.jsonl": b"x\n"}

    def test_a_server_that_starts_again_goes_on_with_the_copy(self, where: str, hub: HubServer, outputs: Path) -> None:
        Mirror(outputs, where).push()
        before = kept(hub)
        assert Mirror(outputs, where).push() is None
        assert kept(hub) == before

    def test_of_two_servers_the_one_that_comes_second_is_refused_and_nothing_is_written_over(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path
    ) -> None:
        old = Mirror(outputs, where)
        old.push()
        fetch(where, tmp_path / "second")
        new = Mirror(tmp_path / "second", where)
        (tmp_path / "second" / "models.yaml").unlink()
        new.push()
        before = kept(hub)
        write(outputs, {"late.jsonl": b"{}\n"})
        for copy in (old, Mirror(outputs, where)):
            with pytest.raises(BackupError, match=f"another server has written to {where} .*restore {where} --replace"):
                copy.push()
        assert kept(hub) == before
        write(tmp_path / "second", {"later.jsonl": b"{}\n"})
        assert new.push() is not None, "the other one goes on"
        fetch(where, outputs, replace=True)
        write(outputs, {"last.jsonl": b"{}\n"})
        assert Mirror(outputs, where).push() is not None, "and so does whoever took over its copy"

    def test_two_servers_that_write_at_the_same_time_leave_one_whole_copy(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = Mirror(outputs, where)
        one.push()
        fetch(where, tmp_path / "second")
        two = Mirror(tmp_path / "second", where)
        write(outputs, {"one.jsonl": b"1\n"})
        write(tmp_path / "second", {"two.jsonl": b"2\n"})
        put = type(shelf(where)).put

        def together(place: Shelf, objects: Mapping[str, Path]) -> None:
            monkeypatch.setattr(type(place), "put", put)
            two.push()
            put(place, objects)  # type: ignore[arg-type]

        monkeypatch.setattr(type(shelf(where)), "put", together)
        with pytest.raises(BackupError, match="another server"):
            one.push()
        fetch(where, tmp_path / "third")
        assert read(tmp_path / "third") == {**FILES, "two.jsonl": b"2\n"}

    def test_a_copy_whose_end_was_not_heard_of_is_ones_own(
        self, where: str, hub: HubServer, outputs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = Mirror(outputs, where)
        copy.push()
        settle = type(shelf(where)).settle

        def unheard(place: Shelf, manifest: bytes, dropped: Iterable[str]) -> None:
            settle(place, manifest, dropped)  # type: ignore[arg-type]
            raise ConnectionError("gone")

        for again in (copy, Mirror(outputs, where)):
            write(outputs, {"late.jsonl": str(again).encode() + b"\n"})
            with monkeypatch.context() as patch:
                patch.setattr(type(shelf(where)), "settle", unheard)
                with pytest.raises(ConnectionError):
                    again.push()
            assert Mirror(outputs, where).push() is None, "it is all there"
            write(outputs, {"later.jsonl": str(again).encode() + b"\n"})
            assert again.push() is not None

    def test_an_earlier_state_comes_back_by_its_revision_and_is_not_written_to(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path
    ) -> None:
        copy = Mirror(outputs, where)
        copy.push()
        hub.add("dataset", REPO, kept(hub), revision="before")
        (outputs / "models.yaml").unlink()
        copy.push()
        fetch(f"{where}@before", tmp_path / "new")
        assert read(tmp_path / "new") == FILES
        assert Mirror(tmp_path / "new", where).push() is not None, "who goes back goes on from there"
        with pytest.raises(UsageError, match="earlier state"):
            Mirror(outputs, f"{where}@before")

    def test_a_public_dataset_is_refused_and_gets_nothing(self, where: str, hub: HubServer, outputs: Path) -> None:
        hub.add("dataset", REPO, {})
        with pytest.raises(BackupError, match=f"{where} is public.*make the dataset private"):
            Mirror(outputs, where).push()
        assert kept(hub) == {}

    def test_a_dataset_that_was_made_public_meanwhile_gets_nothing_more(
        self, where: str, hub: HubServer, outputs: Path
    ) -> None:
        copy = Mirror(outputs, where)
        copy.push()
        hub.hidden.clear()
        before = kept(hub)
        write(outputs, {"models.yaml": b"{}"})
        with pytest.raises(BackupError, match="is public"):
            copy.push()
        assert kept(hub) == before

    def test_the_copy_of_another_folder_is_never_written_over(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path
    ) -> None:
        Mirror(outputs, where).push()
        before = kept(hub)
        write(tmp_path / "other", {"run/run.json": b"{}"})
        with pytest.raises(BackupError, match="the backup of another folder"):
            Mirror(tmp_path / "other", where).push()
        assert kept(hub) == before

    def test_what_breaks_off_on_the_way_leaves_the_copy_before_whole(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = Mirror(outputs, where)
        copy.push()
        write(outputs, {"models.yaml": b"changed: {}\n"})
        with monkeypatch.context() as patch:
            patch.setattr(type(shelf(where)), "settle", lambda *_: (_ for _ in ()).throw(ConnectionError("gone")))
            with pytest.raises(ConnectionError):
                copy.push()
        fetch(where, tmp_path / "old")
        assert read(tmp_path / "old") == FILES
        copy.push()
        fetch(where, tmp_path / "new")
        assert read(tmp_path / "new")["models.yaml"] == b"changed: {}\n"

    def test_a_piece_that_is_not_what_it_says_is_refused_and_nothing_is_put_in_place(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path
    ) -> None:
        Mirror(outputs, where).push()
        files = kept(hub)
        name = next(name for name in files if name.startswith("objects/"))
        hub.add("dataset", REPO, {**files, name: b"something else"})
        with pytest.raises(BackupError, match=r"damaged|cannot be read"):
            fetch(where, tmp_path / "new")
        assert read(tmp_path / "new") == {}

    def test_a_dataset_that_one_may_not_see_any_more_is_not_one_that_holds_nothing(
        self, where: str, hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Mirror(outputs, where).push()
        unseen = hub.repositories.pop(("dataset", REPO))
        monkeypatch.setattr(type(hub), "add", lambda *_, **__: hub.repositories.update({("dataset", REPO): unseen}))
        monkeypatch.setattr(type(shelf(where)), "prepare", lambda _: (_ for _ in ()).throw(PermissionError("401")))
        monkeypatch.setenv(WHERE_ENV, where)
        for read_only in ("", "1"):
            monkeypatch.setenv("LLMUSES_READ_ONLY", read_only)
            refused = pytest.raises(BackupError, match="Start again later")
            with refused, mirroring(tmp_path / "new"):
                pass

    def test_where_there_is_no_copy_there_is_none(self, where: str, hub: HubServer, tmp_path: Path) -> None:
        assert fetch(where, tmp_path / "new") is None


@pytest.mark.parametrize(
    "where",
    [
        "",
        "kept",
        "hf:kept",
        "hf:me/kept/x",
        "hf:me/ke pt",
        "s3:me/kept",
        "hf:../x",
        "hf:me/..",
        "hf:me/x@",
        "hf:me/x@-r",
    ],
)
def test_a_place_that_is_none_is_refused_in_one_line(where: str) -> None:
    with pytest.raises(UsageError, match="is no place for a backup"):
        shelf(where)


# --- beside the server ---------------------------------------------------------------------------------------


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_empty_folder_is_filled_and_what_changes_until_the_end_is_kept(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    with mirroring(outputs):
        until(lambda: mirror_state(outputs))
        write(outputs, {"late.jsonl": b"{}\n"})
    with mirroring(tmp_path / "new"):
        assert read(tmp_path / "new")["late.jsonl"] == b"{}\n"
    assert "files were restored from hf:me/kept" in capsys.readouterr().out


def test_a_hub_that_fails_is_said_in_the_figures_and_the_room_and_tried_again(
    hub: HubServer, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    monkeypatch.setenv(MINUTES_ENV, "0.002")
    hub.add("dataset", REPO, {})  # public
    with mirroring(outputs):
        until(lambda: (state := mirror_state(outputs)) and state.problem)
        found = figures(caller(outputs).get("/metrics").text)
        assert found["llmuses_backup_failing"] == 1 and "llmuses_backup_age_seconds" not in found
        hub.hidden.add(REPO)
        until(lambda: (state := mirror_state(outputs)) and not state.problem)
        found = figures(caller(outputs).get("/metrics").text)
        assert found["llmuses_backup_failing"] == 0 and found["llmuses_backup_age_seconds"] < 60


@pytest.mark.parametrize(
    ("problem", "done", "said"),
    [
        ("", 1.8e9, "ms:me/kept</span>"),
        ("hf:me/<b>kept is public", None, "ms:me/kept: hf:me/&lt;b&gt;kept is public"),
    ],
)
def test_the_rooms_tab_of_health_has_a_line_for_it(
    problem: str, done: float | None, said: str, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WHERE_ENV, "ms:me/kept")
    room = Room(Results(outputs), AdminRules())
    write_json(outputs / ".backup.json", MirrorState(where="ms:me/kept", tried=1.8e9, done=done, problem=problem))
    shown = str(health_tab.view(room, room.sessions.nobody(), Visit("en", {})))
    room.close()
    assert said in shown
    assert ("Last copied: 2027-01-15" if done else "Last copied: not yet") in shown


def test_an_empty_folder_that_cannot_be_filled_does_not_begin_a_second_history(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mirror(outputs, "hf:me/kept").push()
    files = kept(hub)
    hub.add("dataset", REPO, {**files, "manifest.json": b"{"})
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    refused = pytest.raises(BackupError, match=f"without {WHERE_ENV} to begin with an empty folder")
    with refused, mirroring(tmp_path / "new"):
        pass


def test_a_hub_that_nobody_reaches_is_not_one_that_holds_nothing(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mirror(outputs, "hf:me/kept").push()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    with pytest.raises(BackupError, match="cannot be read"):
        fetch("hf:me/kept", tmp_path / "new")
    refused = pytest.raises(BackupError, match="Start again later")
    with refused, mirroring(tmp_path / "new"):
        pass


def test_a_hub_that_takes_the_question_and_never_answers_is_not_waited_for(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mirror(outputs, "hf:me/kept").push()
    monkeypatch.setattr("llmuses.hub._READ_SECONDS", 0.2)
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    hub.stalled = True
    write(outputs, {"late.jsonl": b"{}\n"})
    with pytest.raises(httpx2.ReadTimeout):
        Mirror(outputs, "hf:me/kept").push()
    refused = pytest.raises(BackupError, match="Start again later")
    with refused, mirroring(tmp_path / "new"):
        pass


@pytest.mark.parametrize("deed", ["prepare", "manifest"])
def test_modelscopes_library_is_told_how_patient_to_be_before_it_is_imported(
    deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "modelscope_hub"]:
        monkeypatch.delitem(sys.modules, name)

    def api() -> object:
        raise ConnectionError("imported before" if "modelscope_hub" in sys.modules else "in time")

    monkeypatch.setattr("llmuses.hub.modelscope_api", api)
    with pytest.raises(ConnectionError, match="in time"):
        getattr(shelf("ms:me/kept"), deed)()


def test_a_folder_into_which_a_restore_broke_off_is_filled_anew_and_nothing_lost(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mirror(outputs, "hf:me/kept").push()
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    killed_while_moving(back_up(outputs, tmp_path / "b.tar.gz")[0], tmp_path / "new", False)
    with mirroring(tmp_path / "new"):
        found = read(tmp_path / "new")
        assert {name: found.get(name) for name in FILES} == FILES


def test_without_the_variable_nothing_is_copied_and_nothing_is_said(
    hub: HubServer, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mirroring(outputs):
        pass
    assert hub.requests == [] and mirror_state(outputs) is None


def test_a_copy_that_is_only_read_is_filled_and_never_written_back(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mirror(outputs, "hf:me/kept").push()
    before = kept(hub)
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    monkeypatch.setenv("LLMUSES_READ_ONLY", "1")
    with mirroring(tmp_path / "new"):
        write(tmp_path / "new", {"late.jsonl": b"{}\n"})
    assert kept(hub) == before


def test_hugging_face_takes_no_manifest_after_somebody_elses(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Mirror(outputs, "hf:me/kept")
    one.push()
    settle = type(shelf("hf:me/kept")).settle

    def late(place: Shelf, manifest: bytes, dropped: Iterable[str]) -> None:
        hub.add("dataset", REPO, {**kept(hub), "note.txt": b"by hand"})
        settle(place, manifest, dropped)  # type: ignore[arg-type]

    write(outputs, {"one.jsonl": b"1\n"})
    with monkeypatch.context() as patch:
        patch.setattr(type(shelf("hf:me/kept")), "settle", late)
        with pytest.raises(BackupError, match="another server wrote to hf:me/kept at the same time"):
            one.push()
    assert one.push() is not None, "the backup is still this server's: it goes on"


def test_on_modelscope_which_of_two_servers_is_the_later_one_has_its_whole_copy_there_and_the_other_one_is_told(
    hub: HubServer, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit cannot be made to follow a certain one there: what the earlier server needs no more, the later one may need."""
    where = "ms:me/kept"
    one = Mirror(outputs, where)
    one.push()
    fetch(where, tmp_path / "second")
    two = Mirror(tmp_path / "second", where)
    write(outputs, {"one.jsonl": b"1\n"})
    (tmp_path / "second" / "models.yaml").unlink()
    settle = type(shelf(where)).settle

    def late(place: Shelf, manifest: bytes, dropped: Iterable[str]) -> None:
        monkeypatch.setattr(type(place), "settle", settle)
        assert two.push() is not None
        settle(place, manifest, dropped)  # type: ignore[arg-type]

    monkeypatch.setattr(type(shelf(where)), "settle", late)
    assert one.push() is not None
    write(tmp_path / "second", {"two.jsonl": b"2\n"})
    with pytest.raises(BackupError, match="another server has written to ms:me/kept"):
        two.push()
    fetch(where, tmp_path / "third")
    assert read(tmp_path / "third") == {**FILES, "one.jsonl": b"1\n"}


def test_what_modelscope_would_drop_next_and_is_needed_again_stays(
    hub: HubServer, outputs: Path, tmp_path: Path
) -> None:
    copy = Mirror(outputs, "ms:me/kept")
    for content in (b"first\n", b"second\n", b"first\n"):
        write(outputs, {"models.yaml": content})
        copy.push()
    fetch("ms:me/kept", tmp_path / "new")
    assert read(tmp_path / "new") == {**FILES, "models.yaml": b"first\n"}


def test_two_servers_on_one_folder_copy_it_once(hub: HubServer, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    pushes: list[str] = []
    monkeypatch.setattr(mirror, "_tried", lambda copy: pushes.append("x") or "")
    with mirroring(outputs):
        until(lambda: pushes)
        with mirroring(outputs):
            time.sleep(0.1)
        assert len(pushes) == 1


def test_whoever_waited_keeps_the_copy_once_the_other_server_has_ended(
    hub: HubServer, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    monkeypatch.setenv(MINUTES_ENV, "0.001")
    pushes: list[Mirror] = []
    monkeypatch.setattr(mirror, "_tried", lambda copy: pushes.append(copy) or "")
    first, second = mirroring(outputs), mirroring(outputs)
    first.__enter__()
    until(lambda: pushes)
    second.__enter__()
    first.__exit__(None, None, None)
    until(lambda: len(set(map(id, pushes))) == 2)
    second.__exit__(None, None, None)


@pytest.mark.parametrize("minutes", ["0", "-1", "soon", "nan", "inf"])
def test_a_time_that_is_none_is_refused(minutes: str, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WHERE_ENV, "hf:me/kept")
    monkeypatch.setenv(MINUTES_ENV, minutes)
    with pytest.raises(UsageError, match="is no number of minutes"), mirroring(outputs):
        pass


def test_a_folder_of_a_newer_llmuses_is_not_copied(hub: HubServer, outputs: Path) -> None:
    write_json(outputs / ".llmuses.json", FolderMark(format=99, folder="x"))
    with pytest.raises(NewerFormatError):
        Mirror(outputs, "hf:me/kept").push()
    assert Results(outputs).runs() is not None
