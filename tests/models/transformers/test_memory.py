"""How much memory could be used: what the machine has free, and what a container may have of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from llmuses.models.transformers import memory

GIB = 2**30
UNLIMITED = 9_223_372_036_854_771_712


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{content}\n")


def group(folder: Path, limit: object, used: int, idle: int, version: int = 2) -> None:
    """Write what a control group says of its memory; ``idle`` is what files take that can be dropped."""
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    for name, value in zip(names, (limit, used), strict=True):
        write(folder / name, value)
    write(folder / "memory.stat", f"anon 5\n{'' if version == 2 else 'total_'}inactive_file {idle}")


def test_what_a_container_may_have_is_its_limit_less_what_it_uses_that_cannot_be_dropped(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/")
    group(tmp_path / "sys/fs/cgroup", 8 * GIB, used=5 * GIB, idle=2 * GIB)
    assert list(memory._left_of_limits(tmp_path)) == [5 * GIB]


def test_every_group_that_the_process_is_in_counts(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/user/session")
    root = tmp_path / "sys/fs/cgroup"
    group(root / "user", 3 * GIB, used=GIB, idle=0)
    group(root / "user/session", "max", used=GIB, idle=0)
    group(root / "other", GIB, used=GIB, idle=0)
    assert list(memory._left_of_limits(tmp_path)) == [2 * GIB]


def test_the_first_version_of_groups_is_read_too_also_where_a_container_does_not_see_its_own_path(
    tmp_path: Path,
) -> None:
    write(tmp_path / "proc/self/cgroup", "5:cpu:/\n4:memory:/docker/91636\n0::/")
    group(tmp_path / "sys/fs/cgroup/memory", 4 * GIB, used=5 * GIB, idle=0, version=1)
    assert list(memory._left_of_limits(tmp_path)) == [0]


@pytest.mark.parametrize("lines", [None, "", "what is this", "0::/gone", "4:memory:/"])
def test_where_nothing_says_so_there_is_no_limit(tmp_path: Path, lines: str | None) -> None:
    if lines is not None:
        write(tmp_path / "proc/self/cgroup", lines)
    group(tmp_path / "sys/fs/cgroup", "max", used=GIB, idle=0)
    group(tmp_path / "sys/fs/cgroup/memory", UNLIMITED, used=GIB, idle=0, version=1)
    assert all(left > 2**60 for left in memory._left_of_limits(tmp_path))


def test_the_smallest_of_all_is_what_could_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    free = memory.free_bytes(cpu)
    assert free is not None
    assert free > 0
    monkeypatch.setattr(memory, "_left_of_limits", lambda: iter([UNLIMITED, 1_000, 2_000]))
    assert memory.free_bytes(cpu) == 1_000
