"""What a job occupies while it runs, so that two jobs do not fight for one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmuses.models.load import parse_spec

NETWORK = "network"
"""Jobs that only wait for servers."""

SLOTS: Mapping[str, int] = {NETWORK: 4}
"""How many jobs a device takes at a time; one where nothing is said."""

_ALL_GPUS = "cuda"


def device_of(spec: str, args: Mapping[str, Any]) -> str:
    """Return the device that a model occupies: ``network``, ``cpu``, ``cuda:0``, or ``cuda`` for all GPUs.

    Raises as ``parse_spec``.
    """
    parsed = parse_spec(spec)
    if parsed.backend in ("openai", "baseline"):
        return NETWORK
    said = {**parsed.args, **args}
    wished = said.get("device_map")
    if wished is None and any(str(said.get(several, 1)) != "1" for several in ("replicas", "tensor_parallel_size")):
        wished = "auto"
    if wished is None:
        return "cuda:0" if _has_gpu() else "cpu"
    if wished in ("cpu", "mps") or str(wished).startswith("cuda:"):
        return str(wished)
    return _ALL_GPUS if _has_gpu() else "cpu"


def devices_of(devices: list[str]) -> str:
    """Return the one device that stands for several models of one job: the one that leaves least to others."""
    local = {device for device in devices if device != NETWORK}
    if len(local) > 1:
        return _ALL_GPUS if any(device.startswith("cuda") for device in local) else "cpu"
    return next(iter(local), NETWORK)


def overlap(one: str, other: str) -> bool:
    """Return whether two devices are the same, or one of them holds the other."""
    return one == other or (_ALL_GPUS in (one, other) and one.startswith("cuda") and other.startswith("cuda"))


def _has_gpu() -> bool:
    """Whether there is an NVIDIA GPU; torch, which knows better, takes seconds to import."""
    return Path("/dev/nvidia0").exists()
