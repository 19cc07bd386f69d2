"""A local stand-in for an OpenAI-compatible server: light, deterministic, and faulty on demand.

``python -m tests.support.mock_openai --latency 0.05 --faults 429=0.1,half=0.1`` prints its port and serves until it is
ended. Tests use ``tests.support.servers.mock_openai`` instead, which starts and ends it.

What it answers follows from the prompt alone (``answer_to``, ``token_logprob``), so that a test knows it beforehand.
``GET /stats`` says what it was asked. It speaks just enough HTTP/1.1 to cost next to nothing beside a client.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any
from zlib import crc32

import msgspec

from tests.support import arena_judge


class Settings(msgspec.Struct, kw_only=True):
    """How the server behaves; each field is an option of the command line (``fault_tries`` is ``--fault-tries``)."""

    port: int = 0
    latency: str = "0"
    """Seconds: ``0.05``, or ``exp:0.2`` for exponential ones with that mean, in the order of ``seed``."""
    seed: int = 0
    faults: str = ""
    """``KIND=SHARE,...``: which share of the prompts meets which fault (see ``FAULTS``)."""
    fault_tries: int = 0
    """How many times a prompt meets its fault before it is answered; 0 for always."""
    retry_after: str = ""
    """The Retry-After header of 429 and 503."""
    model: str = ""
    """The only model that the server knows; any where empty."""
    key: str = ""
    """The key that must be sent; any where empty."""
    dialect: str = "classic"
    """``modern`` refuses max_tokens and temperature, ``stream`` answers only streamed, ``strict`` refuses what the
    OpenAI interface does not know."""
    reasoning: str = ""
    """``field`` or ``think``: thoughts in a field of their own or in the text."""
    logprobs: str = "completions chat"
    """On which endpoints log-probabilities are given."""
    top: int = 20
    """The most alternatives that chat gives for a token."""
    bos: bool = False
    """Whether echoed prompts begin with a token of the model's own."""
    split_unicode: bool = False
    """Whether characters beyond ASCII are several tokens, none of which can be shown."""
    limit: int = 0
    """More than so many requests at once are answered 429; 0 for no limit."""
    arena: str = ""
    """``KIND=SHARE,...``, or ``fair``: answers as the models and the judge of tests.support.arena_judge, with such troubles."""
    judges: str = "judge"
    """What the names of the models begin with that judge the others' answers, where there is an ``arena``."""
    until_stdin_closes: bool = False
    """Ends the server with the process that started it."""


FAULTS = (
    "400", "429", "500", "503", "quota", "half", "garbage", "empty", "no_choices", "hang", "disconnect",
    "content_filter", "filtered", "context_length", "auth", "forbidden",
)  # fmt: skip


# --- What is answered, as functions of the prompt ---------------------------------------------------------------


def options_of(prompt: str) -> list[str]:
    """Return the letters of the last block of options in a prompt, [] where there is none."""
    letters: list[str] = []
    for line in prompt.splitlines():
        if match := re.match(r"\s*\(?([A-Z])[.):]\s*\S", line):
            letter = match[1]
            letters = [letter] if letter == "A" else [*letters, letter]
    return letters


def answer_to(prompt: str) -> str:
    """Return the text that answers a prompt: ``Answer: B`` to multiple choice, ``Answer: 417`` to anything else."""
    letters = options_of(prompt)
    drawn = crc32(prompt.encode())
    return f"Answer: {letters[drawn % len(letters)]}" if letters else f"Answer: {drawn % 1000}"


def tokens_of(text: str, split_unicode: bool = False) -> list[str]:
    """Return the tokens of a text: words with the space before them, and single characters."""
    tokens = re.findall(r" ?[A-Za-z0-9]+|.", text, re.DOTALL)
    if split_unicode:
        return [part for token in tokens for part in (["�"] * len(token.encode()) if token > "\x7f" else [token])]
    return tokens


def token_logprob(before: str, token: str) -> float:
    """Return the log-probability of a token after a text: between -5 and 0."""
    return -0.01 - crc32((before[-40:] + "|" + token).encode()) % 1000 / 200


