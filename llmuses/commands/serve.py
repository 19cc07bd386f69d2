"""``llmuses serve``: the web app."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from llmuses.settings import outputs_dir, read_only

HELP = "start the web app"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses serve``."""
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (7860, or the next free one)")
    parser.add_argument("--no-demo", action="store_true", help="do not evaluate the demo on an empty folder")
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
    demo = not (args.no_demo or read_only())
    serve(args.outputs or outputs_dir(), host=args.host, port=args.port, demo=demo)
    return 0
