"""Written answers to GSM8K, read by llmuses and by the two filters of lm-evaluation-harness.

The texts are those of published models, and some that the small model writes to the harness's own prompt. Where ``strict-match`` finds an answer (a number after
"####") llmuses must read the same one; the one exception is a number of which the pattern takes the beginning alone, as of
a fraction.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmuses.benchmarks import get_benchmark
from llmuses.benchmarks.generation import Generation
from llmuses.metrics.numbers import equal_numbers
from llmuses.records import Sample
from tests.parity.peer import Harness, Part

NAME = "gsm8k"
OWN = 24
"""Questions that the model is asked to answer."""
_NOTHING = "[invalid]"
"""What the harness's filters give where they find nothing."""


class Text(NamedTuple):
    """One answer: where it is from, what the model wrote, the reference solution."""

    source: str
    text: str
    answer: str


class Read(NamedTuple):
    """What each reader read out of a text, None where it found nothing, and whether its program calls it right."""

    text: Text
    ours: str | None
    span: tuple[int, int] | None
    """Where llmuses read it."""
    strict: str | None
    flexible: str | None
    right: tuple[bool, bool, bool]
    """By llmuses, by strict-match, by flexible-extract."""

    @property
    def agrees(self) -> bool:
        """Whether llmuses read what strict-match found, or the latter found nothing."""
        return self.strict is None or (self.ours is not None and same(self.ours, self.strict))

    @property
    def cut(self) -> bool:
        """Whether strict-match took the beginning of what llmuses read: "7" of "7/14", "1.8" of "1.8 billion"."""
        if self.strict is None or self.span is None:
            return False
        found = self.text.text.find(f"#### {self.strict}") + len("#### ")
        end = found + len(self.strict)
        return self.span[0] <= found and end < self.span[1]


def same(ours: str, theirs: str) -> bool:
    """Whether two extracted answers are one number. The harness's own may end in a full stop and hold commas and "$"."""
    return equal_numbers(ours, theirs.rstrip(".,"))


def ready_texts(data: Path) -> Iterator[Text]:
    """Yield the answers of published models, with the reference solution of each question."""
    folder = data / "outputs" / "gsm8k"
    for row in _lines(folder / "openai_example_model_solutions.jsonl.gz"):
        for name, said in row.items():
            if isinstance(said, dict):
                gold = _with_marker(row["ground_truth"])
                yield Text(f"openai {name}", said["solution"], gold)
                # The models were trained on "####", which the published file has as "A:".
                yield Text(f"openai {name}, ####", _with_marker(said["solution"]), gold)
    for name, path in (("rho-math-1b", "rho-math-1b-v0.1_gsm8k"), ("tora-code-34b", "tora-code-34b-v1.0")):
        for row in _lines(folder / f"{path}.jsonl.gz"):
            yield Text(name, row["code"][0], f"#### {row['gt']}")
    for split in ("train", "test"):
        for row in _lines(data / "gsm8k" / f"{split}.jsonl"):
            yield Text("reference solutions", row["answer"], row["answer"])


def _with_marker(solution: str) -> str:
    return re.sub(r"^A: ", "#### ", solution, flags=re.MULTILINE)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8") as file:
        yield from map(json.loads, file)


def read_all(texts: Sequence[Text], said: Sequence[dict[str, Any]]) -> list[Read]:
    """Return what llmuses reads beside what the harness said, one for each text."""
    benchmark = get_benchmark(NAME)
    assert isinstance(benchmark, Generation)
    found = []
    for number, (text, theirs) in enumerate(zip(texts, said, strict=True)):
        sample = benchmark.sample({"question": "", "answer": text.answer}, "main", number)
        found.append(_read(benchmark, sample, text, theirs))
    return found


def _read(benchmark: Generation, sample: Sample, text: Text, theirs: dict[str, Any]) -> Read:
    reading = benchmark.read(text.text, sample)
    strict, flexible = (theirs[name] for name in ("strict-match", "flexible-extract"))
    return Read(
        text=text,
        ours=reading.value if reading else None,
        span=reading.span if reading else None,
        strict=None if strict["extracted"] == _NOTHING else strict["extracted"],
        flexible=None if flexible["extracted"] == _NOTHING else flexible["extracted"],
        right=(
            reading is not None and benchmark.equal(reading, sample),
            bool(strict["score"]),
            bool(flexible["score"]),
        ),
    )


def report(data: Path, outputs: Path, harness: Harness) -> bool:
    """Have all texts read by both, print a table and what differs. Return whether llmuses disagrees with strict-match."""
    texts = [*ready_texts(data), *_own_texts(data, harness)]
    asked, said = outputs / "texts.jsonl", outputs / "said.jsonl"
    asked.write_text("".join(json.dumps({"text": one.text, "answer": one.answer}) + "\n" for one in texts), "utf-8")
    harness.run("harness_answers", {"texts": str(asked), "folder": str(harness.rows / NAME), "results": str(said)})
    found = read_all(texts, list(_lines(said)))
    print(f"\n{table(found)}\n")
    differ = [read for read in found if not read.agrees]
    for read in differ:
        print(difference(read))
    (outputs / "answers.md").write_text(table(found) + "\n", "utf-8")
    return any(not read.cut for read in differ)


def _own_texts(data: Path, harness: Harness) -> list[Text]:
    """Return what the model writes to the harness's prompt for the first questions."""
    harness.ask([Part([NAME], range(OWN))], few_shot=5, batch=8)
    gold = [row["answer"] for row in _lines(data / "gsm8k" / "test.jsonl")]
    return [Text("the model's own", line["text"], gold[line["index"]]) for line in harness.said(NAME)]


def table(found: Sequence[Read]) -> str:
    """Return a Markdown table, a line for each source: what was found, where it is equal, scores in points."""
    head = (
        "GSM8K answers",
        "texts",
        "strict-match found",
        "llmuses equal",
        "read further",
        "llmuses",
        "strict-match",
        "flexible-extract",
    )
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for source in dict.fromkeys(read.text.source for read in found):
        own = [read for read in found if read.text.source == source]
        strict = [read for read in own if read.strict is not None]
        scores = [f"{100 * sum(read.right[i] for read in own) / len(own):.2f}" for i in range(3)]
        equal, cut = sum(read.agrees for read in strict), sum(read.cut for read in strict if not read.agrees)
        lines.append("| " + " | ".join(map(str, (source, len(own), len(strict), equal, cut, *scores))) + " |")
    return "\n".join(lines)


def difference(read: Read) -> str:
    """Return one line on a text that was read in different ways."""
    end = " ".join(read.text.text.split())[-120:]
    right = [
        name for name, good in zip(("llmuses", "strict-match", "flexible-extract"), read.right, strict=True) if good
    ]
    return (
        f"{read.text.source}: llmuses {read.ours}, strict-match {read.strict}, flexible-extract {read.flexible}; "
        f"right: {', '.join(right) or 'none'}; {end!r}"
    )
