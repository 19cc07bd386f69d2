"""A class of one's own, named by its file: measured, told apart from what it was before, shown by who does not have it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from leaderboard.board import make_board
from leaderboard.board_html import board_page
from leaderboard.browse_parts import public, title
from leaderboard.figures import all_columns
from leaderboard.results import Results
from llmuses import evaluate
from llmuses.benchmarks import get_benchmark
from llmuses.benchmarks.own_class import benchmark_of, known_benchmark, own_class
from llmuses.cli import main
from llmuses.comparison import compare
from llmuses.errors import UnknownNameError
from llmuses.evaluation.plan import make_plan
from llmuses.records import Mode, Report, Run
from llmuses.store import read_json
from llmuses.visit import Visit

RIVERS = '''"""Which river flows through a city."""

from llmuses.benchmarks.choice import MultipleChoice, option_letter
from llmuses.benchmarks.rows import cell
from llmuses.records import Sample


class Rivers(MultipleChoice):
    """Which river flows through a city.

    Four options.
    """

    name = "rivers"
    title = "Rivers"
    group = "own"
    languages = ("de",)
    paper = homepage = "https://example.org/rivers"
    licence = "CC0-1.0"
    files = ("{split}.jsonl",)
    subsets = ("europe",)

    def sample(self, row, subset, index):
        options = cell(row, "options")
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=f"Which river flows through {cell(row, 'city')}?",
            choices=options,
            target=option_letter(cell(row, "answer"), options),
        )
'''
ROWS = [
    {"city": "Paris", "options": ["Loire", "Seine", "Rhône"], "answer": 1},
    {"city": "Cologne", "options": ["Elbe", "Weser", "Rhine"], "answer": 2},
    {"city": "Seville", "options": ["Guadalquivir", "Ebro", "Douro"], "answer": 0},
]
ARGS = ["--dataset-args", '{"rivers": {"local_path": "rows"}}']
SPEC = "rivers.py:Rivers"


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(tmp_path / "work"))
    monkeypatch.delenv("LLMUSES_OUTPUTS", raising=False)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    write(RIVERS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        known = vars(module)  # not getattr: some modules make whatever they are asked for
        if str(tmp_path) in str((known.get("__file__"), known.get("__path__"))):
            del sys.modules[name]


def write(text: str, file: str = "rivers.py") -> None:
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).write_text(text, "utf-8")


def measured(*more: str, model: str = "baseline:random", spec: str = SPEC) -> int:
    return main(["eval", "--model", model, "--datasets", spec, *ARGS, *more])


def runs() -> list[Run]:
    found = [read_json(path, Run) for path in Path("outputs").glob("*/run.json")]
    return sorted(found, key=lambda run: run.started)


def report(run: Run) -> Report:
    return read_json(Path("outputs", run.run_id, "reports", "rivers.json"), Report)


# --- measured ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["rivers.py:Rivers", "./rivers.py:Rivers", "rivers:Rivers", "mine.places:Rivers"])
def test_a_class_is_named_by_its_file_or_its_module(spec: str, tmp_path: Path) -> None:
    write(RIVERS, "mine/places.py")
    assert measured("--fail-under", "rivers=0", spec=spec) == 0
    (run,) = runs()
    (plan,) = run.datasets
    assert plan.own and (plan.dataset, plan.own.name, plan.own.title) == ("rivers", "Rivers", "Rivers")
    assert Path(plan.own.file) == tmp_path / ("mine/places.py" if "mine" in spec else "rivers.py")
    assert report(run).n == 3


def test_a_class_stands_beside_ours_and_in_a_configuration(tmp_path: Path) -> None:
    write(RIVERS, "my files, mine/rivers.py")
    arc = str(Path(__file__).parents[3] / "llmuses/registry/data/arc")
    settings = {
        "model": "baseline:random",
        "datasets": ["arc", "my files, mine/rivers.py:Rivers"],
        "dataset_args": {"rivers": {"local_path": "rows"}, "arc": {"local_path": arc}},
    }
    write(json.dumps(settings), "run.yaml")
    assert main(["eval", "--config", "run.yaml"]) == 0
    (run,) = runs()
    assert list(run.states) == ["arc", "rivers"]


def test_what_lies_beside_the_file_can_be_imported_at_once_and_later() -> None:
    write("CITY = 'city'\n", "columns_of_rivers.py")
    write("OPTIONS = 'options'\n", "later_columns_of_rivers.py")
    text = RIVERS.replace('"""Which river flows through a city."""\n', "from columns_of_rivers import CITY\n", 1)
    text = text.replace("'city'", "CITY").replace(
        'options = cell(row, "options")',
        "from later_columns_of_rivers import OPTIONS\n\n        options = cell(row, OPTIONS)",
    )
    write(text, "elsewhere/rivers.py")
    for name in ("columns_of_rivers.py", "later_columns_of_rivers.py"):
        Path(name).rename(Path("elsewhere", name))
    assert measured(spec="elsewhere/rivers.py:Rivers") == 0


def test_the_same_command_again_takes_the_run_up_from_wherever_the_file_lies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert measured("--stage", "infer") == 0
    Path("rivers.py").rename("moved.py")
    assert measured(spec="moved.py:Rivers") == 0
    assert "3 of 3 answers were stored and not asked for again." in capsys.readouterr().out
    assert len(runs()) == 1


def test_python_and_the_command_line_measure_the_same_thing() -> None:
    assert measured() == 0
    evaluate("baseline:random", SPEC, dataset_args={"rivers": {"local_path": "rows"}})
    evaluate("baseline:random", benchmark_of(SPEC), dataset_args={"rivers": {"local_path": "rows"}})
    assert len(runs()) == 1


def test_answers_of_another_program_are_scored(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"id": f"europe/{n}", "output": f"Answer: {letter}"} for n, letter in enumerate("BCB")]
    Path("answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    command = ["score", "--dataset", SPEC, "--predictions", "answers.jsonl", *ARGS, "--fail-under", "rivers=0.9"]
    assert main(command) == 1
    (run,) = runs()
    assert report(run).score == pytest.approx(2 / 3)
    assert "rivers: score 0.6667 is under 0.9" in capsys.readouterr().err


def test_a_dry_run_shows_its_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    assert measured("--dry-run") == 0
    assert "Which river flows through" in capsys.readouterr().out


def test_it_is_described_where_it_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["list", "benchmarks", SPEC]) == 0
    said = capsys.readouterr().out
    assert "Which river flows through a city.\n" in said and "CC0-1.0" in said and str(tmp_path / "rivers.py") in said
    assert main(["list", "benchmarks", "arc", SPEC, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["arc", "rivers"]
    assert main(["list", "benchmarks", "--json"]) == 0
    assert "rivers" not in capsys.readouterr().out


# --- told apart --------------------------------------------------------------------------------------------


def test_an_edited_class_has_a_run_and_a_column_of_its_own_and_asks_for_nothing_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert measured() == 0
    write(RIVERS.replace("option_letter(cell(", "option_letter(0 * cell("))
    assert measured() == 0
    assert "3 of 3 answers were stored and not asked for again." in capsys.readouterr().out
    assert measured(model="baseline:majority") == 0
    before, after, other = runs()
    assert {"class", "rows"} <= dict(report(before).identity.items() - report(after).identity.items()).keys()
    assert report(after).fingerprint == report(other).fingerprint != report(before).fingerprint
    columns = list(all_columns(Results(Path("outputs")).runs()).values())
    assert sorted(column.title for column in columns) == ["Rivers", "Rivers"]
    assert len({column.key for column in columns}) == 2
    (refused,) = compare([before.run_id, other.run_id]).datasets[0].refusals
    assert "class" in [part.name for part in refused.parts]


def test_comments_count_and_what_a_file_does_as_a_program_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert measured() == 0
    write(RIVERS + '\n\nif __name__ == "__main__":\n    print("measure another model")\n')
    assert measured() == 0
    assert len({own.sha256 for run in runs() for plan in run.datasets if (own := plan.own)}) == 1
    write(RIVERS + "# another rule may be needed here\n")
    assert measured() == 0
    assert len(runs()) == 2


def test_the_text_of_a_class_that_it_builds_on_counts() -> None:
    write("from rivers_base import Rivers\n\n\nclass Lakes(Rivers):\n    name = 'lakes'\n", "lakes.py")
    sums = []
    for text in (RIVERS, RIVERS.replace("Which river", "What river")):
        write(text, "rivers_base.py")
        sys.modules.pop("rivers_base", None)
        write(Path("lakes.py").read_text() + "\n", "lakes.py")
        own = own_class(benchmark_of("lakes.py:Lakes"))
        assert own is not None
        sums.append(own.sha256)
    assert sums[0] != sums[1]


def test_plans_of_our_benchmarks_are_as_they_were() -> None:
    """What was added for own classes must not give the runs of others new ids."""
    plan = make_plan("m", ["arc"], prefers=Mode.LOGPROB)
    assert b'"own"' not in msgspec.json.encode(plan)


# --- shown by who does not have it -------------------------------------------------------------------------


@pytest.fixture
def gone() -> Callable[[], None]:
    """Return what takes the class away, and everything that was loaded of it."""

    def take_away() -> None:
        Path("rivers.py").unlink()
        for name in [name for name in sys.modules if name.startswith("own_rivers")]:
            del sys.modules[name]

    return take_away


def test_boards_comparisons_and_lists_show_runs_whose_class_is_gone(
    gone: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured() == 0
    assert measured("--stage", "infer", model="baseline:majority") == 0
    gone()
    finished, unscored = sorted(Results(Path("outputs")).runs(), key=lambda entry: entry.run.started)
    (column,) = all_columns([finished]).values()
    (unfinished,) = all_columns([unscored]).values()
    assert (column.title, column.group, column.languages) == ("Rivers", "own", ("de",))
    assert column.place == unfinished.place, "what is not finished stands in the column that it will have"
    assert title(unscored, "rivers", "en") == "Rivers"
    assert public(finished, "rivers") and public(unscored, "rivers")
    assert not [name for name in sys.modules if name.startswith("own_rivers")]
    assert main(["list", "runs"]) == 0
    assert "rivers" in capsys.readouterr().out


def test_a_board_names_languages_that_it_has_no_word_for() -> None:
    write(RIVERS.replace('("de",)', '("de", "x-elvish")'))
    assert measured() == 0
    results = Results(Path("outputs"))
    board = make_board(results.runs(), {})
    for lang, german in (("en", "German"), ("zh", "德语")):
        page = str(board_page(board, Visit(lang, {})))
        assert f">{german}</option>" in page and ">x-elvish</option>" in page


def test_rows_that_the_class_keeps_private_stay_private_before_there_is_a_report() -> None:
    write(RIVERS.replace('    group = "own"\n', '    group = "own"\n    publish_samples = False\n'))
    assert measured("--stage", "infer") == 0
    (entry,) = Results(Path("outputs")).runs()
    assert not public(entry, "rivers")


def test_who_needs_the_class_says_where_it_was(gone: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    assert measured() == 0
    file = Path("rivers.py").absolute()
    gone()
    assert measured("--stage", "review", spec="rivers") == 2
    assert f"own class Rivers; it lay in {file}: name it as {file}:Rivers" in capsys.readouterr().err
    assert measured("--stage", "review") == 2
    assert "cannot read rivers.py: No such file" in capsys.readouterr().err


def test_names_from_the_network_or_a_record_never_run_code() -> None:
    write("raise SystemExit('this was run')\n")
    with pytest.raises(UnknownNameError):
        get_benchmark(SPEC)
    assert known_benchmark(SPEC) is None


# --- what can be wrong -------------------------------------------------------------------------------------

WITHOUT_TITLE = RIVERS.replace('    title = "Rivers"\n', "")
BARE = """from llmuses import Benchmark


