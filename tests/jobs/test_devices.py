"""What a job occupies, and which two jobs are in each other's way."""

from __future__ import annotations

import pytest

from llmuses.jobs import devices
from llmuses.jobs.devices import device_of, devices_of, overlap


@pytest.mark.parametrize(
    ("spec", "args", "gpu", "device"),
    [
        ("openai:gpt-5", {}, True, "network"),
        ("baseline:random", {}, True, "network"),
        ("/models/qwen", {}, False, "cpu"),
        ("/models/qwen", {}, True, "cuda:0"),
        ("/models/qwen", {"device_map": "cpu"}, True, "cpu"),
        ("/models/qwen", {"device_map": "cuda:3"}, True, "cuda:3"),
        ("/models/qwen", {"device_map": "auto"}, True, "cuda"),
        ("/models/qwen", {"device_map": "auto"}, False, "cpu"),
        ("/models/qwen", {"replicas": "2"}, True, "cuda"),
        ("/models/qwen", {"replicas": 2, "device_map": "cuda:1"}, True, "cuda:1"),
        ("/models/qwen", {"replicas": 2}, False, "cpu"),
        ("vllm:/models/qwen", {}, True, "cuda:0"),
        ("vllm:/models/qwen", {"tensor_parallel_size": 4}, True, "cuda"),
    ],
)
def test_the_device_follows_from_backend_and_arguments(
    spec: str, args: dict[str, str], gpu: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_has_gpu", lambda: gpu)
    assert device_of(spec, args) == device


@pytest.mark.parametrize(
    ("several", "one"),
    [
        (["network"], "network"),
        (["network", "cpu"], "cpu"),
        (["cuda:1", "network"], "cuda:1"),
        (["cuda:0", "cuda:1"], "cuda"),
        ([], "network"),
    ],
)
def test_several_models_occupy_what_leaves_least_to_others(several: list[str], one: str) -> None:
    assert devices_of(several) == one


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("cpu", "cpu", True),
        ("cpu", "network", False),
        ("cuda:0", "cuda:1", False),
        ("cuda:0", "cuda", True),
        ("cuda", "cpu", False),
    ],
)
def test_which_devices_are_in_each_others_way(one: str, other: str, meet: bool) -> None:
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet
