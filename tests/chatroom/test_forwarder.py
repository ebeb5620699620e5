"""The forwarder: entries give one log, and each event is stored before it is delivered."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.catch_up import CatchUp
from chatroom.command import SlashCommand
from chatroom.errors import ChatroomError, Closed, HistoryError, NameRefused
from chatroom.events import Event, EventKind
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.limits import HANDSHAKE_SECONDS, HOLD_SECONDS, MAX_NUMBER, TICK_SECONDS
from chatroom.names import name_key
from chatroom.order import Entry, Taken
from chatroom.outcomes import Code, Outcome
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    Answer,
    Burst,
    Channel,
    Command,
    Info,
    Live,
    Resumed,
    Role,
    Welcome,
)
from chatroom.places import WHOLE_CHATROOM, Reach
from chatroom.presence import Presence, Seat
from chatroom.proposals import Act, Arrive, Body, Enter, Leave, Own, Proposal, ProposalKind, Withdraw
from chatroom.queue import WaitingQueue
from chatroom.records import Talker
from chatroom.session import session_key
from chatroom.state import State
from tests.chatroom.fakes import FakeConnection, RecordingHistory
from tests.support.blocks import reaches
from tests.support.events import NOON
from tests.support.tasks import Task


class Asked:
    """A question for a name, and its answer."""

    def __init__(self, origin: int, answer: Future[Outcome], name: str, token: bytes, fresh: bytes) -> None:
        self.origin = origin
        self.answer = answer
        self._name = name
        self._tokens = {True: token, False: fresh}

    def reservation(self) -> Reservation:
        """Raises NameRefused, Closed."""
        outcome = self.answer.result(0)
        if outcome.code is not Code.OK:
            raise NameRefused("", outcome.code)
        token = self._tokens[outcome.rows[0] is True]
        return Reservation(self.origin, self._name, token, session_key(token))


class Room:
    """A forwarder without a thread: the test calls its rounds. Catching up goes on in settle().

    now: seconds since the beginning; only the test moves it
    """

    def __init__(self, before: Room | None = None) -> None:
        """before: the server that was killed."""
        self.history: RecordingHistory = before.history if before else RecordingHistory()
        self.now: float = before.now if before else 0.0
        self.tokens: int = before.tokens if before else 0
        self.order = WaitingQueue(clock=lambda: self.now, now=lambda: NOON + int(self.now * 1000))
        self.presence = Presence()
        self.flow = Flow()
        self.catch_up = CatchUp(self.history, self.go_live)
        self.forwarder = Forwarder(
            self.order, self.history, self.presence, self.flow, self.catch_up, lambda: self.now
        )
        self.forwarder.recover()
        self.origins: dict[FakeConnection, int] = {}
        self.forward()

    def go_live(self, seat: Seat, seq: int) -> None:
        self.forwarder.go_live(seat, seq)

    def forward(self) -> None:
        """One round, of all that waits."""
        self.order.post(lambda: None)  # so that take() does not wait
        taken = self.order.take()
        assert taken is not None
        self.forwarder.forward(taken)

    def settle(self) -> None:
        """Rounds until every member is live."""
        self.forward()
        while self.catch_up.waiting:
            self.catch_up.serve()
            self.forward()

    def put(self, origin: int, kind: ProposalKind, body: Body) -> None:
        self.order.put(Proposal(origin, 0, kind, body))

    def ask(self, name: str, token: bytes = NO_TOKEN, proof: str = "") -> Asked:
        self.tokens += 1
        fresh = self.tokens.to_bytes(16, "big")
        known = session_key(token) if token != NO_TOKEN else ""
        origin, answer = self.presence.ask()
        body = Arrive(name, name_key(name), known, session_key(fresh), "address", proof=proof)
        self.put(origin, ProposalKind.ARRIVE, body)
        return Asked(origin, answer, name, token, fresh)

    def reserve(self, name: str, token: bytes = NO_TOKEN, proof: str = "") -> Reservation:
        asked = self.ask(name, token, proof)
        self.forward()
        return asked.reservation()

    def join(
        self, reservation: Reservation, *channels: str, since: int = 0, lines: int = 0
    ) -> FakeConnection:
        """A connection that asks to be admitted in the next round."""
        connection = FakeConnection(self.history, reservation.name)
        wanted = channels or ("#general",)
        join = Join(reservation, connection, wanted, since, 0, NO_IDENTITY, lines)
        self.presence.come(join, Missed(since, lines, Resumed.EXACT if since else Resumed.FRESH))
        self.put(reservation.origin, ProposalKind.ENTER, Enter(reservation.session, wanted))
        self.origins[connection] = reservation.origin
        return connection

    def enter(
        self,
        name: str,
        *channels: str,
        token: bytes = NO_TOKEN,
        since: int = 0,
        lines: int = 0,
        proof: str = "",
    ) -> FakeConnection:
        connection = self.join(self.reserve(name, token, proof), *channels, since=since, lines=lines)
        self.settle()
        return connection

    def act(self, connection: FakeConnection, command: str, *arguments: str | int) -> None:
        """The member gives a command that changes the state."""
        act = Act(command, "#general", arguments)
        self.order.put(Proposal(self.origins[connection], 8, ProposalKind.ACT, act))
        self.forward()

    def seat(self, connection: FakeConnection) -> Seat | None:
        return self.presence.seat(self.origins[connection])

    def say(self, connection: FakeConnection, *ids: int, channel: str = "#general") -> None:
        burst = Burst(channel, ids, [f"text {id}".encode() for id in ids])
        self.put(self.origins[connection], ProposalKind.LINES, burst)

    def leave(self, connection: FakeConnection, clean: bool = True) -> None:
        self.put(self.origins[connection], ProposalKind.LEAVE, Leave(clean, "gone"))

    def command(self, connection: FakeConnection, text: str) -> Future[Outcome | SlashCommand | None]:
        return self.forwarder.ask(self.origins[connection], Command(9, "#general", text))

    def state_of_the_stored(self) -> State:
        restored, state = self.history.restore(), State()
        state.restore(restored.head, restored.records, restored.talkers)
        return state


@pytest.fixture
def room() -> Room:
    return Room()


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def kinds(packets: list[Any]) -> list[str]:
    return [type(packet).__name__ for packet in packets]


def said_ids(connection: FakeConnection) -> list[int]:
    return [event.id for event in connection.events() if event.kind is EventKind.SAID]


def token_of(connection: FakeConnection) -> bytes:
    token: bytes = connection.of(Welcome)[0].token
    return token


def fold(log: list[Event]) -> dict[str, set[int]]:
    """The members and their places, computed from the log alone."""
    members: dict[str, set[int]] = {}
    for event in log:
        if event.kind is EventKind.JOINED:
            members.setdefault(event.author, set()).add(event.place)
        elif event.kind is EventKind.QUIT:
            assert set(event.places) == members.pop(event.author)
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
    """A newcomer gets WELCOME, its channels, the lines it asked for, LIVE, and its own JOINED."""
    ann = room.enter("ann")
    room.say(ann, *range(1, 10))
    room.forward()
    bob = room.enter("Bob", lines=3)
    greeting = ["Welcome", "Channel", "Replay", *["Event"] * 3, "Live", "Event"]
    assert kinds(bob.packets) == greeting
    (welcome,), joined = bob.of(Welcome), bob.events()[-1]
    assert (welcome.name, welcome.head, welcome.confirmed) == ("Bob", 10, 0)
    assert welcome.identity == room.history.restore().identity
    assert seqs(bob.events()) == [8, 9, 10, 11]
    assert joined.kind is EventKind.JOINED and joined.author == "Bob"
    assert bob.of(Live) == [Live(10, NOON)]
    assert [member.name for member in bob.of(Channel)[0].members] == ["ann", "Bob"]


def test_lines_in_the_newcomers_round(room: Room) -> None:
    """Lines in the same round as a join come once: earlier lines as replay, later lines live."""
    ann = room.enter("ann")
    reservation = room.reserve("bob")
    room.say(ann, 1)
    bob = room.join(reservation, lines=50)
    room.say(ann, 2)
    room.forward()
    assert bob.of(Live) == [Live(2, NOON)]
    assert seqs(bob.events()) == [2, 3, 4]


def test_a_repeat_is_answered_and_nothing_else(room: Room) -> None:
    """A repeated id makes no second event; its sender alone gets an answer."""
    ann, bob = room.enter("ann"), room.enter("bob")
    room.say(ann, 5, 6)
    room.forward()
    room.say(ann, 5, 6, 7)
    room.forward()
    assert said_ids(bob) == [5, 6, 7]
    assert [(answer.id, answer.code) for answer in ann.of(Answer)] == [(5, Code.ALREADY), (6, Code.ALREADY)]
    assert bob.of(Answer) == []


def test_a_line_without_an_id(room: Room) -> None:
    """A line with the id 0 is answered like a repeat, and breaks nothing."""
    ann = room.enter("ann")
    room.say(ann, 0, 1)
    room.forward()
    assert [(answer.id, answer.code) for answer in ann.of(Answer)] == [(0, Code.ALREADY)]
    assert said_ids(ann) == [1]


def test_ids_are_remembered_across_a_restart(room: Room) -> None:
    """After a kill of the server, WELCOME confirms stored lines, and a repeat makes no second event."""
    ann = room.enter("ann")
    room.say(ann, 5)
    room.forward()
    later = Room(room)
    again = later.enter("ann", token=token_of(ann), since=1)
    assert again.of(Welcome)[0].confirmed == 5
    later.say(again, 5, 6)
    later.forward()
    assert [event.id for event in room.history.log if event.kind is EventKind.SAID] == [5, 6]


def test_a_take_over_is_no_event(room: Room) -> None:
    """A client that comes back with its token takes its member over; no event is made."""
    old, bob = room.enter("ann"), room.enter("bob")
    seen = len(bob.packets)
    new = room.enter("ann", token=token_of(old), since=1)
    assert old.ended == (Code.TAKEN_OVER, "")
    assert len(bob.packets) == seen
    room.say(old, 8)  # too late: this connection has no member any more
    room.say(new, 9)
    room.leave(old)
    room.forward()
    assert seqs(new.events()) == [2, 3] and new.events()[-1].id == 9
    assert [event.kind for event in room.history.log[2:]] == [EventKind.SAID]


def test_a_take_over_adds_channels(room: Room) -> None:
    """A take-over that asks for another channel is a JOINED event there; the member keeps the others."""
    old = room.enter("ann")
    new = room.enter("ann", "#quiet", token=token_of(old))
    assert [(e.kind, e.channel) for e in room.history.log] == [
        (EventKind.JOINED, "#general"),
        (EventKind.JOINED, "#quiet"),
        (EventKind.AUDITED, "#quiet"),
    ]
    assert [channel.name for channel in new.of(Channel)] == ["#general", "#quiet"]
    room.say(new, 1)
    room.say(new, 2, channel="#quiet")
    room.forward()
    assert said_ids(new) == [1, 2]


def test_left_in_the_round_it_came_in(room: Room) -> None:
    """A join and a goodbye in one round give two events and no member."""
    ann = room.join(room.reserve("ann"), lines=10)
    room.leave(ann)
    room.forward()
    assert [event.kind for event in room.history.log] == [EventKind.JOINED, EventKind.QUIT]
    assert room.forwarder.state.members == {} and len(room.presence) == 0


def test_an_expired_reservation_admits_nobody(room: Room) -> None:
    """A join with a name that went to another newcomer ends the connection, which may come back."""
    late = room.reserve("ann")
    room.now += HANDSHAKE_SECONDS
    room.enter("ann")
    connection = room.join(late)
    room.forward()
    assert connection.ended == (Code.EXPIRED, "")
    assert connection.packets == [] and room.seat(connection) is None
    assert len(room.forwarder.state.members) == 1


def test_a_released_name_is_free(room: Room) -> None:
    """A released name can be reserved again."""
    reservation = room.reserve("ann")
    with pytest.raises(NameRefused):
        room.reserve("ann")
    room.put(reservation.origin, ProposalKind.WITHDRAW, Withdraw(reservation.session))
    assert room.reserve("ann").name == "ann"


def test_a_line_for_another_channel(room: Room) -> None:
    """A line for a channel without its author is not applied; its author gets one answer with its id."""
    ann = room.enter("ann")
    room.say(ann, 5, channel="#quiet")
    room.forward()
    (answer,) = ann.of(Answer)
    assert (answer.id, answer.code) == (5, Code.NOT_IN)
    assert len(room.history.log) == 1


def test_channels_are_apart(room: Room) -> None:
    """Members get only the events of their own channels; all channels share one sequence."""
    ann, eve, both = room.enter("ann"), room.enter("eve", "#quiet"), room.enter("joe", "#quiet", "#general")
    room.say(ann, 1)
    room.say(eve, 1, channel="#quiet")
    room.say(ann, 2)
    room.forward()
    assert seqs(ann.events()) == [1, 5, 6, 8]  # 3 is in the trail
    assert seqs(eve.events()) == [2, 4, 7]
    assert seqs(both.events()) == [4, 5, 6, 7, 8]


def test_a_goodbye_reaches_each_once(room: Room) -> None:
    """QUIT comes once to each who shares a channel, and to nobody else; the name is free at once."""
    ann, bob = room.enter("ann", "#one", "#two"), room.enter("bob", "#one", "#two")
    eve = room.enter("eve", "#three")
    room.leave(ann)
    room.forward()
    assert [e.kind for e in bob.events()[-2:]] == [EventKind.JOINED, EventKind.QUIT]
    assert EventKind.QUIT not in [event.kind for event in eve.events()]
    assert room.reserve("ann")


def test_a_lost_member_is_held(room: Room) -> None:
    """When a connection breaks, the others are told only after HOLD_SECONDS, by a tick."""
    ann, bob = room.enter("ann"), room.enter("bob")
    room.leave(ann, clean=False)
    room.forward()
    room.now += HOLD_SECONDS - 1
    room.forward()
    seen = len(bob.packets)
    with pytest.raises(NameRefused):
        room.reserve("ann")
    assert len(bob.packets) == seen
    room.now += 1
    room.forward()
    assert [event.kind for event in bob.events()[-1:]] == [EventKind.QUIT]


def test_commands_are_answered_to_the_asker(room: Room) -> None:
    """The asker gets what the command has found out, as data, and words it; who is gone gets nothing."""
    ann, bob = room.enter("ann"), room.enter("bob")
    answers = [room.command(ann, "/WHO"), room.forwarder.ask(77, Command(9, "#general", "/who"))]
    room.forward()
    found = Outcome(Code.OK, ("#general", ("ann", "here"), ("bob", "here")))
    assert [answer.result(0) for answer in answers] == [found, None]
    assert ann.of(Answer) == bob.of(Answer) == []


def test_a_command_sees_what_was_proposed_before(room: Room) -> None:
    """A command is answered after the entries of its round."""
    ann = room.enter("ann")
    room.join(room.reserve("bob"))
    answer = room.command(ann, "/who")
    room.forward()
    assert answer.result(0) == Outcome(Code.OK, ("#general", ("ann", "here"), ("bob", "here")))


def test_a_round_is_encoded_once(room: Room) -> None:
    """What happens is translated once for fifty members; the lines of a burst together."""
    members = [room.enter(f"member-{number}") for number in range(50)]
    before = members[0].door.translated
    room.say(members[0], 1, 2, 3)
    room.forward()
    assert members[0].door.translated - before == 1


def test_more_lines_than_memory_holds(room: Room) -> None:
    """A newcomer that asks for more lines than the tail holds gets all of them, with the help of history."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 5):
        ann = room.enter("ann")
        for id in range(1, 30):
            room.say(ann, id)
            room.forward()
        bob = room.enter("bob", lines=20)
    assert seqs(bob.events()) == list(range(11, 32))


