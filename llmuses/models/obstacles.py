"""What stands in the way of a model, as far as it is known at once: nobody is asked, nothing is fetched or loaded."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from llmuses.errors import MissingDependencyError, UsageError
from llmuses.models.load import parse_spec, typed_args
from llmuses.settings import own_models, own_models_file

_NEEDS = {"transformers": ("local", ("torch", "transformers")), "vllm": ("vllm", ("vllm",))}
"""By backend: the extra of ours and its packages."""


def obstacle(spec: str, given: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Return why the model that a SPEC names cannot answer with the arguments ``given``, "" where nothing is known that is in
    the way."""
    try:
        parsed = parse_spec(spec)
        args = typed_args(spec, dict(given))
    except UsageError as problem:
        return str(problem)
    extra, packages = _NEEDS.get(parsed.backend, ("", ()))
    for package in packages:
        if importlib.util.find_spec(package) is None:
            return str(MissingDependencyError("running it here", package, extra))
    return _unset_key(parsed.backend, "api_key_env" in {**parsed.args, **given}, args)


def _unset_key(backend: str, named: bool, args: object) -> str:
    """Return that a variable of a key is not set: one that was named, or the usual one of a server elsewhere."""
    if backend != "openai":
        return ""
    from llmuses.models.openai.server import is_local, server_url

    variable = str(getattr(args, "api_key_env", ""))
    if os.environ.get(variable):
        return ""
    if not variable.isidentifier():
        return "api_key_env is no name of an environment variable."  # a key, perhaps: it is not repeated
    try:
        url = server_url(getattr(args, "base_url", None))
    except UsageError as problem:
        return str(problem)
    return f"{variable} is not set, and {url} is asked with the key in it." if named or not is_local(url) else ""


def own_obstacles() -> dict[str, str]:
    """Return what stands in the way of models of the user's own models.yaml, by their names, or of the file itself."""
    try:
        found = {name: obstacle(name) for name in own_models()}
    except UsageError as problem:
        return {own_models_file().name: str(problem)}
    return {name: why for name, why in found.items() if why}