# --- The server --------------------------------------------------------------------------------------------------


class Mock:
    """The state of one server: what it was asked, and how it answers."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.asked: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.requests = self.under_way = self.peak = 0
        self._shares = [(k, float(v)) for k, v in (item.split("=") for item in settings.faults.split(",") if item)]
        unknown = {kind for kind, _ in self._shares} - set(FAULTS)
        if unknown:
            raise SystemExit(f"unknown faults: {', '.join(sorted(unknown))}; known: {', '.join(FAULTS)}")
        self._troubles = {k: float(v) for k, v in (i.split("=") for i in settings.arena.split(",") if "=" in i)}
        kind, _, mean = settings.latency.rpartition(":")
        chance = random.Random(settings.seed)
        self.latency: Callable[[], float] = (
            (lambda: chance.expovariate(1 / float(mean))) if kind == "exp" else (lambda: float(mean))
        )

    def stats(self, with_prompts: bool) -> dict[str, Any]:
        """Return what ``GET /stats`` says: see ``tests.support.servers.Stats``."""
        stats: dict[str, Any] = {"requests": self.requests, "peak": self.peak, "faults": dict(self.faults)}
        return stats | ({"asked": dict(self.asked)} if with_prompts else {})

    def fault_of(self, prompt: str) -> str | None:
        """Return the fault that this prompt meets this time."""
        if not self._shares or (self.settings.fault_tries and self.asked[prompt] > self.settings.fault_tries):
            return None
        drawn = crc32(f"{self.settings.seed}:{prompt}".encode()) / 2**32
        for kind, share in self._shares:
            drawn -= share
            if drawn < 0:
                return kind
        return None

    def answer(self, path: str, key: str, content: bytes) -> Reply:
        """Return the answer to a request with a body."""
        settings = self.settings
        body = msgspec.json.decode(content)
        if settings.key and key != settings.key:
            return refusal(401, f"Incorrect API key provided: {key}.", "invalid_api_key")
        if settings.model and body.get("model") != settings.model:
            return refusal(404, f"The model `{body.get('model')}` does not exist.", "model_not_found")
        if path == "/v1/chat/completions":
            prompt = body["messages"][-1]["content"]
            answer: Callable[..., Reply] = self.chat
        elif path == "/v1/completions" and "completions" in settings.logprobs:
            prompt = body["prompt"]
            answer = self.complete
        else:
            return Reply(404, {"detail": "Not Found"})
        self.asked[prompt] += 1
        if settings.limit and self.under_way > settings.limit:
            self.faults["limit"] += 1
            return refusal(429, "Too many requests at once.", "rate_limit_exceeded", settings.retry_after)
        if fault := self.fault_of(prompt):
            self.faults[fault] += 1
            return faulty(fault, settings.retry_after)
        return answer(prompt, body)

    def chat(self, prompt: str, body: dict[str, Any]) -> Reply:
        settings = self.settings
        if problem := unsupported(settings, body):
            return problem
        text = answer_to("\n".join(message["content"] for message in body["messages"]))
        if settings.arena:
            says = arena_judge.verdict if body["model"].startswith(settings.judges) else None
            text = says(prompt, self._troubles, settings.seed) if says else arena_judge.answer(body["model"], prompt)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if settings.reasoning == "field":
            message["reasoning_content"] = "Let me think."
        elif settings.reasoning == "think":
            message["content"] = f"<think>\nLet me think.\n</think>\n\n{text}"
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
        if body.get("logprobs") and "chat" in settings.logprobs:
            message["content"] = "A"
            choice |= {"logprobs": {"content": [top_tokens(prompt, body["top_logprobs"])]}, "finish_reason": "length"}
        usage: dict[str, Any] = {
            "prompt_tokens": len(prompt) // 4,
            "completion_tokens": 4,
            "total_tokens": len(prompt) // 4 + 4,
        }
        usage |= {"prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 2}}
        reply = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": f"{body['model']}-served"}
        if body.get("stream"):
            return streamed(reply, choice, usage)
        return Reply(200, reply | {"choices": [choice], "usage": usage})

    def complete(self, prompt: str, body: dict[str, Any]) -> Reply:
        settings = self.settings
        tokens = tokens_of(prompt, settings.split_unicode)
        logprobs: list[float | None] = []
        before = ""
        for token in tokens:
            logprobs.append(token_logprob(before, token) if before else None)
            before += token
        tops: list[Any] = [
            None if value is None else {token: value} for token, value in zip(tokens, logprobs, strict=True)
        ]
        if settings.bos:
            tokens, logprobs, tops = ["<s>", *tokens], [None, *logprobs], [None, *tops]
        n = len(tokens)
        tokens, logprobs, tops = [*tokens, " so"], [*logprobs, -0.1], [*tops, {" so": -0.1}]
        offsets = [0]
        for token in tokens[:-1]:
            offsets.append(offsets[-1] + len(token))
        table = {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": tops, "text_offset": offsets}
        choice = {"index": 0, "text": prompt + " so", "logprobs": table, "finish_reason": "length"}
        usage = {"prompt_tokens": n, "completion_tokens": 1, "total_tokens": n + 1}
        return Reply(200, {"id": "cmpl-1", "model": body["model"], "choices": [choice], "usage": usage})


class Reply(msgspec.Struct):
    """What is sent back. ``content`` is JSON unless it is bytes; ``cut`` sends only so many bytes and hangs up."""

    status: int
    content: Any
    headers: str = ""
    cut: int | None = None
    never: bool = False


def refusal(status: int, message: str, code: str, retry_after: str = "", param: str | None = None) -> Reply:
    """Return an error as OpenAI words it."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Reply(status, {"error": error}, f"Retry-After: {retry_after}\r\n" if retry_after else "")


