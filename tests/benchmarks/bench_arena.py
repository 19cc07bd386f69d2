"""How close judging comes to what the judge's slots allow: ``python -m tests.benchmarks.bench_arena``.

A scripted judge answers after an exponential latency, 32 calls in flight. Measured is the whole of judging: prompts made and
hashed, calls, verdicts stored and read, battles decided and recorded. The ideal is what the latencies alone need: each one
goes to the slot that falls free first. The exit code says whether the target was missed; a busy machine misses it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from arena.pipeline.answers import Answer
from arena.pipeline.battles import Decided, outcomes, record
from arena.pipeline.config import ReviewerConfig, parse_config
from arena.pipeline.judges import panel_of
from arena.pipeline.judging import Bench, Slot, judged
from arena.pipeline.questions import Question
from llmuses.inference import Predictions
from tests.benchmarks.bench_scheduler import ROUNDS, Case
from tests.support.arena_judge import answer
from tests.support.servers import mock_openai

PLAYERS = ("skill-40", "skill-50", "skill-60", "skill-70")
QUESTIONS = 125
CASE = Case("1,500 judge calls x exponential 0.2 s, 32 in flight", QUESTIONS * 6 * 2, 32, "exp:0.2", 1.2)


def judging(base_url: str) -> float:
    """Return the seconds from the first prompt to the last recorded battle."""
    server = {"base_url": base_url, "max_concurrency": CASE.slots}
    reviewer = ReviewerConfig(args={"model": "openai:judge", "model_args": server})
    reviews = {"reviewer": {"ref": reviewer.ref, "args": reviewer.args}}
    (judge,) = panel_of(parse_config({"questions_file": "", "reviews_gen": reviews}), Path(), dry_run=False)
    questions = [
        Question(str(n), "knowledge", "en", (f"Question {n}: " + "what is known of it? " * 20,))
        for n in range(QUESTIONS)
    ]
    answers = {
        name: {q.question_id: Answer((answer(name, q.text) + " So I say." * 60,)) for q in questions}
        for name in PLAYERS
    }
    pairs = [(one, two) for n, one in enumerate(PLAYERS) for two in PLAYERS[n + 1 :]]
    slots = [Slot(question, *pair) for question in questions for pair in pairs]
    with tempfile.TemporaryDirectory() as folder:
        store = Predictions(Path(folder) / "verdicts")
        begin = time.perf_counter()
        bench = Bench(judge, slots, answers, store)
        verdicts, spent = judged(bench, judge.opened(), lambda *_: None)
        found = outcomes(bench, verdicts, 1 / len(pairs))
        battles = [one.battle for one in found if isinstance(one, Decided)]
        record(Path(folder) / "battles.jsonl", battles)
        store.close()
        seconds = time.perf_counter() - begin
    assert len(battles) == len(slots) and spent.calls == CASE.requests
    return seconds


def main() -> int:
    import llmuses.models.openai.session  # noqa: F401  (the import is not part of judging)

    ideal = CASE.ideal()
    seconds = []
    for _ in range(ROUNDS):
        with mock_openai(arena="fair", latency=CASE.latency) as server:
            seconds.append(judging(server.base_url))
    median = statistics.median(seconds)
    print(f"{'':54}{'seconds':>9}{'ideal':>8}{'ratio':>8}{'target':>8}")
    print(f"{CASE.name:54}{median:9.2f}{ideal:8.2f}{median / ideal:8.2f}{CASE.target:8.2f}")
    return int(median > CASE.target * ideal)


if __name__ == "__main__":
    sys.exit(main())
