"""The web app: `python app.py`. Runs are read from the folder LLMUSES_OUTPUTS, by default `outputs`."""

from __future__ import annotations

import sys

from llmuses.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
