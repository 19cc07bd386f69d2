"""Settings of the whole suite."""

from __future__ import annotations

import os

# Tests run beside each other, one on each core: more threads in one of them would take turns with the others. Set before
# torch is imported, and handed on to the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hundreds of processes start from these files: compiling them is wanted once, even where it is otherwise not.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code. The examples are the same in
# every run; `make test ARGS=--hypothesis-profile=search` looks for new ones.
settings.register_profile("llmuses", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile("llmuses")