def test_a_busy_channel_does_not_hold_up_who_is_in_another(room: Room) -> None:
    """Who missed thousands of events of another channel is up to date at once, and goes live."""
    with mock.patch("chatroom.tail.TAIL_EVENTS", 5):
        eve, ann = room.enter("eve", "#quiet"), room.enter("ann")
        room.leave(eve, clean=False)
        for id in range(1, 30):
            room.say(ann, id)
            room.forward()
        again = room.join(room.reserve("eve", token_of(eve)), "#quiet", since=1)
        room.forward()
        assert room.catch_up.waiting == 1
        room.catch_up.serve()
        room.forward()
    assert room.catch_up.waiting == 0 and again.events() == [] and again.of(Live) == [Live(32, NOON)]


def test_a_first_start_says_nothing(room: Room) -> None:
    """The first start of a history makes no event."""
    assert room.history.log == []


def test_a_restart_tells_who_does_not_come_back() -> None:
    """After a crash each member is held; who does not come back quits, so the log gives the members."""
    room = Room()
    ann, bob = room.enter("ann"), room.enter("bob")
    room.say(ann, 7)
    room.leave(bob)
    room.forward()
    later = Room(room)
    assert [(e.kind, e.author) for e in room.history.log[4:]] == [(EventKind.RESTARTED, "")]
    assert fold(room.history.log) == {"ann": {1}}
    later.now += HOLD_SECONDS
    later.forward()
    assert [(e.kind, e.text) for e in room.history.log[5:]] == [(EventKind.QUIT, "the server was stopped")]
    assert fold(room.history.log) == {} and later.forwarder.state.members == {}


