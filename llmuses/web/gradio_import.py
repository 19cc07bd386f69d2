"""Gradio, imported without what it does for editors."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any


def import_gradio() -> None:
    """Import Gradio in less than half of the time.

    At each import Gradio writes a stub (``.pyi``) beside each of its components, from a template and out of the component's
    parsed source: more than half of the work, and in files that processes that start together write at once. It leaves out
    what is in no file, and as long as it is imported its components say so.
    """
    try:
        with _in_no_file("gradio"):
            importlib.import_module("gradio")
    except OSError:  # a version that wants them: as it likes it
        for name in [name for name in sys.modules if name.partition(".")[0] == "gradio"]:
            del sys.modules[name]


@contextlib.contextmanager
def _in_no_file(package: str) -> Iterator[None]:
    getfile = inspect.getfile

    def answer(thing: Any) -> str:
        if isinstance(thing, type) and thing.__module__.partition(".")[0] == package:
            raise OSError(f"{thing.__name__} is in no file")
        return getfile(thing)

    setattr(inspect, "getfile", answer)  # noqa: B010
    try:
        yield
    finally:
        setattr(inspect, "getfile", getfile)  # noqa: B010
