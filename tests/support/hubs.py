"""Points the hubs' own libraries at a server of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmuses.hub import _import_modelscope


def modelscope_environment(url: str, folder: Path) -> dict[str, str]:
    """Return the environment in which ModelScope's library asks ``url`` and keeps its files in ``folder``."""
    return {
        "MODELSCOPE_ENDPOINT": url,
        "MODELSCOPE_CACHE": str(folder / "ms"),
        "MODELSCOPE_HOME": str(folder / "ms-home"),
        "MODELSCOPE_DOWNLOAD_INTRA_CLOUD": "false",
    }


def point_hubs_at(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both libraries, already imported, ask ``url``; their caches and the work folder lie in ``folder``."""
    from huggingface_hub import constants

    _import_modelscope("modelscope.hub.snapshot_download")  # imported with the settings of ours
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hf"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    for name, value in modelscope_environment(url, folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("modelscope_hub.config._default_config", None)  # read once per process, from the environment
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(folder / "work"))
