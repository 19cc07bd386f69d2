"""The ``openai`` backend: any OpenAI-compatible server."""

from llmuses.models.openai.model import PREFERS, Args, check, load

__all__ = ["PREFERS", "Args", "check", "load"]
