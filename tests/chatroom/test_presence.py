"""Presence: who gets which events, each once; and who is on the way in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.batch import Batch
from chatroom.errors import Closed
from chatroom.events import Event, EventKind, Talk
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Resumed
from chatroom.presence import Presence, Seat
from tests.chatroom.fakes import FakeConnection, FakeDoor
from tests.support.events import NOON, said
from tests.support.patience import PATIENCE


class Hall:
    """A presence with some connections."""

    def __init__(self) -> None:
        self.presence = Presence()

    def come(self, name: str = "ann", connection: FakeConnection | None = None) -> tuple[int, Join]:
        """A newcomer at the end of its handshake."""
        origin, answer = self.presence.ask()
        self.presence.answer(origin, Outcome(Code.OK))
        assert answer.result(PATIENCE).code is Code.OK
        reservation = Reservation(origin, name, NO_TOKEN, "key")
        join = Join(reservation, connection or FakeConnection(), (), 0, 0, NO_IDENTITY, 0)
        self.presence.come(join, Missed(0, 0, Resumed.FRESH))
        return origin, join

    def enter(
        self, person: int, *places: int, connection: FakeConnection | None = None
    ) -> tuple[Seat, FakeConnection]:
        """A member that is live in the places."""
        connection = connection or FakeConnection()
        origin, _ = self.come(connection=connection)
        seat, _, _ = self.presence.admit(origin, person, "ann")
        self.presence.go_live(seat, places)
        return seat, connection

    def deliver(self, *happened: Event | Talk) -> None:
        self.presence.deliver(Batch(happened))


@pytest.fixture
def hall() -> Hall:
    return Hall()


def in_place(seq: int, place: int) -> Event:
    return said(seq, place=place, channel=f"#{place}")


def quit(seq: int, *places: int, person: int = 9) -> Event:
    return Event(seq, NOON, EventKind.QUIT, "", "ann", "", 0, person, 0, b"", places)


def seqs(connection: FakeConnection) -> list[int]:
    return [event.seq for event in connection.events()]


# --- delivering -----------------------------------------------------------------------------------------


def test_each_connection_gets_its_places(hall: Hall) -> None:
    """A connection gets the events of the places in which it is live, and of no others."""
    (_, ann), (_, bob), (_, eve) = hall.enter(1, 1, 2), hall.enter(2, 1), hall.enter(3, 3)
    hall.deliver(in_place(1, 1), in_place(2, 2), in_place(3, 1), in_place(4, 4))
    assert [seqs(connection) for connection in (ann, bob, eve)] == [[1, 2, 3], [1, 3], []]
    assert eve.sizes == []


def test_several_scopes_come_in_the_order_of_seqs(hall: Hall) -> None:
    """Events of several scopes come merged by seq, and each connection gets one send a batch."""
    _, ann = hall.enter(1, 0, 1, 2)
    hall.deliver(
        in_place(1, 2),
        quit(2, 1, 5),
        in_place(3, 1),
        Event(4, NOON, EventKind.RESTARTED, "", "", ""),
        in_place(5, 2),
        quit(6, 2, 1),
    )
    assert seqs(ann) == [1, 2, 3, 4, 5, 6] and len(ann.sizes) == 1


def test_a_quit_of_five_places_reaches_each_once(hall: Hall) -> None:
    """Whoever shares one or more of the places gets the event once; the others do not get it."""
    sharing = [hall.enter(person, *range(1, person + 1))[1] for person in range(1, 6)]
    _, other = hall.enter(7, 0, 6)
    hall.deliver(quit(1, 1, 2, 3, 4, 5))
    hall.deliver(quit(2, 1, 2, 3, 4, 5), in_place(3, 1))
    assert [seqs(connection) for connection in sharing] == [[1, 2, 3]] * 5
    assert seqs(other) == []


def test_a_busy_place_among_idle_ones_touches_no_other() -> None:
    """What is delivered to one place costs nothing for the connections of a thousand others."""

    class Touched(FakeConnection):
        touches = 0

        def send(self, data: bytes, shared: bool = False) -> None:
            Touched.touches += 1

    hall = Hall()
    idle = [hall.enter(place, place, connection=Touched())[0] for place in range(10, 1010)]
    _, busy = hall.enter(1, 1)
    doors = [seat.connection for seat in idle]
    for connection in doors:
        del connection.door  # whoever looks at it fails
    hall.deliver(in_place(1, 1))
    hall.deliver(in_place(2, 1), quit(3, 1, 2))
    assert seqs(busy) == [1, 2, 3] and Touched.touches == 0


def test_equal_audiences_share_their_bytes(hall: Hall) -> None:
    """An event for fifty connections of a door is translated once, also when their places differ."""
    door = FakeDoor()
    for person in range(50):
        hall.enter(person, 1, 2 + person % 3, connection=FakeConnection(door=door))
    hall.deliver(in_place(1, 1))
    hall.deliver(in_place(2, 1), in_place(3, 2), quit(4, 1, 2))
    assert door.translated == 4
    datas = {id(data) for seat in hall.presence.seats for data in seat.connection.shared}  # type: ignore[attr-defined]
    assert len(datas) == 1 + 2  # the first batch for all; the second with and without #2's line


def test_a_door_that_does_not_echo(hall: Hall) -> None:
    """Through such a door, authors get everything but their own lines; the others get all."""
    quiet = FakeDoor(echoes=False)
    _, ann = hall.enter(1, 1, 2)
    _, bob = hall.enter(2, 1, 2, connection=FakeConnection(door=quiet))
    _, cleo = hall.enter(3, 1, 2, connection=FakeConnection(door=quiet))
    hall.deliver(said(1, person=2))
    hall.deliver(said(2, person=2), said(3, person=3), quit(4, 1, 2, person=2))
    assert [seqs(connection) for connection in (ann, bob, cleo)] == [[1, 2, 3, 4], [3, 4], [1, 2, 4]]
    assert quiet.translated == 4 and 0 not in bob.sizes


def test_lines_that_came_together(hall: Hall) -> None:
    """Lines of one burst are one send for whoever gets them; without an echo, their author gets none."""
    quiet = FakeDoor(echoes=False)
    _, ann = hall.enter(1, 1)
    _, bob = hall.enter(2, 1, connection=FakeConnection(door=quiet))
    _, cleo = hall.enter(3, 1, 2, connection=FakeConnection(door=quiet))
    hall.deliver(Talk(1, NOON, "#general", "bob", 2, 1, [5, 6], [b"x", b"y"]), in_place(3, 2))
    assert [seqs(connection) for connection in (ann, bob, cleo)] == [[1, 2], [], [1, 2, 3]]
    assert [len(connection.sizes) for connection in (ann, bob, cleo)] == [1, 0, 1]
    assert quiet.translated == 2


def test_who_is_not_live_gets_nothing(hall: Hall) -> None:
    """A connection that is still to be greeted gets no event; neither does one that was removed."""
    connection = FakeConnection()
    origin, _ = hall.come(connection=connection)
    seat, _, _ = hall.presence.admit(origin, 1, "ann")
    other, gone = hall.enter(2, 1)
    hall.presence.remove(other.origin)
    hall.deliver(in_place(1, 1))
    assert connection.packets == [] and gone.packets == []
    assert hall.presence.live == [] and list(hall.presence.seats) == [seat]
    hall.presence.go_live(seat, (1,))
    hall.deliver(in_place(2, 1))
    assert seqs(connection) == [2] and hall.presence.live == [seat]


PLACES = st.lists(st.integers(0, 4), unique=True, max_size=4).map(tuple)


@given(
    st.lists(st.tuples(PLACES, st.booleans()), max_size=6),
    st.lists(st.lists(st.integers(0, 4) | PLACES, min_size=1, max_size=6), max_size=4),
)
def test_it_is_what_a_filter_for_each_connection_would_give(
    members: list[tuple[tuple[int, ...], bool]], batches: list[list[int | tuple[int, ...]]]
) -> None:
    """Whatever the places and the events: each connection gets what concerns it, once and in order."""
    hall = Hall()
    doors = {True: FakeDoor(), False: FakeDoor(echoes=False)}
    peers = [
        (
            person,
            places,
            echoes,
            hall.enter(person, *places, connection=FakeConnection(door=doors[echoes]))[1],
        )
        for person, (places, echoes) in enumerate(members)
    ]
    log: list[Event] = []
    for batch in batches:
        events = [
            quit(seq, *scope) if isinstance(scope, tuple) else said(seq, place=scope, person=seq % 6)
            for seq, scope in enumerate(batch, len(log) + 1)
        ]
        hall.deliver(*events)
        log += events
    for person, places, echoes, connection in peers:
        wanted = [
            event.seq
            for event in log
            if set(event.places or (event.place,)) & set(places)
            and (echoes or event.kind is not EventKind.SAID or event.person != person)
        ]
        assert seqs(connection) == wanted


def test_a_place_more_and_one_less(hall: Hall) -> None:
    """A live connection gets another place from the next batch on, and after it has left nothing of it."""
    seat, connection = hall.enter(1, 1)
    hall.presence.widen(seat, 2)
    hall.presence.widen(seat, 2)
    hall.deliver(in_place(1, 2))
    hall.presence.narrow(seat, 2)
    hall.presence.narrow(seat, 2)
    hall.deliver(in_place(2, 2), in_place(3, 1))
    assert seqs(connection) == [1, 3] and seat.places == (1,)


# --- connections ----------------------------------------------------------------------------------------


def test_removing_leaves_nothing(hall: Hall) -> None:
    """A removed connection is in no table; removing it again does nothing."""
    seat, connection = hall.enter(1, 0, 1, 2)
    assert hall.presence.seat(seat.origin) is seat and len(hall.presence) == 1
    assert hall.presence.remove(seat.origin) is connection
    assert hall.presence.remove(seat.origin) is None
    assert hall.presence.seat(seat.origin) is None and len(hall.presence) == 0
    assert hall.presence.live == [] and seat.places == ()


def test_a_newcomer_that_is_sent_away(hall: Hall) -> None:
    """A newcomer that was not admitted can be removed, too: the server has to end its connection."""
    origin, join = hall.come()
    assert hall.presence.remove(origin) is join.connection
    assert hall.presence.remove(origin) is None


def test_connections_have_their_own_numbers(hall: Hall) -> None:
    """No two connections get the same number."""
    assert len({hall.presence.ask()[0] for _ in range(5)}) == 5


def test_nobody_waits_for_ever(hall: Hall) -> None:
    """When nobody will answer any more, waiting questions get Closed, and newcomers a goodbye, once."""
    _, asking = hall.presence.ask()
    _, join = hall.come()
    seat, member = hall.enter(1, 1)
    hall.presence.turn_away()
    hall.presence.turn_away()
    with pytest.raises(Closed):
        asking.result(0)
    assert isinstance(join.connection, FakeConnection) and join.connection.ended == (Code.STOPPING, "")
    assert member.ended is None and hall.presence.live == [seat]


def test_a_question_that_could_not_be_put(hall: Hall) -> None:
    """A question for a name that found the queue full is forgotten."""
    origin, asking = hall.presence.ask()
    hall.presence.stop_asking(origin)
    hall.presence.turn_away()
    assert not asking.done()
