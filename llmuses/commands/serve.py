"""``llmuses serve``: the web app."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from llmuses.errors import UsageError
from llmuses.settings import no_demo, outputs_dir, read_only

HELP = "start the web app"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses serve``."""
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    parser.add_argument("--host", help="address to listen on (127.0.0.1; on a Space or Studio 0.0.0.0)")
    parser.add_argument("--port", type=int, help="port to listen on (7860, or the next free one)")
    parser.add_argument(
        "--root-path", metavar="/PATH", help="the path below which a proxy shows the app (also LLMUSES_ROOT_PATH)"
    )
    parser.add_argument(
        "--no-demo",
        action="store_true",
        help="do not evaluate the demo on an empty folder (also LLMUSES_NO_DEMO=1)",
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="show what is there and nothing else: no votes, no admin room, no demo (also LLMUSES_READ_ONLY=1)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve the app until it is stopped."""
    from llmuses.web.server import serve

    if args.read_only:
        os.environ["LLMUSES_READ_ONLY"] = "1"
    if args.root_path is not None:
        os.environ["LLMUSES_ROOT_PATH"] = args.root_path
    demo = not (args.no_demo or no_demo() or read_only())
    serve(
        args.outputs or outputs_dir(),
        host=args.host or host(),
        port=port() if args.port is None else args.port,
        demo=demo,
    )
    return 0


def host() -> str:
    """Return the address to listen on where none is given: what the platform says, else this machine alone."""
    platform = "SPACE_ID" in os.environ or os.environ.get("MODELSCOPE_ENVIRONMENT") == "studio"
    return os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if platform else "127.0.0.1")


def port() -> int | None:
    """Return the port that the platform says, None where it says none. Raises UsageError."""
    said = os.environ.get("GRADIO_SERVER_PORT") or os.environ.get("PORT")
    if said is None:
        return None
    if not (said.isascii() and said.isdigit()):
        raise UsageError(f"the environment says PORT={said}, which is no number; name one with --port.")
    return int(said)
