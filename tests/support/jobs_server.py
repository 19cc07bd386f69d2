"""What starts the jobs of a folder, as the app does: ``python -m tests.support.jobs_server FOLDER``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from llmuses.jobs import JobLog, Supervisor

if __name__ == "__main__":
    Supervisor(JobLog(Path(sys.argv[1])), {"network": 2}).start()
    print("up", flush=True)
    time.sleep(600)