def test_a_return_after_a_restart_is_silent() -> None:
    """A client that comes back in time after a crash gets what it missed, and nobody sees a JOINED."""
    room = Room()
    ann, bob = room.enter("ann"), room.enter("bob")
    later = Room(room)
    again = later.enter("ann", token=token_of(ann), since=1)
    assert [event.kind for event in again.events()] == [EventKind.JOINED, EventKind.RESTARTED]
    assert len(room.history.log) == 3 and bob.events()[-1].seq == 2


def test_what_a_restart_adds_is_replayed() -> None:
    """A newcomer after a restart gets RESTARTED and the QUITs once, from memory or from history."""
    room = Room()
    room.enter("ann")
    room.say(room.enter("bob"), 7)
    room.forward()
    later = Room(room)
    later.now += HOLD_SECONDS
    later.forward()
    cleo, dora = later.enter("cleo", lines=100), later.enter("dora", since=2)
    assert [event.kind for event in room.history.log[3:6]] == [
        EventKind.RESTARTED,
        EventKind.QUIT,
        EventKind.QUIT,
    ]
    assert seqs(cleo.events()) == [3, 4, 5, 6, 7, 8]
    assert seqs(dora.events()) == [3, 4, 5, 6, 7, 8]


def test_those_who_stay_go_on_hearing_each_other(room: Room) -> None:
    """When one member of a channel leaves, the others still get each other's lines."""
    ann, bob, cleo = room.enter("ann"), room.enter("bob"), room.enter("cleo")
    room.leave(bob)
    room.forward()
    room.say(ann, 1)
    room.forward()
    assert [peer.events()[-1].id for peer in (ann, cleo)] == [1, 1]


