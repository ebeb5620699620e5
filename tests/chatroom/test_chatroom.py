"""The chatroom: a thread for each member, and an end in which nothing that was accepted is lost."""

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


def test_what_one_says_all_hear(house: House) -> None:
    """A burst of one member comes to every member, whole and in order."""
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
    eventually(lambda: house.chatroom.flow.waiting == 1, "the line does not wait")
    cleo = house.enter("cleo")
    bob.says.put([Command(1, "#general", "/who")])
    bob.wait_for(lambda peer: len(peer.of(Notice)) == 1)
    bob.says.put([])
    cleo.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert texts(cleo) == [] and house.chatroom.flow.waiting == 1
    for _ in range(4):
        house.chatroom.flow.caught_up()
    cleo.wait_for(lambda peer: texts(peer) == ["held"])


def test_a_full_queue_answers_a_newcomer_in_time(house: House) -> None:
    """A name that finds the queue full is refused when its time is over; the asker does not wait for ever."""
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
    """Commands and lines of a burst are taken in order; a goodbye counts for what came before it only."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([Say(1, "#general", "one"), Command(2, "#general", "/who"), Say(3, "#general", "two")])
    ann.wait_for(lambda peer: len(peer.of(Notice)) == 1)
    ann.says.put([Say(4, "#general", "three"), Bye(False, "so long"), Say(5, "#general", "too late")])
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert texts(bob) == ["one", "two", "three"]
    assert bob.events()[-1].text == "so long"
    assert ann.of(Notice)[0].id == 2


def test_leaving_frees_the_name(house: House) -> None:
    """A member whose connection has ended has left, with the reason, and its name can be had again."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([])
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert bob.events()[-1].text == "connection closed"
    assert ann.closed
    house.reserve("ann")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ConnectionLost("silent for 45 s"), "silent for 45 s"), (ProtocolError("nonsense"), "protocol error")],
)
def test_a_broken_connection(house: House, error: Exception, reason: str) -> None:
    """A lost connection or broken protocol ends that member alone, and the others are told why."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put(error)
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert bob.events()[-1].text == reason
    assert ann.closed and not bob.closed
    if isinstance(error, ProtocolError):
        assert ann.ended == ("nonsense", False)


def test_a_bug_ends_one_member(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails in a handler is logged and ends that member alone; its name is free again."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put(KeyError("a bug"))
    bob.wait_for(lambda peer: any(event.kind is EventKind.LEFT for event in peer.events()))
    assert ann.closed and not bob.closed
    house.reserve("ann")
    assert house.close() == []
    assert "handler ann" in caplog.text and "a bug" in caplog.text


def test_who_waits_at_the_queue_is_marked(house: House) -> None:
    """While the handler submits, for the first time too, its connection knows that it is busy."""
    ann = house.enter("ann")
    ann.wait_for(lambda peer: peer.busy == [True, False])
    ann.says.put([Say(1, "#general", "one")])
    ann.wait_for(lambda peer: peer.busy == [True, False] * 2)


def test_a_bad_name_is_refused(house: House) -> None:
    """Whoever asks for a name that cannot be given is told why."""
    house.enter("ann")
    for name in ("Ann", "", "a b"):
        with pytest.raises(NameRefused):
            house.reserve(name)


def test_many_want_the_same_name(house: House) -> None:
    """Of all who ask for one name at the same instant, exactly one gets it."""
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
    """A name that is given after its asker has stopped waiting does not stay taken."""
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
    """A newcomer that gives up frees its name; giving it back twice or after the end does no harm."""
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
    """At the end each member gets a goodbye that invites it back, every thread ends, history is closed."""
    members = [house.enter(name) for name in ("ann", "bob", "carl")]
    assert house.close() == []
    assert [member.ended for member in members] == [(GOODBYE, True)] * 3
    assert all(member.closed for member in members)
    assert house.history.closed and house.ended.is_set()


def test_what_was_accepted_is_shown_before_the_goodbye(house: House) -> None:
    """Lines that were taken in before the end are stored and delivered although it has begun."""
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
    bob.wait_for(lambda peer: peer.busy == [True, False, True, False])  # the joining, and the line
    closing = Task(house.close)
    go_on.set()
    assert closing.result() == []
    assert texts(bob) == ["one", "two"]
    assert texts(ann) == texts(bob)
    assert set(texts(ann)) == {event.text for event in house.history.log if event.kind is EventKind.SAID}


def test_nobody_gets_in_after_the_end(house: House) -> None:
    """Who comes when the chatroom has closed is told so."""
    house.close()
    with pytest.raises(Closed):
        house.reserve("ann")
    with pytest.raises(Closed):
        house.chatroom.spawn(lambda: None, "late")


def test_a_newcomer_at_the_last_moment(house: House) -> None:
    """A newcomer whose joining comes too late gets the goodbye, and its connection is given back."""
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
    assert connection.ended == (GOODBYE, True) and connection.closed
    assert connection.of(Welcome) == []


def test_a_thread_that_does_not_end_is_named(house: House) -> None:
    """close() keeps its deadline and says which threads did not."""
    release = threading.Event()
    house.chatroom.spawn(lambda: _wait(release), "stubborn")
    assert house.close(0.2) == ["stubborn"]
    release.set()
    assert house.chatroom.reaper.close(PATIENCE) == []


def _wait(release: threading.Event) -> None:
    release.wait(PATIENCE)


def test_serving_threads_are_stopped(house: House) -> None:
    """A thread that lasts as long as the chatroom is told to stop by close()."""
    stop = threading.Event()
    house.chatroom.spawn_until_close(lambda: _wait(stop), stop.set, "serving")
    assert house.close() == []
    assert stop.is_set()


def test_a_broken_disk_ends_it(house: House) -> None:
    """When history fails for good the owner is told, everybody gets a goodbye, and close() says why."""
    ann, bob = house.enter("ann"), house.enter("bob")
    house.history.broken = True
    ann.says.put([Say(1, "#general", "one")])
    assert house.ended.wait(PATIENCE)
    with pytest.raises(HistoryError, match="the disk is gone"):
        house.close()
    for connection in (ann, bob):
        assert connection.ended is not None and connection.ended[1] is True
        assert texts(connection) == [] and connection.of(Confirm) == []


def test_nobody_waits_for_a_name_when_the_disk_breaks(house: House) -> None:
    """Who waits for a name when history fails is told at once, not when its patience ends."""
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
    """When the disk does not answer, close() keeps its deadline; once it does, everything still ends."""
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
    """A bug in the forwarder ends the chatroom with a log entry, instead of leaving it mute."""
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
