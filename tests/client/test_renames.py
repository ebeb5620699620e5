"""client/renames.py"""

from __future__ import annotations

import pytest

from chatroom.events import Event, EventKind, Extra, extra_row
from client.limits import KEPT_RENAMES
from client.renames import Renames
from tests.support.events import NOON

JOINED, QUIT, RENAMED = EventKind.JOINED, EventKind.QUIT, EventKind.RENAMED


def event(kind: EventKind, name: str, text: str = "", person: int = 5) -> Event:
    return Event(1, NOON, kind, "", name, text, 0, person)


@pytest.mark.parametrize(
    ("events", "hint"),
    [
        ([], ""),
        ([event(RENAMED, "ann", "anna")], "; ann is anna now"),
        ([event(RENAMED, "Ann", "anna"), event(RENAMED, "anna", "annie")], "; ann is annie now"),
        ([event(RENAMED, "ann", "anna"), event(RENAMED, "anna", "ann")], ""),
        ([event(RENAMED, "ann", "anna"), event(JOINED, "ann")], ""),
        ([event(RENAMED, "ann", "anna"), event(RENAMED, "bob", "ann", 6)], ""),
        ([event(RENAMED, "ann", "anna"), event(QUIT, "anna", "bye")], ""),
        ([event(RENAMED, "ann", "anna"), event(QUIT, "bob", "bye", 6)], "; ann is anna now"),
        ([event(RENAMED, "ann", "Ann")], ""),
    ],
)
def test_the_present_name(events: list[Event], hint: str) -> None:
    """As long as nobody else has the earlier name, and the person is here."""
    renames = Renames()
    for each in events:
        renames.happened(each)
    assert renames.hint("ann hello") == hint
    assert renames.hint("") == renames.hint("nobody ann-2 ann") == ""
    renames.forget()
    assert renames.hint("ann") == ""


def test_the_name_is_one_of_the_first_words() -> None:
    """As commands have it: behind a place, with a sign before it."""
    renames = Renames()
    renames.happened(event(RENAMED, "ann", "anna"))
    for arguments in ("ann", "@ann", "+ann 10m", "* ANN"):
        assert renames.hint(arguments).endswith(" is anna now")


def test_an_erased_person_has_no_name() -> None:
    """Neither the earlier one nor the present one is told."""
    renames = Renames()
    renames.happened(event(RENAMED, "ann", "anna"))
    extra = extra_row(Extra.TARGET, 5, 4)
    renames.happened(Event(2, NOON, EventKind.ERASED, "", "", "", 0, 0, 0, extra))
    assert renames.hint("ann") == ""


def test_only_the_latest_are_kept() -> None:
    """However many take another name."""
    renames = Renames()
    for number in range(KEPT_RENAMES + 1):
        renames.happened(event(RENAMED, f"a{number}", f"b{number}", number + 1))
    assert renames.hint("a0") == "" and renames.hint("a1") == "; a1 is b1 now"
