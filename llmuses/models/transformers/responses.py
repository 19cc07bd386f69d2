"""Responses of a local model that hold no answer, and what the user can do about each."""

from __future__ import annotations

from llmuses.errors import ModelError
from llmuses.records import ErrorKind, Response, ResponseError

CLOSED = "the model was closed"


def closed() -> ModelError:
    """Return what is raised to those who ask a model that was closed."""
    return ModelError(f"{CLOSED} while it was asked: load it again.")


def error(key: str, kind: ErrorKind, code: str, message: str) -> Response:
    """Return the response to a request that got no answer."""
    return Response(key=key, error=ResponseError(kind=kind, code=code, message=message))


def too_long(key: str, tokens: int, max_length: int | None) -> Response:
    """Return the response to a request that the network cannot read as a whole."""
    message = f"{tokens} tokens do not fit into the {max_length} that the model can read"
    return error(key, ErrorKind.REJECTED, "context_length", message)


def out_of_memory(key: str, tokens: int) -> Response:
    """Return the response to a request that does not fit into memory even alone."""
    message = f"memory does not suffice for {tokens} tokens: choose precision=bfloat16, device_map=auto or max_length"
    return error(key, ErrorKind.FAILED, "out_of_memory", message)


def not_a_number(key: str) -> Response:
    """Return the response to a request for which the network computed something that is not a number."""
    message = "the network computed something that is not a number: choose precision=bfloat16 or precision=float32"
    return error(key, ErrorKind.FAILED, "not_a_number", message)
