"""The room's form measures what llmuses brings along and nothing else: a benchmark of somebody's own is code."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.results import AllResults
from llmuses.errors import LlmusesError
from llmuses.visit import Visit
from llmuses.web.admin import evaluate
from llmuses.web.admin.clone import form_link
from llmuses.web.admin.evaluation import EvaluationAsked, command_of
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import AdminRules


@pytest.mark.parametrize(
    "datasets",
    [
        ("rivers.py:Rivers",),
        ("arc", "rivers.py:Rivers"),
        ("arc rivers.py:Rivers",),
        ("arc,rivers:Rivers",),
        ("rivers.py",),
        ("json:JSONDecoder",),
    ],
)
def test_a_class_that_a_form_names_is_refused_and_not_run(
    datasets: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rivers.py").write_text("from pathlib import Path\n\nPath('run').touch()\n", "utf-8")
    room = Room(AllResults(tmp_path / "outputs"), AdminRules())
    with pytest.raises(LlmusesError, match=r"command line alone|unknown dataset"):
        command_of(EvaluationAsked(model="baseline:random", datasets=datasets), room)
    assert not Path("run").exists()


def test_a_command_that_names_a_class_has_no_form() -> None:
    command = ["eval", "--model", "baseline:random", "--datasets", "arc", "rivers.py:Rivers"]
    assert form_link(command) is None
    assert form_link(command[:-1]) is not None


def test_the_form_says_so(tmp_path: Path) -> None:
    page = str(evaluate._datasets(evaluate.Words("en", "admin"), Visit("en", {}).query))
    assert "A class of your own is code: it is run from the command line alone." in page
