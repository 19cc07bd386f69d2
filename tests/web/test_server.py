"""Starting and ending the server."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from llmuses.cli import main
from llmuses.errors import UsageError
from llmuses.web import server
from tests.support.browser import ROOT, free_port

APP = ROOT / "app.py"


def test_a_port_that_is_in_use_and_was_asked_for_is_an_error_of_one_line():
    with server.bind("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {number} on 127.0.0.1 is in use; choose another with --port"):
            server.bind("127.0.0.1", number)


def test_a_port_that_nobody_asked_for_gives_way_to_the_next_free_one(monkeypatch, capsys):
    with server.bind("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        monkeypatch.setattr(server, "DEFAULT_PORT", number)
        with server.bind("127.0.0.1", None) as listener:
            assert number < listener.getsockname()[1] < number + 100
    assert f"Port {number} is in use; taking " in capsys.readouterr().out


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 7860), ("no such host", 7860), ("127.0.0.1", 70000)])
def test_an_address_that_is_not_this_machines_is_an_error_of_one_line(host, port):
    with pytest.raises(UsageError) as told:
        server.bind(host, port)
    assert "\n" not in str(told.value)


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "outputs").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        server.serve(tmp_path / "outputs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_an_error(tmp_path):
    tmp_path.chmod(0o000)
    with pytest.raises(UsageError, match="cannot be read"):
        server.check_outputs(tmp_path)
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "localhost"), ("::1", "[::1]")])
def test_the_address_that_is_printed_can_be_opened(host, shown):
    assert server._shown(host) == shown


@contextlib.contextmanager
def started(*arguments):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, str(APP), *arguments], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def opened(address, process, seconds=240.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=60) as answer:
            return answer.read().decode()
        time.sleep(0.05)
    raise AssertionError("no answer")


def wakes(pid, seconds=0.5):
    """Return how often the main thread of a process wakes in a second; 0 where nothing says so."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    counts = []
    for pause in (seconds, 0):
        counts.append(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.MULTILINE)[1]))
        time.sleep(pause)
    return (counts[1] - counts[0]) / seconds


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_app_serves_its_first_page_and_ends_cleanly(tmp_path, sign):
    port = free_port()
    (tmp_path / "models.yaml").write_text("mine: {model: 'openai:a', args: {api_key_env: NO_SUCH_KEY}}")
    with started("--outputs", str(tmp_path), "--host", "0.0.0.0", "--port", str(port), "--no-demo") as process:
        page = opened(f"http://127.0.0.1:{port}/", process)
        assert re.search("<title>(Arena|Leaderboard) · llmuses</title>", page), "the arena where two models may play"
        assert wakes(process.pid) < 100, "an app that nobody looks at hardly works"
        process.send_signal(sign)
        out, err = process.communicate(timeout=120)
    assert f"http://localhost:{port}, open to the network" in out
    assert f"Models: {tmp_path / 'models.yaml'} (beside the runs)\n" in out
    assert "Traceback" not in err
    assert "llmuses: mine: NO_SUCH_KEY is not set" in err, "what stands in a model's way is said at the start"
    assert process.returncode == 0


def test_each_file_that_was_read_is_said_with_what_names_it(tmp_path, monkeypatch):
    (tmp_path / "arena.yaml").write_text("filter: {words: blocked.txt}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path / "none"))
    for name in ("LLMUSES_MODELS", "LLMUSES_ARENA_CONFIG", "LLMUSES_ADMIN_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    assert list(server.files_read()) == [], "what comes with llmuses is no file of one's own"
    monkeypatch.setenv("LLMUSES_MODELS", "my/models.yaml")
    monkeypatch.setenv("LLMUSES_ARENA_CONFIG", "arena.yaml")
    monkeypatch.setenv("LLMUSES_ADMIN_CONFIG", "/etc/llmuses/people.yaml")
    assert list(server.files_read()) == [
        f"Models: {tmp_path}/my/models.yaml (LLMUSES_MODELS)",
        f"Rules of the arena: {tmp_path}/arena.yaml (LLMUSES_ARENA_CONFIG)",
        f"Words that the arena refuses: {tmp_path}/blocked.txt (filter.words in arena.yaml)",
        "Accounts and rules of the admin room: /etc/llmuses/people.yaml (LLMUSES_ADMIN_CONFIG)",
    ]


@pytest.mark.parametrize(
    ("arguments", "variable", "demo"), [([], "", True), ([], "0", True), ([], "1", False), (["--no-demo"], "", False)]
)
def test_the_demo_is_kept_away_by_a_flag_or_by_the_environment(monkeypatch, arguments, variable, demo):
    given = {}
    monkeypatch.setattr(server, "serve", lambda outputs, **options: given.update(options))
    monkeypatch.setenv("LLMUSES_NO_DEMO", variable)
    assert main(["serve", *arguments]) == 0
    assert given["demo"] is demo


def test_a_wrong_folder_exits_with_two_and_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with started("--outputs", str(tmp_path / "file"), "--no-demo") as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err.count("\n") == 1
    assert "is not a folder" in err
