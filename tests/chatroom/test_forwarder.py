"""The forwarder: requests in any order give one log, and each event is stored before it is delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatroom.catch_up import CatchUp
from chatroom.errors import Closed, HistoryError, NameRefused
from chatroom.events import Event, EventKind
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.limits import HANDSHAKE_SECONDS
from chatroom.member import Member
from chatroom.names import name_key
from chatroom.packets import NO_TOKEN, Command, Confirm, Live, Notice, Say, Welcome
from chatroom.queue import WaitingQueue
from chatroom.requests import Ask, Join, Leave, Lines, Release, Reservation, Reserve
from tests.chatroom.fakes import FakeConnection, FakeDoor, RecordingHistory
from tests.support.events import said
from tests.support.tasks import Task

CHANNELS = ("#general", "#quiet")


class Room:
    """A forwarder without a thread: the test calls its rounds. Catch-up threads start in settle()."""

    def __init__(self, history: RecordingHistory | None = None) -> None:
        self.history = history or RecordingHistory()
        self.queue = WaitingQueue()
        self.now = 0.0
        self.threads: list[Callable[[], None]] = []
        catch_up = CatchUp(self.history, self.queue.put, lambda run, _name: self.threads.append(run))
        self.flow = Flow()
        self.forwarder = Forwarder(self.queue, self.history, self.flow, catch_up, lambda: self.now)
        self.forwarder.recover()

    def forward(self) -> None:
        """One round, if there is anything to do."""
        if len(self.queue):
            self.forwarder.forward(self.queue.take_all() or [])

    def settle(self) -> None:
        """Rounds until every member is live."""
        self.forward()
        while self.threads:
            self.threads.pop(0)()
            self.forward()

    def reserve(self, name: str, token: bytes = NO_TOKEN) -> Reservation:
        request = Reserve(name, token)
        self.queue.put(request)
        self.forward()
        return request.answer.result(0)

    def enter(
        self, name: str, token: bytes = NO_TOKEN, since: int = 0, lines: int = 0, channel: str = "#general"
    ) -> FakeConnection:
        connection = FakeConnection(self.history, name)
        self.queue.put(Join(self.reserve(name, token), connection, channel, since, lines))
        self.settle()
        return connection

    def member_of(self, connection: FakeConnection) -> Member | None:
        members = self.forwarder.members.values()
        return next((member for member in members if member.connection is connection), None)

    def say(self, connection: FakeConnection, *ids: int, channel: str = "#general") -> None:
        self.queue.put(Lines(connection, [Say(id, channel, f"text {id}") for id in ids]))


@pytest.fixture
def room() -> Room:
    return Room()


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def test_a_door_decides_whether_authors_get_their_own_lines(room: Room) -> None:
    """Through a door that does not echo, authors get everything but their own lines; the others get all."""
    quiet_door = FakeDoor(echoes=False)
    ann, bob, cleo = room.enter("ann"), FakeConnection(room.history), FakeConnection(room.history)
    for name, connection in (("bob", bob), ("cleo", cleo)):
        connection.door = quiet_door
        room.queue.put(Join(room.reserve(name), connection, "#general", 0, 0))
        room.settle()
    quiet_door.encoded = 0
    room.say(ann, 1)
    room.say(bob, 1, 2)
    room.forward()
    authors = [[event.author for event in peer.events()[-3:]] for peer in (ann, bob, cleo)]
    assert authors == [["ann", "bob", "bob"], ["bob", "cleo", "ann"], ["ann", "bob", "bob"]]
    assert quiet_door.encoded == 3
    room.say(bob, 3)
    room.forward()
    assert 0 not in bob.sizes and bob.events()[-1].author == "ann"


def fold(log: list[Event]) -> dict[str, set[str]]:
    """The members and their channels, computed from the log alone."""
    members: dict[str, set[str]] = {}
    for event in log:
        if event.kind is EventKind.JOINED:
            members.setdefault(event.author, set()).add(event.channel)
        elif event.kind is EventKind.LEFT:
            members[event.author].discard(event.channel)
            if not members[event.author]:
                del members[event.author]
    return members


# --- one thing at a time --------------------------------------------------------------------------------


def test_everybody_sees_the_same(room: Room) -> None:
    """Two members get the same lines in the same order, their own lines included."""
    ann, bob = room.enter("ann"), room.enter("bob")
    room.say(ann, 1, 2)
    room.say(bob, 1)
    room.say(ann, 3)
    room.forward()
    lines = [(event.author, event.text) for event in bob.events() if event.kind is EventKind.SAID]
    assert lines == [("ann", "text 1"), ("ann", "text 2"), ("bob", "text 1"), ("ann", "text 3")]
    assert bob.events() == [event for event in ann.events() if event.seq > 1]


def test_a_newcomer_is_greeted_in_order(room: Room) -> None:
    """A newcomer gets WELCOME, the lines it asked for, LIVE, its own JOINED event, and the later events."""
    ann = room.enter("ann")
    room.say(ann, *range(1, 10))
    room.forward()
    bob = room.enter("Bob", lines=3)
    assert [type(packet).__name__ for packet in bob.packets] == ["Welcome", *["Event"] * 3, "Live", "Event"]
    welcome, *_, joined = bob.packets
    assert isinstance(welcome, Welcome) and isinstance(joined, Event)
    assert welcome[:2] == ("Bob", "#general") and welcome.head == 10 and welcome.confirmed == 0
    assert seqs(bob.events()) == [8, 9, 10, 11]
    assert joined.kind is EventKind.JOINED and joined.author == "Bob"
    assert bob.of(Live) == [Live(10)]


def test_lines_in_the_newcomers_batch(room: Room) -> None:
    """Lines in the same round as a join come once: earlier lines as replay, later lines live."""
    ann = room.enter("ann")
    bob = FakeConnection(room.history)
    reservation = room.reserve("bob")
    room.say(ann, 1)
    room.queue.put(Join(reservation, bob, "#general", 0, 50))
    room.say(ann, 2)
    room.forward()
    assert bob.of(Live) == [Live(2)]
    assert seqs(bob.events()) == [1, 2, 3, 4]


def test_a_repeat_is_confirmed_and_nothing_else(room: Room) -> None:
    """A repeated id makes no second event; its sender gets a confirmation."""
    ann, bob = room.enter("ann"), room.enter("bob")
    room.say(ann, 5, 6)
    room.forward()
    room.say(ann, 5, 6, 7)
    room.forward()
    assert [event.id for event in bob.events() if event.kind is EventKind.SAID] == [5, 6, 7]
    assert ann.of(Confirm) == [Confirm(5), Confirm(6)]
    assert bob.of(Confirm) == []


def test_a_repeat_in_one_burst(room: Room) -> None:
    """The same id twice in one round is one event."""
    ann = room.enter("ann")
    room.say(ann, 5, 5)
    room.forward()
    assert [event.id for event in ann.events()] == [0, 5]
    assert ann.of(Confirm) == [Confirm(5)]


def test_ids_are_remembered_across_a_restart(room: Room) -> None:
    """After a kill of the server, WELCOME confirms stored lines, and a repeat makes no second event."""
    ann = room.enter("ann")
    token = ann.of(Welcome)[0].token
    room.say(ann, 5)
    room.forward()
    later = Room(room.history)
    again = later.enter("ann", token, since=1)
    assert again.of(Welcome)[0].confirmed == 5
    later.say(again, 5, 6)
    later.forward()
    assert [event.id for event in room.history.log if event.kind is EventKind.SAID] == [5, 6]


def test_a_take_over_is_no_event(room: Room) -> None:
    """A client that comes back with its token takes its member over; no event is made."""
    old, bob = room.enter("ann"), room.enter("bob")
    seen = len(bob.packets)
    token = old.of(Welcome)[0].token
    new = room.enter("ann", token, since=1)
    assert old.ended == ("taken over by a new connection", False)
    assert len(bob.packets) == seen
    room.say(old, 8)  # too late: this connection has no member any more
    room.say(new, 9)
    room.queue.put(Leave(old, "gone"))
    room.forward()
    assert seqs(new.events()) == [2, 3] and new.events()[-1].id == 9
    assert [event.kind for event in room.history.log[2:]] == [EventKind.SAID]


def test_a_take_over_into_another_channel(room: Room) -> None:
    """A take-over into another channel is a LEFT event in the old and a JOINED event in the new one."""
    old = room.enter("ann")
    new = room.enter("ann", old.of(Welcome)[0].token, channel="#quiet")
    assert [(e.kind, e.channel) for e in room.history.log] == [
        (EventKind.JOINED, "#general"),
        (EventKind.LEFT, "#general"),
        (EventKind.JOINED, "#quiet"),
    ]
    assert old.ended is not None and old.ended[1] is False
    assert seqs(new.events()) == [3]


def test_left_in_the_batch_it_came_in(room: Room) -> None:
    """A join and a leave in one round give two events and no member."""
    connection = FakeConnection(room.history)
    room.queue.put(Join(room.reserve("ann"), connection, "#general", 0, 10))
    room.queue.put(Leave(connection, "gone"))
    room.forward()
    assert [event.kind for event in room.history.log] == [EventKind.JOINED, EventKind.LEFT]
    assert room.forwarder.members == {}
    assert connection.of(Live) == []


def test_an_expired_reservation_admits_nobody(room: Room) -> None:
    """A join with a reservation that went to another newcomer ends the connection, which may come back."""
    late = room.reserve("ann")
    room.now = HANDSHAKE_SECONDS
    room.enter("ann")
    connection = FakeConnection()
    room.queue.put(Join(late, connection, "#general", 0, 0))
    room.forward()
    assert connection.ended is not None and connection.ended[1] is True
    assert connection.packets == [] and room.member_of(connection) is None
    assert len(room.forwarder.members) == 1


def test_a_released_name_is_free(room: Room) -> None:
    """A released name can be reserved again."""
    reservation = room.reserve("ann")
    with pytest.raises(NameRefused):
        room.reserve("ann")
    room.queue.put(Release(reservation))
    assert room.reserve("ann").name == "ann"


def test_a_line_for_another_channel(room: Room) -> None:
    """A line for a channel without its author is not applied; its author gets a notice with its id."""
    ann = room.enter("ann")
    room.say(ann, 5, channel="#quiet")
    room.forward()
    (notice,) = ann.of(Notice)
    assert notice.id == 5 and "#quiet" in notice.text
    assert len(room.history.log) == 1


def test_channels_are_apart(room: Room) -> None:
    """Members get only the events of their own channel; all channels share one sequence."""
    ann, eve = room.enter("ann"), room.enter("eve", channel="#quiet")
    room.say(ann, 1)
    room.say(eve, 1, channel="#quiet")
    room.say(ann, 2)
    room.forward()
    assert seqs(ann.events()) == [1, 3, 5]
    assert seqs(eve.events()) == [2, 4]


def test_commands_are_answered_to_the_asker(room: Room) -> None:
    """The answer to a command goes to the asker only, with the command's id."""
    ann, bob = room.enter("ann"), room.enter("bob")
    room.queue.put(Ask(ann, Command(9, "#general", "/who")))
    room.queue.put(Ask(FakeConnection(), Command(9, "#general", "/who")))  # not a member
    room.forward()
    assert ann.of(Notice) == [Notice(9, "2 in #general: ann, bob")]
    assert bob.of(Notice) == []


