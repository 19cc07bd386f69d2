"""Who judges: a model with prompts, a class of the user's own, or chance in a dry run. Each says what is asked of it, how its
verdict is read, and what a call costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Protocol

import msgspec

from arena.pipeline.answers import Answer
from arena.pipeline.config import ArenaConfig, JudgeArgs, Orders, ReviewerConfig, found, judge_args, slug
from arena.pipeline.own_reviewer import OwnReviewer, OwnReviewerModel, load_own, own_messages
from arena.pipeline.questions import Question
from llmuses.errors import UnknownNameError, UsageError
from llmuses.evaluation.plan import generation_config
from llmuses.judge.asking import Turns, pairwise_ask, single_ask
from llmuses.judge.templates import (
    PAIR_STYLES,
    SINGLE_STYLES,
    JudgeMode,
    JudgeTemplate,
    VerdictStyle,
    choose,
    load_templates,
)
from llmuses.judge.verdicts import PairVerdict, read_pairwise, read_rating
from llmuses.models import Model, load_model
from llmuses.models.load import check_model, parse_spec
from llmuses.own_code import own_object
from llmuses.records import Generate, GenerationConfig, Mode, Request, Response
from llmuses.settings import model_entries

DRY_RUN = "dry-run"
"""The judge of battles that chance decided: no rating takes them."""

_OLD_PROMPTS = "registry/data/prompt_template/"

Reading = PairVerdict | float | None
"""What a verdict says: which answer is better (the first shown is ``model_a``), a number from 1 to 10, or nothing."""


class Price(NamedTuple):
    """Money for a million prompt tokens and a million completion tokens."""

    prompt: float
    completion: float
    currency: str


class Shown(NamedTuple):
    """What a judge is shown: a question and one answer, or two in this order."""

    question: Question
    one: Answer
    two: Answer | None = None


class Wording(Protocol):
    """How a judge is asked and read."""

    max_tokens: int

    def ask(self, shown: Shown) -> Generate:
        """Return what is asked. Raises UsageError where no prompt serves the question."""
        ...

    def read(self, text: str, shown: Shown) -> Reading:
        """Return what a verdict says, None where it cannot be read."""
        ...


class Judge(NamedTuple):
    """One judge. ``file`` names its store; ``free`` says that no call costs money; ``quick`` that opening takes no time."""

    name: str
    file: str
    wording: Wording
    opened: Callable[[], Model]
    orders: Orders | None
    seed: int
    free: bool
    quick: bool
    price: Price | None = None


def mode_of(config: ArenaConfig) -> JudgeMode:
    """Return what the judges are asked. Raises UsageError where they are asked differently."""
    modes = set()
    for reviewer in config.reviews_gen.reviewers:
        args = judge_args(reviewer) if reviewer.built_in else _own_frame(reviewer)[0]
        modes.add(args.mode)
    if len(modes) > 1:
        raise UsageError(f"the judges of a panel are asked the same: mode is {' and '.join(sorted(modes))}.")
    return modes.pop()


def panel_of(config: ArenaConfig, beside: Path, dry_run: bool) -> list[Judge]:
    """Return the judges of a config, each under a name of its own; in a dry run chance alone.

    Raises UsageError, UnknownNameError and DataError for what cannot be meant, MissingKeyError for a judge without key.
    """
    judges: list[Judge] = []
    for reviewer in config.reviews_gen.reviewers:
        judge = _built_in(reviewer, config, beside, dry_run) if reviewer.built_in else _own(reviewer)
        if dry_run:
            return [_chance(judge, mode_of(config))]
        taken = [other.name for other in judges if other.file.partition("~")[0] == judge.file]
        if taken:
            judge = judge._replace(name=f"{judge.name} {len(taken) + 1}", file=f"{judge.file}~{len(taken) + 1}")
        judges.append(judge)
    return judges


# --- The built-in reviewer ---------------------------------------------------------------------------------


def _built_in(reviewer: ReviewerConfig, config: ArenaConfig, beside: Path, dry_run: bool) -> Judge:
    args = judge_args(reviewer)
    spec = judge_spec(args.model)
    parsed = parse_spec(spec)
    if not dry_run:
        check_model(spec, **args.model_args)
    prompts = prompt_file(config, beside)
    templates = load_templates(prompts)
    wording = ModelWording(templates, args)
    entry = model_entries().get(parsed.alias or "")
    price = Price(*entry.price, entry.currency) if entry and entry.price else None
    name = parsed.alias or PurePosixPath(parsed.name).name
    local = parsed.backend != "openai" or _on_this_machine({**parsed.args, **args.model_args})
    costs = not local if price is None else price.prompt + price.completion > 0
    return Judge(
        name=name,
        file=slug(name),
        wording=wording,
        opened=lambda: load_model(spec, **args.model_args),
        orders=args.position_bias_mitigation,
        seed=args.random_seed,
        free=not costs,
        quick=parsed.backend in ("openai", "baseline"),
        price=price,
    )


def prompt_file(config: ArenaConfig, beside: Path) -> Path | None:
    """Return the file of prompts that a config names, None for the shipped ones: older configs name files that llmuses
    brought along under ``registry/data/prompt_template``. Raises UsageError where there is no such file."""
    named = config.reviews_gen.prompt_file
    if not named or (_OLD_PROMPTS in named and not Path(named).exists()):
        return None
    return found(named, beside, "prompt_file")


def judge_spec(model: str) -> str:
    """Return a judge's SPEC: a bare name that is neither known nor a folder is a model behind an OpenAI-compatible server."""
    bare = ":" not in model and "/" not in model and model not in model_entries() and not Path(model).exists()
    return f"openai:{model}" if bare else model


