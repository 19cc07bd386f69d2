"""``python run_arena.py ...``: the same as ``llmuses arena ...``."""

import sys

from llmuses.cli import main

if __name__ == "__main__":
    sys.exit(main(["arena", *sys.argv[1:]]))
