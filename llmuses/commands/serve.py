"""``llmuses serve``: the web app."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.settings import outputs_dir

HELP = "start the web app"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses serve``."""
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (7860, or the next free one)")
    parser.add_argument("--no-demo", action="store_true", help="do not evaluate the demo on an empty folder")


def run(args: argparse.Namespace) -> int:
    """Serve the app until it is stopped."""
    from llmuses.web.server import serve

    serve(args.outputs or outputs_dir(), host=args.host, port=args.port, demo=not args.no_demo)
    return 0
