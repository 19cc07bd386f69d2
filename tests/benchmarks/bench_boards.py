"""The boards at their largest: ``python -m tests.benchmarks.bench_boards``.

500 models in 30 columns (1,000 runs, 15,000 reports) and an arena of 2,000,000 votes. Each page is written by the function
that the app calls. ``cold`` is a process's first look; ``warm`` is every later one, over the same files, which are looked
through each time; memory is what the process holds above its start. A filter is a view that was asked for before by nobody.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from leaderboard.arena_board_ratings import Desk
from leaderboard.arena_board_view import arena_sheet, arena_view
from leaderboard.arenas import Arenas
from leaderboard.board_page import Boards
from leaderboard.demo_state import DemoState
from leaderboard.results import Results
from leaderboard.sheets import to_csv
from llmuses.benchmarks import benchmark_names
from llmuses.records import Report, Run
from llmuses.statistics.intervals import wilson
from llmuses.store import read_json, write_json
from llmuses.visit import Visit
from tests.support.fake_arenas import FakeArena
from tests.support.fake_runs import FakeDataset, FakeRun

MODELS, COLUMNS, VOTES = 500, 30, 2_000_000
FIRST, FILTER = 2.0, 0.3
"""Seconds that a first page, warm, and a filter may take."""


def write_runs(outputs: Path, models: int, columns: int) -> None:
    """Write two runs a model, which ask half as many benchmarks as there are columns with and without worked examples."""
    names = benchmark_names()[: columns // 2]
    folder = FakeRun("m", {"mmlu": FakeDataset(n=200, wrong=50, sample_data=False)}, run_id="template").write(outputs)
    run, report = read_json(folder / "run.json", Run), read_json(folder / "reports" / "mmlu.json", Report)
    (plan,), state = run.datasets, run.states["mmlu"]
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    replace = msgspec.structs.replace
    for number in range(models * 2):
        model, shots = f"lab-{number // 2 % 40}/model-{number // 2:03}-{1 + number // 2 % 90}b", 5 * (number % 2)
        mine = replace(
            run,
            run_id=f"run-{number:04}",
            model=model,
            model_identity=model,
            model_spec=f"openai:{model}",
            model_details={"parameters": (1 + number // 2 % 90) * 1e9},
            datasets=[replace(plan, dataset=name, few_shot=shots) for name in names],
            states=dict.fromkeys(names, state),
            started=1.795e9 + number,
        )
        place = outputs / mine.run_id
        (place / "reports").mkdir(parents=True)
        for column, name in enumerate(names):
            correct = (37 * number + 11 * column) % 180 + 10
            parts = {"benchmark": name, "version": "1", "rows": "f" * 16, "few_shot": str(shots)}
            mine_too = replace(
                report, dataset=name, title=name, group="knowledge", setting=f"{shots}-shot", few_shot=shots, model=model,
                model_identity=model, score=correct / 200, ci95=wilson(correct, 200), identity=parts,
            )  # fmt: skip
            (place / "reports" / f"{name}.json").write_bytes(msgspec.json.encode(mine_too))
        write_json(place / "run.json", mine)


def seconds(page: Callable[[], object]) -> tuple[float, float]:
    """Return how long a page takes, and how much of a processor it took: on a busy machine the two lie apart."""
    start, busy = time.perf_counter(), time.process_time()
    page()
    return time.perf_counter() - start, time.process_time() - busy


def measured(name: str, page: Callable[[], object], limit: float) -> bool:
    """Print how long a page takes for the first time and warm; return whether it is within the limit warm."""
    first, _ = seconds(page)
    found = [seconds(page) for _ in range(5)]
    warm, processor = (statistics.median(column) for column in zip(*found, strict=True))
    print(
        f"{name:42} first {first:6.3f} s   warm {warm:6.3f} s ({processor:.3f} s of processor)   limit {limit:.1f} s",
        flush=True,
    )
    return warm <= limit


def memory() -> float:
    """Return the megabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def until_there(page: Callable[[], object], busy: str) -> float:
    """Return after how many seconds a page no longer says that its figures are on their way."""
    start = time.perf_counter()
    while busy in str(page()):
        time.sleep(0.05)
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> int:
    """Print a line a page; return 1 where one takes longer than it may."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--votes", type=int, default=VOTES)
    args = parser.parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    fine = []
    with tempfile.TemporaryDirectory() as place:
        outputs = Path(place)
        write_runs(outputs, args.models, COLUMNS)
        FakeArena({f"model-{number:03}": 1000 + number for number in range(args.models)}, args.votes).write(
            outputs / "arena-large"
        )
        before = memory()
        boards = Boards(Results(outputs))

        def board(**query: str) -> Callable[[], object]:
            return lambda: boards.view(Visit("en", query), DemoState())

        some = boards.board({}).columns[3].key
        fine.append(
            measured(f"benchmarks, {args.models} models x {len(boards.board({}).columns)} columns", board(), FIRST)
        )
        fine += [
            measured("benchmarks, sorted by a column", board(sort=f"-{some}"), FILTER),
            measured("benchmarks, up to 10 B", board(size="10"), FILTER),
            measured("benchmarks, one organisation", board(org="lab-7"), FILTER),
            measured("benchmarks, words", board(q="model-1"), FILTER),
            measured("benchmarks, a column hidden", board(hide=some), FILTER),
            measured("benchmarks, every run", board(runs="each"), FILTER),
            measured("benchmarks, drawer", lambda: boards.beside(Visit("en", {"run": "run-0007", "dataset": "mmlu"})), FILTER),
            measured("benchmarks, CSV", lambda: to_csv(boards.sheet({})), FIRST),
        ]  # fmt: skip
        runs = memory()
        desk = Desk(Arenas(outputs))

        def arena(**query: str) -> Callable[[], object]:
            return lambda: arena_view(desk, Visit("en", query))

        print(f"arena of {args.votes:,} votes: the first table after {until_there(arena(), 'are being rated'):.1f} s, "
              f"by category after {until_there(arena(category='coding'), 'are being rated'):.1f} s more")  # fmt: skip
        fine.append(measured("arena board", arena(), FIRST))
        fine += [
            measured("arena board, a category", arena(category="coding"), FILTER),
            measured("arena board, another category", arena(category="maths"), FILTER),
            measured("arena board, words", arena(q="model-04"), FILTER),
            measured("arena board, sorted by votes", arena(sort="-votes"), FILTER),
            measured("arena board, CSV", lambda: to_csv(arena_sheet(desk, {}) or sys.exit("no sheet")), FIRST),
        ]
        print(f"memory above the start: {runs - before:.0f} MB for the runs, {memory() - runs:.0f} MB for the arena; "
              f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")  # fmt: skip
        desk.close()
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
