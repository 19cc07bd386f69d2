"""Imports the app and nothing else happens: the process that served apps are forked from begins with it. It has no threads."""

from __future__ import annotations

import gc
import importlib

from llmuses.settings import stay_quiet
from llmuses.web.gradio_import import import_gradio

stay_quiet()  # before anything that would send something is imported
import_gradio()
for name in ("uvicorn", "llmuses.web.site"):
    importlib.import_module(name)
gc.collect()
gc.freeze()  # what is imported stays: no fork has to look through it, and write on its pages by that
