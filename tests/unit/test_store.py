"""The JSONL store: what was acknowledged is read back, whatever happens to the writers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.errors import StoreError
from llmuses.store import START, Sync, query, read_json, write_json
from tests.support.lines import Line, store_in


def test_an_appended_record_is_read_back(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(Line("één\n二", 3))
    assert list(store) == [Line("één\n二", 3)]


def test_opening_and_reading_create_no_file(tmp_path: Path) -> None:
    store = store_in(tmp_path / "not" / "there")
    assert list(store) == []
    assert list(tmp_path.iterdir()) == []


@given(names=st.lists(st.text(max_size=40), max_size=12), cut=st.integers(0, 12))
def test_reading_since_a_cursor_gives_each_record_once(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], cut: int
) -> None:
    store = store_in(tmp_path_factory.mktemp("store"))
    store.append_all(Line(name) for name in names[:cut])
    first = store.read()
    seen = [line.name for line in first]
    store.append_all(Line(name) for name in names[cut:])
    second = store.read(since=first.cursor)
    seen += [line.name for line in second]
    assert seen == names
    assert list(store.read(since=second.cursor)) == []


@given(torn=st.binary(min_size=1, max_size=200).filter(lambda piece: b"\n" not in piece))
def test_a_torn_last_line_is_set_aside_and_the_next_record_is_whole(
    tmp_path_factory: pytest.TempPathFactory, torn: bytes
) -> None:
    store = store_in(tmp_path_factory.mktemp("store"))
    store.append(Line("before"))
    with open(store.path, "ab") as file:
        file.write(torn)
    assert [line.name for line in store] == ["before"]
    store.append(Line("after"))
    assert [line.name for line in store] == ["before", "after"]
    assert store.path.with_name("lines.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_file_that_is_one_torn_line_is_emptied_first(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.path.write_bytes(b'{"name": "to')
    store.append(Line("whole"))
    assert [line.name for line in store] == ["whole"]


def test_a_broken_line_in_the_middle_is_reported_with_file_and_line_and_skipped(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(Line("one"))
    with open(store.path, "ab") as file:
        file.write(b'{"name": 7}\n\xff\xfe\n\n')
    store.append(Line("two"))
    reader = store.read()
    assert [line.name for line in reader] == ["one", "two"]
    assert [(Path(broken.path).name, broken.line) for broken in reader.broken] == [
        ("lines.jsonl", 2),
        ("lines.jsonl", 3),
    ]
    assert "lines.jsonl:2: " in str(reader.broken[0])


def test_a_cursor_of_a_file_that_was_replaced_begins_again(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append_all([Line("a"), Line("b")])
    reader = store.read()
    list(reader)
    other = tmp_path / "other"
    other.write_bytes(b'{"name":"c"}\n')
    os.replace(other, store.path)
    assert [line.name for line in store.read(since=reader.cursor)] == ["c"]


def test_what_is_not_kept_is_moved_and_other_writers_go_on(tmp_path: Path) -> None:
    store, other = store_in(tmp_path), store_in(tmp_path)
    other.append_all([Line("a"), Line("b"), Line("c")])
    reader = store.read()
    offsets = {line.name: reader.offset for line in reader}
    assert store.keep_only({offsets["a"], offsets["c"]}, tmp_path / "aside.jsonl") == 1
    other.append(Line("d"))
    assert [line.name for line in store] == ["a", "c", "d"]
    assert (tmp_path / "aside.jsonl").read_bytes() == b'{"name":"b"}\n'


def test_records_are_read_at_their_offsets(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append_all(Line(str(n), n) for n in range(50))
    reader = store.read()
    offsets = [reader.offset for _ in reader]
    assert [line.number for line in store.read_at(offsets[::-7])] == list(range(49, -1, -7))
    assert store.count_lines() == 50


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match=r"^cannot write .*lines\.jsonl: [^\n]*$"):
        store_in(tmp_path / "file").append(Line("a"))


def test_votes_are_forced_to_the_disk_before_the_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    always, group = store_in(tmp_path / "a", Sync.ALWAYS), store_in(tmp_path / "g", Sync.GROUP)
    for number in range(3):
        always.append(Line("vote", number))
        group.append(Line("prediction", number))
    assert len(synced) == 3
    group.close()
    assert len(synced) == 4


def test_threads_of_one_process_share_a_store(tmp_path: Path) -> None:
    store = store_in(tmp_path)

    def write(worker: int) -> None:
        for number in range(200):
            store.append(Line(str(worker), number))

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((line.name, line.number) for line in store) == sorted(
        (str(w), n) for w in range(4) for n in range(200)
    )


def _start(folder: Path, worker: int, first: int, last: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.lines", str(folder), str(worker), str(first), str(last)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def _acknowledged(process: subprocess.Popen[str], into: list[int]) -> None:
    assert process.stdout is not None
    into.extend(int(line) for line in process.stdout if line.endswith("\n"))


def test_eight_processes_append_while_one_is_killed_again_and_again(tmp_path: Path) -> None:
    """Every acknowledged record is read back exactly once. The bench runs the same with 10,000 records each."""
    records, chance = 400, random.Random(7)
    acknowledged: dict[int, list[int]] = {worker: [] for worker in range(8)}
    steady = {worker: _start(tmp_path, worker, 0, records) for worker in range(1, 8)}
    readers = [threading.Thread(target=_acknowledged, args=(p, acknowledged[w])) for w, p in steady.items()]
    for reader in readers:
        reader.start()
    for _ in range(6):
        first = max(acknowledged[0], default=-1) + 2  # the next one may be written without its word getting out
        victim = _start(tmp_path, 0, first, 10**9)
        reader = threading.Thread(target=_acknowledged, args=(victim, acknowledged[0]))
        reader.start()
        while max(acknowledged[0], default=-1) < first:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.05)
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        reader.join()
    for process in steady.values():
        assert process.wait() == 0
    for reader in readers:
        reader.join()
    store = store_in(tmp_path)
    reader_ = store.read()
    found = [(int(line.name.rstrip("x")), line.number) for line in reader_]
    assert reader_.broken == []
    assert len(found) == len(set(found))
    assert {(w, n) for w, numbers in acknowledged.items() for n in numbers} <= set(found)
    assert all(len(acknowledged[worker]) == records for worker in range(1, 8))


def test_a_query_counts_records_and_not_damaged_lines(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append_all(Line("a" if n % 3 else "b", n) for n in range(9))
    with open(store.path, "ab") as file:
        file.write(b'garbage\n{"number": 5}\n{"name": "torn')
    rows = query(
        [store.path, tmp_path / "missing.jsonl"],
        {"name": "VARCHAR", "number": "BIGINT"},
        "SELECT name, count(*), sum(number) FROM lines GROUP BY name ORDER BY name",
    )
    assert rows == [("a", 6, 27), ("b", 3, 9)]
    assert query([tmp_path / "missing.jsonl"], {"name": "VARCHAR"}, "SELECT 1") == []


def test_a_json_file_is_replaced_whole_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, Line("one", 1))
    write_json(path, Line("two", 2))
    assert read_json(path, Line) == Line("two", 2)
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    path.write_text("{")
    with pytest.raises(StoreError, match=r"run\.json"):
        read_json(path, Line)


def test_a_cursor_at_the_start_reads_everything(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(Line("a"))
    assert len(list(store.read(since=START))) == 1


@pytest.mark.parametrize("fails", ["write", "fsync"])
def test_what_could_not_be_written_whole_is_not_there_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    store = store_in(tmp_path, Sync.ALWAYS)
    store.append(Line("before"))
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 40:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:40])

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, fails, full if fails == "write" else broken)
        with pytest.raises(StoreError):
            store.append_all([Line("a", 1), Line("b", 2), Line("c", 3)])
    assert [line.name for line in store_in(tmp_path)] == ["before"]
    store.append(Line("after"))
    assert [line.name for line in store_in(tmp_path)] == ["before", "after"]
    assert not (tmp_path / "lines.jsonl.torn").exists()
