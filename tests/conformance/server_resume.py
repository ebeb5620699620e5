"""Checks of a server: sessions, replays, held members, exactly once, restarts."""

from __future__ import annotations

import signal
from functools import partial

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import NO_TOKEN, Answer, Bye, Resumed, Say, Status, Username, Verdict
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.room import Member, Room
from tests.conformance.server_talk import NOBODY_ELSE, two
from tests.conformance.wire import describe

resume = partial(check, role=Role.SERVER, level=Level.RESUME)
full = partial(check, role=Role.SERVER, level=Level.FULL)


def tell_nothing(witness: Member) -> None:
    """Fail when the witness gets an event before its next line."""
    for packet in witness.up_to_fence():
        ensure(not isinstance(packet, Event), "O12", NOBODY_ELSE, describe(packet))


def seqs(member: Member) -> list[int]:
    """The seqs of the replay."""
    return [event.seq for event in member.replay if isinstance(event, Event)]


@resume("B2", "B3", "B4", "P14", "P16", "P17", "P21", "O12", "O3")
def coming_back_after_a_lost_connection(room: Room) -> None:
    """A client that comes back gets its session and exactly the events that it missed; nobody is told."""
    lost, other = two(room)
    lost.says_and_hears("before")
    other.hears("before")
    lost.abort()
    missed = [other.says_and_hears(f"missed {number}") for number in range(5)]
    back = room.come_back(lost)
    welcome, before = back.welcome, lost.welcome
    ensure(welcome.token == before.token, "P14", "the same token", welcome.token.hex())
    ensure(
        (welcome.person, welcome.name) == (before.person, before.name),
        "B2",
        "the same person and name",
        describe(welcome),
    )
    ensure(welcome.confirmed == lost.last_id, "P17", f"confirmed {lost.last_id}", welcome.confirmed)
    ensure(welcome.identity == before.identity, "P15", "the same identity", welcome.identity.hex())
    ensure(welcome.resumed is Resumed.EXACT, "P21", "EXACT", welcome.resumed.name)
    ensure(seqs(back) == [event.seq for event in missed], "P21", "exactly the missed events", back.said)
    back.says_and_hears("back")
    other.expect_said("back", "O12")
    tell_nothing(other)


@resume("B3", "C17", "Q3", "O12", "B4")
def taking_a_session_over(room: Room) -> None:
    """A second connection with the token ends the first one with BYE, TAKEN_OVER, again 0; nobody is told."""
    first, other = two(room)
    first.says_and_hears("one")
    other.hears("one")
    second = room.come_back(first)
    packets = first.rest("B3")
    last = packets[-1] if packets else None
    good = isinstance(last, Bye) and last.code == Code.TAKEN_OVER
    ensure(good, "C17", "BYE with TAKEN_OVER", describe(last))
    ensure(isinstance(last, Bye) and not last.again, "Q3", "again 0", describe(last))
    second.says_and_hears("two")
    other.expect_said("two", "B3")
    tell_nothing(other)


@resume("O11", "C12", "Q7")
def a_name_is_held(room: Room) -> None:
    """After a connection that ended without BYE nobody else gets the name, and no event says anything."""
    lost, other = two(room)
    name = lost.welcome.name
    lost.abort()
    lobby = room.refused_as_held(name, "C12", "O11")
    lobby.send(Username(name, b"\x55" * 16))
    lobby.expect(Status, "O11", verdict=Verdict.FAIL, code=Code.NAME_HELD)
    third = room.enter(None, other.channel)
    people = [member.person for member in third.channels[other.channel].members]
    ensure(lost.welcome.person in people, "O11", f"person {lost.welcome.person} in the channel", people)
    other.event(EventKind.JOINED, "P59", person=third.welcome.person)
    tell_nothing(other)


@resume("Q7", "O11")
def the_end_of_one_direction_is_no_goodbye(room: Room) -> None:
    """The end of the stream without BYE is a lost connection, also when only one direction is shut down."""
    lost, other = two(room)
    lost.says_and_hears("the last line")
    lost.finish()
    lost.rest("Q7")
    other.hears("the last line")
    tell_nothing(other)
    back = room.come_back(lost)
    ensure(back.welcome.person == lost.welcome.person, "O11", "the held session", describe(back.welcome))


@resume("E4", "C2", "P17", "E18")
def exactly_once_across_connections(room: Room) -> None:
    """A line that was applied and is sent again after a reconnect is a repeat; a later one is said."""
    lost, other = two(room)
    seq, time = lost.seen
    id = lost.say("once")
    other.hears("once", id=id)
    lost.abort()
    back = room.come_back(lost, since=seq, time=time)
    ensure(back.welcome.confirmed == id, "P17", f"confirmed {id}", back.welcome.confirmed)
    own = [
        event.id for event in back.replay if isinstance(event, Event) and event.person == back.welcome.person
    ]
    ensure(id in own, "P21", f"the line {id} in the replay", own)
    back.send(Say(id, back.channel, "once"), Say(id + 1, back.channel, "twice"))
    back.find(Answer, "E4", id=id, code=Code.ALREADY)
    other.expect_said("twice", "E4")


