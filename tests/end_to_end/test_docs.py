"""The guides, followed: every page of docs/ is done from top to bottom in an empty folder, and prints what it says.

How a page says what a reader sees and a test must know: tests/support/documents.py.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from arena.live.rules import load_rules
from llmuses.cli import _parser, main
from llmuses.settings import parse_models
from tests.support.browser import free_port
from tests.support.documents import ROOT, Block, arguments, blocks_of, lines_of, meaning
from tests.support.servers import mock_openai
from tests.support.tiny_models import tiny_model

PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md") if not path.name.endswith(".zh.md"))
ELSEWHERE = ("docs/deploy.md",)
"""Pages whose commands want Docker, nginx or an account on a platform: they are only checked here."""
FOLLOWED = [page for page in PAGES if page not in ELSEWHERE and any(block.followed for block in blocks_of(page))]
SERVER, APP = "http://localhost:8000", "7860"
"""What the guides call a reader's own model server, and the port of the app."""

_READY = """
import sys, time, urllib.request
for _ in range(600):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/healthz").read()
        break
    except OSError:
        time.sleep(0.1)
"""


def chinese(page: str) -> str:
    return page.removesuffix(".md") + ".zh.md"


# --- What a reader brings along ---------------------------------------------------------------------------------


@contextmanager
def given(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """Put into a folder what a page says that its reader has; yield what stands for which text of the page."""
    match kind:
        case "":
            yield {}
        case "a server that fails now and then":
            with mock_openai(faults="500=0.1", fault_tries=2) as server:
                yield {SERVER: server.base_url.removesuffix("/v1")}
        case "a server with a judge":
            with mock_openai(arena="fair", judges="my-judge") as server:
                yield {SERVER: server.base_url.removesuffix("/v1")}
        case "two weeks of votes":
            write_votes(folder / "outputs" / "arena-live" / "battles.jsonl")
            yield {}
        case _:
            raise AssertionError(f"nobody knows how to give a reader {kind}")


def write_votes(path: Path) -> None:
    """Write 240 votes of eight people, of which the second model wins three in five."""
    path.parent.mkdir(parents=True)
    with open(path, "w") as file:
        for n in range(240):
            names = ("our-model-1", "our-model-2") if n % 2 else ("our-model-2", "our-model-1")
            better = n % 5 < 3
            vote = {
                "battle_id": f"b{n}", "question_id": f"q{n}", "question": f"What about case {n}?", "model_a": names[0],
                "model_b": names[1], "output_a": f"So it is with {n}.", "output_b": f"{n} is like that.", "judge": "human",
                "winner": "model_b" if (names[1] == "our-model-2") == better else "model_a", "voter": f"v{n % 8}",
                "anony": True, "tstamp": 1e9 + 900.0 * n,
            }  # fmt: skip
            file.write(json.dumps(vote) + "\n")


# --- Following a page -------------------------------------------------------------------------------------------


def script_of(blocks: Sequence[Block], port: int) -> str:
    """Return the shell script of a page: its files are written where they stand, each block of commands is fenced by lines
    that say which it is and how it ended; a server is waited for, and ends with the script."""
    parts = ["trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for number, block in enumerate(blocks):
        if block.file:
            ending = f"END-OF-{number}"
            parts.append(f"mkdir -p {shlex.quote(str(Path(block.file).parent))}")
            parts.append(f"cat > {shlex.quote(block.file)} <<'{ending}'\n{block.text}{ending}")
        elif block.followed:
            parts.append(f"echo '@begin {number}'")
            if "serves" in block.notes:
                parts.append(f"{block.text.rstrip()} --port {port} &\nawait-server {port}; true")
            else:
                parts.append(block.text)
            parts.append(f'echo "@end {number} $?"')
    return "\n".join(parts)


def tools(folder: Path) -> Path:
    """Return a folder with the commands that an installed llmuses brings."""
    folder.mkdir()
    python = shlex.quote(sys.executable)
    ready = shlex.quote(_READY)
    for name, runs in {
        "python": python,
        "llmuses": f"{python} -m llmuses",
        "await-server": f"{python} -S -c {ready}",
        "curl": f"{python} -S -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[-1]).read().decode())'",
    }.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {runs} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def followed(page: str, folder: Path) -> dict[int, tuple[int, list[str]]]:
    """Follow a page in an empty folder; return the exit code and the printed lines of each block by its number."""
    blocks = blocks_of(page)
    (work := folder / "work").mkdir()
    port = free_port()
    kinds = list(dict.fromkeys(block.notes["given"] for block in blocks if "given" in block.notes))
    with ExitStack() as stack:
        stands_for = {f"127.0.0.1:{APP}": f"127.0.0.1:{port}"}
        for kind in kinds:
            stands_for |= stack.enter_context(given(kind, work))
        script = script_of(blocks, port)
        for text, real in stands_for.items():
            script = script.replace(text, real)
        kept = {name: os.environ[name] for name in ("LANG", "OMP_NUM_THREADS", "TMPDIR") if name in os.environ}
        environment = {
            **kept, "PATH": f"{tools(folder / 'bin')}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "200",
            "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1",
            "LLMUSES_WORK_DIR": str(folder / "downloads"),
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", script], cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=240,
        )  # fmt: skip
    said = done.stdout.decode()
    for text, real in stands_for.items():
        said = said.replace(real, text)
    found = {}
    for number, printed, code in re.findall(r"^@begin (\d+)\n(.*?)^@end \1 (\d+)$", said, re.MULTILINE | re.DOTALL):
        found[int(number)] = (int(code), printed.splitlines())
    return found


def is_printed(line: str, printed: Sequence[str]) -> int | None:
    """Return where a line that a page shows stands in what was printed, None where it does not."""
    pattern = r"\s+".join(".*".join(map(re.escape, word.split("…"))) for word in line.split())
    return next((n for n, real in enumerate(printed) if re.fullmatch(rf"\s*{pattern}\s*", real)), None)


def check(page: str, blocks: Sequence[Block], number: int, code: int, printed: Sequence[str]) -> None:
    """Hold the exit code and the printed lines of a block of commands against what the page says."""
    block, shown = blocks[number], "\n".join(printed)
    assert code == int(block.notes.get("exits", 0)), f"{page}: {block.text}\n{shown}"
    after = blocks[number + 1] if number + 1 < len(blocks) else None
    if after is None or after.language != "text":
        return
    for line in after.text.splitlines():
        if line.strip() in ("", "…"):
            continue
        place = is_printed(line, printed)
        assert place is not None, f"{page}: not printed after the line before it: {line}\n--- printed:\n{shown}"
        printed = printed[place + 1 :]


@pytest.mark.parametrize("page", FOLLOWED)
def test_who_follows_a_page_sees_what_it_says(page: str, tmp_path: Path) -> None:
    blocks = blocks_of(page)
    found = followed(page, tmp_path)
    for number, block in enumerate(blocks):
        if block.followed:
            assert number in found, f"{page}: the page stops at\n{block.text}"
            check(page, blocks, number, *found[number])


def test_a_checkpoint_is_evaluated_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "docs/local-models.md"
    blocks = blocks_of(page)
    (number,) = (number for number, block in enumerate(blocks) if "in process" in block.notes)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(tmp_path / "downloads"))
    shutil.copytree(tiny_model(chat=True, window=2048), tmp_path / "checkpoints" / "my-model")
    (line,) = arguments(blocks[number].text)
    capsys.readouterr()
    code = main(line)
    check(page, blocks, number, code, capsys.readouterr().out.splitlines())


# --- What is not followed is checked all the same ---------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_understood_and_what_is_not_run_has_a_reason(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for block in blocks_of(page):
        reasons = block.notes.get("not run"), block.notes.get("in process")
        assert "" not in reasons, f"{page}: why is it not run?\n{block.text}"
        if block.language != "bash":
            continue
        for line in arguments(block.text):
            _parser().parse_args(line)
        for words in lines_of(block.text):
            if words[:1] == ["make"]:
                assert words[1] in targets, f"{page}: make {words[1]}"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_command_names_are_on_its_page_or_in_the_repository(page: str) -> None:
    blocks = blocks_of(page)
    shown = {block.file for block in blocks}
    text = (ROOT / page).read_text("utf-8")
    for block in blocks:
        if block.language != "bash" or block.followed:
            continue  # what is followed finds its files or fails
        for name in re.findall(r"(?:-c|--config|--dataset-args|LLMUSES_\w+=) ?([\w./-]+\.(?:yaml|json))", block.text):
            assert name in shown or (ROOT / name).exists() or f"`{name}`" in text, f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_show_the_same_commands_files_and_output(page: str) -> None:
    english, other = blocks_of(page), blocks_of(chinese(page))
    assert [(b.language, b.file, b.notes.keys()) for b in english] == [
        (b.language, b.file, b.notes.keys()) for b in other
    ]
    for one, two in zip(english, other, strict=True):
        assert meaning(one) == meaning(two), f"{page}: {one.text}\n{two.text}"


def parsed(block: Block, folder: Path) -> Any:
    """Read a block as what it says it is."""
    if block.file in ("arena.yaml", "models.yaml"):
        (file := folder / block.file).write_text(block.text, "utf-8")
        return load_rules(file) if block.file == "arena.yaml" else parse_models(block.text)
    match block.language:
        case "yaml":
            return yaml.safe_load(block.text)
        case "python":
            return compile(block.text, "page", "exec", dont_inherit=True)
    return None


@pytest.mark.parametrize("page", [*PAGES, *map(chinese, PAGES)])
def test_blocks_of_a_page_are_what_they_say_they_are(page: str, tmp_path: Path) -> None:
    for block in blocks_of(page):
        assert block.language, f"{page}: a block says no language:\n{block.text}"
        parsed(block, tmp_path)


@pytest.mark.parametrize("page", ["docs/public-arena.md", "docs/public-arena.zh.md"])
def test_the_numbers_of_the_public_arena_are_those_of_the_shipped_rules(page: str) -> None:
    rules = load_rules()
    hour, day = rules.rates.vote.voter
    (block,) = rules.rates.vote.block
    assert (hour.seconds, day.seconds, block.seconds) == (3600, 86400, 3600)
    said = (ROOT / page).read_text("utf-8")
    english = not page.endswith(".zh.md")
    own = f"{hour.count} an hour, {day.count} a day" if english else f"每小时 {hour.count} 票，每天 {day.count} 票"
    network = f"{block.count} an hour" if english else f"每小时 {block.count} 票"
    batch = f"after {rules.publishing.votes} votes" if english else f"至少要有 {rules.publishing.votes} 张新票"
    assert own in said and network in said and batch in said
    assert round(500 / block.count) == 2, "500 votes take two hours"


def test_the_index_leads_to_every_page_in_both_languages() -> None:
    for index, pages in (("docs/README.md", PAGES), ("docs/README.zh.md", [chinese(page) for page in PAGES])):
        text = (ROOT / index).read_text("utf-8")
        assert [page for page in pages if page != index and f"({Path(page).name})" not in text] == []
