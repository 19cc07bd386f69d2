"""Sandboxes that the tests of this folder share: opened when first needed, closed at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from llmuses.sandbox.backends import Backend
from tests.sandbox.places import Place, Unavailable


@pytest.fixture(scope="session")
def place_of() -> Iterator[Callable[[tuple[Backend, str]], Place]]:
    """Return what opens a place, or skips the test with the reason why it cannot be."""
    opened: dict[tuple[str, str], Place | str] = {}

    def open_place(where: tuple[Backend, str]) -> Place:
        backend, who = where
        if sys.platform != "linux":
            pytest.skip("Linux isolates programs, this system does not")
        key = (backend.name, who)
        if key not in opened:
            try:
                opened[key] = Place(backend, who)
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
