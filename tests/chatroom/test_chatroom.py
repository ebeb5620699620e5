"""The chatroom: a thread for each member, and an end that loses no accepted line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from chatroom.chatroom import GOODBYE, Chatroom
from chatroom.errors import ChatroomError, Closed, ConnectionLost, HistoryError, NameRefused, ProtocolError
from chatroom.events import EventKind
from chatroom.limits import MAX_WAITING
from chatroom.packets import NO_TOKEN, Bye, Command, Confirm, Live, Notice, Say, Welcome
from chatroom.requests import Join, Reservation
from tests.chatroom.fakes import FakeConnection, RecordingHistory
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


class House:
    """A running chatroom with fake connections."""

    def __init__(self) -> None:
        self.history = RecordingHistory()
        self.ended = threading.Event()
        self.chatroom = Chatroom(self.history, self.ended.set)
        self.chatroom.start()
        self.is_closed = False

    def reserve(self, name: str, token: bytes = NO_TOKEN) -> Reservation:
        return self.chatroom.reserve(name, token, PATIENCE)

    def enter(self, name: str) -> FakeConnection:
        """A member that is live."""
        connection = FakeConnection(self.history, name)
        join = Join(self.reserve(name), connection, "#general", 0, 10)
        self.chatroom.accept(lambda: join, f"connection {name}")
        connection.wait_for(lambda peer: any(event.author == name for event in peer.events()))
        return connection

    def close(self, seconds: float = PATIENCE) -> list[str]:
        self.is_closed = True
        return self.chatroom.close(seconds)


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    if not house.is_closed:
        house.close()


def texts(connection: FakeConnection) -> list[str]:
    return [event.text for event in connection.events() if event.kind is EventKind.SAID]


def test_every_member_gets_every_line(house: House) -> None:
    """Every member gets the lines of a burst, all of them and in order."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([Say(1, "#general", "one"), Say(2, "#general", "two")])
    for connection in (ann, bob):
        connection.wait_for(lambda peer: texts(peer) == ["one", "two"])


def test_members_that_are_behind_hold_back_lines_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """While most members are behind, lines wait; names, joins, commands and leaves go on."""
    monkeypatch.setattr("chatroom.flow.PAUSE_SECONDS", PATIENCE)
    ann, bob = house.enter("ann"), house.enter("bob")
    for _ in range(4):
        house.chatroom.flow.fell_behind()
    ann.says.put([Say(1, "#general", "held")])
    eventually(lambda: house.chatroom.flow.paused == 1, "the line does not wait")
    cleo = house.enter("cleo")
    bob.says.put([Command(1, "#general", "/who")])
    bob.wait_for(lambda peer: len(peer.of(Notice)) == 1)
    bob.says.put([])
    cleo.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert texts(cleo) == [] and house.chatroom.flow.paused == 1
    for _ in range(4):
        house.chatroom.flow.caught_up()
    cleo.wait_for(lambda peer: texts(peer) == ["held"])


def test_a_full_queue_answers_a_newcomer_in_time(house: House) -> None:
    """When the queue stays full, reserve() raises NameRefused after its time-out."""
    ann = house.enter("ann")
    house.history.full = True
    house.history.tried.clear()
    ann.says.put([Say(1, "#general", "held")])
    assert house.history.tried.wait(PATIENCE)  # the forwarder holds this batch from here on
    ann.says.put([Say(id, "#general", "x") for id in range(2, MAX_WAITING + 2)])
    with pytest.raises(NameRefused, match="too busy"):
        house.chatroom.reserve("bob", NO_TOKEN, 0.05)
    house.history.full = False


