"""The folder of a program is measured and removed whatever is in it, and nothing outside is touched."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from llmuses.sandbox import FunctionJob
from llmuses.sandbox.backends import BUBBLEWRAP_LANDLOCK, LANDLOCK, Backend
from llmuses.sandbox.inside.folders import overflows, remove
from tests.sandbox.conftest import Opener
from tests.sandbox.places import USER, Place, Unavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders by descriptors are those of Unix")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder with a file that no link may lead to."""
    folder = tmp_path / "outside"
    folder.mkdir()
    folder.chmod(0o751)
    (folder / "kept").write_text("kept")
    return folder


def nested(folder: Path, depth: int, name: str = "a") -> None:
    """Make folders in folders, beyond the longest path."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("deepest", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


class TestRemoving:
    @pytest.mark.parametrize(("depth", "name"), [(1, "a"), (1500, "a"), (30, "d" * 250)])
    def test_takes_folders_of_any_depth(self, depth: int, name: str, tmp_path: Path) -> None:
        folder = tmp_path / "program"
        folder.mkdir()
        nested(folder, depth, name)
        before = len(os.listdir("/dev/fd"))
        remove(str(folder))
        assert not folder.exists()
        assert len(os.listdir("/dev/fd")) == before

    @pytest.mark.parametrize("mode", [0o000, 0o300, 0o500, 0o700])
    def test_takes_what_is_closed_and_leaves_what_links_lead_to(self, mode: int, tmp_path: Path, outside: Path) -> None:
        folder = tmp_path / "program"
        (folder / "closed" / "inner").mkdir(parents=True)
        for place in (folder, folder / "closed", folder / "closed" / "inner"):
            (place / "link").symlink_to(outside)
            (place / "file").write_text("x")
        (folder / "closed" / "inner").chmod(mode)
        (folder / "closed").chmod(mode)
        remove(str(folder))
        assert not folder.exists()
        assert outside.stat().st_mode & 0o777 == 0o751
        assert os.listdir(outside) == ["kept"]

    def test_of_a_link_or_of_nothing_does_nothing(self, tmp_path: Path, outside: Path) -> None:
        (tmp_path / "link").symlink_to(outside)
        remove(str(tmp_path / "link"))
        remove(str(tmp_path / "missing"))
        assert os.listdir(outside) == ["kept"]


class TestMeasuring:
    def test_counts_every_file_and_folder_below(self, tmp_path: Path) -> None:
        nested(tmp_path, 5)
        (tmp_path / "more").write_text("x")
        assert not overflows(str(tmp_path), 1, 7)
        assert overflows(str(tmp_path), 1, 6)

    def test_adds_up_what_lies_below_the_longest_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        nested(tmp_path, 30, "d" * 250)
        assert not overflows(str(tmp_path), 2, 100)
        monkeypatch.chdir(tmp_path)
        for _ in range(30):
            os.chdir("d" * 250)
        Path("large").write_bytes(bytes(3 << 20))
        assert overflows(str(tmp_path), 2, 100)
        remove(str(tmp_path))

    def test_counts_no_file_that_a_link_leads_to(self, tmp_path: Path, outside: Path) -> None:
        (outside / "large").write_bytes(bytes(3 << 20))
        folder = tmp_path / "program"
        folder.mkdir()
        (folder / "folder").symlink_to(outside)
        (folder / "file").symlink_to(outside / "large")
        assert not overflows(str(folder), 1, 2)

    def test_leaves_no_descriptor_open(self, tmp_path: Path) -> None:
        nested(tmp_path, 50)
        before = len(os.listdir("/dev/fd"))
        for entries in (10, 100):
            overflows(str(tmp_path), 1, entries)
        assert len(os.listdir("/dev/fd")) == before


LEAVING = {
    "a full folder that cannot be listed": "os.mkdir('closed', 0o300)\nopen('closed/file', 'w').close()",
    "a folder that nobody may enter": "os.mkdir('closed', 0o000)",
    "very deep folders": "for _ in range(1200):\n    os.mkdir('a')\n    os.chdir('a')",
}


@pytest.mark.parametrize("backend", [LANDLOCK, BUBBLEWRAP_LANDLOCK], ids=lambda backend: backend.name)
@pytest.mark.parametrize("what", LEAVING)
def test_the_next_program_finds_nothing_where_the_last_one_left(what: str, backend: Backend, place_of: Opener) -> None:
    place = place_of((backend, "user"), workers=1)
    above = "import os\nabove = os.path.dirname(os.getcwd())\n"
    look = FunctionJob(f"{above}said = os.stat(above).st_nlink\n", "assert False, said")
    before = place.sandbox.run(look).detail
    place.sandbox.run(FunctionJob(f"{above}{LEAVING[what]}\n", "above"))
    assert place.sandbox.run(look).detail == before


def test_a_link_in_a_closed_folder_leads_the_clean_up_nowhere(outside: Path) -> None:
    """Who closes the sandbox has more rights than its programs."""
    for folder in (outside, *outside.parents[:3]):
        folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(outside, USER, USER)
    try:
        place = Place(LANDLOCK, "user", 1)
    except Unavailable as error:
        pytest.skip(str(error))
    try:
        program = f"import os\nos.mkdir('closed', 0o300)\nos.symlink({str(outside)!r}, 'closed/link')\ndone = True\n"
        assert place.sandbox.run(FunctionJob(program, "assert done")).passed
    finally:
        place.close()
    assert outside.stat().st_mode & 0o777 == 0o755
