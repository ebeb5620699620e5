"""Newcomers: they are greeted, catch up, and go live without a missing or repeated event."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.catch_up import CatchUp
from chatroom.events import EventKind
from chatroom.member import Member, session_key
from chatroom.newcomers import Newcomers
from chatroom.packets import Live, Welcome
from chatroom.requests import GoLive, Join, Reservation
from chatroom.roster import Roster
from chatroom.tail import Tail
from tests.chatroom.fakes import FakeConnection, RecordingHistory
from tests.support.events import said

TOKEN = b"t" * 16


class Hall:
    """A roster with one newcomer, `ann`, who joined with event 9 of 10; the tail begins after `floor`."""

    def __init__(self, floor: int = 0, since: int = 0, lines: int = 50) -> None:
        self.history = RecordingHistory()
        self.log = [said(seq, author="bob") for seq in range(1, 11)]
        self.log[8] = self.log[8]._replace(kind=EventKind.JOINED, author="ann", text="", id=0)
        self.history.append(self.log, [], [])
        self.connection = FakeConnection(self.history)
        self.roster = Roster()
        self.join = Join(
            Reservation("ann", session_key(TOKEN), TOKEN, 0.0), self.connection, "#general", since, lines
        )
        self.roster.expect(self.join)
        self.roster.apply(self.log[8])
        tail = Tail(floor)
        tail.extend(self.log[floor:])
        self.far_behind: list[str] = []
        catch_up = CatchUp(
            self.history, lambda _request: None, lambda _run, name: self.far_behind.append(name)
        )
        self.newcomers = Newcomers(self.roster, tail, catch_up)

    def note_thread(self, _run: Callable[[], None], name: str) -> None:
        self.far_behind.append(name)

    @property
    def ann(self) -> Member:
        return self.roster.members["ann"]

    def welcome(self) -> list[object]:
        self.newcomers.welcome(self.ann, self.join, 9)
        return [
            packet.seq if hasattr(packet, "author") else type(packet) for packet in self.connection.packets
        ]

    @property
    def is_live(self) -> bool:
        return any(self.ann in members for members in self.roster.audiences.values())


def test_the_latest_lines_then_live() -> None:
    """A newcomer gets as many events as it asked for, LIVE, and its JOINED event as the first live one."""
    hall = Hall(lines=3)
    assert hall.welcome() == [Welcome, 6, 7, 8, Live, 9, 10]
    assert hall.is_live


def test_no_lines_wanted() -> None:
    """A newcomer that asks for no history is live at once."""
    assert Hall(lines=0).welcome() == [Welcome, Live, 9, 10]


def test_everything_since() -> None:
    """A newcomer that names the last seq it has seen gets every later event once."""
    hall = Hall(since=5)
    assert hall.welcome() == [Welcome, 6, 7, 8, Live, 9, 10]
    assert hall.connection.of(Welcome) == [Welcome("ann", "#general", TOKEN, 0, 8)]


def test_since_the_future() -> None:
    """A newcomer that names a future seq (of another history) gets no old event, and the real seq in LIVE."""
    assert Hall(since=500).welcome() == [Welcome, Live, 9, 10]


def test_far_behind() -> None:
    """Events that the tail does not hold are read in a thread; after them the member goes live."""
    for hall in (Hall(floor=8, since=5), Hall(floor=8, lines=3)):
        assert hall.welcome() == [Welcome]
        assert hall.far_behind == ["catch-up ann"]
        assert not hall.is_live
        hall.newcomers.go_live(GoLive(hall.ann, hall.connection, 9))
        assert hall.welcome()[1:3] == [Live, 10]
        assert hall.is_live


def test_gone_within_the_same_batch() -> None:
    """A connection that lost its member before the greeting is not greeted, and does not go live."""
    hall = Hall()
    hall.roster.take_over(hall.ann, FakeConnection())
    assert hall.welcome() == []
    hall.newcomers.go_live(GoLive(hall.ann, hall.connection, 9))
    assert not hall.is_live
