"""Written answers against lm-evaluation-harness: ``python -m tests.benchmarks.bench_writing``.

Questions shaped like those of GSM8K, eight worked examples before each, up to 256 new tokens, greedy, float32, on the
CPU: the same rows, checkpoint and number of threads for both, one after the other in each round, each in a process of
its own; loading is not counted. The table shows the median of the rounds. Answers must be equal. The harness runs with
the fastest of its batch sizes. Two Llama-style checkpoints are made here, of about 7 and 100 million parameters;
SmolLM2-135M-Instruct is added where its package is installed.

``--peer PATH`` is the harness's Python; without it only our own figures are shown. ``--quick`` is a short run for a
look, ``--model NAME`` one model only. The exit code says whether the target was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import harness
from tests.benchmarks.local_models import SIZES, create, smollm2

TARGET = 2.0
STOP = ("Question:",)


class Extent(NamedTuple):
    """How much is asked of a small and of a large model, how often, and which batch sizes the peer may try."""

    rows: tuple[int, int]
    tokens: int
    rounds: int
    batches: Sequence[int]


FULL, QUICK = Extent((64, 24), 256, 3, (8, 16, 32)), Extent((16, 16), 64, 1, (16,))
TRIAL_TOKENS = 64
"""New tokens of the runs that find the peer's best batch size."""


class Outcome(NamedTuple):
    """What one run gave: answers in the rows' order, seconds on the clock and of the processor."""

    answers: list[str]
    seconds: float
    processor: float


# --- What is asked -----------------------------------------------------------------------------------------------


def question(chance: random.Random) -> tuple[str, str]:
    """Return a word problem in three steps and its worked solution."""
    name, other = chance.sample(["Ada", "Bruno", "Chidi", "Dana", "Emre", "Farah", "Goran", "Hana"], 2)
    thing = chance.choice(["pencils", "apples", "marbles", "stamps", "tickets", "bottles"])
    place = chance.choice(["market", "school fair", "harbour", "library", "village shop"])
    boxes, each, lost, price = chance.randint(3, 12), chance.randint(4, 15), chance.randint(2, 9), chance.randint(2, 6)
    left = boxes * each - lost
    asked = (
        f"{name} carries {boxes} boxes with {each} {thing} each to the {place}. On the way {lost} {thing} fall into the "
        f"river. {other} buys all the {thing} that are left and pays {price} dollars for each of them. How many dollars "
        f"does {name} take home in the evening?"
    )
    solved = (
        f"{name} starts with {boxes} * {each} = {boxes * each} {thing}. After {lost} of them are lost there are "
        f"{boxes * each} - {lost} = {left} {thing} left. {other} pays {left} * {price} = {left * price} dollars.\n"
        f"#### {left * price}"
    )
    return asked, solved


def prompts(rows: int) -> list[str]:
    """Return prompts that share their eight worked examples."""
    chance = random.Random(5)
    shots = "\n\n".join("Question: {}\nAnswer: {}".format(*question(chance)) for _ in range(8))
    return [f"{shots}\n\nQuestion: {question(chance)[0]}\nAnswer:" for _ in range(rows)]


# --- Who is asked --------------------------------------------------------------------------------------------------


def tokenizer() -> Any:
    """Return a tokenizer that cuts such questions into about as many tokens as those of real models do."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=[end], initial_alphabet=alphabet, show_progress=False)
    chance = random.Random(6)
    backend.train_from_iterator(["\n".join(question(chance)) for _ in range(200)], trainer)
    kind: Any = transformers.PreTrainedTokenizerFast
    return kind(tokenizer_object=backend, eos_token=end, pad_token=end)


def checkpoints(folder: Path) -> dict[str, Path]:
    """Return the models' folders by name."""
    found = {size: create(folder, size) for size in SIZES}
    for place in found.values():
        tokenizer().save_pretrained(place)
    instructed = smollm2()
    return found | ({"SmolLM2-135M": instructed} if instructed else {})


