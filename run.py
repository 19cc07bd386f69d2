"""``python run.py ...``: the same as ``llmuses eval ...``."""

import sys

from llmuses.cli import main

if __name__ == "__main__":
    sys.exit(main(["eval", *sys.argv[1:]]))
