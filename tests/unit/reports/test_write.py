"""Reports on disk are whole, or the old ones stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmuses.errors import StoreError
from llmuses.reports import html, markdown, write_reports
from tests.unit.reports.builders import report, run


def test_both_files_hold_what_the_functions_return(tmp_path: Path) -> None:
    write_reports(tmp_path, run(), [report()], "en")
    assert (tmp_path / "report.md").read_text("utf-8") == markdown(run(), [report()], "en")
    assert (tmp_path / "report.html").read_text("utf-8") == html(run(), [report()], "en")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_the_terminals_language_is_taken_where_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMUSES_LANG", "zh")
    write_reports(tmp_path, run(), [report()])
    assert "评测报告" in (tmp_path / "report.md").read_text("utf-8")
    assert '<html lang="zh-CN">' in (tmp_path / "report.html").read_text("utf-8")


def test_a_failure_leaves_the_old_reports_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_reports(tmp_path, run(), [report()])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match=r"cannot write .*report\.md: No space left on device"):
        write_reports(tmp_path, run(model="another"), [report()])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write .*report\.md"):
        write_reports(tmp_path / "file" / "run", run(), [report()])


def test_a_name_that_is_not_unicode_does_not_stop_the_report(tmp_path: Path) -> None:
    write_reports(tmp_path, run(model="half \ud83d of a pair"), [report()])
    assert "half" in (tmp_path / "report.html").read_text("utf-8")
