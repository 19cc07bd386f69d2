"""An OpenAI-compatible server that sends back the key it is given, in every way of writing it: in errors, answers and headers.

A model's name says what it does: ``…-wrong`` is refused with 401, ``…-picky`` refuses every other prompt with 400, but for
very short ones, ``…-judge`` decides for the first answer; others answer. It gives no answer without the key in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote
from zlib import crc32

from tests.support.local_http import Silent, local_http


def writings(key: str) -> list[str]:
    """Return a key as it is, backwards, in JSON, in an address, in Base64 alone and behind its scheme, and as its beginning."""
    coded = [base64.b64encode(before + key.encode()).decode() for before in (b"", b"Bearer ", b"me:")]
    return [key, key[::-1], json.dumps(key)[1:-1], quote(key, safe=""), *coded, key.encode().hex(), key[:12], key[-12:]]


def reply(body: dict[str, Any], authorization: str) -> tuple[int, dict[str, Any]]:
    """Return status and content for a request."""
    model, prompt = body["model"], body["messages"][-1]["content"]
    said = f"You sent {authorization}: {' '.join(writings(authorization.removeprefix('Bearer ')))}"
    if model.endswith("wrong"):
        return 401, {"error": {"message": said, "code": said, "type": said, "param": said}}
    if model.endswith("picky") and len(prompt) > len("Say yes.") and crc32(prompt.encode()) % 2:
        return 400, {"error": {"message": said, "code": "invalid_prompt"}}
    text = f"Answer: 7. {' '.join(writings(authorization.removeprefix('Bearer '))[:-2])}"
    text = f"{text}\n\n[[A]]" if model.endswith("judge") else text
    message = {"role": "assistant", "content": text, "reasoning_content": said[: -2 * 13]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    return 200, {"id": "1", "model": f"{model} for {authorization}", "choices": [choice], "usage": usage}


@contextmanager
def echoing_server() -> Iterator[str]:
    """Run the server in threads until the end of the context; give its base URL."""

    class Handler(Silent):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            authorization = self.headers.get("Authorization", "")
            status, content = reply(body, authorization)
            payload = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.send_header("X-Request-Id", authorization)
            self.end_headers()
            self.wfile.write(payload)

    with local_http(Handler) as server:
        yield f"http://127.0.0.1:{server.server_port}/v1"
