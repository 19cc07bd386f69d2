"""The documents keep their word: their examples run, their commands are understood, their links lead somewhere."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from llmuses import evaluate
from llmuses.benchmarks import Benchmark, benchmark_names, get_benchmark
from llmuses.cli import _parser
from llmuses.cli_settings import EvalSettings, eval_settings
from llmuses.evaluation.plan import DatasetArgs, make_plan
from llmuses.models.load import convert_args, parse_spec
from llmuses.records import Generate, Mode
from llmuses.settings import parse_models
from tests.support.documents import ROOT, blocks, commands
from tests.support.scripted import ScriptedModel

DOCUMENTS = (
    "README.md",
    "README.zh.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)


def run_file(document: str) -> str:
    """Return the run.yaml that a document shows."""
    (text,) = (text for text in blocks(document, "yaml") if text.startswith("# run.yaml"))
    return text


README_COMMANDS = [(name, line) for name in ("README.md", "README.zh.md") for line in commands(name)]
LOCAL_COMMANDS = [
    (name, line) for name in ("docs/local-models.md", "docs/local-models.zh.md") for line in commands(name)
]


def example(name: str) -> Benchmark:
    """Return an instance of a class that CONTRIBUTING.md defines."""
    for block in blocks("CONTRIBUTING.md", "python"):
        if f"class {name}(" in block:
            scope: dict[str, Any] = {}
            exec(compile(f"from __future__ import annotations\n{block}", "CONTRIBUTING.md", "exec"), scope)
            benchmark: Benchmark = scope[name]()
            return benchmark
    raise AssertionError(f"CONTRIBUTING.md shows no class {name}")


def write_rows(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_the_multiple_choice_of_the_guide_is_asked_and_scored(tmp_path: Path) -> None:
    shot = {"city": "Vienna", "options": ["Danube", "Inn", "Drava", "Mur"], "answer": 0}
    questions = [
        {"city": f"City {n}", "options": ["Loire", "Seine", "Rhône", "Garonne"], "answer": 1} for n in range(4)
    ]
    write_rows(tmp_path / "rivers" / "train.jsonl", shot)
    write_rows(tmp_path / "rivers" / "test.jsonl", *questions)
    answers = iter(["Answer: B", "Answer: C", "It is the Seine, so B.", "I do not know."])
    model = ScriptedModel(lambda _: next(answers))
    result = evaluate(
        model,
        example("Rivers"),
        dataset_args={"rivers": {"local_path": str(tmp_path / "rivers"), "mode": "generate"}},
        outputs=tmp_path / "outputs",
    )
    (report,) = result.reports
    assert (report.score, report.n, report.counts.unparsed) == (0.5, 4, 1)
    assert report.chance == 0.25
    first = model.asked[0]
    assert isinstance(first, Generate)
    assert "Which river flows through Vienna?" in first.messages[-1].content


def test_the_written_answers_of_the_guide_are_read_and_compared(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "capitals" / "test.jsonl",
        {"country": "France", "capital": "Paris"},
        {"country": "Peru", "capital": "Lima"},
        {"country": "Chad", "capital": "N'Djamena"},
    )
    replies = {"France": "paris.", "Peru": "Cusco", "Chad": "  "}

    def answer(ask: Any) -> str:
        return next(reply for country, reply in replies.items() if country in ask.messages[-1].content)

    result = evaluate(
        ScriptedModel(answer),
        example("Capitals"),
        dataset_args={"capitals": {"local_path": str(tmp_path / "capitals")}},
        outputs=tmp_path / "outputs",
    )
    counts = result.reports[0].counts
    assert (counts.correct, counts.scored, counts.unparsed) == (1, 2, 1)


def test_the_notebook_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"city": f"City {n}", "options": ["a", "b", "c", "d"], "answer": n % 4} for n in range(8)]
    write_rows(tmp_path / "rivers" / "train.jsonl", *rows[:2])
    write_rows(tmp_path / "rivers" / "test.jsonl", *rows[2:])
    code = next(block for block in blocks("CONTRIBUTING.md", "python") if "evaluate(" in block)
    scope = {"Rivers": type(example("Rivers"))}
    exec(compile(code, "CONTRIBUTING.md", "exec"), scope)
    assert scope["result"].reports[0].n == 6  # type: ignore[attr-defined]


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_the_notebook_of_the_readme_runs(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(document, "python")
    scope: dict[str, Any] = {}
    exec(compile(code, document, "exec"), scope)
    assert [report.dataset for report in scope["result"].reports] == ["mmlu", "gsm8k"]


def test_the_readme_shows_many_commands_the_same_in_both_languages() -> None:
    english, chinese = (
        [line for name, line in README_COMMANDS if name == wanted] for wanted in ("README.md", "README.zh.md")
    )
    assert len(english) >= 10
    assert sorted(english) == sorted(chinese)


def test_the_page_of_local_models_shows_the_same_commands_and_arguments_in_both_languages() -> None:
    english, chinese = ("docs/local-models.md", "docs/local-models.zh.md")
    assert commands(english) == commands(chinese)
    assert len(commands(english)) >= 12
    named = [
        re.findall(r"^\| `(\w+)` \|", (ROOT / name).read_text("utf-8"), re.MULTILINE) for name in (english, chinese)
    ]
    assert named[0] == named[1]
    known = {
        field.name
        for backend in ("transformers", "vllm")
        for field in msgspec.structs.fields(importlib.import_module(f"llmuses.models.{backend}").Args)
    }
    assert set(named[0]) <= known
    said = (ROOT / english).read_text("utf-8")
    assert [name for name in sorted(known) if name not in said] == []


@pytest.mark.parametrize(
    ("document", "line"),
    README_COMMANDS + LOCAL_COMMANDS,
    ids=[" ".join(line)[:70] for _, line in README_COMMANDS + LOCAL_COMMANDS],
)
def test_every_command_of_the_readme_is_understood(document: str, line: list[str], tmp_path: Path) -> None:
    args = _parser().parse_args(line)
    if line[0] != "eval":
        return
    args.command = shlex.join(line)
    if args.config:
        args.config = tmp_path / "run.yaml"
        text = run_file(document)
        args.config.write_text(text, "utf-8")
    settings: EvalSettings = eval_settings(args)
    for model in settings.models:
        spec = parse_spec(model.spec)
        backend = importlib.import_module(f"llmuses.models.{spec.backend}")
        assert convert_args(backend.Args, {**spec.args, **model.args}, spec.backend)
        plan = make_plan(
            model.spec,
            [get_benchmark(name) for name in settings.datasets],
            prefers=Mode.GENERATE,
            model_args=model.args,
            dataset_args=settings.dataset_args,
            limit=settings.limit,
        )
        assert plan.datasets


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_the_run_file_of_the_readme_is_yaml(document: str) -> None:
    assert yaml.safe_load(run_file(document))["datasets"] == ["mmlu", "gsm8k", "arc"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_inside_the_repository_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text("utf-8")):
        if not target.startswith("http"):
            assert ((ROOT / document).parent / target).exists(), f"{document}: {target}"


@pytest.mark.parametrize("document", ["README.md", "README.zh.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / document).read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= targets


def example_rows(document: str) -> list[tuple[str, list[str], list[str]]]:
    """Return a document's example rows: the benchmark, the files they may stand in, and the lines."""
    (block,) = re.findall(r"^```\n(mmlu .*?)^```$", (ROOT / document).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    shown = []
    for part in block.strip().split("\n\n"):
        head, *lines = part.splitlines()
        shown.append((head.split()[0], re.findall(r"\S+\.(?:csv|jsonl)", head), [line.strip() for line in lines]))
    return shown


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_the_example_rows_of_the_readme_are_read_from_the_files_it_names(document: str, tmp_path: Path) -> None:
    right = {"mmlu": ["Jupiter"], "ceval": ["木星"], "gsm8k": ["18"], "arc": ["heat", "heat"]}
    read: dict[str, list[str]] = {}
    for name, files, lines in example_rows(document):
        benchmark = get_benchmark(name)
        subset = benchmark.subsets[0]
        for number, file in enumerate(files):
            root = tmp_path / name / str(number)
            path = root / file.replace("SUBSET", subset)
            path.parent.mkdir(parents=True)
            rows = lines if len(files) == 1 else lines[number : number + 1]
            path.write_text("\n".join(rows) + "\n", "utf-8")
            (sample,) = benchmark.samples(root, subset, benchmark.split)
            answer = sample.choices["ABCD".index(sample.target)] if sample.choices else sample.target
            read.setdefault(name, []).append(answer)
    assert read == right


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_every_dataset_argument_is_in_the_readme_with_its_default(document: str) -> None:
    said = dict(re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", (ROOT / document).read_text("utf-8"), re.MULTILINE))
    fields = {field.name: field.default for field in msgspec.structs.fields(DatasetArgs)}
    assert fields.keys() <= said.keys()
    for name in ("few_shot_as", "hub"):
        assert said[name] == f'`"{fields[name]}"`'


def test_every_benchmark_is_in_both_readmes() -> None:
    for document in ("README.md", "README.zh.md"):
        said = (ROOT / document).read_text("utf-8")
        assert [name for name in benchmark_names() if f"`{name}`" not in said] == []


@pytest.mark.parametrize("document", ["docs/benchmarks.md", "docs/benchmarks.zh.md"])
def test_the_table_of_settings_names_every_benchmark_with_its_worked_examples(document: str) -> None:
    lines = re.findall(r"^\| `(\w+)`<br>(.*?) \| (.*?) \|", (ROOT / document).read_text("utf-8"), re.MULTILINE)
    assert sorted(name for name, _, _ in lines) == benchmark_names()
    for name, title, asked in lines:
        benchmark = get_benchmark(name)
        assert benchmark.title in title
        if shots := re.search(r"(\d+)-shot", asked):
            assert int(shots[1]) == benchmark.few_shot, name
        assert all(variant in asked for variant in benchmark.variants), name


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_the_models_file_of_the_readme_names_models_that_play(document: str) -> None:
    (text,) = (text for text in blocks(document, "yaml") if text.startswith("# LLMUSES_MODELS"))
    entries = parse_models(text)
    assert [entry.arena is not None for entry in entries.values()] == [True, True]
