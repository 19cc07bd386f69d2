"""What whoever looks after a server may ask it: whether it is well, and its figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from leaderboard.results import Results
from llmuses.jobs import JobLog
from llmuses.web.health import TOKEN_ENV, add_health


def caller(outputs: Path, address: str = "127.0.0.1", base: str = "http://localhost") -> TestClient:
    app = FastAPI()
    add_health(app, Results(outputs))
    return TestClient(app, base_url=base, client=(address, 50000))


def figures(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_server_that_can_work_is_well_and_says_so_to_anybody(tmp_path: Path) -> None:
    answer = caller(tmp_path, "203.0.113.7", "http://lab.example").get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_full_disk_is_no_good_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1e6

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    answer = caller(tmp_path).get("/healthz")
    assert (answer.status_code, answer.json()["problem"]) == (503, "1 MB are left on the disk")


def test_the_figures_count_jobs_and_stores(tmp_path: Path) -> None:
    log = JobLog(tmp_path / "jobs")
    log.submit(["list", "benchmarks"], "a list", "network", "ada")
    log.cancel(log.clone("j-0001", "ada"), "ada")
    found = figures(caller(tmp_path).get("/metrics").text)
    assert found['llmuses_jobs{status="queued"}'] == 1
    assert found['llmuses_jobs{status="cancelled"}'] == 1
    assert found['llmuses_jobs{status="running"}'] == 0
    assert found['llmuses_store_bytes{store="jobs.jsonl"}'] == (tmp_path / "jobs" / "jobs.jsonl").stat().st_size
    assert found["llmuses_memory_bytes"] > 1e7


@pytest.mark.parametrize(
    ("address", "base", "headers"),
    [
        ("203.0.113.7", "http://localhost", {}),
        ("127.0.0.1", "http://lab.example", {}),
        ("127.0.0.1", "http://localhost", {"x-forwarded-for": "203.0.113.7"}),
    ],
)
def test_nobody_elsewhere_reads_the_figures(tmp_path: Path, address: str, base: str, headers: dict[str, str]) -> None:
    assert caller(tmp_path, address, base).get("/metrics", headers=headers).status_code == 404


def test_with_a_token_only_its_holder_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_ENV, "a long token")
    elsewhere = caller(tmp_path, "203.0.113.7", "http://lab.example")
    assert elsewhere.get("/metrics", headers={"authorization": "Bearer a long token"}).status_code == 200
    assert elsewhere.get("/metrics", headers={"authorization": "Bearer a"}).status_code == 404
    assert caller(tmp_path).get("/metrics").status_code == 404
