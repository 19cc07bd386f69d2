"""The ``vllm`` backend: a checkpoint folder, or an id on ModelScope or Hugging Face, in an engine of vLLM.

Nothing heavy is imported before a model is loaded.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from llmuses.errors import MissingDependencyError, ModelError, UsageError
from llmuses.hub import Hub
from llmuses.models.transformers.checkpoint import fetch_small_files, fetch_weights, fingerprint, refuse_foreign_code
from llmuses.models.transformers.loading import (
    Thinking,
    conversation,
    first_line,
    load_tokenizer,
    longest_read,
    precision_named,
)
from llmuses.records import Mode
from llmuses.settings import stay_quiet

if TYPE_CHECKING:
    from llmuses.models.vllm.model import VllmModel

PREFERS = Mode.LOGPROB
"""Log-probabilities cost one pass through the network, a written answer one for every token."""


class Args(msgspec.Struct, kw_only=True, frozen=True):
    """Arguments of the backend, as typed in ``--model-args``.

    ``revision``, ``hub``, ``chat_template``, ``thinking``, ``trust_remote_code`` and ``max_length`` mean what they mean
    for the transformers backend. ``precision`` is float32, float16, bfloat16 or auto, by default auto: the
    checkpoint's own. The others are vLLM's own names: ``tensor_parallel_size`` spreads the model over so many GPUs;
    ``gpu_memory_utilization`` is the share of a GPU's memory that is taken; ``max_num_seqs`` is how many sequences are
    worked on at once; ``quantization`` quantises weights while they are loaded (fp8, bitsandbytes), checkpoints that
    are quantised need nothing; ``enforce_eager`` leaves compilation out, for a quick start.
    """

    revision: str | None = None
    precision: str | None = None
    hub: Hub = Hub.MODELSCOPE
    chat_template: Literal["auto", "none"] = "auto"
    thinking: Thinking = "auto"
    trust_remote_code: bool = False
    max_length: Annotated[int, Meta(ge=1)] | None = None
    tensor_parallel_size: Annotated[int, Meta(ge=1)] = 1
    gpu_memory_utilization: Annotated[float, Meta(gt=0, le=1)] | None = None
    max_num_seqs: Annotated[int, Meta(ge=1)] | None = None
    quantization: str | None = None
    enforce_eager: bool = False


def check(name: str, args: Args) -> None:
    """Raise what ``load`` would raise of all that can be known without vLLM and without the weights."""
    if importlib.util.find_spec("vllm") is None:
        raise MissingDependencyError("the backend vllm", "vllm", "vllm")
    if args.precision is not None:
        precision_named(args.precision)
    path = fetch_small_files(name, args.hub, args.revision, args.trust_remote_code)
    if path.is_file():
        raise UsageError(f"'{name}' is a GGUF file, which vLLM does not read well: leave 'vllm:' out.")
    if not args.trust_remote_code:
        refuse_foreign_code(name, path)


def load(name: str, args: Args) -> VllmModel:
    """Return a model ready to be asked.

    Raises MissingDependencyError without vLLM, UsageError for an argument that cannot be meant, HubError where its
    files cannot be had, RemoteCodeError where it would need code of its own, ModelError where it cannot be loaded.
    """
    check(name, args)
    stay_quiet()
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    path = fetch_small_files(name, args.hub, args.revision, args.trust_remote_code)
    tokenizer = load_tokenizer(name, path, args.trust_remote_code)
    folder = fetch_weights(name, args.hub, args.revision, args.trust_remote_code, path)
    return _assemble(name, folder, args, tokenizer)


class _Shape(NamedTuple):
    """What a checkpoint's configuration says: its kind, its own precision, and how many tokens it can read."""

    kind: str
    precision: str
    window: int | None


