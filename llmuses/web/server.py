"""The server process: a socket, the app on it, and a clean end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmuses.errors import UsageError
from llmuses.keeping.around import around
from llmuses.keeping.mark import check_format
from llmuses.keeping.mirror import mirroring
from llmuses.settings import own_models_file, root_path, stay_quiet

if TYPE_CHECKING:
    from leaderboard.arenas import Source

DEFAULT_PORT = 7860
_TRIES = 100
_EVERYWHERE = ("", "0.0.0.0", "::")
"""Hosts that mean every address of the machine."""


def serve(
    outputs: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    demo: bool = True,
    battles: Sequence[Source] = (),
    opened: Callable[[str], object] | None = None,
) -> None:
    """Serve the app until Ctrl-C or SIGTERM.

    ``port`` ``None`` is 7860 or, where that is taken, the next free one. With ``demo``, an outputs folder without runs
    is given a first evaluation. ``battles`` are files of battles that are shown beside the arenas; ``opened`` is called
    with the app's address. Raises UsageError where the folder cannot be used or the port is taken.
    """
    check_outputs(outputs)
    root = root_path()
    check_format(outputs)
    os.environ["LLMUSES_OUTPUTS"] = str(outputs)  # for what belongs to the runs, and for the processes of jobs
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _listen(host, port) as listener:
        address = f"http://{_shown(host)}:{listener.getsockname()[1]}"
        stay_quiet()
        import uvicorn  # after stay_quiet, like gradio inside it

        from llmuses.models.obstacles import own_obstacles
        from llmuses.web.below import Below
        from llmuses.web.gradio_import import import_gradio

        import_gradio()
        from llmuses.web.site import create_site

        with mirroring(outputs), create_site(outputs, demo, battles) as app:
            config = uvicorn.Config(
                Below(app, root),
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
                server_header=False,
                proxy_headers=False,  # whose X-Forwarded-For counts is said in the rules of the arena
                lifespan="on",
            )
            for line in files_read():
                print(line, flush=True)
            reach = ", open to the network" if host in _EVERYWHERE else ""
            print(f"llmuses is at {address}{reach}  (Ctrl-C ends it)", flush=True)
            for name, why in own_obstacles().items():
                print(f"llmuses: {name}: {why}", file=sys.stderr, flush=True)
            if opened is not None:
                opened(address)
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended by then and raises its signal again
                uvicorn.Server(config).run(sockets=[listener])


def files_read() -> Iterator[str]:
    """Yield a line for each file of one's own that the server has read: what it is, where it lies, and what names it."""
    models = own_models_file()
    if not os.environ.get("LLMUSES_MODELS") and models.exists():
        yield f"Models: {models.absolute()} (beside the runs)"
    for each in around():
        yield f"{each.what}: {each.path.absolute()} ({each.by})"


def check_outputs(outputs: Path) -> None:
    """Raise UsageError where the folder of runs exists but cannot be read."""
    if not outputs.exists():
        return
    if not outputs.is_dir():
        raise UsageError(f"{outputs} is not a folder; name the folder of your runs with --outputs.")
    if not os.access(outputs, os.R_OK | os.X_OK):
        raise UsageError(f"{outputs} cannot be read; change its permissions or name another folder with --outputs.")


@contextlib.contextmanager
def _listen(host: str, port: int | None) -> Iterator[socket.socket]:
    listener = bind(host, port)
    try:
        yield listener
    finally:
        listener.close()


def bind(host: str, port: int | None) -> socket.socket:
    """Return a listening socket. Raises UsageError, naming the port that is taken or the host that is not ours."""
    wanted = DEFAULT_PORT if port is None else port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(wanted, wanted + (_TRIES if port is None else 1)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except (OSError, OverflowError) as problem:
            listener.close()
            if isinstance(problem, OverflowError) or problem.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise UsageError(f"cannot listen on {host}:{number}: {_reason(problem)}") from problem
            if port is not None:
                raise UsageError(
                    f"port {number} on {host} is {_taken(problem)}; choose another with --port."
                ) from problem
            continue
        listener.listen(128)
        if number != wanted:
            print(f"Port {wanted} is in use; taking {number}.", flush=True)
        return listener
    raise UsageError(f"ports {wanted} to {wanted + _TRIES - 1} on {host} are all in use; choose one with --port.")


def _taken(problem: OSError) -> str:
    return "in use" if problem.errno == errno.EADDRINUSE else "not allowed"


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem)


def _shown(host: str) -> str:
    if host in _EVERYWHERE:
        return "localhost"
    return f"[{host}]" if ":" in host else host
