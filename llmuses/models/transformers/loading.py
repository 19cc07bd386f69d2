"""The ``transformers`` backend: a checkpoint folder, a GGUF file, or an id on ModelScope or Hugging Face.

Nothing heavy is imported before a model is loaded.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from llmuses.errors import MissingDependencyError, ModelError, UnknownNameError, UsageError
from llmuses.hub import Hub
from llmuses.models.transformers.checkpoint import (
    fetch_small_files,
    fetch_weights,
    fingerprint,
    needs_own_code,
    refuse_foreign_code,
)
from llmuses.models.transformers.gguf import CONVERSION, converted
from llmuses.records import Mode
from llmuses.settings import stay_quiet

if TYPE_CHECKING:
    from llmuses.models.transformers.causal_lm import CausalLM
    from llmuses.models.transformers.chat_template import ChatTemplate
    from llmuses.models.transformers.replicas import Replicas

PREFERS = Mode.LOGPROB
"""Log-probabilities cost one pass through the network, a written answer one for every token."""

_PRECISIONS = {
    "auto": "auto",
    "bf16": "bfloat16",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "float32": "float32",
    "fp16": "float16",
    "fp32": "float32",
    "half": "float16",
}
_SPREADS = ("auto", "balanced", "balanced_low_0", "sequential")

Thinking = Literal["auto", "on", "off"] | bool


class Args(msgspec.Struct, kw_only=True, frozen=True):
    """Arguments of the backend, as typed in ``--model-args``.

    ``revision`` is a branch, tag or commit of the hub. ``precision`` is float32, float16, bfloat16 (``torch.`` may
    stand before it) or auto, the checkpoint's own; by default float32 on a CPU and auto on a GPU. ``device_map`` is a
    device (cpu, cuda, cuda:1, mps) or auto, which spreads the model over all GPUs; by default the first GPU, else the
    CPU. ``chat_template=none`` reads conversations as plain text, as base models want it. ``thinking`` is on or off
    where the chat template has a switch for it; auto leaves it to the template. ``batch_size`` is the most rows of a
    batch; by default a batch is bounded by its tokens. ``batch_tokens`` is the most tokens that one pass of scoring
    reads; by default as many as are fastest, found by trying. ``threads`` are those of PyTorch on the CPU.
    ``max_length`` rejects what is longer (in tokens) than this, instead of than the model's window. ``replicas`` is how
    many copies of the model answer, each in a process of its own: one after the other on each GPU, else on the CPU, or
    all on the device that ``device_map`` names.
    """

    revision: str | None = None
    precision: str | None = None
    device_map: str | None = None
    hub: Hub = Hub.MODELSCOPE
    chat_template: Literal["auto", "none"] = "auto"
    thinking: Thinking = "auto"
    trust_remote_code: bool = False
    batch_size: int | None = None
    batch_tokens: int | None = None
    threads: int | None = None
    max_length: int | None = None
    replicas: int = 1


def check(name: str, args: Args) -> None:
    """Raise what ``load`` would raise of all that can be known without torch and without the weights."""
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError("running a model on this machine", package, "local")
    _check_args(args)
    path = fetch_small_files(name, args.hub, args.revision, args.trust_remote_code)
    if path.is_dir() and not args.trust_remote_code:
        refuse_foreign_code(name, path)


def load(name: str, args: Args) -> CausalLM | Replicas:
    """Return a model ready to be asked.

    Raises MissingDependencyError without torch and transformers, UsageError for an argument that cannot be meant,
    HubError where its files cannot be had, RemoteCodeError where it would need code of its own, ModelError where it
    cannot be loaded.
    """
    check(name, args)
    stay_quiet()
    _quieten_transformers()
    if args.replicas > 1:
        return _load_replicas(name, args)
    import torch

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    path = fetch_small_files(name, args.hub, args.revision, args.trust_remote_code)
    if path.is_file():
        content = f"{fingerprint(path)}-{CONVERSION}"
        folder = converted(path)
        tokenizer = load_tokenizer(name, folder, args.trust_remote_code)
    else:
        tokenizer = load_tokenizer(name, path, args.trust_remote_code)
        folder = fetch_weights(name, args.hub, args.revision, args.trust_remote_code, path)
        content = fingerprint(folder)
    network = _load_network(name, folder, args)
    return _assemble(name, path, args, content, network, tokenizer)


def _load_replicas(name: str, args: Args) -> Replicas:
    import torch

    from llmuses.models.transformers.replicas import Replicas

    path = fetch_small_files(name, args.hub, args.revision, args.trust_remote_code)
    if path.is_file():
        converted(path)
    else:  # fetched once, not by every copy
        fetch_weights(name, args.hub, args.revision, args.trust_remote_code, path)
    gpus = torch.cuda.device_count()
    first = [f"cuda:{number}" for number in range(gpus)] or ["cpu"]
    places = [args.device_map or first[number % len(first)] for number in range(args.replicas)]
    threads = args.threads
    if threads is None and places[0] == "cpu":
        threads = max(1, torch.get_num_threads() // args.replicas)
    own = [msgspec.structs.replace(args, replicas=1, device_map=place, threads=threads) for place in places]
    return Replicas(__name__, name, own, places)


def _check_args(args: Args) -> None:
    if args.precision is not None:
        precision_named(args.precision)
    for field in ("batch_size", "batch_tokens", "threads", "max_length", "replicas"):
        value = getattr(args, field)
        if value is not None and value < 1:
            raise UsageError(f"model argument {field} is {value}: it must be at least 1.")
    if args.replicas > 1 and args.device_map in _SPREADS:
        raise UsageError(
            f"replicas={args.replicas} puts a whole copy on a device, device_map={args.device_map} spreads one over all: "
            f"leave one of them out."
        )


def precision_named(typed: str) -> str:
    """Return a precision as PyTorch calls it, or auto. Raises UnknownNameError."""
    plain = typed.lower().removeprefix("torch.")
    if plain not in _PRECISIONS:
        raise UnknownNameError("precision", typed, _PRECISIONS)
    return _PRECISIONS[plain]


def _quieten_transformers() -> None:
    """Warnings of transformers speak to those who call it; what matters of them is checked and raised here."""
    import transformers

    shown: Any = transformers.utils.logging
    shown.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)


def _device(device_map: str | None) -> str:
    """Return a device as PyTorch calls it, or one of accelerate's ways to spread a model. Raises UsageError."""
    import torch

    if device_map is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device_map in _SPREADS:
        if importlib.util.find_spec("accelerate") is None:
            raise MissingDependencyError(f"device_map={device_map}", "accelerate", "local")
        return device_map
    try:
        torch.empty(0, device=device_map)
    except (RuntimeError, AssertionError, NotImplementedError) as problem:
        known = ", ".join(_SPREADS)
        raise UsageError(
            f"device_map={device_map} is no device of this machine, nor one of {known}: leave it out or use auto."
        ) from problem
    return device_map