def test_an_act_is_answered_with_its_name(room: Room) -> None:
    """What becomes of an act is told to its author only, with the command's name, after its events."""
    ann, bob = room.enter("ann"), room.enter("bob")
    room.act(ann, "/register", "secret")
    event, answer = ann.packets[-2:]
    assert (event.kind, event.text, event.seq) == (EventKind.ACCOUNT, "ann", 3)
    assert answer == Answer(8, Code.OK, "/register ('ann',)")
    assert bob.packets[-1] == event


def owner(room: Room) -> FakeConnection:
    """ann, who has an account, in #general."""
    ann = room.enter("ann")
    room.act(ann, "/register", "secret")
    return ann


def test_who_comes_while_somebody_is_erased(room: Room) -> None:
    """Who is here has read the lines; whoever is greeted in the same round, or comes later, gets blanks."""
    ann = owner(room)
    room.put(0, ProposalKind.OWN, Own("", "", (), "code", 2 * NOON))
    room.act(ann, "/owner", "code")
    bob, reservation = room.enter("bob"), room.reserve("eve")
    room.say(bob, 1)
    room.forward()
    room.say(bob, 2)
    erase = Act("/erase", "#general", ("bob",))
    room.order.put(Proposal(room.origins[ann], 8, ProposalKind.ACT, erase))
    eve = room.join(reservation, lines=50)
    room.settle()
    assert [one.text for one in ann.events() if one.kind is EventKind.SAID] == ["text 1", "text 2"]
    assert ann.events()[-2].kind is EventKind.ERASED and bob.ended == (Code.KICKED, "")
    for connection in (eve, room.enter("zoe", lines=50)):
        said = [one for one in connection.events() if one.kind is EventKind.SAID]
        assert [(one.author, one.text) for one in said] == [("erased", "")] * 2
        assert EventKind.ERASED in [one.kind for one in connection.events()]


def test_a_question_of_somebody_who_is_erased(room: Room) -> None:
    """Whoever comes later reads neither from memory nor from the history what the person has asked."""
    ann, bob = owner(room), room.enter("bob")
    room.put(0, ProposalKind.OWN, Own("", "", (), "code", 2 * NOON))
    room.act(ann, "/owner", "code")
    room.say(ann, 9)
    room.act(bob, "/ask", "why?")
    room.act(ann, "/ask", "how?")
    room.act(ann, "/erase", "bob")
    zoe = room.enter("zoe", lines=50)
    assert [one.text for one in ann.events() if one.kind is EventKind.ASKED] == ["why?", "how?"]
    assert [one.text for one in zoe.events() if one.kind is EventKind.ASKED] == ["", "how?"]


def test_two_programs_of_one_person(room: Room) -> None:
    """Each program gets every event once, the lines of the other one, too, and its own answers only."""
    laptop = owner(room)
    phone, bob = room.enter("ann", proof="secret"), room.enter("bob")
    room.say(laptop, 5)
    room.say(phone, 9)
    room.say(bob, 1)
    room.forward()
    assert seqs(laptop.events()) == [1, 2, 3, 4, 5, 6] and seqs(phone.events()) == [3, 4, 5, 6]
    room.say(phone, 9)
    room.forward()
    assert len(phone.of(Answer)) == 1 and len(laptop.of(Answer)) == 1  # to /register
    room.leave(phone)
    room.forward()
    room.say(laptop, 6)
    room.forward()
    assert seqs(laptop.events()) == [*range(1, 8)] and len(phone.events()) == 4


def test_the_other_program_gets_the_channel(room: Room) -> None:
    """When a program enters a channel, those that are live get its description, then JOINED and all else."""
    laptop, bob = owner(room), room.enter("bob", "#quiet")
    before = len(laptop.packets)
    phone = room.join(room.reserve("ann", proof="secret"), "#quiet", "#general", "#other")
    room.say(bob, 1, channel="#quiet")
    room.settle()
    room.say(bob, 2, channel="#quiet")
    room.forward()
    assert [
        (type(packet), getattr(packet, "channel", "") or packet.name) for packet in laptop.packets[before:]
    ] == [
        (Channel, "#quiet"),
        (Event, "#quiet"),
        (Channel, "#other"),
        *((Event, channel) for channel in ("#other", "#quiet", "#quiet")),
    ]
    assert seqs(laptop.events())[-4:] == [5, 6, 8, 9] and seqs(phone.events()) == [5, 6, 8, 9]
    assert {present.name for present in laptop.of(Channel)[-2].members} == {"ann", "bob"}


