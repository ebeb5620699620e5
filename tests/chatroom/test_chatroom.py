"""The chatroom: a thread for each member, and an end that loses no accepted line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from chatroom.arrivals import Join, Reservation
from chatroom.chatroom import Chatroom
from chatroom.errors import ChatroomError, Closed, ConnectionLost, HistoryError, NameRefused, ProtocolError
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.history import Located
from chatroom.limits import MAX_WAITING
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Answer, Bye, Command, Form, Live, Resumed, Say, Welcome
from chatroom.session import session_key
from chatroom.tail import Tail
from tests.chatroom.fakes import FakeConnection, RecordingHistory
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


class House:
    """A running chatroom with fake connections."""

    def __init__(self, history: RecordingHistory | None = None) -> None:
        self.history = history or RecordingHistory()
        self.ended = threading.Event()
        self.chatroom = Chatroom(self.history, self.ended.set)
        self.chatroom.start()
        self.is_closed = False

    def reserve(self, name: str, token: bytes = NO_TOKEN, timeout: float = PATIENCE) -> Reservation:
        return self.chatroom.reserve(name, token, "address", timeout)

    def admit(
        self,
        reservation: Reservation,
        since: int = 0,
        time: int = 0,
        identity: bytes = NO_IDENTITY,
        connection: FakeConnection | None = None,
    ) -> FakeConnection:
        """A member that is live."""
        connection = connection or FakeConnection(self.history, reservation.name)
        join = Join(reservation, connection, ("#general",), since, time, identity, 10)
        self.chatroom.accept(lambda: join, f"connection {reservation.name}")
        connection.wait_for(lambda peer: bool(peer.of(Live)))
        return connection

    def enter(self, name: str) -> FakeConnection:
        """A new member that is live and has seen its own JOINED."""
        connection = self.admit(self.reserve(name))
        connection.wait_for(lambda peer: any(event.author == name for event in peer.events()))
        return connection

    def close(self, seconds: float = PATIENCE) -> list[str]:
        self.is_closed = True
        return self.chatroom.close(seconds)


class Worder(FakeConnection):
    """Notes which thread words its answers."""

    def __init__(self, history: RecordingHistory, name: str) -> None:
        super().__init__(history, name)
        self.worded_by: list[str] = []

    def answer(self, request: int, outcome: Outcome, command: str = "") -> None:
        self.worded_by.append(threading.current_thread().name)
        super().answer(request, outcome, command)


class AskingAgain(FakeConnection):
    """Asks for its own name as soon as it reads the goodbye."""

    def __init__(self, house: House, name: str) -> None:
        super().__init__(house.history, name)
        self._house = house
        self.again: Reservation | None = None

    def part(self, code: Code, detail: str = "") -> None:
        super().part(code, detail)
        if code is Code.GOODBYE:
            self.again = self._house.reserve("ann")


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    if not house.is_closed:
        house.close()


def texts(connection: FakeConnection) -> list[str]:
    return [event.text for event in connection.events() if event.kind is EventKind.SAID]


def quits(connection: FakeConnection) -> list[str]:
    """The reasons of those who have left."""
    return [event.text for event in connection.events() if event.kind is EventKind.QUIT]


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
    bob.wait_for(lambda peer: len(peer.of(Answer)) == 1)
    bob.says.put([Bye(False, Code.GOODBYE, "")])
    cleo.wait_for(lambda peer: quits(peer) == [""])
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
    with pytest.raises(NameRefused, match="too busy") as refused:
        house.reserve("bob", timeout=0.05)
    assert refused.value.code is Code.UNAVAILABLE
    house.history.full = False


def test_lines_and_commands_of_one_burst_keep_their_order(house: House) -> None:
    """Commands and lines of a burst are taken in order; packets after a BYE are ignored."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([Say(1, "#general", "one"), Command(2, "#general", "/stats"), Say(3, "#general", "two")])
    ann.wait_for(lambda peer: texts(peer) == ["one", "two"])
    assert [getattr(packet, "text", type(packet)) for packet in ann.packets[-3:]] == ["one", Answer, "two"]
    bye = Bye(False, Code.GOODBYE, "so long")
    ann.says.put([Say(4, "#general", "three"), bye, Say(5, "#general", "too late")])
    bob.wait_for(lambda peer: quits(peer) == ["so long"])
    assert texts(bob) == ["one", "two", "three"]
    (answer,) = ann.of(Answer)
    assert (answer.id, answer.code) == (2, Code.OK)


