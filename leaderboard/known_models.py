"""What is known of a model beside its figures: who made it, under which licence, how large it is, whether it chats.

models.yaml says it by a model's name or SPEC; what it leaves open is taken from the run and from the id on a hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from llmuses.settings import ModelEntry, model_entries


class Known(NamedTuple):
    """``size`` is billions of parameters, ``kind`` is ``chat`` or ``base``; ``None`` where nobody says."""

    organisation: str | None = None
    licence: str | None = None
    size: float | None = None
    kind: str | None = None


class Models:
    """The models of models.yaml, found by whatever a run or a battle calls them."""

    def __init__(self, entries: Mapping[str, ModelEntry] | None = None):
        self._entries: dict[str, ModelEntry] = {}
        for name, entry in (model_entries() if entries is None else entries).items():
            for called in (*_names(entry.model), *_names(name)):  # the entry's own name last: it wins
                self._entries[called] = entry

    def known(self, name: str, spec: str = "", details: Mapping[str, Any] | None = None) -> Known:
        """Return what is known of a model: by models.yaml first, then by what its run found out, then by its id."""
        found = next(
            (self._entries[called] for called in (*_names(name), *_names(spec)) if called in self._entries), None
        )
        said = details or {}
        return Known(
            organisation=(found and found.organisation) or _owner(spec or name),
            licence=found.licence if found else None,
            size=found.parameters if found and found.parameters is not None else _counted(said),
            kind=(found and found.kind) or _kind(said, spec),
        )


def _names(spec: str) -> Iterable[str]:
    """Yield what a model may be called: its SPEC, without the backend, and the last part of a hub's id; in small letters."""
    whole = spec.lower()
    bare = whole.partition(":")[2] or whole
    return dict.fromkeys(name for name in (whole, bare, bare.rpartition("/")[2]) if name)


def _owner(spec: str) -> str | None:
    """Return the owner in a hub's id such as ``Qwen/Qwen3-8B``; a path or a bare name has none."""
    bare = spec.partition(":")[2] or spec
    owner, slash, name = bare.partition("/")
    return owner if slash and owner and name and "/" not in name and not owner.startswith((".", "~")) else None


def _counted(details: Mapping[str, Any]) -> float | None:
    counted = details.get("parameters")
    return counted / 1e9 if isinstance(counted, int | float) and counted > 0 else None


def _kind(details: Mapping[str, Any], spec: str) -> str | None:
    template = details.get("chat_template")
    if isinstance(template, bool):
        return "chat" if template else "base"
    return "chat" if spec.startswith("openai:") else None