@resume("E10", "P17", "E6")
def a_refusal_does_not_count(room: Room) -> None:
    """A refused line does not raise `confirmed`."""
    lost, _ = two(room)
    id = lost.says_and_hears("said").id
    lost.send(Say(id + 10, "#nobody-is-here", "refused"))
    lost.find(Answer, "C3", id=id + 10, code=Code.NOT_IN)
    lost.abort()
    back = room.come_back(lost)
    ensure(back.welcome.confirmed == id, "E10", f"confirmed {id}", back.welcome.confirmed)


@resume("P23", "P10", "O5")
def another_history(room: Room) -> None:
    """With the identity of another history WELCOME says OTHER_HISTORY, and the latest lines come."""
    lost, other = two(room)
    lost.abort()
    for number in range(4):
        other.says_and_hears(f"line {number}")
    back = room.come_back(lost, identity=b"\x77" * 16, lines=2)
    ensure(back.welcome.resumed is Resumed.OTHER_HISTORY, "P23", "OTHER_HISTORY", back.welcome.resumed.name)
    ensure(
        back.welcome.identity == lost.welcome.identity, "P15", "its own identity", back.welcome.identity.hex()
    )
    ensure(back.said == ["line 2", "line 3"], "O5", "the latest 2 lines", back.said)


@full("P24", "P8", cases={"since above head": (1000, 0), "another time of the event": (0, 1)})
def an_older_copy_of_the_history(room: Room, change: tuple[int, int]) -> None:
    """When `since` is above head, or its event has another time, WELCOME says RESTORED."""
    lost, other = two(room)
    lost.abort()
    other.says_and_hears("line")
    more, later = change
    seq, time = lost.seen
    # Above head: far enough for whatever the other checks say meanwhile.
    back = room.come_back(lost, since=seq + more * 10**6, time=time + later, lines=1)
    ensure(back.welcome.resumed is Resumed.RESTORED, "P24", "RESTORED", back.welcome.resumed.name)
    ensure(back.said == ["line"], "P24", "the latest line", back.said)


@full("P11", "P20", "O5", cases={"0": 0, "1": 1, "3": 3, "more than there are": 65535})
def as_many_lines_as_asked_for(room: Room, lines: int) -> None:
    """A newcomer gets the latest `lines` lines, and the other events from the first of them on."""
    first = room.enter()
    first.joined()
    events = [first.says_and_hears("line 0"), first.says_and_hears("line 1")]
    guest = room.enter(None, first.channel)
    events.append(first.event(EventKind.JOINED, person=guest.welcome.person))
    events += [first.says_and_hears("line 2"), first.says_and_hears("line 3")]
    member = room.enter(None, first.channel, lines=lines)
    ensure(member.welcome.resumed is Resumed.FRESH, "P20", "FRESH", member.welcome.resumed.name)
    wanted = [f"line {number}" for number in range(4)][max(0, 4 - lines) :] if lines else []
    ensure(member.said == wanted, "P11", str(wanted), member.said)
    if lines == 3:
        got = [event.seq for event in member.replay if isinstance(event, Event)]
        ensure(
            got == [event.seq for event in events[1:]],
            "O5",
            "JOINED between the lines, too",
            list(map(describe, member.replay)),
        )


@full("P11", "O5")
def lines_of_each_channel(room: Room) -> None:
    """The latest lines come of each channel, in the order of their seqs."""
    one, other = room.enter(), room.enter()
    for number in range(3):
        one.says_and_hears(f"one {number}")
        other.says_and_hears(f"other {number}")
    member = room.enter(None, one.channel, other.channel, lines=2)
    ensure(member.said == ["one 1", "other 1", "one 2", "other 2"], "O5", "two lines of each", member.said)


@resume("B5", "B6", "O3")
def channels_are_only_added(room: Room) -> None:
    """Who comes back is still in its channels, also when ADMIT names another one; that one is added."""
    old, new = room.channel(), room.enter()
    lost = room.enter(None, old)
    lost.joined()
    lost.abort()
    new.says_and_hears("said while it was away")
    back = room.come_back(lost, new.channel)
    ensure(
        set(back.channels) == {old, new.channel},
        "B5",
        f"CHANNEL of {old} and {new.channel}",
        sorted(back.channels),
    )
    ensure(
        "said while it was away" in back.said, "O3", "the missed events of the new channel, too", back.said
    )
    back.say("in the old one", old)
    back.hears("in the old one", "B5")
    new.event(EventKind.JOINED, "P59", person=back.welcome.person)


@resume("B12")
def a_token_opens_its_session(room: Room) -> None:
    """Whatever name comes with the token of a member, it keeps its session and its name."""
    name = room.name()
    lost = room.enter(name)
    lost.says_and_hears("a line")
    lost.abort()
    back = room.enter(room.name(), token=lost.welcome.token)
    ensure(back.welcome.token == lost.welcome.token, "B12", "the same token", back.welcome.token.hex())
    ensure(back.welcome.person == lost.welcome.person, "B12", "the same person", back.welcome.person)
    ensure(back.welcome.name == name, "B12", f"the name {name}", back.welcome.name)
    ensure(back.welcome.confirmed > 0, "P17", "the id of the line", back.welcome.confirmed)