def load_tokenizer(name: str, folder: Path, trust_remote_code: bool) -> Any:
    """Return the tokenizer of a checkpoint. Raises RemoteCodeError or ModelError."""
    import transformers

    try:
        return transformers.AutoTokenizer.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=True
        )
    except Exception as problem:  # whatever a broken file makes the library raise ends in one line
        if "trust_remote_code" in str(problem):
            raise needs_own_code(name, "its tokenizer") from problem
        raise ModelError(f"the tokenizer of '{name}' cannot be loaded: {first_line(problem)}") from problem


def _load_network(name: str, folder: Path, args: Args) -> Any:
    """Return the network. A checkpoint that lacks weights is refused: they would be random numbers."""
    import transformers

    from llmuses.models.transformers.memory import is_out_of_memory

    device = _device(args.device_map)
    precision = precision_named(args.precision) if args.precision else ("float32" if device == "cpu" else "auto")
    placed = {} if device == "cpu" else {"device_map": device if device in _SPREADS else {"": device}}
    auto: Any = transformers.AutoModelForCausalLM
    try:
        network, report = auto.from_pretrained(
            folder,
            dtype=precision,
            trust_remote_code=args.trust_remote_code,
            local_files_only=True,
            output_loading_info=True,
            **placed,
        )
    except Exception as problem:  # whatever a broken file makes the library raise ends in one line
        if is_out_of_memory(problem):
            raise ModelError(
                f"'{name}' does not fit into memory ({device}, {precision}): choose precision=bfloat16 or "
                f"device_map=auto."
            ) from problem
        raise ModelError(f"'{name}' cannot be loaded: {first_line(problem)}") from problem
    absent = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise ModelError(f"'{name}' cannot be loaded: its files lack weights of the network ({absent[0]}{more}).")
    return network


