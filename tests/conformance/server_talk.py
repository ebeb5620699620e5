"""Checks of a server: lines, commands, and who gets what in which order."""

from __future__ import annotations

from functools import partial

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_EXTRA, MAX_NUMBER, MAX_TEXT, TEXT_PART
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Command, Form, Kind, Ping, Pong, Say, encode
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.room import Member, Room
from tests.conformance.wire import describe, frame

basic = partial(check, role=Role.SERVER, level=Level.BASIC)
resume = partial(check, role=Role.SERVER, level=Level.RESUME)
full = partial(check, role=Role.SERVER, level=Level.FULL)

TALKERS = 4
LINES = 25
NOBODY_ELSE = "nothing else before this line"


def two(room: Room) -> tuple[Member, Member]:
    """Two members of one channel, who have seen each other come."""
    first = room.enter()
    first.joined()
    second = room.enter(None, first.channel)
    second.joined()
    first.event(EventKind.JOINED, "P59", person=second.welcome.person)
    return first, second


def say_in_parts(member: Member, texts: list[bytes], id: int | None = None) -> int:
    """Send a SAY whose parts have exactly these bytes."""
    id = member.next_id() if id is None else id
    for part, text in enumerate(texts):
        member.send_bytes(
            say_part(member, text, id, part, len(texts)), f"part {part} of a SAY, {len(text)} bytes"
        )
    return id


def say_part(member: Member, text: bytes, id: int, part: int, parts: int) -> bytes:
    """One part of a SAY."""
    channel = member.channel.encode()
    return frame(Kind.SAY, bytes([len(channel)]) + channel + b"\0\0\0" + text, id, part, parts)


@basic("P58", "E5", "P53", "P56", "P57", "G1")
def a_line_is_said_to_all(room: Room) -> None:
    """SAID goes to all members of the channel, the author, too, with the author's id, person and name."""
    first, second = two(room)
    id = first.say("hello, Grüße, 你好")
    for member in (first, second):
        event = member.event(EventKind.SAID, "P58")
        ensure(event.text == "hello, Grüße, 你好", "P58", "the same text", describe(event))
        ensure(event.id == id, "P53", f"message id {id}", event.id)
        who = (first.welcome.person, first.welcome.name)
        ensure((event.person, event.author) == who, "P56", f"person and author {who}", describe(event))
        where = (first.channels[first.channel].place, first.channel)
        ensure((event.place, event.channel) == where, "P57", f"place and channel {where}", describe(event))
        ensure(event.extra == b"", "P31", "no extra", describe(event))


@basic("O1", "O6", "P54", "P62", "E5")
def all_see_one_order(room: Room) -> None:
    """Several members talk at once: all get the same events in the same order, each once."""
    channel = room.channel()
    members = [room.enter(None, channel) for _ in range(TALKERS)]
    for number in range(LINES):
        for member in members:
            member.say(f"{member.welcome.name} {number}")
    heard = []
    for member in members:
        events: list[Event] = []
        while len(events) < TALKERS * LINES:
            events.append(member.event(EventKind.SAID, "O1"))
        heard.append([(event.seq, event.person, event.text) for event in events])
    for other in heard[1:]:
        ensure(other == heard[0], "O1", "the same order for all", f"{other[:3]} … and {heard[0][:3]} …")
    for member in members:
        own = [text for _, person, text in heard[0] if person == member.welcome.person]
        ensure(
            own == [f"{member.welcome.name} {n}" for n in range(LINES)],
            "O1",
            "an author's lines in order",
            own,
        )


@basic("O1", "P58")
def other_channels_hear_nothing(room: Room) -> None:
    """Who is not in the channel does not get its events."""
    inside, outside = room.enter(), room.enter()
    inside.joined()
    outside.joined()
    inside.says_and_hears("secret")
    outside.say("fence")
    for packet in outside.up_to("fence"):
        ensure(not isinstance(packet, Event), "O1", NOBODY_ELSE, describe(packet))


