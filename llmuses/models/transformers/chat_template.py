"""From a conversation to the one text that a model reads."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from llmuses.records import Message

_PROBE = "llmuses-system-probe"

_EXTENSIONS = ["jinja2.ext.loopcontrols"]


_SWITCHES = ("enable_thinking", "thinking")
"""What templates call the switch: Qwen3, GLM, SmolLM3 and many more; DeepSeek and Granite."""


class ChatTemplate:
    """The chat template that a tokenizer carries.

    ``thinking`` is whether the model is to think before it answers; None leaves it to the template.
    """

    def __init__(self, tokenizer: Any, thinking: bool | None = None):
        self._tokenizer = tokenizer
        self._switches = {} if thinking is None else dict.fromkeys(self.switches, thinking)
        template = json.dumps(tokenizer.chat_template, sort_keys=True)
        self.fingerprint = hashlib.blake2b(template.encode(), digest_size=8).hexdigest()
        """16 hex digits over the template's text."""
        self._takes_system = self._try_system()

    @property
    def switches(self) -> list[str]:
        """The template's own variables that turn thinking on and off; most templates have none."""
        import jinja2.meta

        text = self._tokenizer.get_chat_template()
        try:
            names = jinja2.meta.find_undeclared_variables(
                jinja2.Environment(autoescape=True, extensions=_EXTENSIONS).parse(text)
            )
        except jinja2.TemplateSyntaxError:
            return [name for name in _SWITCHES if re.search(rf"\b{name}\b", text)]
        return [name for name in _SWITCHES if name in names]

    def _try_system(self) -> bool:
        """Some templates refuse a system turn, others leave it out without a word."""
        probe = (Message("system", _PROBE), Message("user", "?"))
        try:
            return _PROBE in self._apply(probe)
        except Exception:  # a template is a program: what it raises of its own, or makes Python raise
            return False

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text of a conversation, up to where the model's answer begins.

        A system turn that the template cannot place opens the first user turn; a last turn of the assistant is gone
        on with. Raises ValueError where the template refuses the conversation, and for one with images.
        """
        _refuse_images(messages)
        turns = tuple(messages) if self._takes_system else _merge_system(messages)
        try:
            return self._apply(turns)
        except Exception as problem:
            raise ValueError(f"the chat template refuses this conversation: {problem}") from problem

    def _apply(self, messages: Sequence[Message]) -> str:
        unfinished = bool(messages) and messages[-1].role == "assistant"
        text = self._tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in messages],
            tokenize=False,
            add_generation_prompt=not unfinished,
            continue_final_message=unfinished,
            **self._switches,
        )
        return str(text)


def _merge_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    turns = [message for message in messages if message.role != "system"]
    if not system:
        return tuple(turns)
    if turns and turns[0].role == "user":
        return (Message("user", f"{system}\n\n{turns[0].content}"), *turns[1:])
    return (Message("user", system), *turns)


def plain_text(messages: Sequence[Message]) -> str:
    """Return a conversation as a model without a template reads it: the contents, a blank line between them.

    Raises ValueError for a conversation with images.
    """
    _refuse_images(messages)
    return "\n\n".join(message.content for message in messages)


def _refuse_images(messages: Sequence[Message]) -> None:
    if any(message.images for message in messages):
        raise ValueError("this model reads no images")
