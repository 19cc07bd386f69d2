"""A local OpenAI-compatible server that writes token by token, at a pace, and breaks off on demand.

``python -m tests.support.streaming_server --rate 40 --latency 0.1`` prints its port and serves until its standard input
closes. In a test on one event loop: ``async with serving(Manner(...)) as server: ...``.

What it writes is ``Manner.answer``; a message that begins with ``say: `` is answered with what follows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]
WORDS = "The river runs past the old mill and on to the sea, as it has done for a very long time. "


class Manner(msgspec.Struct, kw_only=True):
    """How a server behaves; each field is an option of the command line."""

    answer: str = ""
    """What is written; ``tokens`` words of a plain text where empty."""
    tokens: int = 40
    rate: float = 0.0
    """Tokens a second, 0 for all at once."""
    latency: float = 0.0
    """Seconds before the first token."""
    thinking: str = ""
    """Thoughts that are written first, in a field of their own."""
    field: str = "reasoning_content"
    status: int = 200
    """Another status answers with an error of that kind, ``failures`` times (0 for always)."""
    failures: int = 0
    breaks: str = ""
    """After ``breaks_after`` tokens: ``cut`` hangs up, ``error`` sends an error event, ``hang`` sends no more,
    ``nonsense`` sends what is no JSON, ``silent_end`` ends without a reason."""
    breaks_after: int = 3
    finish_reason: str = "stop"
    usage: bool = True
    done: bool = True
    streams: bool = True
    """Without it the whole answer comes at once as JSON, whatever was asked."""
    strict: str = ""
    """The name of a parameter that is refused."""


class StreamingServer:
    """What a running server was asked: heads and bodies, and how many streams were left by their reader before the end."""

    def __init__(self, manner: Manner):
        self.manner = manner
        self.heads: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.left = 0
        self.running = 0
        self.connections = 0
        self.base_url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: requests one after the other."""
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                at = head.lower().find(b"content-length:")
                length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
                body = msgspec.json.decode(await reader.readexactly(length)) if length else {}
                self.heads.append(head.decode("latin-1"))
                self.bodies.append(body)
                if not await self._reply(reader, writer, body):
                    break
        writer.close()

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        manner = self.manner
        if manner.strict and manner.strict in body:
            _send(writer, 400, {"error": {"message": f"Unrecognized request argument supplied: {manner.strict}"}})
            return True
        if manner.status != 200 and (not manner.failures or len(self.bodies) <= manner.failures):
            _send(writer, manner.status, {"error": {"message": f"status {manner.status}"}})
            return True
        if not manner.streams:
            message = {"role": "assistant", "content": "".join(self._words(body))}
            _send(writer, 200, {"choices": [{"message": message, "finish_reason": manner.finish_reason}]})
            return True
        self.running += 1
        gone = asyncio.ensure_future(reader.read(1))
        try:
            writing = asyncio.ensure_future(self._write(writer, body))
            await asyncio.wait([writing, gone], return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                self.left += 1
                writing.cancel()
                return False
            return writing.result() and False
        finally:
            gone.cancel()
            self.running -= 1

    def _words(self, body: dict[str, Any]) -> list[str]:
        content = body["messages"][-1]["content"]
        said = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        text = said.removeprefix("say: ") if said.startswith("say: ") else self.manner.answer
        if not text:
            words = WORDS.split(" ")
            return [f"{words[number % len(words)]} " for number in range(self.manner.tokens)]
        return [text[at : at + 4] for at in range(0, len(text), 4)]

    async def _write(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        manner = self.manner
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        loop = asyncio.get_running_loop()
        began = loop.time()
        # Who changes the manner meanwhile does not wait for the rest.
        while (left := began + self.manner.latency - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))
        _event(writer, {"role": "assistant", "content": ""})
        thoughts = [manner.thinking[at : at + 4] for at in range(0, len(manner.thinking), 4)]
        pieces = [{manner.field: piece} for piece in thoughts]
        pieces += [{"content": word} for word in self._words(body)][: body.get("max_tokens", 10**6)]
        began = loop.time()
        for number, delta in enumerate(pieces):
            if manner.breaks and number == manner.breaks_after:
                return await self._break(writer)
            _event(writer, delta)
            if manner.rate:
                await asyncio.sleep(max(0.0, began + (number + 1) / manner.rate - loop.time()))
        _event(writer, {}, finish_reason=manner.finish_reason)
        if manner.usage:
            count = {"prompt_tokens": 10, "completion_tokens": len(pieces)}
            writer.write(b"data: " + msgspec.json.encode({"choices": [], "usage": count}) + b"\n\n")
        if manner.done:
            writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        return True

    async def _break(self, writer: asyncio.StreamWriter) -> bool:
        match self.manner.breaks:
            case "error":
                writer.write(b'data: {"error": {"message": "The engine died.", "code": 500}}\n\n')
            case "nonsense":
                writer.write(b"data: {torn\n\n")
            case "hang":
                await asyncio.Event().wait()
            case "cut":
                await writer.drain()
                writer.transport.abort()
        return False


def _event(writer: asyncio.StreamWriter, delta: dict[str, Any], finish_reason: str | None = None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    event = {"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    writer.write(b"data: " + msgspec.json.encode(event) + b"\n\n")


def _send(writer: asyncio.StreamWriter, status: int, content: dict[str, Any]) -> None:
    body = msgspec.json.encode(content)
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


@asynccontextmanager
async def serving(
    manner: Manner | None = None, kind: type[StreamingServer] = StreamingServer
) -> AsyncIterator[StreamingServer]:
    """Serve on the running event loop."""
    server = kind(manner or Manner())
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0, backlog=2048)
    server.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listening.close()
        if hasattr(listening, "abort_clients"):
            listening.abort_clients()


@contextmanager
def streaming_server(**manner: object) -> Iterator[str]:
    """Run a server in a process of its own and give its base_url; for the settings see ``Manner``."""
    command = [sys.executable, "-m", "tests.support.streaming_server"]
    for name, value in manner.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.communicate()


async def _serve(manner: Manner) -> None:
    async with serving(manner) as server:
        print(server.base_url.rsplit(":", 1)[1].removesuffix("/v1"), flush=True)
        closed = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(sys.stdin, lambda: closed.done() or closed.set_result(None))
        await closed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for field in msgspec.structs.fields(Manner):
        parser.add_argument(f"--{field.name.replace('_', '-')}", default=field.default)
    asyncio.run(_serve(msgspec.convert(vars(parser.parse_args()), Manner, strict=False)))


if __name__ == "__main__":
    main()
