"""Who is logged in: a signed cookie, good for some hours, and worth nothing once one logged out or the password was changed.

The cookie outlives a restart of the server, and so does its end: that is written down beside the jobs, and every process
that serves the folder reads it.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec
from starlette.responses import Response

from arena.live.keys import Keys
from llmuses.records import LogoutLine
from llmuses.store import START, JsonlStore, Sync
from llmuses.web.admin.rules import Account, Role
from llmuses.web.callers import Caller

COOKIE = "llmuses_admin"
FILE = "logouts.jsonl"


class Login(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the cookie says: who, until when (seconds since 1970), a mark of how they proved it, and a random id."""

    name: str
    until: float
    mark: str
    id: str


class Person(msgspec.Struct, frozen=True):
    """Somebody in the room. ``token`` goes into every form: a page of another site cannot know it."""

    name: str
    role: Role
    token: str

    @property
    def is_admin(self) -> bool:
        """Whether models, votes and rules may be changed too."""
        return self.role is Role.ADMIN


class Sessions:
    """Writes, reads and ends cookies. All processes that share the folder know its secret, and which were ended."""

    def __init__(self, folder: Path, accounts: Mapping[str, Account], hours: float):
        """Raises StoreError where the folder's secret can neither be read nor made."""
        self._keys = Keys.of(folder)
        self._accounts = accounts
        self._seconds = hours * 3600
        self._store = JsonlStore(folder / FILE, LogoutLine, Sync.ALWAYS)
        self._mutex = threading.Lock()
        self._read = START
        self._ended: set[str] = set()

    def cookie(self, account: Account, now: float) -> str:
        """Return what the cookie of somebody who has just logged in holds."""
        login = Login(account.name, now + self._seconds, self._mark(account), secrets.token_urlsafe(12))
        return self._keys.sealed("admin", login)

    def person(self, cookie: str | None, now: float) -> Person | None:
        """Return who a cookie stands for; None where it is not ours, too old, was ended, or is of a password that was changed."""
        login = self._keys.unsealed("admin", cookie, Login)
        account = self._accounts.get(login.name) if login else None
        if login is None or account is None or now >= login.until or login.mark != self._mark(account):
            return None
        if _hashed(login) in self._all_ended():
            return None
        return Person(account.name, account.role, self._keys.sign("admin form", str(cookie)))

    def end(self, cookie: str | None) -> None:
        """End a session for good, in every copy of its cookie. Raises StoreError: the session is then still good."""
        if (login := self._keys.unsealed("admin", cookie, Login)) is not None:
            self._store.append(LogoutLine(session=_hashed(login), until=login.until))

    def give(self, response: Response, account: Account, caller: Caller, now: float) -> None:
        """Give a session to the browser of somebody who has just logged in."""
        set_cookie(response, COOKIE, self.cookie(account, now), int(self._seconds), caller, "Strict")

    def take(self, response: Response, caller: Caller) -> None:
        """Have the browser forget its session."""
        set_cookie(response, COOKIE, "", 0, caller, "Strict")

    def nobody(self) -> Person:
        """Return who works on this machine where the room has no account."""
        return Person("local", Role.ADMIN, self._keys.sign("admin form", "local"))

    def _all_ended(self) -> set[str]:
        with self._mutex:
            reader = self._store.read(self._read)
            self._ended.update(line.session for line in reader)  # old ones too: a clock may be set back
            self._read = reader.cursor
            return self._ended

    def _mark(self, account: Account) -> str:
        proof = (account.password, account.login, account.subject, account.username)
        return self._keys.sign("admin account", account.name, *proof)


def set_cookie(response: Response, name: str, value: str, seconds: int, caller: Caller, same_site: str) -> None:
    """Set a cookie of the room that only the server reads; ``same_site`` says whether it comes along from other sites' links."""
    flags = (
        f"Path={caller.path}; Max-Age={seconds}; HttpOnly; SameSite={same_site}{'; Secure' if caller.secure else ''}"
    )
    response.headers.append("set-cookie", f"{name}={value}; {flags}")


def _hashed(login: Login) -> str:
    return hashlib.blake2b(login.id.encode(), digest_size=12).hexdigest()
