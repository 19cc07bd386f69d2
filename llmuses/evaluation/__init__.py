"""A run from plan to report: plan, infer, review, report."""

from llmuses.evaluation.evaluate import evaluate
from llmuses.evaluation.runner import Result
from llmuses.evaluation.score import score
from llmuses.evaluation.work import Stage

__all__ = ["Result", "Stage", "evaluate", "score"]
