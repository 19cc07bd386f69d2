"""Who is logged in: a signed cookie, good for some hours, and worth nothing once the password was changed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import msgspec

from arena.live.keys import Keys
from llmuses.web.admin.rules import Account, Role

COOKIE = "llmuses_admin"
_LONGEST = 1000


class Login(msgspec.Struct, frozen=True, array_like=True):
    """What the cookie says: who, until when (seconds since 1970), and a mark of the password that was given."""

    name: str
    until: float
    mark: str


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
    """Writes and reads the cookie. All processes that share the folder's secret know it."""

    def __init__(self, keys: Keys, accounts: Mapping[str, Account], hours: float):
        self._keys = keys
        self._accounts = accounts
        self._seconds = hours * 3600

    def cookie(self, account: Account, now: float) -> str:
        """Return what the cookie of somebody who has just logged in holds."""
        login = Login(account.name, now + self._seconds, _mark(account))
        body = base64.urlsafe_b64encode(msgspec.json.encode(login)).decode()
        return f"{body}.{self._keys.sign('admin', body)}"

    def person(self, cookie: str | None, now: float) -> Person | None:
        """Return who a cookie stands for; None where it is not ours, too old, or of a password that was changed."""
        if not cookie or len(cookie) > _LONGEST:
            return None
        body, _, signature = cookie.partition(".")
        if not self._keys.is_signed(signature, "admin", body):
            return None
        login = msgspec.json.decode(base64.urlsafe_b64decode(body), type=Login)
        account = self._accounts.get(login.name)
        if account is None or now >= login.until or login.mark != _mark(account):
            return None
        return Person(account.name, account.role, self._keys.sign("admin form", cookie))

    def nobody(self) -> Person:
        """Return who works on this machine where the room has no account."""
        return Person("local", Role.ADMIN, self._keys.sign("admin form", "local"))


def _mark(account: Account) -> str:
    return hashlib.blake2b(account.password.encode(), digest_size=6).hexdigest()
