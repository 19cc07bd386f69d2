"""The commands of llmuses: parse, call the floor below, print, exit.

Exit codes: 0 done; 1 the work ended but something was not reached; 2 the command could not be understood or started.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from llmuses.errors import Interrupted, LlmusesError, UsageError
from llmuses.settings import outputs_dir, stay_quiet

if TYPE_CHECKING:
    from llmuses.cli_settings import EvalSettings, ModelChoice
    from llmuses.evaluation.runner import Result


_SECRET = re.compile(r"\b((?:\w*_)?(?:api_?key|secret|password|token))=[^,\s'\"]+", re.IGNORECASE)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all errors here are said."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    stay_quiet()
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        args = _parser().parse_args(arguments)
        signal.signal(signal.SIGTERM, _interrupt)
        args.command = _SECRET.sub(r"\1=…", shlex.join(["llmuses", *(word for word in arguments if word != "--demo")]))
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except LlmusesError as problem:
        if debug:
            traceback.print_exc()
        print(f"llmuses: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        print("llmuses: stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has gone
        return 1


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    from llmuses import __version__

    parser = _Parser(prog="llmuses", description="Measure language models and compare them.")
    parser.add_argument("--version", action="version", version=f"llmuses {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_eval(commands.add_parser("eval", help="evaluate models on benchmarks"))
    _add_serve(commands.add_parser("serve", help="start the web app"))
    _add_list(commands.add_parser("list", help="list benchmarks, models or runs"))
    doctor = commands.add_parser("doctor", help="say what is installed and what each missing part would enable")
    doctor.set_defaults(run=_doctor)
    for command in commands.choices.values():
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


# --- eval ---------------------------------------------------------------------------------------------------


def _add_eval(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", nargs="+", metavar="SPEC", help="BACKEND:NAME, a directory, a hub id, or a name in models.yaml")
    add("--datasets", nargs="+", metavar="D", help="benchmarks: llmuses list benchmarks")
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
    add("--stage", choices=("all", "infer", "review", "report"), help="do only one step of a run (all)")
    add("--dry-run", action="store_true", default=None, help="show the prompts and count the calls, ask nothing")
    add("--fail-under", nargs="+", metavar="D=SCORE", help="exit with 1 where a score is lower: gsm8k=0.6")
    add("--config", type=Path, metavar="RUN.yaml", help="the same settings from a file; flags win over it")
    add("--demo", action="store_true", default=None, help=argparse.SUPPRESS)
    parser.set_defaults(run=_eval)


def _eval(args: argparse.Namespace) -> int:
    from llmuses.benchmarks import get_benchmark
    from llmuses.cli_settings import eval_settings
    from llmuses.models.load import typed_args

    settings = eval_settings(args)
    if settings.work_dir:
        os.environ["LLMUSES_WORK_DIR"] = str(settings.work_dir)
    for name in settings.datasets:
        get_benchmark(name)
    for model in settings.models:
        typed_args(model.spec, model.args)
    if settings.dry_run:
        return _dry_run(settings)
    worst = 0
    for model in settings.models:
        try:
            result = _evaluate(settings, model)
        except LlmusesError as problem:
            if len(settings.models) == 1 or isinstance(problem, Interrupted):
                raise
            print(f"llmuses: {model.spec}: {problem}", file=sys.stderr)
            worst = max(worst, problem.exit_code)
            continue
        worst = max(worst, 0 if result.complete else 1, _below(result, settings.fail_under))
    return worst


def _evaluate(settings: EvalSettings, model: ModelChoice) -> Result:
    from llmuses.console import Progress, console, print_result
    from llmuses.evaluation import Stage, evaluate

    out = console()
    progress = Progress(out)
    try:
        result = evaluate(
            model.spec,
            settings.datasets,
            model_args=model.args,
            dataset_args=settings.dataset_args,
            generation_config=settings.generation_config,
            limit=settings.limit,
            repeats=settings.repeats,
            seed=settings.seed,
            sample_data=settings.sample_data,
            outputs=settings.outputs or outputs_dir(),
            stage=Stage(settings.stage),
            mem_cache=settings.mem_cache,
            listener=progress,
            command=settings.command,
            demo=settings.demo,
        )
    finally:
        progress.close()
    print_result(out, result)
    return result


def _dry_run(settings: EvalSettings) -> int:
    from llmuses.benchmarks import get_benchmark
    from llmuses.console import console, print_dry_run
    from llmuses.evaluation.dry_run import dry_run
    from llmuses.evaluation.plan import make_plan
    from llmuses.models.load import default_mode

    benchmarks = {name: get_benchmark(name) for name in settings.datasets}
    for model in settings.models:
        plan = make_plan(
            model.spec,
            settings.datasets,
            prefers=default_mode(model.spec),
            model_args=model.args,
            dataset_args=settings.dataset_args,
            generation=settings.generation_config,
            limit=settings.limit,
            repeats=settings.repeats,
            seed=settings.seed,
            sample_data=settings.sample_data,
        )
        print_dry_run(console(), dry_run(plan, benchmarks))
    return 0


def _below(result: Result, thresholds: dict[str, float]) -> int:
    code = 0
    for report in result.reports:
        wanted = thresholds.get(report.dataset)
        if wanted is not None and (report.score is None or report.score < wanted):
            score = "none" if report.score is None else f"{report.score:.4f}"
            print(f"llmuses: {report.dataset}: score {score} is under {wanted:g} (fractions of 1).", file=sys.stderr)
            code = 1
    return code


# --- serve, list, doctor ------------------------------------------------------------------------------------


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (7860, or the next free one)")
    parser.add_argument("--no-demo", action="store_true", help="do not evaluate the demo on an empty folder")
    parser.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> int:
    from llmuses.web.server import serve

    serve(args.outputs or outputs_dir(), host=args.host, port=args.port, demo=not args.no_demo)
    return 0


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("benchmarks", "models", "runs"), metavar="benchmarks|models|runs")
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_list)


def _list(args: argparse.Namespace) -> int:
    from llmuses import listing

    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "benchmarks": listing.benchmarks,
        "models": listing.models,
        "runs": lambda: listing.runs(args.outputs or outputs_dir()),
    }
    rows = makers[args.what]()
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        listing.print_rows(rows)
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from llmuses.doctor import examine, print_findings

    print_findings(examine())
    return 0