@resume("P14", "B4")
def an_unknown_token(room: Room) -> None:
    """A token that no session has begins a new session with a token of its own."""
    member = room.enter(None, token=b"\x99" * 16)
    ensure(
        member.welcome.token not in (b"\x99" * 16, NO_TOKEN), "P14", "a new token", member.welcome.token.hex()
    )


@resume("B10", "O16", "P16", "P17")
def a_session_outlives_BYE(room: Room) -> None:
    """Who comes back after BYE with its token has the same person and `confirmed`, and is JOINED again."""
    gone, other = two(room)
    id = gone.says_and_hears("a line").id
    gone.leave()
    other.event(EventKind.QUIT, "O10", person=gone.welcome.person)
    back = room.come_back(gone)
    ensure(back.welcome.token == gone.welcome.token, "B10", "the same token", back.welcome.token.hex())
    ensure(back.welcome.person == gone.welcome.person, "B10", "the same person", back.welcome.person)
    ensure(back.welcome.confirmed == id, "P17", f"confirmed {id}", back.welcome.confirmed)
    other.event(EventKind.JOINED, "O16", person=gone.welcome.person)
    back.joined()


@full("B11", "P14")
def a_session_without_a_line_is_forgotten(room: Room) -> None:
    """A session without any line is forgotten as soon as its member has quit."""
    gone = room.enter()
    gone.joined()
    gone.leave()
    back = room.enter(gone.welcome.name, token=gone.welcome.token)
    ensure(back.welcome.token != gone.welcome.token, "B11", "another token", back.welcome.token.hex())


@full("O6", "P26", "P21", "M1")
def no_gap_and_no_double_while_others_talk(room: Room) -> None:
    """Between replay and live there is no gap and no double, however much is said meanwhile."""
    talker, lost = two(room)
    lost.abort()
    count = 0
    for _ in range(5):
        for _ in range(40):
            talker.say(f"line {count}")
            count += 1
        back = room.come_back(lost)
        heard = list(back.said)
        talker.say("fence")
        heard += [p.text for p in back.up_to("fence") if isinstance(p, Event) and p.kind is EventKind.SAID]
        wanted = [f"line {number}" for number in range(count - 40, count)]
        ensure(
            heard == wanted,
            "O6",
            f"{wanted[0]} to {wanted[-1]}, each once",
            f"{heard[:3]} … ({len(heard)} lines)",
        )
        back.abort()
        lost = back


@full("E7", "B10", "O14", "P61", "P21", "P15", long=True)
def a_server_that_is_killed(room: Room) -> None:
    """What was SAID is stored: after kill -9 and a new start on the same data nothing is lost or doubled."""
    server = room.use_own_server("killed", needs="data")
    first, second = two(room)
    seq, time = first.seen
    ids = [first.say(f"line {number}") for number in range(50)]
    last = second.hears("line 49", "E5")
    server.kill()
    server.start()
    back = room.come_back(first, since=seq, time=time)
    ensure(
        back.welcome.identity == first.welcome.identity,
        "P15",
        "the same identity",
        back.welcome.identity.hex(),
    )
    ensure(back.welcome.person == first.welcome.person, "B10", "the same person", back.welcome.person)
    ensure(back.welcome.resumed is Resumed.EXACT, "P21", "EXACT", back.welcome.resumed.name)
    ensure(back.welcome.confirmed == ids[-1], "P17", f"confirmed {ids[-1]}", back.welcome.confirmed)
    ensure(
        back.said == [f"line {number}" for number in range(50)], "E7", "all 50 lines, each once", back.said
    )
    restarted = [one for one in back.replay if isinstance(one, Event) and one.kind is EventKind.RESTARTED]
    ensure(
        len(restarted) == 1 and restarted[0].seq > last.seq,
        "O14",
        "one RESTARTED behind the lines",
        list(map(describe, restarted)),
    )
    about = restarted[0]
    ensure(
        (about.person, about.author, about.place, about.text) == (0, "", 0, ""),
        "P61",
        "person 0, place 0",
        describe(about),
    )
    room.refused_as_held(second.welcome.name, "O11")


@full("C18", "Q3", long=True)
def a_server_that_stops(room: Room) -> None:
    """A server that is stopped says BYE with STOPPING to all, and `again` is not 0."""
    server = room.use_own_server("stopped")
    member = room.enter()
    member.joined()
    server.program.signal(signal.SIGTERM)
    packets = member.rest("C18", seconds=2 * room.seconds)
    last = packets[-1] if packets else None
    ensure(isinstance(last, Bye) and last.code == Code.STOPPING, "C18", "BYE with STOPPING", describe(last))
    ensure(isinstance(last, Bye) and last.again, "Q3", "again 1: the client may come back", describe(last))
