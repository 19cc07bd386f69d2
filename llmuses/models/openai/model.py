"""Any OpenAI-compatible server: OpenAI, DashScope, vLLM, Ollama, LM Studio, ``transformers serve``.

``scheduler`` and ``gate`` keep the server's slots full, ``session`` talks to it, ``dialect`` writes what
is sent, ``replies`` and ``logprobs`` read what comes back, ``errors`` says what a refusal means,
``stream`` and ``events`` have an answer as it is written, and ``server`` remembers what was learnt.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from llmuses.errors import MissingDependencyError, UnreachableError
from llmuses.models.base import Delta
from llmuses.models.openai.dialect import Dialect, reasoning_fields
from llmuses.models.openai.errors import Meaning, Refused, meaning
from llmuses.models.openai.gate import Fault, Gate, Pace, Ticket
from llmuses.models.openai.logprobs import score
from llmuses.models.openai.replies import written_answer
from llmuses.models.openai.scheduler import Attempt, Scheduler
from llmuses.models.openai.server import Server, server_url
from llmuses.models.openai.stream import Streams
from llmuses.records import ErrorKind, Generate, Mode, Request, Response, ResponseError

if TYPE_CHECKING:
    from llmuses.models.openai.session import Session

PREFERS = Mode.GENERATE

_PATIENCE = 8
"""So many requests at least have to be given up in a row before others are given up sooner."""


class Args(msgspec.Struct, kw_only=True, frozen=True):
    """Arguments of the openai backend, as typed in ``--model-args``."""

    base_url: str | None = None
    """The server's address up to and with ``/v1``; default OPENAI_BASE_URL, else OpenAI itself."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key. A server on this machine needs none."""
    max_concurrency: Annotated[int, Meta(ge=1)] = 32
    timeout: Annotated[float, Meta(gt=0)] = 600.0
    """Seconds for one whole answer."""
    max_retries: Annotated[int, Meta(ge=0)] = 7
    """How often a request is repeated after a fault; 7 times take about a minute, unless the server asks for more."""
    rpm: Annotated[float, Meta(gt=0)] | None = None
    """Requests per minute, evenly spread."""
    tpm: Annotated[float, Meta(gt=0)] | None = None
    """Tokens per minute, of prompts and answers together."""
    system_prompt: str | None = None
    """A first message in front of every conversation."""
    reasoning_effort: str | None = None
    reasoning_budget: Annotated[int, Meta(ge=0)] | None = None
    """The most tokens of thinking; 0 for none."""
    logprobs: Literal["auto", "completions", "chat"] = "auto"
    """Which endpoint is asked for log-probabilities; ``auto`` finds out at the first use."""


def check(name: str, args: Args) -> None:
    """Raise what ``load`` raises: nothing is sent before the first request."""
    load(name, args)


def load(name: str, args: Args) -> OpenAIModel:
    """Return the model of that name on the server. Nothing is sent yet.

    Raises MissingKeyError without a key for a server elsewhere, UsageError for an address that is none or a setting
    that the server is known not to have, MissingDependencyError where the client is not installed.
    """
    try:
        import llmuses.models.openai.session  # noqa: F401
    except ImportError as problem:
        raise MissingDependencyError("an OpenAI-compatible server", "'openai[aiohttp]'") from problem
    return OpenAIModel(name, args)


