"""``python -m llmuses``: the same as the command ``llmuses``."""

import sys

from llmuses.cli import main

sys.exit(main())
