"""Coloured code: every class that code can have has a colour, and the colour can be read on the ground of code."""

from __future__ import annotations

import re

import pytest

from arena.live.rendering.safety import CODE_CLASSES
from llmuses.settings import static_dir
from tests.web.test_contrast import TEXT, THEMES, contrast

CSS = (static_dir() / "arena.css").read_text("utf-8")


def _colours() -> dict[str, str]:
    """Return the token of the colour that each class has; those that differ in weight alone have the ink's."""
    found: dict[str, str] = {}
    for selector, rules in re.findall(r"\.md-code ([^{}]*\.c-[^{}]*)\{([^{}]*)\}", CSS):
        colour = re.search(r"(?<!-)color: var\(--u-([\w-]+)\)", rules)
        for name in re.findall(r"\.(c-\w+)", selector):
            found[name] = colour[1] if colour else found.get(name, "ink")
    return found


def test_every_class_of_code_has_a_look_and_no_other_is_written_for() -> None:
    assert set(_colours()) == CODE_CLASSES


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", sorted(CODE_CLASSES))
def test_code_can_be_read_on_its_ground(theme: str, name: str) -> None:
    assert "background: var(--u-sunken)" in re.search(r"\.md-code \{([^}]*)\}", CSS)[1]  # type: ignore[index]
    assert contrast(THEMES[theme][_colours()[name]], THEMES[theme]["sunken"]) >= TEXT
