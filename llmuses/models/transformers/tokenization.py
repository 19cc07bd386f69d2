"""Between text and tokens, over any tokenizer of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Codec:
    """Encodes prompts and decodes answers exactly: nothing is added but the tokenizer's own beginning of text."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        probe = tokenizer("a").input_ids
        adds_bos = tokenizer.bos_token_id is not None and probe[:1] == [tokenizer.bos_token_id]
        self.prefix: list[int] = [tokenizer.bos_token_id] if adds_bos else []
        """What the tokenizer puts before every text by default."""
        start = (tokenizer.bos_token_id, tokenizer.eos_token_id)
        self._empty = [next((int(token) for token in start if token is not None), 0)]

    def text(self, text: str) -> list[int]:
        """Return the tokens of plain text, with the beginning-of-text token where the tokenizer adds one.

        There is always at least one: an empty text is the beginning (or end) of text.
        """
        tokens = self.rendered(text)
        return (tokens if tokens[:1] == self.prefix else self.prefix + tokens) or self._empty

    def rendered(self, text: str) -> list[int]:
        """Return the tokens of a rendered conversation, whose special tokens stand in it as text."""
        return [int(token) for token in self._tokenizer(text, add_special_tokens=False).input_ids]

    def decode(self, tokens: Sequence[int], special: bool = False) -> str:
        """Return the text of tokens, with or without special tokens, spaces left as they are."""
        text = self._tokenizer.decode(list(tokens), skip_special_tokens=not special, clean_up_tokenization_spaces=False)
        return str(text)

    def pair(self, context: str, continuations: Sequence[str]) -> Pair:
        """Return the tokens of a context and of each continuation, as lm-evaluation-harness cuts them.

        Whitespace at the end of the context moves to the continuation; a continuation is what encoding both together
        adds to the encoded context. An empty context becomes one beginning (or end) of text token.
        Source: ``_encode_pair`` in lm_eval/api/model.py.
        """
        stem = context.rstrip()
        gap = context[len(stem) :]
        before = self.text(stem)
        added = []
        for continuation in continuations:
            if not stem:
                added.append(self.rendered(gap + continuation))
                continue
            tokens = self.text(stem + gap + continuation)[len(before) :]
            # Where the last token of the context swallows the whole continuation nothing would be left to score.
            added.append(tokens or self.rendered(gap + continuation))
        return Pair(list(before), added)


class Pair(NamedTuple):
    """A context and its continuations in tokens."""

    context: list[int]
    continuations: list[list[int]]
