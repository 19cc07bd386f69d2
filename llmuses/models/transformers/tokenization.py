"""Between text and tokens, over any tokenizer of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

_MARGIN = 64
"""Characters that stand behind a cut in everything that is encoded with it: more than decides where a word ends."""

_WORTH = 4 * _MARGIN
"""Characters of a beginning that are worth a cut."""


class Codec:
    """Encodes prompts and decodes answers exactly: nothing is added but the tokenizer's own beginning of text."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        probe = tokenizer("a").input_ids
        self._cuts = True
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

    def pairs(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Pair]:
        """Return what ``pair`` returns for each, in less time: what contexts have in common is encoded once.

        A text is cut between a letter or digit and a blank, where a word ends for any tokenizer that splits by words,
        and only where the first text that is cut there gives the same tokens as in one piece; a tokenizer for which it
        does not is never cut again.
        """
        order = sorted(range(len(asked)), key=lambda number: asked[number][0])
        stems = [asked[number][0].rstrip() for number in order]
        heads = self._heads(stems)
        rests = self._encoded([stem[head.length :] for stem, head in zip(stems, heads, strict=True)])
        places = [
            _cut(stem, head.length, len(stem) - _MARGIN) if self._cuts else head.length
            for stem, head in zip(stems, heads, strict=True)
        ]
        tails = self._encoded(
            [
                stem[place:] if place > head.length else ""
                for stem, place, head in zip(stems, places, heads, strict=True)
            ]
        )
        wholes, befores = [], []
        for index, number in enumerate(order):
            context, continuations = asked[number]
            rest = rests[index]
            tail = tails[index] if places[index] > heads[index].length else rest
            if rest[len(rest) - len(tail) :] != tail:
                self._cuts = False
                places[index], tail = heads[index].length, rest
            befores.append(tail)
            wholes += [context[places[index] :] + continuation for continuation in continuations]
        encoded = iter(self._encoded(wholes))
        found: list[Pair | None] = [None] * len(asked)
        for index, number in enumerate(order):
            context, continuations = asked[number]
            added = [next(encoded)[len(befores[index]) :] for _ in continuations]
            tokens = heads[index].tokens + rests[index]
            if not (tokens and all(added)):
                found[number] = self.pair(context, continuations)
            else:
                found[number] = Pair(tokens if tokens[:1] == self.prefix else self.prefix + tokens, added)
        return [pair for pair in found if pair is not None]

    def _heads(self, stems: Sequence[str]) -> list[_Head]:
        """Return, for sorted texts, the beginning of each that it has in common with its neighbours, encoded."""
        heads: list[_Head] = []
        text, head = "", _Head(0, [])
        for index, stem in enumerate(stems):
            if not (head.length and stem.startswith(text) and len(stem) >= head.length + _MARGIN):
                head = _Head(0, [])
                common = _in_common(stem, stems[index + 1]) if index + 1 < len(stems) else 0
                length = _cut(stem, 0, common - _MARGIN) if self._cuts and common >= _WORTH else 0
                if length:
                    text = stem[:length]
                    first, rest, whole = self._encoded([text, stem[length:], stem])
                    if first + rest == whole:
                        head = _Head(length, first)
                    else:
                        self._cuts = False
            heads.append(head)
        return heads

    def _encoded(self, texts: Sequence[str]) -> list[list[int]]:
        """Return what ``rendered`` returns for each text."""
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False
        )
        return [list(tokens) for tokens in encoded.input_ids]


def _cut(text: str, first: int, last: int) -> int:
    """Return the last place up to ``last`` where a word has ended and a blank follows, ``first`` where there is none."""
    for place in range(min(last, len(text) - 1), first, -1):
        if text[place] in " \n" and text[place - 1].isalnum():
            return place
    return first


def _in_common(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


class _Head(NamedTuple):
    """The beginning of a text: its characters and its tokens."""

    length: int
    tokens: list[int]


class Pair(NamedTuple):
    """A context and its continuations in tokens."""

    context: list[int]
    continuations: list[list[int]]
