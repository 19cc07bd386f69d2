"""Proofs of work: a challenge as altcha's widget solves it, made and checked here, good once.

The challenge is the SHA-256 of a salt and a secret number; to find the number costs hashes, to check it one. Source: the
format of altcha (https://altcha.org), version 1.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from arena.live.keys import Keys
from arena.live.refusal import Refusal
from arena.live.rules import Proof

_LONGEST = 2_000


class Challenge(msgspec.Struct, kw_only=True, rename={"most": "maxnumber"}):
    """What the browser is given."""

    algorithm: str = "SHA-256"
    challenge: str
    most: int
    salt: str
    signature: str


class _Solved(msgspec.Struct):
    algorithm: str
    challenge: str
    number: int
    salt: str
    signature: str


class Proofs:
    """Makes challenges for sessions and takes their solutions, each once over all processes that share the folder."""

    def __init__(self, folder: Path, keys: Keys, rule: Proof, clock: Callable[[], float]):
        self._spent = folder / "spent"
        self._keys = keys
        self._rule = rule
        self._clock = clock

    def challenge(self, session: str) -> Challenge:
        """Return a challenge that only this session may solve, for a while."""
        salt = f"{secrets.token_hex(12)}?expires={int(self._clock() + self._rule.seconds)}"
        challenge = _hash(salt, secrets.randbelow(self._rule.numbers + 1))
        signature = self._keys.sign("proof", challenge, salt, session)
        return Challenge(challenge=challenge, most=self._rule.numbers, salt=salt, signature=signature)

    def spend(self, proof: str, session: str) -> None:
        """Take a solution (base64 of JSON, as altcha's widget sends it). Raises Refusal ``proof`` where it does not count."""
        if len(proof) > _LONGEST:
            raise Refusal("proof")
        try:
            solved = msgspec.json.decode(base64.b64decode(proof, validate=True), type=_Solved)
            expires = int(solved.salt.rpartition("?expires=")[2])
        except (ValueError, msgspec.DecodeError):
            raise Refusal("proof") from None
        good = (
            solved.algorithm == "SHA-256"
            and self._keys.is_signed(solved.signature, "proof", solved.challenge, solved.salt, session)
            and expires > self._clock()
            and _hash(solved.salt, solved.number) == solved.challenge
        )
        if not good or not self._first_time(solved.challenge, expires):
            raise Refusal("proof")

    def _first_time(self, challenge: str, expires: int) -> bool:
        """Note that a challenge is spent, and return whether it was not before: the file system decides between processes."""
        self._spent.mkdir(exist_ok=True)
        try:
            os.close(os.open(self._spent / f"{expires}-{challenge}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        return True

    def forget(self) -> None:
        """Remove notes of challenges that have expired."""
        if self._spent.is_dir():
            for note in self._spent.iterdir():
                when = note.name.partition("-")[0]
                if when.isdigit() and int(when) < self._clock():
                    note.unlink(missing_ok=True)


def _hash(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