def test_a_batch_is_encoded_once(room: Room) -> None:
    """An event for fifty members is encoded once."""
    members = [room.enter(f"member-{number}") for number in range(50)]
    before = members[0].door.encoded
    room.say(members[0], 1, 2, 3)
    room.forward()
    assert members[0].door.encoded - before == 3


def test_more_lines_than_memory_holds(room: Room) -> None:
    """A newcomer that asks for more lines than the tail holds gets all of them, with the help of history."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 5):
        ann = room.enter("ann")
        for id in range(1, 30):
            room.say(ann, id)
            room.forward()
        bob = room.enter("bob", lines=20)
    assert seqs(bob.events()) == list(range(11, 32))


def test_the_clock_set_back(room: Room) -> None:
    """Times in the log do not go back when the system's clock is set back."""
    ann = room.enter("ann")
    for moment in (2e9, 1e9):
        with mock.patch("chatroom.forwarder.wall_time", lambda moment=moment: moment):
            room.say(ann, int(3e9 - moment))
            room.forward()
    assert [event.time for event in room.history.log[1:]] == [int(2e12)] * 2


def test_the_clock_set_back_across_a_restart(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times in the log do not go back when the clock was set back while the server was down."""
    room.say(room.enter("ann"), 1)
    monkeypatch.setattr("chatroom.forwarder.wall_time", lambda: 1.0)
    again = Room(room.history)
    again.enter("bob")
    times = [event.time for event in room.history.log]
    assert times == sorted(times)


def test_recovery_tells_who_has_left() -> None:
    """After a crash, recovery adds a LEFT event for each member, so the log alone gives the members."""
    room = Room()
    ann, bob = room.enter("ann"), room.enter("bob")
    room.say(ann, 7)
    room.queue.put(Leave(bob, "bye"))
    room.forward()
    later = Room(room.history)
    assert [(e.kind, e.author) for e in room.history.log[4:]] == [(EventKind.LEFT, "ann")]
    assert room.history.log[-1].text == "the server was stopped"
    assert fold(room.history.log) == {}
    assert later.forwarder.members == {}
    assert not any(session.present for session in room.history.restore().sessions)
    assert len(Room(room.history).history.log) == 5  # a second start finds no member


def test_what_recovery_adds_is_replayed() -> None:
    """A newcomer after a restart gets the LEFT events of the recovery once, from memory or from history."""
    room = Room()
    room.enter("ann")
    room.say(room.enter("bob"), 7)
    room.forward()
    later = Room(room.history)
    everything = [event.seq for event in later.history.log] + [len(later.history.log) + 1]
    cleo, dora = later.enter("cleo", lines=100), later.enter("dora", since=2)
    assert seqs(cleo.events()) == [*everything, everything[-1] + 1]
    assert seqs(dora.events()) == [*everything[2:], everything[-1] + 1]


def test_those_who_stay_go_on_hearing_each_other(room: Room) -> None:
    """When one member of a channel leaves, the others still get each other's lines."""
    ann, bob, cleo = room.enter("ann"), room.enter("bob"), room.enter("cleo")
    room.queue.put(Leave(bob, "bye"))
    room.forward()
    room.say(ann, 1)
    room.forward()
    assert [peer.events()[-1].id for peer in (ann, cleo)] == [1, 1]


def test_the_flow_knows_how_many_members_there_are(room: Room) -> None:
    """Talkers pause when more than half of the members are behind, not when one of three is."""
    for name in ("ann", "bob", "cleo"):
        room.enter(name)
    room.flow.fell_behind()
    room.flow.wait_for_readers()
    assert room.flow.pauses == 0


def test_at_the_end_no_handler_pauses(room: Room) -> None:
    """stop_waiting() lets the handlers go on that wait for slow readers."""
    room.flow.fell_behind()
    room.forwarder.stop_waiting()
    room.flow.wait_for_readers()
    assert room.flow.pauses == 0


def test_a_round_that_changes_nothing_stores_nothing(room: Room) -> None:
    """A round without events, such as a repeated line or a refused name, does not touch the history."""
    ann = room.enter("ann")
    room.say(ann, 5)
    room.forward()
    room.history.tried.clear()
    room.say(ann, 5)
    room.queue.put(Reserve("ann", NO_TOKEN))
    room.queue.put(Ask(ann, Command(9, "#general", "/who")))
    room.forward()
    assert not room.history.tried.is_set()


def test_stats(room: Room) -> None:
    """/stats shows the members, the events, the batches that were stored, and how long the server is up."""
    ann = room.enter("ann")
    room.enter("bob")
    room.now = 75.0
    room.queue.put(Ask(ann, Command(9, "#general", "/stats")))
    room.forward()
    assert ann.of(Notice)[0].text.startswith(
        "up 75 s, members 2, events 2, batches 2, waiting 0, behind 0, pauses 0, threads "
    )


# --- trouble with the disk ------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.forwarder.DISK_RETRY_SECONDS", 0.001)


def test_a_full_disk_holds_the_batch(room: Room, quick: None) -> None:
    """While the disk is full, members get a notice and not the batch; when there is space, all goes on."""
    ann = room.enter("ann")
    room.history.full = True
    room.say(ann, 5)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Notice)))
    assert [event.id for event in ann.events()] == [0] and "no space" in ann.of(Notice)[0].text
    room.history.full = False
    ann.wait_for(lambda peer: len(peer.events()) == 2)
    room.queue.close()
    task.result()
    assert len(ann.of(Notice)) == 2
    assert room.forwarder.failure is None


