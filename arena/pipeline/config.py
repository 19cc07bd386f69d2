"""What a cfg_arena.yaml says, typed: the questions, who answers, who judges, what is rated.

Every key is described beside its field. A key that does not exist is an error that names the nearest one.
"""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from arena.matchmaking import policy_named
from llmuses.errors import UnknownNameError, UsageError, in_words
from llmuses.judge.templates import JudgeMode
from llmuses.settings import PACKAGE
from llmuses.yaml_files import read_yaml

Metric = Literal["elo", "bt", "score", "pairwise"]

BUILT_IN = "llmuses.evaluator.reviewer.auto_reviewer:AutoReviewerGpt4"
"""How configs name the built-in reviewer: a judge model with this project's prompts."""


S = TypeVar("S", bound=msgspec.Struct)


class Orders(enum.StrEnum):
    """What is done about judges that prefer a place: each pair is shown in both orders, or in one drawn at random."""

    SWAP = "swap_position"
    RANDOM = "randomize_order"


class PlayerConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One model of ``answers_gen``."""

    model: str | None = None
    """A model SPEC: ``openai:NAME``, a name of models.yaml, a folder, a hub id, ``baseline:echo``."""
    model_id_or_path: str | None = None
    """The same for a local or a hub's checkpoint: either this or ``model``."""
    revision: str | None = None
    precision: str | None = None
    args: dict[str, Any] = {}
    """Further model arguments (``base_url``, ``device_map``, ...), as ``--model-args`` takes them."""
    enable: bool = True
    """False: it is not asked, and plays only where ``target_answers`` names it and its answers are there."""
    template_type: str | None = None
    """Understood and not needed: a checkpoint brings its own chat template."""
    generation_config: dict[str, Any] = {}
    output_file: str | None = None
    """Where its answers are written for others to read; answers that stand there already, from elsewhere, are taken."""

    @property
    def spec(self) -> str:
        """Return the model SPEC."""
        return self.model or self.model_id_or_path or ""

    @property
    def model_args(self) -> dict[str, Any]:
        """Return all model arguments."""
        named = {"revision": self.revision, "precision": self.precision}
        return {**{name: value for name, value in named.items() if value is not None}, **self.args}


