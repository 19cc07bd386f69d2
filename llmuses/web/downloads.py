"""What can be taken away: the board, a run's reports, its raw lines. Addresses name runs and datasets, never files.

Rows of a benchmark whose authors ask for it are not handed out (403).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from leaderboard.browse_parts import datasets, public
from leaderboard.results import Results, RunEntry, Runs
from leaderboard.samples import find_prediction, find_review
from leaderboard.sheets import WRITERS, Sheet

_RUN_FILES = {"report.html": "text/html", "report.md": "text/markdown", "run.json": "application/json"}
_LINES = {"reviews.jsonl": RunEntry.reviews, "predictions.jsonl": RunEntry.predictions}

_ALONE = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""The policy of a report's own page: a run folder may come from anywhere, so its HTML gets no script and no origin."""


class _Refusal(Exception):
    def __init__(self, status: int, words: str):
        self.status = status
        self.words = words


Handler = Callable[[Runs, Mapping[str, str]], Response]


SheetOf = Callable[[Mapping[str, str]], Sheet | None]
"""What makes a sheet of the view that a query chooses, ``None`` where there is nothing to take away."""


Export = Callable[[str, Mapping[str, str]], Response]
"""What answers the addresses below ``export/``: a name and a query."""


def add_downloads(app: FastAPI, results: Results, sheets: Mapping[str, SheetOf]) -> None:
    """Add the routes below ``export/`` to the app: what is public."""
    answer = exporting(results, sheets)

    def export(name: str, request: Request) -> Response:
        return answer(name, request.query_params)

    app.add_api_route("/export/{name}", export, methods=["GET"], response_class=Response)


def exporting(results: Runs, sheets: Mapping[str, SheetOf]) -> Export:
    """Return what hands out the files of some runs. ``sheets`` are the views that can be had in each format, by their names."""
    handlers: dict[str, Handler] = {
        **{
            f"{name}.{ending}": partial(_sheet, name=name, ending=ending, make=make)
            for name, make in sheets.items()
            for ending in WRITERS
        },
        "report.json": _report,
        "review.json": partial(_record, prediction=False),
        "prediction.json": partial(_record, prediction=True),
        **{name: partial(_run_file, name=name) for name in _RUN_FILES},
        **{name: partial(_lines, name=name) for name in _LINES},
    }

    def answer(name: str, query: Mapping[str, str]) -> Response:
        handler = handlers.get(name)
        if handler is None:
            return Response(status_code=404)
        try:
            return handler(results, query)
        except _Refusal as refusal:
            return PlainTextResponse(refusal.words, refusal.status)

    return answer


def _sheet(_: Runs, query: Mapping[str, str], name: str, ending: str, make: SheetOf) -> Response:
    found = make(query)
    if found is None:
        raise _Refusal(404, "There is nothing to take away yet.")
    write, kind = WRITERS[ending]
    return _attached(write(found), kind, f"{name}.{ending}")


def _attached(content: str | bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers=_attachment(name))


def _attachment(name: str) -> dict[str, str]:
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"', "Cache-Control": "no-store"}


def _entry(results: Runs, query: Mapping[str, str]) -> RunEntry:
    entry = results.run(query.get("run", ""))
    if entry is None:
        raise _Refusal(404, "There is no such run.")
    return entry


def _dataset(entry: RunEntry, query: Mapping[str, str]) -> str:
    dataset = query.get("dataset", "")
    if dataset not in datasets(entry):
        raise _Refusal(404, "This run did not ask that benchmark.")
    return dataset


def _public_dataset(entry: RunEntry, query: Mapping[str, str]) -> str:
    dataset = _dataset(entry, query)
    if not public(entry, dataset):
        raise _Refusal(403, "The authors of this benchmark ask that its questions stay unpublished.")
    return dataset


def _existing(entry: RunEntry, path: Path) -> Path:
    """Return the path of a file that is there and lies below the outputs folder."""
    if not path.is_file() or not entry.inside(path):
        raise _Refusal(404, "This run has no such file yet.")
    return path


def _run_file(results: Runs, query: Mapping[str, str], name: str) -> Response:
    entry = _entry(results, query)
    path = _existing(entry, entry.folder / name)
    if name == "report.html":
        headers = {"Content-Security-Policy": _ALONE, "Cache-Control": "no-store"}
        return FileResponse(path, media_type=_RUN_FILES[name], headers=headers)
    return FileResponse(path, media_type=_RUN_FILES[name], headers=_attachment(f"{entry.run_id}-{name}"))


def _report(results: Runs, query: Mapping[str, str]) -> Response:
    entry = _entry(results, query)
    report = entry.reports.get(_dataset(entry, query))
    if report is None:
        raise _Refusal(404, "This benchmark is not finished yet.")
    content = msgspec.json.format(msgspec.json.encode(report), indent=2)
    return _attached(content, "application/json", f"{entry.run_id}-{report.dataset}.json")


def _lines(results: Runs, query: Mapping[str, str], name: str) -> Response:
    entry = _entry(results, query)
    dataset = _public_dataset(entry, query)
    path = _existing(entry, _LINES[name](entry, dataset))
    return FileResponse(
        path, media_type="application/x-ndjson", headers=_attachment(f"{entry.run_id}-{dataset}-{name}")
    )


def _record(results: Runs, query: Mapping[str, str], prediction: bool) -> Response:
    entry = _entry(results, query)
    dataset = _public_dataset(entry, query)
    repeat = query.get("repeat", "0")
    number = int(repeat) if repeat.isascii() and repeat.isdigit() and len(repeat) < 9 else 0
    review = find_review(_existing(entry, entry.reviews(dataset)), query.get("sample", ""), number)
    if review is None:
        raise _Refusal(404, "This run has no such sample.")
    record: msgspec.Struct | None = review
    if prediction:
        record = find_prediction(_existing(entry, entry.predictions(dataset)), review)
    if record is None:
        raise _Refusal(404, "The answer itself was not kept.")
    return Response(msgspec.json.format(msgspec.json.encode(record), indent=2), media_type="application/json")
