"""``llmuses eval``: evaluate models on benchmarks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from llmuses.errors import Interrupted, LlmusesError
from llmuses.settings import outputs_dir

if TYPE_CHECKING:
    from llmuses.benchmarks import Benchmark
    from llmuses.cli_settings import EvalSettings, ModelChoice
    from llmuses.evaluation.runner import Result

HELP = "evaluate models on benchmarks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses eval``."""
    add = parser.add_argument
    add("--model", nargs="+", metavar="SPEC", help="BACKEND:NAME, a directory, a hub id, or a name in models.yaml")
    add("--datasets", nargs="+", metavar="D", help="benchmarks (llmuses list benchmarks), or own ones: FILE.py:CLASS")
    add("--model-args", metavar="K=V,...", help="arguments of the model: revision=v1.0.2,precision=torch.float16")
    add("--generation-config", metavar="K=V,...", help="how answers are sampled: temperature=0.7,max_tokens=512")
    add("--dataset-args", metavar="JSON", help='{"mmlu": {"local_path": "DIR", "few_shot_num": 5}}, or a file of it')
    add("--limit", type=int, metavar="N", help="at most N samples of each subset, a seeded choice")
    add("--repeats", type=int, metavar="K", help="ask each sample K times")
    add("--seed", type=int, metavar="S", help="seed of the order and the choice of samples (0)")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add("--work-dir", type=Path, metavar="DIR", help="downloads and shared answers (~/.cache/llmuses)")
    add("--mem-cache", action="store_true", default=None, help="share answers between all runs on this machine")
    add("--sample-data", action="store_true", default=None, help="use the small sample sets that come with llmuses")
    add("--unsafe-code", action="store_true", default=None, help="run code that the model wrote without isolation")
    add("--stage", choices=("all", "infer", "review", "report"), help="do only one step of a run (all)")
    add("--dry-run", action="store_true", default=None, help="show the prompts and count the calls, ask nothing")
    add("--fail-under", nargs="+", metavar="D=SCORE", help="exit with 1 where a score is lower: gsm8k=0.6")
    add("--hidden", action="store_true", default=None, help="keep the run from public pages until it is published")
    add("--config", type=Path, metavar="RUN.yaml", help="the same settings from a file; flags win over it")
    add("--demo", action="store_true", default=None, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Evaluate each model on all datasets; a model that cannot be evaluated does not stop the others."""
    from llmuses.cli_settings import check_thresholds, eval_settings
    from llmuses.evaluation.choosing import chosen_benchmarks
    from llmuses.models.load import typed_args

    settings = eval_settings(args)
    if settings.work_dir:
        os.environ["LLMUSES_WORK_DIR"] = str(settings.work_dir)
    benchmarks = chosen_benchmarks(settings.datasets, settings.outputs or outputs_dir())
    check_thresholds(settings.fail_under, list(benchmarks))
    for model in settings.models:
        typed_args(model.spec, model.args)
    if settings.dry_run:
        return _dry_run(settings, benchmarks)
    worst = 0
    for model in settings.models:
        try:
            result = _evaluate(settings, model, benchmarks)
        except LlmusesError as problem:
            if len(settings.models) == 1 or isinstance(problem, Interrupted):
                raise
            print(f"llmuses: {model.spec}: {problem}", file=sys.stderr)
            worst = max(worst, problem.exit_code)
            continue
        worst = max(worst, 0 if result.complete else 1, below(result, settings.fail_under))
    return worst


def _evaluate(settings: EvalSettings, model: ModelChoice, benchmarks: Mapping[str, Benchmark]) -> Result:
    from llmuses.console import Progress, console, print_result, say_whether_public
    from llmuses.evaluation import Stage, evaluate

    out = console()
    progress = Progress(out)
    try:
        result = evaluate(
            model.spec,
            list(benchmarks.values()),
            model_args=model.args,
            dataset_args=settings.dataset_args,
            generation_config=settings.generation_config,
            limit=settings.limit,
            repeats=settings.repeats,
            seed=settings.seed,
            sample_data=settings.sample_data,
            unsafe_code=settings.unsafe_code,
            outputs=settings.outputs or outputs_dir(),
            stage=Stage(settings.stage),
            mem_cache=settings.mem_cache,
            listener=progress,
            command=settings.command,
            demo=settings.demo,
            hidden=settings.hidden,
        )
    finally:
        progress.close()
    print_result(out, result)
    say_whether_public(out, result.folder, settings.hidden)
    return result


def _dry_run(settings: EvalSettings, benchmarks: Mapping[str, Benchmark]) -> int:
    from llmuses.benchmarks.own_class import own_faults
    from llmuses.console import console, print_dry_run
    from llmuses.evaluation.dry_run import dry_run
    from llmuses.evaluation.plan import make_plan
    from llmuses.models.load import default_mode
    from llmuses.settings import model_entries

    for model in settings.models:
        with own_faults(benchmarks.values()):
            plan = make_plan(
                model.spec,
                list(benchmarks.values()),
                prefers=default_mode(model.spec),
                model_args=model.args,
                dataset_args=settings.dataset_args,
                generation=settings.generation_config,
                limit=settings.limit,
                repeats=settings.repeats,
                seed=settings.seed,
                sample_data=settings.sample_data,
                unsafe_code=settings.unsafe_code,
            )
            found = dry_run(plan, benchmarks)
        print_dry_run(console(), found, model_entries().get(model.spec))
    return 0


def below(result: Result, thresholds: dict[str, float]) -> int:
    """Say which scores are under their thresholds; return the exit code, 1 where one is."""
    code = 0
    for report in result.reports:
        wanted = thresholds.get(report.dataset)
        if wanted is not None and (report.score is None or report.score < wanted):
            score = "none" if report.score is None else f"{report.score:.4f}"
            print(f"llmuses: {report.dataset}: score {score} is under {wanted:g} (fractions of 1).", file=sys.stderr)
            code = 1
    return code
