"""The pace of a job is what it does now, not what it held when it was taken up again."""

from __future__ import annotations

from llmuses.web.admin.pace import Paces


def test_stored_answers_are_no_pace() -> None:
    paces = Paces()
    assert paces.look("j-0001", 100.0, 932) is None
    assert paces.look("j-0001", 102.0, 964) is None
    assert paces.look("j-0001", 110.0, 1092) == 16.0


def test_only_the_last_minute_counts() -> None:
    paces = Paces()
    for second in range(0, 200, 2):
        answered = second * 10 if second < 100 else 1000 + (second - 100)
        pace = paces.look("j-0001", float(second), answered)
    assert pace == 1.0


def test_a_job_that_was_started_anew_is_looked_at_anew() -> None:
    paces = Paces()
    paces.look("j-0001", 0.0, 500)
    assert paces.look("j-0001", 10.0, 20) is None
    assert paces.look("j-0001", 20.0, 40) == 2.0


def test_jobs_have_their_own_paces() -> None:
    paces = Paces()
    paces.look("j-0001", 0.0, 0)
    paces.look("j-0002", 0.0, 0)
    assert (paces.look("j-0001", 10.0, 10), paces.look("j-0002", 10.0, 30)) == (1.0, 3.0)
    paces.forget("j-0001")
    assert paces.look("j-0001", 12.0, 12) is None
