"""What the browser stories share: the app over a module's own ``outputs``, one browser, and windows of it."""

from __future__ import annotations

import pytest

from tests.support.browser import chromium, served
from tests.support.windows import Windows


@pytest.fixture(scope="module")
def address(outputs):
    with served(outputs) as where:
        yield where


@pytest.fixture(scope="package")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def windows(browser):
    made = Windows(browser)
    yield made
    made.close()


@pytest.fixture
def window(windows, request):
    """Open a window on the module's app, or on the one at ``address``; in the end none of them had anything to complain of."""
    made = []

    def make(address=None, **options):
        made.append(windows.open(address or request.getfixturevalue("address"), **options))
        return made[-1]

    yield make
    problems = [problem for each in made for problem in each.problems]
    for each in made:
        each.close()
    assert problems == []


@pytest.fixture
def page(window):
    return window().page
