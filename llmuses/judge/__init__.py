"""Answers judged by a model: what the judge is asked, and how its verdict is read."""

from llmuses.judge.grading import grading_ask, read_grade
from llmuses.judge.truthfulness import read_truthfulness, truthfulness_ask

__all__ = ["grading_ask", "read_grade", "read_truthfulness", "truthfulness_ask"]
