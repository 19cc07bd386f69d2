"""A YAML file that a person wrote wrongly is said in one line that names it, whichever file of settings it is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.live.rules import load_rules
from arena.pipeline.config import read_config
from leaderboard.battles import read_mapping
from llmuses.cli_settings import eval_settings
from llmuses.errors import LlmusesError
from llmuses.settings import own_models
from llmuses.web.admin.rules import read_rules
from llmuses.yaml_files import read_yaml

CONTENTS = {
    "in the encoding of an old Windows": "model: 你好\n".encode("gbk"),
    "in no encoding": b"model: \xff\xff\n",
    "with a day that no month has": b"since: 2026-02-30\n",
    "with a bracket that is never closed": b"models: [a, b\n",
    "with a tab": b"a:\n\tb: 1\n",
    "with a tag that would run code": b"!!python/object/apply:os.system ['true']\n",
    "with control characters": b"a: \x00\n",
}
"""Files that are no YAML."""

READERS: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "settings of a command": (lambda path: eval_settings(Namespace(config=path)), None),
    "a configuration of battles": (read_config, None),
    "rules of the live arena": (load_rules, None),
    "groups of categories": (read_mapping, None),
    "models of one's own": (lambda _: own_models(), "LLMUSES_MODELS"),
    "rules of the admin room": (lambda _: read_rules(), "LLMUSES_ADMIN_CONFIG"),
}
"""Who reads one, by its path or by what the environment names."""


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_no_yaml_is_said_in_one_line_that_names_the_file(
    content: str, reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(CONTENTS[content])
    read, variable = READERS[reader]
    if variable:
        monkeypatch.setenv(variable, str(path))
    with pytest.raises(LlmusesError, match=r"mine\.yaml: not YAML \(") as problem:
        read(path)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_an_editor_puts_before_a_text_is_no_part_of_it(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("name: 你好\n".encode(encoding))
    assert read_yaml(path) == {"name": "你好"}


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.touch()
    assert read_yaml(path) is None
