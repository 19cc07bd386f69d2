"""The dictionary of the house: the schema of every line that a store holds.

A record is a frozen-shape ``msgspec.Struct``; on disk it is one JSON object on one line. Fields that a
newer version added are ignored by an older one; fields with a default may be missing.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any, Literal

import msgspec


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of a store. Default values are left out on disk."""


# --- What is asked -----------------------------------------------------------------------------------------


class Mode(StrEnum):
    """How a benchmark asks: a written answer, or the log-probability of given continuations."""

    GENERATE = "generate"
    LOGPROB = "logprob"


class Sample(Record, kw_only=True):
    """One question of a benchmark, as its row says it.

    ``target`` is the right answer as it is compared: an option's label, a number, a text. ``choices`` are the options
    of multiple choice, in the row's order; ``details`` is what else the benchmark needs to ask or to score.
    """

    sample_id: str
    subset: str
    question: str
    target: str
    choices: list[str] = []
    details: dict[str, Any] = {}


class Image(msgspec.Struct, frozen=True):
    """A picture in a message: an encoded file, base64 on disk. ``media_type`` is such as ``image/png``."""

    media_type: str
    data: bytes


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of a conversation. A message without images is written without the field: its key stays what it was."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[Image, ...] = ()


class GenerationConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How an answer is sampled. Part of a prediction's key: all fields are written, defaults too.

    ``temperature`` 0 is greedy decoding. ``None`` leaves a setting to the model.
    """

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


class Generate(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", tag="generate"):
    """Asks for a written answer to a conversation.

    A model without a chat template reads the contents one after the other as one text.
    """

    messages: tuple[Message, ...]
    config: GenerationConfig = GenerationConfig()


class Loglikelihood(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", tag="loglikelihood"):
    """Asks for the log-probability of each continuation after one context.

    The context is plain text and never put into a chat template. ``config`` is absent: nothing is sampled.
    """

    context: str
    continuations: tuple[str, ...]


Ask = Generate | Loglikelihood


class Request(msgspec.Struct, frozen=True):
    """An ask under the key that its response will carry."""

    key: str
    ask: Ask


_key_encoder = msgspec.json.Encoder(order="deterministic")


def prediction_key(ask: Ask, model_identity: str, repeat: int) -> str:
    """Return the key of an answer: 24 hex digits over the rendered request, the model's identity and the repeat.

    Two answers with one key are interchangeable; whatever could change an answer changes the key.
    """
    return hashlib.blake2b(_key_encoder.encode((ask, model_identity, repeat)), digest_size=12).hexdigest()


# --- What came back ----------------------------------------------------------------------------------------


class Usage(Record, kw_only=True):
    """Tokens as the backend counted them; ``None`` where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class ErrorKind(StrEnum):
    """Why there is no answer: it may pass (``failed``), or the server refused this very request for good."""

    FAILED = "failed"
    REJECTED = "rejected"


class ResponseError(Record, kw_only=True):
    """Why a request has no answer. ``code`` is short and stable (``http_500``, ``timeout``, ``content_filter``)."""

    kind: ErrorKind
    code: str
    message: str = ""


class Score(Record, kw_only=True):
    """The log-probability of one continuation.

    ``logprob`` is the natural logarithm, summed over the continuation's ``tokens``; ``greedy`` says whether each
    token was the likeliest one. A server that names only its likeliest tokens leaves ``logprob`` at ``None`` for
    a continuation that was not among them.
    """

    logprob: float | None
    tokens: int = 1
    greedy: bool = False


class Response(Record, kw_only=True):
    """What a model gave back for one request: an answer, scores, or an error; exactly one of the three.

    ``finish_reason`` is ``stop``, ``length`` (truncated), ``content_filter`` or what else the server said.
    ``latency`` and ``first_token`` are seconds from sending. ``served_model`` is the name the server reported.
    """

    key: str
    text: str | None = None
    reasoning: str | None = None
    scores: list[Score] | None = None
    error: ResponseError | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    latency: float | None = None
    first_token: float | None = None
    attempts: int = 1
    served_model: str | None = None

    @property
    def truncated(self) -> bool:
        """Whether the answer stopped because its length was used up."""
        return self.finish_reason == "length"


class Prediction(Record, kw_only=True, omit_defaults=False):
    """One answered (sample, repeat): what was asked and what came back, whole.

    ``question_at`` is where the sample's own question begins, after the worked examples: the index of a message,
    and the offset in characters inside it (for a log-likelihood the index is 0 and the text is the context).
    """

    key: str
    dataset: str
    sample_id: str
    subset: str
    repeat: int = 0
    model: str
    ask: Ask
    response: Response
    question_at: tuple[int, int] = (0, 0)
    shots: int = 0
    tstamp: float = 0.0


