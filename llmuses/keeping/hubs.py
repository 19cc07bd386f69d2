"""A private dataset on a hub as a place for pieces: objects named by their SHA-256, and one manifest.

Objects come first and the manifest last, so that whatever breaks off on the way leaves the backup before it whole.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from llmuses.errors import BackupError, UsageError

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

MANIFEST = "manifest.json"
_PLACE = re.compile(r"(hf|ms):([\w-][\w.-]*/[\w-][\w.-]*)(?:@([\w][\w./-]*))?", re.ASCII)
_MOVED = 412
"""The status with which Hugging Face refuses a commit that does not follow the newest."""


class Shelf(Protocol):
    """Where pieces lie. All methods raise what the hub's library raises."""

    def prepare(self) -> None:
        """Make the dataset where there is none. Raises BackupError where everybody may read it."""

    def manifest(self) -> bytes | None:
        """Return the manifest, None where there is none yet, or no dataset that one may see."""

    def put(self, objects: Mapping[str, Path]) -> None:
        """Add objects, by their names. Raises BackupError where the hub says that somebody else wrote meanwhile."""

    def settle(self, manifest: bytes, dropped: Iterable[str]) -> None:
        """Put the manifest in place, then drop objects that it does not name, now or with the next one. Raises what ``put``
        raises."""

    def take(self, folder: Path) -> None:
        """Fetch all objects into a folder."""


def path_of(name: str) -> str:
    """Return where an object lies in the dataset."""
    return f"objects/{name[:2]}/{name}"


def shelf(where: str) -> Shelf:
    """Return what ``hf:OWNER/NAME`` or ``ms:OWNER/NAME`` names; nothing is asked of the hub.

    ``@REVISION`` behind it is an earlier state, to be read only. Raises UsageError.
    """
    found = _PLACE.fullmatch(where)
    if found is None:
        raise UsageError(
            f"'{where}' is no place for a backup: hf:OWNER/NAME (Hugging Face) or ms:OWNER/NAME (ModelScope)."
        )
    return _SHELVES[found[1]](found[2], found[3])


def _public(where: str) -> BackupError:
    return BackupError(
        f"{where} is public, and a backup holds what people wrote and who looked after it: make the dataset private."
    )


class _HuggingFace:
    def __init__(self, repo_id: str, revision: str | None):
        self._repo = repo_id
        self._revision = revision
        self._head: str | None = None
        """The commit that the next one must follow: the hub refuses it where another came in between."""

    def prepare(self) -> None:
        from huggingface_hub.errors import RepositoryNotFoundError

        from llmuses.hub import huggingface_api

        api = huggingface_api()
        try:
            found = api.dataset_info(self._repo)
        except RepositoryNotFoundError:
            api.create_repo(self._repo, repo_type="dataset", private=True)
            self._head = None
            return
        self._head = found.sha
        if not found.private:
            raise _public(f"hf:{self._repo}")

    def manifest(self) -> bytes | None:
        from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError

        from llmuses.hub import huggingface_api

        with TemporaryDirectory() as folder:
            try:
                found = huggingface_api().hf_hub_download(
                    self._repo, MANIFEST, repo_type="dataset", revision=self._revision, local_dir=folder
                )
            except (RemoteEntryNotFoundError, RepositoryNotFoundError):  # a local one says that nobody answers
                return None
            return Path(found).read_bytes()

    def put(self, objects: Mapping[str, Path]) -> None:
        from huggingface_hub import CommitOperationAdd

        added = [CommitOperationAdd(path_of(name), str(path)) for name, path in objects.items()]
        self._commit(added, f"{len(added)} pieces")

    def settle(self, manifest: bytes, dropped: Iterable[str]) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[CommitOperationAdd | CommitOperationDelete] = [CommitOperationAdd(MANIFEST, manifest)]
        operations += [CommitOperationDelete(path_of(name)) for name in dropped]
        self._commit(operations, "Backup of llmuses")

    def _commit(self, operations: Iterable[CommitOperationAdd | CommitOperationDelete], message: str) -> None:
        from huggingface_hub.errors import HfHubHTTPError

        from llmuses.hub import huggingface_api

        try:
            done = huggingface_api().create_commit(
                self._repo, operations, commit_message=message, repo_type="dataset", parent_commit=self._head
            )
        except HfHubHTTPError as problem:
            if problem.response.status_code != _MOVED:
                raise
            raise BackupError(
                f"another server wrote to hf:{self._repo} at the same time; tried again later."
            ) from problem
        self._head = done.oid

    def take(self, folder: Path) -> None:
        from llmuses.hub import huggingface_api

        huggingface_api().snapshot_download(
            self._repo, repo_type="dataset", revision=self._revision, local_dir=folder, allow_patterns=["objects/*"]
        )


class _ModelScope:
    """A commit there follows whatever is newest: of two servers that write at the same moment the manifest of the later one
    stays. Its objects must be there too, so that none is dropped before the next manifest: whoever was the earlier one sees then
    that the place is another's, and drops nothing."""

    def __init__(self, repo_id: str, revision: str | None):
        self._repo = repo_id
        self._revision = revision
        self._unneeded: set[str] = set()
        """What the manifest that this server settled last does not name any more."""

    def prepare(self) -> None:
        from llmuses.hub import modelscope_api

        api = modelscope_api()  # first: it says how patient the library is, which is read when that is imported
        from modelscope_hub.errors import NotExistError

        try:
            found = api.get_repo(self._repo, "dataset")
        except NotExistError:
            api.create_repo(self._repo, "dataset", visibility="private")
            return
        if str(getattr(found.visibility, "label", found.visibility)).lower() not in ("private", "1"):
            raise _public(f"ms:{self._repo}")

    def manifest(self) -> bytes | None:
        from llmuses.hub import modelscope_api

        api = modelscope_api()
        from modelscope_hub.errors import NotExistError

        with TemporaryDirectory() as folder:
            try:
                found = api.download_file(
                    self._repo, "dataset", MANIFEST, revision=self._revision, local_dir=folder, force=True
                )
            except NotExistError:
                return None
            return Path(found).read_bytes()

    def put(self, objects: Mapping[str, Path]) -> None:
        from llmuses.hub import modelscope_api

        self._unneeded -= objects.keys()
        with TemporaryDirectory() as folder:
            for name, path in objects.items():
                place = Path(folder) / path_of(name)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, place)
            message = f"{len(objects)} pieces"
            with contextlib.redirect_stdout(io.StringIO()):  # it prints a table, whoever asks
                modelscope_api().upload_folder(
                    self._repo, "dataset", folder, commit_message=message, use_cache=False, disable_tqdm=True
                )

    def settle(self, manifest: bytes, dropped: Iterable[str]) -> None:
        from llmuses.hub import modelscope_api

        api = modelscope_api()
        with contextlib.redirect_stdout(io.StringIO()):
            api.upload_file(
                self._repo, "dataset", manifest, MANIFEST, commit_message="Backup of llmuses", disable_tqdm=True
            )
            due, self._unneeded = sorted(self._unneeded), set(dropped)
            if due:
                gone = [path_of(name) for name in due]
                api.delete_files(self._repo, "dataset", gone, commit_message="Pieces that are no longer needed")

    def take(self, folder: Path) -> None:
        from llmuses.hub import modelscope_api

        modelscope_api().download_repo(
            self._repo, "dataset", revision=self._revision, local_dir=folder, allow_patterns=["objects/*"]
        )


_SHELVES: dict[str, type[_HuggingFace] | type[_ModelScope]] = {"hf": _HuggingFace, "ms": _ModelScope}
