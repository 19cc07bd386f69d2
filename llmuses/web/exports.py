"""What can be fetched from the app as files: ``export/KIND?...``."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from leaderboard.results import Results
from leaderboard.run_files import RunFile, Withheld, run_file
from leaderboard.samples import Shelf
from llmuses.i18n import text
from llmuses.visit import visit


def exporter(results: Results) -> Callable[[str, Request], Response]:
    """Return the endpoint that sends a run's files: 404 for what there is not, 403 for rows that stay unpublished."""
    shelf = Shelf()

    def export(kind: str, request: Request) -> Response:
        who = visit(request)
        found = run_file(results, shelf, kind, who.query)
        if found is None:
            return Response(status_code=404)
        if isinstance(found, Withheld):
            return PlainTextResponse(text(who.lang, "browse.withheld", dataset=found.dataset) + "\n", 403)
        return _sent(found)

    return export


def _sent(found: RunFile) -> Response:
    headers = {"Cache-Control": "no-cache"}
    place = "inline" if found.shown else "attachment"
    if found.path is not None:
        return FileResponse(
            found.path,
            media_type=found.media_type,
            filename=found.name,
            content_disposition_type=place,
            headers=headers,
        )
    return Response(found.content, media_type=found.media_type, headers=headers)