@basic("M1", "M3", "M5", "M6", "M7", "L4")
def the_longest_line(room: Room) -> None:
    """A line of MAX_TEXT bytes comes in parts of at most TEXT_PART bytes, cut between characters."""
    first, second = two(room)
    text = "a" + "€" * (MAX_TEXT // 3)
    id = first.say(text)
    second.hears(text, "L4", id=id)
    parts = [one for one in second.frames if one.kind == EventKind.SAID]
    ensure(
        [one.part for one in parts] == list(range(len(parts))),
        "M6",
        "parts from 0 on",
        [one.part for one in parts],
    )
    ensure(
        {(one.parts, one.id) for one in parts} == {(len(parts), id)},
        "M5",
        "one part count and id",
        parts[0][:8],
    )


@basic("M1", "M7")
def a_short_line_is_one_packet(room: Room) -> None:
    """A text of at most TEXT_PART bytes is one packet; one byte more makes two."""
    member = room.enter()
    for size, parts in ((TEXT_PART, 1), (TEXT_PART + 1, 2)):
        member.frames.clear()
        member.says_and_hears("x" * size)
        came = [one.parts for one in member.frames if one.kind == EventKind.SAID]
        ensure(came == [parts] * parts, "M1", f"{parts} part(s) for {size} bytes", came)


@basic("P39", "D2")
def PING_is_answered(room: Room) -> None:
    """PONG comes soon and repeats the id of its PING."""
    member = room.enter()
    for id in (0, 1, MAX_NUMBER):
        member.send(Ping(id))
        member.find(Pong, "P39", "D2", id=id)


@basic("P36", "P33", "P37", "E6")
def a_command_gets_one_answer(room: Room) -> None:
    """Each COMMAND gets exactly one ANSWER with its id; its ids may repeat, and do not count for lines."""
    member = room.enter()
    for id in (1000, 1000, 3):
        member.send(Command(id, member.channel, "/help"))
        member.find(Answer, "P36", id=id)
    member.send(Say(1, member.channel, "a line with a lower id"))
    member.hears("a line with a lower id", "E6", id=1)
    for packet in member.up_to_fence():
        ensure(not isinstance(packet, Answer), "P36", "no second ANSWER", describe(packet))


@full("P34", "C5", "P36")
def an_unknown_command(room: Room) -> None:
    """A command that does not exist is answered with NO_SUCH_COMMAND; rows are a JSON array, or empty."""
    import json

    member = room.enter()
    member.send(Command(1, member.channel, "/no-such-command"))
    answer = member.find(Answer, "C5", id=1, code=Code.NO_SUCH_COMMAND)
    member.send(Command(2, member.channel, "/help"))
    for one in (answer, member.find(Answer, "P36", id=2)):
        good = not one.rows or isinstance(json.loads(one.rows), list)
        ensure(good, "P34", "a JSON array, or nothing", one.rows)


@full("P30", "N16")
def any_channel_in_a_command(room: Room) -> None:
    """In COMMAND only its length byte limits the channel, and any form of it will do."""
    member = room.enter()
    for id, channel in enumerate(("", "nothing", "#" + "x" * 254, member.channel.upper()), 1):
        member.send(Command(id, channel, "/help"))
        member.find(Answer, "P30", id=id)


@basic("C3", "P30", "E5", "E10")
def a_line_to_another_channel(room: Room) -> None:
    """A line to a channel in which the client is not is answered with NOT_IN, and does not count."""
    member, other = room.enter(), room.enter()
    for id, channel in enumerate((other.channel, "#nobody-is-here", "", "#" + "x" * 254), 50):
        member.send(Say(id, channel, "not here"))
        member.find(Answer, "C3", id=id, code=Code.NOT_IN)
    member.send(Say(7, member.channel, "a lower id"))
    member.hears("a lower id", "E10", id=7)


@resume("C2", "E4", "P28")
def repeats_are_answered(room: Room) -> None:
    """A SAY whose id is not above the highest applied one, or is 0, gets ALREADY and is not said."""
    member = room.enter()
    member.send(Say(10, member.channel, "ten"), Say(20, member.channel, "twenty"))
    member.hears("twenty", "E4", id=20)
    for id in (20, 10, 15, 0):
        member.send(Say(id, member.channel, "again"))
        packet = member.find(Answer, "P28" if id == 0 else "C2", id=id)
        ensure(packet.code == Code.ALREADY, "C2", "ALREADY", describe(packet))
    member.send(Say(21, member.channel, "twenty-one"))
    member.hears("twenty-one", "E4", id=21)
    member.send(Say(MAX_NUMBER, member.channel, "the last"))
    member.hears("the last", "H5", id=MAX_NUMBER)


@full("C6", "E10", cases={"EDIT": Form.EDIT, "DELETE": Form.DELETE, "REACT": Form.REACT, "200": 200})
def a_form_that_cannot_be(room: Room, form: int) -> None:
    """An unknown form, or one that lacks its message, is answered with BAD_ARGUMENTS, and changes nothing."""
    member = room.enter()
    member.send(Say(5, member.channel, "waves", form))
    member.find(Answer, "C6", id=5, code=Code.BAD_ARGUMENTS)
    member.send(Say(6, member.channel, "", form))
    member.find(Answer, "P29", id=6, code=Code.BAD_ARGUMENTS)
    member.send(Say(4, member.channel, "a lower id"))
    member.hears("a lower id", "E10", id=4)


@full("P31", "L7")
def rows_of_an_extra_are_skipped(room: Room) -> None:
    """A line with an extra of unknown keys is said; MAX_EXTRA bytes are not too many."""
    member = room.enter()
    rows = b"".join(
        bytes([key, size]) + b"x" * size for key, size in ((209, 2), (200, 0), (201, 250), (202, 252))
    )
    assert len(rows) == MAX_EXTRA
    for id, extra in enumerate((rows[:4], rows), 1):
        member.send(Say(id, member.channel, f"extra {id}", 0, extra))
        member.hears(f"extra {id}", "P31", id=id)


@basic("H7")
def segments_have_no_meaning(room: Room) -> None:
    """Many packets in one segment, and packets that come byte by byte, mean the same."""
    member = room.enter()
    lines = [Say(id, member.channel, f"line {id}") for id in range(1, 9)]
    member.send(*lines)
    for byte in encode(Say(9, member.channel, "slow")):
        member.socket.sendall(bytes([byte]))
    for line in lines:
        member.expect_said(line.text, "H7")
    member.hears("slow", "H7", id=9)


@basic("H3")
def flags_are_ignored(room: Room) -> None:
    """The receiver ignores the flags."""
    member = room.enter()
    member.send_bytes(frame(Kind.PING, id=3, flags=0xFF), "PING with all flags")
    member.find(Pong, "H3", id=3)


@full("P1")
def an_id_that_is_not_used_is_ignored(room: Room) -> None:
    """Where the message id is not used, a receiver ignores it."""
    member = room.enter()
    member.send_bytes(frame(Kind.BYE, b"\0\0\x44bye", id=77), "BYE with an id")
    member.rest("P1")


@full("M4", "L3")
def parts_cut_anywhere(room: Room) -> None:
    """A receiver joins the parts before it reads them, so a cut inside a character does no harm."""
    first, second = two(room)
    data = ("€" * 2000).encode()
    for texts in (
        [data[:1], data[1:4000], data[4000:]],
        [data[:5000], data[5000:]],
        [data[:4500], data[4500:]],
    ):
        id = say_in_parts(first, texts)
        second.hears(data.decode(), "M4", "L3", id=id)


@full("M8")
def a_part_without_text(room: Room) -> None:
    """A part may have nothing of what is cut."""
    member = room.enter()
    say_in_parts(member, [b"", b"some", b"", b"thing"])
    member.hears("something", "M8")


@full("M9")
def a_packet_between_two_parts(room: Room) -> None:
    """Packets that cannot have parts may come between two parts."""
    member = room.enter()
    member.send_bytes(say_part(member, b"one ", 1, 0, 2), "part 0 of 2")
    member.is_alive("M9")
    member.send(Command(7, member.channel, "/help"))
    member.find(Answer, "M9", id=7)
    member.send_bytes(say_part(member, b"two", 1, 1, 2), "part 1 of 2")
    member.hears("one two", "M9", id=1)


@basic("M10")
def a_sender_that_stops_in_the_middle(room: Room) -> None:
    """A sender that stops in the middle of a message delays only itself; nothing of it is passed on."""
    first, second = two(room)
    first.send_bytes(say_part(first, b"never whole ", 1, 0, 2), "part 0 of 2")
    first.send_bytes(say_part(first, b"x" * 50, 1, 1, 2)[:30], "the beginning of part 1")
    second.says_and_hears("goes on")
    second.is_alive("M10")
    first.hears("goes on", "M10")


@full("M7", "L5")
def a_message_of_MAX_PARTS(room: Room) -> None:
    """A message of MAX_PARTS parts is not too long."""
    member = room.enter()
    say_in_parts(member, [b"x"] * 32)
    member.hears("x" * 32, "L5")


@basic("T3", "T1")
def a_line_of_several_lines(room: Room) -> None:
    """A line may be several lines, and text goes on as it came: the receiver makes it harmless."""
    member = room.enter()
    member.says_and_hears("one\ntwo\n\n\tthree  \n")
    member.says_and_hears("\x1b[31mred \x07\x7f \u202e \ufeff \U0001f600 e\u0301")


@full("T1")
def line_ends_and_zero_bytes(room: Room) -> None:
    """CR LF and a lone CR become LF, NUL a space."""
    member = room.enter()
    member.say("a\r\nb\rc\0d\n\re")
    event = member.event(EventKind.SAID, "T1")
    ensure(event.text == "a\nb\nc d\n\ne", "T1", repr("a\nb\nc d\n\ne"), repr(event.text))


@basic("Q1", "Q2", "P60", "O10", "Q5", "C21")
def BYE_ends_a_membership(room: Room) -> None:
    """After BYE comes QUIT with its reason to all others, at once and once; the server closes."""
    first, second = two(room)
    first.send(Bye(False, Code.GOODBYE, "dinner"))
    first.finish()
    packets = first.rest("Q5")
    if packets and isinstance(packets[-1], Bye):
        ensure(packets[-1].code == Code.GOODBYE, "C21", "GOODBYE", describe(packets[-1]))
    event = second.event(EventKind.QUIT, "O10", person=first.welcome.person)
    ensure(event.text == "dinner", "Q2", "the reason of BYE", describe(event))
    ensure((event.place, event.channel) == (0, ""), "P60", "place 0, no channel", describe(event))
    ensure(event.author == first.welcome.name and event.id == 0, "P60", "author, and id 0", describe(event))
    second.say("fence")
    for packet in second.up_to("fence"):
        ensure(not isinstance(packet, Event), "P60", NOBODY_ELSE, describe(packet))


@basic("O8", "O10", "O16", "P16")
def a_name_is_free_after_BYE(room: Room) -> None:
    """Who has said BYE has left: its name is free, and its lines go to the others alone."""
    first, second = two(room)
    first.leave()
    second.event(EventKind.QUIT, "O10", person=first.welcome.person)
    again = room.enter(first.welcome.name, second.channel)
    event = second.event(EventKind.JOINED, "O16", author=first.welcome.name)
    listed = {member.person for member in again.channels[second.channel].members}
    wanted = {second.welcome.person, again.welcome.person}
    ensure(listed == wanted, "O8", f"the persons {wanted} in CHANNEL", listed)
    ensure(event.person == again.welcome.person, "P16", f"person {again.welcome.person}", describe(event))


@full("P60")
def QUIT_comes_once(room: Room) -> None:
    """Who shares several channels with the one that quits gets one QUIT, and a member of none gets none."""
    one, two_ = room.channel(), room.channel()
    first, second, third = room.enter(None, one, two_), room.enter(None, one, two_), room.enter()
    first.leave("bye")
    second.event(EventKind.QUIT, "P60", person=first.welcome.person)
    for member in (second, third):
        member.say("fence")
        for packet in member.up_to("fence"):
            quit_ = isinstance(packet, Event) and packet.kind is EventKind.QUIT
            ensure(not quit_, "P60", "no further QUIT", describe(packet))


@basic("Q10", "Q9", "E5")
def lines_before_BYE_are_taken(room: Room) -> None:
    """Lines and BYE in one segment, then the end of the direction: the server takes all lines, in order."""
    first, second = two(room)
    lines = [Say(first.next_id(), first.channel, f"last {number}") for number in range(20)]
    first.send(*lines, Bye(False, Code.GOODBYE, ""))
    first.finish()
    first.rest("Q5")
    for line in lines:
        second.expect_said(line.text, "Q10")
    second.event(EventKind.QUIT, "Q2", person=first.welcome.person)


@full("Q1")
def nothing_counts_behind_BYE(room: Room) -> None:
    """BYE is the last packet: what comes behind it is not taken."""
    first, second = two(room)
    first.send(Bye(False, Code.GOODBYE, ""), Say(99, first.channel, "too late"))
    first.rest("Q5")
    second.event(EventKind.QUIT, "Q2", person=first.welcome.person)
    second.say("fence")
    for packet in second.up_to("fence"):
        ensure(not isinstance(packet, Event), "Q1", NOBODY_ELSE, describe(packet))


@basic("Q4", "Q5")
def the_server_closes_without_waiting(room: Room) -> None:
    """The receiver of BYE closes, also when the sender has not shut down its direction."""
    member = room.enter()
    member.send(Bye(False, Code.GOODBYE, ""))
    member.rest("Q5")
