"""The roster: names, members and sessions, as the events build them up."""

from __future__ import annotations

import pytest

from chatroom.errors import NameRefused
from chatroom.events import Event, EventKind
from chatroom.limits import HANDSHAKE_SECONDS, SESSION_SECONDS
from chatroom.member import session_key
from chatroom.packets import NO_TOKEN
from chatroom.requests import Join, Reservation
from chatroom.roster import Roster
from tests.chatroom.fakes import FakeConnection

WEEK = int(SESSION_SECONDS * 1000)


class World:
    """A roster and the events that happen to it."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.seq = 0

    def happen(self, kind: EventKind, author: str, id: int = 0, time: int = 0) -> None:
        self.seq += 1
        self.roster.apply(Event(self.seq, time, kind, "#general", author, "", id))

    def enter(self, name: str, token: bytes = NO_TOKEN, time: int = 0) -> tuple[Reservation, FakeConnection]:
        reservation = self.roster.reserve(name, token, 0.0)
        assert self.roster.release(reservation)
        connection = FakeConnection()
        self.roster.expect(Join(reservation, connection, "#general", 0, 0))
        self.happen(EventKind.JOINED, reservation.name, time=time)
        return reservation, connection

    def stay(self, name: str, id: int, time: int = 0) -> Reservation:
        """Join, say one line, leave."""
        reservation, _ = self.enter(name, time=time)
        self.happen(EventKind.SAID, name, id, time)
        self.happen(EventKind.LEFT, name, time=time)
        return reservation


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("other", ["ann", "Ann", "ANN", "Ａｎｎ"])
def test_a_name_is_given_once(world: World, other: str) -> None:
    """A reserved name is refused to others in any spelling that counts as the same."""
    reservation = world.roster.reserve("Ann", NO_TOKEN, 0.0)
    with pytest.raises(NameRefused, match="being taken"):
        world.roster.reserve(other, NO_TOKEN, 1.0)
    assert world.roster.release(reservation) is True
    assert world.roster.release(reservation) is False
    world.roster.reserve(other, NO_TOKEN, 1.0)


@pytest.mark.parametrize("other", ["ann", "Ann", "ＡＮＮ"])
def test_a_members_name_is_in_use(world: World, other: str) -> None:
    """A member's name is its own until it has left."""
    world.enter("ann")
    with pytest.raises(NameRefused, match="in use"):
        world.roster.reserve(other, NO_TOKEN, 0.0)
    world.happen(EventKind.LEFT, "ann")
    assert world.roster.reserve(other, NO_TOKEN, 0.0).name == other


def test_a_bad_name_is_refused(world: World) -> None:
    """A name that is not allowed is refused with the reason, and not reserved."""
    with pytest.raises(NameRefused, match="begins with"):
        world.roster.reserve("-x", NO_TOKEN, 0.0)


def test_a_reservation_expires(world: World) -> None:
    """An unused reservation expires after HANDSHAKE_SECONDS; then the name can go to another newcomer."""
    late = world.roster.reserve("ann", NO_TOKEN, 0.0)
    with pytest.raises(NameRefused):
        world.roster.reserve("ann", NO_TOKEN, HANDSHAKE_SECONDS - 0.1)
    other = world.roster.reserve("ann", NO_TOKEN, HANDSHAKE_SECONDS)
    assert world.roster.release(late) is False
    assert world.roster.release(other) is True


def test_tokens_are_random_and_stored_as_hashes(world: World) -> None:
    """Each new session gets its own token; its key is the hash of the token."""
    one, two = (world.roster.reserve(name, NO_TOKEN, 0.0) for name in ("ann", "bob"))
    assert one.token != two.token and len(one.token) == 16
    assert one.key == session_key(one.token)


def test_the_own_token_gives_the_name_back(world: World) -> None:
    """A client with its session's token gets its name back although its old connection still has it."""
    first, _ = world.enter("ann")
    again = world.roster.reserve("Ann", first.token, 0.0)
    assert again.token == first.token and again.key == first.key
    third = world.roster.reserve("ann", first.token, 0.0)  # a second try need not wait for the first one
    assert world.roster.release(again) is False
    assert world.roster.release(third) is True


def test_somebody_elses_token_does_not(world: World) -> None:
    """A session's token reserves no name that another member has, and is not given for a new name."""
    ann, _ = world.enter("ann")
    bob, _ = world.enter("bob")
    with pytest.raises(NameRefused):
        world.roster.reserve("bob", ann.token, 0.0)
    fresh = world.roster.reserve("carl", bob.token, 0.0)
    assert fresh.token != bob.token


def test_an_absent_sessions_token_does_not_take_over(world: World) -> None:
    """A token opens its name no longer when another session has taken the name meanwhile."""
    first = world.stay("ann", 1)
    world.enter("ann")
    with pytest.raises(NameRefused, match="in use"):
        world.roster.reserve("ann", first.token, 0.0)


