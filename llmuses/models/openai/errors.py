"""What a server's refusal means: ask again, this request is refused for good, or no request will be answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from http.client import responses
from typing import Any

import msgspec

from llmuses.models.openai.gate import Fault, retry_after
from llmuses.models.openai.secrecy import without_pieces
from llmuses.records import ErrorKind, ResponseError

LONGEST_MESSAGE = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class ServerError(msgspec.Struct, frozen=True):
    """A refusal, whichever of the usual shapes its body has. ``code`` and ``type`` are in lower case, "" for none."""

    status: int
    message: str
    code: str = ""
    type: str = ""
    param: str | None = None
    retry_after: float | None = None


class Refused(Exception):
    """The server turned a request down, and would again."""

    def __init__(self, error: ServerError):
        super().__init__(error.message)
        self.error = error


class Meaning(Enum):
    """What follows from a refusal.

    ``RETRY``: it may pass. ``BUSY``: it may pass, and concerns every request. ``REJECTED``: it speaks of this very
    request. ``FAILED``: asking again would not help, and yet it is not this request's fault. ``SETTING`` (a parameter or
    the address), ``MODEL`` (its name), ``KEY`` and ``QUOTA`` are wrong for all requests alike.
    """

    RETRY = auto()
    BUSY = auto()
    REJECTED = auto()
    FAILED = auto()
    SETTING = auto()
    MODEL = auto()
    KEY = auto()
    QUOTA = auto()


_FILTER = re.compile(
    r"content[_ -]?(filter|policy|management)|data_?inspection|inappropriate content|safety system", re.I
)
_LENGTH = re.compile(
    r"context[_ -]?(length|window|size)|prompt is too long|input is too long|too many (input )?tokens|"
    r"(maximum|max) (input|prompt|sequence|model) (length|len)|range of input length|string_above_max_length",
    re.I,
)
_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|user_quota)|billing_hard_limit|arrearage|exceeded your current quota", re.I
)
_MODEL = re.compile(
    r"model_?not_?found|model\b.*\b(does not exist|not found|is not available)|server is pinned to", re.I
)
_SETTING = re.compile(
    r"unsupported_value|parameter|unexpected fields|unrecognized|extra_forbidden|extra inputs|not support|chat template",
    re.I,
)
_SETTING_PARAMS = frozenset(
    "model max_tokens max_completion_tokens temperature top_p top_k stop seed repetition_penalty stream "
    "reasoning_effort thinking enable_thinking thinking_budget thinking_token_budget logprobs top_logprobs".split()
)


def meaning(error: ServerError) -> tuple[Meaning, str]:
    """Return what a refusal means and the short code under which it is recorded."""
    said = f"{error.code} {error.type} {error.message}"
    plain = f"http_{error.status}"
    if _QUOTA.search(said) or error.status == 402:
        return Meaning.QUOTA, "insufficient_quota"
    if error.status in (429, 503, 529):
        return Meaning.BUSY, plain
    if error.status in (408, 409, 425) or (error.status >= 500 and error.status != 501):
        return Meaning.RETRY, plain
    if error.status == 401:
        return Meaning.KEY, plain
    if error.status in (400, 403, 413, 422):
        if _FILTER.search(said):
            return Meaning.REJECTED, "content_filter"
        if _LENGTH.search(said):
            return Meaning.REJECTED, "context_length"
    if error.status in (400, 404, 422) and _MODEL.search(said):
        return Meaning.MODEL, "model_not_found"
    if error.status in (403, 404, 405):
        return Meaning.SETTING, plain
    if error.status in (400, 413, 422):
        about_settings = error.param in _SETTING_PARAMS or _SETTING.search(said)
        return (Meaning.SETTING if about_settings else Meaning.REJECTED), plain
    return Meaning.FAILED, plain


def as_exception(error: ServerError) -> Fault | Refused:
    """Return what is raised for a refusal: Fault where it may pass, else Refused."""
    what, code = meaning(error)
    if what in (Meaning.RETRY, Meaning.BUSY):
        return Fault(code, error.message, busy=what is Meaning.BUSY, retry_after=error.retry_after)
    return Refused(error)


def as_response_error(error: ServerError) -> ResponseError:
    """Return how a lasting refusal is recorded."""
    what, code = meaning(error)
    kind = ErrorKind.REJECTED if what is Meaning.REJECTED else ErrorKind.FAILED
    return ResponseError(kind=kind, code=code, message=error.message)


def read_error(status: int, content: bytes, headers: Mapping[str, str], secret: str) -> ServerError:
    """Return the refusal that an HTTP answer holds: OpenAI's shape, vLLM's, FastAPI's, or plain text.

    ``secret`` is struck out of the message: some servers quote the key that they do not accept.
    """
    try:
        body: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = content.decode(errors="replace").strip()
        body = "" if text.startswith("<") else text  # a page for browsers says nothing in one line
    return error_of(status, body, secret, retry_after(headers))


def error_of(status: int, body: Any, secret: str, wait: float | None = None) -> ServerError:
    """Return the refusal that a decoded body holds."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    fields: dict[str, Any] = inner if isinstance(inner, dict) else {"message": inner}
    message = fields.get("message") or fields.get("detail") or fields.get("error") or ""
    if not isinstance(message, str):
        message = msgspec.json.encode(message).decode()
    param = fields.get("param")
    return ServerError(
        status=status,
        message=one_line(message, secret) or responses.get(status, "no reason given"),
        code=str(fields.get("code") or "").lower(),
        type=str(fields.get("type") or "").lower(),
        param=param if isinstance(param, str) else None,
        retry_after=wait,
    )


def one_line(text: str, secret: str = "") -> str:
    """Return a server's words on one line of bearable length, without the key and pieces of it, and without control
    characters, which would move a terminal."""
    text = without_pieces(" ".join(_CONTROL.sub(" ", text).split()), secret)
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