def _assemble(name: str, folder: Path, args: Args, tokenizer: Any) -> VllmModel:
    from llmuses.models.vllm.engine import Engine
    from llmuses.models.vllm.model import VllmModel

    template, reads = conversation(name, tokenizer, args.chat_template, args.thinking)
    shape = _shape(name, folder, args, tokenizer)
    if args.max_length and shape.window and args.max_length > shape.window:
        raise UsageError(f"max_length={args.max_length} is more than the {shape.window} tokens that '{name}' can read.")
    asked = precision_named(args.precision) if args.precision else "auto"
    # vLLM's own "auto" makes float16 of float32: what is computed in is said here, and never changed unasked.
    llm = _engine(name, folder, args, shape.precision if asked == "auto" else asked, shape.window)
    config = llm.llm_engine.model_config
    precision = str(config.dtype).removeprefix("torch.")
    content = fingerprint(folder)
    # The engine wants room for the one token that it must generate: one less than its window can be read.
    max_length = int(config.max_model_len) - 1
    identity = [f"vllm:{content}", precision, *reads]
    if args.quantization:
        identity.append(f"quantization={args.quantization}")
    if args.max_length and args.max_length == max_length:
        identity.append(f"max_length={max_length}")
    return VllmModel(
        Engine(llm, name),
        tokenizer,
        _generation_settings(folder),
        name=Path(name).name or folder.resolve().name,
        identity=";".join(identity),
        details=_details(name, args, content, precision, max_length, shape.kind, template is not None),
        template=template,
        max_length=max_length,
    )


def _details(
    name: str, args: Args, content: str, precision: str, max_length: int, kind: str, template: bool
) -> dict[str, Any]:
    import torch
    import transformers
    import vllm

    return {
        "source": name,
        "hub": None if Path(name).expanduser().exists() else args.hub.value,
        "revision": args.revision,
        "fingerprint": content,
        "architecture": kind,
        "precision": precision,
        "quantization": args.quantization,
        "tensor_parallel_size": args.tensor_parallel_size,
        "max_length": max_length,
        "chat_template": template,
        "vllm": vllm.__version__,
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
    }


def _shape(name: str, folder: Path, args: Args, tokenizer: Any) -> _Shape:
    import transformers

    try:
        config: Any = transformers.AutoConfig.from_pretrained(
            folder, trust_remote_code=args.trust_remote_code, local_files_only=True
        )
    except Exception as problem:  # whatever a broken file makes the library raise ends in one line
        raise ModelError(f"'{name}' cannot be loaded: {first_line(problem)}") from problem
    own = getattr(config.get_text_config(), "dtype", None) or getattr(config, "dtype", None)
    precision = "auto" if own is None else str(own).removeprefix("torch.")
    return _Shape(config.model_type, precision, longest_read(config, tokenizer))


def _generation_settings(folder: Path) -> Any:
    """Return the checkpoint's generation settings, those of its configuration where it has no file of them."""
    import transformers

    settings: Any = transformers.GenerationConfig
    try:
        return settings.from_pretrained(folder, local_files_only=True)
    except OSError:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        return settings.from_model_config(config)


def _engine(name: str, folder: Path, args: Args, precision: str, window: int | None) -> Any:
    """Return an ``LLM`` of vLLM. Raises ModelError where vLLM cannot make one, with what it says of the reason."""
    import vllm

    from llmuses.models.vllm.scoring import MOST_TARGETS

    if not hasattr(vllm.SamplingParams(), "logprob_token_ids"):
        raise ModelError(f"vLLM {vllm.__version__} cannot score given tokens: pip install -U 'llmuses[vllm]'")
    limits = {
        "gpu_memory_utilization": args.gpu_memory_utilization,
        "max_num_seqs": args.max_num_seqs,
        "quantization": args.quantization,
        "max_model_len": args.max_length and min(args.max_length + 1, window or sys.maxsize),
    }
    try:
        return vllm.LLM(
            model=str(folder),
            trust_remote_code=args.trust_remote_code,
            dtype=precision,
            tensor_parallel_size=args.tensor_parallel_size,
            enforce_eager=args.enforce_eager,
            enable_prefix_caching=True,
            generation_config="vllm",
            max_logprobs=MOST_TARGETS,
            **{setting: value for setting, value in limits.items() if value is not None},
        )
    except Exception as problem:  # whatever vLLM raises ends in one line
        raise _cannot_load(name, problem) from problem


def _cannot_load(name: str, problem: Exception) -> ModelError:
    said = str(problem).lower()
    ways = "max_length=N, tensor_parallel_size=N, quantization=fp8 or another gpu_memory_utilization"
    if "out of memory" in said or "kv cache" in said or "cache blocks" in said or "free memory" in said:
        return ModelError(f"'{name}' does not fit into memory: choose {ways} ({first_line(problem)}).")
    # Where the engine is a process of its own, only what it printed says why.
    hint = f" Where memory is what lacks, choose {ways}." if "initialization failed" in said else ""
    return ModelError(f"vLLM cannot load '{name}': {first_line(problem)}{hint}")
