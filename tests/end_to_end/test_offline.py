"""With every connection that leaves the machine refused, and written down, all works and nobody tries."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.commands import ROOT, run_from_nothing
from tests.support.browser import free_port

_GUARD = """
import ipaddress, os, socket

def _refuse(where):
    with open(os.environ["CALLS_OUT"], "a") as log:
        log.write(f"{os.getpid()} {where}\\n")
    raise OSError(f"a connection to {where} was refused by the test")

def _local(host):
    if host in (None, "", "localhost", b"localhost", "0.0.0.0", "::"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

def _checked(method):
    def call(self, *args):
        address = args[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _local(address[0]):
            _refuse(address)
        return method(self, *args)
    return call

for _name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, _name, _checked(getattr(socket.socket, _name)))

_lookup = socket.getaddrinfo
def _getaddrinfo(host, *args, **more):
    if not _local(host):
        _refuse(host)
    return _lookup(host, *args, **more)
socket.getaddrinfo = _getaddrinfo
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give an environment in which every Python process is guarded; afterwards, nobody may have tried to call out."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(_GUARD)
    calls = tmp_path / "calls-out.txt"
    yield {"PYTHONPATH": str(tmp_path / "guard"), "CALLS_OUT": str(calls), "LLMUSES_WORK_DIR": str(tmp_path / "work")}
    assert not calls.exists(), calls.read_text()


def test_the_guard_itself_refuses_and_writes_down(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_GUARD)
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    environment = {"PYTHONPATH": str(tmp_path), "CALLS_OUT": str(tmp_path / "calls.txt")}
    done = run_from_nothing([sys.executable, "-c", code], **environment)
    assert "was refused by the test" in done.stderr
    assert "192.0.2.1" in (tmp_path / "calls.txt").read_text()


def test_an_evaluation_needs_no_network(guarded: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "run.py", "--model", "baseline:random", "--datasets", "mmlu", "gsm8k", "arc", "ceval"]
    done = run_from_nothing([*command, "--sample-data", "--outputs", str(tmp_path / "outputs")], **guarded)
    assert done.returncode == 0, done.stderr
    for more in (["list", "benchmarks"], ["list", "models"], ["doctor"]):
        assert run_from_nothing([sys.executable, "-m", "llmuses", *more], **guarded).returncode == 0


def test_the_app_starts_and_serves_without_a_network(guarded: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "app.py", "--port", str(port), "--outputs", str(tmp_path / "outputs"), "--no-demo"]
    app = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **guarded})
    try:
        page = _page(f"http://127.0.0.1:{port}/", app)
        assert "llmuses" in page
        config = _page(f"http://127.0.0.1:{port}/config", app)
        assert "components" in config
    finally:
        app.terminate()
        app.wait(timeout=120)


def _page(address: str, app: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 240
    while True:
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            if time.monotonic() > deadline or app.poll() is not None:
                raise
            time.sleep(0.2)