def test_a_round_with_joins_and_leaves(room: Room) -> None:
    """In one round with lines before, between and behind: a connection gets what was said while it was in."""
    ann, bob = room.enter("ann", "#quiet"), room.enter("bob")
    before = len(bob.packets)

    def act(command: str, *arguments: str) -> None:
        body = Act(command, "#quiet", arguments)
        room.order.put(Proposal(room.origins[bob], 8, ProposalKind.ACT, body))

    room.say(ann, 1, channel="#quiet")
    act("/join", "#quiet", "")
    room.say(ann, 2, channel="#quiet")
    act("/leave", "")
    room.say(ann, 3, channel="#quiet")
    act("/join", "#quiet", "")
    room.say(ann, 4, 5, channel="#quiet")
    room.forward()
    assert kinds(bob.packets[before:]) == [
        *("Channel", "Event", "Event", "Event", "Channel", "Event", "Event", "Event"),
        *3 * ["Answer"],
    ]
    assert said_ids(bob) == [2, 4, 5] and said_ids(ann) == [1, 2, 3, 4, 5]
    room.say(ann, 6, channel="#quiet")
    act("/leave", "")
    room.forward()
    room.say(ann, 7, channel="#quiet")
    room.forward()
    assert said_ids(bob) == [2, 4, 5, 6] and bob.events()[-1].kind is EventKind.LEFT


def test_a_channel_that_ends_in_the_round_in_which_it_began(room: Room) -> None:
    """Nobody can describe it any more; its events come all the same, and its answers."""
    bob = room.enter("bob")
    before = len(bob.packets)
    for command, arguments in (("/join", ("#new", "")), ("/leave", ("",))):
        body = Act(command, "#new", arguments)
        room.order.put(Proposal(room.origins[bob], 8, ProposalKind.ACT, body))
    room.forward()
    assert kinds(bob.packets[before:]) == ["Event", "Event", "Answer", "Answer"]


def test_who_leaves_while_it_catches_up_comes_back(room: Room) -> None:
    """The replay that is under way would go on beyond LEFT: the connection is told to come back."""
    ann = owner(room)
    for id in range(1, 12):
        room.say(ann, id)
    room.forward()
    with mock.patch.object(room.forwarder._tail, "floor", room.forwarder._tail.head):
        phone = room.join(room.reserve("ann", proof="secret"), since=1)
        room.forward()
        assert room.catch_up.waiting == 1
    room.act(ann, "/leave", "")
    assert phone.ended is not None and phone.ended[0] is Code.UNAVAILABLE


def test_a_program_that_still_catches_up_comes_back(room: Room) -> None:
    """A program that has not caught up when another one enters a channel is told to come back: then it gets
    what happened there meanwhile."""
    laptop = owner(room)
    for id in range(1, 12):
        room.say(laptop, id)
    room.forward()
    with mock.patch.object(room.forwarder._tail, "floor", room.forwarder._tail.head):
        phone = room.join(room.reserve("ann", proof="secret"), since=1)
        room.forward()
        assert room.catch_up.waiting == 1
    room.enter("ann", "#quiet", proof="secret")
    assert phone.ended is not None and phone.ended[0] is Code.UNAVAILABLE
    assert "#quiet" not in {packet.name for packet in phone.of(Channel)}
    again = room.enter("ann", token=phone.of(Welcome)[0].token, since=1)
    assert {packet.name for packet in again.of(Channel)} == {"#general", "#quiet"}
    assert seqs(again.events()) == [*range(2, 15)]


def test_who_is_expelled_is_told(room: Room) -> None:
    """A program that the owner ends gets its goodbye, and nothing after that; its author gets the answer."""
    laptop = owner(room)
    phone = room.enter("ann", proof="secret")
    room.act(laptop, "/sessions end", 2)
    assert phone.ended == (Code.EXPIRED, "another program of yours has ended this one")
    assert laptop.of(Answer)[-1].code == Code.OK
    room.leave(phone)  # its handler's last word
    room.say(laptop, 1)
    room.forward()
    assert [event.kind for event in laptop.events()][-1] is EventKind.SAID


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Act("/kick", "*", ("bob", "spam")), Code.KICKED),
        (Act("/ban", "*", ("name bob", "bob", 0, "")), Code.BANNED),
        (Act("/erase", "#general", ("bob",)), Code.KICKED),
    ],
)
def test_who_is_ended_gets_nothing_of_what_follows(room: Room, act: Act, code: Code) -> None:
    """Whatever stands in the same round after the end of a person's sessions, its connections do not get."""
    ann, bob = owner(room), room.enter("bob")
    room.put(0, ProposalKind.OWN, Own("", "", (), "code", 2 * NOON))
    room.act(ann, "/owner", "code")
    room.act(bob, "/join", "#tea", "")
    before = len(bob.events())
    room.say(bob, 1)
    room.order.put(Proposal(room.origins[ann], 8, ProposalKind.ACT, act))
    room.say(ann, 2)
    room.forward()
    assert bob.ended is not None and bob.ended[0] is code
    assert [event.id for event in bob.events()[before:] if event.kind is EventKind.SAID] == [1]
    assert all(event.kind in (EventKind.SAID, EventKind.LISTED) for event in bob.events()[before:])
    assert said_ids(ann)[-2:] == [1, 2]


def test_who_is_ended_while_it_catches_up(room: Room) -> None:
    """It does not read in the history what was said after its end; its answer comes with the goodbye."""
    ann = owner(room)
    phone = room.join(room.reserve("ann", proof="secret"), lines=50)
    with mock.patch.object(room.forwarder._tail, "starts", return_value=None):
        room.forward()
    assert room.catch_up.waiting and not phone.events()
    room.order.put(Proposal(room.origins[ann], 8, ProposalKind.ACT, Act("/sessions end", "#general", (2,))))
    room.say(ann, 1)
    room.settle()
    assert phone.ended is not None and phone.ended[0] is Code.EXPIRED
    assert 1 not in said_ids(phone)


def test_the_greeting_tells_ones_role(room: Room) -> None:
    """CHANNEL has the role of the member that gets it, and those of the others in its list."""
    laptop = owner(room)
    room.put(0, ProposalKind.OWN, Own("ann", "ann", (), "code", MAX_NUMBER))
    room.forward()
    room.act(laptop, "/owner", "code")
    bob, phone = room.enter("bob"), room.enter("ann", proof="secret")
    for connection, role in ((laptop, Role.MEMBER), (bob, Role.MEMBER), (phone, Role.OWNER)):
        (channel,) = connection.of(Channel)
        assert channel.role == role
    roles = {present.name: present.role for present in phone.of(Channel)[0].members}
    assert roles == {"ann": Role.OWNER, "bob": Role.MEMBER}


