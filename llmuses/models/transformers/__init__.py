"""The ``transformers`` backend: a checkpoint folder, a GGUF file, or an id on ModelScope or Hugging Face."""

from llmuses.models.transformers.loading import PREFERS, Args, check, load

__all__ = ["PREFERS", "Args", "check", "load"]
