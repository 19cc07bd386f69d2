"""A stand-in for vLLM: as much of its Python interface as the backend uses, computed by a network of transformers.

``install(monkeypatch)`` puts it in the place of the module ``vllm``. It speaks ``LLM``, ``LLMEngine.add_request``,
``step`` and ``abort_request``, ``SamplingParams`` and the outputs as vLLM documents them; it refuses what vLLM refuses
(a prompt that leaves no room for a token, too many log-probabilities, parameters it does not know) and goes without its
cache of prefixes where vLLM does (log-probabilities of a prompt). It runs each request alone, a token a step.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.machinery
import queue
import sys
import types
from typing import Any

import pytest
import torch
import transformers

BLOCK = 16
"""Tokens of a block of the cache of prefixes."""


class RequestOutputKind(enum.Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2


@dataclasses.dataclass
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int | None = None
    max_tokens: int | None = 16
    logprobs: int | None = None
    logprob_token_ids: list[int] | None = None
    prompt_logprobs: int | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    detokenize: bool = True
    output_kind: RequestOutputKind = RequestOutputKind.CUMULATIVE

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature must be in [0, 2], got {self.temperature}.")
        if self.logprob_token_ids is not None and self.logprobs not in (None, len(self.logprob_token_ids)):
            raise ValueError("When both logprobs and logprob_token_ids are set, logprobs must equal its length.")


@dataclasses.dataclass
class Logprob:
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


@dataclasses.dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str | None = None


@dataclasses.dataclass
class RequestOutput:
    request_id: str
    prompt_token_ids: list[int]
    prompt_logprobs: list[dict[int, Logprob] | None] | None
    outputs: list[CompletionOutput]
    finished: bool


class EngineDeadError(Exception):
    pass


@dataclasses.dataclass
class _Running:
    tokens: list[int]
    params: SamplingParams
    random: torch.Generator
    written: list[int] = dataclasses.field(default_factory=list)


class LLMEngine:
    def __init__(self, settings: dict[str, Any]):
        self.settings = settings
        self.network: Any = transformers.AutoModelForCausalLM.from_pretrained(
            settings["model"], dtype=settings["dtype"]
        )
        window = self.network.config.max_position_embeddings
        asked = settings.get("max_model_len") or window
        if asked > window:
            raise ValueError(f"User-specified max_model_len ({asked}) is greater than the derived max_model_len.")
        self.model_config = types.SimpleNamespace(dtype=self.network.dtype, max_model_len=asked)
        self.renderer = types.SimpleNamespace(render_cmpl=lambda prompts: [{"type": "token", **one} for one in prompts])
        self.engine_core = types.SimpleNamespace(
            shutdown=self._shutdown,
            outputs_queue=queue.Queue(),
            resources=types.SimpleNamespace(engine_dead=False),
        )
        self.running: dict[str, _Running] = {}
        self.aborted: list[str] = []
        self.steps = 0
        self.dies_at: int | None = None
        self.read = 0
        """Tokens of prompts that the network has read."""
        self.cached: set[tuple[int, ...]] = set()

    def add_request(self, request_id: str, prompt: dict[str, Any], params: SamplingParams) -> str:
        assert prompt["type"] == "token", "vLLM wants what its renderer gives"
        tokens = prompt["prompt_token_ids"]
        if len(tokens) >= self.model_config.max_model_len:
            raise ValueError(f"The decoder prompt (length {len(tokens)}) is longer than the maximum model length.")
        if params.logprob_token_ids is not None and len(params.logprob_token_ids) > 128:
            raise ValueError("Requested logprob_token_ids of a length greater than max allowed: 128")
        if params.n > 1 or params.detokenize:
            raise ValueError("this stand-in cannot do that")
        assert request_id not in self.running
        random = torch.Generator().manual_seed(0 if params.seed is None else params.seed)
        self.running[request_id] = _Running(tokens, params, random)
        return request_id

    def abort_request(self, request_ids: list[str]) -> None:
        self.aborted += [number for number in request_ids if self.running.pop(number, None)]

    def has_unfinished_requests(self) -> bool:
        return bool(self.running)

    def step(self) -> list[RequestOutput]:
        assert self.running, "vLLM would wait for ever"
        self.steps += 1
        if self.engine_core.resources.engine_dead:  # a killed process sends nothing: vLLM waits for ever
            raise self.engine_core.outputs_queue.get()
        if self.dies_at is not None and self.steps >= self.dies_at:
            raise EngineDeadError("EngineCore encountered an issue. See stack trace (above) for the root cause.")
        return [self._advance(number) for number in list(self.running)[: self.settings.get("max_num_seqs") or 256]]

    @torch.inference_mode()
    def _advance(self, number: str) -> RequestOutput:
        running = self.running[number]
        params = running.params
        tokens = running.tokens + running.written
        logits = self.network(torch.tensor([tokens])).logits[0].float()
        table = torch.log_softmax(logits, -1)
        prompt = None
        if not running.written:
            self._count(running.tokens, params.prompt_logprobs is not None)
        if params.prompt_logprobs is not None:
            prompt = [None, *(_entry(table[place - 1], tokens[place]) for place in range(1, len(running.tokens)))]
        token = self._choose(logits[-1].clone(), running)
        running.written.append(token)
        logprobs = None
        if params.logprob_token_ids is not None:
            logprobs = [_entry(table[-1], *params.logprob_token_ids, token)]
        reason = "length" if len(running.written) >= (params.max_tokens or 16) else None
        if token in (params.stop_token_ids or ()):
            reason = "stop"
        if reason:
            del self.running[number]
        new = [token] if params.output_kind is RequestOutputKind.DELTA else list(running.written)
        output = CompletionOutput(0, "", new, logprobs, reason)
        return RequestOutput(number, running.tokens, prompt, [output], reason is not None)

    def _count(self, tokens: list[int], skips_cache: bool) -> None:
        heads = [tuple(tokens[:stop]) for stop in range(BLOCK, len(tokens), BLOCK)]
        known = 0 if skips_cache else sum(head in self.cached for head in heads)
        self.read += len(tokens) - known * BLOCK
        self.cached.update(heads)

    def _choose(self, logits: torch.Tensor, running: _Running) -> int:
        params = running.params
        seen = torch.tensor(sorted({*running.tokens, *running.written}))
        scores = logits[seen]
        logits[seen] = torch.where(scores < 0, scores * params.repetition_penalty, scores / params.repetition_penalty)
        if params.temperature == 0:
            return int(logits.argmax())
        logits /= params.temperature
        if params.top_k:
            logits[logits < logits.topk(params.top_k).values[-1]] = -torch.inf
        values, order = logits.softmax(-1).sort(descending=True)
        values[(values.cumsum(0) - values) >= params.top_p] = 0
        return int(order[torch.multinomial(values, 1, generator=running.random)])

    def _shutdown(self) -> None:
        self.running.clear()
        self.network = None


def _entry(table: torch.Tensor, *tokens: int) -> dict[int, Logprob]:
    return {token: Logprob(float(table[token]), int((table > table[token]).sum()) + 1) for token in tokens}


class LLM:
    made: LLM | None = None
    """The one that was made last."""
    refuses: Exception | None = None

    def __init__(self, **settings: Any):
        if LLM.refuses is not None:
            raise LLM.refuses
        self.llm_engine = LLMEngine(settings)
        LLM.made = self


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in in the place of vLLM."""
    module, params = types.ModuleType("vllm"), types.ModuleType("vllm.sampling_params")
    module.__spec__ = importlib.machinery.ModuleSpec("vllm", None)
    for name, value in {"LLM": LLM, "SamplingParams": SamplingParams, "__version__": "0.32.0"}.items():
        setattr(module, name, value)
    params.SamplingParams, params.RequestOutputKind = SamplingParams, RequestOutputKind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", params)
    monkeypatch.setattr(LLM, "refuses", None)
    monkeypatch.setattr(LLM, "made", None)