def test_a_start_tells_the_lines_of_two_programs_apart(room: Room) -> None:
    """Killed in the middle: what the history has tells which program has said what."""
    laptop = owner(room)
    phone = room.enter("ann", proof="secret")
    room.say(laptop, 5)
    room.say(phone, 900)
    room.leave(phone)
    room.say(laptop, 6)
    room.forward()
    confirmed = [session.confirmed for session in room.state_of_the_stored().sessions_of(1)]
    assert confirmed == [6, 900]


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
    """A tick, a repeated or refused line, a refused name, a command: none of them touches the history."""
    ann = room.enter("ann")
    room.say(ann, 5)
    room.now += 1
    room.forward()  # the tick has noted the line
    room.history.tried.clear()
    room.now += 1
    room.say(ann, 5)
    room.say(ann, 6, channel="#nowhere")
    room.ask("ann")
    room.command(ann, "/who")
    room.forward()
    assert not room.history.tried.is_set()


def test_records_alone_are_stored(room: Room) -> None:
    """A change without an event is stored, too."""
    room.reserve("ann")
    assert [record.kind for record in room.history.restore().records] == ["history", "session"]


def test_what_the_records_do_not_know_is_stored_with_the_lines(room: Room) -> None:
    """History tells a start who has said what since the last tick; after a tick, the records know it."""
    ann = room.enter("ann")
    room.now += 1
    room.forward()
    room.say(ann, 5, 6)
    room.forward()
    assert room.history.restore().talkers == [Talker(1, 6)]
    room.now += 1
    room.forward()
    assert room.history.restore().talkers == []
    assert '"confirmed":6' in str(room.history.restore().records)


def test_lines_that_came_together_are_one_block(room: Room) -> None:
    """History gets the lines of a round in one block for each scope, whoever has said them."""
    ann, bob = room.enter("ann"), room.enter("bob", "#general", "#quiet")
    room.say(ann, 5, 6)
    room.say(bob, 1, channel="#quiet")
    room.say(bob, 2, 3)
    room.forward()
    blocks = room.history.read(4, {1, 2}, 10**6).blocks
    assert [(block.first, block.last, block.lines, block.place) for block in blocks] == [
        (5, 9, 4, 1),
        (7, 7, 1, 2),
    ]


def test_the_position_of_the_round_is_stored(room: Room) -> None:
    """History gets the position of the last entry of the round, with what followed from all of them."""
    arrive = Proposal(9, 0, ProposalKind.ARRIVE, Arrive("ann", "ann", "", "key", ""))
    entries = [Entry(position, NOON, "other", 1, [arrive]) for position in (b"one", b"two")]
    room.forwarder.forward(Taken(entries, []))
    assert room.history.restore().position == b"two"


def test_each_server_carries_out_its_own_effects(room: Room) -> None:
    """What another server's connections are told is that server's business; its events are for all."""
    ann = room.enter("ann")
    (origin,) = room.origins.values()
    proposals = [
        Proposal(origin, 0, ProposalKind.ARRIVE, Arrive("bob", "bob", "", "key", "")),
        Proposal(origin, 0, ProposalKind.ENTER, Enter("key", ("#general",))),
        Proposal(origin, 0, ProposalKind.LINES, Burst("#general", [1], [b"hi"])),
        Proposal(origin, 0, ProposalKind.LINES, Burst("#general", [1], [b"hi"])),
        Proposal(origin, 0, ProposalKind.LEAVE, Leave(True, "")),
    ]
    room.forwarder.forward(Taken([Entry(b"", NOON, "other", 1, proposals)], []))
    expected = [EventKind.JOINED, EventKind.SAID, EventKind.QUIT]
    assert [event.kind for event in ann.events()[1:]] == expected
    assert ann.of(Answer) == [] and len(ann.of(Welcome)) == 1
    assert ann.ended is None and room.seat(ann) is not None


def test_stats(room: Room) -> None:
    """/stats shows the members, the events, the batches that were stored, and how long the server is up."""
    ann = room.enter("ann")
    room.enter("bob")
    room.now += 75.0
    answer = room.command(ann, "/stats")
    room.forward()
    numbers = room.forwarder.numbers()
    assert {name: numbers[name] for name in ("up", "members", "events", "waiting", "behind", "pauses")} == {
        "up": "75 s",
        "members": 2,
        "events": 2,
        "waiting": 0,
        "behind": 0,
        "pauses": 0,
    }
    assert numbers["batches"] == 5  # the start, two names, two members
    outcome = answer.result(0)
    assert outcome is not None and all(name in str(outcome.rows) for name in numbers)


# --- trouble with the disk ------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.forwarder.DISK_RETRY_SECONDS", 0.001)


def test_a_full_disk_holds_the_round(room: Room, quick: None) -> None:
    """While the disk is full, members are told so and get no event; when there is space, all goes on."""
    ann = room.enter("ann")
    room.history.full = True
    room.say(ann, 5)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Info)))
    assert said_ids(ann) == [] and "no space" in ann.of(Info)[0].words
    room.history.full = False
    ann.wait_for(lambda peer: said_ids(peer) == [5])
    room.order.close()
    task.result()
    assert len(ann.of(Info)) == 2
    assert room.forwarder.failure is None


def test_a_newcomer_is_told_nothing_before_its_welcome(room: Room, quick: None) -> None:
    """While the disk is full, a newcomer is not told so: WELCOME is its first packet."""
    ann, reservation = room.enter("ann"), room.reserve("bob")
    room.history.full = True
    bob = room.join(reservation, lines=10)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Info)))
    room.history.full = False
    bob.wait_for(lambda peer: bool(peer.of(Live)))
    assert isinstance(bob.packets[0], Welcome)
    room.order.close()
    task.result()


