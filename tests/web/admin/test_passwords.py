"""Passwords of the admin room: whom wrong ones slow down, and who may not guess at leisure."""

from __future__ import annotations

import pytest

from llmuses.web.admin.passwords import Passwords, Wait
from llmuses.web.admin.rules import Account, Role, hash_password

ADA, BOB = "ada's own password", "bob's own password"


@pytest.fixture(scope="module")
def accounts() -> tuple[Account, ...]:
    ada = Account(name="ada", password=hash_password(ADA), role=Role.ADMIN)
    return ada, Account(name="bob", password=hash_password(BOB))


def _looked_at(passwords: Passwords, name: str, password: str) -> bool:
    try:
        passwords.check(name, password, "203.0.113.7")
    except Wait:
        return False
    return True


def test_who_has_an_account_cannot_guess_anothers_password_between_logins(accounts: tuple[Account, ...]) -> None:
    passwords = Passwords(accounts, clock=lambda: 0.0)
    guesses = 0
    for _ in range(8):
        guesses += sum(_looked_at(passwords, "ada", f"guess {number}") for number in range(4))
        _looked_at(passwords, "bob", BOB)
    assert guesses == 5


def test_who_mistyped_and_then_got_it_right_starts_anew(accounts: tuple[Account, ...]) -> None:
    passwords = Passwords(accounts, clock=lambda: 0.0)
    for _ in range(4):
        for number in range(4):
            assert passwords.check("bob", f"typo {number}", "203.0.113.7") is None
        assert passwords.check("bob", BOB, "203.0.113.7") is not None


@pytest.mark.parametrize(
    "patience", [0.0, 600.0, 3601.0], ids=["as fast as it goes", "in bursts", "never seen to wait"]
)
def test_a_thousand_guesses_take_days_however_they_are_spread(
    accounts: tuple[Account, ...], monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """The guesser waits as long as it is told, or, where that is longer than its patience, until it is forgotten."""
    monkeypatch.setattr("argon2.PasswordHasher.verify", lambda *_: False)
    now, looked_at = 0.0, 0
    passwords = Passwords(accounts, clock=lambda: now)
    while looked_at < 1000:
        try:
            passwords.check("ada", "guess", "203.0.113.7")
            looked_at += 1
        except Wait as wait:
            now += 3601.0 if 0 < patience < wait.seconds else wait.seconds
    assert now > 3 * 86_400
