"""A server that sends the key back: it is struck out, whole or in pieces, however it is written."""

from __future__ import annotations

import base64
import itertools
import json
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.openai.errors import read_error
from llmuses.models.openai.events import EventReader
from llmuses.models.openai.replies import read_reply
from llmuses.models.openai.secrecy import KeyStriker, without_key, without_pieces

KEY = "sk-planted/8d1f+2a7c=Q9"
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "backwards": lambda key: key[::-1],
    "in an address": lambda key: quote(key, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "in JSON": lambda key: json.dumps(key)[1:-1],
    "in JSON with slashes": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "in hexadecimal": lambda key: key.encode().hex(),
    "in Base64": lambda key: base64.b64encode(key.encode()).decode(),
    "as a bearer in Base64": lambda key: base64.b64encode(b"Bearer " + key.encode()).decode(),
    "as a password in Base64": lambda key: base64.b64encode(b"me:" + key.encode() + b"\r\n").decode(),
    "in Base64 of addresses": lambda key: base64.urlsafe_b64encode(b"x" + key.encode()).decode(),
}


def pieces(text: str, length: int = 8) -> set[str]:
    return {text[at : at + length] for at in range(len(text) - length + 1)}


@pytest.mark.parametrize("way", WAYS)
def test_no_piece_of_the_key_is_left_of_what_a_server_says_of_an_error(way: str) -> None:
    written = WAYS[way](KEY)
    of_key = pieces(written[12:-4] if "Base64" in way else written)  # "Bearer " in Base64 is no secret
    for part in (written, written[:20], written[-20:]):
        said = f"Your header was {part}, which is wrong"
        error = read_error(400, msgspec.json.encode({"error": {"message": said}}), {}, KEY)
        assert error.message.startswith("Your header was ") and error.message.endswith(", which is wrong")
        assert pieces(said) & of_key and not pieces(error.message) & of_key


@pytest.mark.parametrize("way", ["as it is", "backwards", "in an address", "in a path", "as a bearer in Base64"])
def test_an_answer_that_holds_the_key_is_kept_without_it(way: str) -> None:
    written = WAYS[way](KEY)
    message = {"content": f"Here: {written}.", "reasoning_content": [1], "reasoning": f"Hm {written}", "refusal": None}
    reply = {"model": written, "choices": [{"message": message, "finish_reason": written}]}
    parts = {"choices": [{"message": {"content": [{"type": "text", "text": f"Here: {written}."}]}}]}
    event = b"data: " + msgspec.json.encode({"choices": [{"delta": {"content": written}}]}) + b"\n\n"
    for found in (read_reply(msgspec.json.encode(reply), KEY), read_reply(msgspec.json.encode(parts), KEY)):
        assert written[4:-4] not in repr(found) and "Here: " in repr(found) and "***" in repr(found)
    delta = EventReader(KEY).feed(event)
    assert delta is not None and written[4:-4] not in delta.text and "***" in delta.text


def test_a_key_with_signs_that_a_page_escapes_is_struck_out_of_an_answer_in_html() -> None:
    assert without_key("<p>pass&amp;word&lt;9&quot;</p>", 'pass&word<9"') == "<p>***</p>"


@given(
    st.text(string.ascii_letters + string.digits + "-_./+=", min_size=8, max_size=200), st.text(max_size=60), st.data()
)
def test_whatever_the_key_nothing_of_eight_characters_is_left(key: str, around: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(key) - 8))
    part = key[start : data.draw(st.integers(start + 8, len(key)))]
    said = without_pieces(f"{around}{part}{around}{part[::-1]}", key)
    assert not pieces(said) & pieces(key)
    assert not pieces(said) & pieces(key[::-1])


@pytest.mark.parametrize(
    ("key", "said"), [("", "none of it"), ("abc", "abc"), ("none", "none of it"), ("EMPTY-KEY", "KEY")]
)
def test_ordinary_words_stay(key: str, said: str) -> None:
    for struck in (without_key(said, key), without_pieces(said, key)):
        assert struck == said.replace("none", "***" if key == "none" else "none")


def cut(text: str, places: list[int]) -> list[str]:
    """Return a text in pieces, cut at places that may lie behind its end."""
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges)]


@given(
    st.text("ab-/+=&%", max_size=12),
    st.lists(st.tuples(st.sampled_from(sorted(WAYS)), st.text("ab-/ ", max_size=5), st.integers(0, 9)), max_size=4),
    st.lists(st.integers(0, 150), max_size=12),
)
def test_however_a_text_is_cut_the_key_is_struck_out_as_of_the_whole(
    key: str, said: list[tuple[str, str, int]], places: list[int]
) -> None:
    text = "".join(around + WAYS[way](key)[short % 3 :] for way, around, short in said)
    striker = KeyStriker(key)
    assert "".join([*map(striker.feed, cut(text, places)), striker.finish()]) == without_key(text, key)


def events(field: str, words: list[str]) -> bytes:
    """Return a stream whose answer, or whose thoughts, come in pieces."""
    deltas = [{"choices": [{"delta": {field: each}}]} for each in words]
    lines = [*deltas, {"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    return b"".join(b"data: " + msgspec.json.encode(line) + b"\n\n" for line in lines)


def shown(stream: bytes) -> tuple[str, str]:
    """Return the thoughts and the answer that a reader of a stream sees, event by event."""
    reader = EventReader(KEY)
    deltas = [delta for line in stream.splitlines(keepends=True) if (delta := reader.feed(line))]
    deltas.append(reader.finish())
    assert not any(delta.recast for delta in deltas)
    return "".join(delta.reasoning for delta in deltas), "".join(delta.text for delta in deltas)


@pytest.mark.parametrize("way", ["as it is", "in a path", "as a bearer in Base64"])
def test_a_key_that_is_spread_over_events_is_never_shown(way: str) -> None:
    text = f"Here: {WAYS[way](KEY)}, and sk-plain. {KEY[:5]}"
    expected = without_key(text, KEY)
    for place in range(len(text)):
        words = [text[:place], *text[place : place + 3], text[place + 3 :]]
        assert shown(events("content", words)) == ("", expected)
        assert shown(events("reasoning_content", words)) == (expected, "")
        assert shown(events("content", ["<think>", *words, "</think>", *words])) == (expected, expected)


def test_of_a_text_no_more_waits_than_may_begin_the_key() -> None:
    striker = KeyStriker(KEY)
    assert [striker.feed(piece) for piece in ("Ask ", "sk", "-plan", "e", "sk-p")] == ["Ask ", "", "", "sk-plane", ""]
    assert striker.finish() == "sk-p"
