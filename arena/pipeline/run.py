"""The arena from config to report: ``run_arena(config)`` is what the command and a notebook call.

Every step leaves files behind that the next one reads: it can be stopped at any moment, and the same call goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from arena.matchmaking import policy_named
from arena.pipeline.answers import Answer, Played, Progress, answers_of, write_lines
from arena.pipeline.arriving import Arriving
from arena.pipeline.battles import (
    Decided,
    Scored,
    Undecided,
    outcomes,
    read_record,
    record,
    record_dry_run,
    withdraw_others,
)
from arena.pipeline.config import ArenaConfig, Metric, Orders, found, read_config, slug
from arena.pipeline.estimate import estimate, example, refuse_unasked
from arena.pipeline.folder import ArenaFolder, ArenaState
from arena.pipeline.given_battles import GivenBattles, read_given
from arena.pipeline.judges import Judge, Shown, mode_of, panel_of, prompt_file
from arena.pipeline.judging import Bench, Call, Slot, Spent, Verdict, held_slots, judged
from arena.pipeline.matching import Budget, Matches, every_slot, pairings
from arena.pipeline.players import Cast, Player, cast_of, read_answers
from arena.pipeline.questions import Question, read_questions
from arena.pipeline.rating import metrics_of, ratings_of, write_csv
from arena.pipeline.report import make_report, write_report
from arena.pipeline.report_records import ArenaReport
from llmuses import __version__
from llmuses.errors import CutShortError, DataError, Interrupted, LlmusesError, UsageError
from llmuses.inference import Predictions
from llmuses.judge.templates import JudgeMode
from llmuses.models.load import check_model
from llmuses.records import Battle
from llmuses.settings import arena_dir, outputs_dir
from llmuses.visibility import begin_hidden, whoever_runs_this

Confirm = Callable[[str], bool]
"""Is asked whether to go on, with what it would take."""


class Result(NamedTuple):
    """What came of an arena: its folder, and its report where something was judged or rated."""

    folder: Path
    report: ArenaReport | None
    complete: bool


class Talk(NamedTuple):
    """How a run speaks with people. ``confirm`` None: nobody is there, and calls that cost money are refused."""

    confirm: Confirm | None
    say: Callable[[str], None]
    progress: Progress


def run_arena(
    config: str | Path,
    *,
    dry_run: bool = False,
    yes: bool = False,
    outputs: str | Path | None = None,
    talk: Talk | None = None,
    command: str = "",
    hidden: bool = False,
) -> Result:
    """Carry out a config: answers, verdicts, battles, ratings, a report; what is there already is not asked again.

    ``dry_run`` asks the models and lets chance review; ``yes`` makes judge calls that cost money without asking.
    ``hidden`` keeps the arena from public pages until it is published; so does judging what visitors of the live arena
    wrote, which their own pages show a day later. Raises UsageError, DataError and their like before anything is written,
    CutShortError or Interrupted in the middle.
    """
    path = Path(config)
    talk = talk or Talk(None, lambda _: None, lambda *_: None)
    plan = _planned(read_config(path), path, dry_run)
    place = Path(outputs or outputs_dir()) / f"arena-{slug(path.stem)}"
    if not yes and talk.confirm is None:
        refuse_unasked(plan.panel, place, len(plan.slots))
    with ArenaFolder(place) as folder, _cut_short():
        hidden = (hidden or _of_visitors(plan, place.parent)) and begin_hidden(folder.path, whoever_runs_this())
        state = folder.state() or ArenaState(config=str(path), version=__version__)
        state.config, state.version, state.command = str(path), __version__, command
        if hidden and not state.began_hidden:  # before there is a battle to show
            state.began_hidden = True
            folder.save(state)
        played = _answered(plan, folder, state, talk)
        if not plan.panel:
            return _rated_alone(plan, folder, played)
        review = _reviewed(plan, folder, played, talk, yes)
        report = _reported(plan, folder, played, review)
        return Result(folder.path, report, report.complete)


class Plan(NamedTuple):
    """A config with everything that it names found and read."""

    config: ArenaConfig
    name: str
    mode: JudgeMode
    questions: list[Question]
    cast: Cast
    panel: list[Judge]
    metrics: list[Metric]
    dry_run: bool
    reuse: list[Path]
    notes: list[str]
    slots: list[Slot]
    """Everything that there is to judge."""
    given: GivenBattles | None = None


def _planned(config: ArenaConfig, path: Path, dry_run: bool) -> Plan:
    beside = path.resolve().parent
    mode = mode_of(config)
    given = _given(config, beside, mode)
    cast = cast_of(config, beside, mode) if given is None else _cast_of_given(given)
    for player in cast.players:
        if player.asked and player.config is not None:
            check_model(player.config.spec, **player.config.model_args)
    questions = (
        list(given.questions) if given else read_questions(found(config.questions_file, beside, "questions_file"))
    )
    reviews = config.reviews_gen
    if reviews.reference_file:
        questions = _with_references(questions, found(reviews.reference_file, beside, "reference_file"))
    panel = panel_of(config, beside, dry_run) if reviews.enable else []
    _check_prompts(panel, questions, mode)
    notes = [*_notes(config, beside), *(given.notes if given else ())]
    reuse = _cache(config, notes) if panel and not dry_run else []
    metrics = metrics_of(config.rating_gen.metrics, mode) if config.rating_gen.enable else []
    if mode is JudgeMode.SINGLE and config.matchmaking.policy != "uniform":
        raise UsageError("matchmaking: single answers are scored, there are no pairs to choose.")
    if config.budget is not None and panel and config.budget < _calls_a_slot(panel, mode):
        raise UsageError(f"budget: {config.budget} calls are fewer than one pair takes ({_calls_a_slot(panel, mode)}).")
    slots = list(given.slots) if given else every_slot(questions, pairings(cast, mode))
    return Plan(config, slug(path.stem), mode, questions, cast, panel, metrics, dry_run, reuse, notes, slots, given)


def _given(config: ArenaConfig, beside: Path, mode: JudgeMode) -> GivenBattles | None:
    if not config.battles_file:
        return None
    if mode is not JudgeMode.PAIRWISE:
        raise UsageError(f"battles_file: battles are judged in mode {JudgeMode.PAIRWISE}, not {mode}.")
    return read_given(found(config.battles_file, beside, "battles_file"))


def _of_visitors(plan: Plan, outputs: Path) -> bool:
    """Return whether what is judged is what visitors of the live arena wrote."""
    return plan.given is not None and arena_dir(outputs).resolve() in plan.given.path.resolve().parents


def _cast_of_given(given: GivenBattles) -> Cast:
    players = [Player(name, None) for name in given.models]
    return Cast(players, players, None)


def _check_prompts(panel: list[Judge], questions: list[Question], mode: JudgeMode) -> None:
    """Raise UsageError where no prompt serves a question: before anybody has answered."""
    for judge in panel:
        for question in questions:
            answer = Answer(("",) * len(question.turns))
            judge.wording.ask(Shown(question, answer, None if mode is JudgeMode.SINGLE else answer))


def _with_references(questions: list[Question], path: Path) -> list[Question]:
    given = read_answers(path).turns
    return [q._replace(references=given.get(q.question_id, q.references)) for q in questions]


def _notes(config: ArenaConfig, beside: Path) -> list[str]:
    """Return what of a config is understood and taken otherwise."""
    notes = []
    if (policy := config.matchmaking.policy) != "uniform":
        notes.append(
            f"pairs are chosen by policy {policy}: win rates hang on who met whom, Bradley-Terry ratings do not."
        )
    if typed := [name for name, player in config.answers_gen.items() if player.template_type]:
        notes.append(f"template_type is not needed ({', '.join(typed)}): a checkpoint brings its own chat template.")
    if (named := config.reviews_gen.prompt_file) and prompt_file(config, beside) is None:
        notes.append(f"prompt_file {named} is no longer part of llmuses: its own prompts are used.")
    return notes


def _cache(config: ArenaConfig, notes: list[str]) -> list[Path]:
    """Return the verdicts of another arena that may be taken; a file of battles cannot be: it does not say what was asked."""
    named = config.reviews_gen.cache_file
    if not named or named == config.reviews_gen.review_file:
        return []
    path = Path(named).expanduser()
    if not path.is_file():
        return []
    with open(path, "rb") as file:
        first = file.readline()
    if b'"ask"' in first and b'"key"' in first:
        return [path]
    notes.append(
        f"cache_file {named} holds no judge calls (a file of an arena's verdicts/ does): nothing is taken from it."
    )
    return []


def _calls_a_slot(panel: list[Judge], mode: JudgeMode) -> int:
    return sum(2 if mode is not JudgeMode.SINGLE and judge.orders is Orders.SWAP else 1 for judge in panel)


# --- Answers -----------------------------------------------------------------------------------------------


def _answered(plan: Plan, folder: ArenaFolder, state: ArenaState, talk: Talk) -> dict[str, Played]:
    """Have the models answer, one after the other: a local one has the machine to itself."""
    if plan.given is not None:
        return {name: Played(dict(answers), {}) for name, answers in sorted(plan.given.answers.items())}
    played = {}
    for player in plan.cast.players:
        spec = player.config.spec if player.config else None
        with _cut_short(player.name):
            played[player.name] = answers_of(player, plan.questions, folder, state, talk.progress)
        folder.registered(player.name, spec)
        folder.save(state)
        missing = played[player.name].missing
        if missing:
            kind, reason = next(iter(missing.values()))
            talk.say(
                f"{player.name}: {len(missing):,} of {len(plan.questions):,} answers are missing ({kind}: {reason})."
            )
    return played


# --- Verdicts ----------------------------------------------------------------------------------------------


class Reviewed(NamedTuple):
    """What the judges said and what follows from it."""

    matches: Matches
    benches: list[Bench]
    verdicts: list[dict[Call, Verdict]]
    models: list[str]
    spent: list[Spent]
    outcomes: list[list[Decided | Undecided | Scored]]
    arriving: Arriving | None

    @classmethod
    def empty(cls, found: Matches, benches: Sequence[Bench], arriving: Arriving | None) -> Reviewed:
        """Return a review in which nothing was said yet."""
        own = range(len(benches))
        return cls(
            found,
            list(benches),
            [{} for _ in own],
            ["" for _ in own],
            [Spent() for _ in own],
            [[] for _ in own],
            arriving,
        )

    def add(self, number: int, slots: list[Slot], said: tuple[dict[Call, Verdict], Spent], model: str) -> None:
        """Take in what one judge said of some slots."""
        bench, (verdicts, spent) = self.benches[number], said
        before = len(bench.slots)
        self.benches[number] = bench._replace(slots=[*bench.slots, *slots])
        self.verdicts[number].update((Call(call.slot + before, call.swapped), verdicts[call]) for call in verdicts)
        self.models[number] = model
        self.spent[number].take(spent)
        self.outcomes[number] += outcomes(bench._replace(slots=slots), verdicts)

    def battles(self) -> list[Battle]:
        """Return all battles that were decided."""
        return [found.battle for own in self.outcomes for found in own if isinstance(found, Decided)]


def _reviewed(plan: Plan, folder: ArenaFolder, played: Mapping[str, Played], talk: Talk, yes: bool) -> Reviewed:
    answers = {name: one.answers for name, one in played.items()}
    place = folder.path / "dry-run" if plan.dry_run else folder.path
    store = Predictions(place / "verdicts")
    try:
        found = Matches(plan.slots, answers, _budget(plan, place, store))
        benches = [Bench(judge, [], answers, store, plan.reuse) for judge in plan.panel]
        wanted = [bench._replace(slots=found.expected) for bench in benches]
        estimate(wanted, len(plan.questions), plan.mode, talk.confirm, talk.say, yes)
        if plan.dry_run and found.expected:
            talk.say(example(wanted[0]))
        watched = not plan.dry_run and plan.mode is not JudgeMode.SINGLE
        review = Reviewed.empty(found, benches, Arriving(place / "battles.jsonl") if watched else None)
        for slots in found.rounds(review.battles):
            for number, judge in enumerate(plan.panel):
                with _cut_short(f"judge {judge.name}"), closing(judge.opened()) as model:
                    said = judged(benches[number]._replace(slots=slots), model, talk.progress, review.arriving)
                    review.add(number, slots, said, model.identity)
    finally:
        store.close()
    return review


def _budget(plan: Plan, place: Path, store: Predictions) -> Budget | None:
    if plan.config.budget is None:
        return None
    own = plan.config.matchmaking
    held = set().union(*(held_slots(store.of(judge.file).path) for judge in plan.panel))
    most = plan.config.budget // _calls_a_slot(plan.panel, plan.mode)
    return Budget(most, policy_named(own.policy, **own.options), place / "matches.jsonl", held)


# --- Record, ratings, report -------------------------------------------------------------------------------


def _reported(plan: Plan, folder: ArenaFolder, played: Mapping[str, Played], review: Reviewed) -> ArenaReport:
    battles = review.battles()
    place = folder.path / "dry-run" if plan.dry_run else folder.path
    notes = list(plan.notes)
    if plan.dry_run:
        record_dry_run(place / "battles.jsonl", battles)
        ratings = ratings_of(battles, plan.metrics)
    else:
        written = record(place / "battles.jsonl", battles) if battles else None
        replaced = (written.replaced if written else 0) + (review.arriving.replaced if review.arriving else 0)
        if replaced:
            notes.append(f"{replaced:,} earlier battles were answered or judged anew; exclusion lines take them out.")
        if plan.given is not None and (gone := withdraw_others(place / "battles.jsonl", plan.given.compared)):
            notes.append(
                f"{gone:,} earlier battles are no longer in {plan.config.battles_file}: they are withdrawn here too."
            )
        ratings = ratings_of(place / "battles.jsonl", plan.metrics) if battles else {}
    report = make_report(plan, played, review, ratings, notes)
    write_report(place, report)
    if not plan.dry_run:
        _export(plan, review, battles, report)
    return report


def _export(plan: Plan, review: Reviewed, battles: list[Battle], report: ArenaReport) -> None:
    """Write the files that the config names."""
    reviews = plan.config.reviews_gen
    if reviews.review_file:
        lines = [msgspec.json.encode(battle) for battle in battles]
        for judge, own in zip(plan.panel, review.outcomes, strict=True):
            lines += [
                msgspec.json.encode(
                    {
                        "question_id": found.slot.question.question_id,
                        "model": found.slot.one,
                        "score": found.rating,
                        "judge": judge.name,
                        "category": found.slot.question.category,
                        "language": found.slot.question.language,
                        "question": found.slot.question.text,
                        "tstamp": found.tstamp,
                    }
                )
                for found in own
                if isinstance(found, Scored)
            ]
        write_lines(Path(reviews.review_file).expanduser(), lines)
    if plan.config.rating_gen.enable and plan.config.rating_gen.report_file:
        write_csv(Path(plan.config.rating_gen.report_file).expanduser(), report)


def _rated_alone(plan: Plan, folder: ArenaFolder, played: Mapping[str, Played]) -> Result:
    """Rate the battles that are there: reviews are not enabled."""
    complete = not any(missing.kind == "failed" for one in played.values() for missing in one.missing.values())
    path = folder.path / "battles.jsonl"
    if not plan.config.rating_gen.enable or plan.mode is JudgeMode.SINGLE or not path.exists():
        return Result(folder.path, None, complete)
    battles = read_record(path)
    report = make_report(plan, played, None, ratings_of(path, plan.metrics), plan.notes, battles)
    write_report(folder.path, report)
    if plan.config.rating_gen.report_file:
        write_csv(Path(plan.config.rating_gen.report_file).expanduser(), report)
    return Result(folder.path, report, complete)


@contextmanager
def _cut_short(name: str = "") -> Iterator[None]:
    """Say of whatever ends a run in its middle whom it was about, and that the run can go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted("stopped; the same command goes on from here.") from stop
    except (CutShortError, UsageError, DataError):
        raise
    except LlmusesError as problem:
        words = f"{name}: {problem}" if name else str(problem)
        raise CutShortError(f"{words} What was answered is kept: the same command goes on from there.") from problem