class OpenAIModel:
    """A model behind an OpenAI-compatible server."""

    prefers = PREFERS

    def __init__(self, name: str, args: Args):
        self.name = PurePosixPath(name).name if name.startswith(("/", "~", ".")) else name
        self._args = args
        url = server_url(args.base_url)
        reasoning = reasoning_fields(url, args.reasoning_effort, args.reasoning_budget)
        dialect = Dialect(name, args.system_prompt, reasoning)
        logprobs = None if args.logprobs == "auto" else args.logprobs
        self._server = Server(name, url, args.api_key_env, dialect, logprobs)
        self.identity = _identity(self._server, args)
        self._requests = Pace(args.rpm) if args.rpm else None
        self._tokens = Pace(args.tpm) if args.tpm else None
        self._mean_answer = 0.0
        self._lost_in_a_row = 0
        self._streams = Streams(self._server, self._gate, args.timeout, self._expected_tokens)

    @property
    def details(self) -> Mapping[str, Any]:
        """The server, the settings, and what the server's refusals changed in the requests."""
        args = self._args
        details: dict[str, Any] = {"server": self._server.url, "max_concurrency": args.max_concurrency}
        details |= _settings(args)
        if self._server.dialect.learnt:
            details["adapted"] = list(self._server.dialect.learnt)
        if self._server.logprobs:
            details["logprobs"] = self._server.logprobs
        return details

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield a response for each request, as they finish. Raises ModelError where no request would be answered."""
        return Scheduler(self._session, self._give_up, self._gate(), self._args.max_retries).run(requests)

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as the server writes it. See llmuses.models.base.Streamer."""
        return self._streams.stream(request)

    def close(self) -> None:
        """Do nothing: every run and the last of the streams close their own connections."""

    def _gate(self) -> Gate:
        args = self._args
        return Gate(
            args.max_concurrency,
            max_retries=args.max_retries,
            timeout=args.timeout,
            requests=self._requests,
            tokens=self._tokens,
        )

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Attempt[Request, Response]]:
        from llmuses.models.openai.session import open_session

        async with open_session(self._server, self._args.max_concurrency) as session:

            async def attempt(request: Request, ticket: Ticket) -> Response:
                return await self._attempt(session, request, ticket)

            yield attempt

    async def _attempt(self, session: Session, request: Request, ticket: Ticket) -> Response:
        ask = request.ask
        if self._tokens:
            ticket.tokens = self._expected_tokens(request)
        try:
            if isinstance(ask, Generate):
                dialect = self._server.dialect
                reply = await session.ask("/chat/completions", lambda: dialect.chat(ask), ticket)
                response = written_answer(request.key, reply)
            else:
                response = await score(session, request.key, ask, ticket)
            self._server.answered = True
            self._lost_in_a_row = 0
        except Refused as refused:
            if isinstance(ask, Generate) and _may_be_the_settings(refused):
                await session.try_out(ask.config, ticket)
            response = await session.refusal(request.key, refused.error)
        except Fault as fault:
            # A server that is gone, or answers nothing but errors, was waited for by as many requests as there are slots:
            # the others fail at once. (Of one that is busy the gate keeps count.)
            if not fault.busy and self._lost_in_a_row >= max(_PATIENCE, self._args.max_concurrency):
                fault.most_retries = 0
            raise
        response.latency = ticket.seconds()
        response.attempts = ticket.attempt
        if self._tokens:
            self._count(response, ticket)
        return response

    def _give_up(self, request: Request, fault: Fault, attempts: int) -> Response:
        if not self._server.reached:
            raise UnreachableError(f"{self._server.url} gives no answer ({fault.message}): is base_url right?")
        self._lost_in_a_row += not fault.busy
        if fault.code == "timeout" and self._lost_in_a_row > 2 * self._args.max_concurrency:
            raise UnreachableError(f"{self._server.url} has not answered {self._lost_in_a_row} requests in a row")
        error = ResponseError(kind=ErrorKind.FAILED, code=fault.code, message=fault.message)
        return Response(key=request.key, error=error, attempts=attempts)

    # -- tokens per minute

    def _expected_tokens(self, request: Request) -> float:
        """Return a guess at a request's tokens: four bytes each in the prompt, and an answer of the usual length."""
        ask = request.ask
        if isinstance(ask, Generate):
            return sum(len(message.content.encode()) for message in ask.messages) / 4 + self._mean_answer
        return len(ask.continuations) * len(ask.context.encode()) / 4

    def _count(self, response: Response, ticket: Ticket) -> None:
        if response.usage is None:
            return
        answer = response.usage.completion_tokens or 0
        self._mean_answer += (answer - self._mean_answer) / 20
        ticket.used((response.usage.prompt_tokens or 0) + answer)


def _may_be_the_settings(refused: Refused) -> bool:
    """Whether a request was turned down as such, for another reason than what it says."""
    what, code = meaning(refused.error)
    return what is Meaning.REJECTED and code != "content_filter"


def _settings(args: Args) -> dict[str, Any]:
    """Return the settings that change answers, without those that are not set."""
    settings = {name: getattr(args, name) for name in ("system_prompt", "reasoning_effort", "reasoning_budget")}
    if args.logprobs != "auto":
        settings["logprobs"] = args.logprobs
    return {name: value for name, value in settings.items() if value is not None}


def _identity(server: Server, args: Args) -> str:
    settings = _settings(args)
    words = f"openai:{server.model} at {server.url}"
    return f"{words} {msgspec.json.encode(settings, order='deterministic').decode()}" if settings else words