def test_a_newcomer_gets_no_notice_before_its_welcome(room: Room, quick: None) -> None:
    """While the disk is full, a newcomer gets no notice: WELCOME is its first packet."""
    ann, bob = room.enter("ann"), FakeConnection(room.history)
    reservation = room.reserve("bob")
    room.history.full = True
    room.queue.put(Join(reservation, bob, "#general", 0, 10))
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Notice)))
    room.history.full = False
    bob.wait_for(lambda peer: bool(peer.of(Live)))
    assert isinstance(bob.packets[0], Welcome)
    room.queue.close()
    task.result()


def test_full_until_the_end(room: Room) -> None:
    """If the disk is full until the end, the error counts the lost events, and no member has got them."""
    ann = room.enter("ann")
    room.history.full = True
    room.say(ann, 5, 6, 7)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Notice)))
    room.forwarder.stop_waiting()
    room.queue.close()
    task.result()
    assert isinstance(room.forwarder.failure, HistoryError)
    assert "3 events" in str(room.forwarder.failure)
    assert [event.id for event in ann.events()] == [0]


def test_space_between_the_last_try_and_the_end(room: Room) -> None:
    """When the chatroom closes while a batch is held, the forwarder tries to store it once more."""
    ann = room.enter("ann")
    room.history.full = True
    room.say(ann, 5, 6, 7)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Notice)))
    room.history.full = False
    room.forwarder.stop_waiting()
    room.queue.close()
    task.result()
    assert room.forwarder.failure is None
    assert [event.id for event in ann.events()] == [0, 5, 6, 7]


