"""Checks of a server: the handshake, and the greeting."""

from __future__ import annotations

import time
from functools import partial

from chatroom.events import Event
from chatroom.limits import HANDSHAKE_SECONDS, LOWEST_PORT, MAX_TIME, NAME_TRIES, STEP_SECONDS
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Bye,
    Hello,
    Ping,
    Port,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
)
from tests.conformance.check import Failed, Level, NotChecked, Role, check, ensure
from tests.conformance.room import SOFTWARE, Room
from tests.conformance.wire import Wire, describe, frame, in_hex

basic = partial(check, role=Role.SERVER, level=Level.BASIC)
full = partial(check, role=Role.SERVER, level=Level.FULL)

HELLO = Hello(VERSION, SOFTWARE)
CLOCK_SECONDS = 3600
"""The clocks of run and server may differ by so much."""


def admit(name: str, ticket: bytes, *channels: str) -> Admit:
    """An ADMIT of somebody who comes for the first time."""
    return Admit(name, ticket, channels, 0, 0, NO_IDENTITY, 0)


@basic("A1", gate=True)
def the_handshake_leads_to_WELCOME(room: Room) -> None:
    """A newcomer with a free name and the right ticket becomes a member."""
    room.enter()


@basic("A1", "P7")
def the_lobby_connection_ends(room: Room) -> None:
    """After STATUS END the server closes the lobby connection, unless PORT had the number 0."""
    name = room.name()
    lobby, port = room.taken(name)
    ensure(
        port.number == SAME_CONNECTION or port.number >= LOWEST_PORT,
        "P7",
        f"the number 0, or at least {LOWEST_PORT}",
        port.number,
    )
    if port.number == SAME_CONNECTION:
        raise NotChecked("the server goes on with the lobby connection")
    packets = lobby.rest("A1")
    ensure(not packets, "A1", "the end of the connection after STATUS END", list(map(describe, packets)))


@basic("A1")
def HELLO_and_USERNAME_one_after_the_other(room: Room) -> None:
    """HELLO gets no answer of its own; USERNAME may come together with it or later."""
    lobby = room.connect()
    lobby.send(HELLO)
    ensure(not lobby.peek(0.2), "A1", "no answer to HELLO alone", "a packet, or the end")
    lobby.send(Username(room.name(), NO_TOKEN))
    lobby.expect(Status, "A1", verdict=Verdict.PASS)


@basic("O2", "P14", "P15", "P16", "P17", "P18", "P26", "P27")
def the_greeting_of_a_newcomer(room: Room) -> None:
    """WELCOME gives token, identity and person; CHANNEL, REPLAY and LIVE follow."""
    name, channel = room.name(), room.channel()
    member = room.enter(name, channel)
    welcome, live = member.welcome, member.live
    ensure(welcome.token != NO_TOKEN, "P14", "a token that is not zero", welcome.token.hex())
    ensure(welcome.identity != NO_IDENTITY, "P15", "an identity that is not zero", welcome.identity.hex())
    ensure(welcome.person != 0, "P16", "a person that is not the server's", 0)
    ensure(welcome.confirmed == 0, "P17", "confirmed 0 in a new session", welcome.confirmed)
    ensure(welcome.resumed is Resumed.FRESH, "P20", "FRESH, because since was 0", welcome.resumed.name)
    ensure(live.seq >= welcome.head, "P18", f"LIVE at or behind head {welcome.head}", live.seq)
    ensure(
        (live.time == 0) == (live.seq == 0), "P27", "a time with LIVE's seq, and none without", describe(live)
    )
    ensure(live.time <= MAX_TIME, "P27", f"at most {MAX_TIME}", live.time)


@basic("N8", "P19")
def a_name_is_written_as_asked_for(room: Room) -> None:
    """WELCOME has the name in the way of writing that the client asked for."""
    name = f"X.{room.name()}_Y-2"
    member = room.enter(name)
    ensure(member.welcome.name == name, "N8", f"the name {name}", member.welcome.name)


@basic("P42", "P43", "P44", "P45", "P46", "P47", "O8")
def CHANNEL_lists_the_members(room: Room) -> None:
    """CHANNEL has place, name, and all members, the client itself, too."""
    first = room.enter(None, room.channel())
    first.joined()
    second = room.enter(None, first.channel)
    channel = second.channels[first.channel]
    ensure(
        channel.place == first.channels[first.channel].place != 0,
        "P42",
        "one place for one channel",
        channel.place,
    )
    ensure(channel.role == 0, "P43", "role 0: no server gives another one yet", channel.role)
    ensure(channel.settings == 0 and not channel.topic, "P44", "no settings and no topic", describe(channel))
    ensure(channel.size == len(channel.members), "P45", f"size {len(channel.members)}", channel.size)
    listed = {member.person: member.name for member in channel.members}
    for one in (first, second):
        person, name = one.welcome.person, one.welcome.name
        ensure(listed.get(person) == name, "P47", f"person {person} ({name}) in the list", listed)
    ensure(len(listed) == 2, "P47", "nobody else in the list", listed)