def test_a_take_over_keeps_the_member(world: World) -> None:
    """After a take-over the member has only the new connection, and is not live yet."""
    _, old = world.enter("ann")
    member = world.roster.members["ann"]
    world.roster.go_live(member)
    new = FakeConnection()
    world.roster.take_over(member, new)
    assert world.roster.member_of(old) is None
    assert world.roster.member_of(new) is member
    assert world.roster.audiences == {}


def test_leaving_leaves_nothing(world: World) -> None:
    """After a member has left, no table holds it."""
    _, connection = world.enter("ann")
    world.roster.go_live(world.roster.members["ann"])
    world.happen(EventKind.LEFT, "ann")
    assert world.roster.members == {} and world.roster.audiences == {}
    assert world.roster.member_of(connection) is None
    assert world.roster.holder("ann") is None


def test_changes_are_told_once(world: World) -> None:
    """take_changes() returns each changed session once, in its latest state, present or absent."""
    ann, _ = world.enter("ann")
    world.happen(EventKind.SAID, "ann", id=41)
    world.happen(EventKind.SAID, "ann", id=42, time=7)
    (record,), forgotten = world.roster.take_changes()
    assert record == (ann.key, "ann", "#general", True, 42, 7) and not forgotten
    assert world.roster.take_changes() == ([], [])
    world.happen(EventKind.LEFT, "ann", time=9)
    (record,), forgotten = world.roster.take_changes()
    assert record == (ann.key, "ann", "#general", False, 42, 9) and not forgotten


def test_a_session_without_lines_is_forgotten(world: World) -> None:
    """A session without a line is forgotten when its member leaves: it has no line to repeat."""
    ann, _ = world.enter("ann")
    world.happen(EventKind.LEFT, "ann")
    assert world.roster.take_changes() == ([], [ann.key])
    assert world.roster.reserve("ann", ann.token, 0.0).token != ann.token


def test_forgotten_and_back_in_one_batch(world: World) -> None:
    """A session that is forgotten and begins again before take_changes() is stored, not removed."""
    ann, _ = world.enter("ann")
    again = world.roster.reserve("ann", ann.token, 0.0)
    world.roster.release(again)
    world.happen(EventKind.LEFT, "ann")
    world.roster.expect(Join(again, FakeConnection(), "#general", 0, 0))
    world.happen(EventKind.JOINED, "ann")
    records, forgotten = world.roster.take_changes()
    assert [(record.key, record.present) for record in records] == [(ann.key, True)]
    assert forgotten == []


def test_a_session_comes_back(world: World) -> None:
    """A session that comes back with its token still has its highest applied id."""
    ann = world.stay("ann", 42)
    world.enter("ann", ann.token)
    assert world.roster.members["ann"].session.confirmed == 42


def test_sessions_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over MAX_SESSIONS, the longest absent session is forgotten, in the roster and in history."""
    monkeypatch.setattr("chatroom.roster.MAX_SESSIONS", 2)
    ann, bob, carl = (world.stay(name, 1) for name in ("ann", "bob", "carl"))
    records, forgotten = world.roster.take_changes()
    assert forgotten == [ann.key]
    assert {record.key for record in records} == {bob.key, carl.key}


def test_sessions_grow_old(world: World) -> None:
    """A session absent for over SESSION_SECONDS is forgotten when another member leaves."""
    old = world.stay("old", 1, time=0)
    world.stay("new", 1, time=WEEK)
    assert world.roster.take_changes()[1] == []
    world.stay("newer", 1, time=WEEK + 1)
    assert world.roster.take_changes()[1] == [old.key]


def test_restored_sessions_are_absent(world: World) -> None:
    """A restored session is absent, and continues when its client comes back with the token."""
    ann = world.stay("ann", 42)
    (record,), _ = world.roster.take_changes()
    later = World()
    later.roster.restore(record)
    assert later.roster.members == {}
    later.enter("ann", ann.token)
    assert later.roster.members["ann"].session.confirmed == 42


def test_a_reservation_belongs_to_one_session(world: World) -> None:
    """A client whose own try broke gets the name again at once; another session does not."""
    early = world.stay("ann", 5)
    late = world.stay("ann", 9)
    world.roster.reserve("ann", late.token, 0.0)
    assert world.roster.reserve("ann", late.token, 1.0).token == late.token
    for token in (early.token, NO_TOKEN):
        with pytest.raises(NameRefused, match="being taken"):
            world.roster.reserve("ann", token, 1.0)


def test_a_member_that_came_back_is_not_absent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on absent sessions never takes the session of a member that is here again."""
    monkeypatch.setattr("chatroom.roster.MAX_SESSIONS", 1)
    ann = world.stay("ann", 5, time=1)
    world.roster.take_changes()
    world.enter("ann", ann.token, time=2)
    records, _ = world.roster.take_changes()
    assert [(record.present, record.seen, record.confirmed) for record in records] == [(True, 2, 5)]
    world.stay("bob", 5, time=3)
    world.stay("carl", 5, time=4)
    world.happen(EventKind.LEFT, "ann", time=5)
    assert world.roster.reserve("ann", ann.token, 0.0).token == ann.token