def test_a_broken_history_ends_it(room: Room) -> None:
    """When history fails for good, the forwarder ends with the reason, and delivers no unstored event."""
    ann = room.enter("ann")
    room.history.broken = True
    room.say(ann, 5)
    room.forwarder.run()
    assert str(room.forwarder.failure) == "the disk is gone"
    assert [event.id for event in ann.events()] == [0]


def test_waiting_requests_are_answered_at_the_end(room: Room) -> None:
    """When history fails, waiting names, commands and joins are answered at once, not at a time-out."""
    ann = room.enter("ann")
    reservation = room.reserve("carl")
    room.history.broken = True
    held, waiting, carl = Reserve("bob", NO_TOKEN), Reserve("eve", NO_TOKEN), FakeConnection()
    append = room.history.append

    def fail(*arguments: Any) -> None:
        room.queue.put(waiting)  # comes while the batch is being stored
        room.queue.put(Join(reservation, carl, "#general", 0, 0))
        append(*arguments)

    room.history.append = fail  # type: ignore[method-assign, assignment]
    asks = [Ask(ann, Command(id, "#general", "/who")) for id in (6, 7)]
    room.say(ann, 5)
    room.queue.put(held)
    room.queue.put(asks[0])
    room.forwarder.run()
    assert asks[0].answered.is_set()
    for request in (held, waiting):
        with pytest.raises(Closed):
            request.answer.result(0)
    assert carl.ended is not None and carl.ended[1] is True
    with pytest.raises(Closed):
        room.queue.put(Reserve("late", NO_TOKEN))


