"""From a prediction to a review: what an answer was worth, and why."""

from __future__ import annotations

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.base import Scorer
from llmuses.inference import Item
from llmuses.records import DatasetPlan, ErrorKind, Prediction, Response, ResponseError, Review, Status

_PREVIEW = 160
_ROUNDING = 1e-9
"""How far a score may lie beyond its ends: a mean of ones can come out as a little more than one."""


def review(benchmark: Benchmark, plan: DatasetPlan, item: Item, prediction: Prediction, scorer: Scorer) -> Review:
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
        tag=benchmark.tag(sample),
        parts=benchmark.parts(sample),
        prompt=" ".join(sample.question.split())[:_PREVIEW],
    )
    metrics = benchmark.metrics_of(plan)
    if (error := response.error) is not None:
        rejected = error.kind is ErrorKind.REJECTED
        result.status = Status.REJECTED if rejected else Status.FAILED
        result.reason = in_one_line(error)
        result.scores = dict.fromkeys(metrics, 0.0) if rejected else {}
        return result
    try:
        judgement = scorer(sample, response)
        scores = {metric: float(judgement.scores[metric]) for metric in metrics}
    except KeyError as problem:
        return failed(result, f"scoring failed: it gave no score for {problem}")
    except Exception as problem:  # a fault of the scorer must neither end the run nor count against the model
        return failed(result, f"scoring failed: {type(problem).__name__}: {problem}")
    for metric, score in scores.items():
        if not -_ROUNDING <= score <= 1 + _ROUNDING:  # nor is "not a number"
            return failed(result, f"scoring failed: it gave {score:g} for '{metric}', no number from 0 to 1")
    result.status = Status.UNPARSED if judgement.extracted is None else Status.SCORED
    result.extracted, result.span, result.rule = judgement.extracted, judgement.span, judgement.rule
    result.reason = judgement.reason
    if judgement.extracted is None and response.text is not None and not response.text.strip():
        result.reason = _empty(response)
    result.verdict = None if judgement.verdict is None else dict(judgement.verdict)
    result.scores = {metric: min(1.0, max(0.0, score)) for metric, score in scores.items()}
    return result


def _empty(response: Response) -> str:
    """Return why nothing could be read: there is nothing, and perhaps where it went."""
    why = "the answer is empty: the model only thought" if response.reasoning else "the answer is empty"
    return f"{why}, until its length was used up" if response.truncated else why


def failed(result: Review, reason: str) -> Review:
    """Return a review as that of an answer that could not be scored: not in the score, and to be scored again."""
    result.status, result.reason, result.scores = Status.FAILED, reason, {}
    return result


def in_one_line(error: ResponseError) -> str:
    """Return why there is no response, as a review says it."""
    return f"{error.code}: {error.message}" if error.message else error.code
