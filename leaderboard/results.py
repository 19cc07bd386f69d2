"""Every run below the outputs folder, as the pages see it: read once, read again only where a file changed.

A run is found by its ``run.json``. What cannot be read, and a second folder of one run, is left out and named in
``damaged()``; the rest stays readable. All methods may be called from many threads.

There are two kinds, and no public page is ever given the other one: ``Results`` holds what is public, ``AllResults`` hidden
runs too. What serves both a page and the admin room takes ``Runs``.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from llmuses import visibility
from llmuses.errors import StoreError
from llmuses.records import DatasetPlan, DatasetState, Report, Run, RunStatus
from llmuses.statistics.intervals import wilson
from llmuses.store import read_json
from llmuses.visibility import BEGAN_HIDDEN, Standing, Standings

R = TypeVar("R", bound=msgspec.Struct)
V = TypeVar("V")


class SoFar(NamedTuple):
    """The score of a dataset that is still being asked: an estimate of the final one, since the order is random.

    ``score`` and ``ci95`` are fractions, ``None`` before the first review. ``n`` is how many (sample, repeat) are in
    the score, ``answered`` of ``total`` have an answer. The interval is Wilson's over the distinct questions at the
    least: repeats of one question are not independent, so that they narrow nothing.
    """

    score: float | None
    ci95: tuple[float, float] | None
    n: int
    answered: int
    total: int


class Damage(NamedTuple):
    """A file that is left out, and why and what to do about it, in one line. ``hidden`` is one of a hidden run."""

    path: Path
    problem: str
    hidden: bool = False


class RunEntry(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One run: its ``run.json``, its folder, and its reports by the dataset's name (finished datasets only).

    A report over another model or other rows than ``run.json`` names is not among them: it is what an earlier run in
    this folder left. ``status`` is the run's own, except that a run said to be running whose lock nobody holds is
    ``interrupted``.
    """

    run: Run
    folder: Path
    reports: dict[str, Report]
    status: RunStatus
    found: dict[str, Report] = {}
    """All reports of the folder, those of earlier runs among them."""
    standing: Standing | None = None
    """Whether it is shown, and who decided that; None where nobody ever hid it."""

    @property
    def hidden(self) -> bool:
        """Whether it is kept from the public."""
        return self.standing is not None and self.standing.hidden

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def running(self) -> bool:
        """Whether a process is working on this run now."""
        return self.status is RunStatus.RUNNING

    def once(self, what: str, make: Callable[[], V]) -> V:
        """Return what ``make`` makes of this state of the run, made once and kept with it."""
        kept: dict[str, V] = self.__dict__
        if what not in kept:
            kept[what] = make()
        return kept[what]

    def datasets(self) -> list[str]:
        """Return the names of the datasets that the run asks, in its order, then any other that has a report."""
        names = [plan.dataset for plan in self.run.datasets]
        return names + [name for name in self.reports if name not in names]

    def plan(self, dataset: str) -> DatasetPlan | None:
        """Return how the run asks a dataset."""
        return next((plan for plan in self.run.datasets if plan.dataset == dataset), None)

    def so_far(self, dataset: str) -> SoFar | None:
        """Return the score so far of a dataset that the run has not finished, ``None`` where its report is final."""
        state = self.run.states.get(dataset)
        if state is None or (dataset in self.reports and not self._unfinished(state)):
            return None
        n = max(state.reviewed - state.failed, 0)
        answered = max(state.answered - state.failed, 0)
        if n == 0:
            return SoFar(None, None, 0, answered, state.total)
        score = min(max(state.correct / n, 0.0), 1.0)
        questions = -(-n // max(self.run.repeats, 1))
        return SoFar(score, wilson(score * questions, questions), n, answered, state.total)

    def _unfinished(self, state: DatasetState) -> bool:
        return self.running and state.answered < state.total

    def predictions(self, dataset: str) -> Path:
        """Return the file of a dataset's predictions, which may not exist yet."""
        return self.folder / "predictions" / f"{dataset}.jsonl"

    def reviews(self, dataset: str) -> Path:
        """Return the file of a dataset's reviews, which may not exist yet."""
        return self.folder / "reviews" / f"{dataset}.jsonl"

    def inside(self, path: Path) -> bool:
        """Return whether a file lies below the outputs folder: a link in a run's folder may not lead out of it."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder.parent))

    def samples_inside(self, dataset: str) -> bool:
        """Return whether a dataset's reviews and predictions may be read: both lie below the outputs folder."""
        return self.inside(self.reviews(dataset)) and self.inside(self.predictions(dataset))


class Runs(Protocol):
    """Runs to show, whoever may see them."""

    @property
    def outputs(self) -> Path: ...
    def runs(self) -> list[RunEntry]: ...
    def run(self, run_id: str) -> RunEntry | None: ...
    def damaged(self) -> list[Damage]: ...


class Results:
    """The public runs below one outputs folder, which may be missing or empty; nothing is ever written.

    What stands beside a hidden run in its folder, or cannot be read there, is not named here either.
    """

    def __init__(self, outputs: Path, everything: AllResults | None = None):
        self.outputs = outputs
        self._everything = everything or AllResults(outputs)
        self._kept: tuple[list[RunEntry], list[RunEntry]] = ([], [])
        """All runs, and the public ones of them."""

    def runs(self) -> list[RunEntry]:
        """Return every readable public run, the one started last first. As long as nothing changes it is the same list, of
        the same entries: what is made of them can be kept."""
        everything = self._everything.runs()
        before, public = self._kept
        if everything is not before:
            public = _same_list(public, [entry for entry in everything if not entry.hidden])
            self._kept = everything, public
        return public

    def run(self, run_id: str) -> RunEntry | None:
        """Return the public run with this id, ``None`` where there is none. Any text may be given."""
        return _named(self.runs(), run_id)

    def damaged(self) -> list[Damage]:
        """Return the files that the last ``runs()`` left out, but those of runs that are hidden, if only since then."""
        return [each for each in self._everything.damaged() if not each.hidden and not self._hidden(each.path)]

    def _hidden(self, path: Path) -> bool:
        """Return whether a file is of a run that is hidden now."""
        parts = path.relative_to(self.outputs).parts
        stands = visibility.standing(self.outputs / parts[0]) if parts else None
        return stands is not None and stands.hidden


class AllResults:
    """All runs below one outputs folder, hidden ones too: for the admin room and the server itself, never for a page."""

    def __init__(self, outputs: Path):
        self.outputs = outputs
        self._runs: _Cache[Run] = _Cache(Run, "move the folder away, or repair run.json")
        self._reports: _Cache[Report] = _Cache(Report, "the run's command, given again, writes it anew")
        self._damaged: list[Damage] = []
        self._entries: dict[str, RunEntry] = {}
        self._listings: dict[str, _Listing] = {}
        self._standings = Standings()
        self._runs_before: list[RunEntry] = []
        self._mutex = threading.Lock()

    def runs(self) -> list[RunEntry]:
        """Return every readable run, the one started last first. As long as nothing changes it is the same list, of the
        same entries: what is made of them can be kept."""
        with self._mutex:
            self._damaged = []
            entries: dict[str, RunEntry] = {}
            known: dict[str, RunEntry] = {}
            folders = self._folders()
            self._standings.only(folders)
            for folder in folders:
                if (entry := self._entry(folder)) is not None:
                    known[folder] = entry
                    entries[entry.run_id] = self._one_of(entries.get(entry.run_id), entry)
            self._entries = known
            found = sorted(entries.values(), key=lambda entry: (entry.run.started, entry.run_id), reverse=True)
            self._runs_before = _same_list(self._runs_before, found)
            return self._runs_before

    def run(self, run_id: str) -> RunEntry | None:
        """Return the run with this id, ``None`` where there is none. Any text may be given."""
        return _named(self.runs(), run_id)

    def damaged(self) -> list[Damage]:
        """Return the files that the last ``runs()`` left out."""
        with self._mutex:
            return list(self._damaged)

    def _folders(self) -> list[str]:
        try:
            with os.scandir(self.outputs) as found:
                return sorted(entry.path for entry in found if not entry.name.startswith(".") and entry.is_dir())
        except FileNotFoundError:
            return []
        except OSError as problem:
            self._damaged.append(Damage(self.outputs, f"cannot be read ({problem.strerror or problem})"))
            return []

    def _one_of(self, known: RunEntry | None, entry: RunEntry) -> RunEntry:
        """Return which of two folders is the run: the hidden one, then the one of its name, else the first. The other is
        noted."""
        if known is None:
            return entry
        if known.hidden != entry.hidden:
            kept, copy = (entry, known) if entry.hidden else (known, entry)
        else:
            kept, copy = (entry, known) if entry.folder.name == entry.run_id else (known, entry)
        problem = f"is another copy of the run in {kept.folder.name}; move one of the two folders away"
        self._damaged.append(Damage(copy.folder / "run.json", problem, kept.hidden))
        return kept

    def _entry(self, folder: str) -> RunEntry | None:
        damaged: list[Damage] = []
        run = self._runs.read(f"{folder}/run.json", damaged)
        found = self._reports_in(folder, damaged) if run is not None else {}
        standing = self._standings.of(folder) if run is not None or damaged else None
        if standing is None and run is not None and run.began_hidden:
            standing = BEGAN_HIDDEN
        hidden = standing is not None and standing.hidden
        self._damaged += [damage._replace(hidden=hidden) for damage in damaged]
        if run is None:
            return None
        status = run.status
        if status is RunStatus.RUNNING and not _locked(Path(folder, "run.lock")):
            status = RunStatus.INTERRUPTED
        before = self._entries.get(folder)
        if before is not None and before.run is run and before.status is status and before.found is found:
            if before.standing is standing:
                return before
            return msgspec.structs.replace(before, standing=standing)
        reports = {name: report for name, report in found.items() if _current(report, run, name)}
        return RunEntry(run=run, folder=Path(folder), reports=reports, status=status, found=found, standing=standing)

    def _reports_in(self, folder: str, damaged: list[Damage]) -> dict[str, Report]:
        """Return the reports of a run's folder by their names; the same dictionary as before where all are the same.

        What replaces a file changes its folder: where there are many folders, files are looked at only then, and now and then.
        """
        place = f"{folder}/reports"
        sign, now = _sign(place), time.monotonic()
        before = self._listings.get(folder)
        if before is not None and before.sign == sign and now < before.until and len(self._listings) > _FEW:
            damaged += before.damaged
            return before.reports
        found: list[Damage] = []
        read = {name: self._reports.read(f"{place}/{name}.json", found) for name in _names(place)}
        reports = {name: report for name, report in read.items() if report is not None}
        if before is not None and _same(before.reports, reports):
            reports = before.reports
        self._listings[folder] = _Listing(sign, now + _LOOK_AGAIN, reports, found)
        damaged += found
        return reports


def _named(entries: list[RunEntry], run_id: str) -> RunEntry | None:
    return next((entry for entry in entries if entry.run_id == run_id), None)


def _same_list(before: list[RunEntry], now: list[RunEntry]) -> list[RunEntry]:
    """Return the list from before where the one of now holds the same entries."""
    same = len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))
    return before if same else now


