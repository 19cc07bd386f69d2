"""A server that answers as vLLM's OpenAI-compatible one does, computed by a small checkpoint, in a thread of the test.

``/v1/completions`` echoes a prompt with its log-probabilities, ``/v1/chat/completions`` puts a conversation into the
checkpoint's chat template and writes greedily. A test compares what comes through ``openai:`` with the backends that
read the same checkpoint.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from tests.support.local_http import Silent, local_http


class _Checkpoint:
    """A network and its tokenizer, one request at a time."""

    def __init__(self, folder: Path):
        auto: Any = transformers.AutoModelForCausalLM
        self.network = auto.from_pretrained(folder, dtype="float32")
        self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
        self.lock = threading.Lock()

    @torch.inference_mode()
    def write(self, tokens: list[int], count: int) -> tuple[list[int], torch.Tensor]:
        """Return tokens written greedily, and the log-probabilities (places, vocabulary) of all but the first token."""
        written: list[int] = []
        while True:
            table = torch.log_softmax(self.network(torch.tensor([tokens + written])).logits[0].float(), -1)
            if len(written) == count or written[-1:] == [self.tokenizer.eos_token_id]:
                return written, table[:-1]
            written.append(int(table[-1].argmax()))

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what ``/v1/completions`` answers to a prompt that is to be echoed."""
        assert body["echo"] and body["logprobs"] is not None
        prompt = self.tokenizer(body["prompt"]).input_ids
        written, table = self.write(prompt, body["max_tokens"])
        tokens = prompt + written
        names = [self.tokenizer.decode([token]) for token in tokens]
        values: list[float | None] = [None, *(float(table[n, token]) for n, token in enumerate(tokens[1:]))]
        tops: list[dict[str, float] | None] = [None]
        for n, token in enumerate(tokens[1:]):
            likeliest = table[n].topk(body["logprobs"])
            found = dict(
                zip([token, *likeliest.indices.tolist()], [values[n + 1], *likeliest.values.tolist()], strict=True)
            )
            tops.append({self.tokenizer.decode([name]): value for name, value in found.items() if value is not None})
        offsets = [sum(map(len, names[:n])) for n in range(len(names))]
        logprobs = {"tokens": names, "token_logprobs": values, "top_logprobs": tops, "text_offset": offsets}
        text = body["prompt"] + self.tokenizer.decode(written)
        return self._reply(body, {"text": text, "logprobs": logprobs, "finish_reason": "length"}, prompt, written)

    def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what ``/v1/chat/completions`` answers."""
        text = self.tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True)
        prompt = self.tokenizer(text, add_special_tokens=False).input_ids
        written, _ = self.write(prompt, body["max_tokens"])
        ended = written[-1:] == [self.tokenizer.eos_token_id]
        message = {"role": "assistant", "content": self.tokenizer.decode(written, skip_special_tokens=True)}
        return self._reply(body, {"message": message, "finish_reason": "stop" if ended else "length"}, prompt, written)

    def _reply(
        self, body: dict[str, Any], choice: dict[str, Any], prompt: list[int], written: list[int]
    ) -> dict[str, Any]:
        total = len(prompt) + len(written)
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(written), "total_tokens": total}
        return {"id": "cmpl-1", "model": body["model"], "choices": [{"index": 0, **choice}], "usage": usage}


@contextmanager
def vllm_server(folder: Path) -> Iterator[str]:
    """Serve a checkpoint; gives the ``base_url``."""
    checkpoint = _Checkpoint(folder)

    class Handler(Silent):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = checkpoint.chat if self.path == "/v1/chat/completions" else checkpoint.complete
            with checkpoint.lock:
                content = json.dumps(answer(body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with local_http(Handler) as server:
        yield f"http://127.0.0.1:{server.server_port}/v1"
