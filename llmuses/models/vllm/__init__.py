"""The ``vllm`` backend: a checkpoint in an engine of vLLM, in this process."""

from llmuses.models.vllm.loading import PREFERS, Args, check, load

__all__ = ["PREFERS", "Args", "check", "load"]
