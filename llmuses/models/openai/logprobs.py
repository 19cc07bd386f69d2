"""Log-probabilities of continuations, out of what a server's two endpoints give.

Completions that echo the prompt give every token's log-probability: exact sums, for continuations of any length. Chat
gives the likeliest first tokens: enough to compare the letters of options.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmuses.errors import ModelError
from llmuses.models.openai.errors import Meaning, Refused, meaning
from llmuses.models.openai.gate import Fault, Ticket
from llmuses.models.openai.replies import Reply, usage_of
from llmuses.records import Loglikelihood, Response, Score, Usage

if TYPE_CHECKING:
    from llmuses.models.openai.server import Server
    from llmuses.models.openai.session import Session

LONGEST_LETTER = 2


class NoLogprobs(Exception):
    """A server's answer lacks the log-probabilities that were asked for."""


def are_letters(continuations: Sequence[str]) -> bool:
    """Whether first tokens are enough to tell the continuations apart: distinct and a letter or two each."""
    stripped = [text.strip() for text in continuations]
    return all(0 < len(text) <= LONGEST_LETTER for text in stripped) and len(set(stripped)) == len(stripped)


def echoed_score(reply: Reply, continuation: str, context_tokens: int | None = None) -> Score | None:
    """Return the score of a continuation out of the echoed prompt that ends in it.

    Its tokens are found by counting characters back from the end of the prompt, so that a token of the model's own
    before the prompt does not shift them. A token that begins in the context and reaches into the continuation belongs
    to the continuation. Where the tokens' texts do not spell it (pieces of a character beyond ASCII) None is returned;
    then ``context_tokens``, the number of tokens of the context alone, tells where it begins. Raises NoLogprobs where
    the prompt's log-probabilities are missing, or one of the continuation's: only the very first token has none.
    """
    tokens, logprobs, tops = _prompt_table(reply)
    begin = _begin(tokens, continuation) if context_tokens is None else context_tokens
    if begin is None:
        return None
    values = logprobs[begin:]
    if None in logprobs[max(begin, 1) :]:
        raise NoLogprobs
    known = [value for value in values if value is not None]
    if not known or len(known) != len(values):
        return Score(logprob=None, tokens=max(1, len(values)))
    greedy = len(tops) == len(tokens) and all(
        top is not None and value >= max(top.values(), default=-math.inf) - 1e-9
        for value, top in zip(known, tops[begin:], strict=True)
    )
    return Score(logprob=math.fsum(known), tokens=len(known), greedy=greedy)


def prompt_tokens(reply: Reply) -> int:
    """Return how many tokens an echoed prompt has. Raises NoLogprobs where the server did not echo it."""
    return len(_prompt_table(reply)[0])


def _prompt_table(reply: Reply) -> tuple[list[str], list[float | None], list[dict[str, float] | None]]:
    """Return tokens, log-probabilities and likeliest tokens of a prompt, without the one generated after it."""
    assert reply.choices
    table = reply.choices[0].logprobs
    usage = usage_of(reply)
    generated = 1 if usage is None or usage.completion_tokens is None else usage.completion_tokens
    if table is None or not table.tokens or not table.token_logprobs:
        raise NoLogprobs
    end = len(table.tokens) - generated
    if end < 1 or len(table.token_logprobs) < end:
        raise NoLogprobs
    return table.tokens[:end], table.token_logprobs[:end], (table.top_logprobs or [])[:end]


def _begin(tokens: Sequence[str], continuation: str) -> int | None:
    """Return the index of the first token that reaches into the continuation, None where they do not spell it."""
    spelled = ""
    begin = len(tokens)
    while begin and len(spelled) < len(continuation):
        begin -= 1
        spelled = tokens[begin] + spelled
    return begin if spelled.endswith(continuation) else None