def faulty(kind: str, retry_after: str) -> Reply:
    """Return the reply that a fault makes."""
    good = {"id": "1", "model": "m", "choices": [{"index": 0, "message": {"content": "Answer: A"}}]}
    match kind:
        case "400":
            return refusal(400, "This prompt cannot be read.", "invalid_prompt")
        case "429":
            return refusal(429, "Rate limit reached.", "rate_limit_exceeded", retry_after)
        case "503":
            return refusal(503, "Overloaded.", "overloaded", retry_after)
        case "quota":
            return refusal(429, "You exceeded your current quota.", "insufficient_quota")
        case "500":
            return Reply(500, b"Internal Server Error")
        case "half":
            return Reply(200, good, cut=-30)
        case "disconnect":
            return Reply(200, good, cut=0)
        case "garbage":
            return Reply(200, b"<html>the proxy is having its tea</html>")
        case "empty":
            return Reply(200, b"")
        case "no_choices":
            return Reply(200, {"id": "1", "model": "m", "choices": []})
        case "hang":
            return Reply(200, b"", never=True)
        case "content_filter":
            return refusal(400, "The prompt was filtered.", "content_filter")
        case "filtered":
            return Reply(200, {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]})
        case "context_length":
            return refusal(400, "This model's maximum context length is 8 tokens.", "context_length_exceeded")
        case "auth":
            return refusal(401, "Incorrect API key provided.", "invalid_api_key")
        case "forbidden":
            return refusal(403, "Not for you.", "forbidden")
    raise AssertionError(kind)


def unsupported(settings: Settings, body: dict[str, Any]) -> Reply | None:
    """Return the refusal of a parameter that this server does not take."""
    if settings.dialect == "modern":
        if "max_tokens" in body:
            text = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            return refusal(400, text, "unsupported_parameter", param="max_tokens")
        if body.get("temperature", 1) != 1:
            text = "'temperature' does not support 0 with this model. Only the default (1) value is supported."
            return refusal(400, text, "unsupported_value", param="temperature")
    if settings.dialect == "stream" and not body.get("stream"):
        return refusal(
            400, "This model only support stream mode, please enable the stream parameter.", "invalid_parameter"
        )
    if settings.dialect == "strict" and (unknown := {"top_k", "repetition_penalty"} & set(body)):
        return Reply(422, {"detail": f"Unexpected fields in the request: {unknown}"})
    if body.get("top_logprobs", 0) > settings.top:
        text = f"Invalid value for 'top_logprobs': must be less than or equal to {settings.top}."
        return refusal(400, text, "invalid_value", param="top_logprobs")
    return None