def _on_this_machine(args: Mapping[str, Any]) -> bool:
    from llmuses.models.openai.server import is_local, server_url

    return is_local(server_url(args.get("base_url")))


class ModelWording:
    """Asks a model by prompt templates."""

    def __init__(self, templates: Sequence[JudgeTemplate], args: JudgeArgs):
        self._templates = templates
        self._chosen: dict[tuple[str, bool, int, str], JudgeTemplate] = {}
        self._mode = args.mode
        self._style, self._own = _parser(args)
        changes = {"max_tokens": args.max_tokens, "temperature": args.temperature, "top_p": args.top_p}
        self._config = generation_config(
            GenerationConfig(), {name: value for name, value in changes.items() if value is not None}
        )
        self.max_tokens = args.max_tokens

    def ask(self, shown: Shown) -> Generate:
        """Return the prompt of the template that suits the question."""
        template = self._template(shown.question)
        one = _turns(shown.question, shown.one)
        if shown.two is None:
            messages = single_ask(template, one)
        else:
            messages = pairwise_ask(template, one, _turns(shown.question, shown.two))
        return Generate(messages=messages, config=self._config)

    def read(self, text: str, shown: Shown) -> Reading:
        """Return what the verdict says in the template's style."""
        style = self._template(shown.question).style
        if self._own is not None:
            said = self._own(text)
            text = "" if said is None else str(said)
        two = shown.two.turns if shown.two else ()
        material = (*shown.question.turns, *shown.question.references, *shown.one.turns, *two)
        if shown.two is None:
            return read_rating(text, style, material if self._own is None else ())
        return read_pairwise(text, style, material if self._own is None else ())

    def _template(self, question: Question) -> JudgeTemplate:
        kind = (question.category, bool(question.references), len(question.turns), question.language)
        if kind not in self._chosen:
            category, has_reference, turns, language = kind
            template = choose(self._templates, self._mode, category, has_reference, turns=turns, language=language)
            styled = template if self._style is None else msgspec.structs.replace(template, style=self._style)
            self._chosen[kind] = styled
        return self._chosen[kind]


def _turns(question: Question, answer: Answer) -> Turns:
    return Turns(question.turns, answer.turns, question.references)


