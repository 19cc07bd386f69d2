"""docs/arena.md keeps its word: its files of models and rules are read as they stand, in both languages alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arena.live.rules import load_rules
from llmuses.settings import arena_entries

ROOT = Path(__file__).parents[3]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / name).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("name", ["arena.md", "arena.zh.md"])
def test_its_models_play_and_its_rules_are_rules(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, rules = blocks(name, "yaml")
    (tmp_path / "models.yaml").write_text(models, "utf-8")
    monkeypatch.setenv("LLMUSES_MODELS", str(tmp_path / "models.yaml"))
    (entry,) = arena_entries().values()
    assert entry.arena is not None and (entry.arena.tags, entry.arena.budget) == (("vision",), 5)
    (tmp_path / "live.yaml").write_text(rules, "utf-8")
    read = load_rules(tmp_path / "live.yaml")
    assert read.proof is not None and read.judge is not None
    assert read.web.proxies == ("127.0.0.1/32",)


def test_every_file_that_it_shows_is_there_and_small() -> None:
    for name in ("arena.md", "arena.zh.md"):
        text = (ROOT / "docs" / name).read_text("utf-8")
        pictures = re.findall(r"pictures/[\w-]+\.png", text)
        assert len(pictures) == 5
        assert all((ROOT / "docs" / picture).stat().st_size < 150_000 for picture in pictures)
