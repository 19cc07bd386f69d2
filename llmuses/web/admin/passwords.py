"""Passwords are checked slowly, and the slower the more often they were wrong."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from llmuses.web.admin.rules import Account, hash_password

_FREE = 5
"""So many wrong passwords cost nothing: people mistype."""

_LONGEST = 900.0
"""Seconds that one waits at most."""

_FORGET = 3600.0
"""Seconds after which the wrong ones of an address are forgotten."""

_ADDRESSES = 10_000
"""As many addresses are remembered, those that called last."""

_EVERYBODY = ""
"""Counts all addresses together, so that a thousand of them are not a thousand times faster."""

_FREE_FOR_ALL = 100
"""An address from which somebody has logged in before does not wait for the others: they could lock everybody out."""


class Wait(Exception):
    """Too many wrong passwords: ``seconds`` until the next one is looked at."""

    def __init__(self, seconds: float):
        super().__init__(f"too many wrong passwords: {seconds:.0f} s")
        self.seconds = seconds


class Passwords:
    """Checks names and passwords. One hash is computed at a time: a flood of logins costs one core, not all."""

    def __init__(self, accounts: Sequence[Account], clock: Callable[[], float] = time.monotonic):
        self._accounts = {account.name: account for account in accounts}
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._welcome: OrderedDict[str, None] = OrderedDict()
        self._mutex = threading.Lock()
        self._hashing = threading.Lock()
        if accounts:
            _nobodys()  # so that not even the first wrong name is answered later than a wrong password

    def check(self, name: str, password: str, address: str) -> Account | None:
        """Return the account, None where name or password is wrong: which of the two is not told, nor by the time it takes.

        ``address`` is what wrong passwords are counted for. Raises Wait where there were too many.
        """
        from argon2 import PasswordHasher
        from argon2.exceptions import Argon2Error, InvalidHashError

        account = self._accounts.get(name)
        with self._hashing:
            self.admit(address)
            right = False
            with contextlib.suppress(Argon2Error, InvalidHashError):
                right = PasswordHasher().verify(account.password if account else _nobodys(), password[:1000])
            if account is not None and right:
                self._forgive(address, name)
                return account
            self.count(address, name)
            return None

    def admit(self, address: str, alone: bool = False) -> None:
        """Raise Wait where an address has to wait for its next try; ``alone`` where nobody else's tries count."""
        now = self._clock()
        with self._mutex:
            for who, free in ((address, _FREE), (_EVERYBODY, _FREE_FOR_ALL)):
                if who == _EVERYBODY and (alone or address in self._welcome):
                    continue
                number, last = self._wrong.get(who, (0, now))
                if now - last > _FORGET:
                    self._wrong.pop(who, None)
                elif number >= free and (left := last + _pause(number - free) - now) > 0:
                    raise Wait(left)

    def count(self, address: str, name: str) -> None:
        """Count a try that failed."""
        now = self._clock()
        with self._mutex:
            for who in (address, _pair(address, name), _EVERYBODY):
                self._wrong[who] = (self._wrong.get(who, (0, now))[0] + 1, now)
                self._wrong.move_to_end(who)
            while len(self._wrong) > _ADDRESSES:
                self._wrong.popitem(last=False)

    def _forgive(self, address: str, name: str) -> None:
        """Forget the wrong passwords of this name; those of others stay, or whoever has an account could guess theirs."""
        with self._mutex:
            own, _ = self._wrong.pop(_pair(address, name), (0, 0.0))
            number, last = self._wrong.pop(address, (0, 0.0))
            if number > own:
                self._wrong[address] = (number - own, last)
            self._welcome[address] = None
            while len(self._welcome) > _ADDRESSES:
                self._welcome.popitem(last=False)


@functools.cache
def _nobodys() -> str:
    """Return the hash that the password of a name is held against which nobody has."""
    return hash_password("nobody has this password")


def _pair(address: str, name: str) -> str:
    return f"{address}\x00{name[:100]}"


def _pause(more: int) -> float:
    return float(min(_LONGEST, 2.0 ** min(more, 20)))
