"""The stage for checks of a client: the run plays the server."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterable
from typing import Any

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import (
    SAME_CONNECTION,
    Admit,
    Bye,
    Channel,
    Hello,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Present,
    Replay,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
)
from tests.conformance.check import Failed, NotChecked, Role, ensure
from tests.conformance.program import Program, fill
from tests.conformance.room import LONG_DEAD_AFTER, SHORT_DEAD_AFTER
from tests.conformance.wire import Wire, describe

PLACE = 7
PERSON = 21
OTHER = 22
"""The persons of the client and of somebody else."""
IDENTITY = bytes(range(1, 17))
TOKEN = bytes(range(101, 117))
FIRST_SEQ = 1000
MOMENT = 1_769_862_896_789
START_SECONDS = 15.0
"""Time that a client has until it connects."""
BACK_SECONDS = 8.0
"""Time until a client has come back: its first pauses are short."""

QUIET_SECONDS = 0.2
"""A client that has something to send has begun by then."""

_names = itertools.count(1)


class Host:
    """What a check of a client uses: the client as a process, and the server's end of its connections."""

    def __init__(self, command: str, seconds: float) -> None:
        self._command = command
        self.seconds = seconds
        self.wires: list[Wire] = []
        self._programs: list[Program] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._admissions: list[socket.socket] = []
        self.name = f"guest{next(_names)}"
        self.seq = FIRST_SEQ

    @property
    def port(self) -> int:
        number: int = self._listener.getsockname()[1]
        return number

    def close(self) -> None:
        """Stop the client, close all connections."""
        for program in self._programs:
            program.kill()
        for wire in self.wires:
            wire.close()
        for listener in (self._listener, *self._admissions):
            listener.close()

    def story(self) -> list[str]:
        """What the report adds about the client."""
        lines: list[str] = []
        for program in self._programs:
            shown = program.out.text.splitlines()[-8:]
            lines += [*program.story(), *(f"stdout: {line[:200]}" for line in shown)]
        return lines

    # --- the client -------------------------------------------------------------------------------------

    def start(self, *, aliveness: bool = False) -> Program:
        """Start the client. aliveness: with a short dead_after, which the command must have."""
        if aliveness and "{dead_after}" not in self._command:
            raise NotChecked("the command has no {dead_after}")
        dead_after = SHORT_DEAD_AFTER if aliveness else LONG_DEAD_AFTER
        words = {"address": f"127.0.0.1:{self.port}", "name": self.name, "dead_after": f"{dead_after:g}"}
        program = Program(fill(self._command, **words), with_input=True)
        self._programs.append(program)
        return program

    @property
    def program(self) -> Program:
        """The client that was started last."""
        return self._programs[-1]

    # --- connections ------------------------------------------------------------------------------------

    def accept(self, label: str = "lobby", seconds: float | None = None, *rules: str) -> Guest:
        """The next connection to the lobby."""
        return self._accept(
            self._listener, label, START_SECONDS if seconds is None else seconds, rules or ("A1",)
        )

    def comes_within(self, seconds: float) -> bool:
        """Whether the client connects to the lobby; the connection is closed then."""
        try:
            self.accept("lobby", seconds).close()
        except Failed:
            return False
        return True

    def _accept(self, listener: socket.socket, label: str, seconds: float, rules: tuple[str, ...]) -> Guest:
        deadline = time.monotonic() + seconds
        listener.settimeout(0.1)
        while True:
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                ended = self._programs and self.program.code is not None
                if not ended and time.monotonic() < deadline:
                    continue
                story = "; ".join(self.program.story()) if ended else f"nobody in {seconds:g} s"
                raise Failed(f"a connection to {label}", story, *rules) from None
            guest = Guest(sock, label, self)
            self.wires.append(guest)
            return guest

    def lobby(self, label: str = "lobby", seconds: float | None = None) -> Guest:
        """A connection to the lobby that has said HELLO and USERNAME."""
        guest = self.accept(label, seconds)
        guest.hello = guest.expect(Hello, "A2")
        guest.username = guest.expect(Username, "A2")
        return guest

    def come_back(self, label: str = "lobby, again") -> Guest:
        """The client's next connection to the lobby, after it has lost one."""
        try:
            return self.lobby(label, BACK_SECONDS)
        except Failed as failed:
            raise failed if "A2" in failed.rules else Failed(failed.expected, failed.came, "B1") from None

    def admission_port(self) -> socket.socket:
        """A new listening socket, for PORT."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._admissions.append(listener)
        return listener

    def bring_in(self, lobby: Guest, *, same: bool = False, label: str = "room") -> Guest:
        """Lead a newcomer from USERNAME to ADMIT. same: on the same connection."""
        ticket = bytes(range(200, 216))
        listener = None if same else self.admission_port()
        number = SAME_CONNECTION if listener is None else listener.getsockname()[1]
        lobby.send(Status(Verdict.PASS), Port(number, ticket))
        lobby.expect(Status, "A3", verdict=Verdict.PASS, code=0, reason="")
        lobby.expect(Status, "A3", verdict=Verdict.END, code=0, reason="")
        lobby.send(Status(Verdict.END))
        guest = lobby
        if listener is not None:
            guest = self._accept(listener, "the new port", self.seconds, ("A1",))
            guest.name = label
            lobby.close()
        guest.hello, guest.username = lobby.hello, lobby.username
        guest.admit = guest.expect(Admit, "A2")
        ensure(guest.admit.ticket == ticket, "A10", f"the ticket {ticket.hex()}", guest.admit.ticket.hex())
        return guest

    def enter(self, *, label: str = "room", **welcome: Any) -> Guest:
        """Start the client and admit it."""
        self.start()
        guest = self.bring_in(self.lobby(), label=label)
        guest.greet(**welcome)
        return guest

    def enter_or_come_back(self) -> Guest:
        """Admit the client again if it comes back by itself; else start it anew."""
        if self._programs and self.comes_again():
            return self.back_in()
        return self.enter()

    def comes_again(self) -> bool:
        """Whether the client that was started last is still there."""
        return self.program.wait(0.2) is None

    def back_in(self, label: str = "room, again", **welcome: Any) -> Guest:
        """Admit the client again after it has lost its connection."""
        guest = self.bring_in(self.come_back(), label=label)
        guest.greet(**welcome)
        return guest

    def event(self, text: str = "", kind: EventKind = EventKind.SAID, **fields: Any) -> Event:
        """The next event of the history; by somebody else, unless the fields say so."""
        self.seq += 1
        wanted: dict[str, Any] = {
            "id": 0,
            "person": OTHER,
            "author": "bob",
            "channel": "#general",
            "place": PLACE,
        }
        wanted |= fields
        return Event(
            self.seq, MOMENT + self.seq, kind, wanted["channel"], wanted["author"], text,
            wanted["id"], wanted["person"], wanted["place"],
        )  # fmt: skip

    def shows(self, text: str, *rules: str) -> None:
        """Fail unless the client writes the text to stdout or stderr in time."""
        program = self.program
        if not program.out.wait_for(text, self.seconds) and text not in program.err.text:
            raise Failed(f"the text {text!r} on stdout", repr(program.out.text[-200:]), *rules)

    def tells(self, text: str, *rules: str) -> None:
        """Fail unless the client tells its user this text, on stdout or stderr."""
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            if self.program.err.wait_for(text, 0.05) or text in self.program.out.text:
                return
        came = repr(self.program.err.text[-200:] + self.program.out.text[-200:])
        raise Failed(f"that the user is told {text!r}", came, *rules)

    def lines(self) -> set[str]:
        """All lines that the client has written, to stdout and stderr."""
        return {*self.program.out.text.splitlines(), *self.program.err.text.splitlines()}

    def tells_news(self, known: set[str], *rules: str) -> None:
        """Fail unless the client tells its user in a line that is not one of `known`."""
        deadline = time.monotonic() + self.seconds
        while not self.lines() - known:
            if time.monotonic() > deadline:
                raise Failed("a line for the user", "nothing but what it says at every return", *rules)
            self.program.err.wait_for("\0never\0", 0.05)


class Guest(Wire):
    """The server's end of a connection of the client."""

    hello: Hello
    username: Username
    admit: Admit

    def __init__(self, sock: socket.socket, name: str, host: Host) -> None:
        super().__init__(sock, name, Role.CLIENT, host.seconds)
        self.host = host
        self.person = PERSON
        self.is_live = False
        self.moved = ""  # the name that its channel got
        self.ids: list[int] = []

    def greet(
        self,
        *,
        resumed: int = Resumed.FRESH,
        replay: Iterable[Packet] = (),
        confirmed: int = 0,
        token: bytes = TOKEN,
        identity: bytes = IDENTITY,
        person: int = PERSON,
        name: str = "",
        live: bool = True,
    ) -> None:
        """Send the greeting."""
        self.person = person
        called = name or self.username.name
        head, channel = self.host.seq, self.admit.channels[0]
        welcome = Welcome(called, token, identity, person, confirmed, head, Resumed(resumed))
        members = (Present(person, 0, called), Present(OTHER, 0, "bob"))
        self.send(welcome, Channel(PLACE, channel, "", 0, 0, 2, members), Replay(0), *replay)
        if live:
            self.go_live()

    @property
    def channel(self) -> str:
        """The name that its lines must use."""
        return self.moved or self.admit.channels[0]

    def go_live(self) -> None:
        """Send LIVE."""
        self.is_live = True
        self.send(Live(self.host.seq, MOMENT + self.host.seq))

    def take(self, seconds: float | None = None, expected: str = "a packet") -> Packet | None:
        packet = super().take(seconds, expected)
        if isinstance(packet, Say):
            ensure(self.is_live, "E11", "no SAY before LIVE", describe(packet))
            ensure(packet.channel == self.channel, "N15", self.channel, packet.channel)
            ensure(packet.form == 0 and not packet.extra, "P31", "form 0 and no extra", describe(packet))
            last = self.ids[-1] if self.ids else 0
            ensure(packet.id > last, "E1", f"an id above {last}", packet.id)
            self.ids.append(packet.id)
        return packet

    def put_back(self, packet: Packet) -> None:
        if isinstance(packet, Say):
            self.ids.pop()  # take() will look at it again
        super().put_back(packet)

    def expect_line(self, text: str, *rules: str, **fields: Any) -> Say:
        """The next packet must be this line. PONG is skipped."""
        while True:
            packet = self.take(expected=f"SAY with text {text!r}")
            if not isinstance(packet, Pong):
                break
        wanted = {"text": text} | fields
        good = isinstance(packet, Say) and all(
            getattr(packet, name) == value for name, value in wanted.items()
        )
        if not good:
            raise Failed(f"SAY with {wanted}", describe(packet), *rules)
        assert isinstance(packet, Say)
        return packet

    def tell(self, text: str = "", kind: EventKind = EventKind.SAID, **fields: Any) -> Event:
        """Send the next event."""
        event = self.host.event(text, kind, **fields)
        self.send(event)
        return event

    def said(self, say: Say) -> Event:
        """The event of a line of the client: to be sent now, or in a replay."""
        return self.host.event(say.text, id=say.id, person=self.person, author=self.username.name)

    def confirm(self, say: Say) -> None:
        """Say the line."""
        self.send(self.said(say))

    def takes_and_confirms(self, text: str) -> Say:
        """A line that arrives is said."""
        say = self.expect_line(text, "E13")
        self.confirm(say)
        return say

    def nothing_more(self, *rules: str) -> None:
        """Fail when a SAY comes, before the answers to two PINGs and for QUIET_SECONDS between them."""
        self.takes_pings(*rules)
        if self.peek(QUIET_SECONDS):
            raise Failed("nothing", describe(self.take()), *rules)
        self.takes_pings(*rules)

    def takes_pings(self, *rules: str) -> None:
        """Wait until the client has taken all that was sent: the answer to PING shows it."""
        self.send(Ping(99))
        while True:
            packet = self.take(expected="PONG")
            if packet == Pong(99):
                return
            if not isinstance(packet, Pong):
                raise Failed("nothing but PONG", describe(packet), *(rules or ("P39",)))

    def expect_closed(self, *rules: str, seconds: float | None = None) -> None:
        """The client must end this connection."""
        self.rest(*rules, seconds=seconds)
        self.close()

    def say_bye(self, code: Code, again: bool, reason: str = "") -> None:
        """Send BYE, shut down, read to the end."""
        self.send(Bye(again, code, reason))
        self.finish()
        self.rest("Q5")
        self.close()