# --- What it was worth -------------------------------------------------------------------------------------


class Status(StrEnum):
    """What became of a (sample, repeat).

    ``scored``: an answer was read and judged right or wrong. ``unparsed``: the model answered, nothing could be
    read out: wrong, and counted. ``rejected``: refused for good: wrong, and counted. ``failed``: no answer because
    of an error that may pass: not in the score.
    """

    SCORED = "scored"
    UNPARSED = "unparsed"
    REJECTED = "rejected"
    FAILED = "failed"


class Review(Record, kw_only=True, omit_defaults=False):
    """One scored (sample, repeat).

    ``scores`` maps a metric to a number in [0, 1]; the benchmark's main metric comes first. ``span`` is where in
    the answer's text the extracted part stands (start, end, in characters); ``rule`` says how it was read.
    """

    key: str
    sample_id: str
    subset: str
    repeat: int = 0
    status: Status
    reason: str | None = None
    extracted: str | None = None
    target: str
    scores: dict[str, float] = {}
    span: tuple[int, int] | None = None
    rule: str | None = None
    finish_reason: str | None = None
    truncated: bool = False
    tokens: int | None = None
    prompt_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency: float | None = None
    scorer: int = 0
    """The version of the benchmark that scored it."""
    tag: str | None = None
    """What a sample is told apart by inside its subset, such as its level."""
    parts: int = 1
    """How many parts of the sample its shares are of, in metrics whose unit is a part."""
    prompt: str = ""
    """The question's first words, for lists; the whole of it is in the prediction."""
    verdict: dict[str, Any] | None = None


# --- What it adds up to ------------------------------------------------------------------------------------


class Counts(Record, kw_only=True, omit_defaults=False):
    """How many (sample, repeat) ended how.

    ``truncated`` counts beside the four statuses; ``correct`` counts those of ``scored`` whose main score is 1.
    """

    scored: int = 0
    unparsed: int = 0
    rejected: int = 0
    failed: int = 0
    truncated: int = 0
    correct: int = 0


class Estimate(Record, kw_only=True, omit_defaults=False):
    """A score and what it is worth. Scores are fractions.

    ``n`` counts what is in the score (``failed`` is not). ``score``, ``stderr`` and ``ci95`` are ``None`` at n = 0.
    ``bounds`` is what the score would be if every failed one were wrong, or right; ``None`` where none failed.
    """

    score: float | None
    n: int
    stderr: float | None
    ci95: tuple[float, float] | None
    counts: Counts
    bounds: tuple[float, float] | None = None


class Totals(Record, kw_only=True, omit_defaults=False):
    """What a dataset cost: tokens as counted by the backend, seconds of answering, money where prices are known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None
    currency: str | None = None


class Report(Estimate, kw_only=True):
    """The result of one dataset in one run: ``reports/DATASET.json``.

    ``averages`` holds the means over subsets and categories under their own names, each an Estimate:
    ``subsets_weighted``, ``subsets_unweighted``, ``categories_unweighted``. ``metrics`` holds the other metrics.
    ``fingerprint`` is what must be equal for two reports to be comparable, ``identity`` what it is made of, part by part.
    ``repeat_scores`` holds the score of each repeat alone and ``repeat_sd`` their standard deviation: how much a score
    over the same samples, asked once, varies.
    """

    dataset: str
    title: str
    group: str
    mode: Mode
    metric: str
    setting: str
    few_shot: int
    chance: float | None
    model: str
    model_identity: str
    subsets: dict[str, Estimate]
    categories: dict[str, Estimate]
    tags: dict[str, Estimate] = {}
    """The same by what samples are told apart by across subsets, such as their level: over those answered."""
    averages: dict[str, Estimate]
    metrics: dict[str, Estimate] = {}
    repeats: int = 1
    repeat_scores: list[float] = []
    repeat_sd: float | None = None
    failures: dict[str, int] = {}
    """Why samples failed, the commonest reasons first, and how many for each."""
    publish_samples: bool = True
    dataset_sha256: str = ""
    fingerprint: str = ""
    identity: dict[str, str] = {}
    totals: Totals
    served_models: list[str] = []
    detectable: float | None = None
    """The smallest true difference between two models that a paired test on this n finds with 80% power."""
    llmuses_version: str = ""
    tstamp: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether no sample failed: an incomplete report is shown but not ranked."""
        return self.counts.failed == 0


