"""Stylesheets, scripts, drawings."""

from __future__ import annotations

import re

import pytest

from llmuses import settings
from llmuses.errors import DataError
from llmuses.web import assets


def test_every_file_that_a_document_asks_for_is_served_under_its_hash():
    asked = re.findall(r'(?:href|src)="([^"]+)"', assets.tags())
    assert len(asked) == len(assets.STYLES) + len(assets.SCRIPTS) + len(assets.BLOCKING_SCRIPTS) + 1
    for address in asked:
        folder, _, name = address.rpartition("/")
        assert folder == assets.PREFIX
        assert re.fullmatch(r"[\w-]+\.[0-9a-f]{8}\.(css|js|svg)", name)
        assert name in assets.served()


def test_nothing_in_a_stylesheet_or_script_comes_from_elsewhere():
    for name, (content, _) in assets.served().items():
        text = content.decode()
        links = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)) - {"http://www.w3.org"}
        assert not links, (name, links)
        assert "@import" not in text


def test_the_folder_inside_an_installed_package_comes_first(tmp_path, monkeypatch):
    package = tmp_path / "llmuses"
    for place in (package / "static", tmp_path / "static"):
        place.mkdir(parents=True)
        (place / assets.STYLES[0]).write_text("")
    monkeypatch.setattr(settings, "PACKAGE", package)
    assert settings.static_dir() == package / "static"


def test_an_installation_without_the_files_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "PACKAGE", tmp_path / "llmuses")
    with pytest.raises(DataError, match="install llmuses again"):
        settings.static_dir()
