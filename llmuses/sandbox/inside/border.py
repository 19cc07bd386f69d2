"""The border between the tests and the program under test: questions and answers, both ways, one at a time.

Each side keeps the objects that it showed the other under numbers of its own and decides what may be done with them. An
answer carries the result, or the exception, and the content of those containers among the arguments that were changed
in place; it is written into the asker's own objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from llmuses.sandbox.inside.decoding import Decoder
from llmuses.sandbox.inside.encoding import Encoder
from llmuses.sandbox.inside.exceptions import described, rebuilt
from llmuses.sandbox.inside.handles import HANDLES, Handle, HeldTuple, handle_number
from llmuses.sandbox.inside.natives import EXCEPTIONS
from llmuses.sandbox.inside.values import Malformed, Node, Table, TooLarge
from llmuses.sandbox.inside.wire import Closed, Wire

_MAX_OBJECTS = 200_000
_MAX_NESTED = 50


class Policy(Protocol):
    """What one side lets the other do."""

    @property
    def operations(self) -> Mapping[str, Callable[..., Any]]:
        """What the other side may ask for."""

    def reference(self, value: object) -> Node | None:
        """Return the node of a value that goes by name, None for others."""

    def named(self, node: list[Node]) -> object:
        """Return what a node of the other side's ``reference`` stands for here. Raises Malformed."""


class Ended(BaseException):
    """Nothing can cross the border any more. ``detail`` says why."""

    def __init__(self, detail: str):
        super().__init__(detail)
        self.detail = detail


def _why(problem: BaseException, operation: str) -> str:
    if isinstance(problem, Closed):
        return f"the program's process ended while it was asked ({operation})"
    if isinstance(problem, TooLarge):
        return f"an argument is too large: {problem}"
    if isinstance(problem, Malformed):
        return f"the program's process sent no answer that can be read: {problem}"
    return f"the answer could not be taken in: {type(problem).__name__}"