def first_line(problem: Exception) -> str:
    """Return an exception's class and the first line of what it says."""
    lines = str(problem).strip().splitlines()
    return f"{type(problem).__name__}: {lines[0] if lines else ''}".rstrip(": ")


def _assemble(name: str, path: Path, args: Args, content: str, network: Any, tokenizer: Any) -> CausalLM:
    import torch
    import transformers

    from llmuses.models.transformers.batching import Batcher, TokenBudget
    from llmuses.models.transformers.causal_lm import CausalLM
    from llmuses.models.transformers.writer import Limits

    window = longest_read(network.config, tokenizer)
    if args.max_length is not None and window is not None and args.max_length > window:
        raise UsageError(f"max_length={args.max_length} is more than the {window} tokens that '{name}' can read.")
    max_length = args.max_length or window
    template, reads = conversation(name, tokenizer, args.chat_template, args.thinking)
    precision = str(network.dtype).removeprefix("torch.")
    identity = [f"transformers:{content}", precision, *reads]
    if max_length != window:
        identity.append(f"max_length={max_length}")
    on_cpu = network.device.type == "cpu"
    rows = args.batch_size
    details = {
        "source": name,
        "hub": None if Path(name).expanduser().exists() else args.hub.value,
        "revision": args.revision,
        "fingerprint": content,
        "architecture": network.config.model_type,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "precision": precision,
        "device": str(network.device),
        "threads": torch.get_num_threads(),
        "max_length": max_length,
        "chat_template": template is not None,
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
    }
    budget = TokenBudget(
        args.batch_tokens or (2_048 if on_cpu else 16_384),
        (1 << 26) if on_cpu else (1 << 28),
        most=args.batch_tokens or (8_192 if on_cpu else 262_144),
    )
    return CausalLM(
        network,
        tokenizer,
        name=path.stem if path.is_file() and args.hub is not Hub.PACKAGE else Path(name).name or path.resolve().name,
        identity=";".join(identity),
        details=details,
        template=template,
        max_length=max_length,
        # Without a batch_size: what keeps a CPU or a GPU busy. A GPU with less memory halves it by itself.
        scoring=Batcher(rows or 512, None if rows else budget.tokens, max_length),
        budget=budget,
        writing=Limits(
            rows=rows or (64 if on_cpu else 128),
            tokens=sys.maxsize if rows else (32_768 if on_cpu else 262_144),
            reads=512 if on_cpu else 4_096,
            longest=max_length,
        ),
    )


def conversation(
    name: str, tokenizer: Any, asked: Literal["auto", "none"], thinking: Thinking
) -> tuple[ChatTemplate | None, list[str]]:
    """Return the chat template that conversations are put into, and what of it belongs to a model's identity.

    The arguments are those of the backend. Raises UsageError where thinking cannot be turned on or off.
    """
    from llmuses.models.transformers.chat_template import ChatTemplate

    switch = {"on": True, "off": False, "auto": None}.get(str(thinking), thinking is True)
    has_template = asked == "auto" and tokenizer.chat_template is not None
    template = ChatTemplate(tokenizer, switch) if has_template else None
    if switch is not None and not (template and template.switches):
        raise UsageError(f"'{name}' has no chat template that turns thinking on or off: leave thinking out.")
    identity = [f"template={template.fingerprint if template else 'none'}"]
    if switch is not None:
        identity.append(f"thinking={'on' if switch else 'off'}")
    return template, identity


def longest_read(config: Any, tokenizer: Any) -> int | None:
    """Return how many tokens a model with this configuration can read, None where nothing says so."""
    config = config.get_text_config()
    for field in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"):
        value = getattr(config, field, None)
        if isinstance(value, int) and value > 0:
            return value
    return int(tokenizer.model_max_length) if tokenizer.model_max_length < 10**9 else None
