"""Every pair of colours of static/tokens.css that may meet can be told apart, in light and in dark (WCAG 2.2)."""

from __future__ import annotations

import re

import pytest

from llmuses.settings import static_dir
from llmuses.web import assets

TEXT, EDGE = 4.5, 3.0
GROUNDS = ("bg", "surface", "sunken")
INKS = ("ink", "ink-2", "ink-3")
VERDICTS = ("correct", "wrong", "unparsed", "rejected", "failed")


def _pairs():
    for ground in GROUNDS:
        yield from ((ink, ground, TEXT) for ink in (*INKS, "accent", "accent-hover", *VERDICTS))
        yield "whisker", ground, EDGE
    for ground in ("bg", "surface"):
        yield from ((edge, ground, EDGE) for edge in ("line-control", "accent"))
        yield from ((f"series-{place}", ground, TEXT) for place in range(1, 5))
    yield from ((ink, "accent-soft", TEXT) for ink in (*INKS, "accent"))
    yield from (("on-accent", "accent", TEXT), ("on-accent", "accent-hover", TEXT), ("on-mark", "mark", TEXT))
    yield "whisker", "accent-soft", EDGE
    for verdict in VERDICTS:
        yield from ((ink, f"{verdict}-soft", TEXT) for ink in ("ink", "ink-2", verdict))
    yield from (("accent", "wrong-soft", TEXT), ("accent", "unparsed-soft", TEXT))
    yield from ((ink, f"heat-{level}", TEXT) for level in range(7) for ink in ("ink", "ink-2"))
    # a figure no better than chance is pale, and stands on no tint
    yield "ink-3", "heat-0", TEXT
    yield from (("ink", f"{side}-{step}", TEXT) for side in ("under", "over") for step in (1, 2, 3))


PAIRS = sorted(set(_pairs()))


def _tokens(selector):
    css = (static_dir() / "tokens.css").read_text("utf-8")
    blocks = re.findall(rf"^{re.escape(selector)} \{{(.*?)^\}}", css, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"--u-([\w-]+):\s*(#[0-9a-f]{6})\b", "".join(blocks)))


LIGHT = _tokens(":root")
THEMES = {"light": LIGHT, "dark": LIGHT | _tokens(".dark")}


def _luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_twenty_one_to_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_what_stands_on_a_ground_can_be_seen(theme, ink, ground, least):
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= least


@pytest.mark.parametrize("sheet", ["components.css", "gradio-look.css", "app.css", "browse.css"])
def test_colours_come_from_the_tokens_alone(sheet):
    css = (static_dir() / sheet).read_text("utf-8")
    without_drawings = re.sub(r"url\(\"data:[^\"]*\"\)", "", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*[;}])|\brgba?\(|\bhsla?\(", without_drawings) == []


def test_every_token_that_a_sheet_uses_exists():
    css = {path.name: path.read_text("utf-8") for path in static_dir().glob("*.css")}
    known = set(re.findall(r"(--u-[\w-]+)\s*:", css["tokens.css"]))
    for name in assets.STYLES:
        assert set(re.findall(r"var\((--u-[\w-]+)", css[name])) <= known, name
