"""Checks of a client: handshake, lines, events, ends."""

from __future__ import annotations

import time
from functools import partial

from chatroom.events import EventKind
from chatroom.limits import MAX_CHANNELS, MAX_NUMBER, TEXT_PART
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    VERSION,
    Answer,
    Bye,
    Channel,
    Info,
    Kind,
    Live,
    Ping,
    Pong,
    Port,
    Replay,
    Status,
    Verdict,
    encode,
)
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.host import MOMENT, PLACE, Guest, Host
from tests.conformance.wire import describe, frame

basic = partial(check, role=Role.CLIENT, level=Level.BASIC)
full = partial(check, role=Role.CLIENT, level=Level.FULL)
accounts = partial(check, role=Role.CLIENT, level=Level.ACCOUNTS)

REST_SECONDS = 1.0
"""A client that must not come back is watched for so long."""


@basic("A1", gate=True)
def the_client_comes_in(host: Host) -> None:
    """The client goes through the handshake and says a line of its input."""
    guest = host.enter()
    host.program.say("hello")
    guest.expect_line("hello", "A1")


@basic("A2", "A3", "P3", "P5", "P13", "P10", "B9", "P12", "P1", "H3")
def the_handshake_of_a_new_client(host: Host) -> None:
    """HELLO of version 2, USERNAME without a token, PASS and END, ADMIT without a cursor."""
    host.start()
    lobby = host.lobby()
    ensure(lobby.hello.version == VERSION, "A2", f"version {VERSION} in HELLO", lobby.hello.version)
    ensure(lobby.hello.abilities == (), "P3", "no abilities", lobby.hello.abilities)
    ensure(lobby.username.name == host.name, "P4", f"the name {host.name}", lobby.username.name)
    ensure(lobby.username.token == NO_TOKEN, "B9", "16 zero bytes as token", lobby.username.token.hex())
    ensure(lobby.username.credentials == (), "P5", "no credentials", lobby.username.credentials)
    admit = host.bring_in(lobby).admit
    ensure(admit.name == host.name, "P13", f"the name {host.name}", admit.name)
    ensure((admit.since, admit.time) == (0, 0), "B9", "since 0 and time 0", describe(admit))
    ensure(admit.identity == NO_IDENTITY, "B9", "identity zero", admit.identity.hex())
    ensure(1 <= len(admit.channels) <= MAX_CHANNELS, "P12", "1 to 50 channels", admit.channels)


@basic("A8", "P7")
def PORT_0_means_the_same_connection(host: Host) -> None:
    """After PORT with the number 0 ADMIT comes on the same connection, after both ENDs."""
    host.start()
    guest = host.bring_in(host.lobby(), same=True)
    guest.greet()
    host.program.say("here")
    guest.expect_line("here", "A8")


@basic("E1", "E11", "N15", "P31", "E13")
def lines_are_said_in_order(host: Host) -> None:
    """Each line of the input is said, in order, with rising ids, to the channel as CHANNEL wrote it."""
    guest = host.enter()
    texts = [*(f"line {number}" for number in range(20)), "Grüße, 你好 🙂"]
    host.program.say(*texts)
    for text in texts:
        guest.takes_and_confirms(text)


@basic("E11", "E13")
def lines_wait_for_LIVE(host: Host) -> None:
    """A line that is typed before LIVE is sent after LIVE."""
    host.start()
    host.program.say("early", "bird")
    guest = host.bring_in(host.lobby())
    guest.greet(live=False)
    guest.nothing_more("E11")
    guest.go_live()
    guest.takes_and_confirms("early")
    guest.takes_and_confirms("bird")


@full("E2")
def the_first_id_is_random(host: Host) -> None:
    """The first id is chosen at random below 2⁶², so that two sessions have different ids."""
    firsts = []
    for _ in range(2):
        guest = host.enter()
        host.program.say("first")
        firsts.append(guest.takes_and_confirms("first").id)
        host.program.kill()
    ensure(firsts[0] != firsts[1], "E2", "two ids", firsts[0])
    ensure(all(0 < id < 2**62 for id in firsts), "E2", "from 1 to 2⁶²", firsts)


