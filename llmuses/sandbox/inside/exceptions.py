"""Exceptions across the border: a builtin one by its name, one of the program's own as a class of the same base."""

from __future__ import annotations

from llmuses.sandbox.inside.decoding import Decoder
from llmuses.sandbox.inside.encoding import Encoder
from llmuses.sandbox.inside.natives import EXCEPTIONS
from llmuses.sandbox.inside.values import Malformed, Node, TooLarge

_MAX_TEXT = 2000
_ENDS_A_LOOP = (StopIteration, StopAsyncIteration, GeneratorExit)


def described(encoder: Encoder, problem: BaseException) -> list[Node]:
    """Return what is said of an exception: the builtin kind, its own class if it has one, text, arguments."""
    own = type(problem)
    kind = next((base.__name__ for base in own.__mro__ if EXCEPTIONS.get(base.__name__) is base), "Exception")
    try:
        text = str(problem)[:_MAX_TEXT]
    except BaseException:
        text = ""
    count = len(encoder.table.objects)
    try:
        arguments = encoder.items(problem.args, len(problem.args))
    except (TooLarge, RecursionError, MemoryError):
        encoder.table.cut(count)
        arguments = []
    return [kind, None if EXCEPTIONS.get(kind) is own else encoder.encode(own), text, ["tuple", *arguments]]


def rebuilt(decoder: Decoder, parts: list[Node], iterating: bool) -> BaseException:
    """Return the exception that was described. Raises Malformed.

    What would end a loop of the tests is a RuntimeError, unless the loop walks through the program's own iterator
    (``iterating``): else ``all(map(f, cases))`` would be true of an ``f`` that raises StopIteration.
    """
    kind, own, text, said = parts
    if type(kind) is not str or type(text) is not str:
        raise Malformed("an exception of no kind")
    builtin = EXCEPTIONS.get(kind, Exception)
    if issubclass(builtin, _ENDS_A_LOOP):
        decoder.decode(said)
        return StopIteration() if iterating and builtin is StopIteration else RuntimeError(f"{kind}: {text}")
    named = decoder.decode(own)
    arguments = decoder.decode(said)
    if type(arguments) is not tuple:
        raise Malformed("an exception without arguments")
    made = named if isinstance(named, type) and issubclass(named, builtin) else builtin
    if issubclass(made, _ENDS_A_LOOP):
        raise Malformed("an exception of another kind than it says")
    try:
        problem: BaseException = made(*arguments)
        # An exception of the program's own may make its text otherwise than its base does.
        return problem if made is builtin or str(problem) == text else made(text)
    except Exception:
        return Exception(f"{kind}: {text}")
