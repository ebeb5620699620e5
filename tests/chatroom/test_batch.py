"""The batch: events of one round, encoded once."""

from __future__ import annotations

from chatroom.batch import Batch
from chatroom.packets import encode_event
from tests.chatroom.fakes import FakeDoor
from tests.support.events import said

EVENTS = [said(1), said(2, channel="#quiet"), said(3)]


def test_each_event_is_encoded_once_a_door() -> None:
    """However many audiences a door has, it encodes each event once."""
    native, other = FakeDoor(), FakeDoor()
    batch = Batch(0, list(EVENTS))
    for channels in ({"#general"}, {"#quiet"}, {"#general", "#quiet"}, set()):
        batch.bytes_for((native, frozenset(channels)))
    batch.bytes_for((other, frozenset({"#general"})))
    assert (native.encoded, other.encoded) == (3, 3)


def test_an_audience_gets_its_channels_in_order() -> None:
    """An audience gets the bytes of the events in its channels, in order, and of no others."""
    batch, door = Batch(0, list(EVENTS)), FakeDoor()
    one, two, three = map(encode_event, EVENTS)
    assert batch.bytes_for((door, frozenset({"#general"}))) == one + three
    assert batch.bytes_for((door, frozenset({"#general", "#quiet"}))) == one + two + three
    assert batch.bytes_for((door, frozenset({"#nowhere"}))) == b""