@basic("M1", "M3", "M5", "M6", "M7", "M8")
def a_long_line_comes_in_parts(host: Host) -> None:
    """A long line is cut into parts of at most TEXT_PART bytes, between characters."""
    guest = host.enter()
    text = "a" + "€" * 4000
    host.program.say(text)
    guest.expect_line(text, "M1")
    parts = [one for one in guest.frames if one.kind == Kind.SAY]
    least = -(-len(text.encode()) // TEXT_PART)
    ensure(len(parts) >= least, "M1", f"at least {least} parts", len(parts))
    ensure(
        [one.part for one in parts] == list(range(len(parts))),
        "M6",
        "parts from 0 on",
        [one.part for one in parts],
    )
    ensure(len({(one.id, one.parts) for one in parts}) == 1, "M5", "one id and part count", parts[0][:8])


@basic("P58", "M4")
def lines_of_others_are_shown(host: Host) -> None:
    """What others say is shown, once."""
    guest = host.enter()
    guest.tell("good morning")
    event = host.event("€" * 2000)
    data = event.text.encode()
    prefix = encode(event._replace(text=""))[20:]
    for part, text in enumerate((data[:2000], data[2000:4000], data[4000:])):
        guest.send_bytes(
            frame(event.kind, prefix + text, 0, part, 3), f"part {part} of a SAID, cut inside a character"
        )
    guest.tell("good night")
    host.shows("good night", "P58")
    host.shows("€" * 2000, "M4")
    shown = host.program.out.text.count("good morning")
    ensure(shown == 1, "P58", "the line once on stdout", f"{shown} times")


@basic("H7")
def segments_have_no_meaning_for_the_client(host: Host) -> None:
    """Packets that come byte by byte, or many in one segment, mean the same."""
    guest = host.enter()
    guest.send(*(host.event(f"at once {number}") for number in range(5)))
    for byte in encode(host.event("byte by byte")):
        guest.socket.sendall(bytes([byte]))
    host.shows("at once 4", "H7")
    host.shows("byte by byte", "H7")


@basic("P39", "D2", "H3")
def the_client_answers_PING(host: Host) -> None:
    """PONG comes soon, with the id of the PING; flags are ignored."""
    guest = host.enter()
    for id in (0, 5, MAX_NUMBER):
        guest.send_bytes(frame(Kind.PING, id=id, flags=0xFF), f"PING {id} with all flags")
        guest.expect(Pong, "P39", id=id)


@basic("Q8", "Q1", "P41", "Q4", "Q6", "Q9")
def BYE_at_the_end_of_the_input(host: Host) -> None:
    """At the end of its input the client says BYE, when its lines are said or at once, and reads on."""
    guest = host.enter()
    host.program.say("the last line")
    host.program.end_input()
    say = guest.expect_line("the last line", "Q8")
    early = guest.peek(0.3)
    if not early:
        guest.confirm(say)
    guest.expect(Bye, "Q1", "P41", code=Code.GOODBYE)
    if early:
        guest.confirm(say)
    packets = guest.rest("Q4")
    ensure(not packets, "Q1", "BYE as the last packet", [describe(packet) for packet in packets])
    ensure(guest.ended == "closed", "Q4", "that the sending side is shut down", guest.ended)
    guest.tell("more to read")
    guest.send(Bye(False, Code.GOODBYE, "goodbye"))
    guest.finish()
    guest.close()
    code = host.program.wait(host.seconds)
    ensure(code == 0, "Q9", "exit code 0", code)


@full("Q8", "E5")
def no_exit_before_the_last_line_is_said(host: Host) -> None:
    """A client that was refused its last line does not report success."""
    guest = host.enter()
    host.program.say("refused")
    host.program.end_input()
    say = guest.expect_line("refused")
    guest.send(Answer(say.id, Code.NOT_IN, "you are not in this channel"))
    guest.find(Bye, "Q8", code=Code.GOODBYE)
    guest.finish()
    guest.close()
    host.tells("you are not in this channel", "P35")
    code = host.program.wait(host.seconds)
    ensure(code not in (0, None), "E5", "an exit code that is not 0", code)


@full("P35", "C1", "E9")
def an_unknown_code_means_no(host: Host) -> None:
    """A code that the client does not know means that the line is refused; the words are shown."""
    guest = host.enter()
    host.program.say("hm")
    say = guest.expect_line("hm")
    guest.send(Answer(say.id, 999, "this code is from the future", '["rows"]'))
    host.tells("this code is from the future", "C1", "P35")
    guest.nothing_more("E9")


RESERVED_KINDS = {
    EventKind.LEFT: "",
    EventKind.RENAMED: "robert",
    EventKind.TOPIC: "a topic",
    EventKind.KICKED: "spam",
    EventKind.QUIT: "bye",
    EventKind.JOINED: "",
    EventKind.RESTARTED: "",
}


@full("G3", "K1", "P60", "P61")
def every_kind_of_event_can_be_read(host: Host) -> None:
    """Events of each kind, also the reserved ones, do not disturb the client."""
    guest = host.enter()
    for kind, text in RESERVED_KINDS.items():
        whole = kind in (EventKind.RENAMED, EventKind.QUIT, EventKind.RESTARTED)
        where = {"place": 0, "channel": ""} if whole else {}
        who = {"person": 0, "author": ""} if kind is EventKind.RESTARTED else {}
        guest.tell(text, kind, **where, **who)
    guest.tell("after all that")
    host.shows("after all that", "G3")
    guest.nothing_more("G3")


@basic("K1", "K2", "M9")
def unknown_events_are_skipped(host: Host) -> None:
    """Events of unknown kinds, with and without a seq, in one part or several, are skipped."""
    guest = host.enter()
    for kind in (0x3F, 0x5F, 0x7F):
        _unknown(guest, kind, host.event("unknown").seq)
        _unknown(guest, kind, 0)
    for part in range(2):
        guest.send_bytes(_unknown_event(0x66, host.seq, part, 2), f"part {part} of an unknown event")
        guest.send(Ping(3))
        guest.expect(Pong, "M9", id=3)
    guest.tell("something known")
    host.shows("something known", "K1")


def _unknown(guest: Guest, kind: int, seq: int) -> None:
    guest.send_bytes(_unknown_event(kind, seq), f"an event of the unknown kind 0x{kind:02x}, seq {seq}")


def _unknown_event(kind: int, seq: int, part: int = 0, parts: int = 1) -> bytes:
    fixed = seq.to_bytes(8, "big") + (MOMENT + seq).to_bytes(8, "big") + (22).to_bytes(4, "big")
    extra = b"\x09\x02ab"
    head = fixed + PLACE.to_bytes(4, "big") + len(extra).to_bytes(2, "big") + b"\x03\x08bob#general" + extra
    return frame(kind, head + b"text", 0, part, parts)


@full("P1", "P31", "L7")
def what_is_not_used_is_ignored(host: Host) -> None:
    """Ids where none is used, an extra, and unknown settings, topic and roles do no harm."""
    host.start()
    guest = host.bring_in(host.lobby())
    guest.greet(live=False)
    guest.send(Channel(PLACE, guest.admit.channels[0], "a topic", 0xFF, 77, 2, ()))
    guest.go_live()
    guest.send_bytes(frame(Kind.INFO, b"an info", id=5), "INFO with an id")
    guest.send(host.event("with an extra")._replace(extra=b"\x09\x02ab"))
    host.shows("with an extra", "P31")
    guest.nothing_more("P1")


@full("P38", "P47", "P48", "P49", "P50", "G3")
def what_a_server_may_send_at_any_time(host: Host) -> None:
    """INFO, and a CHANNEL without a list or with unknown roles, may come after WELCOME."""
    guest = host.enter()
    guest.send(Info("maintenance at noon\nsave your work"))
    guest.send(Channel(PLACE, guest.admit.channels[0], "", 0, 200, 5000, ()))
    guest.send(Replay(0), Live(host.seq, MOMENT + host.seq))
    guest.tell("goes on")
    host.shows("goes on", "P38")
    host.tells("maintenance at noon", "P38")


HARMFUL = {
    "escape": "\x1b[2J\x1b]0;title\x07",
    "C1": "\x9b31m",
    "carriage return": "a\rb",
    "backspace": "a\b\b\b",
    "bell": "\x07",
    "delete": "\x7f",
    "right to left": "\u202eabc",
    "isolate": "\u2066abc",
    "line separator": "a\u2028b",
}


@basic("T2", "T3")
def text_of_others_is_made_harmless(host: Host) -> None:
    """Control characters of others, in lines and in names, do not reach stdout."""
    guest = host.enter()
    for what, text in HARMFUL.items():
        guest.tell(f"{what}: {text}.")
    guest.tell("named", author="b\x1bob\r")
    guest.tell("one\ntwo\r\nthree")
    guest.tell("the end")
    host.shows("the end", "T2")
    out = host.program.out.text
    bad = {ascii(char) for char in out if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0}
    bad |= {ascii(char) for char in "\u202e\u2066\u2028" if char in out}
    ensure(not bad, "T2", "no control characters on stdout", f"{sorted(bad)} in {out[-300:]!r}")


# --- refusals and goodbyes ------------------------------------------------------------------------------


@basic(
    "A4", "B13", "C11", cases={code.name: code for code in (Code.NAME_TAKEN, Code.NAME_HELD, Code.BAD_NAME)}
)
def a_refused_name(host: Host, code: Code) -> None:
    """When the name is refused, the client tells its user why; it may ask for another name."""
    host.start()
    lobby = host.lobby()
    lobby.send(Status(Verdict.FAIL, code, "somebody else is called so"))
    host.tells("somebody else is called so", "B13")


@accounts("A4", "U1", "C24")
def a_name_that_needs_a_password(host: Host) -> None:
    """When the name belongs to an account, the client tells its user that a password is needed."""
    host.start()
    lobby = host.lobby()
    lobby.send(Status(Verdict.FAIL, Code.NEED_LOGIN, "this name belongs to an account"))
    host.tells("this name belongs to an account", "U1")


@full("A5", "A6")
def too_many_names_for_a_client(host: Host) -> None:
    """After a second STATUS FAIL with TOO_MANY the handshake has ended: the client closes."""
    host.start()
    lobby = host.lobby()
    lobby.send(
        Status(Verdict.FAIL, Code.BAD_NAME, "no"), Status(Verdict.FAIL, Code.TOO_MANY, "too many names")
    )
    lobby.expect_closed("A6")


FINAL = {
    "BAD_VERSION": Code.BAD_VERSION,
    "PROTOCOL_ERROR": Code.PROTOCOL_ERROR,
    "BANNED": Code.BANNED,
    "999": 999,
}


@full("A6", "B16", "C1", "C14", cases=FINAL)
def a_refusal_for_good(host: Host, code: int) -> None:
    """After other codes the client closes, tells its user, and does not come back."""
    host.start()
    lobby = host.lobby()
    lobby.send(Status(Verdict.FAIL, code, "no, and for good"))
    lobby.expect_closed("A6")
    host.tells("no, and for good", "C1")
    ensure(not host.comes_within(REST_SECONDS), "B16", "that it does not come back", "another connection")


@full(
    "A7",
    "A15",
    "C8",
    "C7",
    cases={"at once": 0, "after HELLO": 1, "after PASS": 2, "after PORT": 3, "after END": 4},
)
def a_refusal_at_any_step(host: Host, step: int) -> None:
    """STATUS FAIL may come at every step, also before HELLO: the client reads it and closes."""
    host.start()
    refusal = Status(Verdict.FAIL, Code.FULL, "there is no room")
    lobby = host.lobby() if step else host.accept()
    if step >= 2:
        lobby.send(Status(Verdict.PASS))
    if step >= 3:
        number = host.admission_port().getsockname()[1]
        lobby.send(Port(number, bytes(16)))
    if step == 4:
        lobby.expect(Status, "A3", verdict=Verdict.PASS)
        lobby.expect(Status, "A3", verdict=Verdict.END)
    lobby.send(refusal)
    lobby.finish()
    lobby.rest("A6")
    lobby.close()
    host.tells("there is no room", "A15")


@full("A11", "A12", "C18", "Q3")
def PING_and_BYE_instead_of_WELCOME(host: Host) -> None:
    """While admitting, PING may come, and BYE instead of WELCOME."""
    host.start()
    guest = host.bring_in(host.lobby())
    guest.send(Ping(8), Bye(False, Code.NOT_IN, "not today"))
    guest.expect_closed("A12")
    host.tells("not today", "A12")
    ensure(not host.comes_within(REST_SECONDS), "A12", "that it does not come back", "another connection")


@full("A11")
def PING_before_WELCOME(host: Host) -> None:
    """A PING before WELCOME does not disturb the handshake."""
    host.start()
    guest = host.bring_in(host.lobby())
    guest.send(Ping(8))
    guest.greet()
    host.program.say("in")
    guest.expect_line("in", "A11")


@basic("Q3", "Q5", "B16", "C17")
def BYE_for_good(host: Host) -> None:
    """After BYE with `again` 0 the client closes, tells its user, and does not come back by itself."""
    guest = host.enter()
    guest.say_bye(Code.TAKEN_OVER, False, "taken over by another one")
    host.tells("taken over by another one", "Q3")
    ensure(not host.comes_within(REST_SECONDS), "Q3", "that it does not come back", "another connection")


@full("O7", "P42", "P45")
def its_own_JOINED_before_LIVE(host: Host) -> None:
    """The client's own JOINED may come before LIVE, together with other events."""
    host.start()
    guest = host.bring_in(host.lobby())
    joined = host.event(kind=EventKind.JOINED, person=guest.person, author=host.name)
    guest.greet(replay=(host.event("old"), joined, host.event("meanwhile")))
    host.program.say("now")
    guest.expect_line("now", "O7")


# --- aliveness ------------------------------------------------------------------------------------------


@full("D1", "D3", "D4", long=True)
def a_silent_server_counts_as_dead(host: Host) -> None:
    """A client pings, and closes when it has received nothing for DEAD_AFTER."""
    host.start(aliveness=True)
    lobby = host.lobby()
    ensure(not lobby.peek(0.8), "D4", "no PING in the lobby", "a packet")
    ensure(lobby.pings == 0, "D4", "no PING in the lobby", f"{lobby.pings}")
    guest = host.bring_in(lobby)
    guest.greet()
    guest.pongs = False
    began = time.monotonic()
    guest.rest("D3", seconds=1.5 + host.seconds)
    took = time.monotonic() - began
    ensure(guest.pings > 0, "D1", "PING", "none")
    ensure(took > 1.2, "D3", "patience for DEAD_AFTER", f"the end after {took:.2f} s")


@full("D1", "D3", long=True)
def a_quiet_server_stays(host: Host) -> None:
    """A server that answers PING is not dead; a quiet client sends something in each third of DEAD_AFTER."""
    host.start(aliveness=True)
    guest = host.bring_in(host.lobby())
    guest.greet()
    began = time.monotonic()
    while time.monotonic() - began < 3.5:
        ensure(not guest.pulse(), "D3", "a connection that goes on", "its end")
    ensure(guest.pings >= 4, "D1", "PING in each third of DEAD_AFTER", f"{guest.pings} in 3.5 s")
