"""Which server, with which key, which model there; and what its answers have taught so far."""

from __future__ import annotations

import ipaddress
import os
from typing import Literal
from urllib.parse import urlsplit

from llmuses.errors import MissingKeyError, UsageError
from llmuses.models.openai.dialect import Dialect

OPENAI = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent to a server on this machine where no key is set: the client insists on one."""


class Server:
    """An address, the key to it and the model there. Outlives the connections to it.

    ``reached`` says whether it ever sent anything back, ``answered`` whether it ever answered a request. ``logprobs`` is
    the endpoint to be asked for log-probabilities, None while that is unknown; ``gave_logprobs`` whether it ever did.
    """

    def __init__(
        self, model: str, url: str, key_variable: str, dialect: Dialect, logprobs: Literal["completions", "chat"] | None
    ):
        self.model = model
        self.url = url
        self.dialect = dialect
        self.is_local = is_local(self.url)
        key = os.environ.get(key_variable)
        if not key and not self.is_local:
            raise MissingKeyError(
                f"{self.url} wants a key: set {key_variable}, or name its variable with api_key_env=…."
            )
        self.key = key or NO_KEY
        self.secret = key or ""
        self.key_in_words = f"the key in {key_variable}" if key else f"a request without a key, set {key_variable}"
        self.logprobs = logprobs
        self.gave_logprobs = False
        self.reached = False
        self.answered = False


def server_url(base_url: str | None) -> str:
    """Return the address to be asked in its one spelling, without user, query and fragment.

    Without one it is OPENAI_BASE_URL, else OpenAI itself. Raises UsageError for what is no address.
    """
    parts = urlsplit((base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).strip())
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("base_url is no address: it looks like http://localhost:8000/v1.")
    usual = 443 if parts.scheme == "https" else 80
    place = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{place}{f':{port}' if port and port != usual else ''}{path}"


def is_local(url: str) -> bool:
    """Return whether an address is one of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