def top_tokens(prompt: str, n: int) -> dict[str, Any]:
    """Return the log-probabilities of a first token: each letter with and without a space, and some others."""
    names = [token for letter in "ABCD" for token in (letter, f" {letter}")] + ["The", " the", "I", "\n"]
    ranked = sorted(((token_logprob(prompt, name), name) for name in names), reverse=True)
    tops = [{"token": name, "logprob": logprob} for logprob, name in ranked[:n]]
    return {**tops[0], "top_logprobs": tops}


def streamed(reply: dict[str, Any], choice: dict[str, Any], usage: dict[str, Any]) -> Reply:
    """Return an answer as server-sent events, a few characters each."""
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    for field in ("reasoning_content", "content"):
        text = message.get(field) or ""
        deltas += [{field: text[i : i + 5]} for i in range(0, len(text), 5)]
    choices: list[Any] = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}])
    events = [reply | {"choices": c} for c in choices] + [reply | {"choices": [], "usage": usage}]
    lines = b"".join(b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events)
    return Reply(200, b": here it comes\n\n" + lines + b"data: [DONE]\n\n")


# --- HTTP ------------------------------------------------------------------------------------------------------------


class Connection(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, mock: Mock):
        self._mock = mock
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received[:1] == b"\x16":  # the first byte of TLS
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self._transport.close()
            return
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            lower = head.lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            stop = end + 4 + length
            if len(self._received) < stop:
                return
            body, self._received = self._received[end + 4 : stop], self._received[stop:]
            self._request(head, lower, body)

    def _request(self, head: bytes, lower: bytes, body: bytes) -> None:
        mock = self._mock
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        close = b"connection: close" in lower
        if method == "GET":
            if path.startswith("/stats"):
                self._send(Reply(200, mock.stats("prompts=0" not in path)), close)
            else:
                known = [{"id": mock.settings.model or "any", "object": "model"}]
                self._send(Reply(200, {"object": "list", "data": known}), close)
            return
        mock.requests += 1
        mock.under_way += 1
        mock.peak = max(mock.peak, mock.under_way)
        at = lower.find(b"authorization: bearer ")
        key = head[at + 22 :].split(b"\r\n", 1)[0].decode() if at >= 0 else ""
        reply = mock.answer(path, key, body)
        if reply.never:
            return
        asyncio.get_running_loop().call_later(mock.latency(), self._finish, reply, close)

    def _finish(self, reply: Reply, close: bool) -> None:
        self._mock.under_way -= 1
        if not self._transport.is_closing():
            self._send(reply, close)

    def _send(self, reply: Reply, close: bool) -> None:
        content = reply.content if isinstance(reply.content, bytes) else msgspec.json.encode(reply.content)
        head = f"HTTP/1.1 {reply.status} X\r\nContent-Type: application/json\r\n"
        head += f"{reply.headers}Content-Length: {len(content)}\r\n\r\n"
        if reply.cut == 0:
            self._transport.close()
            return
        self._transport.write(head.encode() + content[: reply.cut])
        if close or reply.cut is not None:
            self._transport.close()


async def serve(settings: Settings) -> None:
    """Serve until the process ends; the port is printed first."""
    loop = asyncio.get_running_loop()
    mock = Mock(settings)
    server = await loop.create_server(lambda: Connection(mock), "127.0.0.1", settings.port, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    if settings.until_stdin_closes:
        closed = loop.create_future()
        loop.add_reader(sys.stdin, lambda: None if closed.done() else closed.set_result(None))
        await closed
    else:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for field in msgspec.structs.fields(Settings):
        flag = f"--{field.name.replace('_', '-')}"
        if field.type is bool:
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, default=field.default)
    asyncio.run(serve(msgspec.convert(vars(parser.parse_args()), Settings, strict=False)))


if __name__ == "__main__":
    main()
