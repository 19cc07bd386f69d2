"""Which keys an operator may send where: those that an admin named for that very server, in models.yaml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from llmuses.errors import UsageError
from llmuses.settings import model_entries
from llmuses.web.admin.sessions import Person

_USUAL = "OPENAI_API_KEY"


def check_key(args: Mapping[str, Any], person: Person) -> None:
    """Raise UsageError where an operator would send a key of this machine to a server that nobody gave it to.

    ``args`` are those of the openai backend. Whoever names both the server and the variable reads any secret in the
    environment; an admin may, for models.yaml is theirs.
    """
    if person.is_admin:
        return
    server, variable = _sent(args)
    given = {_sent({}), *(_sent(entry.args) for entry in model_entries().values() if entry.model.startswith("openai:"))}
    if os.environ.get(variable) and (server, variable) not in given:
        raise UsageError(
            f"{variable} would be sent to {server}, for which models.yaml does not name it: an admin may add the server "
            "there; for one that needs no key name a variable that is not set."
        )


def _sent(args: Mapping[str, Any]) -> tuple[str, str]:
    """Return the server that arguments lead to, and the variable whose key it gets."""
    from llmuses.models.openai.server import server_url

    return server_url(args.get("base_url")), str(args.get("api_key_env") or _USUAL)
