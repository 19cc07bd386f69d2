"""``llmuses doctor``: what is installed, and what each missing part would enable."""

from __future__ import annotations

import argparse

HELP = "say what is installed and what each missing part would enable"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There is nothing to say."""


def run(_: argparse.Namespace) -> int:
    """Print what was found."""
    from llmuses.doctor import examine, print_findings

    print_findings(examine())
    return 0
