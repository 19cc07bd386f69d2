"""The command line: bad input is one line that says what is wrong and what to do, exit code 2, nothing written."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmuses.cli import main
from llmuses.records import Run
from llmuses.store import read_json

SAMPLES = ["--datasets", "gsm8k", "--sample-data", "--limit", "3"]
RANDOM = ["eval", "--model", "baseline:random", *SAMPLES]


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(tmp_path / "work"))
    for name in ("LLMUSES_OUTPUTS", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


BAD = {
    "an unknown dataset": (["eval", "--model", "baseline:random", "--datasets", "mmul"], "did you mean 'mmlu'"),
    "an unknown backend": (["eval", "--model", "openia:gpt", *SAMPLES], "did you mean 'openai'?"),
    "a backend without a name": (["eval", "--model", "openai:", *SAMPLES], "has no name after 'openai:'"),
    "an unknown baseline": (["eval", "--model", "baseline:randm", *SAMPLES], "did you mean 'random'?"),
    "no model": (["eval", "--datasets", "mmlu"], "--model SPEC"),
    "no dataset": (["eval", "--model", "baseline:random"], "--datasets mmlu"),
    "a model argument without a value": ([*RANDOM, "--model-args", "seed"], "'seed' is not of the form name=value"),
    "a share of tokens beyond all": (
        [*RANDOM, "--generation-config", "top_p=7"],
        "top_p must be more than 0 and at most 1",
    ),
    "no penalty at all": (
        [*RANDOM, "--generation-config", "repetition_penalty=0"],
        "repetition_penalty must be more than 0",
    ),
    "an unknown model argument": ([*RANDOM, "--model-args", "sed=1"], "did you mean 'seed'?"),
    "a model argument of another kind": ([*RANDOM, "--model-args", "seed=x"], "model arguments for baseline"),
    "an unknown generation setting": ([*RANDOM, "--generation-config", "temprature=1"], "did you mean 'temperature'?"),
    "a negative temperature": ([*RANDOM, "--generation-config", "temperature=-1"], "temperature 0 or more"),
    "dataset arguments that are no JSON": ([*RANDOM, "--dataset-args", "{'gsm8k': 1}"], "--dataset-args: not JSON"),
    "an unknown dataset argument": ([*RANDOM, "--dataset-args", '{"gsm8k": {"localpath": "x"}}'], "'local_path'?"),
    "arguments for another dataset": ([*RANDOM, "--dataset-args", '{"mmlu": {}}'], "unknown dataset in --dataset-args"),
    "a mode that is not offered": (
        [*RANDOM, "--dataset-args", '{"gsm8k": {"mode": "logprob"}}'],
        "gsm8k cannot be asked in mode logprob, only generate",
    ),
    "a mode that does not exist": (
        [*RANDOM, "--dataset-args", '{"gsm8k": {"mode": "gen"}}'],
        "did you mean 'generate'?",
    ),
    "a near miss between two names": (
        [*RANDOM, "--dataset-args", '{"gsm8k": {"few_shots": 2}}'],
        "did you mean 'few_shot_as' or 'few_shot_num'?",
    ),
    "a number in words": ([*RANDOM, "--generation-config", "temperature=hot"], "temperature must be a number."),
    "a temperature that is no number": ([*RANDOM, "--generation-config", "temperature=nan"], "temperature 0 or more"),
    "a threshold for a stage without a score": (
        [*RANDOM, "--stage", "infer", "--fail-under", "gsm8k=0.5"],
        "the stage infer gives no score",
    ),
    "a wrong argument in a dry run": ([*RANDOM, "--dry-run", "--model-args", "sed=1"], "did you mean 'seed'?"),
    "a limit of nothing": (["eval", "--model", "baseline:random", "--datasets", "gsm8k", "--limit", "0"], "--limit 0"),
    "a limit that is no number": ([*RANDOM, "--limit", "ten"], "invalid int value: 'ten'"),
    "a threshold without a score": ([*RANDOM, "--fail-under", "gsm8k"], "DATASET=SCORE"),
    "a threshold in points": ([*RANDOM, "--fail-under", "gsm8k=50"], "a fraction between 0 and 1"),
    "rows that are not there": (
        ["eval", "--model", "baseline:random", "--datasets", "mmlu", "--dataset-args", '{"mmlu": {"local_path": "x"}}'],
        "does not exist",
    ),
    "a missing key": (["eval", "--model", "openai:gpt-5", *SAMPLES], "OPENAI_API_KEY"),
    "a server that is not there": (
        ["eval", "--model", "openai:m", "--model-args", "base_url=http://127.0.0.1:9/v1", *SAMPLES],
        "127.0.0.1:9",
    ),
    "a stage without a run": ([*RANDOM, "--stage", "report"], "there is no run"),
    "a configuration that is not there": (["eval", "--config", "run.yaml"], "cannot read run.yaml"),
    "an unknown command": (["evaluate"], "invalid choice: 'evaluate'"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_nothing_is_written(
    case: tuple[list[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv, words = case
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and err.startswith("llmuses: "), err
    assert words in err
    assert "Traceback" not in out + err
    assert not list((tmp_path / "outputs").glob("*")) if (tmp_path / "outputs").exists() else True


def test_a_wrong_layout_names_the_files_that_were_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rows").mkdir()
    args = json.dumps({"mmlu": {"local_path": "rows", "subset_list": ["anatomy"]}})
    assert main(["eval", "--model", "baseline:random", "--datasets", "mmlu", "--dataset-args", args]) == 2
    assert "test/anatomy_test.csv" in capsys.readouterr().err


def test_an_unwritable_output_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main([*RANDOM, "--outputs", "file"]) == 2
    assert "cannot write in file" in capsys.readouterr().err


def test_what_the_system_refuses_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = tmp_path / "outputs"
    assert main([*RANDOM, "--outputs", str(outputs)]) == 0
    (reviews,) = outputs.glob("*/reviews/gsm8k.jsonl")
    reviews.unlink()
    reviews.mkdir()
    capsys.readouterr()
    assert main([*RANDOM, "--outputs", str(outputs)]) == 1
    assert capsys.readouterr().err == f"llmuses: {reviews}: Is a directory (--debug says where).\n"


def test_a_model_s_bare_name_is_answered_with_how_an_api_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("transformers", reason="local checkpoints need the extra 'local'")
    assert main(["eval", "--model", "gpt-5", *SAMPLES]) == 2
    assert "behind an API it is openai:gpt-5" in capsys.readouterr().err


def test_debug_adds_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--model", "baseline:random", "--datasets", "mmul", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_run_prints_its_score_with_interval_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RANDOM) == 0
    out = capsys.readouterr().out
    for word in ("gsm8k", "95% interval", "unparsed", "rejected", "failed", "truncated", "sample set", "report.md"):
        assert word in out
    (run_json,) = tmp_path.glob("outputs/*/run.json")
    assert read_json(run_json, Run).command.startswith("llmuses eval --model baseline:random")


def test_the_same_command_again_says_that_nothing_was_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RANDOM) == 0
    assert "stored" not in capsys.readouterr().out
    assert main(RANDOM) == 0
    assert "3 of 3 answers were stored and not asked for again." in capsys.readouterr().out


def test_a_score_under_the_threshold_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RANDOM, "--fail-under", "gsm8k=1"]) == 1
    assert "is under 1" in capsys.readouterr().err
    assert main([*RANDOM, "--fail-under", "gsm8k=0"]) == 0


def test_a_dry_run_shows_the_prompt_and_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--model", "openai:gpt-5", *SAMPLES, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "3 calls" in out and "prompt tokens" in out and "Nothing was asked." in out
    assert not (tmp_path / "outputs").exists()


def test_a_dry_run_shows_lines_as_long_as_they_will_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    query = "Which of these " + "many, many " * 30 + "words is the last?"
    Path("questions.jsonl").write_text(json.dumps({"query": query, "response": "last"}) + "\n", "utf-8")
    given = json.dumps({"general_qa": {"local_path": "questions.jsonl"}})
    asked = ["eval", "--model", "baseline:random", "--datasets", "general_qa", "--dataset-args", given, "--dry-run"]
    assert main(asked) == 0
    assert any(query in line for line in capsys.readouterr().out.splitlines())


def test_a_dry_run_says_what_a_model_with_a_price_may_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models.yaml"
    models.write_text("mine: {model: 'baseline:random', price: [1000000, 2000000], currency: CNY}")
    monkeypatch.setenv("LLMUSES_MODELS", str(models))
    assert main(["eval", "--model", "mine", *SAMPLES, "--dry-run"]) == 0
    said = capsys.readouterr().out
    prompt, answers = re.search(r"about ([\d,]+) prompt tokens, at most ([\d,]+) tokens", said).groups()  # type: ignore[union-attr]
    cost = int(prompt.replace(",", "")) + 2 * int(answers.replace(",", ""))
    assert f"At most about {cost:,}.00 CNY in all" in said


def test_several_models_make_a_run_each(tmp_path: Path) -> None:
    assert main(["eval", "--model", "baseline:random", "baseline:majority", *SAMPLES]) == 0
    assert len(list(tmp_path.glob("outputs/*/run.json"))) == 2


def test_one_bad_model_among_several_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--model", "openai:gpt-5", "baseline:random", *SAMPLES]) == 2
    assert "openai:gpt-5" in capsys.readouterr().err
    assert len(list(tmp_path.glob("outputs/*/run.json"))) == 1


def test_a_configuration_file_says_the_same_as_flags_and_flags_win(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        "model:\n  - baseline:random\n  - {model: baseline:majority, args: {seed: 3}}\n"
        "datasets: [gsm8k]\nsample-data: true\nlimit: 5\noutputs: there\n"
    )
    assert main(["eval", "--config", "run.yaml", "--limit", "2"]) == 0
    runs = [read_json(path, Run) for path in tmp_path.glob("there/*/run.json")]
    assert sorted((run.model_spec, run.limit, run.model_args.get("seed")) for run in runs) == [
        ("baseline:majority", 2, 3),
        ("baseline:random", 2, None),
    ]


def test_datasets_may_be_separated_by_commas_and_settings_typed_as_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        "model: baseline:random\nmodel_args: seed=3\ndatasets: gsm8k,arc\nsample_data: true\nlimit: 1\n"
    )
    assert main(["eval", "--config", "run.yaml"]) == 0
    (path,) = tmp_path.glob("outputs/*/run.json")
    run = read_json(path, Run)
    assert ([plan.dataset for plan in run.datasets], run.model_args) == (["gsm8k", "arc"], {"seed": "3"})


def test_a_secret_in_a_command_is_not_written_down(tmp_path: Path) -> None:
    main([*RANDOM, "--model-args", "seed=1,api_key=sk-123"])
    assert not list(tmp_path.glob("outputs/*"))
    from llmuses.cli import _SECRET

    assert _SECRET.sub(r"\1=…", "--model-args hf_token=abc,max_tokens=5") == "--model-args hf_token=…,max_tokens=5"


def test_a_vanished_server_does_not_stop_the_models_after_it(tmp_path: Path) -> None:
    from tests.support.servers import mock_openai

    with mock_openai(faults="500=0.5", fault_tries=9) as server:
        args = ["--model-args", f"base_url={server.base_url},max_retries=0"]
        assert main(["eval", "--model", "openai:m", *SAMPLES, *args]) in (0, 1)
    config = {"base_url": server.base_url, "max_retries": 0}
    (tmp_path / "run.yaml").write_text(
        json.dumps({"model": [{"model": "openai:m", "args": config}, "baseline:random"]})
    )
    assert main(["eval", "--config", "run.yaml", *SAMPLES]) != 0
    names = {read_json(path, Run).model for path in tmp_path.glob("outputs/*/run.json")}
    assert "baseline:random" in names


def test_an_unknown_setting_in_a_configuration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.yaml").write_text("model: baseline:random\ndatsets: [mmlu]\n")
    assert main(["eval", "--config", "run.yaml"]) == 2
    assert "did you mean 'datasets'?" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["benchmarks", "models", "runs"])
def test_lists_are_tables_and_json(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["list", what, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)


def test_a_run_that_cannot_be_read_is_named_beside_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    outputs = tmp_path / "outputs"
    assert main([*RANDOM, "--outputs", str(outputs)]) == 0
    (outputs / "torn").mkdir()
    (outputs / "torn" / "run.json").write_text("{")
    capsys.readouterr()
    assert main(["list", "runs", "--json", "--outputs", str(outputs)]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert re.fullmatch(r"\w+ \d+\.\d ±\d+\.\d", row["scores"]), "a score has its interval"
    (said,) = (record.getMessage() for record in caplog.records if record.name == "llmuses.listing")
    assert said.startswith(f"torn: left out, cannot read {outputs / 'torn' / 'run.json'}")


def test_the_doctor_says_what_each_part_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "transformers" in out and "local checkpoints" in out
    assert out.count("are kept here") == 2 and "downloads, converted checkpoints" in " ".join(out.split())


def test_the_doctors_advice_can_be_pasted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gguf" else there(name))
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["doctor"]) == 0
    assert "pip install 'llmuses[local]'" in capsys.readouterr().out


def test_an_api_key_is_in_no_file_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    from tests.support.servers import mock_openai

    with mock_openai(key="sk-very-secret") as server:
        assert main(["eval", "--model", "openai:m", "--model-args", f"base_url={server.base_url}", *SAMPLES]) == 0
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"openai:m" in written
    assert b"sk-very-secret" not in written


def test_a_benchmark_is_described_with_a_prompt_of_each_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "benchmarks", "arc", "bbh"]) == 0
    printed = capsys.readouterr().out
    assert "allenai/ai2_arc" in printed and "CC BY-SA 4.0" in printed
    assert "generate cot" in printed and "generate direct" in printed
    assert printed.count("Answer:") >= 2
    assert main(["list", "benchmarks", "gpqa", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["samples may be shown"] == "no"
    assert main(["list", "benchmarks", "ark"]) == 2
    assert "did you mean 'arc'" in capsys.readouterr().err


def test_numpy_first_comes_after_its_threads_are_set_and_a_set_number_stays() -> None:
    program = (
        "import os, sys, llmuses.cli as cli; assert 'numpy' not in sys.modules;"
        "cli._spare_threads(); print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    bare = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    for environment, threads in ((bare, "1"), ({**bare, "OPENBLAS_NUM_THREADS": "3"}, "3")):
        found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert found.stdout.strip() == threads, found.stderr


def test_who_calls_a_command_in_a_process_of_its_own_keeps_its_handler_of_signals() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert main(["list", "benchmarks", "no such benchmark"]) == 2
    assert signal.getsignal(signal.SIGTERM) is before