class _Listing(NamedTuple):
    """What a folder of reports held, until when that is believed as long as the folder itself has not changed."""

    sign: Sign | None
    until: float
    reports: dict[str, Report]
    damaged: list[Damage]


_FEW = 50
"""So many folders are looked through whole each time."""

_LOOK_AGAIN = 2.0
"""Seconds after which reports are looked at even though their folder has not changed: somebody may have edited one in place."""

Sign = tuple[int, int, int]


def _sign(path: str) -> Sign | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class _Cache(Generic[R]):
    """The records of JSON files, kept as long as a file's time, size and inode stay the same."""

    def __init__(self, record_type: type[R], remedy: str):
        self._type = record_type
        self._remedy = remedy
        self._known: dict[str, tuple[Sign, R | Damage]] = {}

    def read(self, path: str, damaged: list[Damage]) -> R | None:
        """Return the file's record; ``None`` where there is no file, or a damaged one, which is then noted."""
        sign = _sign(path)
        if sign is None:
            self._known.pop(path, None)
            return None
        known = self._known.get(path)
        if known is None or known[0] != sign:
            known = self._known[path] = (sign, self._load(Path(path)))
        if isinstance(known[1], Damage):
            damaged.append(known[1])
            return None
        return known[1]

    def _load(self, path: Path) -> R | Damage:
        try:
            return read_json(path, self._type)
        except StoreError as problem:
            reason = str(problem).removeprefix(f"cannot read {path}: ")
            return Damage(path, f"cannot be read ({reason}); {self._remedy}")


def _same(before: dict[str, Report], reports: dict[str, Report]) -> bool:
    return before.keys() == reports.keys() and all(before[name] is report for name, report in reports.items())


def _names(folder: str) -> list[str]:
    try:
        return sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".json") and not name.startswith("."))
    except OSError:
        return []


def _current(report: Report, run: Run, dataset: str) -> bool:
    """Return whether a report is about the model and the rows that the run asks now."""
    state = run.states.get(dataset)
    return state is not None and report.model_identity == run.model_identity and report.dataset_sha256 == state.sha256


def _locked(path: Path) -> bool:
    """Return whether a process holds the lock of a run's folder. A process number alone may be another's by now.

    The lock is tried as a shared one: whoever else looks at the same moment is not taken for the run's own process.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: no run could have taken one
        return False
    finally:
        os.close(descriptor)  # which releases it
    return False
