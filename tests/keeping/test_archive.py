"""Backups in one file: made while others write, checked from end to end, put back into an empty folder or not at all."""

from __future__ import annotations

import fcntl
import gzip
import io
import os
import stat
import tarfile
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.cli import main
from llmuses.errors import BackupError, LlmusesError, StoreError, UsageError
from llmuses.keeping import contents as keeping
from llmuses.keeping import placing
from llmuses.keeping.archive import MANIFEST, back_up, check, restore
from llmuses.keeping.contents import contents, opened
from llmuses.keeping.mirror import mirroring
from llmuses.keeping.placing import check_manifest, is_unfinished, staged
from llmuses.keeping.written_keys import holds_key
from llmuses.records import FORMAT, Exclusion, KeptFile, Manifest
from llmuses.store import JsonlStore, Sync

FILES = {
    "mmlu-run/run.json": b'{"run_id": "mmlu-run"}\n',
    "mmlu-run/predictions/mmlu.jsonl": b'{"key": "1"}\n{"key": "2"}\n',
    "mmlu-run/reports/mmlu.json": b"{}",
    "arena-live/battles.jsonl": b'{"battle_id": "b1"}\n',
    "arena-live/register.jsonl": b'{"model": "m"}\n',
    "jobs/jobs.jsonl": b'{"job_id": "j-0001"}\n',
    "jobs/j-0001/log.txt": b"half a line",
    "models.yaml": "我的模型: {model: openai:x}\n".encode(),
    "jobs/jobs.jsonl.torn": b'{"job\n',
}
PASSING = {
    "mmlu-run/run.lock": b"17",
    "jobs/j-0001/lock": b"",
    "jobs/supervisor.lock": b"",
    "mmlu-run/.run.json.17": b"half",
    "mmlu-run/predictions/mmlu.jsonl.new": b"half",
    "arena-live/battles.jsonl.counts": b"\x00",
    "arena-live/spent/1-a": b"",
    "mmlu-run/reviews/mmlu.jsonl.index": b"\x00",
    ".cache/x": b"",
}
SECRETS = {"jobs/secret": b"0" * 64, "arena-live/secret": b"1" * 64}


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "LLMUSES_ARENA",
        "LLMUSES_ADMIN_CONFIG",
        "LLMUSES_ARENA_CONFIG",
        "LLMUSES_MODELS",
        "LLMUSES_OUTPUTS",
        "LLMUSES_BACKUP",
    ):
        monkeypatch.delenv(name, raising=False)


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def read(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, without the marks that it was given."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name not in (".llmuses.json", ".backup.json")}


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    write(tmp_path / "outputs", {**FILES, **PASSING, **SECRETS})
    return tmp_path / "outputs"


@pytest.fixture
def archive(outputs: Path, tmp_path: Path) -> Path:
    return back_up(outputs, tmp_path / "backup.tar.gz")[0]


# --- what is kept --------------------------------------------------------------------------------------------


def test_what_comes_back_is_what_was_there_without_locks_caches_and_secrets(archive: Path, tmp_path: Path) -> None:
    restore(archive, tmp_path / "new")
    assert read(tmp_path / "new") == FILES


def test_what_is_left_out_and_is_more_than_a_lock_is_named(archive: Path) -> None:
    assert check(archive).left_out == sorted(SECRETS)


def test_secrets_come_along_where_they_are_asked_for_and_stay_the_owners(outputs: Path, tmp_path: Path) -> None:
    path, _ = back_up(outputs, tmp_path / "all.tar.gz", secrets=True)
    restore(path, tmp_path / "new")
    assert read(tmp_path / "new") == {**FILES, **SECRETS}
    assert stat.S_IMODE((tmp_path / "new" / "jobs" / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "the file holds what people wrote"


def test_the_file_of_accounts_is_left_out_where_it_lies_among_the_runs(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(outputs, {"admin.yaml": b"accounts: []"})
    monkeypatch.setenv("LLMUSES_ADMIN_CONFIG", str(outputs / "admin.yaml"))
    found = contents(outputs)
    assert "admin.yaml" in found.left_out and "admin.yaml" not in found.files
    assert "admin.yaml" in contents(outputs, secrets=True).files, "for a move it comes along"


@pytest.fixture
def named(outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Settings beside the runs, as the guides lay them out; returned by what they are called in a backup."""
    found = {
        "models.yaml": b"mine: {model: openai:x}\n",
        "arena.yaml": b"filter: {words: blocked.txt}\n",
        "words.txt": b"nonsense\n",
        "admin.yaml": b"accounts: []\n",
    }
    write(tmp_path, {"blocked.txt" if name == "words.txt" else name: content for name, content in found.items()})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_MODELS", "models.yaml")
    monkeypatch.setenv("LLMUSES_ARENA_CONFIG", str(tmp_path / "arena.yaml"))
    monkeypatch.setenv("LLMUSES_ADMIN_CONFIG", "admin.yaml")
    return {f"settings/{name}": content for name, content in found.items()}


def test_accounts_that_a_restore_put_among_the_runs_are_left_out_whoever_backs_up(outputs: Path) -> None:
    write(outputs, {"settings/admin.yaml": b"accounts: []", "settings/models.yaml": b"{}"})
    found = contents(outputs)
    assert "settings/admin.yaml" in found.left_out and "settings/admin.yaml" not in found.files
    assert "settings/models.yaml" in found.files
    assert "settings/admin.yaml" in contents(outputs, secrets=True).files


KEYS = [
    "m: {model: openai:x, args: {api_key: sk-zq}}", "m:\n  args:\n    api-key: 'sk-zq'", '{"m": {"args": {"apikey": "sk-zq"}}}',
    "m: {args: {api_key_env: sk-zq-1}}", "m: {args: {api_key_env: 'sk zq'}}", "m: {args: {base_url: https://me:zq@example.org/v1}}",
    "# api_key: sk-zq\nm: {model: openai:x}", "m: {args: {headers: {Authorization: Bearer zq}}}", "m: {args: {password: zq",
    "m: {args: {hf_token: hf_zq}}", "m: {args: {HF_TOKEN: hf_zq}}", "m: {args: {api_key_env: 5zq}}",
]  # fmt: skip
NO_KEYS = [
    "m: {model: openai:x, args: {api_key_env: MY_KEY, base_url: 'https://example.org:8000/v1'}}", "m: {args: {api_key_env: 'MY_KEY'}} # mine",
    "m:\n  args:\n    api_key_env: MY_KEY\n    max_tokens: 5\n    tokenizer: some/where", "monkey: {model: openai:x}", "key:\n  model: openai:x",
    "m: {args: {api_key: }}", "m: {args: {api_key: ''}}", "m: {args: {api_key: null}}", "m: {homepage: https://example.org/@lab:x}", "",
]  # fmt: skip


@pytest.mark.parametrize(("models", "has"), [*((text, True) for text in KEYS), *((text, False) for text in NO_KEYS)])
def test_a_key_is_told_from_the_name_of_its_variable(models: str, has: bool, tmp_path: Path) -> None:
    write(tmp_path, {"models.yaml": models.encode()})
    assert holds_key(tmp_path / "models.yaml") is has


@pytest.mark.parametrize("has", [True, False])
@pytest.mark.parametrize("where", ["models.yaml", "settings/models.yaml", "../mine.yaml"])
def test_a_models_file_into_which_a_key_was_written_is_left_out_and_said(
    has: bool, where: str, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = (outputs / where).resolve()
    write(place.parent, {place.name: (KEYS if has else NO_KEYS)[0].encode()})
    name = where
    if place.name == "mine.yaml":
        monkeypatch.setenv("LLMUSES_MODELS", str(place))
        name = "settings/models.yaml"
    found, said = contents(outputs), f"{place if name != where else name} (a key is written in it"
    assert (name in found.files, any(said in each for each in found.left_out)) == (not has, has)
    assert name in contents(outputs, secrets=True).files, "for a move it comes along"


@pytest.mark.parametrize("secrets", [False, True])
def test_settings_that_lie_elsewhere_come_along_and_accounts_only_with_the_secrets(
    secrets: bool, outputs: Path, named: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["backup", "all.tar.gz", "--outputs", "outputs", *(["--with-secrets"] if secrets else [])]
    assert main(command) == 0
    assert ("admin.yaml" in capsys.readouterr().out) is not secrets, "what is left out is said"
    assert main(["restore", "all.tar.gz", "--outputs", "new"]) == 0
    assert str(Path("new/settings")) in capsys.readouterr().out
    found = {name: content for name, content in read(tmp_path / "new").items() if name.startswith("settings/")}
    assert found == {name: content for name, content in named.items() if secrets or name != "settings/admin.yaml"}
    if secrets:
        assert stat.S_IMODE((tmp_path / "new/settings/admin.yaml").stat().st_mode) == 0o600


def test_settings_that_lie_among_the_runs_are_there_once_and_missing_ones_are_said(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_MODELS", str(outputs / "models.yaml"))
    monkeypatch.setenv("LLMUSES_ARENA_CONFIG", "/nowhere/arena.yaml")
    found = contents(outputs)
    assert [name for name in found.files if name.endswith("models.yaml")] == ["models.yaml"]
    assert "/nowhere/arena.yaml (not there)" in found.left_out


@pytest.mark.parametrize("arena", ["{here}/outputs/../outputs/arena-live", "outputs/arena-live", "{here}/moved", ""])
def test_no_spelling_of_a_folder_and_no_move_lets_a_secret_out(
    arena: str, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_ARENA", arena.format(here=tmp_path))
    for spelled in (outputs, Path("outputs")):
        found = contents(spelled)
        assert [name for name in found.files if name.endswith("secret")] == []
        assert set(SECRETS) <= set(found.left_out)


def test_a_run_whose_name_looks_like_a_lock_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "outputs", {"gpt.new/run.json": b"{}", "lock/run.json": b"{}", "a.counts/run.json": b"{}"})
    assert len(contents(tmp_path / "outputs").files) == 3


def test_a_folder_that_cannot_be_read_is_an_error_and_not_a_backup_that_lacks_it(
    outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.scandir

    def scandir(folder: str | Path) -> object:
        if str(folder).endswith("mmlu-run"):
            raise OSError(24, "Too many open files", str(folder))
        return whole(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(StoreError, match=r"cannot read .*mmlu-run: Too many open files"):
        back_up(outputs, tmp_path / "b.tar.gz")


def test_a_name_that_is_no_text_is_left_out_and_said(outputs: Path, tmp_path: Path) -> None:
    (outputs / os.fsdecode(b"caf\xe9.json")).write_bytes(b"{}")
    _, manifest = back_up(outputs, tmp_path / "b.tar.gz")
    assert "caf?.json" in manifest.left_out and "models.yaml" in [one.path for one in manifest.files]


def test_links_are_not_followed_and_named(outputs: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"run.json": b"{}"})
    (outputs / "linked").symlink_to(tmp_path / "elsewhere")
    (outputs / "mmlu-run" / "passwd").symlink_to("/etc/passwd")
    found = contents(outputs)
    assert set(found.files) == set(FILES)
    assert {"linked (a link)", "mmlu-run/passwd (a link)"} <= set(found.left_out)


def test_an_arena_elsewhere_is_kept_and_comes_back_to_where_it_is(
    outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.rename(outputs / "arena-live", tmp_path / "votes")
    monkeypatch.setenv("LLMUSES_ARENA", str(tmp_path / "votes"))
    path, manifest = back_up(outputs, tmp_path / "backup.tar.gz")
    assert {kept.path for kept in manifest.files} == set(FILES)
    assert "arena-live/secret" in manifest.left_out
    monkeypatch.setenv("LLMUSES_ARENA", str(tmp_path / "new votes"))
    restore(path, tmp_path / "new")
    assert set(read(tmp_path / "new votes")) == {"battles.jsonl", "register.jsonl"}
    monkeypatch.setenv("LLMUSES_ARENA", str(tmp_path / "votes"))
    with pytest.raises(UsageError, match="not empty"):
        restore(path, tmp_path / "newer")


# --- while others write --------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=8)), st.binary(max_size=8))
def test_a_store_is_cut_behind_its_last_newline(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], rest: bytes
) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.jsonl"
    content = b"".join(line + b"\n" for line in lines) + rest
    path.write_bytes(content)
    file = opened(path)
    assert file is not None
    assert b"".join(file.pieces()) == content[: content.rfind(b"\n") + 1]
    file.close()


def test_a_torn_line_longer_than_what_is_read_at_once_is_cut_too(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"{}\n" + b"x" * 300_000)
    file = opened(tmp_path / "x.jsonl")
    assert file is not None and file.size == 3
    file.close()


def test_backups_made_while_a_store_grows_each_hold_a_whole_beginning_of_it(outputs: Path, tmp_path: Path) -> None:
    store = JsonlStore(outputs / "arena-live" / "votes.jsonl", Exclusion, Sync.NEVER)
    stop = threading.Event()

    def vote() -> None:
        number = 0
        while not stop.is_set():
            store.append(Exclusion(battle_id=f"b{number}", reason="x" * (number % 500)))
            number += 1

    store.append(Exclusion(battle_id="first", reason="x"))
    writer = threading.Thread(target=vote)
    writer.start()
    try:
        for number in range(4):
            path, _ = back_up(outputs, tmp_path / f"{number}.tar.gz")
            restore(path, tmp_path / f"new{number}")
    finally:
        stop.set()
        writer.join()
    whole = (outputs / "arena-live" / "votes.jsonl").read_bytes()
    for number in range(4):
        found = (tmp_path / f"new{number}" / "arena-live" / "votes.jsonl").read_bytes()
        assert whole.startswith(found) and found.endswith(b"\n")


def test_a_file_that_is_replaced_while_it_is_read_is_the_old_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PIECE", 4)
    path = tmp_path / "run.json"
    path.write_bytes(b"old and whole")
    file = opened(path)
    assert file is not None
    pieces = file.pieces()
    first = next(pieces)
    (tmp_path / "fresh").write_bytes(b"new")
    os.replace(tmp_path / "fresh", path)
    assert first + b"".join(pieces) == b"old and whole"
    file.close()


def test_a_file_that_is_cut_while_it_is_read_is_an_error_and_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"x" * 100)
    file = opened(path)
    assert file is not None
    os.truncate(path, 10)
    with pytest.raises(StoreError, match="was cut while it was read"):
        list(file.pieces())
    file.close()


def test_a_disk_that_is_full_leaves_the_backup_before_whole(
    outputs: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = archive.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot write .*No space left"):
        back_up(outputs, archive)
    assert archive.read_bytes() == before
    assert sorted(os.listdir(archive.parent)) == sorted([archive.name, "outputs"])


def test_a_backup_into_the_folder_itself_is_refused(outputs: Path) -> None:
    with pytest.raises(UsageError, match="write it elsewhere"):
        back_up(outputs, outputs / "backup.tar.gz")


# --- into a folder -------------------------------------------------------------------------------------------


def test_a_folder_that_holds_anything_is_refused_and_left_alone(archive: Path, tmp_path: Path) -> None:
    write(tmp_path / "new", {"notes.txt": b"mine"})
    with pytest.raises(UsageError, match=r"is not empty.*--replace"):
        restore(archive, tmp_path / "new")
    assert read(tmp_path / "new") == {"notes.txt": b"mine"}


def test_with_replace_what_was_there_is_moved_aside_and_not_lost(archive: Path, tmp_path: Path) -> None:
    write(tmp_path / "new", {"notes.txt": b"mine", "mmlu-run/run.json": b"other"})
    _, (aside,) = restore(archive, tmp_path / "new", replace=True)
    assert read(aside) == {"notes.txt": b"mine", "mmlu-run/run.json": b"other"}
    assert {name: text for name, text in read(tmp_path / "new").items() if not name.startswith(".")} == FILES
    assert contents(tmp_path / "new").files.keys() == FILES.keys(), "what lies aside is in no backup"


def test_a_folder_in_which_a_server_works_is_refused(archive: Path, outputs: Path) -> None:
    with open(outputs / "jobs" / "supervisor.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match=r"a server works in .*stop it first"):
            restore(archive, outputs, replace=True)
    assert read(outputs) == {**FILES, **PASSING, **SECRETS}


def test_a_disk_without_room_is_said_before_anything_is_written(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 10

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(StoreError, match="0 MB are free"):
        restore(archive, tmp_path / "new")
    assert read(tmp_path / "new") == {}


def killed_while_moving(archive: Path, outputs: Path, replace: bool) -> None:
    """Restore in a process that is gone, without a word, after some files were moved."""
    if (child := os.fork()) == 0:
        moved, rename = [], os.rename
        placing.os.rename = lambda *names: os._exit(9) if len(moved) > 1 else (moved.append(names), rename(*names))
        restore(archive, outputs, replace)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("replace", [False, True])
def test_a_restore_that_was_killed_while_files_were_moved_is_known_as_such_and_done_again(
    replace: bool, archive: Path, outputs: Path, tmp_path: Path
) -> None:
    target = outputs if replace else tmp_path / "new"
    before = {path.name for path in outputs.iterdir()}
    killed_while_moving(archive, target, replace)
    refused = pytest.raises(BackupError, match="broke off: restore once more, with --replace")
    with refused, mirroring(target):
        pass
    restore(archive, target, replace=True)
    assert not is_unfinished(target) and not list(target.glob(".restoring-*"))
    assert all(name in FILES for name in read(target) if not name.startswith("."))
    assert FILES.keys() <= read(target).keys()
    if replace:
        kept = [path.name for folder in target.glob(".before-restore-*") for path in folder.iterdir()]
        assert {name for name in before if not name.startswith(".")} <= set(kept), "nothing of what was there is lost"


def test_two_restores_into_one_folder_do_not_get_into_each_others_way(archive: Path, tmp_path: Path) -> None:
    manifest = check(archive)
    with staged(tmp_path / "new", manifest) as staging:
        for kept in manifest.files:
            staging.write(kept, iter([FILES[kept.path]]))
        with pytest.raises(UsageError, match="another restore works in"):
            restore(archive, tmp_path / "new")
    assert read(tmp_path / "new") == FILES


def test_a_disk_that_locks_no_folder_is_restored_to_all_the_same(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(placing.fcntl, "flock", flock)
    restore(archive, tmp_path / "new")
    assert read(tmp_path / "new") == FILES


def test_the_folder_keeps_its_name_through_backup_and_restore(archive: Path, outputs: Path, tmp_path: Path) -> None:
    restore(archive, tmp_path / "new")
    assert (tmp_path / "new" / ".llmuses.json").read_bytes() == (outputs / ".llmuses.json").read_bytes()


# --- damage and malice ---------------------------------------------------------------------------------------


def test_a_backup_that_is_cut_off_or_changed_anywhere_is_refused_and_nothing_written(
    archive: Path, tmp_path: Path
) -> None:
    whole = archive.read_bytes()
    places = range(12, len(whole) - 1, max(1, len(whole) // 25))
    damaged = [whole[:place] for place in places]
    damaged += [whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :] for place in places]
    for content in damaged:
        archive.write_bytes(content)
        with pytest.raises(BackupError):
            restore(archive, tmp_path / "new")
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no tar", mtime=0), gzip.compress(b"", mtime=0)]
)
def test_what_is_no_backup_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(BackupError) as told:
        restore(tmp_path / "x.tar.gz", tmp_path / "new")
    assert "\n" not in str(told.value)


def made(path: Path, entries: list[tuple[tarfile.TarInfo | str, bytes]], manifest: Manifest | None) -> Path:
    """Write a tar.gz by hand: entries, then a manifest."""
    said = [(MANIFEST, msgspec.json.encode(manifest))] if manifest else []
    with tarfile.open(path, "w:gz") as tar:
        for entry, content in [*entries, *said]:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def manifest_of(*paths: str, form: int = FORMAT) -> Manifest:
    piece = keeping.hashed(b"x")
    return Manifest(format=form, folder="f", files=[KeptFile(path=path, size=1, pieces=[piece]) for path in paths])


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "a/../../evil", "/etc/evil", "a//b", "./a", "a/./b", "", ".ssh/authorized_keys", "a/.hidden",
        "..\\evil", "a\x00b", "a\nb", "a" * 2000,
    ],
)  # fmt: skip
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    try:
        made(path, [(f"outputs/{name}", b"x")], manifest_of(name))
    except ValueError:
        pytest.skip("tar has no such names")
    with pytest.raises(BackupError):
        restore(path, tmp_path / "new")
    assert not (tmp_path / "new").exists() and not (tmp_path / "evil").exists()


def special(kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo("outputs/a")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_an_entry_that_is_no_plain_file_is_refused(kind: bytes, tmp_path: Path) -> None:
    path = made(tmp_path / "x.tar.gz", [(special(kind), b"")], manifest_of("a"))
    with pytest.raises(BackupError, match="no plain file"):
        restore(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_that_unpacks_to_more_than_a_header_has_is_not_held_in_memory(kind: bytes, tmp_path: Path) -> None:
    info = special(kind)
    info.size = 1 << 20
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf() + bytes(info.size)))
    with pytest.raises(BackupError, match="header is too large"):
        check(path)


@pytest.mark.parametrize("piece", ["../../../../../dev/zero", "/dev/zero", "", "F" * 64, "0" * 63])
def test_a_piece_is_named_by_its_hash_and_leads_nowhere(piece: str) -> None:
    manifest = Manifest(folder="f", files=[KeptFile(path="a", size=1, pieces=[piece])])
    with pytest.raises(BackupError, match="a piece that is none"):
        check_manifest(manifest)


@pytest.mark.parametrize(
    ("entries", "manifest", "said"),
    [
        ([("outputs/a", b"x")], None, "no manifest"),
        ([("outputs/a", b"x"), ("outputs/a", b"x")], manifest_of("a"), "twice"),
        ([("outputs/a", b"x")], manifest_of("a", "a"), "twice"),
        ([("outputs/a", b"x")], manifest_of("a", "b"), "missing"),
        ([("outputs/a", b"x"), ("outputs/b", b"x")], manifest_of("a"), "not in the manifest"),
        ([("outputs/a", b"y")], manifest_of("a"), "damaged"),
        ([("a", b"x")], manifest_of("a"), "not in the manifest"),
        ([(MANIFEST, msgspec.json.encode(manifest_of("a"))), ("outputs/a", b"x")], None, "behind the manifest"),
        ([(MANIFEST, b"{")], None, "cannot be read"),
        ([("outputs/a", b"x"), ("outputs/a/b", b"x")], manifest_of("a", "a/b"), "cannot restore"),
    ],
)  # fmt: skip
def test_entries_and_manifest_must_say_the_same(
    entries: list[tuple[tarfile.TarInfo | str, bytes]], manifest: Manifest | None, said: str, tmp_path: Path
) -> None:
    path = made(tmp_path / "x.tar.gz", entries, manifest)
    with pytest.raises(LlmusesError, match=said):
        restore(path, tmp_path / "new")
    assert not (tmp_path / "new").exists() or read(tmp_path / "new") == {}


def test_a_backup_of_a_newer_llmuses_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "x.tar.gz", [("outputs/a", b"x")], manifest_of("a", form=FORMAT + 1))
    with pytest.raises(StoreError, match="update llmuses"):
        restore(path, tmp_path / "new")


# --- the commands --------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_say_what_they_did(outputs: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "b.tar.gz"]) == 0
    said = capsys.readouterr().out
    assert " kB) are in b.tar.gz (" in said, "a small backup is not said to be 0.0 MB"
    assert f"{len(FILES)} files" in said and "Left out: arena-live/secret, jobs/secret" in said
    assert main(["restore", "b.tar.gz", "--check"]) == 0
    assert "b.tar.gz is whole: 9 files of llmuses" in capsys.readouterr().out
    assert main(["restore", "b.tar.gz", "--outputs", "new"]) == 0
    assert capsys.readouterr().out == "9 files are in new.\n"
    assert main(["restore", "b.tar.gz", "--outputs", "new", "--replace"]) == 0
    assert "What was there before is in new/.before-restore-" in capsys.readouterr().out


def test_a_backup_goes_to_standard_output_where_a_container_hands_it_out(
    outputs: Path, here: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["backup", "-"]) == 0
    said = capfdbinary.readouterr()
    (here / "b.tar.gz").write_bytes(said.out)
    restore(here / "b.tar.gz", here / "new")
    assert read(here / "new") == FILES
    assert said.err.startswith(b"9 files (")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["backup", "b.tar.gz", "--outputs", "nothing"], "there is no folder of runs nothing"),
        (["restore", "nothing.tar.gz"], "there is no file nothing.tar.gz"),
        (["restore", "hf:no-owner"], "is no place for a backup"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    command: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_a_folder_as_target_takes_a_file_named_by_the_time(outputs: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    path, _ = back_up(outputs, tmp_path / "backups")
    assert path.name.startswith("llmuses-20") and path.name.endswith(".tar.gz")
