"""Settings of the whole suite."""

from __future__ import annotations

import os

# Tests run beside each other, one on each core: more threads in one of them would take turns with the others. Set before
# torch is imported, and handed on to the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("llmuses", deadline=None)
settings.load_profile("llmuses")
