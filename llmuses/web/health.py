"""Whether the server is well, for whoever looks after it: ``healthz`` for anybody, ``metrics`` for Prometheus."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leaderboard.results import AllResults
from llmuses.jobs import JobLog, JobStatus
from llmuses.keeping.standing import mirror_state
from llmuses.settings import arena_dir, jobs_dir
from llmuses.web.callers import is_at_this_machine

_STARTED = time.time()
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


TOKEN_ENV = "LLMUSES_METRICS_TOKEN"
"""What a reader of ``metrics`` sends as its bearer token; without one only this machine may read."""


def add_health(app: FastAPI, results: AllResults) -> None:
    """Add ``healthz`` and ``metrics`` to the app."""

    async def healthz(request: Request) -> Response:
        problem = await run_in_threadpool(_problem, results.outputs)
        content = {"status": "failing", "problem": problem} if problem else {"status": "ok"}
        return JSONResponse(content, 503 if problem else 200, {"cache-control": "no-store"})

    async def metrics(request: Request) -> Response:
        if not _may_read(request):
            return Response(status_code=404)
        lines = await run_in_threadpool(lambda: list(_lines(results)))
        return Response("\n".join([*lines, ""]), media_type=_TEXT, headers={"cache-control": "no-store"})

    app.add_route("/healthz", healthz, methods=["GET", "HEAD"])
    app.add_route("/metrics", metrics, methods=["GET"])


def _may_read(request: Request) -> bool:
    token = os.environ.get(TOKEN_ENV)
    if token:
        given = request.headers.get("authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())
    return is_at_this_machine(request)


def _problem(outputs: Path) -> str:
    """Return why the server cannot do its work, "" where it can."""
    if not outputs.exists():
        return ""
    try:
        next(outputs.iterdir(), None)
    except OSError as problem:
        return f"the folder of runs cannot be read: {problem.strerror}"
    free = shutil.disk_usage(outputs).free
    return f"{free / 1e6:.0f} MB are left on the disk" if free < 50e6 else ""


def _lines(results: AllResults) -> Iterator[str]:
    entries = results.runs()
    jobs = JobLog(jobs_dir(results.outputs)).jobs()
    yield from _family("llmuses_up_seconds", "gauge", "Seconds since the server started.", {"": time.time() - _STARTED})
    yield from _family("llmuses_memory_bytes", "gauge", "Resident memory of the server.", {"": _resident()})
    runs = Counter(str(entry.status) for entry in entries)
    yield from _family("llmuses_runs", "gauge", "Runs by status.", _labelled("status", runs))
    status = {str(known): sum(job.status is known for job in jobs) for known in JobStatus}
    yield from _family("llmuses_jobs", "gauge", "Jobs by status.", _labelled("status", status))
    stores = {path.name: path.stat().st_size for path in _stores(results.outputs)}
    yield from _family("llmuses_store_bytes", "gauge", "Size of the stores that only grow.", _labelled("store", stores))
    if results.outputs.exists():
        free = shutil.disk_usage(results.outputs).free
        yield from _family("llmuses_disk_free_bytes", "gauge", "Free space where the runs are.", {"": free})
    yield from _backup(results.outputs)


def _backup(outputs: Path) -> Iterator[str]:
    state = mirror_state(outputs)
    if state is None:
        return
    failing = float(bool(state.problem))
    yield from _family("llmuses_backup_failing", "gauge", "1: the last try to copy to the hub failed.", {"": failing})
    if state.done is not None:
        age = time.time() - state.done
        yield from _family("llmuses_backup_age_seconds", "gauge", "Seconds since the copy was up to date.", {"": age})


def _stores(outputs: Path) -> list[Path]:
    folders = (jobs_dir(outputs), arena_dir(outputs))
    return [path for folder in folders for path in sorted(folder.glob("*.jsonl"))]


def _labelled(label: str, values: Mapping[str, Any]) -> dict[str, float]:
    return {f'{{{label}="{name}"}}': float(value) for name, value in values.items()}


def _family(name: str, kind: str, about: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{labels} {value:g}" if value < 1e6 else f"{name}{labels} {value:.0f}"


def _resident() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return float("nan")
    return pages * 4096.0
