"""The documents as programs read them: the blocks of a page, what is said of each, and the commands in them.

A reader follows a page from top to bottom, and so do the tests. What they need to know beyond that stands in comments that no
reader sees, right above a block:

    <!-- not run: it needs a key -->     its commands are only checked; the reason is wanted
    <!-- in process: torch is slow -->   it is run in the test's own process, which may have loaded what is slow; likewise
    <!-- exits: 2 -->                    its last command ends with this code
    <!-- serves -->                      its last command is a server: it goes on while the rest of the page is followed
    <!-- given: a checkpoint -->         what a reader brings along (see tests/end_to_end/test_docs.py)

A block of ``text`` below commands holds lines that they print, in this order; "…" stands for what varies or is left out. Any
other block below a paragraph that ends with the name of a file and a colon is that file.
"""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (?P<kind>not run|in process|exits|serves|given)(?:: (?P<said>[^\n]+?))? -->")
_FILE = re.compile(r"`([\w./-]+\.\w+)`\s?[:：]$")


class Block(NamedTuple):
    """A fenced block: its language and text, the notes above it by kind, and the file that it is, "" for none."""

    language: str
    text: str
    notes: dict[str, str]
    file: str

    @property
    def followed(self) -> bool:
        """Return whether its commands are run in a shell."""
        return self.language == "bash" and not {"not run", "in process"} & self.notes.keys()


def blocks_of(document: str) -> list[Block]:
    """Return the fenced blocks of a document, in its order."""
    text = (ROOT / document).read_text("utf-8")
    found, before = [], 0
    for fence in _FENCE.finditer(text):
        between = text[before : fence.start()].rstrip()
        before = fence.end()
        notes = {note["kind"]: note["said"] or "" for note in _COMMENT.finditer(between)}
        said = _COMMENT.sub("", between).rstrip()
        named = _FILE.search(said)
        indent = fence[1]
        body = "".join(line.removeprefix(indent) for line in fence[3].splitlines(keepends=True))
        is_file = named and fence[2] not in ("bash", "text")
        found.append(Block(fence[2], body, notes, named[1] if named and is_file else ""))
    return found


def blocks(document: str, language: str) -> list[str]:
    """Return the texts of a document's blocks in one language."""
    return [block.text for block in blocks_of(document) if block.language == language]


def lines_of(shell: str) -> list[list[str]]:
    """Return the words of each command in a piece of shell; one that goes over several lines is one."""
    joined = re.sub(r"\\\n\s*", " ", shell)
    return [shlex.split(line, comments=True) for line in re.split(r"\n(?=(?:[^']*'[^']*')*[^']*$)", joined)]


def arguments(shell: str) -> list[list[str]]:
    """Return the arguments of every llmuses command in a piece of shell, also those that go into the background."""
    doors = {("python", "run.py"): ["eval"], ("python", "run_arena.py"): ["arena"], ("python", "app.py"): ["serve"]}
    found = []
    for words in lines_of(shell):
        line = words[next((n for n, word in enumerate(words) if not re.match(r"[A-Z_]+=", word)), 0) :]
        if line[-1:] == ["&"]:
            line = line[:-1]
        for door, before in {("llmuses",): [], **doors}.items():
            if tuple(line[: len(door)]) == door:
                found.append(before + line[len(door) :])
    return found


def commands(document: str) -> list[list[str]]:
    """Return the arguments of every llmuses command in a document's shell blocks."""
    return [line for text in blocks(document, "bash") for line in arguments(text)]


def meaning(block: Block) -> Any:
    """Return what two blocks must have in common to say the same in two languages: all but remarks."""
    match block.language:
        case "yaml":
            return yaml.safe_load(block.text)
        case "python":
            tree = ast.parse(block.text)
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                    node.body = node.body[1:]
            return ast.dump(tree)
        case "bash":
            return [words for words in lines_of(block.text) if words]
        case "nginx" | "dockerfile":
            return [line for line in re.sub(r"#.*", "", block.text).split("\n") if line.strip()]
    return block.text
