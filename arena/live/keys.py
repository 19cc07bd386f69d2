"""What an arena's folder keeps secret: it signs sessions and battles, and salts pseudonyms. All processes share it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TypeVar

import msgspec

from arena.live.visitor import Tier, Visitor, block_of, site_of
from llmuses.errors import StoreError

S = TypeVar("S", bound=msgspec.Struct)

_BYTES = 32
_LONGEST = 1000
"""A cookie or token beyond so many characters is none of ours, and is not even hashed."""


class Session(msgspec.Struct, frozen=True, array_like=True):
    """What the session cookie says: a random id, since when (seconds), and the pseudonym of the account that logged in."""

    id: str
    since: float
    account: str | None = None


class Keys:
    """Signs and recognises. Whoever lacks the secret can forge nothing, and cannot tell who a pseudonym is."""

    def __init__(self, secret: bytes):
        self._secret = secret

    @classmethod
    def of(cls, folder: Path) -> Keys:
        """Return the keys of a folder, which are made where there are none. Raises StoreError."""
        path = folder / "secret"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _make(path)
            secret = bytes.fromhex(path.read_text("ascii").strip())
        except (OSError, ValueError) as problem:
            raise StoreError(f"cannot use {path}: {getattr(problem, 'strerror', None) or problem}") from problem
        if len(secret) < _BYTES:
            raise StoreError(f"cannot use {path}: it is too short to be a secret; remove it and start again.")
        return cls(secret)

    def sign(self, purpose: str, *parts: str) -> str:
        """Return a signature over parts, good for one purpose only: 22 characters that an address may hold."""
        body = "\x00".join((purpose, *(str(len(part)) for part in parts), *parts))
        return _text(hmac.digest(self._secret, body.encode("utf-8", "surrogatepass"), "sha256")[:16])

    def is_signed(self, signature: str, purpose: str, *parts: str) -> bool:
        """Return whether this is the signature, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(signature.encode("utf-8", "replace"), self.sign(purpose, *parts).encode())

    # -- sessions

    def new_session(self, now: float, account: str | None = None) -> Session:
        """Return a session that nobody had."""
        return Session(secrets.token_urlsafe(16), now, account)

    def cookie(self, session: Session) -> str:
        """Return what the cookie of a session holds."""
        return self.sealed("session", session)

    def session(self, cookie: str | None, now: float, days: float) -> Session | None:
        """Return the session of a cookie; None where it is not ours, or older than so many days."""
        session = self.unsealed("session", cookie, Session)
        return session if session is not None and now - session.since < days * 86400 else None

    def sealed(self, purpose: str, content: msgspec.Struct) -> str:
        """Return a text that a browser may keep and cannot change."""
        body = _text(msgspec.json.encode(content))
        return f"{body}.{self.sign(purpose, body)}"

    def unsealed(self, purpose: str, text: str | None, kind: type[S]) -> S | None:
        """Return what ``sealed`` was given for this purpose; None for any other text."""
        if not text or len(text) > _LONGEST:
            return None
        body, _, signature = text.partition(".")
        if not self.is_signed(signature, purpose, body):
            return None
        try:
            return msgspec.json.decode(_bytes(body), type=kind)
        except (msgspec.DecodeError, ValueError):
            return None

    def visitor(self, session: Session, address: str) -> Visitor:
        """Return who calls with a session from an address; the address itself is forgotten."""
        voter = session.account or self.pseudonym("session", session.id)
        tier = Tier.LOGIN if session.account else Tier.ANONYMOUS
        site = site_of(address) and self.pseudonym("site", site_of(address))
        return Visitor(session.id, voter, self.pseudonym("block", block_of(address)), tier, site)

    def pseudonym(self, kind: str, name: str) -> str:
        """Return a salted hash of a name: 16 hex digits, the same in every process that shares the folder."""
        key = hashlib.blake2b(b"pseudonym", key=self._secret, digest_size=32).digest()
        return hashlib.blake2b(f"{kind}\x00{name}".encode("utf-8", "replace"), key=key, digest_size=8).hexdigest()

    # -- battles

    def token(self, battle_id: str, session: str) -> str:
        """Return what stands for a battle outside: it works with the session that it was given to and no other."""
        return f"{battle_id}.{self.sign('battle', battle_id, session)}"

    def battle_id(self, token: str, session: str) -> str | None:
        """Return the id of a battle whose token this session was given; None for any other text."""
        battle_id, _, signature = token.partition(".") if len(token) <= _LONGEST else ("", "", "")
        return battle_id if self.is_signed(signature, "battle", battle_id, session) else None


def _make(path: Path) -> None:
    """Put a fresh secret in place, whole and readable by its owner only; where another process was faster, its own stays."""
    with open(path.with_name(f".{path.name}.lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _write(path)


def _write(path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_BYTES))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