class Rivers(Benchmark):
    name = title = paper = homepage = licence = "x"
    group = "own"
    files = subsets = ("x",)

    def sample(self, row, subset, index): ...
    def prompt(self, sample, shots, plan): ...
    def judge(self, sample, response, plan): ...
"""
WRONG = {
    "a file that is not there": ("x.py:Rivers", "", "cannot read x.py: No such file or directory"),
    "a folder": ("rows.py:Rivers", "", "cannot read rows.py: Is a directory"),
    "a module that is not there": ("x.y:Rivers", "", "there is no module x.y"),
    "a file without a class": ("rivers.py", "", "name the class in it, too: rivers.py:CLASS"),
    "a class without its file": ("rivers", "", "a class of your own is named with its file, rivers.py:CLASS"),
    "an odd name": ("rivers.py:Ri vers", "", "neither FILE.py:CLASS nor module:CLASS"),
    "a class that is not there": ("rivers.py:Rivrs", "", "unknown class in rivers.py 'Rivrs': did you mean 'Rivers'?"),
    "an empty file": (SPEC, "# nothing yet\n", "no class Rivers in rivers.py, which defines none at all"),
    "broken syntax": (SPEC, "import json\n\nclass Rivers(:\n", "rivers.py, line 3: invalid syntax."),
    "an import that is not there": (
        SPEC,
        "\nimport rivrs\n",
        "rivers.py, line 2: ModuleNotFoundError: No module named",
    ),
    "an error at once": (SPEC, "a = 1\nb = a / 0\n", "rivers.py, line 2: ZeroDivisionError: division by zero."),
    "a program": (SPEC, "import sys\n\nsys.exit(3)\n", "rivers.py, line 3: the program ends here."),
    "a function": (SPEC, "\ndef Rivers():\n    pass\n", "rivers.py, line 2: rivers.py:Rivers is no benchmark"),
    "another class": (SPEC, "class Rivers:\n    pass\n", "rivers.py, line 1: rivers.py:Rivers is no benchmark"),
    "no title": (SPEC, WITHOUT_TITLE, "rivers.py, line 8: the benchmark Rivers has no title: set it to a text."),
    "no way to a sample": (
        SPEC,
        RIVERS.replace("def sample(", "def smaple("),
        "rivers.py, line 8: the benchmark Rivers has no sample: a method each is missing.",
    ),
    "an argument": (
        SPEC,
        RIVERS.replace("    def sample", "    def __init__(self, rows):\n        pass\n\n    def sample"),
        "rivers.py, line 8: the benchmark Rivers cannot be made without arguments",
    ),
    "the name of one of ours": (
        SPEC,
        RIVERS.replace('"rivers"', '"mmlu"'),
        "the name 'mmlu' is that of a benchmark of",
    ),
    "a group that is none": (SPEC, RIVERS.replace('"own"', '"water"'), "unknown group of the benchmark Rivers 'water'"),
    "files in one text": (SPEC, RIVERS.replace('("{split}.jsonl",)', '"x"'), "files must be a tuple of texts"),
    "a hub of texts": (
        SPEC,
        RIVERS.replace("    subsets", "    hub = ('a/b', 'a/b')\n    subsets"),
        "rivers.py, line 8: the benchmark Rivers: hub must be HubIds(modelscope, huggingface), or None.",
    ),
    "modes in words": (
        SPEC,
        RIVERS.replace("    subsets", "    modes = ('generate', 'guess')\n    subsets"),
        "modes must be a tuple of modes",
    ),
    "no metrics for a mode": (
        SPEC,
        RIVERS.replace("    subsets", "    metrics = {}\n    subsets"),
        "metrics must name",
    ),
    "nothing but the base class": (
        SPEC,
        BARE,
        "rivers.py, line 4: the benchmark Rivers: modes must be a tuple of modes",
    ),
    "a method that fails": (
        SPEC,
        RIVERS.replace("options = cell", "nobody.knows = cell"),
        "rivers.py, line 24: NameError: name 'nobody' is not defined.",
    ),
    "a prompt that fails": (
        SPEC,
        RIVERS + "\n    def intro(self, subset, mode):\n        return subset / 2\n",
        "rivers.py, line 34: TypeError: unsupported operand type(s)",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_one_line_with_its_place_and_nothing_is_written(
    case: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    spec, text, said = case
    if text:
        write(text)
    Path("rows.py").mkdir()
    assert measured(spec=spec) == 2
    out, err = capsys.readouterr()
    assert said in err and err.count("\n") == 1, err
    assert "Traceback" not in out + err
    assert not Path("outputs").exists() or not list(Path("outputs").iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import rivrs\n", "mine/__init__.py, line 1: ModuleNotFoundError: No module named 'rivrs'."),
        ("a = b\n", "mine/__init__.py, line 1: NameError: name 'b' is not defined."),
        ("", "there is no module mine.places: it must be importable from here."),
    ],
)
def test_what_is_wrong_with_the_package_around_a_module_has_its_place_too(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(text, "mine/__init__.py")
    if text:
        write(RIVERS, "mine/places.py")
    assert measured(spec="mine.places:Rivers") == 2
    assert capsys.readouterr().err == f"llmuses: {said}\n"


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    write("a = 1 / 0\n")
    assert measured("--debug") == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_an_error_in_the_middle_says_its_line_and_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    write(RIVERS + "\n    def tag(self, sample):\n        return {}[sample.sample_id]\n")
    assert measured() == 1
    said = capsys.readouterr().err
    assert "rivers.py, line 34: KeyError: 'europe/" in said and "answers are kept in" in said and said.count("\n") == 1


def test_two_classes_of_one_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write(RIVERS, "others.py")
    assert main(["eval", "--model", "baseline:random", "--datasets", SPEC, "others.py:Rivers", *ARGS]) == 2
    assert "two benchmarks are called 'rivers'" in capsys.readouterr().err
    assert main(["eval", "--model", "baseline:random", "--datasets", SPEC, SPEC, *ARGS]) == 0
