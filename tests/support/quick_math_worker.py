"""The process that compares mathematical answers, without the library that takes a second to load: all are equal to it.

For tests of what becomes of such processes, and not of what they say.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, cast

from llmuses.metrics import math_worker

if __name__ == "__main__":
    sys.modules["llmuses.metrics.math_equal"] = cast(Any, SimpleNamespace(equal_math=lambda target, answer: True))
    setattr(math_worker, "_import_library", lambda: None)  # noqa: B010
    math_worker.main()
