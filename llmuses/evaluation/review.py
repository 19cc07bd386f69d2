"""From a prediction to a review: what an answer was worth, and why."""

from __future__ import annotations

from llmuses.benchmarks import Benchmark
from llmuses.inference import Item
from llmuses.records import DatasetPlan, ErrorKind, Prediction, Review, Status

_PREVIEW = 160


def review(benchmark: Benchmark, plan: DatasetPlan, item: Item, prediction: Prediction) -> Review:
    """Return the review of one answered item. An error is never a zero in silence: it has a status and a reason."""
    sample, response = item.sample, prediction.response
    result = Review(
        key=prediction.key,
        sample_id=sample.sample_id,
        subset=sample.subset,
        repeat=item.repeat,
        status=Status.SCORED,
        target=sample.target,
        finish_reason=response.finish_reason,
        truncated=response.truncated,
        latency=response.latency,
        tokens=response.usage.completion_tokens if response.usage else None,
        prompt_tokens=response.usage.prompt_tokens if response.usage else None,
        reasoning_tokens=response.usage.reasoning_tokens if response.usage else None,
        scorer=benchmark.version,
        prompt=" ".join(sample.question.split())[:_PREVIEW],
    )
    if (error := response.error) is not None:
        rejected = error.kind is ErrorKind.REJECTED
        result.status = Status.REJECTED if rejected else Status.FAILED
        result.reason = f"{error.code}: {error.message}" if error.message else error.code
        result.scores = dict.fromkeys(benchmark.metrics[plan.mode], 0.0) if rejected else {}
        return result
    try:
        judgement = benchmark.judge(sample, response, plan.mode)
        scores = {metric: float(judgement.scores[metric]) for metric in benchmark.metrics[plan.mode]}
    except KeyError as problem:
        result.status = Status.FAILED
        result.reason = f"scoring failed: it gave no score for {problem}"
        return result
    except Exception as problem:  # a fault of the scorer must neither end the run nor count against the model
        result.status = Status.FAILED
        result.reason = f"scoring failed: {type(problem).__name__}: {problem}"
        return result
    result.status = Status.UNPARSED if judgement.extracted is None else Status.SCORED
    result.extracted, result.span, result.rule = judgement.extracted, judgement.span, judgement.rule
    result.reason = judgement.reason
    result.scores = scores
    return result
