"""Who may enter the admin room, and where an admin may point it: one YAML file, or one environment variable.

registry/config/admin.yaml says what each rule means.
"""

from __future__ import annotations

import os
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import msgspec

from arena.live.rules import Provider
from llmuses.errors import UsageError, in_words
from llmuses.settings import REGISTRY
from llmuses.yaml_files import read_yaml

RULES_ENV = "LLMUSES_ADMIN_CONFIG"
PASSWORD_ENV = "LLMUSES_ADMIN_PASSWORD"
"""A password, or its argon2 hash, of the one account ``admin``: the short way."""

_SALT = b"LLMUSES_ADMIN_PASSWORD"
"""The same at each start, so that sessions outlive a restart. The hash is in memory only: no salt need hide what it is of."""


class Role(StrEnum):
    """What somebody may do: an operator starts and stops jobs, an admin changes models, votes and rules as well."""

    OPERATOR = "operator"
    ADMIN = "admin"


class _Rule(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A rule of the file: a name that is not known is refused."""


class Account(_Rule, kw_only=True, frozen=True):
    """Somebody with a password, or with an account elsewhere.

    ``password`` is an argon2 hash, as ``llmuses password`` prints it. ``login`` names a provider of ``logins``, ``subject``
    or ``username`` who it is there.
    """

    name: str
    password: str = ""
    login: str = ""
    subject: str = ""
    username: str = ""
    role: Role = Role.OPERATOR

    def __post_init__(self) -> None:
        by_password = self.password.startswith("$argon2") and not (self.login or self.subject or self.username)
        elsewhere = self.login and bool(self.subject) != bool(self.username) and not self.password
        if not self.name.strip() or not (by_password or elsewhere):
            raise ValueError(
                "an account has a name, and a password hash that begins with $argon2 (llmuses password) or a login with a "
                "subject or a username"
            )


class AdminRules(_Rule, kw_only=True, frozen=True):
    """The rules of the room."""

    accounts: tuple[Account, ...] = ()
    logins: dict[str, Provider] = {}
    """OpenID Connect providers at which accounts may log in."""
    session_hours: float = 12.0
    proxies: tuple[str, ...] = ()
    """Networks of proxies whose X-Forwarded-For is believed."""
    allowed_addresses: tuple[str, ...] = ()
    """Networks inside which a model's server may be, beside the public internet."""

    def __post_init__(self) -> None:
        names = [account.name for account in self.accounts]
        if len(set(names)) < len(names):
            raise ValueError("two accounts have one name")
        elsewhere = [(account.login, account.subject, account.username) for account in self.accounts if account.login]
        if len(set(elsewhere)) < len(elsewhere):
            raise ValueError("two accounts are one person elsewhere")
        for login, _, _ in elsewhere:
            if login not in self.logins:
                raise ValueError(f"there is no '{login}' among the logins")
        for network in (*self.proxies, *self.allowed_addresses):
            ip_network(network)

    def networks(self) -> list[IPv4Network | IPv6Network]:
        """Return the networks that a model's server may be in."""
        return [ip_network(network) for network in self.allowed_addresses]


def read_rules() -> AdminRules:
    """Return the rules that the environment names: LLMUSES_ADMIN_CONFIG, and the account of LLMUSES_ADMIN_PASSWORD.

    Raises UsageError for a file that cannot be read and for a rule that cannot be meant.
    """
    own = os.environ.get(RULES_ENV)
    rules = _read(Path(own).expanduser() if own else REGISTRY / "config" / "admin.yaml")
    if password := os.environ.get(PASSWORD_ENV):
        if any(account.name == "admin" for account in rules.accounts):
            raise UsageError(f"the account 'admin' is in {own}; take {PASSWORD_ENV} away.")
        hashed = password if password.startswith("$argon2") else hash_password(password, _SALT)
        admin = Account(name="admin", password=hashed, role=Role.ADMIN)
        rules = msgspec.structs.replace(rules, accounts=(*rules.accounts, admin))
    return rules


def _read(path: Path) -> AdminRules:
    try:
        return msgspec.convert(read_yaml(path) or {}, AdminRules)
    except msgspec.ValidationError as problem:
        raise UsageError(f"{path}: {in_words(problem)}.") from problem


def hash_password(password: str, salt: bytes | None = None) -> str:
    """Return the argon2id hash of a password: 46 MiB, one pass, one lane (OWASP's Password Storage Cheat Sheet).

    ``salt`` is random unless given. Raises UsageError for a password that is too short to keep anybody out.
    """
    from argon2 import PasswordHasher

    if len(password) < 8:
        raise UsageError("a password of the admin room has at least 8 characters.")
    return PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1).hash(password, salt=salt)