class Border:
    """One side of the border."""

    def __init__(self, wire: Wire, policy: Policy):
        self._wire = wire
        self._policy = policy
        self._shown: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._handles: dict[int, object] = {}
        self._nested = 0
        self.ended: Ended | None = None
        """Set once nothing can cross any more."""
        self.crossed: BaseException | None = None
        """The exception that crossed last."""
        self.answer: object = None
        """What the last call gave."""

    # -- asking

    def ask(self, operation: str, *arguments: object) -> Any:
        """Have the other side do something, and return what came of it. Raises what it raised, or Ended."""
        if self.ended is not None:
            raise self.ended
        if self._nested >= _MAX_NESTED:
            raise RecursionError("calls across the border are nested too deep")
        self._nested += 1
        try:
            return self._asked(operation, arguments)
        except BaseException as problem:
            if problem is self.crossed:
                raise
            # Whatever else stops here leaves a question without its answer: the two sides are out of step for good.
            self.ended = problem if isinstance(problem, Ended) else Ended(_why(problem, operation))
            raise self.ended from problem
        finally:
            self._nested -= 1

    def _asked(self, operation: str, arguments: tuple[object, ...]) -> Any:
        table = Table()
        encoder = Encoder(self, table)
        self._wire.send(["ask", operation, *[encoder.encode(argument) for argument in arguments]])
        while True:
            message = self._wire.receive()
            if message[0] != "ask":
                break
            self._reply(message)
        decoder = Decoder(self, table)
        kind, parts = message[0], message[1:]
        if kind == "value" and len(parts) == 2:
            value = decoder.decode(parts[0])
            self._restore(decoder, parts[1])
            if operation == "call":
                self.answer = value
            return value
        if kind == "error" and len(parts) == 5:
            problem = rebuilt(decoder, parts[:4], iterating=operation == "next")
            self._restore(decoder, parts[4])
            self.crossed = problem
            raise problem
        if kind == "too large" and len(parts) == 1 and type(parts[0]) is str:
            raise Ended(f"what the program gave is too large: {parts[0]}")
        raise Malformed(f"an answer of the kind {str(kind)[:20]!r}")

    @staticmethod
    def _restore(decoder: Decoder, states: Node) -> None:
        if type(states) is not list:
            raise Malformed("no list of states")
        for state in states:
            if type(state) is not list or len(state) != 2:
                raise Malformed("no state")
            decoder.restore(state[0], state[1])

    # -- answering

    def serve(self) -> None:
        """Answer until the other side goes."""
        try:
            while True:
                message = self._wire.receive()
                if message[0] != "ask":
                    raise Malformed("an answer to no question")
                self._reply(message)
        except (Closed, Ended):
            return

    def _reply(self, message: list[Node]) -> None:
        table = Table()
        try:
            reply = self._answer(message, table)
        except TooLarge as problem:
            reply = ["too large", str(problem)]
        try:
            self._wire.send(reply)
        except TooLarge as problem:
            self._wire.send(["too large", str(problem)])

    def _answer(self, message: list[Node], table: Table) -> list[Node]:
        if len(message) < 2 or type(message[1]) is not str:
            raise Malformed("a question about nothing")
        operation = self._policy.operations.get(message[1])
        if operation is None:
            raise Malformed(f"a question that is not answered ({message[1][:20]})")
        decoder = Decoder(self, table)
        arguments = [decoder.decode(node) for node in message[2:]]
        before = table.snapshot()
        encoder = Encoder(self, table)
        try:
            reply = ["value", encoder.encode(operation(*arguments))]
        except (Closed, Ended, Malformed, TooLarge):
            raise
        except BaseException as problem:
            table.cut(len(before))
            reply = ["error", *described(encoder, problem)]
        states = [[number, encoder.state(table.objects[number])] for number in table.changed(before)]
        return [*reply, states]

    # -- values that are not plain

    def reference(self, value: object) -> Node | None:
        number = handle_number(value, self)
        if number is None and isinstance(value, type):
            number = value.__dict__.get("__program_class__") if self._handles else None
        return self._policy.reference(value) if number is None else ["yours", number]

    def behind(self, value: tuple[Any, ...]) -> int | None:
        if type(value).__module__ in ("time", "os", "sys"):
            return None
        return self._show(value)

    def export(self, value: object) -> Node:
        number = self._show(value)
        if isinstance(value, type) and issubclass(value, BaseException):
            base = next(base for base in value.__mro__ if EXCEPTIONS.get(base.__name__) is base)
            return ["exception", number, value.__name__, base.__name__]
        iterator = hasattr(type(value), "__next__") and hasattr(type(value), "__iter__")
        return ["object", number, "iterator" if iterator else "callable" if callable(value) else "object"]

    def shows(self, value: object) -> bool:
        """Whether an object was shown to the other side."""
        return id(value) in self._numbers

    def _show(self, value: object) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._shown) >= _MAX_OBJECTS:
                raise TooLarge(f"more than {_MAX_OBJECTS:,} objects")
            number = self._numbers[id(value)] = len(self._shown)
            self._shown.append(value)
        return number

    def find(self, node: list[Node], items: tuple[Any, ...]) -> object:
        kind = node[0]
        if kind in ("yours", "object", "exception", "held"):
            number = node[1]
            if type(number) is not int or not 0 <= number < _MAX_OBJECTS:
                raise Malformed("an object of no number")
            if kind == "yours":
                return self._shown[number]
            if kind == "held":
                return HeldTuple.of(items, self, number)
            if number not in self._handles:
                self._handles[number] = self._handle(kind, number, node)
            return self._handles[number]
        return self._policy.named(node)

    def _handle(self, kind: str, number: int, node: list[Node]) -> Handle | type[BaseException]:
        if kind == "object":
            return HANDLES[node[2]](self, number)
        name = node[2] if type(node[2]) is str and node[2].isidentifier() else "Exception"
        # A class of this side, so that `except` knows it; raising it runs nothing of the program's.
        return type(name, (EXCEPTIONS[node[3]],), {"__module__": "program", "__program_class__": number})