@basic("O7", "P53", "P54", "P55", "P56", "P57", "P59", "O8")
def everybody_is_told_who_comes(room: Room) -> None:
    """All members of the channel get JOINED of a newcomer, the newcomer, too."""
    channel = room.channel()
    first = room.enter(None, channel)
    first.joined()
    second = room.enter(None, channel)
    for event in (second.joined(), first.find(Event, "P59", person=second.welcome.person)):
        place = first.channels[channel].place
        ensure(event.id == 0, "P53", "message id 0", event.id)
        ensure(event.seq > second.welcome.head, "P54", f"a seq above head {second.welcome.head}", event.seq)
        ensure(
            abs(event.time / 1000 - time.time()) < CLOCK_SECONDS, "P55", "milliseconds since 1970", event.time
        )
        ensure(event.author == second.welcome.name, "P56", second.welcome.name, event.author)
        ensure(
            (event.place, event.channel) == (place, channel),
            "P57",
            f"place {place}, {channel}",
            describe(event),
        )
        ensure(event.text == "" and event.extra == b"", "P59", "no text", describe(event))


@basic("C11", "A4", "A16")
def a_taken_name_is_refused(room: Room) -> None:
    """Somebody else's name gets NAME_TAKEN, also while it is only reserved; another name may follow."""
    member = room.enter()
    reserved, free = room.name(), room.name()
    room.offered(reserved)
    lobby = room.greet(member.welcome.name)
    lobby.expect(Status, "C11", verdict=Verdict.FAIL, code=Code.NAME_TAKEN)
    lobby.send(Username(reserved, NO_TOKEN))
    lobby.expect(Status, "A16", verdict=Verdict.FAIL, code=Code.NAME_TAKEN)
    lobby.send(Username(free, NO_TOKEN))
    lobby.expect(Status, "A4", verdict=Verdict.PASS)
    lobby.expect(Port, "A1")


BAD_NAMES = {
    "empty": "",
    "begins with _": "_ann",
    "begins with -": "-ann",
    "a space": "an n",
    "a colon": "an:n",
    "a control character": "an\x1bn",
    "a line end": "ann\n",
    "a zero byte": "an\0n",
    "25 columns": "x" * 25,
}


@basic("N2", "N4", "C10", "L13")
def names_that_cannot_be(room: Room) -> None:
    """A name that cannot be is refused with BAD_NAME, and another one may follow."""
    first, *others = BAD_NAMES.values()
    lobby = room.greet(first)
    for name, following in zip([first, *others], [*others, room.name()], strict=True):
        rule = "N4" if len(name) == 25 else "N2"
        lobby.expect(Status, rule, verdict=Verdict.FAIL, code=Code.BAD_NAME)
        lobby.send(Username(following, NO_TOKEN))
    lobby.expect(Status, "A4", verdict=Verdict.PASS)


@basic("P6")
def a_refusal_has_a_reason(room: Room) -> None:
    """STATUS FAIL has a reason for persons."""
    lobby = room.greet("_")
    lobby.expect(Status, "P6", verdict=Verdict.FAIL, reason=lambda text: text.strip() != "")


@basic("A10", "C16")
def a_wrong_ticket_is_refused(room: Room) -> None:
    """Who shows another ticket at the new port is refused; the owner of the right one still comes in."""
    name = room.name()
    _lobby, port = room.taken(name)
    if port.number == SAME_CONNECTION:
        raise NotChecked("the server goes on with the lobby connection")
    stranger = room.connect(port.number, "stranger at the new port")
    stranger.send(admit(name, bytes(16), room.channel()))
    packets = stranger.rest("A10")
    last = packets[-1] if packets else None
    if isinstance(last, Status | Bye):
        ensure(last.code == Code.EXPIRED, "C16", "the code EXPIRED", describe(last))
    ensure(not packets or isinstance(last, Status | Bye), "A10", "a refusal", describe(last))
    owner = room.member(port.number, name)
    owner.send(admit(name, port.ticket, room.channel()))
    owner.be_greeted()


@full("A9")
def a_ticket_works_once(room: Room) -> None:
    """A second ADMIT with the same ticket leads nowhere."""
    name, channel = room.name(), room.channel()
    member, port = room.arrive(name)
    member.send(admit(name, port.ticket, channel))
    member.be_greeted()
    if port.number == SAME_CONNECTION:
        raise NotChecked("the server goes on with the lobby connection")
    try:
        second = room.connect(port.number, "second at the new port")
    except Failed:
        return  # nobody listens there any more
    second.send(admit(name, port.ticket, channel))
    packets = second.rest("A9")
    ensure(
        not any(type(p).__name__ == "Welcome" for p in packets),
        "A9",
        "no WELCOME",
        list(map(describe, packets)),
    )


