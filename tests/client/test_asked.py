"""client/asked.py"""

from __future__ import annotations

from chatroom.packets import Channel, Info, Resumed
from client.asked import Asked
from client.rooms import Room, Rooms
from client.updates import Interrupted
from tests.client.fake_server import ME, channel
from tests.support.events import said

TEA = 9


class Client:
    """In #general, for which it was made, and in #tea."""

    def __init__(self) -> None:
        self.asked = ("#general",)
        self.known = Rooms(self.asked)
        self.known.begin(0, ME, anew=False)
        self.known.enter(channel())
        self.known.enter(Channel(TEA, "#tea", "", 0, 0, 0, ()))

    @property
    def rooms(self) -> list[Room]:
        return self.known.all()


def test_only_channels_that_were_asked_for() -> None:
    """Events of others are not shown, also when the person has left them meanwhile; all else is."""
    client = Client()
    asked = Asked(client)
    asked.look()
    client.known.begin(5, ME, anew=False)
    client.known.enter(channel())
    client.known.caught_up()
    asked.look()
    assert asked.shows(said(1)) and asked.shows(said(2, place=0)) and asked.shows(Info("x"))
    assert not asked.shows(said(3, place=TEA))


def test_a_channel_that_was_joined_here() -> None:
    """From then on its events are shown, and all lines name their channel, also after a change of history."""
    client = Client()
    asked = Asked(client)
    asked.look()
    assert not asked.shows(said(1, place=TEA)) and not asked.several
    client.known.joined("#TEA")
    assert asked.shows_now(said(2, place=TEA)) and asked.several
    client.known.begin(5, ME, anew=True)
    client.known.enter(Channel(3, "#tea", "", 0, 0, 0, ()))
    assert asked.shows_now(said(1, place=3))


def test_places_of_another_history() -> None:
    """Their numbers mean other channels."""
    client = Client()
    asked = Asked(client)
    asked.look()
    client.known.begin(5, ME, anew=True)
    assert asked.shows(Interrupted(Resumed.RESTORED, "x"))
    assert asked.shows(said(1, place=TEA))
