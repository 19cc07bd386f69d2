"""From a model SPEC as people type it to a Model.

``BACKEND:NAME`` names the backend; without a prefix it is a name in models.yaml, a local directory or a hub id, which
the transformers backend loads.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

from llmuses.errors import UnknownNameError, UsageError, in_words
from llmuses.models.base import Model
from llmuses.records import Mode
from llmuses.settings import model_entries


class Backend(Protocol):
    """What a backend's module offers: its arguments, a quick look at what can be wrong, and the model itself."""

    Args: type[msgspec.Struct]
    PREFERS: Mode

    @staticmethod
    def check(name: str, args: Any) -> None: ...

    @staticmethod
    def load(name: str, args: Any) -> Model: ...


_BACKENDS = {
    "baseline": "llmuses.models.baseline",
    "openai": "llmuses.models.openai",
    "transformers": "llmuses.models.transformers",
    "vllm": "llmuses.models.vllm",
}


class ModelSpec(NamedTuple):
    """A SPEC taken apart. ``args`` are those that models.yaml adds; ``alias`` is its name there."""

    backend: str
    name: str
    args: dict[str, Any]
    alias: str | None = None


def parse_spec(spec: str) -> ModelSpec:
    """Return the parts of a SPEC. Raises UnknownNameError for a backend that does not exist."""
    entries = model_entries()
    if spec in entries:
        entry = entries[spec]
        return parse_spec(entry.model)._replace(args=entry.args, alias=spec)
    prefix, colon, name = spec.partition(":")
    if not colon or _is_path(spec):
        return ModelSpec("transformers", spec, {})
    if prefix not in _BACKENDS:
        raise UnknownNameError("backend", prefix, _BACKENDS)
    if not name:
        raise UsageError(f"model '{spec}' has no name after '{prefix}:'.")
    return ModelSpec(prefix, name, {})


def default_mode(spec: str) -> Mode:
    """Return how the model that a SPEC names is best asked multiple choice, without loading it."""
    return _backend(parse_spec(spec)).PREFERS


def _backend(parsed: ModelSpec) -> Backend:
    module: Backend = importlib.import_module(_BACKENDS[parsed.backend])  # type: ignore[assignment]
    return module


def _is_path(spec: str) -> bool:
    return spec.startswith((".", "/", "~")) or spec[1:3] in (":\\", ":/")


def load_model(spec: str, **args: Any) -> Model:
    """Return the model that a SPEC names, ready to be asked.

    Arguments may be strings as typed on a command line (``precision="torch.float16"``). Raises UnknownNameError for a
    backend or an argument that does not exist, UsageError for a value of the wrong kind, ModelError where the model
    cannot be loaded.
    """
    parsed = parse_spec(spec)
    model = _backend(parsed).load(parsed.name, typed_args(spec, args))
    if parsed.alias:
        model.name = parsed.alias
    return model


def check_model(spec: str, **args: Any) -> None:
    """Raise what loading the model would raise, as far as it can be known before its weights are fetched or read."""
    parsed = parse_spec(spec)
    _backend(parsed).check(parsed.name, typed_args(spec, args))


def typed_args(spec: str, args: Mapping[str, Any]) -> msgspec.Struct:
    """Return the arguments for the model that a SPEC names, over those of models.yaml. Raises as ``convert_args``."""
    parsed = parse_spec(spec)
    return convert_args(_backend(parsed).Args, {**parsed.args, **args}, parsed.backend)


def convert_args(kind: type[msgspec.Struct], args: dict[str, Any], backend: str) -> msgspec.Struct:
    """Return typed arguments of a backend. Raises UnknownNameError or UsageError, naming the argument."""
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    for name in args:
        if name not in known:
            raise UnknownNameError(f"model argument for {backend}", name, known)
    try:
        return msgspec.convert(args, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"model arguments for {backend}: {in_words(problem)}.") from problem


def public_args(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return model arguments without values whose name speaks of a secret: for records and pages."""
    secret = ("key", "token", "secret", "password")
    named = {"api_key_env"}
    return {n: v for n, v in args.items() if n in named or not any(word in n.lower() for word in secret)}