def test_full_until_the_end(room: Room) -> None:
    """If the disk is full until the end, the error counts the lost events, and no member has got them."""
    ann = room.enter("ann")
    room.history.full = True
    room.say(ann, 5, 6, 7)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Info)))
    room.forwarder.stop_waiting()
    room.order.close()
    task.result()
    assert isinstance(room.forwarder.failure, HistoryError)
    assert "3 events" in str(room.forwarder.failure)
    assert said_ids(ann) == []


def test_space_between_the_last_try_and_the_end(room: Room) -> None:
    """When the chatroom closes while a round is held, the forwarder tries to store it once more."""
    ann = room.enter("ann")
    room.history.full = True
    room.say(ann, 5, 6, 7)
    task = Task(room.forwarder.run)
    ann.wait_for(lambda peer: bool(peer.of(Info)))
    room.history.full = False
    room.forwarder.stop_waiting()
    room.order.close()
    task.result()
    assert room.forwarder.failure is None
    assert said_ids(ann) == [5, 6, 7]


def test_a_broken_history_ends_it(room: Room) -> None:
    """When history fails for good, the forwarder ends with the reason, and delivers no unstored event."""
    ann = room.enter("ann")
    room.history.broken = True
    room.say(ann, 5)
    room.forwarder.run()
    assert str(room.forwarder.failure) == "the disk is gone"
    assert said_ids(ann) == []


def test_a_bug_ends_it(room: Room) -> None:
    """A bug ends the forwarder and closes the order; the error says what happened."""
    room.enter("ann")
    room.order.post(mock.Mock(side_effect=KeyError("a bug")))
    with pytest.raises(KeyError):
        room.forwarder.run()
    assert isinstance(room.forwarder.failure, ChatroomError) and "a bug" in str(room.forwarder.failure)
    with pytest.raises(Closed):
        room.ask("late")


def test_who_waits_is_answered_at_the_end(room: Room) -> None:
    """When history fails, waiting names, commands and joins end at once, and nobody is told the unstored."""
    ann, reservation = room.enter("ann"), room.reserve("carl")
    room.history.broken = True
    append, asked, joined = room.history.append, [room.ask("bob")], []

    def fail(*arguments: Any) -> None:  # these come while the round is being stored
        asked.append(room.ask("eve"))
        joined.append(room.join(reservation))
        append(*arguments)

    room.history.append = fail  # type: ignore[method-assign, assignment]
    answer = room.command(ann, "/who")
    room.say(ann, 5)
    room.forwarder.run()
    assert answer.result(0) is None
    for one in asked:
        with pytest.raises(Closed):
            one.reservation()
    assert [carl.ended for carl in joined] == [(Code.STOPPING, "")]
    with pytest.raises(Closed):
        room.ask("late")


# --- all actions in any order ---------------------------------------------------------------------------


class Visit:
    """A connection, and what it asked for.

    reach: which events it is to get; None before its greeting
    """

    def __init__(
        self,
        connection: FakeConnection,
        reservation: Reservation,
        channels: tuple[str, ...],
        since: int,
        lines: int,
    ) -> None:
        self.connection = connection
        self.reservation = reservation
        self.channels = channels
        self.since = since
        self.lines = lines
        self.reach: Reach | None = None

    @property
    def welcome(self) -> Welcome | None:
        return next(iter(self.connection.of(Welcome)), None)

    def wanted(self, log: list[Event]) -> list[Event]:
        """All that it is to get."""
        assert self.reach is not None and self.welcome is not None
        if self.since:
            return [event for event in log if event.seq > self.since and reaches(self.reach, event)]
        head, starts = self.welcome.head, {}
        for place in self.reach.places:
            lines = [e.seq for e in log[:head] if e.place == place and e.kind is EventKind.SAID]
            latest = lines[len(lines) - min(self.lines, len(lines)) :]
            starts[place] = latest[0] - 1 if latest else head
        starts[WHOLE_CHATROOM] = min(starts.values())
        reach = self.reach.later(starts)
        return [event for event in log if reaches(reach, event)]


NAMES = st.sampled_from(["ann", "Ann", "bob", "eve"])
CHANNELS = st.sampled_from([("#general",), ("#quiet",), ("#general", "#quiet"), ("#third", "#quiet")])


