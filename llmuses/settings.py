"""What the surroundings say: environment variables, folders, models.yaml.

=======================  ========================================================================
LLMUSES_OUTPUTS          where runs are kept (default ``outputs`` in the current folder)
LLMUSES_WORK_DIR         downloads, converted checkpoints, shared answers (``~/.cache/llmuses``)
LLMUSES_MODELS           a models.yaml of one's own, read beside the shipped one (``models.yaml`` beside the runs)
LLMUSES_LANG             language of a run's report: ``en`` or ``zh`` (default: the locale's)
LLMUSES_FRAME_ANCESTORS  who may show the app in a frame, as a Content-Security-Policy says it
LLMUSES_ARENA            the folder of the live arena's battles and votes (``OUTPUTS/arena-live``)
LLMUSES_ARENA_CONFIG     a file of rules for the live arena, over registry/config/live.yaml
LLMUSES_READ_ONLY        1: the app only shows what is there; nobody votes, and there is no admin room
LLMUSES_NO_DEMO          1: a folder without runs is not given a first evaluation
LLMUSES_ROOT_PATH        the path below which a proxy shows the app: ``/llmuses`` (also GRADIO_ROOT_PATH)
LLMUSES_PROXIES          networks of proxies whose X-Forwarded-For is believed, beside those of the rules
LLMUSES_BACKUP           where the server keeps a copy of it all: ``hf:OWNER/NAME`` or ``ms:OWNER/NAME``
=======================  ========================================================================
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from llmuses.errors import DataError, UsageError
from llmuses.yaml_files import parse_yaml

PACKAGE = Path(__file__).parent
REGISTRY = PACKAGE / "registry"


def outputs_dir() -> Path:
    """Return the folder of all runs."""
    return Path(os.environ.get("LLMUSES_OUTPUTS") or "outputs")


def arena_dir(outputs: Path) -> Path:
    """Return the folder of the live arena."""
    return Path(os.environ.get("LLMUSES_ARENA") or outputs / "arena-live").expanduser()


def work_dir() -> Path:
    """Return the folder for downloads, converted checkpoints and shared answers."""
    return Path(os.environ.get("LLMUSES_WORK_DIR") or "~/.cache/llmuses").expanduser()


def read_only() -> bool:
    """Return whether the app only shows what is there (LLMUSES_READ_ONLY): no votes, no admin room, no demo."""
    return _is_on("LLMUSES_READ_ONLY")


def no_demo() -> bool:
    """Return whether a folder without runs is left as it is (LLMUSES_NO_DEMO), and not given a first evaluation."""
    return _is_on("LLMUSES_NO_DEMO")


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no")


def root_path() -> str:
    """Return the path below which the world sees the app, ``/llmuses``; "" where it is at the top. Raises UsageError."""
    said = os.environ.get("LLMUSES_ROOT_PATH") or os.environ.get("GRADIO_ROOT_PATH") or ""
    path = (urlsplit(said).path if "://" in said else said).strip("/")
    if not re.fullmatch(r"[\w.~/-]*", path, re.ASCII) or ".." in path or "//" in path:
        raise UsageError(f"LLMUSES_ROOT_PATH: '{said}' is not a path such as /llmuses.")
    return f"/{path}" if path else ""


def trusted_proxies() -> tuple[str, ...]:
    """Return the networks of LLMUSES_PROXIES. Raises UsageError."""
    networks = tuple(os.environ.get("LLMUSES_PROXIES", "").replace(",", " ").split())
    for network in networks:
        try:
            ip_network(network)
        except ValueError as problem:
            raise UsageError(f"LLMUSES_PROXIES: {problem}; write 127.0.0.1 or 10.0.0.0/8.") from problem
    return networks


def jobs_dir(outputs: Path) -> Path:
    """Return the folder of the jobs that work for a folder of runs."""
    return outputs / "jobs"


JOB = "LLMUSES_JOB"
"""Where a process that works for a job finds the job's id."""


def job_id() -> str:
    """Return the id of the job that this process works for, "" where a person started it."""
    return os.environ.get(JOB, "")


