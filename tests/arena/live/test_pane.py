"""One side's answer on its way to the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from arena.live.pane import THOUGHTS_SECONDS, PaneWriter, reason_of
from arena.live.wire import Pane, PaneState
from llmuses.models.base import Delta, StreamError
from llmuses.records import ErrorKind, ResponseError, Usage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Page:
    """A page that is told what changes, and a writer that tells it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.news = 0
        self.writer = PaneWriter(self._heard, self.clock)
        self.blocks: list[str] = []
        self.thinking = ""
        self.panes: list[Pane] = []

    def _heard(self) -> None:
        self.news += 1

    def take(self, *deltas: Delta) -> Pane | None:
        """Have deltas written, and look two seconds later."""
        for delta in deltas:
            self.writer._take(delta)
        return self.look()

    def look(self, seconds: float = 2.5) -> Pane | None:
        self.clock.now += seconds
        pane = self.writer.changes()
        if pane is not None:
            self.blocks[pane.first :] = pane.blocks
            assert len(self.blocks) == pane.of
            self.thinking = pane.thinking if pane.thinking is not None else self.thinking
            self.panes.append(pane)
        return pane

    @property
    def shown(self) -> str:
        return "".join(self.blocks).replace("\n", "")


def words(text: str) -> Delta:
    return Delta(text=text)


def thoughts(text: str) -> Delta:
    return Delta(reasoning=text)


def ended(page: Page, *deltas: Delta, error: Exception | None = None) -> Pane | None:
    async def stream() -> AsyncGenerator[Delta, None]:
        for delta in deltas:
            yield delta
        if error:
            raise error

    asyncio.run(page.writer.follow(stream()))
    return page.look()


def test_before_the_first_word_it_waits() -> None:
    page = Page()
    pane = page.look()
    assert pane is not None
    assert (pane.state, pane.of) == (PaneState.WAITING, 0)
    assert page.look() is None


def test_the_first_words_are_there_at_once_whatever_was_sent_before() -> None:
    page = Page()
    page.look(0)
    page.writer._take(words("Hello"))
    pane = page.look(0)
    assert pane is not None
    assert (pane.state, pane.blocks) == (PaneState.WRITING, ("<p>Hello</p>\n",))


def test_only_what_changed_is_sent() -> None:
    page = Page()
    page.take(words("One.\n\nTwo"))
    pane = page.take(words(" and more."))
    assert pane is not None
    assert (pane.first, pane.blocks, pane.of) == (1, ("<p>Two and more.</p>\n",), 2)
    assert page.look() is None
    assert page.shown == "<p>One.</p><p>Two and more.</p>"


def test_news_are_told_for_every_delta_that_says_something() -> None:
    page = Page()
    page.take(words("a"), thoughts("b"), Delta(usage=Usage(prompt_tokens=1)))
    assert page.news == 2


def test_what_cannot_be_seen_yet_is_not_sent() -> None:
    page = Page()
    page.take(words("Hello"))
    assert page.take(words(" ")) is None
    assert page.take(words("**")) is None


def test_thoughts_are_folded_and_the_state_says_no_more_than_that_it_thinks() -> None:
    page = Page()
    pane = page.take(thoughts("First <this>.\nThen that."))
    assert pane is not None
    assert (pane.state, pane.blocks, pane.thinking) == (
        PaneState.THINKING, (), "<p>First &lt;this&gt;.<br>Then that.</p>",
    )  # fmt: skip
    pane = page.take(words("So."))
    assert pane is not None
    assert (pane.state, pane.thinking, page.shown) == (PaneState.WRITING, None, "<p>So.</p>")


def test_thoughts_that_go_on_are_sent_now_and_then_and_whole_in_the_end() -> None:
    page = Page()
    page.take(thoughts("One"))
    page.writer._take(thoughts(" two"))
    assert page.look(THOUGHTS_SECONDS / 4) is None
    page.take(thoughts(" three"), words("So."))
    assert page.thinking == "<p>One two three</p>"


def test_text_that_turns_out_to_be_thoughts_is_taken_out_of_the_answer() -> None:
    page = Page()
    page.take(words("Hm, first."))
    page.take(Delta(reasoning=" Then.", text="It is 4.", recast=True))
    assert page.shown == "<p>It is 4.</p>"
    assert page.thinking == "<p>Hm, first. Then.</p>"
    assert (page.writer.text, page.writer.reasoning) == ("It is 4.", "Hm, first. Then.")