def first_token_scores(reply: Reply, continuations: Sequence[str]) -> list[Score]:
    """Return the scores of letters out of the likeliest first tokens of a chat answer.

    A letter's probability is the sum over its variants with and without surrounding space; one that is not among the
    tokens has no log-probability. Raises NoLogprobs where the server gave no alternatives.
    """
    assert reply.choices
    table = reply.choices[0].logprobs
    tops = table.content[0].top_logprobs if table and table.content else None
    if not tops:
        raise NoLogprobs
    likeliest = max(tops, key=lambda top: top.logprob).token.strip()
    scores = []
    for continuation in continuations:
        letter = continuation.strip()
        found = [top.logprob for top in tops if top.token.strip() == letter]
        scores.append(Score(logprob=_log_sum_exp(found), greedy=letter == likeliest))
    return scores


def _log_sum_exp(values: Sequence[float]) -> float | None:
    if not values:
        return None
    most = max(values)
    return most + math.log(math.fsum(math.exp(value - most) for value in values))


# --- Asking ------------------------------------------------------------------------------------------------------


async def score(session: Session, key: str, ask: Loglikelihood, ticket: Ticket) -> Response:
    """Return a response with the score of each continuation.

    The first time it is found out which endpoint of the server gives log-probabilities: completions are tried first,
    being exact. Requests that are sent meanwhile find out for themselves, or from the first that did. Raises ModelError where neither does, or where chat does but the continuations are longer than letters.
    """
    server = session.server
    if server.logprobs != "chat":
        try:
            response = await _score_echoed(session, key, ask, ticket)
        except NoLogprobs as problem:
            if server.logprobs == "completions":
                raise (_left_out() if server.gave_logprobs else _none_given(server)) from problem
        except Refused as refused:
            what, code = meaning(refused.error)
            lasting = what in (Meaning.SETTING, Meaning.FAILED, Meaning.REJECTED) and code.startswith("http_")
            if server.logprobs == "completions" or not lasting:
                raise
        else:
            server.logprobs, server.gave_logprobs = "completions", True
            return response
    if not are_letters(ask.continuations):
        raise ModelError(
            f"{server.url} gives log-probabilities of first tokens at most, too little for options of many words: "
            "ask with mode generate."
        )
    return await _score_first_tokens(session, key, ask, ticket)


async def _score_echoed(session: Session, key: str, ask: Loglikelihood, ticket: Ticket) -> Response:
    dialect = session.server.dialect
    replies: list[Reply] = []

    async def echo(prompt: str) -> Reply:
        replies.append(await session.ask("/completions", lambda: dialect.echo(prompt), ticket))
        return replies[-1]

    scores = []
    context_tokens = None
    # Space at the end of the context belongs to what follows it, as for the backends that read a checkpoint themselves.
    stem = ask.context.rstrip() or ask.context
    gap = ask.context[len(stem) :]
    for continuation in ask.continuations:
        reply = await echo(ask.context + continuation)
        found = echoed_score(reply, gap + continuation)
        if found is None:
            if context_tokens is None:
                context_tokens = prompt_tokens(await echo(stem))
            found = echoed_score(reply, gap + continuation, context_tokens)
        assert found is not None
        scores.append(found)
    return Response(key=key, scores=scores, usage=_total(replies), served_model=replies[-1].model)


async def _score_first_tokens(session: Session, key: str, ask: Loglikelihood, ticket: Ticket) -> Response:
    server = session.server
    try:
        reply = await session.ask("/chat/completions", lambda: server.dialect.first_token(ask.context), ticket)
        scores = first_token_scores(reply, ask.continuations)
    except NoLogprobs as problem:
        raise (_left_out() if server.gave_logprobs else _none_given(server)) from problem
    except Refused as refused:
        if "logprob" in (refused.error.param or refused.error.message).lower():
            raise _none_given(server) from refused
        raise
    server.logprobs, server.gave_logprobs = "chat", True
    return Response(key=key, scores=scores, usage=usage_of(reply), served_model=reply.model)


def _left_out() -> Fault:
    return Fault("no_logprobs", "the server left out the log-probabilities")


def _none_given(server: Server) -> ModelError:
    return ModelError(f"{server.url} gives no log-probabilities: ask with mode generate.")


def _total(replies: Sequence[Reply]) -> Usage | None:
    usages = [usage for reply in replies if (usage := usage_of(reply))]
    if not usages:
        return None
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens or 0 for usage in usages),
        completion_tokens=sum(usage.completion_tokens or 0 for usage in usages),
    )