# --- all actions in any order ---------------------------------------------------------------------------


class Visit:
    """A connection and the join that it was made with."""

    def __init__(self, connection: FakeConnection, join: Join) -> None:
        self.connection = connection
        self.join = join

    @property
    def channel(self) -> str:
        return self.join.channel

    @property
    def welcome(self) -> Welcome | None:
        return next(iter(self.connection.of(Welcome)), None)


class Conversation(RuleBasedStateMachine):
    """Joins, lines, leaves, take-overs, resumes, restarts in any order, in rounds of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.patches: list[Any] = [
            mock.patch("chatroom.tail.TAIL_EVENTS", 4),
            mock.patch("chatroom.catch_up.CATCH_UP_EVENTS", 3),
            mock.patch("chatroom.roster.secrets.token_bytes", self.token),
        ]
        for patch in self.patches:
            patch.start()
        self.tokens = 0
        self.room = Room()
        self.asked: list[Reserve] = []
        self.reserved: list[Reservation] = []
        self.visits: list[Visit] = []
        self.next_id = 1
        self.repeats: list[tuple[FakeConnection, int]] = []

    def token(self, size: int) -> bytes:
        self.tokens += 1
        return self.tokens.to_bytes(size, "big")

    @initialize(lines=st.integers(0, 12))
    def begin(self, lines: int) -> None:
        self.room.history.append([said(seq) for seq in range(1, lines + 1)], [], [])
        self.room = Room(self.room.history)

    # --- actions of the members -----------------------------------------------------------------------

    @rule(name=st.sampled_from(["ann", "Ann", "bob", "eve"]), token=st.integers(0, 6))
    def reserve(self, name: str, token: int) -> None:
        tokens = [visit.join.reservation.token for visit in self.visits[-token:]]
        request = Reserve(name, tokens[0] if token and tokens else NO_TOKEN)
        self.room.queue.put(request)
        self.asked.append(request)

    @precondition(lambda self: self.visits)
    @rule(which=st.integers(0, 5), share=st.floats(0, 1))
    def come_back(self, which: int, share: float) -> None:
        """As a client does: with its token, from a seq that it has seen."""
        visit = self.visits[-1 - which % len(self.visits)]
        if visit.welcome is None:
            return
        request = Reserve(visit.join.reservation.name, visit.join.reservation.token)
        self.room.queue.put(request)
        self.room.forward()
        if request.answer.exception(0) is None:
            seen = [event.seq for event in visit.connection.events()]
            since = seen[int(share * (len(seen) - 1))] if seen else 0
            self.join(request.answer.result(0), visit.channel, since, 0)
        self.see()

    @precondition(lambda self: self.reserved)
    @rule(channel=st.sampled_from(CHANNELS), since=st.integers(0, 30), lines=st.integers(0, 9))
    def enter(self, channel: str, since: int, lines: int) -> None:
        self.join(self.reserved.pop(0), channel, min(since, len(self.room.history.log)), lines)

    def join(self, reservation: Reservation, channel: str, since: int, lines: int) -> None:
        connection = FakeConnection(self.room.history, reservation.name)
        join = Join(reservation, connection, channel, since, lines)
        self.visits.append(Visit(connection, join))
        self.room.queue.put(join)

    @precondition(lambda self: self.reserved)
    @rule()
    def give_up(self) -> None:
        self.room.queue.put(Release(self.reserved.pop()))

    @precondition(lambda self: self.visits)
    @rule(who=st.integers(0, 5), count=st.integers(1, 4))
    def say(self, who: int, count: int) -> None:
        visit = self.visits[-1 - who % len(self.visits)]
        self.room.say(visit.connection, *range(self.next_id, self.next_id + count), channel=visit.channel)
        self.next_id += count

    @precondition(lambda self: self.visits)
    @rule(who=st.integers(0, 5), which=st.integers(0, 9))
    def repeat(self, who: int, which: int) -> None:
        """Resend a stored line of the same session."""
        visit = self.visits[-1 - who % len(self.visits)]
        member = self.room.member_of(visit.connection)
        if member is None or not member.session.confirmed:
            return
        mine = [e.id for e in self.room.history.log if e.id and e.id <= member.session.confirmed]
        id = mine[-1 - which % len(mine)]
        self.room.say(visit.connection, id, channel=visit.channel)
        self.repeats.append((visit.connection, id))

    @precondition(lambda self: self.visits)
    @rule(who=st.integers(0, 5))
    def leave(self, who: int) -> None:
        connection = self.visits[-1 - who % len(self.visits)].connection
        connection.part("gone", again=False)
        self.room.queue.put(Leave(connection, "gone"))

    # --- actions of the server ------------------------------------------------------------------------

    @rule()
    def forward(self) -> None:
        before = [
            (connection, id, len(connection.of(Confirm)))
            for connection, id in self.repeats
            if self.room.member_of(connection) is not None
        ]
        self.room.forward()
        for connection, id, _ in before:
            if connection.ended is None:
                assert Confirm(id) in connection.of(Confirm)
        self.repeats = []
        self.see()

    @precondition(lambda self: self.room.threads)
    @rule(which=st.integers(0, 3))
    def catch_up(self, which: int) -> None:
        self.room.threads.pop(which % len(self.room.threads))()

    @rule(seconds=st.sampled_from([1.0, HANDSHAKE_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.room.now += seconds

    @rule()
    def restart(self) -> None:
        """The server is killed: it loses the waiting requests and all connections."""
        for visit in self.visits:
            visit.connection.part("killed", again=True)
        self.room = Room(self.room.history)
        self.asked, self.reserved, self.repeats = [], [], []

    def see(self) -> None:
        answered = [request for request in self.asked if request.answer.done()]
        self.asked = [request for request in self.asked if not request.answer.done()]
        for request in answered:
            if request.answer.exception(0) is None:
                self.reserved.append(request.answer.result(0))

    # --- invariants ----------------------------------------------------------------------------------

    @invariant()
    def one_log(self) -> None:
        log = self.room.history.log
        assert seqs(log) == list(range(1, len(log) + 1))
        ids = [event.id for event in log if event.kind is EventKind.SAID and event.text == f"text {event.id}"]
        assert len(ids) == len(set(ids)), "a line twice"

    @invariant()
    def the_log_tells_who_is_here(self) -> None:
        members = {name: set(member.channels) for name, member in self.room.forwarder.members.items()}
        assert members == fold(self.room.history.log)
        assert len({name_key(name) for name in members}) == len(members)
        present = {record.name for record in self.room.history.restore().sessions if record.present}
        assert present == set(members)

    @invariant()
    def each_member_gets_each_event_once(self) -> None:
        for visit in self.visits:
            self.judge(visit)

    def judge(self, visit: Visit, to_the_end: bool = False) -> None:
        packets, join, welcome = visit.connection.packets, visit.join, visit.welcome
        if welcome is None:
            assert not packets
            return
        assert packets[0] is welcome and len(visit.connection.of(Welcome)) == 1
        mine = [event for event in self.room.history.log if event.channel == visit.channel]
        if join.since:
            wanted = [event for event in mine if event.seq > join.since]
        else:
            before = [event for event in mine if event.seq <= welcome.head]
            wanted = before[len(before) - min(join.lines, len(before)) :]
            wanted += [event for event in mine if event.seq > welcome.head]
        seen = visit.connection.events()
        assert seen == wanted if to_the_end else seen == wanted[: len(seen)]
        for live in visit.connection.of(Live):
            place = packets.index(live)
            assert all(e.seq <= live.seq for e in packets[:place] if isinstance(e, Event))
            assert all(e.seq > live.seq for e in packets[place:] if isinstance(e, Event))
        assert len(visit.connection.of(Live)) <= 1

    def teardown(self) -> None:
        try:
            self.room.settle()
            self.see()
            for visit in self.visits:
                member = self.room.member_of(visit.connection)
                if member is not None and visit.connection.ended is None:
                    self.judge(visit, to_the_end=True)
                    assert visit.connection.of(Live)
            self.the_log_tells_who_is_here()
            self.one_log()
        finally:
            for patch in self.patches:
                patch.stop()


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
