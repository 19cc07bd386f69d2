"""Messages on a socket: a length, then JSON. Nothing that arrives is trusted to be either."""

from __future__ import annotations

import json
import socket
import struct

from llmuses.sandbox.inside.values import MAX_NODES, Malformed, Node, TooLarge

MAX_BYTES = 32 * 1024 * 1024
"""The longest message."""

_LENGTH = struct.Struct("!I")


class Closed(Exception):
    """The other side has gone."""


def _no_constant(name: str) -> None:
    raise Malformed(f"{name} in a message")


_encode = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode
_decode = json.JSONDecoder(parse_constant=_no_constant).decode


class Wire:
    """Whole messages over one end of a socket pair."""

    def __init__(self, channel: socket.socket):
        self._channel = channel

    def send(self, message: list[Node]) -> None:
        """Send a message. Raises TooLarge before anything is sent, Closed where nobody reads."""
        data = _encode(message).encode("ascii")
        if len(data) > MAX_BYTES:
            raise TooLarge(f"a value of more than {MAX_BYTES >> 20} MB")
        try:
            self._channel.sendall(_LENGTH.pack(len(data)) + data)
        except OSError as problem:
            raise Closed(str(problem)) from problem

    def receive(self) -> list[Node]:
        """Return the next message, a list that begins with a word. Raises Closed at the end, Malformed."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if length > MAX_BYTES:
            raise Malformed(f"a message of {length:,} bytes")
        data = self._exactly(length)
        # Counted before they are built: a short text can say very many lists.
        if data.count(b"[") + data.count(b",") > 2 * MAX_NODES:
            raise Malformed("a message of too many parts")
        try:
            message = _decode(data.decode("ascii"))
        except (ValueError, RecursionError) as problem:
            raise Malformed(f"a message that is not JSON ({problem})") from problem
        if type(message) is not list or not message or type(message[0]) is not str:
            raise Malformed("a message of no kind")
        return message

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            try:
                part = self._channel.recv(min(count, 1 << 20))
            except OSError as problem:
                raise Closed(str(problem)) from problem
            if not part:
                raise Closed("the channel has ended")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