def test_the_handler_answers_a_command(house: House) -> None:
    """An answer is worded and sent by the thread of the one who asked: the forwarder goes on meanwhile."""
    connection = Worder(house.history, "ann")
    ann = house.admit(house.reserve("ann"), connection=connection)
    ann.says.put([Command(7, "#general", "/WHO")])
    ann.wait_for(lambda peer: len(peer.of(Answer)) == 1)
    assert connection.worded_by == ["handler ann"]
    assert ann.of(Answer) == [Answer(7, Code.OK, "/who ('#general', ('ann', 'here'))")]


def test_a_goodbye_frees_the_name(house: House) -> None:
    """A member that says BYE leaves at once with its reason, gets a goodbye, and its name is free."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put([Bye(False, Code.GOODBYE, "so long")])
    bob.wait_for(lambda peer: quits(peer) == ["so long"])
    house.reserve("ann")
    eventually(lambda: ann.released, "the connection was not released")
    assert ann.ended == (Code.GOODBYE, "")


@pytest.mark.parametrize("end", [[], ConnectionLost("silent for 45 s")])
def test_a_lost_connection_is_held(house: House, end: list[Say] | ConnectionLost) -> None:
    """After an end without BYE the name is held, nobody is told, and the token comes back silently."""
    reservation = house.reserve("ann")
    ann, bob = house.admit(reservation), house.enter("bob")
    head = house.history.log[-1].seq
    ann.says.put(end)
    eventually(lambda: ann.released, "the connection was not released")
    with pytest.raises(NameRefused, match=r"ann has lost the connection; .* another (90|89) s") as refused:
        house.reserve("Ann")
    assert refused.value.code is Code.NAME_HELD
    again = house.reserve("ann", reservation.token)
    assert again.token == reservation.token and again.session == reservation.session
    (welcome,) = house.admit(again).of(Welcome)
    assert (welcome.token, welcome.head) == (reservation.token, head)
    assert quits(bob) == [] and not bob.released


def test_a_protocol_error_ends_one_member(house: House) -> None:
    """A member whose peer breaks the protocol is told how, and leaves at once; the others stay."""
    ann, bob = house.enter("ann"), house.enter("bob")
    ann.says.put(ProtocolError("nonsense"))
    bob.wait_for(lambda peer: quits(peer) == ["an error in its program"])
    eventually(lambda: ann.released, "the connection was not released")
    assert ann.ended == (Code.PROTOCOL_ERROR, "nonsense") and not bob.released
    house.reserve("ann")


def test_a_bug_ends_one_member(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a handler is logged and ends only that connection; its client can come back."""
    reservation = house.reserve("ann")
    ann, bob = house.admit(reservation), house.enter("bob")
    ann.says.put(KeyError("a bug"))
    eventually(lambda: ann.released, "the connection was not released")
    house.admit(house.reserve("ann", reservation.token))
    assert not bob.released and quits(bob) == []
    assert house.close() == []
    assert "handler ann" in caplog.text and "a bug" in caplog.text


def test_a_submitting_connection_is_marked(house: House) -> None:
    """The handler marks its connection as submitting around each request, the join included."""
    ann = house.enter("ann")
    ann.wait_for(lambda peer: peer.busy == [True, False])
    ann.says.put([Say(1, "#general", "one")])
    ann.wait_for(lambda peer: peer.busy == [True, False] * 2)


def test_a_bad_name_is_refused(house: House) -> None:
    """reserve() raises NameRefused with a code for a name that is in use or not allowed."""
    house.enter("ann")
    for name, code in (("Ann", Code.NAME_TAKEN), ("", Code.BAD_NAME), ("a b", Code.BAD_NAME)):
        with pytest.raises(NameRefused) as refused:
            house.reserve(name)
        assert refused.value.code is code