@basic("P7")
def tickets_differ(room: Room) -> None:
    """Each newcomer gets a ticket of its own, which cannot be guessed."""
    tickets = {room.offered(room.name())[1].ticket for _ in range(3)}
    ensure(
        len(tickets) == 3 and bytes(16) not in tickets, "P7", "three tickets", [one.hex() for one in tickets]
    )


WRONG_STEPS = {
    "USERNAME first": Username("ann", NO_TOKEN),
    "SAY first": Say(1, "#general", "hi"),
    "PING first": Ping(1),
    "ADMIT first": admit("ann", bytes(16), "#general"),
    "STATUS first": Status(Verdict.PASS),
}


@basic("A2", "G2", "C15", "D4", cases=WRONG_STEPS)
def a_packet_at_the_wrong_step(room: Room, packet: Username | Say | Ping | Admit | Status) -> None:
    """Only HELLO may come first in the lobby; anything else is a protocol error."""
    lobby = room.connect()
    lobby.send(packet)
    lobby.expect_error("A2")


LATER_STEPS = {
    "HELLO twice": (HELLO, HELLO),
    "STATUS END instead of a name": (HELLO, Status(Verdict.END)),
    "ADMIT instead of a name": (HELLO, admit("ann", bytes(16), "#general")),
}


@full("A2", "C15", cases=LATER_STEPS)
def a_packet_at_a_wrong_later_step(room: Room, packets: tuple[Hello | Status | Admit, ...]) -> None:
    """At each step the server takes only the packets of the table."""
    lobby = room.connect()
    lobby.send(*packets)
    lobby.expect_error("A2")


@full("A2", "C15")
def another_USERNAME_after_PASS(room: Room) -> None:
    """After PORT the client may send only STATUS."""
    lobby, _ = room.offered(room.name())
    lobby.send(Username(room.name(), NO_TOKEN))
    lobby.expect_error("A2")


@full("A2", "C15")
def END_without_PASS(room: Room) -> None:
    """STATUS END comes only after STATUS PASS."""
    lobby, _ = room.offered(room.name())
    lobby.send(Status(Verdict.END))
    lobby.expect_error("A2")


@full("A10", "C15")
def something_else_than_ADMIT(room: Room) -> None:
    """At the new port a peer that sends anything else is refused; the owner still comes in."""
    name = room.name()
    _lobby, port = room.taken(name)
    if port.number == SAME_CONNECTION:
        raise NotChecked("the server goes on with the lobby connection")
    stranger = room.connect(port.number, "stranger at the new port")
    stranger.send(HELLO)
    stranger.expect_error("A10")
    owner = room.member(port.number, name)
    owner.send(admit(name, port.ticket, room.channel()))
    owner.be_greeted()


@full("A2", "A16")
def a_client_that_cannot_use_the_port(room: Room) -> None:
    """After STATUS FAIL of the client the handshake has ended, and the name is free for others at once."""
    name = room.name()
    lobby, _ = room.offered(name)
    lobby.send(Status(Verdict.FAIL, Code.UNAVAILABLE, "cannot connect"))
    lobby.rest("A2")


@full("A4", "A5", "L19", "C9")
def too_many_names(room: Room) -> None:
    """After NAME_TRIES refused names comes a second STATUS FAIL, with TOO_MANY, and the end."""
    lobby = room.greet("_")
    for _ in range(NAME_TRIES - 1):
        lobby.expect(Status, "A4", code=Code.BAD_NAME)
        lobby.send(Username("_", NO_TOKEN))
    lobby.expect(Status, "A4", code=Code.BAD_NAME)
    lobby.expect(Status, "A5", verdict=Verdict.FAIL, code=Code.TOO_MANY)
    packets = lobby.rest("A5")
    ensure(not packets, "A5", "the end", list(map(describe, packets)))


@full("V2", "C14")
def HELLO_with_another_version(room: Room) -> None:
    """A HELLO whose payload names another version is answered with BAD_VERSION."""
    for version in (1, 3, 255):
        lobby = room.connect()
        lobby.send(Hello(version, SOFTWARE))
        lobby.expect(Status, "V2", "C14", verdict=Verdict.FAIL, code=Code.BAD_VERSION)
        lobby.rest("A6")


@full("V1", "H2")
def a_client_of_version_1(room: Room) -> None:
    """The lobby answers a packet of version 1 with a STATUS FAIL of version 1."""
    lobby = room.connect()
    lobby.send_bytes(frame(0x01, b"\x01\x07example", version=1), "HELLO of version 1")
    data = lobby.raw_rest()
    header, payload = data[:20], data[20:]
    expected = bytes([0xC7, 1, 3, 0]) + len(payload).to_bytes(4, "big") + bytes(8) + bytes([0, 0, 0, 1])
    ensure(header == expected, "V1", f"the header {in_hex(expected)}", in_hex(header) or "the end")
    ensure(
        payload[:1] == b"\x01" and payload[1:].decode(), "V1", "one byte 1, then the reason", in_hex(payload)
    )