def write(job: Mapping[str, Any]) -> None:
    """Write all answers once with our own backend. Loading, and trying the network, is not counted."""
    from llmuses.models import load_model
    from llmuses.records import Generate, GenerationConfig, Message, Request

    model = load_model(job["model"], threads=job["threads"], device_map="cpu", chat_template="none")
    config = GenerationConfig(max_tokens=job["tokens"], stop=tuple(job["stop"]))
    requests = [
        Request(str(number), Generate(messages=(Message("user", prompt),), config=config))
        for number, prompt in enumerate(json.loads(Path(job["rows"]).read_text()))
    ]
    list(model.run(requests[:1]))
    wall, work = time.perf_counter(), time.process_time()
    texts = {response.key: response.text for response in model.run(requests)}
    seconds, processor = time.perf_counter() - wall, time.process_time() - work
    answers = [texts[request.key] for request in requests]
    Path(job["result"]).write_text(json.dumps({"answers": answers, "seconds": seconds, "processor": processor}))


# --- One beside the other --------------------------------------------------------------------------------------------


def run(command: Sequence[str], job: Mapping[str, Any], folder: Path) -> Outcome:
    """Return what a process did with a job."""
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    path = folder / "job.json"
    path.write_text(json.dumps({**job, "result": str(result)}))
    environment = {**os.environ, "OMP_NUM_THREADS": str(job["threads"]), "HF_HUB_OFFLINE": "1"}
    subprocess.run([*command, str(path)], check=True, env=environment, stdout=subprocess.DEVNULL, stderr=None)
    return Outcome(**json.loads(result.read_text()))


def compare(name: str, model: Path, peer: Path | None, extent: Extent, threads: int, folder: Path) -> bool:
    """Print a line for one model; return whether its target is met."""
    rows = extent.rows[name != "7M"]
    (folder / "rows.json").write_text(json.dumps(prompts(rows)))
    job = {
        "model": str(model),
        "rows": str(folder / "rows.json"),
        "stop": STOP,
        "tokens": extent.tokens,
        "threads": threads,
    }
    ours_command = [sys.executable, "-m", "tests.benchmarks.bench_writing", "--job"]
    theirs_command = [str(peer), str(Path(__file__).with_name("writing_peer.py"))]
    batch = extent.batches[0]
    if peer and len(extent.batches) > 1:
        trial = {**job, "tokens": TRIAL_TOKENS}
        tried = {size: run(theirs_command, {**trial, "batch": size}, folder) for size in extent.batches if size <= rows}
        batch = min(tried, key=lambda size: tried[size].processor)
    ours: list[Outcome] = []
    theirs: list[Outcome] = []
    for _ in range(extent.rounds):
        ours.append(run(ours_command, job, folder))
        if peer:
            theirs.append(run(theirs_command, {**job, "batch": batch}, folder))
    line = f"{name:<13}{rows:>5}{rows / statistics.median(one.seconds for one in ours):>9.2f}"
    if not theirs:
        print(line)
        return True
    ratios = sorted(there.seconds / here.seconds for here, there in zip(ours, theirs, strict=True))
    work = statistics.median(there.processor / here.processor for here, there in zip(ours, theirs, strict=True))
    equal = sum(one.strip() == other.strip() for one, other in zip(ours[0].answers, theirs[0].answers, strict=True))
    line += f"{rows / statistics.median(one.seconds for one in theirs):>10.2f}{batch:>7}"
    line += f"{statistics.median(ratios):>8.1f}x ({ratios[0]:.1f}-{ratios[-1]:.1f}){work:>9.1f}x"
    print(f"{line}{equal:>9}", flush=True)
    return statistics.median(ratios) >= TARGET and equal == rows


def main() -> int:
    """Print the table; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="Written answers against lm-evaluation-harness.")
    parser.add_argument("--peer", type=Path, default=harness.PYTHON, help="the Python that has lm-evaluation-harness")
    parser.add_argument("--quick", action="store_true", help="few rows and tokens, one round")
    parser.add_argument("--model", help="one model only, by the beginning of its name")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        write(json.loads(args.job.read_text()))
        return 0
    peer = harness.found(args.peer)
    extent = QUICK if args.quick else FULL
    print(
        f"On the CPU in float32, {args.threads} threads, the median of {extent.rounds} rounds of each; 8 shots, at most "
        f"{extent.tokens} new tokens"
    )
    print("model         rows questions/s harness  batch   ratio (range)    processor    equal")
    met = True
    with tempfile.TemporaryDirectory() as folder:
        for name, model in checkpoints(Path(folder)).items():
            if not args.model or name.lower().startswith(args.model.lower()):
                met &= compare(name, model, peer, extent, args.threads, Path(folder))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
