"""What is slow to import stays out of what does not need it: seen from Python itself, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def said_by(program: str) -> list[str]:
    """Return the words that a program prints in a new Python."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_model_behind_an_api_needs_no_library_but_its_client() -> None:
    program = """
import sys
from llmuses.evaluation import evaluate
from llmuses.models import load_model

load_model("openai:m", base_url="http://127.0.0.1:9/v1")
slow = "torch transformers numpy pandas modelscope huggingface_hub gradio sympy duckdb plotly"
print("looked", *sorted(set(slow.split()) & set(sys.modules)))
"""
    assert said_by(program) == ["looked"]


def test_an_outputs_folder_that_is_mirrored_on_modelscope_needs_no_torch() -> None:
    program = """
import logging, sys
from llmuses.hub import modelscope_api

print(type(modelscope_api()).__name__, "torch" in sys.modules, logging.getLogger("modelscope_hub").level == logging.ERROR)
"""
    assert said_by(program) == ["HubApi", "False", "True"]


def test_the_app_imports_gradio_without_writing_its_stubs() -> None:
    program = """
import inspect, sys
from pathlib import Path

stubs = []
sys.addaudithook(lambda event, values: stubs.append(values[0]) if event == "open" and str(values[0]).endswith(".pyi") else None)
getfile = inspect.getfile

from llmuses.web.gradio_import import import_gradio

import_gradio()
import gradio

here = inspect.getfile is getfile and Path(inspect.getfile(gradio.HTML)).name
print(here, hasattr(gradio.HTML, "change"), len(stubs))
"""
    assert said_by(program) == ["html.py", "True", "0"]
