"""Checks of a server: events of the past on request, and read markers."""

from __future__ import annotations

from typing import Any

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command, Packet, Replay
from tests.conformance.check import ensure
from tests.conformance.commands import both, channels, describe_all, do, join, kinds, refused, rows_of, say
from tests.conformance.room import Member, Room
from tests.conformance.server_accounts import PASSWORD, by_password, with_account
from tests.conformance.server_direct import field, tell, three, until
from tests.conformance.wire import describe

LINES = 12


def past(
    member: Member, command: str, channel: str = "", rule: str = "S1"
) -> tuple[list[Event], dict[str, Any]]:
    """Ask for events of the past: what stood in the bracket, and the object in the rows."""
    packets, answer = member.give(command, channel)
    ensure(answer.code == Code.OK, rule, f"OK to {command}", describe(answer))
    starts = [at for at, one in enumerate(packets) if isinstance(one, Replay)]
    ensure(len(starts) == 1, "S1", "one REPLAY before the ANSWER", kinds(packets))
    begin = packets[starts[0]]
    ensure(begin == Replay(answer.id), "S1", f"REPLAY with id {answer.id}", describe(begin))
    events = [one for one in packets[starts[0] + 1 :] if isinstance(one, Event)]
    ensure(
        len(events) == len(packets) - starts[0] - 1, "P51", "nothing but events in a bracket", kinds(packets)
    )
    seqs = [one.seq for one in events]
    ensure(seqs == sorted(set(seqs)), "S1", "the order of seqs", seqs)
    rows = rows_of(answer)
    good = len(rows) == 1 and {"place", "more", "before"} <= rows[0].keys()
    ensure(good, "S7", "one object with place, more and before", answer.rows)
    return events, rows[0]


def texts(events: list[Event]) -> list[str]:
    """The lines among events."""
    return [one.text for one in events if one.kind is EventKind.SAID]


def talk(member: Member, lines: int = LINES) -> list[Event]:
    """Say some lines."""
    return [member.says_and_hears(f"line {number}") for number in range(lines)]


@channels("S1", "S3", "S6", "S7", "P51")
def pages_of_the_past(room: Room) -> None:
    """/history gives the latest lines in a bracket; `before` leads to the page before, until `more` is
    false."""
    owner = room.enter()
    lines = [one.text for one in talk(owner)]
    place = owner.channels[owner.channel].place
    before, found = "", list[str]()
    pages = 0
    while pages < LINES:
        pages += 1
        events, rows = past(owner, f"/history 5{before}", rule="S3")
        found = texts(events) + found
        ensure(len(texts(events)) <= 5, "S6", "at most 5 lines", texts(events))
        ensure(rows["place"] == place, "S7", f"place {place}", rows)
        if not rows["more"]:
            break
        ensure(len(texts(events)) == 5, "S3", "5 lines while there are more", texts(events))
        before = f" before:{rows['before']}"
    ensure(pages == 3, "S7", "`more` for two pages of three", pages)
    ensure(found == lines, "S3", "all lines, each once", found)


@channels("S2", "S9", "S8", "C4")
def the_past_of_others(room: Room) -> None:
    """Of a channel in which the member is not, and with wrong arguments, comes the ANSWER alone."""
    inside, outside = room.enter(), room.enter()
    line = inside.says_and_hears("hidden")
    for command, channel, code in (
        ("/history", inside.channel, Code.NOT_IN),
        ("/history nothing", outside.channel, Code.BAD_ARGUMENTS),
        ("/history 0", outside.channel, Code.BAD_ARGUMENTS),
        (f"/grep hidden in:{inside.channel}", outside.channel, Code.NOT_IN),
        (f"/grep hidden in:{inside.channels[inside.channel].place}", outside.channel, Code.NOT_IN),
        (f"/grep hidden in:{room.channel()}", outside.channel, Code.NO_SUCH_CHANNEL),
        (f"/context {line.seq}", outside.channel, Code.NO_SUCH_MESSAGE),
    ):
        packets, answer = outside.give(command, channel)
        ensure(answer.code == code, "S9", f"{code.name} to {command}", describe(answer))
        ensure(not any(isinstance(one, Replay) for one in packets), "S2", "no REPLAY", kinds(packets))
    events, _ = past(outside, "/grep hidden", rule="S8")
    ensure(not texts(events), "S8", "no line of another channel", texts(events))


@channels("S8", "S1")
def the_past_of_a_channel_entered_later(room: Room) -> None:
    """Who enters a channel later gets by /history what was said before; live lines go on with greater
    seqs."""
    owner, guest = room.enter(), room.enter()
    lines = [one.text for one in talk(owner, 3)]
    place = join(guest, owner.channel).place
    events, _ = past(guest, "/history 50", owner.channel, "S8")
    ensure(texts(events) == lines, "S8", f"the lines {lines}", texts(events))
    ensure(all(one.place == place for one in events), "S8", f"events of place {place}", describe_all(events))
    owner.says_and_hears("goes on")
    guest.hears("goes on", "S1", place=place)