def test_an_answer_that_ended_is_shown_as_it_is_and_says_what_it_used() -> None:
    page = Page()
    page.take(words("2 *"))
    assert page.shown == "<p>2</p>"
    pane = ended(page, Delta(text=" 3 *", finish_reason="length", usage=Usage(completion_tokens=7)))
    assert pane is not None
    assert pane.state is PaneState.FINISHED
    assert page.shown == "<p>2 * 3 *</p>"
    assert (page.writer.finish, page.writer.usage) == ("length", Usage(completion_tokens=7))
    assert page.look() is None


def test_an_answer_that_ends_though_nothing_new_is_to_be_seen_still_says_that_it_ended() -> None:
    page = Page()
    page.take(words("Done."))
    pane = ended(page)
    assert pane is not None
    assert (pane.state, pane.first, pane.blocks, pane.of) == (PaneState.FINISHED, 1, (), 1)


def error(code: str, kind: ErrorKind = ErrorKind.FAILED) -> StreamError:
    return StreamError(ResponseError(kind=kind, code=code, message="gpt-5 at https://api.example says no"))


def test_a_side_that_fails_keeps_what_it_wrote_and_its_reason_gives_no_name_away() -> None:
    page = Page()
    pane = ended(page, words("Half an ans"), error=error("http_503"))
    assert pane is not None
    assert (pane.state, pane.reason, page.shown) == (PaneState.FAILED, "failed", "<p>Half an ans</p>")
    assert "gpt" not in repr(page.panes)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (error("content_filter", ErrorKind.REJECTED), "filtered"),
        (error("context_length", ErrorKind.REJECTED), "too_long"),
        (error("chat_template", ErrorKind.REJECTED), "failed"),
        (error("timeout"), "timeout"),
        (error("http_401"), "failed"),
        (error("unreachable"), "failed"),
    ],
)
def test_reasons_are_few_words(problem: StreamError, reason: str) -> None:
    assert reason_of(problem.error) == reason


def test_an_error_that_a_stream_should_not_raise_fails_the_side_alone(caplog: pytest.LogCaptureFixture) -> None:
    page = Page()
    pane = ended(page, words("Half"), error=ZeroDivisionError("oops"))
    assert pane is not None
    assert (pane.state, pane.reason) == (PaneState.FAILED, "failed")
    assert "ZeroDivisionError" in caplog.text


def test_a_stop_keeps_what_was_written_closes_the_stream_and_drops_what_comes_later() -> None:
    closed = []

    async def endless() -> AsyncGenerator[Delta, None]:
        try:
            while True:
                yield words("**word ")
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def run(page: Page) -> None:
        task = asyncio.create_task(page.writer.follow(endless()))
        while len(page.writer.text) < 20:
            await asyncio.sleep(0)
        page.writer.stop(PaneState.STOPPED)
        await task

    page = Page()
    asyncio.run(run(page))
    text = page.writer.text
    page.writer.stop(PaneState.FAILED, "failed")
    pane = page.look()
    assert pane is not None
    assert (pane.state, pane.reason) == (PaneState.STOPPED, None)
    assert page.writer.text == text
    assert closed == [True]


def test_a_cancelled_task_closes_the_stream_and_the_state_is_what_it_was() -> None:
    closed = []

    async def waiting() -> AsyncGenerator[Delta, None]:
        try:
            yield words("One")
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    async def run(writer: Any) -> None:
        task = asyncio.create_task(writer.follow(waiting()))
        while not writer.text:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    page = Page()
    asyncio.run(run(page.writer))
    assert closed == [True]
    assert page.writer.state is PaneState.WRITING


def test_a_side_that_takes_long_to_render_is_rendered_less_often_but_always_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = iter([0.0, 0.01] + [0.0, 0.0] * 10)
    monkeypatch.setattr("arena.live.pane.time.perf_counter", lambda: next(seconds))
    page = Page()
    page.take(words("a"))
    page.writer._take(words("b"))
    assert page.look(0.1) is None
    assert page.look(0.45) is not None
    page.writer._take(words("c"))
    page.writer.stop(PaneState.FINISHED)
    assert page.look(0) is not None
    assert page.shown == "<p>abc</p>"