def test_a_look_alike_is_refused_in_words(house: House) -> None:
    """reserve() says whom the name looks like, whether that member is here or lost."""
    ann = house.enter("paypal")
    with pytest.raises(NameRefused, match=r"^paypaI looks like paypal: paypal is in use$") as refused:
        house.reserve("paypaI")
    assert refused.value.code is Code.NAME_TAKEN
    ann.says.put(ConnectionLost("reset"))
    eventually(lambda: ann.released, "the connection was not released")
    with pytest.raises(
        NameRefused, match=r"^paypa1 looks like paypal: paypal has lost the connection"
    ) as refused:
        house.reserve("paypa1")
    assert refused.value.code is Code.NAME_HELD


def test_tokens_are_random_and_stored_as_hashes(house: House) -> None:
    """Each new session gets its own token, and its key is the hash of the token; the history has no token."""
    one, two = house.reserve("ann"), house.reserve("bob")
    assert one.token != two.token and len(one.token) == 16
    assert [one.session, two.session] == [session_key(one.token), session_key(two.token)]
    stored = repr(house.history.restore().records)
    assert one.session in stored and one.token.hex() not in stored and repr(one.token) not in stored


def test_an_unknown_token_gives_a_new_session(house: House) -> None:
    """A client with a token that the server does not know gets another one: it must not choose its own."""
    unknown = bytes(range(16))
    assert house.reserve("ann", unknown).token not in (unknown, NO_TOKEN)


# --- what has become of `since` -------------------------------------------------------------------------


class Returning:
    """A house whose history has lines 2 to 9 of ann, and clients that come back to it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ann = house.enter("ann")
        self.ann.says.put([Say(id, "#general", f"line {id}") for id in range(2, 10)])
        self.ann.wait_for(lambda peer: len(texts(peer)) == 8)
        self.identity: bytes = self.ann.of(Welcome)[0].identity
        self.names = iter(["bob", "carl", "dora", "eve"])

    def resume(self, since: int, time: int, identity: bytes) -> tuple[Resumed, list[str]]:
        """What WELCOME says, and the lines that come."""
        connection = self.house.admit(self.house.reserve(next(self.names)), since, time, identity)
        return connection.of(Welcome)[0].resumed, texts(connection)

    def time_of(self, seq: int) -> int:
        return self.house.history.stored[seq].time


@pytest.fixture
def returning(house: House) -> Returning:
    return Returning(house)


ALL = [f"line {id}" for id in range(2, 10)]


def test_no_cursor(returning: Returning) -> None:
    """A client without a cursor gets the latest lines."""
    assert returning.resume(0, 0, NO_IDENTITY) == (Resumed.FRESH, ALL)


def test_the_cursor_of_a_stored_event(returning: Returning) -> None:
    """A client that names an event of this history gets exactly what came after it."""
    wanted = Resumed.EXACT, ["line 8", "line 9"]
    assert returning.resume(7, returning.time_of(7), returning.identity) == wanted


def test_the_cursor_of_another_history(returning: Returning) -> None:
    """A client that comes from another history is told so, and gets the latest lines."""
    assert returning.resume(7, returning.time_of(7), b"x" * 16) == (Resumed.OTHER_HISTORY, ALL)


@pytest.mark.parametrize(("since", "shift"), [(7, 1), (500, 0)])
def test_the_cursor_of_a_restored_backup(returning: Returning, since: int, shift: int) -> None:
    """A client that has seen another event of that number, or a later one, is told that this is a copy."""
    time = returning.time_of(7) + shift
    assert returning.resume(since, time, returning.identity) == (Resumed.RESTORED, ALL)


@pytest.mark.parametrize(("since", "resumed"), [(3, Resumed.GAP), (4, Resumed.EXACT), (5, Resumed.EXACT)])
def test_a_cursor_that_is_older_than_the_history(
    returning: Returning, monkeypatch: pytest.MonkeyPatch, since: int, resumed: Resumed
) -> None:
    """When retention took only what the client had seen, nothing is missed; else the client is told."""
    history, locate = returning.house.history, returning.house.history.locate
    monkeypatch.setattr(history, "locate", lambda seq: Located(0 if seq < 5 else locate(seq).time, 5))
    monkeypatch.setattr(Tail, "covers", lambda _tail, seq: seq >= 4)
    time = returning.time_of(since)
    assert returning.resume(since, time, returning.identity)[0] is resumed


def test_what_retention_has_taken_may_still_be_in_memory(
    returning: Returning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client is not told of a gap when the tail has all that it missed."""
    monkeypatch.setattr(returning.house.history, "locate", lambda seq: Located(0, 5))
    wanted = Resumed.EXACT, ALL[1:]
    assert returning.resume(2, returning.time_of(2), returning.identity) == wanted


