"""Sandboxes that the tests of this folder share: opened when first needed, closed at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from llmuses.sandbox.backends import Backend
from tests.sandbox.places import WORKERS, Place, Unavailable

Opener = Callable[..., Place]


@pytest.fixture(scope="session")
def place_of() -> Iterator[Opener]:
    """Return what opens a place, or skips the test with the reason why it cannot be."""
    opened: dict[tuple[str, str, int], Place | str] = {}

    def open_place(where: tuple[Backend, str], workers: int = WORKERS) -> Place:
        backend, who = where
        if sys.platform != "linux":
            pytest.skip("Linux isolates programs, this system does not")
        key = (backend.name, who, workers)
        if key not in opened:
            try:
                opened[key] = Place(backend, who, workers)
            except Unavailable as error:
                opened[key] = str(error)
        place = opened[key]
        if isinstance(place, str):
            pytest.skip(f"{backend.name} as {who}: {place}")
        return place

    yield open_place
    for place in opened.values():
        if isinstance(place, Place):
            place.close()


@pytest.fixture
def place(request: pytest.FixtureRequest, place_of: Opener) -> Place:
    """Return a place whose programs run one after the other, all forked from one zygote."""
    return place_of(request.param, workers=1)
