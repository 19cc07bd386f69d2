"""From a request for a written answer to the tokens that the network reads."""

from __future__ import annotations

from llmuses.models.transformers.answers import Prompt
from llmuses.models.transformers.chat_template import ChatTemplate, plain_text
from llmuses.models.transformers.responses import error, too_long
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import ErrorKind, Generate, Response


class Prompter:
    """Makes prompts. ``template`` is None for a model that reads plain text; nothing is ever cut to ``max_length``."""

    def __init__(self, codec: Codec, template: ChatTemplate | None, max_length: int | None):
        self._codec = codec
        self._template = template
        self._max_length = max_length

    def prompt(self, key: str, ask: Generate) -> Prompt | Response:
        """Return what an answer starts from, or the response to a request that cannot be read."""
        opening = ""
        try:
            text = self._template.render(ask.messages) if self._template else plain_text(ask.messages)
        except ValueError as problem:
            return error(key, ErrorKind.REJECTED, "chat_template", str(problem))
        if self._template is None:
            tokens = self._codec.text(text)
        else:
            tokens = self._codec.rendered(text)
            if not tokens:
                return error(key, ErrorKind.REJECTED, "chat_template", "the chat template makes nothing of it")
            opening = "<think>" if text.rstrip().endswith("<think>") else ""
        room = ask.config.max_tokens
        if self._max_length is not None:
            # The last token of an answer is written and never read: one more than is left of the window.
            room = min(room, self._max_length - len(tokens) + 1)
        if room < 1:
            return too_long(key, len(tokens), self._max_length)
        return Prompt(key, tokens, ask.config, room, opening)
