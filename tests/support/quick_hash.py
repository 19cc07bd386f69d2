"""Password hashes that are checked in a moment: a room takes whatever effort an account's hash names."""

from __future__ import annotations

from argon2 import PasswordHasher


def quick_hash(password: str) -> str:
    """Return an argon2id hash of a password that no attacker would be held up by."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
