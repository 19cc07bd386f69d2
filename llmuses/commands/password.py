"""``llmuses password``: asks for a password and prints the hash that admin.yaml wants."""

from __future__ import annotations

import argparse
import getpass
import sys

from llmuses.errors import UsageError

HELP = "print the hash of a password for the admin room"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses password``: there are none, so that no password stands in a shell's history."""


def run(args: argparse.Namespace) -> int:
    """Ask for a password, twice on a terminal, and print its hash."""
    from llmuses.web.admin.rules import hash_password

    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise UsageError("the two passwords differ.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    print(hash_password(password))
    return 0
