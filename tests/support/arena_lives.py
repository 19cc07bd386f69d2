"""An arena's server that dies and is born again: ``python -m tests.support.arena_lives FOLDER`` prints its port, then, for each
line that it reads, starts a server process on that port and prints its number. Processes are forked, so that a life costs
milliseconds and not an interpreter's start."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from llmuses.web.arena_api import add_arena
from tests.support.live_arenas import TWO, ScriptedPlayers, live_arena


def serve(folder: Path, listener: socket.socket) -> None:
    """Serve an arena on a folder until the process dies."""
    import time

    app = FastAPI()
    add_arena(app, live_arena(folder, ScriptedPlayers(TWO, lambda *_: "yes"), clock=time.time))
    config = uvicorn.Config(app, log_level="error", access_log=False, proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            serve(Path(sys.argv[1]), listener)
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
