"""The commands of llmuses: parse, call the floor below, print, exit.

Exit codes: 0 done; 1 the work ended but something was not reached; 2 the command could not be understood or started.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from llmuses.commands import (
    arena,
    audit,
    backup,
    compare,
    convert,
    doctor,
    evaluate,
    hide,
    importing,
    listing,
    password,
    publish,
    rate,
    restore,
    score,
    serve,
    view,
    withdraw,
)
from llmuses.errors import LlmusesError, UsageError
from llmuses.reach import guard_connections
from llmuses.settings import stay_quiet

_COMMANDS = {
    "eval": evaluate,
    "score": score,
    "compare": compare,
    "arena": arena,
    "rate": rate,
    "audit": audit,
    "convert": convert,
    "withdraw": withdraw,
    "hide": hide,
    "publish": publish,
    "import": importing,
    "view": view,
    "serve": serve,
    "list": listing,
    "doctor": doctor,
    "password": password,
    "backup": backup,
    "restore": restore,
}
"""Each command under its name, in the order of ``--help``."""

_SECRET = re.compile(r"\b((?:\w*_)?(?:api_?key|secret|password|token))=[^,\s'\"]+", re.IGNORECASE)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all errors here are said."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    stay_quiet()
    _spare_threads()
    guard_connections()
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        args = _parser().parse_args(arguments)
        args.command = _SECRET.sub(r"\1=…", shlex.join(["llmuses", *(word for word in arguments if word != "--demo")]))
        run: Callable[[argparse.Namespace], int] = args.run
        with _ended_like_by_ctrl_c():
            return run(args)
    except LlmusesError as problem:
        if debug:
            traceback.print_exc()
        print(f"llmuses: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        print("llmuses: stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has gone
        return 1
    except OSError as problem:
        if debug:
            raise
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"llmuses: {where}{problem.strerror or problem} (--debug says where).", file=sys.stderr)
        return 1


def _spare_threads() -> None:
    """Let numpy's matrices be worked on by one thread, unless the environment says otherwise.

    Ratings solve many small systems, in which the threads mostly wait for each other: longer than the work takes where
    something else has the cores. Read when numpy is first imported, so this comes before; torch has settings of its own.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@contextmanager
def _ended_like_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does. Who calls ``main`` in a process of its own has its handler back afterwards."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _parser() -> argparse.ArgumentParser:
    from llmuses import __version__

    parser = _Parser(prog="llmuses", description="Measure language models and compare them.")
    parser.add_argument("--version", action="version", version=f"llmuses {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, command in _COMMANDS.items():
        subparser = commands.add_parser(name, help=command.HELP)
        command.add_arguments(subparser)
        subparser.add_argument("--debug", action="store_true", help="show the traceback of an error")
        subparser.set_defaults(run=command.run)
    return parser