def _parser(args: JudgeArgs) -> tuple[VerdictStyle | None, Callable[[str], object] | None]:
    """Return the style that verdicts are asked for and read in, and a function of the user's own, as far as they are named."""
    said = args.fn_completion_parser
    single = args.mode is JudgeMode.SINGLE
    if said is None or said == "lmsys_parser":
        return None, None
    if ":" in said:
        try:
            function = own_object(said, "function")
        except UsageError as problem:
            raise UsageError(f"fn_completion_parser '{said}': {problem}") from None
        return (VerdictStyle.RATING if single else VerdictStyle.BRACKETS), function
    styles = SINGLE_STYLES if single else PAIR_STYLES
    if said not in [style.value for style in styles]:
        raise UnknownNameError("fn_completion_parser", said, ["lmsys_parser", *(style.value for style in styles)])
    return VerdictStyle(said), None


# --- A class of the user's own -----------------------------------------------------------------------------


def _own_frame(reviewer: ReviewerConfig) -> tuple[JudgeArgs, dict[str, Any]]:
    """Return what the arena itself takes from an own reviewer's args (mode, orders, seed), and the class's own."""
    frame = {"mode", "position_bias_mitigation", "random_seed"}
    taken = ReviewerConfig(args={name: value for name, value in reviewer.args.items() if name in frame})
    return judge_args(taken), {name: value for name, value in reviewer.args.items() if name not in frame}


def _own(reviewer: ReviewerConfig) -> Judge:
    args, rest = _own_frame(reviewer)
    own = load_own(reviewer.ref, rest)
    name = reviewer.ref.rpartition(":")[2]
    return Judge(
        name=name,
        file=slug(name),
        wording=OwnWording(),
        opened=lambda: OwnReviewerModel(reviewer.ref, rest, own),
        orders=args.position_bias_mitigation,
        seed=args.random_seed,
        free=_is_free(own),
        quick=True,
    )


def _is_free(own: OwnReviewer) -> bool:
    return bool(getattr(own, "free", False))


class OwnWording:
    """Hands an own reviewer the texts and reads what it returns in brackets."""

    max_tokens = 0

    def ask(self, shown: Shown) -> Generate:
        """Return the material as it is stored."""
        question, one = "\n\n".join(shown.question.turns), "\n\n".join(shown.one.turns)
        return Generate(messages=own_messages(question, one, "\n\n".join(shown.two.turns) if shown.two else None))

    def read(self, text: str, shown: Shown) -> Reading:
        """Return what the brackets say."""
        return (
            read_rating(text, VerdictStyle.RATING) if shown.two is None else read_pairwise(text, VerdictStyle.BRACKETS)
        )


# --- Chance ------------------------------------------------------------------------------------------------


def _chance(judge: Judge, mode: JudgeMode) -> Judge:
    """Return chance in a judge's place: asked the same, so that its prompts are seen to work."""
    single = mode is JudgeMode.SINGLE
    return judge._replace(
        name=DRY_RUN,
        file=DRY_RUN,
        wording=ChanceWording(judge.wording),
        opened=lambda: Chance(single),
        free=True,
        quick=True,
    )


class ChanceWording:
    """Asks as the judge would be asked, and reads what chance said."""

    def __init__(self, wording: Wording):
        self._wording = wording
        self.max_tokens = 0

    def ask(self, shown: Shown) -> Generate:
        """Return what the judge itself would be asked."""
        return self._wording.ask(shown)

    def read(self, text: str, shown: Shown) -> Reading:
        """Return what chance said."""
        return (
            read_rating(text, VerdictStyle.RATING) if shown.two is None else read_pairwise(text, VerdictStyle.BRACKETS)
        )


class Chance:
    """Draws verdicts: the same request gets the same one."""

    name = DRY_RUN
    identity = f"{DRY_RUN}:1"
    prefers = Mode.GENERATE
    details: Mapping[str, Any] = {}

    def __init__(self, single: bool):
        self._single = single

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield a verdict for each request."""
        for request in requests:
            drawn = random.Random(request.key)
            said = str(drawn.randint(1, 10)) if self._single else drawn.choice("ABC")
            yield Response(key=request.key, text=f"[[{said}]]", finish_reason="stop")

    def close(self) -> None:
        """Nothing is held."""