def test_lines_and_commands_of_one_burst_keep_their_order(house: House) -> None:
    """Commands and lines of a burst are taken in order; packets after a BYE are ignored."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([Say(1, "#general", "one"), Command(2, "#general", "/who"), Say(3, "#general", "two")])
    ann.wait_for(lambda peer: len(peer.of(Notice)) == 1)
    ann.says.put([Say(4, "#general", "three"), Bye(False, "so long"), Say(5, "#general", "too late")])
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert texts(bob) == ["one", "two", "three"]
    assert bob.events()[-1].text == "so long"
    assert ann.of(Notice)[0].id == 2


def test_leaving_frees_the_name(house: House) -> None:
    """When its connection has ended, a member leaves with the reason, and its name is free."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([])
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert bob.events()[-1].text == "connection closed"
    assert ann.released
    house.reserve("ann")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ConnectionLost("silent for 45 s"), "silent for 45 s"), (ProtocolError("nonsense"), "protocol error")],
)
def test_a_broken_connection(house: House, error: Exception, reason: str) -> None:
    """A lost connection or a protocol error ends only that member; the LEFT event has the reason."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put(error)
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert bob.events()[-1].text == reason
    assert ann.released and not bob.released
    if isinstance(error, ProtocolError):
        assert ann.ended == ("nonsense", False)


def test_a_bug_ends_one_member(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a handler is logged and ends only that member; its name is free again."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put(KeyError("a bug"))
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert ann.released and not bob.released
    house.reserve("ann")
    assert house.close() == []
    assert "handler ann" in caplog.text and "a bug" in caplog.text


def test_a_submitting_connection_is_marked(house: House) -> None:
    """The handler marks its connection as submitting around each request, the join included."""
    ann = house.enter("ann")
    ann.wait_for(lambda peer: peer.busy == [True, False])
    ann.says.put([Say(1, "#general", "one")])
    ann.wait_for(lambda peer: peer.busy == [True, False] * 2)


def test_a_bad_name_is_refused(house: House) -> None:
    """reserve() raises NameRefused for a name that is in use or not allowed."""
    house.enter("ann")
    for name in ("Ann", "", "a b"):
        with pytest.raises(NameRefused):
            house.reserve(name)


def test_many_want_the_same_name(house: House) -> None:
    """When several newcomers ask for one name at the same time, exactly one gets it."""
    start = threading.Barrier(10)

    def ask() -> int:
        start.wait(PATIENCE)
        given = 0
        for _ in range(10):
            try:
                house.reserve("ann")
                given += 1
            except NameRefused:
                pass
        return given

    assert sum(task.result() for task in [Task(ask) for _ in range(10)]) == 1


def test_a_late_answer_is_given_back(house: House) -> None:
    """A reservation that comes after its requester has timed out is released."""
    blocked, go_on = threading.Event(), threading.Event()
    append = house.history.append

    def slow(*arguments: object) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE)
        append(*arguments)  # type: ignore[arg-type]

    ann = house.enter("ann")
    house.history.append = slow  # type: ignore[method-assign, assignment]
    ann.says.put([Say(1, "#general", "one")])
    assert blocked.wait(PATIENCE)
    with pytest.raises(NameRefused, match="busy"):
        house.chatroom.reserve("bob", NO_TOKEN, 0.01)
    released = threading.Event()
    release = house.chatroom.release

    def noted(reservation: Reservation) -> None:
        release(reservation)
        released.set()

    house.chatroom.release = noted  # type: ignore[method-assign]
    go_on.set()
    assert released.wait(PATIENCE)
    house.reserve("bob")


def test_a_name_that_is_not_used_is_released(house: House) -> None:
    """release() frees the name; a second release, or one after the end, has no effect."""
    reservation = house.reserve("ann")
    house.chatroom.release(reservation)
    again = house.reserve("ann")
    house.chatroom.release(reservation)
    with pytest.raises(NameRefused):
        house.reserve("ann")
    house.close()
    house.chatroom.release(again)


# --- the end --------------------------------------------------------------------------------------------


def test_everybody_is_told_of_the_end(house: House) -> None:
    """At the end each member gets a goodbye and may come back, every thread ends, history is closed."""
    members = [house.enter(name) for name in ("ann", "bob", "carl")]
    assert house.close() == []
    assert [member.ended for member in members] == [(GOODBYE, True)] * 3
    assert all(member.released for member in members)
    assert house.history.closed and house.ended.is_set()


def test_what_was_accepted_is_shown_before_the_goodbye(house: House) -> None:
    """Lines accepted before close() are stored and delivered before the goodbye."""
    blocked, go_on = threading.Event(), threading.Event()
    ann, bob = house.enter("ann"), house.enter("bob")
    append = house.history.append

    def slow(*arguments: object) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE)
        append(*arguments)  # type: ignore[arg-type]

    house.history.append = slow  # type: ignore[method-assign, assignment]
    ann.says.put([Say(1, "#general", "one")])
    assert blocked.wait(PATIENCE)
    bob.says.put([Say(1, "#general", "two")])
    bob.wait_for(lambda peer: peer.busy == [True, False, True, False])  # the join, and the line
    closing = Task(house.close)
    go_on.set()
    assert closing.result() == []
    assert texts(bob) == ["one", "two"]
    assert texts(ann) == texts(bob)
    assert set(texts(ann)) == {event.text for event in house.history.log if event.kind is EventKind.SAID}


def test_nobody_gets_in_after_the_end(house: House) -> None:
    """After close(), reserve() and spawn() raise Closed."""
    house.close()
    with pytest.raises(Closed):
        house.reserve("ann")
    with pytest.raises(Closed):
        house.chatroom.spawn(lambda: None, "late")


def test_a_newcomer_at_the_last_moment(house: House) -> None:
    """A newcomer that joins too late gets the goodbye, and its connection is closed."""
    reservation = house.reserve("ann")
    connection = FakeConnection(house.history)
    closed = threading.Event()

    def arrive() -> Join:
        assert closed.wait(PATIENCE)
        return Join(reservation, connection, "#general", 0, 0)

    house.chatroom.accept(arrive, "connection late")
    closing = Task(house.close)
    eventually(house.ended.is_set, "the forwarder goes on")
    closed.set()
    assert closing.result() == []
    assert connection.ended == (GOODBYE, True) and connection.released
    assert connection.of(Welcome) == []


def test_a_thread_that_does_not_end_is_named(house: House) -> None:
    """close() returns at its deadline, with the names of the threads that still run."""
    release = threading.Event()
    house.chatroom.spawn(lambda: _wait(release), "stubborn")
    assert house.close(0.2) == ["stubborn"]
    release.set()
    assert house.chatroom.reaper.close(PATIENCE) == []


def _wait(release: threading.Event) -> None:
    release.wait(PATIENCE)


def test_long_running_threads_are_stopped(house: House) -> None:
    """close() stops a thread that was started to run until then."""
    stop = threading.Event()
    house.chatroom.spawn_until_close(lambda: _wait(stop), stop.set, "listener")
    assert house.close() == []
    assert stop.is_set()


def test_a_broken_disk_ends_it(house: House) -> None:
    """When history fails for good, on_ended runs, members get a goodbye, and close() raises the error."""
    ann, bob = house.enter("ann"), house.enter("bob")
    house.history.broken = True
    ann.says.put([Say(1, "#general", "one")])
    assert house.ended.wait(PATIENCE)
    with pytest.raises(HistoryError, match="the disk is gone"):
        house.close()
    for connection in (ann, bob):
        assert connection.ended is not None and connection.ended[1] is True
        assert texts(connection) == [] and connection.of(Confirm) == []


def test_a_waiting_reservation_when_the_disk_breaks(house: House) -> None:
    """When history fails, a waiting reserve() raises Closed at once, not at its time-out."""
    blocked, go_on = threading.Event(), threading.Event()
    ann = house.enter("ann")

    def failing(*arguments: object) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE)
        raise HistoryError("the disk is gone")

    house.history.append = failing  # type: ignore[method-assign, assignment]
    ann.says.put([Say(1, "#general", "one")])
    assert blocked.wait(PATIENCE)
    asking = Task(lambda: house.reserve("bob"))
    go_on.set()
    with pytest.raises(Closed):
        asking.result()
    with pytest.raises(HistoryError):
        house.close()


def test_a_disk_that_hangs_at_the_end(house: House) -> None:
    """While the disk hangs, close() returns at its deadline; when the disk answers, all threads end."""
    blocked, go_on = threading.Event(), threading.Event()
    ann, bob = house.enter("ann"), house.enter("bob")
    append = house.history.append

    def hanging(*arguments: object) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE)
        append(*arguments)  # type: ignore[arg-type]

    house.history.append = hanging  # type: ignore[method-assign, assignment]
    ann.says.put([Say(1, "#general", "one")])
    assert blocked.wait(PATIENCE)
    left = house.close(0.05)
    assert "forwarder" in left
    go_on.set()
    assert house.chatroom.reaper.close(PATIENCE) == []
    assert bob.ended == (GOODBYE, True) and texts(bob) == ["one"]


def test_failing_forwarding_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A bug in the forwarder is logged and ends the chatroom; close() raises it."""
    ann = house.enter("ann")

    def bug(*_: object) -> None:
        raise KeyError("a bug")

    house.history.append = bug  # type: ignore[method-assign, assignment]
    with caplog.at_level(logging.ERROR):
        ann.says.put([Say(1, "#general", "one")])
        assert house.ended.wait(PATIENCE)
        with pytest.raises(ChatroomError, match="a bug"):
            house.close()
    assert "forwarder" in caplog.text and "a bug" in caplog.text
    assert ann.ended is not None and ann.of(Live)
