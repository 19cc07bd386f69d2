"""The second pass over a dataset whose answers a judge model scores: each answer becomes a question to the judge."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from llmuses.benchmarks.base import Judgement
from llmuses.evaluation.dataset import Dataset, RunItems
from llmuses.evaluation.review import failed, in_one_line, review
from llmuses.evaluation.scoring import Scored
from llmuses.inference import Item, Predictions, infer
from llmuses.models import Model
from llmuses.records import Ask, Generate, Prediction, Response, Review, Sample, Status
from llmuses.store import JsonlStore


class VerdictItems:
    """What the judge is asked about one dataset of a run: one item for each answer that it has to score."""

    def __init__(self, dataset: Dataset, repeats: int, answers: JsonlStore[Prediction]):
        self._dataset = dataset
        self._items = RunItems([dataset], repeats)
        self._answers = answers
        self._offsets: dict[int, int] = {}
        reader = answers.read()
        for prediction in reader:
            if prediction.response.error is None:
                self._offsets[hash((prediction.sample_id, prediction.repeat))] = reader.offset
        self._indices = array("Q", (i for i in range(len(self._items)) if self._is_asked(self._items[i])))

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Item:
        item = self._items[self._indices[index]]
        ask = judge_ask(self._dataset, item.sample, self.answer(item).response)
        assert ask is not None
        return Item(item.dataset, item.sample, item.repeat, ask)

    def answer(self, item: Item) -> Prediction:
        """Return the answer that an item is about."""
        return next(self._answers.read_at([self._offsets[_place(item)]]))

    def _is_asked(self, item: Item) -> bool:
        if _place(item) not in self._offsets:
            return False
        return judge_ask(self._dataset, item.sample, self.answer(item).response) is not None


def _place(item: Item) -> int:
    return hash((item.sample.sample_id, item.repeat))


def judge_ask(dataset: Dataset, sample: Sample, response: Response) -> Ask | None:
    """Return what the judge is asked about an answer, None where it is scored without one."""
    judge = dataset.plan.judge
    if judge is None or response.error is not None:
        return None
    messages = dataset.benchmark.judge_ask(sample, response, dataset.plan)
    return None if messages is None else Generate(messages=messages, config=judge.generation)


def judged(
    judge: Model, items: VerdictItems, store: Predictions, dataset: Dataset, reuse: list[Path]
) -> Iterator[Scored]:
    """Ask the judge what it was not asked before; yield each answer with its review. Raises what the judge raises."""
    with closing(infer(judge, items, store, reuse=reuse)) as verdicts:
        for item, verdict in verdicts:
            answer = items.answer(item)
            yield Scored(item, answer, _review(dataset, item, answer, verdict))


def _review(dataset: Dataset, item: Item, answer: Prediction, verdict: Prediction) -> Review:
    benchmark, plan = dataset.benchmark, dataset.plan

    def read(sample: Sample, response: Response) -> Judgement:
        return benchmark.read_verdict(sample, response, verdict.response.text or "", plan)

    result = review(benchmark, plan, item, answer, read)
    if verdict.response.error is not None:
        failed(result, f"the judge gave no verdict: {in_one_line(verdict.response.error)}")
    elif result.status is Status.UNPARSED and _is_cut(verdict.response):  # which is not the model's fault
        failed(result, "the judge's verdict was cut off or is empty: judge_generation gives it more max_tokens")
    result.verdict = {"judge": verdict.model, "text": verdict.response.text}
    return result


def _is_cut(verdict: Response) -> bool:
    return verdict.truncated or not (verdict.text or "").strip()


def earlier_verdicts(outputs: Path, dataset: str) -> list[Path]:
    """Return the files of all runs that may hold verdicts on a dataset's answers; their keys say which fit."""
    return sorted(outputs.glob(f"*/verdicts/{dataset}*.jsonl"))
