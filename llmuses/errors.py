"""Every error that a user may see, as one tree.

Each class says in its docstring when it is raised; its message is one line that names what is wrong and what to
do. The command line prints that line and exits with ``exit_code``; ``--debug`` adds the traceback.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class LlmusesError(Exception):
    """Root of the tree. The command could not be understood or started; nothing was written."""

    exit_code = 2


class UsageError(LlmusesError):
    """The command, a configuration file or an argument says something that cannot be meant."""


class UnknownNameError(UsageError):
    """A name (dataset, backend, model argument, ...) that does not exist; the nearest one is suggested."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        names = sorted(known)
        near = " or ".join(f"'{known}'" for known in _nearest(name, names))
        hint = f"did you mean {near}?" if near else f"known: {', '.join(names)}."
        super().__init__(f"unknown {kind} '{name}': {hint}")
        self.name = name


def _nearest(name: str, names: list[str]) -> list[str]:
    """Return the nearest known name, and a second one where it is as near as that."""
    near = difflib.get_close_matches(name.lower(), names, n=2, cutoff=0.5)
    ratios = [difflib.SequenceMatcher(None, name.lower(), known).ratio() for known in near]
    return near if len(near) == 2 and ratios[0] - ratios[1] < 0.15 else near[:1]


_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text", "array": "a list"}


def in_words(problem: Exception) -> str:
    """Return what a typed reader (msgspec) found wrong with a setting, in a user's words."""
    said = str(problem)
    what, _, where = said.partition(" - at `")
    name = where.rstrip("`").removeprefix("$").lstrip(".").replace("[...]", "")
    if match := re.match(r"Expected `([^`]+)`", what):
        kinds = [_KINDS.get(kind.strip(), kind.strip()) for kind in match[1].split("|") if kind.strip() != "null"]
        what = f"must be {' or '.join(kinds)}"
    elif match := re.match(r"Invalid (?:enum|literal) value (.*)", what):
        what = f"cannot be {match[1]}"
    return f"{name} {what}" if name else what[:1].lower() + what[1:]


class DataError(LlmusesError):
    """Rows of a benchmark are missing or cannot be read."""


class LayoutError(DataError):
    """A folder or file does not have a layout that the benchmark knows; the expected files are named."""

    def __init__(self, dataset: str, path: object, expected: Iterable[str]):
        super().__init__(f"{dataset}: no rows found in {path}; expected {' or '.join(expected)}.")


class EmptySubsetError(DataError):
    """A subset that was asked for holds no row."""


class HubError(DataError):
    """A hub (ModelScope, Hugging Face) could not be reached or does not hold what was asked for."""


class ModelError(LlmusesError):
    """A model cannot be loaded or asked."""


class MissingKeyError(ModelError):
    """The environment variable that should hold an API key is not set."""


class UnreachableError(ModelError):
    """A model's server does not answer, or answers that this key or this model is not known there."""


class RemoteCodeError(ModelError):
    """A checkpoint needs code of its own, which is not allowed to run unless asked for."""


class MissingDependencyError(LlmusesError):
    """A feature needs a package that is not installed."""

    def __init__(self, feature: str, package: str, extra: str | None = None):
        install = f"pip install 'llmuses[{extra}]'" if extra else f"pip install {package}"
        super().__init__(f"{feature} needs the package '{package}': {install}")


class SandboxError(LlmusesError):
    """The sandbox could not run a program for a reason that is not the program's."""


class SandboxUnavailableError(SandboxError):
    """Nothing on this machine isolates a program that a model wrote; the line says what would."""


class StoreError(LlmusesError):
    """A store cannot be written or read."""


class NewerFormatError(StoreError):
    """A store was written by a newer llmuses, in a form that this one does not know."""

    def __init__(self, what: object, found: int, known: int):
        super().__init__(f"{what} is of a newer llmuses (form {found}, this one knows {known}): update llmuses.")


class BackupError(LlmusesError):
    """A backup is damaged, or is not one."""


class RunLockedError(StoreError):
    """Another process works in this run folder."""


class CutShortError(LlmusesError):
    """A run met an error in its middle: what was answered is on disk, the same command goes on from there."""

    exit_code = 1


class Interrupted(CutShortError):
    """Ctrl-C or SIGTERM ended a run in its middle."""
