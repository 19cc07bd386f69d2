"""Between text and tokens: beginnings of text, and where a context ends and a continuation begins."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmuses.models.transformers.tokenization import Codec
from tests.support.tiny_models import SENTENCES, make_tokenizer

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


@functools.cache
def tokenizer(kind: str) -> Any:
    """Return a tokenizer of a kind, trained on a few sentences."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    if kind.startswith("bytes"):
        return make_tokenizer(None, bos=kind == "bytes with a beginning")
    special = ["<unk>", "<s>"]
    if kind == "unigram":
        made = Tokenizer(models.Unigram())
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        unigram = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
        )
        made.train_from_iterator(SENTENCES * 5, unigram)
    else:
        made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
        if kind == "words":
            made.pre_tokenizer = pre_tokenizers.Metaspace()
        else:  # the whole text is one word, with a blank put before it
            made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        merges = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
        made.train_from_iterator(SENTENCES, merges)
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", unk_token="<unk>")


PIECES = st.sampled_from(
    [*SENTENCES, "\n\n", "\n", " ", "  ", "Answer:", "A. one\nB. two\n", "½ a", "--- ", "<|im_end|>", "日本語 text"]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
ENDINGS = st.lists(st.sampled_from([" A", " B", "", "\n", " Paris is", "far", "。", " 42"]), max_size=4)


@pytest.mark.parametrize("kind", ["bytes", "bytes with a beginning", "words", "one word", "unigram"])
@settings(max_examples=40, deadline=None)
@given(shared=st.lists(PIECES, max_size=12).map("".join), asked=st.lists(st.tuples(TEXTS, ENDINGS), max_size=6))
def test_many_texts_encoded_together_give_the_same_tokens_as_each_by_itself(
    kind: str, shared: str, asked: list[tuple[str, list[str]]]
) -> None:
    codec = Codec(tokenizer(kind))
    together = [(shared + text, endings) for text, endings in asked]
    assert codec.pairs(together) == [codec.pair(context, endings) for context, endings in together]


def test_what_texts_have_in_common_is_encoded_once() -> None:
    counted = Counting(make_tokenizer(None))
    shots = "".join(SENTENCES) * 20
    pairs = Codec(counted).pairs([(f"{shots}Question: {number}?\nAnswer:", [" A", " B"]) for number in range(50)])
    assert len(pairs) == 50
    assert counted.characters < 4 * len(shots) + 50 * 6 * 200


def test_a_tokenizer_whose_words_run_on_is_never_cut_again() -> None:
    codec = Codec(tokenizer("one word"))
    shots = "".join(SENTENCES) * 3
    codec.pairs([(f"{shots} one", [" A"]), (f"{shots} two", [" A"])])
    assert not codec._cuts


class Counting:
    """A tokenizer that counts the characters that it encodes."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self.characters = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def __call__(self, texts: str | list[str], **how: Any) -> Any:
        self.characters += len(texts) if isinstance(texts, str) else sum(map(len, texts))
        return self._tokenizer(texts, **how)