class PublishedResult(Record, kw_only=True):
    """A score that others published, a line of ``OUTPUTS/published.jsonl``: shown beside runs, ranked and averaged with none.

    Scores are fractions. ``setting`` is written as in a report (``5-shot``), ``parts`` are the other figures of the same
    row under their own names, ``notes`` its texts. ``parameters`` are billions.
    """

    model: str
    dataset: str
    setting: str
    score: float
    source: str
    """Where it stands: an address, or a citation."""
    metric: str = ""
    ci95: tuple[float, float] | None = None
    n: int | None = None
    parts: dict[str, float] = {}
    notes: dict[str, str] = {}
    organisation: str | None = None
    licence: str | None = None
    parameters: float | None = None
    kind: Literal["chat", "base"] | None = None
    tstamp: float = 0.0


# --- The run itself ----------------------------------------------------------------------------------------


class RunStatus(StrEnum):
    """``running`` with no process behind it means that the run was interrupted."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"
    DONE = "done"


class JudgePlan(Record, kw_only=True, omit_defaults=False):
    """The model that scores answers: its SPEC, its arguments (no secrets), how its verdicts are sampled."""

    model_spec: str
    model_args: dict[str, Any] = {}
    generation: GenerationConfig = GenerationConfig()


class DatasetPlan(Record, kw_only=True, omit_defaults=False):
    """How one dataset is asked in a run, all defaults resolved."""

    dataset: str
    mode: Mode
    few_shot: int
    few_shot_as: Literal["text", "turns"]
    subsets: list[str]
    split: str
    local_path: str | None
    hub: str
    sample_data: bool
    generation: GenerationConfig
    variant: str = ""
    """Which of a benchmark's forms is asked, "" where it has only one."""
    extract: str | None = None
    """The user's own way to read an answer: a regular expression, or ``module:function``."""
    judge: JudgePlan | None = None
    """The model that scores the answers, where a model does."""
    unsafe_code: bool = False
    """Whether code that the model wrote runs without isolation."""
    answers: str = ""
    """The kind of file that the answers came from, "" where the model was asked. ``few_shot`` is then what was said of it."""


class Order(Record, kw_only=True, omit_defaults=False):
    """The order of asking of one dataset: a stratified permutation that follows from the seed.

    ``sha256`` is over the sample ids in that order, ``n`` counts them; ``set_sha256`` is the same in any order.
    """

    method: str
    seed: int
    n: int
    sha256: str
    set_sha256: str = ""


class DatasetState(Record, kw_only=True, omit_defaults=False):
    """Where a dataset stands in a run: what it holds, its order, what is answered so far."""

    total: int
    """How many (sample, repeat) the run holds."""
    planned: dict[str, int]
    """How many samples of each subset are asked."""
    sha256: str
    order: Order
    chance: float
    borrowed_shots: bool = False
    """Whether worked examples were taken from the shipped sample set."""
    prompts_sha256: str = ""
    """Over what is asked of the first sample of each subset, worked examples and all; "" where nothing is asked."""
    answered: int = 0
    failed: int = 0
    reviewed: int = 0
    """How many of the answered ones have been scored so far, failed ones included: none in the stage ``infer``."""
    correct: float = 0.0
    """The sum of the main metric so far, over what is reviewed and did not fail."""
    seconds: float = 0.0
    served_models: list[str] = []


class Run(Record, kw_only=True, omit_defaults=False):
    """``run.json``: the plan and its hash, versions, dataset fingerprints, order of asking, status, timings."""

    run_id: str
    plan_hash: str
    model: str
    model_spec: str
    model_identity: str
    model_args: dict[str, Any]
    """As typed; a value under a name that speaks of a key or a secret is left out."""
    model_details: dict[str, Any]
    datasets: list[DatasetPlan]
    limit: int | None
    repeats: int
    seed: int
    status: RunStatus
    states: dict[str, DatasetState] = {}
    versions: dict[str, str] = {}
    command: str = ""
    demo: bool = False
    job: str = ""
    """The job that started it last, "" where a person did."""
    pid: int | None = None
    started: float = 0.0
    updated: float = 0.0
    finished: float | None = None
    seconds: float = 0.0


# --- The arena ---------------------------------------------------------------------------------------------


class Winner(StrEnum):
    """Who won a battle. ``both_bad`` counts as a tie in ratings, and is told apart in reports."""

    MODEL_A = "model_a"
    MODEL_B = "model_b"
    TIE = "tie"
    BOTH_BAD = "both_bad"


HUMAN = "human"
"""The judge of a battle that a person decided."""


