"""Stylesheets, scripts and drawings: where they are, and their addresses with a hash in the name.

The folder ``static`` lies inside the package of an installed wheel, and beside the packages in a checkout.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from llmuses.markup import Markup, join
from llmuses.settings import static_dir

PREFIX = "ui"
"""The folder of the addresses. Gradio keeps ``static`` and ``assets`` for itself."""

STYLES = ("tokens.css", "components.css", "gradio-look.css", "app.css", "browse.css", "views.css", "arena.css")
BLOCKING_SCRIPTS = ("theme.js",)
SCRIPTS = (
    "shell.js",
    "browse.js",
    "charts.js",
    "arena_api.js",
    "arena_proof.js",
    "arena_pane.js",
    "arena_room.js",
    "arena_composer.js",
    "arena_beside.js",
    "arena.js",
)
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
        if path.is_file() and path.suffix in {".css", ".js", ".json", ".svg", ".png"}:
            kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
            files[address(path.name).rpartition("/")[2]] = (path.read_bytes(), kind)
    return files


def plotly_address() -> str:
    """Return the address of Plotly's script, which the installed package holds: it changes with the version."""
    return f"{PREFIX}/plotly-{version('plotly')}.min.js"


@cache
def plotly_script() -> tuple[bytes, bytes]:
    """Return Plotly's script, plain and gzipped: five megabytes, and a third of that. Raises FileNotFoundError."""
    path = find_spec("plotly")
    assert path is not None and path.submodule_search_locations
    content = Path(path.submodule_search_locations[0], "package_data", "plotly.min.js").read_bytes()
    return content, gzip.compress(content, 6)


def styles(up: str = "") -> Markup:
    """Return the links to the stylesheets, in their order. ``up`` leads from the document's base to where the app is served."""
    return join((Markup('<link rel="stylesheet" href="{}">').format(up + address(name)) for name in STYLES), "\n")


def tags(up: str = "") -> Markup:
    """Return what a document's head needs: icon, stylesheets, the script that sets the theme before the first paint."""
    return join(
        [
            Markup('<link rel="icon" type="image/svg+xml" href="{}">').format(up + address(LOGO)),
            styles(up),
            *(Markup('<script src="{}"></script>').format(up + address(name)) for name in BLOCKING_SCRIPTS),
            *(Markup('<script src="{}" defer></script>').format(up + address(name)) for name in SCRIPTS),
        ],
        "\n",
    )
