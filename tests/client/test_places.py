"""client/places.py: what the conversation's tests cannot reach."""

from __future__ import annotations

from unittest import mock

from client.places import Places
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