def test_a_history_that_cannot_be_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer whose cursor cannot be looked up is sent away, and may come back at once."""
    house.enter("ann")

    def fail(_seq: int) -> Located:
        raise HistoryError("unreadable")

    monkeypatch.setattr(house.history, "locate", fail)
    connection = FakeConnection(house.history)
    identity = house.history.restore().identity
    join = Join(house.reserve("bob"), connection, ("#general",), 1, 1, identity, 0)
    house.chatroom.accept(lambda: join, "connection bob")
    connection.wait_for(lambda peer: peer.ended is not None)
    assert connection.ended == (Code.UNAVAILABLE, "the server cannot read its history")
    eventually(lambda: connection.released, "the connection was not released")
    assert connection.packets == []
    house.reserve("bob")


# --- names at the same time -----------------------------------------------------------------------------


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
        house.reserve("bob", timeout=0.01)
    released = threading.Event()
    reception = house.chatroom._reception
    release = reception.release

    def noted(reservation: Reservation) -> None:
        release(reservation)
        released.set()

    reception.release = noted  # type: ignore[method-assign]
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
    assert [member.ended for member in members] == [(Code.STOPPING, "")] * 3
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


def test_who_speaks_after_the_end_still_gets_what_was_accepted(house: House) -> None:
    """A member that says something too late gets its goodbye after the lines that were accepted."""
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
    closing = Task(house.close)
    eventually(lambda: _is_closed(house), "the order accepts more")
    bob.says.put([Say(1, "#general", "too late")])
    bob.wait_for(lambda peer: peer.busy == [True, False, True])
    go_on.set()
    assert closing.result() == []
    assert texts(bob) == ["one"] and bob.ended == (Code.STOPPING, "")


def _is_closed(house: House) -> bool:
    try:
        house.reserve("nobody", timeout=0.0)
    except Closed:
        return True
    except NameRefused:
        pass
    return False


def test_nobody_gets_in_after_the_end(house: House) -> None:
    """After close(), reserve() and spawn_vital() raise Closed."""
    house.close()
    with pytest.raises(Closed):
        house.reserve("ann")
    with pytest.raises(Closed):
        house.chatroom.spawn_vital(lambda: None, "late")


def test_a_newcomer_at_the_last_moment(house: House) -> None:
    """A newcomer that joins too late gets the goodbye, and its connection is closed."""
    reservation = house.reserve("ann")
    connection = FakeConnection(house.history)
    closed = threading.Event()

    def arrive() -> Join:
        assert closed.wait(PATIENCE)
        return Join(reservation, connection, ("#general",), 0, 0, NO_IDENTITY, 0)

    house.chatroom.accept(arrive, "connection late")
    closing = Task(house.close)
    eventually(house.ended.is_set, "the forwarder goes on")
    closed.set()
    assert closing.result() == []
    assert connection.ended == (Code.STOPPING, "") and connection.released
    assert connection.of(Welcome) == []


def test_a_thread_that_does_not_end_is_named(house: House) -> None:
    """close() returns at its deadline, with the names of the threads that still run."""
    release = threading.Event()
    house.chatroom.spawn_vital(lambda: _wait(release), "stubborn")
    assert house.close(0.2) == ["stubborn"]
    release.set()
    assert house.chatroom.reaper.close(PATIENCE) == []


def _wait(release: threading.Event) -> None:
    release.wait(PATIENCE)


def test_long_running_threads_are_stopped(house: House) -> None:
    """close() stops a thread that was started to run until then."""
    stop = threading.Event()
    house.chatroom.spawn_vital(lambda: _wait(stop), "listener", stop.set)
    assert house.close() == []
    assert stop.is_set()


def test_a_vital_thread_that_fails_ends_it(house: House) -> None:
    """When a vital thread fails, on_ended runs, what was accepted is stored, and close() raises the bug."""
    ann = house.enter("ann")
    ann.says.put([Say(1, "#general", "one")])
    ann.wait_for(lambda peer: texts(peer) == ["one"])

    def bug() -> None:
        raise KeyError("a bug")

    house.chatroom.spawn_vital(bug, "listener")
    assert house.ended.wait(PATIENCE)
    assert ann.ended is None
    with pytest.raises(ChatroomError, match=r"a bug ended the thread listener: KeyError at "):
        house.close()
    assert ann.ended == (Code.STOPPING, "") and house.history.closed


def test_a_broken_disk_ends_it(house: House) -> None:
    """When history fails for good, on_ended runs, members get a goodbye, and close() raises the error."""
    ann, bob = house.enter("ann"), house.enter("bob")
    house.history.broken = True
    ann.says.put([Say(1, "#general", "one")])
    assert house.ended.wait(PATIENCE)
    with pytest.raises(HistoryError, match="the disk is gone"):
        house.close()
    for connection in (ann, bob):
        assert connection.ended == (Code.STOPPING, "")
        assert texts(connection) == [] and connection.of(Answer) == []


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
    assert bob.ended == (Code.STOPPING, "") and texts(bob) == ["one"]


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


def test_who_has_read_the_goodbye_gets_the_name_again(house: House) -> None:
    """The member has left before its client can know that the goodbye has come."""
    connection = AskingAgain(house, "ann")
    house.admit(house.reserve("ann"), connection=connection)
    connection.says.put([Bye(False, Code.GOODBYE, "")])
    eventually(lambda: connection.released, "the handler does not end")
    assert connection.again is not None and connection.again.name == "ann"


# --- amendments -------------------------------------------------------------------------------------------


def heard(connection: FakeConnection) -> list[str]:
    """What was said and edited."""
    return [one.text for one in connection.events() if one.kind in (EventKind.SAID, EventKind.EDITED)]


def amendment(id: int, seq: int, text: str = "new") -> Say:
    return Say(id, "#general", text, Form.EDIT, extra_row(Extra.MESSAGE, seq))


def test_the_handler_looks_the_message_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forwarder reads no history; a line that waits behind it comes later."""
    ann = house.enter("ann")
    ann.says.put([Say(1, "#general", "old")])
    ann.wait_for(lambda peer: "old" in heard(peer))
    seq, looked = ann.events()[-1].seq, list[str]()
    event_at = house.history.event_at

    def look(seq: int) -> Event | None:
        looked.append(threading.current_thread().name)
        return event_at(seq)

    monkeypatch.setattr(house.history, "event_at", look)
    ann.says.put([amendment(2, seq), Say(3, "#general", "then")])
    ann.wait_for(lambda peer: "then" in heard(peer))
    assert heard(ann)[-3:] == ["old", "new", "then"]
    ann.says.put([amendment(4, seq, "newer")])
    ann.wait_for(lambda peer: "newer" in heard(peer))
    assert looked == ["handler ann"] * 3  # the second time also the earlier edit


def test_an_amendment_while_the_history_cannot_be_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, and the conversation goes on."""
    ann = house.enter("ann")

    def fail(_seq: int) -> Event | None:
        raise HistoryError("unreadable")

    monkeypatch.setattr(house.history, "event_at", fail)
    ann.says.put([amendment(1, 1), Say(2, "#general", "on")])
    ann.wait_for(lambda peer: "on" in heard(peer))
    assert [(one.id, one.code) for one in ann.of(Answer)] == [(1, Code.UNAVAILABLE)]
