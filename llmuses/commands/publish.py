"""``llmuses publish``: what was hidden, shown to everybody."""

from __future__ import annotations

import argparse

from llmuses.commands.hide import add_arguments as add_arguments
from llmuses.commands.hide import decide_on

HELP = "show hidden runs, arenas or imported results on public pages"


def run(args: argparse.Namespace) -> int:
    """Publish what is named, all of it or, where one is not there, nothing."""
    print(f"Published: {decide_on(args, False)}. A server over this folder shows that at once.")
    return 0
