"""*Say hello*: one short question to a model, asked in a process of its own, so that no weights are loaded beside the pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from llmuses.errors import ModelError
from llmuses.hello import Hello
from llmuses.i18n import text
from llmuses.jobs.environment import job_environment
from llmuses.markup import Markup, icon
from llmuses.web.admin.evaluation import EvaluationAsked, spec_and_args
from llmuses.web.admin.given_keys import check_key
from llmuses.web.admin.room import Deed, Doing
from llmuses.web.admin.rules import Role

_SECONDS = 180.0


def _hello(doing: Doing, asked: EvaluationAsked) -> Mapping[str, Any]:
    spec, args = spec_and_args(asked, doing.room)
    if asked.source == "api":
        check_key(args, doing.person)
    command = [sys.executable, "-m", "llmuses.hello", spec, msgspec.json.encode(args).decode(), doing.lang]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_SECONDS,
            env=job_environment(doing.room.reachable(), doing.room.kept_back()),
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"{spec} did not answer within {_SECONDS:.0f} s.") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ModelError(lines[-1].removeprefix("llmuses: ") if lines else f"{spec} cannot be asked.")
    said = msgspec.json.decode(done.stdout, type=Hello)
    words = text(
        doing.lang, "admin.eval.answered", text=said.text[:200], seconds=f"{said.seconds:.1f}", load=f"{said.load:.1f}"
    )
    return {
        "html": str(Markup('<span class="u-v bare correct">{}</span> {}').format(icon("correct", small=True), words))
    }


HELLO = Deed(Role.OPERATOR, EvaluationAsked, _hello)
