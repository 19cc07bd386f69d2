"""Indexes kept beside long files: the next process goes on from them, and never believes one that does not fit."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard import file_index
from leaderboard.hashing import hashes, with_texts
from leaderboard.indexing import indexing
from leaderboard.results import Results
from leaderboard.sample_index import Rows, predictions_index, reviews_index
from llmuses.records import Prediction, Review
from llmuses.store import JsonlStore
from tests.leaderboard.test_samples import prediction, review
from tests.support.fake_runs import FakeDataset, FakeRun


@pytest.fixture(autouse=True)
def every_file_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_index, "_WORTH_KEEPING", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "d.jsonl"
    append(path, *(review(f"law/{n}", n % 3 > 0, latency=n / 7, tokens=n) for n in range(20)))
    return path


def append(path: Path, *reviews: Review) -> None:
    with JsonlStore(path, Review) as store:
        store.append_all(reviews)


def kept(path: Path) -> Path:
    return path.with_name("d.jsonl.index")


def equal(one: Rows, two: Rows) -> bool:
    return all(
        np.array_equal(value, getattr(two, name), equal_nan=name == "latency") for name, value in vars(one).items()
    )


def unread(path: Path, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Return the index as a new process finds it, which fails where it reads a line of the file."""
    with monkeypatch.context() as patch:
        patch.setattr(file_index.FileIndex, "_decode", lambda *_: pytest.fail("the file is read"))
        return reviews_index(path).snapshot()


def test_the_next_process_reads_no_line_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = reviews_index(path).snapshot()
    again = unread(path, monkeypatch)
    assert equal(built, again)
    assert (again.subset_names, again.families, len(again)) == (("law",), (("law", "law/"),), 20)


def test_what_was_appended_since_is_read_and_nothing_else(path: Path) -> None:
    reviews_index(path).snapshot()
    append(path, review("art/1"), review("law/3", correct=False))
    again = reviews_index(path)
    seen: list[int] = []
    decode = again._decode
    again._decode = lambda block: seen.append(block.count(b"\n")) or decode(block)  # type: ignore[func-returns-value]
    rows = again.snapshot()
    kept(path).unlink()
    assert seen == [2]
    assert equal(rows, reviews_index(path).snapshot())


def test_an_index_means_the_same_in_every_process(path: Path) -> None:
    program = (
        "import sys, pathlib, leaderboard.file_index as f; f._WORTH_KEEPING = 1;"
        "from leaderboard.sample_index import reviews_index; reviews_index(pathlib.Path(sys.argv[1])).snapshot()"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    written = kept(path).read_bytes()
    rows = reviews_index(path).snapshot()
    kept(path).unlink()
    assert equal(rows, reviews_index(path).snapshot())
    assert kept(path).read_bytes() == written
    assert rows.position("law/7", 0) == 7


def rewritten(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0].replace(b'"status":"scored"', b'"status":"failed"'), *lines[1:]]))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def shortened(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5]))


def damaged(path: Path) -> None:
    whole = bytearray(kept(path).read_bytes())
    whole[len(whole) // 2] ^= 1
    kept(path).write_bytes(whole)


def torn(path: Path) -> None:
    kept(path).write_bytes(kept(path).read_bytes()[:40])


def a_link(path: Path) -> None:
    kept(path).rename(path.with_name("elsewhere"))
    kept(path).symlink_to(path.with_name("elsewhere"))


def endless(path: Path) -> None:
    kept(path).unlink()
    os.mkfifo(kept(path))


@pytest.mark.parametrize("change", [rewritten, replaced, shortened, damaged, torn, a_link, endless])
def test_an_index_that_does_not_fit_is_made_anew(path: Path, change) -> None:
    reviews_index(path).snapshot()
    change(path)
    rows = reviews_index(path).snapshot()
    kept(path).unlink()
    assert equal(rows, reviews_index(path).snapshot())


def test_an_index_of_another_version_is_passed_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("leaderboard.sample_index._VERSION", 99)
        reviews_index(path).snapshot()
    with pytest.raises(pytest.fail.Exception):
        unread(path, monkeypatch)


def test_a_folder_that_cannot_be_written_to_goes_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert len(reviews_index(path).snapshot()) == 20
    assert os.listdir(path.parent) == ["d.jsonl"]


def test_a_short_file_needs_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_index, "_WORTH_KEEPING", 1 << 20)
    assert len(reviews_index(path).snapshot()) == 20
    assert not kept(path).exists()


def test_a_file_that_grew_by_little_keeps_the_index_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    megabyte = 1 << 20
    monkeypatch.setattr(file_index, "_WORTH_KEEPING", megabyte)
    cases = [(megabyte - 1, 0), (megabyte, 0), (megabyte, 32 * megabyte), (megabyte, 33 * megabyte)]
    assert [file_index.worth_keeping(*grown) for grown in cases] == [False, True, True, False]


def test_predictions_are_found_through_a_kept_index_too(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    with JsonlStore(path, Prediction) as store:
        store.append_all(prediction(f"m/{n}") for n in range(9))
    built = predictions_index(path).snapshot()
    again = predictions_index(path).snapshot()
    assert (again.key == built.key).all()
    assert (again.offset == built.offset).all()


def test_hashes_do_not_change_from_release_to_release() -> None:
    assert [f"{value:016x}" for value in hashes(["0 law/7", "", "中文"]).tolist()] == [
        "629e9fc10d1f6ae2",
        "e220a8397b1dcdaf",
        "ec4494f693564b92",
    ]


@given(st.lists(st.text(max_size=6), unique=True))
def test_equal_texts_have_equal_hashes_and_others_do_not(texts: list[str]) -> None:
    found = hashes(texts)
    assert len(set(found.tolist())) == len(texts)
    assert found.tolist() == [int(hashes([text])[0]) for text in texts]


def test_what_was_asked_is_told_apart_by_target_and_prompt() -> None:
    names = hashes(["a"] * 4)
    asked = with_texts(names, [("4", "why"), ("4", "how"), ("4w", "hy"), ("4", "why")])
    assert len(set(asked.tolist())) == 3
    assert asked[0] == asked[3]


def test_the_app_indexes_what_ended_before_anybody_looks(tmp_path: Path) -> None:
    going = FakeRun("going", {"gsm8k": FakeDataset(n=5, answered=3)}, started=2.0, running=True)
    going.write(tmp_path)
    ended = FakeRun("ended", {"gsm8k": FakeDataset(n=5)}, started=1.0).write(tmp_path)
    with indexing(Results(tmp_path), first=0):
        until = time.monotonic() + 60
        while not list(ended.glob("reviews/*.index")) and time.monotonic() < until:
            time.sleep(0.01)
    found = list(tmp_path.glob("*/reviews/*.index"))
    dataclasses.replace(going, running=False).write(tmp_path)
    assert found == [ended / "reviews" / "gsm8k.jsonl.index"]
