"""Stylesheets, scripts and drawings: where they are, and their addresses with a hash in the name.

The folder ``static`` lies inside the package of an installed wheel, and beside the packages in a checkout.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache

from llmuses.markup import Markup, join
from llmuses.settings import static_dir

PREFIX = "ui"
"""The folder of the addresses. Gradio keeps ``static`` and ``assets`` for itself."""

STYLES = ("tokens.css", "components.css", "gradio-look.css", "app.css", "browse.css", "views.css")
BLOCKING_SCRIPTS = ("theme.js",)
SCRIPTS = ("shell.js", "browse.js")
LOGO = "logo.svg"


@cache
def address(name: str) -> str:
    """Return a static file's relative address, ``ui/tokens.1f2e3d4c.css``: it changes with the content."""
    path = static_dir() / name
    digest = hashlib.blake2b(path.read_bytes(), digest_size=4).hexdigest()
    return f"{PREFIX}/{path.stem}.{digest}{path.suffix}"


@cache
def served() -> dict[str, tuple[bytes, str]]:
    """Return what is served: content and media type by the last part of the address."""
    files = {}
    for path in sorted(static_dir().iterdir()):
        if path.is_file() and path.suffix in {".css", ".js", ".svg", ".png"}:
            kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
            files[address(path.name).rpartition("/")[2]] = (path.read_bytes(), kind)
    return files


def styles() -> Markup:
    """Return the links to the stylesheets, in their order."""
    return join((Markup('<link rel="stylesheet" href="{}">').format(address(name)) for name in STYLES), "\n")


def tags() -> Markup:
    """Return what a document's head needs: icon, stylesheets, the script that sets the theme before the first paint."""
    return join(
        [
            Markup('<link rel="icon" type="image/svg+xml" href="{}">').format(address(LOGO)),
            styles(),
            *(Markup('<script src="{}"></script>').format(address(name)) for name in BLOCKING_SCRIPTS),
            *(Markup('<script src="{}" defer></script>').format(address(name)) for name in SCRIPTS),
        ],
        "\n",
    )
