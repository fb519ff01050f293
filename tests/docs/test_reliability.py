"""The page of faults says what the tests that try them say."""

from __future__ import annotations

from tests.faults.page import PAGE, PLACES, faults, markdown


def test_the_page_is_as_its_command_writes_it() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == markdown(), "run python -m tests.faults.page"


def test_there_are_many_and_none_twice() -> None:
    found = [fault.what for fault in faults()]
    assert len(found) >= 60
    assert len(set(found)) == len(found)


def test_each_has_its_place_on_the_page() -> None:
    assert {fault.place for fault in faults()} == set(PLACES)
