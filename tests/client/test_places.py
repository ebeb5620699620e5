"""client/places.py: what the conversation's tests cannot reach."""

from __future__ import annotations

from unittest import mock

from client.calls import Calls
from client.places import Places
from client.preferences import Preferences
from tests.support.events import BOB, said

EVE = 44


def test_another_history_has_other_persons() -> None:
    """Whoever was meant by a number before is not written to, and not hidden."""
    client = mock.Mock(channel="#general", person=7)
    client.room.return_value = None
    view = mock.Mock(lines=24)
    places = Places(client, view, lambda name, place: None)
    places.show("@eve", 0.0, person=EVE)
    places.ignored = frozenset({BOB})
    assert places.receiver == EVE
    places.forget()
    assert places.receiver == 0
    places.event(said(1, place=0), replayed=True)
    view.event.assert_called_once()


def test_the_title_of_the_window() -> None:
    """The place on the screen, and the unread lines of all places that call the user; others do not count."""
    rooms = [mock.Mock(place=place, unread=unread, read=10) for place, unread in ((1, 2), (9, 1), (30, 0))]
    client = mock.Mock(channel="#general", person=7, rooms=rooms)
    client.name = "ann"
    places = Places(client, mock.Mock(lines=24), lambda name, place: None)
    assert places.title() == "#general"
    places.calls = Calls(client, Preferences())
    for line in (said(9, "ann"), said(11, "ann?"), said(12, "well"), said(13, "Ann!", place=9)):
        places.calls.take(line, live=True)
    assert places.title() == "(2) #general"
    rooms[0].unread = 0
    assert places.title() == "(1) #general"