class JudgeArgs(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``args`` of a reviewer that is built in."""

    model: str = "gpt-4"
    """A model SPEC; a bare name such as ``gpt-4`` is a model behind an OpenAI-compatible server."""
    model_args: dict[str, Any] = {}
    """``base_url``, ``api_key_env``, ``max_concurrency``, ...: as ``--model-args`` takes them."""
    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float | None = None
    mode: JudgeMode = JudgeMode.PAIRWISE
    position_bias_mitigation: Orders | None = Orders.SWAP
    random_seed: int = 0
    """Draws the orders of ``randomize_order``."""
    fn_completion_parser: str | None = None
    """How verdicts are read. Unset or ``lmsys_parser``: as the prompt asks for them; a style such as ``[[A]]``, ``[[A>>B]]``,
    ``[[7]]``, ``two numbers`` or ``json``; ``module:function`` for a function of one's own."""


class ReviewerConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who judges: the built-in reviewer, or a class of the user's own (see arena/pipeline/own_reviewer.py)."""

    ref: str = BUILT_IN
    args: dict[str, Any] = {}

    @property
    def built_in(self) -> bool:
        """Return whether the reviewer is the built-in one, under whatever package's name."""
        return self.ref.rpartition(":")[2] == "AutoReviewerGpt4"


class ReviewsConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``reviews_gen``: how answers are judged. Several reviewers are a panel: each judges everything."""

    enable: bool = True
    reviewer: ReviewerConfig | list[ReviewerConfig] = ReviewerConfig()
    prompt_file: str | None = None
    """JSONL of prompt templates in place of the shipped ones."""
    target_answers: list[str] | str | None = None
    """Who is judged: names in ``answers_gen``, their ``output_file``, or files of answers. Unset: all that are enabled."""
    baseline_file: str | None = None
    """What ``pairwise_baseline`` compares with: a file of answers, or a name in ``answers_gen``."""
    reference_file: str | None = None
    """Right answers that the judge is shown: a file of answers by ``question_id``."""
    review_file: str | None = None
    """Where battles, or scores, are written for others to read."""
    cache_file: str | None = None
    """Verdicts of another arena (a file of its ``verdicts/``) that are taken where the judge would be asked the same."""

    @property
    def reviewers(self) -> list[ReviewerConfig]:
        """Return the reviewers, one or more."""
        return self.reviewer if isinstance(self.reviewer, list) else [self.reviewer]

    @property
    def targets(self) -> list[str]:
        """Return what ``target_answers`` names, [] for everybody who is enabled."""
        return [self.target_answers] if isinstance(self.target_answers, str) else list(self.target_answers or ())


class RatingConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``rating_gen`` or ``elo_rating``: what battles add up to."""

    enable: bool = True
    metrics: list[Metric] = []
    """``elo``, ``bt``: ratings of all pairs; ``pairwise``: win rates against the baseline; ``score``: mean scores. Unset:
    what suits the judge's mode."""
    baseline_model: str | None = None
    report_file: str | None = None
    """Where the table is written as CSV."""


class MatchmakingConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``matchmaking``: which pairs a budget is spent on. What is not set is as the policy has it."""

    policy: Literal["uniform", "fewest", "active"] = "uniform"
    """``uniform``: all pairs alike; ``fewest``: those that met least often; ``active``: those whose battle says most about
    where a new model stands and which ones are the best, from the verdicts so far."""
    floor: float | None = None
    """``fewest`` and ``active``: the share of battles that is dealt to all pairs alike (0.1)."""
    top: int | None = None
    """``active``: so many of the best are to be told apart (5)."""
    precision: float | None = None
    """``active``: a model is new while its 95% interval is wider than ± so many points (20)."""

    @property
    def options(self) -> dict[str, float | int]:
        """Return what is set beside the policy."""
        named = {"floor": self.floor, "top": self.top, "precision": self.precision}
        return {name: value for name, value in named.items() if value is not None}


class ArenaConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole config."""

    questions_file: str = ""
    battles_file: str = ""
    """In place of questions and answers: battles that are there already, people's votes or another judge's verdicts, of
    any format that ``llmuses convert`` reads. The same answers are judged once more."""
    answers_gen: dict[str, PlayerConfig] = {}
    reviews_gen: ReviewsConfig = ReviewsConfig(enable=False)
    rating_gen: RatingConfig = RatingConfig()
    budget: int | None = None
    """How many judge calls all of it may take, with those that were made before; unset: all pairs."""
    matchmaking: MatchmakingConfig = MatchmakingConfig()


_OTHER_NAMES = {"question_file": "questions_file", "elo_rating": "rating_gen"}


def read_config(path: Path) -> ArenaConfig:
    """Return what a config says. Raises UsageError or UnknownNameError, in one line that names the key."""
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected keys such as questions_file, answers_gen, reviews_gen.")
    return parse_config(content, str(path))


def parse_config(content: Mapping[str, Any], where: str = "config") -> ArenaConfig:
    """Return what a config's content says. Raises UsageError or UnknownNameError."""
    values = _without_nulls(content)
    for other, name in _OTHER_NAMES.items():
        if other in values:
            if name in values:
                raise UsageError(f"{where}: {other} and {name} are the same; keep one of them.")
            values[name] = values.pop(other)
    for kind, key, known in _unknown(values, ArenaConfig, ""):
        raise UnknownNameError(f"key in {where}{f', {kind}' if kind else ''}:", key, known)
    config = _converted(values, ArenaConfig, where)
    _check(config, where)
    return config


def judge_args(reviewer: ReviewerConfig, where: str = "reviewer") -> JudgeArgs:
    """Return a built-in reviewer's arguments, typed. Raises UsageError or UnknownNameError."""
    args = dict(reviewer.args)
    for kind, key, known in _unknown(args, JudgeArgs, "reviewer.args"):
        raise UnknownNameError(f"key in {kind}", key, known)
    mitigation = args.get("position_bias_mitigation")
    if isinstance(mitigation, str) and mitigation.lower() in ("none", "null", ""):
        args["position_bias_mitigation"] = None
    return _converted(
        {name: value for name, value in args.items() if value is not None or "bias" in name}, JudgeArgs, where
    )


def _converted(values: Mapping[str, Any], kind: type[S], where: str) -> S:
    try:
        return msgspec.convert(dict(values), kind, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"{where}: {in_words(problem)}.") from problem


def _without_nulls(value: Any, key: str = "") -> Any:
    """Leave out keys without a value (``reference_file:``), but for arguments, where NULL may mean something."""
    if isinstance(value, Mapping):
        inner = {str(name): _without_nulls(item, str(name)) for name, item in value.items()}
        return inner if key == "args" else {name: item for name, item in inner.items() if item is not None}
    return [_without_nulls(item, key) for item in value] if isinstance(value, list) else value


def _unknown(values: Any, kind: Any, where: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the keys that a part does not have: where, the key, what is known there."""
    if isinstance(kind, types.UnionType):
        wanted = list if isinstance(values, list) else dict
        kinds = [one for one in typing.get_args(kind) if (typing.get_origin(one) is list) == (wanted is list)]
        structs = [one for one in kinds if one is not type(None)]
        if structs:
            yield from _unknown(values, structs[0], where)
    elif typing.get_origin(kind) is list and isinstance(values, list):
        for value in values:
            yield from _unknown(value, typing.get_args(kind)[0], where)
    elif typing.get_origin(kind) is dict and isinstance(values, Mapping):
        for name, value in values.items():
            yield from _unknown(value, typing.get_args(kind)[1], f"{where}.{name}" if where else name)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(values, Mapping):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        for name, value in values.items():
            if name not in fields:
                others = [other for other, own in _OTHER_NAMES.items() if own in fields]
                yield where, str(name), [*fields, *others]
            else:
                yield from _unknown(value, fields[name], f"{where}.{name}" if where else name)


def _check(config: ArenaConfig, where: str) -> None:
    _check_sources(config, where)
    for name, player in config.answers_gen.items():
        if bool(player.model) == bool(player.model_id_or_path) and not (player.output_file and not player.enable):
            raise UsageError(f"{where}: answers_gen.{name} needs model: SPEC, or model_id_or_path, and not both.")
    slugs: dict[str, str] = {}
    for name in config.answers_gen:
        if (other := slugs.setdefault(slug(name).lower(), name)) != name:
            raise UsageError(f"{where}: '{other}' and '{name}' in answers_gen need the same file name; rename one.")
    if config.budget is not None and config.budget < 1:
        raise UsageError(f"{where}: budget must be 1 judge call or more.")
    if config.matchmaking.policy != "uniform" and config.budget is None:
        raise UsageError(f"{where}: matchmaking chooses the pairs that a budget is spent on; set budget as well.")
    policy_named(config.matchmaking.policy, **config.matchmaking.options)
    if not config.reviews_gen.reviewers:
        raise UsageError(f"{where}: reviews_gen.reviewer names nobody.")


def _check_sources(config: ArenaConfig, where: str) -> None:
    """Raise UsageError unless it is clear where questions and answers come from."""
    reviews = config.reviews_gen
    if bool(config.questions_file) == bool(config.battles_file):
        raise UsageError(
            f"{where}: name a questions_file, or a battles_file whose answers are to be judged, and not both."
        )
    if not config.battles_file:
        return
    if config.answers_gen or reviews.targets or reviews.baseline_file or reviews.reference_file:
        raise UsageError(
            f"{where}: battles_file brings questions and answers; leave out answers_gen, target_answers, baseline_file and "
            "reference_file."
        )
    if not reviews.enable:
        raise UsageError(f"{where}: battles_file is there to be judged; enable reviews_gen.")


def slug(name: str) -> str:
    """Return a name as a file can have it."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "model"


def found(path: str, beside: Path, what: str) -> Path:
    """Return the file that a config names: as typed, beside the config, or in the installed package's ``registry``.

    Raises UsageError where there is none.
    """
    typed = Path(path).expanduser()
    inside = PACKAGE / typed.as_posix().removeprefix("llmuses/")
    for place in (typed, beside / typed, inside):
        if place.is_file():
            return place.resolve()
    raise UsageError(f"{what} '{path}': there is no such file.")