@channels("S1", "P51", "O6")
def live_events_and_the_past(room: Room) -> None:
    """While others talk, no live event stands in a bracket, and none is lost."""
    owner, other = both(room)
    talk(owner, 5)
    for number in range(20):
        say(other, f"live {number}")
        owner.send(Command(owner.next_id(), owner.channel, "/history 5"))
    other.hears("live 19")
    live, bracket, answers = list[str](), 0, 0
    while len(live) < 20 or answers < 20:
        packet: Packet | None = owner.take(expected="events and answers")
        ensure(packet is not None, "O6", "events and answers", describe(packet))
        if isinstance(packet, Replay):
            ensure(not bracket, "P51", "one bracket at a time", describe(packet))
            bracket = packet.id
        elif isinstance(packet, Answer):
            ensure(packet.id == bracket, "P51", f"ANSWER with id {bracket}", describe(packet))
            bracket, answers = 0, answers + 1
        elif isinstance(packet, Event) and packet.kind is EventKind.SAID and not bracket:
            live.append(packet.text)
    ensure(live == [f"live {number}" for number in range(20)], "O6", "each live line once", live)


@channels("S4")
def the_lines_around_one(room: Room) -> None:
    """/context gives the line and those around it."""
    owner = room.enter()
    lines = talk(owner)
    events, _ = past(owner, f"/context {lines[5].seq} 2", rule="S4")
    wanted = [one.text for one in lines[3:8]]
    ensure(texts(events) == wanted, "S4", f"the lines {wanted}", texts(events))


@channels("S5", "S8", "R4")
def lines_with_words(room: Room) -> None:
    """/grep finds lines with all words, in every place that the member may read, direct conversations,
    too."""
    first, second, third = three(room)
    word = room.name()
    for text in (f"{word} apples", f"{word} pears", "neither"):
        say(first, text)
        third.hears(text)
    tell(first, second, f"{word} apples for you")
    until(second, f"{word} apples for you")
    for member, command, wanted in (
        (second, f"/grep {word}", [f"{word} apples", f"{word} pears", f"{word} apples for you"]),
        (second, f"/grep {word} apples", [f"{word} apples", f"{word} apples for you"]),
        (second, f"/grep {word} from:{second.welcome.name}", []),
        (second, f"/grep {word} in:{first.channel}", [f"{word} apples", f"{word} pears"]),
        (third, f"/grep {word} apples", [f"{word} apples"]),
    ):
        events, _ = past(member, command, rule="S5")
        rule = "R4" if member is third else "S5"
        ensure(texts(events) == wanted, rule, f"{wanted} by {command}", texts(events))


@channels("S8", "S3", "R4")
def the_past_of_a_conversation(room: Room) -> None:
    """/history in a direct conversation gives its lines, to the two alone."""
    first, second, third = three(room)
    for text in ("one", "two"):
        tell(first, second, text)
        place = until(second, text)[1].place
    events, rows = past(second, "/history", field(first), "S8")
    ensure(
        (texts(events), rows["place"]) == (["one", "two"], place), "S3", "both lines", describe_all(events)
    )
    packets, answer = third.give("/history", field(first))
    found = [one for one in packets if isinstance(one, Event) and one.place == place]
    ensure(not found, "R4", "nothing for a third person", describe_all([*packets, answer]))
    packets, answer = third.give(f"/grep one in:{place}")
    found = [one for one in packets if isinstance(one, Event)]
    ensure(not found, "R4", "nothing for a third person, also by the place", describe_all([*packets, answer]))


@channels("S10", "S11", "S12", "S13", "K2")
def how_far_somebody_has_read(room: Room) -> None:
    """/read moves the marker forward; the other programs are told, and so is a greeting."""
    dora = with_account(room)
    phone = room.enter(dora.welcome.name, dora.channel, credentials=by_password(PASSWORD))
    first, second = dora.says_and_hears("one"), dora.says_and_hears("two")
    phone.hears("two")
    do(dora, "S10", f"/read {second.seq}")
    read = phone.event(EventKind.READ, "S11")
    good = (read.seq, read.place, read.text) == (0, first.place, str(second.seq))
    ensure(good, "S11", f"seq 0, place {first.place}, text {second.seq}", describe(read))
    ensure(read.person == dora.welcome.person, "S11", "the own person", describe(read))
    for seq in (first.seq, second.seq):
        refused(dora, Code.ALREADY, "S10", f"/read {seq}")
    refused(dora, Code.BAD_ARGUMENTS, "S10", "/read up")
    found = room.enter(dora.welcome.name, dora.channel, credentials=by_password(PASSWORD)).marked
    ensure(found == {first.place: str(second.seq)}, "S12", "READ behind the CHANNEL of the place", found)
