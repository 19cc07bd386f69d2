"""Who answers: local checkpoints, OpenAI-compatible servers, built-in baselines, behind one verb."""

from llmuses.models.base import Model
from llmuses.models.load import load_model

__all__ = ["Model", "load_model"]
