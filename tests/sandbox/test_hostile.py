"""Each program that tries to get out is contained, by each backend, for root and for an ordinary user."""

from __future__ import annotations

import inspect
import platform
from concurrent.futures import Future
from functools import cache

import pytest

from llmuses.sandbox import FunctionJob, Outcome, Verdict
from llmuses.sandbox.backends import BACKENDS
from tests.sandbox import hostile_programs
from tests.sandbox.conftest import Opener
from tests.sandbox.hostile_programs import HELPERS
from tests.sandbox.places import LIMITS, SHORT, WHERE, Place, name_of

PASSED, ERROR = {Outcome.PASSED}, {Outcome.ERROR}
TIMED_OUT, OUT_OF_MEMORY = {Outcome.TIMED_OUT}, {Outcome.OUT_OF_MEMORY}

OUTCOMES: dict[str, set[Outcome]] = {
    "makes_calls_in_the_x32_numbering": ERROR,
    "makes_calls_in_the_32_bit_numbering": ERROR,
    # Where no file system of its own refuses, the program is ended.
    "fills_the_disk_with_many_files": PASSED | ERROR,
    "fills_the_disk_in_a_folder_that_cannot_be_listed": PASSED | ERROR,
    "fills_the_disk_below_a_path_that_is_too_long": PASSED | ERROR,
    "makes_files_without_end": PASSED | ERROR,
    "makes_folders_in_folders_without_end": PASSED | ERROR,
    "takes_all_memory_slowly": OUT_OF_MEMORY,
    "takes_all_memory_at_once": OUT_OF_MEMORY,
    "takes_all_memory_in_many_processes": OUT_OF_MEMORY,
    "takes_all_memory_in_shared_pieces": OUT_OF_MEMORY,
    "takes_all_memory_in_c": OUT_OF_MEMORY,
    "forks_without_end": TIMED_OUT,
    "loops_without_end": TIMED_OUT,
    "loops_in_c_with_all_signals_blocked": TIMED_OUT,
    "matches_an_expression_without_end": TIMED_OUT,
    "sleeps_without_end": TIMED_OUT,
    "ignores_every_signal": TIMED_OUT,
    "stops_itself": TIMED_OUT,
    "prints_without_end": TIMED_OUT,
    "recurses_without_end": ERROR | OUT_OF_MEMORY | TIMED_OUT,
    "crashes_the_interpreter": ERROR,
    "aborts": ERROR,
    "ends_as_if_all_were_well": ERROR,
    "kills_itself": ERROR,
    "writes_a_verdict_to_every_descriptor": {Outcome.ERROR, Outcome.FAILED},
    "closes_every_descriptor": ERROR,
}
"""How the test of a program ends; those that are not here return ``contained``, and so pass."""

GAPS = {
    "sees_that_a_file_exists": "metadata",
    "sees_the_name_of_the_machine": "machine",
    "fills_the_disk_with_deleted_files": "deleted_files",
}
"""What some backend says that it does not contain."""

PROGRAMS = {
    name: function
    for name, function in vars(hostile_programs).items()
    if inspect.isfunction(function) and function not in HELPERS
}

TEST = """
def check(candidate):
    # the text of the test
    said = candidate()
    assert said == "contained", said
"""


def send(place: Place, name: str) -> Future[Verdict]:
    """Return the verdict to come of a program; each is sent into a place once."""
    if (sent := place.sent(name)) is not None:
        return sent
    endless = Outcome.TIMED_OUT in OUTCOMES.get(name, PASSED)
    return place.send(name, job_of(name, place.target), SHORT if endless else LIMITS)


def job_of(name: str, target: dict[str, object]) -> FunctionJob:
    """Return a hostile program as a model's answer to a question of HumanEval's kind."""
    return FunctionJob(f"{_HEAD}TARGET = {target!r}\n{source_of(name)}", TEST, entry_point=name)


_HEAD = inspect.getsource(hostile_programs).split("TARGET: dict")[0]


@cache
def source_of(name: str) -> str:
    """Return the text of a program with what it is made of."""
    return "\n".join(inspect.getsource(part) for part in (*HELPERS, PROGRAMS[name]))


@pytest.fixture
def place(request: pytest.FixtureRequest, place_of: Opener) -> Place:
    """Return a place with all the programs on their way, several at a time."""
    place = place_of(request.param)
    for name in PROGRAMS:
        send(place, name)
    return place


@pytest.mark.parametrize("place", WHERE, ids=name_of, indirect=True)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_contained_that(name: str, place: Place, request: pytest.FixtureRequest) -> None:
    """Its outcome is the right one, and nothing outside has changed."""
    if platform.machine() != "x86_64" and "system_call" in source_of(name).partition(f"def {name}")[2]:
        pytest.skip("makes calls by their numbers on x86-64")
    if GAPS.get(name) in place.backend.uncontained:
        request.applymarker(pytest.mark.xfail(reason=place.backend.uncontained[GAPS[name]], strict=True))
    verdict = send(place, name).result(120)
    assert verdict.outcome in OUTCOMES.get(name, PASSED), verdict
    assert "the sandbox broke" not in verdict.detail
    assert verdict.backend == place.backend.name
    assert not verdict.unsafe


def test_what_a_backend_says_it_does_not_contain_is_tried() -> None:
    """Each of these words is held to be true by a program above."""
    said = {name for backend in BACKENDS for name in backend.uncontained}
    assert said == set(GAPS.values())


@pytest.mark.parametrize("place", WHERE, ids=name_of, indirect=True)
def test_after_all_of_them_the_outside_is_as_it_was_and_the_pool_goes_on(place: Place) -> None:
    for name in PROGRAMS:
        send(place, name).result(120)
    assert place.outside.state() == place.outside.before
    good = FunctionJob("def double(x):\n    return 2 * x\n", "assert double(21) == 42")
    bad = FunctionJob("def double(x):\n    return x\n", "assert double(21) == 42")
    assert [place.sandbox.run(job).outcome for job in (good, bad) * 4] == [Outcome.PASSED, Outcome.FAILED] * 4
