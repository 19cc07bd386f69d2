"""A server on the loopback that speaks enough of the Hugging Face and the ModelScope API to download from.

Both hubs show the same repositories: ``server.add("model", "acme/tiny", {"config.json": b"{}"})``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.local_http import Silent, local_http

Files = Mapping[str, bytes]


class HubServer:
    """Repositories, and what was asked of them.

    ``requests`` lists every request line. ``stalled`` makes the server accept and never answer, ``broken_file`` names
    a file whose download breaks off in the middle.
    """

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], dict[str, Files]] = {}
        self.private: set[str] = set()
        self.hidden: set[str] = set()
        """Repositories that are their owner's alone: the owner is who asks."""
        self.requests: list[str] = []
        self.stalled = False
        self.broken_file: str | None = None
        self.url = ""

    def add(self, kind: str, repo_id: str, files: Files, revision: str | None = None) -> None:
        """Add a repository, or a revision of it; without a name it is the default branch of both hubs."""
        revisions = self.repositories.setdefault((kind, repo_id), {})
        for name in (revision,) if revision else ("main", "master"):
            revisions[name] = files

    def downloaded(self) -> list[str]:
        """Return the names of files whose content was asked for, in order."""
        names = []
        for line in self.requests:
            method, _, target = line.partition(" ")
            parts = urlsplit(target)
            if method == "GET" and "/resolve/" in parts.path:
                names.append(unquote(parts.path.split("/resolve/")[1].split("/", 1)[1]))
            elif method == "GET" and parts.path.endswith("/repo"):
                names.append(parse_qs(parts.query)["FilePath"][0])
        return names


@contextmanager
def hub_server(kind: type[Handler] | None = None) -> Iterator[HubServer]:
    """Yield a running server; ``url`` is its address. ``kind`` answers the requests."""
    hub = HubServer()
    handler = type("Handler", (kind or Handler,), {"hub": hub})
    with local_http(handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub
        finally:
            hub.stalled = False


def commit_of(files: Files) -> str:
    """Return a commit id of 40 hex digits that follows from the content."""
    digest = hashlib.sha1()
    for path, content in sorted(files.items()):
        digest.update(path.encode() + b"\0" + content)
    return digest.hexdigest()


class Handler(Silent):
    """Answers who only reads."""

    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        while self.hub.stalled:
            time.sleep(0.02)
        target = urlsplit(self.path)
        parts = [unquote(part) for part in target.path.strip("/").split("/")]
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        if parts[:2] == ["api", "v1"]:
            self._modelscope(parts[2:], query)
        elif parts[:2] == ["openapi", "v1"]:
            self._modelscope_info(parts[2][:-1], "/".join(parts[3:5]))
        elif parts[0] == "api":
            self._huggingface_api(parts[1][:-1], "/".join(parts[2:4]), parts[4:])
        else:
            kind = "dataset" if parts[0] == "datasets" else "model"
            self._huggingface_file(kind, parts[1:] if kind == "dataset" else parts)

    # Hugging Face

    def _revision(self, kind: str, repo_id: str, revision: str) -> Files | None:
        """Return the files of a revision (or commit); else answer with the hub's error and return None."""
        if repo_id in self.hub.private:
            return self._error(403, {"X-Error-Code": "GatedRepo"})
        revisions = self.hub.repositories.get((kind, repo_id))
        if revisions is None:
            return self._error(401, {"X-Error-Code": "RepoNotFound"})
        for name, files in revisions.items():
            if revision in (name, commit_of(files)):
                return files
        return self._error(404, {"X-Error-Code": "RevisionNotFound"})

    def _huggingface_api(self, kind: str, repo_id: str, rest: list[str]) -> None:
        files = self._revision(kind, repo_id, rest[1] if len(rest) > 1 else "main")
        if files is None:
            return
        if rest[:1] == ["tree"]:
            self._json(
                [
                    {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for path, content in files.items()
                ]
            )
        else:
            self._json(
                {
                    "id": repo_id,
                    "sha": commit_of(files),
                    "private": repo_id in self.hub.hidden,
                    "siblings": [{"rfilename": path} for path in files],
                }
            )

    def _huggingface_file(self, kind: str, parts: list[str]) -> None:
        repo_id, revision, path = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
        files = self._revision(kind, repo_id, revision)
        if files is None:
            return
        if path not in files:
            self._error(404, {"X-Error-Code": "EntryNotFound"})
            return
        etag = hashlib.sha1(files[path]).hexdigest()
        self._content(path, files[path], {"ETag": f'"{etag}"', "X-Repo-Commit": commit_of(files)})

    # ModelScope

    def _modelscope_info(self, kind: str, repo_id: str) -> None:
        if (kind, repo_id) in self.hub.repositories:
            owner, name = repo_id.split("/")
            visibility = "private" if repo_id in self.hub.hidden else "public"
            data = {"id": repo_id, "owner": owner, "name": name, "visibility": visibility}
            self._json({"success": True, "data": data})
        else:
            self._error(404)

    def _modelscope(self, parts: list[str], query: Mapping[str, str]) -> None:
        kind, repo_id, rest = parts[0][:-1], "/".join(parts[1:3]), parts[3:]
        if repo_id in self.hub.private:
            self._error(403)
            return
        files = self.hub.repositories.get((kind, repo_id), {}).get(query.get("Revision", "master"))
        if files is None:
            self._error(404)
        elif rest == ["repo"]:
            path = query["FilePath"]
            self._content(path, files[path], {}) if path in files else self._error(404)
        elif rest in (["repo", "files"], ["repo", "tree"]):
            entries = [
                {"Path": path, "Name": path.rsplit("/", 1)[-1], "Type": "blob", "Size": len(content),
                 "Sha256": hashlib.sha256(content).hexdigest()}
                for path, content in files.items()
            ]  # fmt: skip
            size, page = int(query.get("PageSize", len(entries) or 1)), int(query.get("PageNumber", 1))
            self._json({"Code": 200, "Success": True, "Data": {"Files": entries[(page - 1) * size : page * size]}})
        else:
            self._json({"Code": 200, "Success": True, "Data": {"Name": repo_id}})

    # Bytes

    def _error(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps({"Code": status, "Success": False, "Message": "refused", "error": "refused"}).encode()
        self._send(status, body, {"Content-Type": "application/json", **(headers or {})})

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _content(self, path: str, content: bytes, headers: Mapping[str, str]) -> None:
        if path == self.hub.broken_file and self.command == "GET":
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self._send(200, content, {"Content-Type": "application/octet-stream", **headers})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
