"""The text of an answer as it grows: what was shown stands, and it comes to the whole."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.growing_text import GrowingText
from llmuses.models.transformers.sampling import Choice
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import GenerationConfig
from tests.support.tiny_models import make_tokenizer

END = 2


@functools.cache
def byte_codec() -> Codec:
    return Codec(make_tokenizer(None))


@functools.cache
def sentencepiece_codec() -> Codec:
    """Tokens that begin a word with a blank which is dropped at the beginning of a text, and bytes for the rest."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["▁the", "▁river", "▁", "s", "er", "▁R", "hine", ",", "你", "好"]
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, [], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return Codec(PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>"))


def shown(codec: Codec, tokens: list[int], stops: tuple[str, ...] = ()) -> tuple[list[str], Writing]:
    prompt = Prompt("", [5], GenerationConfig(stop=stops), len(tokens))
    writing = Writing(prompt, Choice(prompt.config, None, [5]), codec, frozenset([END]))
    growing = GrowingText(writing, codec)
    news = []
    for token in tokens:
        if writing.ended:
            break
        writing.add(token)
        news.append(growing.more())
    return news, writing


codecs: list[Any] = [byte_codec, sentencepiece_codec]


@pytest.mark.parametrize("codec", codecs)
@given(data=st.data())
def test_what_was_shown_comes_to_the_answer(codec: Any, data: Any) -> None:
    size = 384 if codec is byte_codec else 269
    tokens = data.draw(st.lists(st.integers(3, size - 1), min_size=1, max_size=40))
    whole = codec().decode(tokens)
    start = data.draw(st.integers(0, max(0, len(whole) - 1)))
    stop = whole[start : start + data.draw(st.integers(1, 4))]
    stops = (stop,) if stop and "\ufffd" not in stop and data.draw(st.booleans()) else ()
    news, writing = shown(codec(), tokens, stops)
    assert writing.answer is not None
    if "\ufffd" not in writing.answer.text:
        assert "".join(news) == writing.answer.text


@given(text=st.text(st.sampled_from("aé你😀 \n"), min_size=1, max_size=20))
def test_half_characters_are_held_back(text: str) -> None:
    news, _ = shown(byte_codec(), byte_codec().rendered(text))
    assert not any("\ufffd" in new for new in news)
    assert "".join(news) == text


def test_what_may_become_a_stop_string_is_held_back_until_it_is_none() -> None:
    codec = byte_codec()
    news, _ = shown(codec, [token for letter in "ab\nQu ends" for token in codec.rendered(letter)], ("\nQuestion",))
    assert news[:6] == ["a", "b", "", "", "", "\nQu "]
    news, writing = shown(codec, [token for letter in "ab\nQuestion: c" for token in codec.rendered(letter)], ("\nQ",))
    assert "".join(news) == "ab"
    assert writing.answer is not None
    assert writing.answer.finish_reason == "stop"


def test_an_end_token_shows_nothing() -> None:
    codec = byte_codec()
    news, writing = shown(codec, [*codec.rendered("42"), END])
    assert "".join(news) == "42"
    assert writing.answer is not None
    assert writing.answer.text == "42"
