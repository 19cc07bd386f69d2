"""Running code that a model wrote: isolated by the kernel, judged from outside its process."""

from __future__ import annotations

from llmuses.sandbox.pool import Sandbox, open_sandbox
from llmuses.sandbox.verdict import FunctionJob, Limits, Outcome, ProgramJob, Verdict

__all__ = ["FunctionJob", "Limits", "Outcome", "ProgramJob", "Sandbox", "Verdict", "open_sandbox"]
