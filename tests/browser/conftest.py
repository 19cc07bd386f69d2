"""What the browser stories share: the app over a module's own ``outputs``, and one browser."""

from __future__ import annotations

import pytest

from tests.support.browser import chromium, served


@pytest.fixture(scope="module")
def address(outputs):
    with served(outputs) as where:
        yield where


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started
