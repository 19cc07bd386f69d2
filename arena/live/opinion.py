"""The judge's view of a battle that a person has voted on: asked in both orders of the answers, on demand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from arena.languages import detected
from arena.live.refusal import Refusal
from arena.live.rules import Judging
from arena.live.wire import Opinion, Said
from llmuses.errors import LlmusesError
from llmuses.judge.asking import Turns, pairwise_ask
from llmuses.judge.orders import combine
from llmuses.judge.templates import JudgeMode, JudgeTemplate, choose, load_templates
from llmuses.judge.verdicts import read_pairwise
from llmuses.models import Model, load_model
from llmuses.records import Generate, GenerationConfig, Request, Response, Winner, prediction_key

_log = logging.getLogger(__name__)


class LiveJudge:
    """Asks one judge, loaded at the first question. Its calls run in threads: no page waits for them."""

    def __init__(self, rule: Judging):
        """Raises UsageError or DataError for a file of prompts that cannot be used."""
        self._rule = rule
        self._templates = load_templates(Path(rule.prompt_file).expanduser() if rule.prompt_file else None)
        self._loading = asyncio.Lock()
        self._model: Model | None = None

    async def opinion(
        self, questions: Sequence[str], answers_a: Sequence[str], answers_b: Sequence[str], voted: Winner
    ) -> Opinion:
        """Return what the judge says in both orders. Raises Refusal ``no_judge`` where it does not answer."""
        language = detected(questions[0]) or "en"
        template = choose(
            self._templates, JudgeMode.PAIRWISE, "general", False, turns=len(questions), language=language
        )
        one, two = (Turns(tuple(questions), tuple(answers)) for answers in (answers_a, answers_b))
        config = GenerationConfig(max_tokens=self._rule.max_tokens, temperature=0.0)
        asks = [Generate(messages=pairwise_ask(template, *order), config=config) for order in ((one, two), (two, one))]
        try:
            async with asyncio.timeout(self._rule.seconds):
                model = await self._loaded()
                responses = await asyncio.to_thread(_asked, model, asks)
        except (LlmusesError, TimeoutError) as problem:
            _log.warning("the judge gave no opinion: %s", str(problem) or "no answer in time")
            raise Refusal("no_judge") from problem
        texts = [response.text or "" for response in responses]
        material = (*questions, *answers_a, *answers_b)
        first, swapped = (read_pairwise(text, template.style, material) if text else None for text in texts)
        verdict = combine(first, swapped).winner
        return Opinion(
            judge=model.name,
            orders=(
                Said(winner=first.winner if first else None, text=texts[0]),
                Said(winner=swapped.turned().winner if swapped else None, text=texts[1]),
            ),
            verdict=verdict,
            agrees=None if verdict is None else _same(verdict, voted),
        )

    def _template(self, questions: Sequence[str]) -> JudgeTemplate:
        language = detected(questions[0]) or "en"
        return choose(self._templates, JudgeMode.PAIRWISE, "general", False, turns=len(questions), language=language)

    async def _loaded(self) -> Model:
        async with self._loading:
            if self._model is None:
                self._model = await asyncio.to_thread(load_model, self._rule.model, **self._rule.args)
            return self._model

    def close(self) -> None:
        """Let go of the model."""
        if self._model is not None:
            self._model.close()


def _asked(model: Model, asks: Sequence[Generate]) -> list[Response]:
    keys = [prediction_key(ask, model.identity, number) for number, ask in enumerate(asks)]
    found = {response.key: response for response in model.run(map(Request, keys, asks))}
    missing = [key for key in keys if key not in found or found[key].error is not None]
    if missing:
        raise Refusal("no_judge")
    return [found[key] for key in keys]


def _same(verdict: Winner, voted: Winner) -> bool:
    neither = (Winner.TIE, Winner.BOTH_BAD)
    return verdict is voted or (verdict in neither and voted in neither)