class Conversation(RuleBasedStateMachine):
    """Joins, lines, ends, take-overs, resumes, ticks, restarts in any order, in rounds of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.patches: list[Any] = [
            mock.patch("chatroom.tail.TAIL_EVENTS", 4),
            mock.patch("chatroom.catch_up.CATCH_UP_BYTES", 250),
        ]
        for patch in self.patches:
            patch.start()
        self.room = Room()
        self.asked: list[Asked] = []
        self.reserved: list[Reservation] = []
        self.visits: list[Visit] = []
        self.next_id = 1
        self.repeats: list[tuple[Visit, int]] = []

    @initialize(lines=st.integers(0, 12))
    def begin(self, lines: int) -> None:
        if lines:
            bob = self.room.enter("bob")
            self.room.say(bob, *range(1, lines + 1))
            self.room.leave(bob)
            self.room.forward()
            self.next_id += lines
            self.room = Room(self.room)

    # --- actions of the members -----------------------------------------------------------------------

    @rule(name=NAMES, token=st.integers(0, 6))
    def ask(self, name: str, token: int) -> None:
        tokens = [visit.reservation.token for visit in self.visits[-token:]]
        self.asked.append(self.room.ask(name, tokens[0] if token and tokens else NO_TOKEN))

    @precondition(lambda self: self.visits)
    @rule(which=st.integers(0, 5), share=st.floats(0, 1), channels=CHANNELS, same=st.booleans())
    def come_back(self, which: int, share: float, channels: tuple[str, ...], same: bool) -> None:
        """As a client does: with its token, from a seq that it has seen."""
        visit = self.visits[-1 - which % len(self.visits)]
        if visit.welcome is None:
            return
        asked = self.room.ask(visit.reservation.name, visit.reservation.token)
        self.forward()
        if asked.answer.result(0).code is Code.OK:
            seen = [event.seq for event in visit.connection.events()]
            since = seen[int(share * (len(seen) - 1))] if seen else 0
            self.join(asked.reservation(), visit.channels if same else channels, since, 0)

    @precondition(lambda self: self.reserved)
    @rule(channels=CHANNELS, since=st.integers(0, 30), lines=st.integers(0, 9))
    def enter(self, channels: tuple[str, ...], since: int, lines: int) -> None:
        self.join(self.reserved.pop(0), channels, min(since, len(self.room.history.log)), lines)

    def join(self, reservation: Reservation, channels: tuple[str, ...], since: int, lines: int) -> None:
        connection = self.room.join(reservation, *channels, since=since, lines=lines)
        self.visits.append(Visit(connection, reservation, channels, since, lines))

    @precondition(lambda self: self.reserved)
    @rule()
    def give_up(self) -> None:
        reservation = self.reserved.pop()
        self.room.put(reservation.origin, ProposalKind.WITHDRAW, Withdraw(reservation.session))

    @precondition(lambda self: self.visits)
    @rule(who=st.integers(0, 5), count=st.integers(1, 4))
    def say(self, who: int, count: int) -> None:
        visit = self.visits[-1 - who % len(self.visits)]
        if visit.connection in self.room.origins:
            ids = range(self.next_id, self.next_id + count)
            self.room.say(visit.connection, *ids, channel=visit.channels[0])
            self.next_id += count

    @precondition(lambda self: self.visits)
    @rule(who=st.integers(0, 5), back=st.integers(0, 9))
    def repeat(self, who: int, back: int) -> None:
        """Say a line again whose id is not above the highest one."""
        visit = self.visits[-1 - who % len(self.visits)]
        if visit.welcome is None or visit.connection not in self.room.origins:
            return
        id = visit.welcome.confirmed - back
        if id > 0:
            self.room.say(visit.connection, id, channel=visit.channels[0])
            self.repeats.append((visit, id))

    @precondition(lambda self: self.visits)
    @rule(who=st.integers(0, 5), clean=st.booleans())
    def leave(self, who: int, clean: bool) -> None:
        connection = self.visits[-1 - who % len(self.visits)].connection
        if connection in self.room.origins:
            connection.part(Code.GOODBYE)
            self.room.leave(connection, clean)

    # --- actions of the server ------------------------------------------------------------------------

    @rule()
    def forward(self) -> None:
        self.room.forward()
        for visit, id in self.repeats:
            if visit.connection.ended is None:
                assert (id, Code.ALREADY) in [(a.id, a.code) for a in visit.connection.of(Answer)]
        self.repeats = []
        for visit in self.visits:
            if visit.welcome is not None and visit.reach is None:
                visit.reach = self.room.forwarder.state.reach(visit.welcome.person, visit.since)
        answered = [asked for asked in self.asked if asked.answer.done()]
        self.asked = [asked for asked in self.asked if not asked.answer.done()]
        good = [asked for asked in answered if asked.answer.result(0).code is Code.OK]
        self.reserved += [asked.reservation() for asked in good]

    @precondition(lambda self: self.room.catch_up.waiting)
    @rule()
    def catch_up(self) -> None:
        self.room.catch_up.serve()

    @rule(seconds=st.sampled_from([1.0, HANDSHAKE_SECONDS, HOLD_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.room.now += seconds

    @rule()
    def restart(self) -> None:
        """The server is killed: it loses what waits, and all connections."""
        for visit in self.visits:
            visit.connection.part(Code.UNAVAILABLE)
        self.room = Room(self.room)
        self.asked, self.reserved, self.repeats = [], [], []

    # --- invariants ----------------------------------------------------------------------------------

    @invariant()
    def one_log(self) -> None:
        log = self.room.history.log
        assert seqs(log) == list(range(1, len(log) + 1))
        ids = [event.id for event in log if event.kind is EventKind.SAID]
        assert len(ids) == len(set(ids)), "a line twice"

    @invariant()
    def the_log_tells_who_is_here(self) -> None:
        state = self.room.forwarder.state
        members = {member.name: set(member.places.values()) for member in state.members.values()}
        assert members == fold(self.room.history.log)
        assert len({name_key(name) for name in members}) == len(members)

    @invariant()
    def what_is_stored_is_the_state(self) -> None:
        assert self.room.state_of_the_stored().records() == self.room.forwarder.state.records()

    @invariant()
    def each_member_gets_each_event_once(self) -> None:
        for visit in self.visits:
            self.judge(visit)

    def judge(self, visit: Visit, to_the_end: bool = False) -> None:
        packets, welcome = visit.connection.packets, visit.welcome
        if welcome is None:
            assert not packets
            return
        if visit.reach is None:  # greeted in a round of settle()
            return
        assert packets[0] is welcome and len(visit.connection.of(Welcome)) == 1
        wanted, seen = visit.wanted(self.room.history.log), visit.connection.events()
        wanted = [event._replace(places=()) for event in wanted]
        assert seen == wanted if to_the_end else seen == wanted[: len(seen)]
        for live in visit.connection.of(Live):
            place = packets.index(live)
            assert all(e.seq <= live.seq for e in packets[:place] if isinstance(e, Event))
            assert all(e.seq > live.seq for e in packets[place:] if isinstance(e, Event))
        assert len(visit.connection.of(Live)) <= 1

    def teardown(self) -> None:
        try:
            self.forward()
            self.room.settle()
            for visit in self.visits:
                is_here = visit.connection in self.room.origins and self.room.seat(visit.connection)
                if is_here and visit.connection.ended is None:
                    self.judge(visit, to_the_end=True)
                    assert visit.connection.of(Live)
            self.the_log_tells_who_is_here()
            self.one_log()
        finally:
            for patch in self.patches:
                patch.stop()


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def test_only_rounds_with_events_tell_the_pace(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick in a quiet minute costs nothing: it must not look as if each round cost so little."""
    ann = room.enter("ann")
    told: list[float] = []
    monkeypatch.setattr(room.order, "done", lambda sent, worked: told.append(sent))
    for _ in range(3):
        room.now += TICK_SECONDS
        room.forward()
    assert told == []
    room.say(ann, 1)
    room.forward()
    assert len(told) == 1
