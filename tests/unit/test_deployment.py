"""What a container, a compose file, a proxy and two platforms are told: it is consistent with what the program has."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import msgspec
import pytest
import yaml

from arena.live.rules import load_rules
from llmuses.cli import _parser
from llmuses.settings import root_path, trusted_proxies
from tests.support.hub_server import hub_server
from tools import environment

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: the word and what follows it."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def stages() -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage, from its FROM on."""
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, rest))
    return found


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return found


def front_matter() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "README.md").read_text("utf-8").split("---\n")[1])
    return found


def ignored(path: str) -> bool:
    """Return whether .dockerignore keeps a path of the repository out of the image: the last line that fits decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        back, pattern = line.startswith("!"), line.removeprefix("!").removeprefix("**/")
        parts = path.split("/")
        names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        if any(fnmatch(name, pattern) for name in (names if "**/" not in line else parts)):
            out = not back
    return out


# --- the image -----------------------------------------------------------------------------------------------


def test_what_is_copied_into_the_image_exists_and_is_not_ignored() -> None:
    copied = [
        name.rstrip("/")
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for name in rest.split()[:-1]
    ]
    assert {"llmuses", "arena", "leaderboard", "static", "requirements.txt"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists() or ignored(name)] == []


def test_every_package_of_ours_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    folders = {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]} | {"static"}
    copied = " ".join(rest for word, rest in instructions() if word == "COPY").split()
    assert folders <= set(copied)
    assert project["project"]["readme"] in copied and set(project["project"]["license-files"]) <= set(copied)


@pytest.mark.parametrize(
    "path", [".env", ".git/config", "outputs/run/run.json", "tests/conftest.py", "llmuses/__pycache__/cli.cpython-312.pyc", "secrets.txt"]
)  # fmt: skip
def test_runs_secrets_and_history_are_kept_out_of_the_image(path: str) -> None:
    assert ignored(path)


def test_whoever_runs_in_the_image_is_not_root_and_owns_what_lasts() -> None:
    last = stages()[-1]
    words = [word for word, _ in last]
    (user,) = (rest for word, rest in last if word == "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert not [rest for word, rest in last[words.index("USER") :] if word in ("RUN", "COPY")]
    (made,) = (rest for word, rest in last if word == "RUN" and rest.startswith("useradd"))
    assert f"--uid {user.partition(':')[0]}" in made and "--home-dir /data" in made and "--create-home" in made
    (environment_line,) = (rest for word, rest in last if word == "ENV")
    settings = dict(part.split("=", 1) for part in environment_line.split())
    assert settings["HOME"] == "/data" and settings["LLMUSES_OUTPUTS"].startswith("/data/")
    assert ("VOLUME", "/data") in last


def test_what_the_image_starts_is_a_command_of_ours_with_flags_that_exist() -> None:
    last = dict(stages()[-1])
    assert yaml.safe_load(last["ENTRYPOINT"]) == ["llmuses"]
    args = _parser().parse_args(yaml.safe_load(last["CMD"]))
    assert args.host == "0.0.0.0"
    assert str(args.port) == last["EXPOSE"]
    assert f"http://127.0.0.1:{args.port}/healthz" in last["HEALTHCHECK"]


def test_the_small_model_is_the_one_that_make_installs() -> None:
    arguments = dict(rest.partition("=")[::2] for word, rest in instructions() if word == "ARG")
    assert arguments["SMALL_MODEL"] == environment.SMALL_MODEL
    assert arguments["TORCH_INDEX"] == environment.CPU_INDEX


@pytest.mark.parametrize("stage", [0, 1])
def test_the_images_python_is_one_that_is_supported(stage: int) -> None:
    (python,) = (rest.partition("=")[2] for word, rest in instructions() if word == "ARG" and rest.startswith("PYTHON"))
    assert python in ("3.11", "3.12", "3.13")
    assert stages()[stage][0][1].startswith("python:${PYTHON}-slim")


# --- compose, nginx ------------------------------------------------------------------------------------------


def test_the_services_take_no_rights_that_they_do_not_need() -> None:
    for name in ("llmuses", "gpu"):
        service = compose()["services"][name]
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service and "user" not in service
        assert service["volumes"] == ["data:/data"], "what lasts is in a named volume"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), "the world comes through the proxy"
    assert "data" in compose()["volumes"]


def test_only_the_app_starts_by_itself_and_the_gpus_are_asked_for_where_they_are_wanted() -> None:
    services = compose()["services"]
    assert {name: service.get("profiles") for name, service in services.items()} == {
        "llmuses": None,
        "gpu": ["gpu"],
        "nginx": ["proxy"],
    }
    (device,) = services["gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert services["gpu"]["build"]["args"] == {"TORCH_INDEX": ""}
    assert services["gpu"]["image"] != services["llmuses"]["image"]


def test_the_proxy_speaks_to_the_app_by_a_name_that_both_variants_have() -> None:
    services = compose()["services"]
    assert "proxy_pass http://llmuses:7860;" in (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    assert "llmuses" in services and services["gpu"]["networks"]["inside"]["aliases"] == ["llmuses"]
    (mounted,) = services["nginx"]["volumes"]
    assert (ROOT / mounted.partition(":")[0]).is_file()


# --- the platforms -------------------------------------------------------------------------------------------


def test_a_space_builds_the_image_and_looks_for_the_app_where_it_listens() -> None:
    space = front_matter()
    assert space["sdk"] == "docker" and str(space["app_port"]) == dict(stages()[-1])["EXPOSE"]
    assert len(space["short_description"]) <= 60 and space["emoji"] and space["title"]
    assert {space["colorFrom"], space["colorTo"]} <= set("red yellow green blue indigo purple pink gray".split())


def test_the_rules_for_a_space_change_the_cookie_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMUSES_ARENA_CONFIG", raising=False)
    usual = load_rules()
    monkeypatch.setenv("LLMUSES_ARENA_CONFIG", str(ROOT / "deploy" / "space.yaml"))
    assert load_rules() == msgspec.structs.replace(usual, web=msgspec.structs.replace(usual.web, embedded=True))
    for guide in GUIDES:
        assert "`/opt/llmuses/deploy/space.yaml`" in (ROOT / guide).read_text("utf-8")
    assert ("COPY", "deploy /opt/llmuses/deploy") in stages()[-1]


def test_a_studio_is_told_where_the_app_begins() -> None:
    studio = front_matter()
    assert (ROOT / studio["deployspec"]["entry_file"]).is_file()
    assert set(studio["domain"]) <= {"cv", "nlp", "audio", "multi-modal", "AutoML"}


# --- the guides ----------------------------------------------------------------------------------------------

GUIDES = ["docs/deploy.md", "docs/deploy.zh.md"]


def blocks(guide: str, *languages: str) -> list[str]:
    text = (ROOT / guide).read_text("utf-8")
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("guide", GUIDES)
def test_what_the_guide_has_typed_is_understood(guide: str) -> None:
    lines = re.sub(r"\\\n\s*", " ", "\n".join(blocks(guide, "bash"))).splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    ours = [line[1:] for line in words if line[:1] == ["llmuses"]]
    inside = [re.search(r" llmuses ((?:backup|restore) \S+)", line) for line in lines if line.startswith("docker")]
    ours += [found[1].split() for found in inside if found]
    assert len(ours) >= 8
    for line in ours:
        _parser().parse_args(line)
    services = {part for line in words if line[:2] == ["docker", "compose"] for part in line[2:]}
    assert {"gpu", "nginx", "llmuses"} <= services


@pytest.mark.parametrize("guide", GUIDES)
def test_the_settings_that_the_guide_shows_are_read_by_the_program(guide: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "llmuses").rglob("*.py"))
    named = set(re.findall(r"LLMUSES_[A-Z_]+", (ROOT / guide).read_text("utf-8")))
    assert len(named) >= 6
    assert [name for name in sorted(named) if name not in source] == []
    shown = dict(line.split("=", 1) for block in blocks(guide, "ini") for line in block.splitlines() if "=" in line)
    for name, value in shown.items():
        monkeypatch.setenv(name, value.partition(" #")[0].strip())
    assert root_path() == "/llmuses"
    assert trusted_proxies() == (compose()["services"]["nginx"]["networks"]["inside"]["ipv4_address"],)


def test_the_proxys_address_is_none_that_docker_gives_to_whoever_comes_first() -> None:
    (network,) = compose()["networks"]["inside"]["ipam"]["config"]
    proxy = ip_address(compose()["services"]["nginx"]["networks"]["inside"]["ipv4_address"])
    assert proxy in ip_network(network["subnet"]) and proxy not in ip_network(network["ip_range"])
    assert ip_network(network["ip_range"]).subnet_of(ip_network(network["subnet"]))


def test_a_proxy_in_the_environment_does_not_stand_between_the_check_and_the_app(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = json.loads(dict(stages()[1])["HEALTHCHECK"].partition(" CMD ")[2])
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with hub_server() as here:  # any server: what counts is that it is the one that is asked
        code = command[2].replace("http://127.0.0.1:7860/healthz", f"{here.url}/api/models/no/where")
        with pytest.raises(HTTPError):
            exec(code)
        assert len(here.requests) == 1


def test_both_guides_show_the_same_commands_and_settings() -> None:
    english, chinese = (
        [re.sub(r"\s*#.*", "", line) for block in blocks(guide, "bash", "ini", "yaml") for line in block.splitlines()]
        for guide in GUIDES
    )
    assert english == chinese