def static_dir() -> Path:
    """Return the folder of stylesheets, scripts and drawings: inside an installed package, beside it in a checkout.

    Raises DataError where the installation lacks it.
    """
    for place in (PACKAGE / "static", PACKAGE.parent / "static"):
        if (place / "tokens.css").is_file():
            return place
    raise DataError(f"the stylesheets are missing beside {PACKAGE}; install llmuses again.")


def stay_quiet() -> None:
    """Turn off what libraries would send or look up by themselves. Set values are left as they are."""
    for name, value in {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }.items():
        os.environ.setdefault(name, value)


class ArenaGeneration(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Generation settings that a model has in the arena whatever a visitor chose; ``None`` leaves one to the visitor."""

    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=1)] | None = None
    repetition_penalty: Annotated[float, Meta(gt=0)] | None = None
    seed: int | None = None


class ArenaEntry(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What makes a model of models.yaml play in the arena."""

    weight: Annotated[float, Meta(ge=0)] = 1.0
    """How often it is drawn for blind battles, beside the others; 0 for never, only where it is chosen."""
    tags: tuple[str, ...] = ()
    """What it can: ``vision`` reads images."""
    generation: ArenaGeneration = ArenaGeneration()
    budget: Annotated[float, Meta(gt=0)] | None = None
    """Money that it may cost a day (UTC), in the entry's currency by its ``price``; then it sits out until the next one."""


class ModelEntry(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One model of models.yaml: a SPEC, its arguments, and what is known of it."""

    model: str
    args: dict[str, Any] = {}
    organisation: str | None = None
    licence: str | None = None
    parameters: float | None = None
    """In billions."""
    homepage: str | None = None
    price: tuple[float, float] | None = None
    """Money for a million prompt tokens and a million completion tokens."""
    currency: str = "USD"
    kind: Literal["chat", "base"] | None = None
    """Whether it was trained to answer people, or only to go on with a text."""
    arena: ArenaEntry | None = None
    """How it plays in the arena; without it, it does not."""

    def __post_init__(self) -> None:
        if self.arena is not None and self.arena.budget is not None and self.price is None:
            raise ValueError("a budget needs a price")


def own_models_file() -> Path:
    """Return where the user's own models.yaml is, or would be: LLMUSES_MODELS, else beside the runs."""
    named = os.environ.get("LLMUSES_MODELS")
    return Path(named).expanduser() if named else outputs_dir() / "models.yaml"


def model_entries() -> dict[str, ModelEntry]:
    """Return the models of the shipped models.yaml and of the user's own, which wins. Raises UsageError."""
    return {**_read_models(REGISTRY / "config" / "models.yaml"), **own_models()}


def arena_entries() -> dict[str, ModelEntry]:
    """Return the models that play in the arena: those of the user's own file where it has any, else the shipped ones.

    Raises UsageError.
    """
    playing = {name: entry for name, entry in own_models().items() if entry.arena}
    return playing or {name: entry for name, entry in model_entries().items() if entry.arena}


def own_models() -> dict[str, ModelEntry]:
    """Return the models of the user's own file. One that is named must be there, one beside the runs may be missing.

    Raises UsageError.
    """
    path = own_models_file()
    return _read_models(path) if os.environ.get("LLMUSES_MODELS") or path.exists() else {}


def _read_models(path: Path) -> dict[str, ModelEntry]:
    try:
        status = path.stat()
        return _models_as_of(path, status.st_mtime_ns, status.st_size)
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from problem


@lru_cache(maxsize=8)
def _models_as_of(path: Path, changed: int, size: int) -> dict[str, ModelEntry]:
    """Return what a file holds in one state of it: it may be written while the app runs."""
    try:
        return parse_models(path.read_bytes())
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from problem


def parse_models(text: str | bytes) -> dict[str, ModelEntry]:
    """Return the models that the text of a models.yaml names. Raises UsageError, in one line that names the entry."""
    at = ""
    entries: dict[str, ModelEntry] = {}
    try:
        for name, entry in msgspec.convert(parse_yaml(text) or {}, dict[str, Any]).items():
            at = f"{name}: "
            entries[name] = msgspec.convert(entry, ModelEntry)
    except msgspec.ValidationError as problem:
        raise UsageError(at + " ".join(str(problem).split())) from problem
    return entries
