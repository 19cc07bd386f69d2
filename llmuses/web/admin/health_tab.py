"""The tab of health: what the stores hold and whether they are whole, who works, what fails, who did what."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from leaderboard.board_words import Words
from llmuses.jobs import JobStatus
from llmuses.keeping.standing import mirror_state
from llmuses.markup import Markup, count, icon, join, link
from llmuses.models.obstacles import own_obstacles
from llmuses.settings import arena_dir, jobs_dir
from llmuses.visit import Visit
from llmuses.web.admin.battle_job import battle_job
from llmuses.web.admin.parts import moment, section, table
from llmuses.web.admin.room import Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person
from llmuses.web.admin.store_check import STORES, checked, run_stores

_DEEDS = 50
"""So many lines of the audit log are shown."""

_PACKAGES = ("gradio", "torch", "transformers", "vllm", "openai", "duckdb")


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab."""
    say = Words(visit.lang, "admin")
    parts = [_stores(room, say), _work(room, say), _failing(room, say), _versions(say)]
    return join([*parts, _audit(room, say)] if person.is_admin else parts)


def _stores(room: Room, say: Words) -> Markup:
    rows = [_store(path, say) for folder in (jobs_dir(room.outputs), arena_dir(room.outputs)) for path in _in(folder)]
    found = run_stores(room.outputs)
    rows += [_store(path, say) for path in found.damaged]
    files, size = _runs(room.outputs)
    about = say("health.runs", files=count(files), size=_bytes(size))
    about += say("health.run_stores", n=count(found.looked_at), broken=count(found.broken))
    if found.left:
        about += say("health.run_stores.left", n=count(found.left))
    if room.outputs.exists():
        about += say("health.free", size=_bytes(shutil.disk_usage(room.outputs).free))
    heads = [say(f"health.{name}") for name in ("store", "size", "lines", "broken", "torn")]
    return section(say("health.stores"), table(heads, rows, (1, 2, 3, 4)), about=about)


def _in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _store(path: Path, say: Words) -> Markup:
    name = "/".join(path.parts[-3 if path.parent.name in STORES else -2 :])
    try:
        found = checked(path)
    except OSError as problem:
        return Markup('<tr><th scope="row" class="mono">{}</th><td colspan="4">{}</td></tr>').format(
            name, say("health.unreadable", why=problem.strerror)
        )
    return Markup(
        '<tr><th scope="row" class="mono">{}</th><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td>'
        '<td class="n">{}</td></tr>'
    ).format(name, _bytes(found.size), count(found.lines), _bad(found.broken), _bad(found.torn))


def _bad(number: int) -> Markup:
    if not number:
        return Markup("0")
    return Markup('<span class="u-v bare wrong">{}{}</span>').format(icon("wrong", small=True), count(number))


def _runs(outputs: Path) -> tuple[int, int]:
    """Return how many files the runs have, and their bytes. What vanishes meanwhile is left out."""
    files = size = 0
    for folder, _, names in os.walk(outputs):
        for name in names:
            try:
                size += os.stat(os.path.join(folder, name)).st_size
            except OSError:
                continue
            files += 1
    return files, size


def _work(room: Room, say: Words) -> Markup:
    holder = room.supervisor.holder()
    words = say("health.supervisor.none") if holder is None else say("health.supervisor", pid=holder)
    if holder == os.getpid():
        words = say("health.supervisor.here", pid=holder)
    sign = Markup('<span class="u-v bare {}">{}{}</span>')
    kind = "wrong" if holder is None else "correct"
    return section(say("health.work"), sign.format(kind, icon(kind, small=True), words) + _copy(room, say))


def _copy(room: Room, say: Words) -> Markup:
    """Return how the copy on a hub stands, nothing where none is kept."""
    state = mirror_state(room.outputs)
    if state is None:
        return Markup("")
    done = moment(state.done) if state.done is not None else say("health.backup.never")
    words = say("health.backup.failing", where=state.where, why=state.problem) if state.problem else state.where
    kind = "wrong" if state.problem else "correct"
    line = Markup('<p><span class="u-v bare {}">{}{}</span> <span class="md q">{}</span></p>')
    return line.format(kind, icon(kind, small=True), words, say("health.backup.done", when=done))


def _failing(room: Room, say: Words) -> Markup:
    rows = join(
        Markup('<li><b class="mono">{}</b> {}</li>').format(name, problem) for name, problem in _problems(room, say)
    )
    if not rows:
        return section(say("health.failing"), Markup('<p class="md q">{}</p>').format(say("health.failing.none")))
    return section(say("health.failing"), Markup('<ul class="md u-plainlist">{}</ul>').format(rows))


def _problems(room: Room, say: Words) -> Iterator[tuple[Markup | str, str]]:
    room.results.runs()
    for damage in room.results.damaged():
        yield str(damage.path.relative_to(room.outputs)), damage.problem
    obstacles = own_obstacles()
    yield from obstacles.items()
    for state in () if room.arena is None else room.arena.player_states():
        if state.failures:
            figures = {"failures": count(state.failures), "answers": count(state.answers)}
            yield state.name, say("health.model", **figures, why=state.reason or "")
        elif state.state in ("sits_out", "unavailable") and state.name not in obstacles:
            yield state.name, state.reason or say(f"models.state.{state.state}")
    for job in room.log.jobs():
        where = Markup('<a href="{}">{}</a>').format(link("admin", tab="jobs", job=job.job_id), job.job_id)
        if job.status is JobStatus.FAILED:
            yield where, job.reason
        elif job.status is JobStatus.DONE and (battles := battle_job(room, job)) and battles.undecided:
            yield where, say("status.undecided")


def _versions(say: Words) -> Markup:
    found = [f"llmuses {_version('llmuses')}", f"Python {platform.python_version()}", platform.platform(terse=True)]
    found += [f"{name} {version}" for name in _PACKAGES if (version := _version(name))]
    return section(say("health.versions"), Markup('<p class="md mono">{}</p>').format(" · ".join(found)))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _audit(room: Room, say: Words) -> Markup:
    rows = (
        Markup(
            '<tr><td class="q">{}</td><th scope="row">{}</th><td class="mono">{}</td><td class="mono cut" title="{}">{}</td>'
            '<td class="mono q">{}</td></tr>'
        ).format(moment(line.tstamp), line.by or "–", line.deed, line.about, line.about[:200], line.address)
        for line in room.audit.last(_DEEDS)
    )
    heads = [say(f"health.{name}") for name in ("when", "who", "deed", "what", "from")]
    return section(say("health.audit"), table(heads, rows), about=say("health.audit.about", n=_DEEDS))


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


TAB = Tab("health", Role.OPERATOR, view)
