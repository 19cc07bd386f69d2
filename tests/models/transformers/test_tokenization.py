"""Between text and tokens: beginnings of text, and where a context ends and a continuation begins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.transformers.tokenization import Codec
from tests.support.tiny_models import make_tokenizer

PLAIN = Codec(make_tokenizer(None))
WITH_BOS = Codec(make_tokenizer(None, bos=True))


def test_a_beginning_of_text_token_comes_as_the_tokenizer_adds_it_by_default() -> None:
    assert PLAIN.text("Question")[0] != 0
    assert WITH_BOS.text("Question") == [0, *PLAIN.text("Question")]


def test_a_beginning_of_text_token_is_not_doubled_where_the_text_already_has_it() -> None:
    assert WITH_BOS.text("<|endoftext|>Question") == WITH_BOS.text("Question")


def test_a_rendered_conversation_keeps_exactly_the_special_tokens_that_stand_in_it() -> None:
    assert WITH_BOS.rendered("<|im_start|>user")[0] == 1
    assert 0 not in WITH_BOS.rendered("<|im_start|>user")


def test_an_empty_text_is_one_token() -> None:
    assert PLAIN.text("") == [0]
    assert WITH_BOS.text("") == [0]


def test_whitespace_at_the_end_of_a_context_moves_to_the_continuation() -> None:
    moved = PLAIN.pair("The capital of France is ", ["Paris", "Berlin"])
    assert moved == PLAIN.pair("The capital of France is", [" Paris", " Berlin"])
    assert PLAIN.decode(moved.context) == "The capital of France is"
    assert [PLAIN.decode(tokens) for tokens in moved.continuations] == [" Paris", " Berlin"]


def test_an_empty_context_is_the_beginning_of_text() -> None:
    for codec in (PLAIN, WITH_BOS):
        pair = codec.pair("", ["Paris"])
        assert pair.context == [0]
        assert codec.decode(pair.continuations[0]) == "Paris"


def test_a_context_of_whitespace_alone_moves_whole() -> None:
    pair = PLAIN.pair(" \n", ["Paris"])
    assert pair.context == [0]
    assert PLAIN.decode(pair.continuations[0]) == " \nParis"


def test_an_empty_continuation_has_no_tokens() -> None:
    assert PLAIN.pair("The capital", [""]).continuations == [[]]


def test_a_continuation_is_what_it_adds_to_the_encoded_context() -> None:
    """ " France" is one token after " of"; the letters that complete it belong to the continuation."""
    whole = PLAIN.text("The capital of France")
    context = PLAIN.text("The capital of")
    assert PLAIN.pair("The capital of", [" France"]).continuations == [whole[len(context) :]]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@given(context=TEXTS, continuation=TEXTS.filter(str.strip))
def test_nothing_of_a_continuation_is_lost(context: str, continuation: str) -> None:
    for codec in (PLAIN, WITH_BOS):
        pair = codec.pair(context, [continuation])
        assert pair.context
        assert pair.continuations[0]
        if codec.text(context.rstrip() + context[len(context.rstrip()) :] + continuation)[: len(pair.context)] == (
            pair.context
        ):
            assert codec.decode(pair.context + pair.continuations[0]) == context + continuation


@given(text=TEXTS)
def test_decoding_gives_back_the_text_with_its_spaces(text: str) -> None:
    assert PLAIN.decode(PLAIN.text(text) if text else []) == text