class Battle(Record, kw_only=True):
    """One decided battle of two models over one question.

    ``judge`` is ``human`` or the judge model's name; ``voter`` is a pseudonym of the person. ``anony`` says whether the
    names were hidden until the vote. ``pair_probability`` is the chance that matchmaking, under ``policy``, had of
    choosing this pair then: without it votes that were gathered under different policies cannot be combined without
    bias. ``latency_a`` and ``latency_b`` are seconds.
    """

    battle_id: str
    question_id: str
    model_a: str
    model_b: str
    winner: Winner
    judge: str = HUMAN
    category: str | None = None
    language: str | None = None
    question: str | None = None
    conversation: list[Message] | None = None
    output_a: str | None = None
    output_b: str | None = None
    scores: dict[str, float] | None = None
    verdicts: list[Winner] | None = None
    """What the judge said in each order of the answers, where it was shown both; in terms of model_a and model_b."""
    voter: str | None = None
    tier: str | None = None
    """What the voter did to be believed: ``anonymous``, ``worked`` (a proof of work), ``login``."""
    anony: bool = True
    policy: str | None = None
    pair_probability: float | None = None
    generation_config: GenerationConfig | None = None
    finish_a: str | None = None
    finish_b: str | None = None
    latency_a: float | None = None
    latency_b: float | None = None
    tstamp: float = 0.0


class Exclusion(Record, kw_only=True):
    """Takes a battle out of the ratings, and says why. The battle's own line stays where it is."""

    battle_id: str
    reason: str
    tstamp: float = 0.0


class Redaction(Record, kw_only=True, omit_defaults=False):
    """Withdraws a battle on request: no reader shows it and no export holds it, texts and vote alike.

    It has a ``reason``, so that whoever knows exclusion lines only leaves the vote out as well.
    """

    battle_id: str
    redacted: Literal[True] = True
    reason: str = "withdrawn"
    tstamp: float = 0.0


class Restoration(Record, kw_only=True):
    """Takes back the exclusions of a battle up to its time stamp, and says why: from then on it counts again.

    It never brings back a battle that was withdrawn.
    """

    battle_id: str
    restored: str
    tstamp: float


class VoterMark(Record, kw_only=True):
    """Marks a voter who looks odd, and says why. The votes stay where they are; ratings weigh them by their own rules."""

    voter: str
    votes: int
    reasons: list[str]
    tstamp: float = 0.0


class RegisterEvent(StrEnum):
    """What became of a model in an arena."""

    ADDED = "added"
    VARIANT = "variant"
    PAUSED = "paused"
    RESUMED = "resumed"
    RETIRED = "retired"


class PlayerEvent(StrEnum):
    """What became of a model in the live arena: it answered, it sits out, it plays again; an admin keeps it out (paused,
    retired) or lets it in again."""

    ANSWERED = "answered"
    SITS_OUT = "sits_out"
    RETURNED = "returned"
    PAUSED = "paused"
    RETIRED = "retired"
    RESUMED = "resumed"


class PlayerLine(Record, kw_only=True):
    """One line of the live arena's book of its models: what an answer cost, or why and until when one sits out.

    ``cost`` is in the currency of models.yaml, ``until`` a time stamp.
    """

    model: str
    event: PlayerEvent
    cost: float | None = None
    reason: str | None = None
    until: float | None = None
    tstamp: float = 0.0


class RegisterLine(Record, kw_only=True):
    """One line of an arena's register of models, which only grows: a model that was ever played stays known."""

    model: str
    event: RegisterEvent
    model_spec: str | None = None
    variant_of: str | None = None
    reason: str | None = None
    tstamp: float = 0.0


# --- Jobs --------------------------------------------------------------------------------------------------


class JobEvent(StrEnum):
    """What happened to a job. ``queued`` once more, after its end, means that somebody resumed it."""

    QUEUED = "queued"
    STARTED = "started"
    HEARTBEAT = "heartbeat"
    INTERRUPTED = "interrupted"
    """Its processes died without a word: it waits again by itself."""
    CANCEL = "cancel"
    """Somebody asked for its end; ``cancelled`` follows when it has ended."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobLine(Record, kw_only=True):
    """One line of the jobs log, which only grows and is the truth about all jobs.

    The first line of a job says what it is: ``title``, ``command`` (the arguments after ``llmuses``) and the ``device``
    that it occupies. ``by`` is who asked for the event, empty where nobody did; ``pid`` is the process that does the work.
    """

    job_id: str
    event: JobEvent
    title: str | None = None
    command: list[str] | None = None
    device: str | None = None
    clone_of: str | None = None
    by: str = ""
    reason: str = ""
    exit_code: int | None = None
    pid: int | None = None
    tstamp: float = 0.0


class AuditLine(Record, kw_only=True):
    """One deed in the admin room: who did it, what, to what (a job, a model, a battle), and from which address."""

    by: str
    deed: str
    about: str = ""
    address: str = ""
    tstamp: float = 0.0


class LogoutLine(Record, kw_only=True):
    """A session of the admin room that was ended: a hash of it, and when it would have ended by itself."""

    session: str
    until: float
