"""Who answers: local checkpoints, OpenAI-compatible servers, built-in baselines, behind one verb."""

from llmuses.models.base import Delta, Model, Streamer, StreamError
from llmuses.models.load import load_model

__all__ = ["Delta", "Model", "StreamError", "Streamer", "load_model"]
