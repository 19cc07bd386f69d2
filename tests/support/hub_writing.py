"""The stand-in for both hubs, for somebody who may also write: datasets are made, committed to, and read again."""

from __future__ import annotations

import base64
import json
import re
from contextlib import AbstractContextManager
from typing import Any

from tests.support.hub_server import Handler, HubServer, commit_of, hub_server


def writable_hub() -> AbstractContextManager[HubServer]:
    """Return a running server to which datasets can be written."""
    return hub_server(_Writing)


class _Writing(Handler):
    def do_POST(self) -> None:
        self.hub.requests.append(f"POST {self.path}")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if self.hub.stalled:
            self._error(503)
        elif parts == ["api", "repos", "create"]:
            said = json.loads(body)
            self._make(
                f"{said.get('organization') or 'me'}/{said['name']}",
                said.get("visibility") == "private" or bool(said.get("private")),
            )
        elif parts == ["api", "v1", "datasets"]:
            fields = dict(re.findall(rb'name="(\w+)"\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)\r\n', body))  # a form in parts
            self._make(f"{fields[b'Owner'].decode()}/{fields[b'Name'].decode()}", fields.get(b"Visibility") == b"1")
        elif parts[:2] == ["api", "datasets"] and parts[4] == "preupload":
            files = json.loads(body)["files"]
            said = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
            self._json({"files": said})
        elif parts[:2] == ["api", "datasets"] and parts[4] == "commit":
            self._commit_huggingface("/".join(parts[2:4]), body)
        elif parts[:3] == ["api", "v1", "repos"] and parts[-1] == "batch":
            objects = json.loads(body)["objects"]
            said = [
                {"oid": one["oid"], "actions": {"upload": {"href": f"{self.hub.url}/blob/{one['oid']}"}}}
                for one in objects
            ]
            self._json({"Code": 200, "Success": True, "Data": {"objects": said}})
        elif parts[:3] == ["api", "v1", "repos"] and "commit" in parts:
            self._commit_modelscope("/".join(parts[4:6]), json.loads(body))
        else:
            self._error(404)

    def do_PUT(self) -> None:
        size = int(self.headers.get("content-length", 0))
        self._blobs()[self.path.rsplit("/", 1)[-1]] = self.rfile.read(size)
        self._json({"Code": 200})

    def _blobs(self) -> dict[str, bytes]:
        blobs: dict[str, bytes] = self.hub.__dict__.setdefault("blobs", {})
        return blobs

    def _make(self, repo_id: str, hidden: bool) -> None:
        if ("dataset", repo_id) in self.hub.repositories:
            self._error(409)
            return
        self.hub.add("dataset", repo_id, {})
        if hidden:
            self.hub.hidden.add(repo_id)
        self._json(
            {"url": f"{self.hub.url}/datasets/{repo_id}", "Code": 200, "Success": True, "Data": {"Name": repo_id}}
        )

    def _commit(self, repo_id: str, added: dict[str, bytes], deleted: list[str]) -> None:
        files = dict(self.hub.repositories["dataset", repo_id]["main"])
        files.update(added)
        for path in deleted:
            del files[path]
        self.hub.add("dataset", repo_id, files)

    def _commit_huggingface(self, repo_id: str, body: bytes) -> None:
        lines: list[dict[str, Any]] = [json.loads(line) for line in body.splitlines()]
        values = [(line["key"], line["value"]) for line in lines]
        parent = values[0][1].get("parentCommit")
        if parent not in (None, commit_of(self.hub.repositories["dataset", repo_id]["main"])):
            self._error(412)
            return
        added = {value["path"]: base64.b64decode(value["content"]) for key, value in values if key == "file"}
        self._commit(repo_id, added, [value["path"] for key, value in values if key == "deletedFile"])
        commit = commit_of(self.hub.repositories["dataset", repo_id]["main"])
        url = f"{self.hub.url}/datasets/{repo_id}/commit/{commit}"
        self._json({"success": True, "commitOid": commit, "commitUrl": url})

    def _commit_modelscope(self, repo_id: str, said: dict[str, Any]) -> None:
        added = {
            one["path"]: self._blobs()[one["sha256"]] if one["type"] == "lfs" else base64.b64decode(one["content"])
            for one in said["actions"]
            if one["action"] != "delete"
        }
        self._commit(repo_id, added, [one["path"] for one in said["actions"] if one["action"] == "delete"])
        self._json({"Code": 200, "Success": True, "Data": {"Id": "0" * 40}})
