"""From a job's command back to the form that it came from, so that it can be changed a little and started again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.pipeline.config import found, judge_args, read_config
from arena.pipeline.questions import read_questions
from llmuses.benchmarks import benchmark_names
from llmuses.cli_settings import parse_pairs
from llmuses.errors import LlmusesError, UsageError
from llmuses.jobs import Job
from llmuses.markup import link
from llmuses.web.admin.battle_job import config_of
from llmuses.web.admin.evaluation import known_models

_PLAIN = {"--limit": "limit", "--repeats": "repeats", "--seed": "seed"}
_ARGS = {
    "base_url": "base_url",
    "api_key_env": "api_key_env",
    "max_concurrency": "concurrency",
    "precision": "precision",
    "device_map": "device_map",
}
_KNOWN = {
    "--model", "--model-args", "--datasets", "--generation-config", "--dataset-args", "--sample-data", "--hidden", "--outputs", *_PLAIN,
}  # fmt: skip


def copy_link(job: Job) -> str | None:
    """Return the address of the form that a job came from, filled in; None where no form can say what it does."""
    return form_link(job.command) or _battles_link(job)


def _battles_link(job: Job) -> str | None:
    path = config_of(job)
    if path is None:
        return None
    try:
        config = read_config(path)
        questions = read_questions(found(config.questions_file, path.resolve().parent, "questions_file"))
        judge = judge_args(config.reviews_gen.reviewers[0])
    except LlmusesError:
        return None
    tokens = {str(player.generation_config.get("max_tokens", "")) for player in config.answers_gen.values()}
    return link(
        "admin",
        tab="battles",
        models=",".join(config.answers_gen),
        categories=",".join(dict.fromkeys(question.category for question in questions)),
        number=len(questions),
        budget=config.budget,
        max_tokens="".join(tokens) or None if len(tokens) == 1 else None,
        judge=judge.model,
        orders=judge.position_bias_mitigation,
        policy=config.matchmaking.policy,
        hidden="1" if "--hidden" in job.command else None,
    )


def form_link(command: Sequence[str]) -> str | None:
    """Return the address of the form of a new evaluation, filled in as a command says; None where the form cannot say it."""
    try:
        fields = _fields(command)
    except (UsageError, ValueError):
        return None
    return None if fields is None else link("admin", tab="evaluate", **fields)


def _fields(command: Sequence[str]) -> dict[str, str] | None:
    given = _flags(command[1:]) if command[:1] == ["eval"] else None
    if given is None or not given.keys() <= _KNOWN or len(given.get("--model", ())) != 1:
        return None
    if not set(given.get("--datasets", ())) <= set(benchmark_names()):
        return None
    fields = {field: given[flag][0] for flag, field in _PLAIN.items() if flag in given}
    fields["datasets"] = ",".join(given.get("--datasets", ()))
    if "--sample-data" in given:
        fields["sample_data"] = "1"
    if "--hidden" in given:
        fields["hidden"] = "1"
    generation = _pairs(given, "--generation-config")
    if not generation.keys() <= {"temperature", "max_tokens"}:
        return None
    fields.update({name: str(value) for name, value in generation.items()})
    shots = [each for each in _pairs(given, "--dataset-args").values() if isinstance(each, Mapping)]
    if any(each.keys() != {"few_shot_num"} or each != shots[0] for each in shots):
        return None
    if shots:
        fields["few_shot"] = str(shots[0]["few_shot_num"])
    model = _model(given["--model"][0], _pairs(given, "--model-args"))
    return None if model is None else fields | model


def _flags(words: Sequence[str]) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] = {}
    flag = ""
    for word in words:
        if word.startswith("--"):
            flag = word
            found[flag] = []
        elif not flag:
            return None
        else:
            found[flag].append(word)
    return found


def _pairs(given: Mapping[str, Sequence[str]], flag: str) -> dict[str, Any]:
    return parse_pairs(given[flag][0], flag) if given.get(flag) else {}


def _model(spec: str, args: dict[str, Any]) -> dict[str, str] | None:
    hub = args.pop("hub", "")
    if not args.keys() <= _ARGS.keys() or hub not in ("", "huggingface"):
        return None
    fields = {_ARGS[name]: str(value) for name, value in args.items()}
    if spec in known_models() and not args:
        return {"source": "known", "model": spec}
    if spec.startswith("openai:"):
        return {"source": "api", "model": spec.removeprefix("openai:"), **fields}
    if spec.startswith(("/", ".", "~")):
        return {"source": "directory", "model": spec, **fields}
    return {"source": hub or "modelscope", "model": spec, **fields}