@basic(
    "A13", "C10", cases={"a space": "#a b", "no letter": "#", "no #": "general", "51 columns": "#" + "x" * 50}
)
def a_channel_that_cannot_be(room: Room, channel: str) -> None:
    """ADMIT with a channel that cannot be is refused with BAD_NAME."""
    name = room.name()
    member, port = room.arrive(name)
    member.send(admit(name, port.ticket, channel))
    packets = member.rest("A13")
    last = packets[-1] if packets else None
    good = isinstance(last, Status | Bye) and last.code == Code.BAD_NAME
    ensure(good, "A13", "STATUS FAIL (or BYE) with BAD_NAME", describe(last))


@full("A14", "L18", "C20", long=True)
def silence_before_the_first_name(room: Room) -> None:
    """From the connection to the first USERNAME a client has STEP_SECONDS; then comes SILENT."""
    began = time.monotonic()
    lobby = room.connect()
    lobby.send(HELLO)
    _silent(room, lobby, began, STEP_SECONDS)


@full("A14", "L18", "C20", long=True)
def silence_after_PASS(room: Room) -> None:
    """From the server's PASS to the client's END a client has STEP_SECONDS; then comes SILENT."""
    lobby, _ = room.offered(room.name())
    _silent(room, lobby, time.monotonic(), STEP_SECONDS)


@full("A17", "L18", "A16", long=True)
def nobody_comes_to_the_new_port(room: Room) -> None:
    """STEP_SECONDS after END the name is free again, and nobody listens at the new port."""
    name = room.name()
    lobby, port = room.taken(name)
    if port.number == SAME_CONNECTION:
        _silent(room, lobby, time.monotonic(), STEP_SECONDS)
        return
    guest = room.connect(port.number, "silent at the new port")
    packets = guest.rest("A14", seconds=STEP_SECONDS + room.seconds)
    last = packets[-1] if packets else None
    ensure(
        last is None or (isinstance(last, Status) and last.code in (Code.SILENT, Code.EXPIRED)),
        "A14",
        "SILENT or EXPIRED",
        describe(last),
    )
    try:
        late = room.connect(port.number, "late at the new port")
    except Failed:
        return
    late.send(admit(name, port.ticket, room.channel()))
    packets = late.rest("A17")
    ensure(
        not any(type(p).__name__ == "Welcome" for p in packets),
        "A17",
        "no WELCOME",
        list(map(describe, packets)),
    )


@full("L17", "C20", "A4", long=True)
def the_whole_handshake_has_a_deadline(room: Room) -> None:
    """A person who must choose another name has the rest of HANDSHAKE_SECONDS, not more."""
    began = time.monotonic()
    lobby = room.greet("_")
    lobby.expect(Status, "A4", code=Code.BAD_NAME)
    _silent(room, lobby, began, HANDSHAKE_SECONDS)


def _silent(room: Room, lobby: Wire, began: float, seconds: float) -> None:
    packets = lobby.rest("A14", seconds=seconds + room.seconds)
    last = packets[-1] if packets else None
    good = isinstance(last, Status) and (last.verdict, last.code) == (Verdict.FAIL, Code.SILENT)
    ensure(good, "C20", "STATUS FAIL with SILENT", describe(last))
    took = time.monotonic() - began
    rule = "L17" if seconds == HANDSHAKE_SECONDS else "L18"
    ensure(took > seconds * 0.8, rule, f"patience for {seconds:g} s", f"the end after {took:.1f} s")


@full("A18", long=False)
def the_token_gives_a_name_at_once(room: Room) -> None:
    """The token of its session gives a name again that the client has not taken up."""
    member = room.enter()
    member.says_and_hears("so that the session is remembered")
    name, token = member.welcome.name, member.welcome.token
    member.leave()
    for _ in range(2):
        lobby, _ = room.offered(name, token)
        lobby.send(Status(Verdict.FAIL, Code.UNAVAILABLE, "cannot connect"))
        lobby.rest("A2")
    lobby = room.greet(name, token)
    lobby.expect(Status, "A18", verdict=Verdict.PASS)


@full("E12", "D2")
def packets_right_behind_ADMIT(room: Room) -> None:
    """PING may come any time after ADMIT, and a line before LIVE is taken, too."""
    name, channel = room.name(), room.channel()
    member, port = room.arrive(name)
    member.send(admit(name, port.ticket, channel), Ping(5), Say(9, channel, "early"))
    member.hears("early", "E12", id=9)
