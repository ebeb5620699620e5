"""The stage for checks of a server: the run plays the clients."""

from __future__ import annotations

import errno
import itertools
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Hello,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Replay,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
)
from tests.conformance.check import Failed, NotChecked, Role, ensure
from tests.conformance.program import ServerProgram
from tests.conformance.wire import Wire, describe

SOFTWARE = "conformance run"
LONG_DEAD_AFTER = 45.0
SHORT_DEAD_AFTER = 1.5
"""Of the server for the checks of aliveness."""
START_SECONDS = 15.0
"""Time that a server has until it listens."""
LETTERS = "abcdefgh"
"""Of names: none of them looks like another one."""

Credentials = tuple[tuple[int, bytes], ...]

_numbers = itertools.count(64)


def _unique() -> str:
    number, text = next(_numbers), ""
    while number:
        number, digit = divmod(number, len(LETTERS))
        text = LETTERS[digit] + text
    return text


class Servers:
    """The server processes of a run: one for most checks, others where a check needs its own."""

    def __init__(self, command: str) -> None:
        self.command = command
        self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
        # Guards _running and _all.
        self._lock = threading.Lock()
        self._running: dict[str, ServerProgram] = {}
        self._all: list[ServerProgram] = []

    def get(self, key: str, dead_after: float = LONG_DEAD_AFTER) -> ServerProgram:
        """The server of this key; starts it when it is not there yet."""
        with self._lock:
            if key not in self._running:
                folder = Path(self._folder.name)
                self._running[key] = ServerProgram(self.command, folder, key, dead_after, START_SECONDS)
                self._all.append(self._running[key])
            return self._running[key]

    def stop(self) -> None:
        """Stop all, at the same time."""
        with self._lock:
            threads = [threading.Thread(target=server.program.stop) for server in self._all]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._folder.cleanup()


class Room:
    """What a check of a server uses: connections, members, names and channels of its own."""

    def __init__(self, servers: Servers, seconds: float) -> None:
        self._servers = servers
        self._server: ServerProgram | None = None
        self.seconds = seconds
        self.wires: list[Wire] = []
        self.source = "127.0.0.1"
        """The address from which the next connections come."""

    # --- the server -------------------------------------------------------------------------------------

    @property
    def server(self) -> ServerProgram:
        if self._server is None:
            self._server = self._servers.get("shared")
        return self._server

    def use_own_server(
        self, name: str, *, needs: str = "", dead_after: float = LONG_DEAD_AFTER
    ) -> ServerProgram:
        """Let this check have a server of its own. needs: a word that the command must have."""
        if needs and f"{{{needs}}}" not in self._servers.command:
            raise NotChecked(f"the command has no {{{needs}}}")
        self._server = self._servers.get(name, dead_after)
        return self._server

    def close(self) -> None:
        """Leave politely, so that later checks see no held members, and close all connections."""
        for wire in self.wires:
            if isinstance(wire, Member) and not wire.ended and wire.socket.fileno() >= 0:
                wire.send(Bye(False, Code.GOODBYE, ""))
            wire.close()

    def story(self) -> list[str]:
        """What the report adds about the server."""
        return (
            self._server.program.story()
            if self._server is not None and self._server.program.code is not None
            else []
        )

    # --- names ------------------------------------------------------------------------------------------

    def name(self) -> str:
        """A name that no other check uses."""
        return f"x{_unique()}"

    def channel(self) -> str:
        """A channel that no other check uses, as a server writes it."""
        return f"#c{_unique()}"

    # --- connections ------------------------------------------------------------------------------------

    def connect(self, port: int | None = None, name: str = "lobby") -> Wire:
        """A new connection to the lobby, or to another port."""
        wire: Wire = self._connect(Wire, port, name)
        return wire

    def _connect(self, kind: type[Any], port: int | None, name: str) -> Any:
        number = self.server.port if port is None else port
        try:
            sock = self._socket(number)
        except OSError as error:
            raise Failed(
                f"a server that listens at port {number}", f"{error.strerror or error}", "A1"
            ) from None
        wire = kind(sock, name, Role.SERVER, self.seconds)
        self.wires.append(wire)
        return wire

    def _socket(self, port: int) -> socket.socket:
        """Raises OSError, NotChecked."""
        try:
            return socket.create_connection(("127.0.0.1", port), self.seconds, (self.source, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise NotChecked(f"this machine has no address {self.source}") from None
            raise

    def member(self, port: int, name: str) -> Member:
        """A connection to an admission port."""
        connection: Member = self._connect(Member, port, name)
        return connection

    def greet(self, name: str, token: bytes = NO_TOKEN, credentials: Credentials = ()) -> Wire:
        """A connection to the lobby that has said HELLO and USERNAME."""
        lobby = self.connect(name=f"{name} in the lobby")
        lobby.send(Hello(VERSION, SOFTWARE), Username(name, token, credentials))
        return lobby

    def refused_as_held(self, name: str, *rules: str) -> Wire:
        """A lobby connection that was refused with NAME_HELD.

        While the server has not noticed yet that the member's connection is lost, it may say NAME_TAKEN.
        """
        deadline = time.monotonic() + self.seconds
        while True:
            lobby = self.greet(name)
            answer = lobby.expect(Status, *rules, verdict=Verdict.FAIL)
            if answer.code == Code.NAME_HELD:
                return lobby
            if answer.code != Code.NAME_TAKEN or time.monotonic() > deadline:
                raise Failed("STATUS FAIL with NAME_HELD", describe(answer), *rules)
            lobby.close()

    def offered(self, name: str, token: bytes = NO_TOKEN, credentials: Credentials = ()) -> tuple[Wire, Port]:
        """A lobby connection that was given the name, and the PORT that came."""
        lobby = self.greet(name, token, credentials)
        lobby.expect(Status, "A1", verdict=Verdict.PASS, code=0, reason="")
        return lobby, lobby.expect(Port, "A1")

    def taken(self, name: str, token: bytes = NO_TOKEN, credentials: Credentials = ()) -> tuple[Wire, Port]:
        """The same after STATUS END of both sides."""
        lobby, port = self.offered(name, token, credentials)
        lobby.send(Status(Verdict.PASS), Status(Verdict.END))
        lobby.expect(Status, "A1", verdict=Verdict.END, code=0, reason="")
        return lobby, port

    def arrive(
        self, name: str, token: bytes = NO_TOKEN, label: str = "", credentials: Credentials = ()
    ) -> tuple[Member, Port]:
        """The connection for ADMIT, and the PORT that led to it."""
        lobby, port = self.taken(name, token, credentials)
        if port.number == SAME_CONNECTION:
            member = Member(lobby.socket, label or name, Role.SERVER, self.seconds)
            self.wires.append(member)
            return member, port
        member = self.member(port.number, label or name)
        lobby.close()
        return member, port

    def enter(
        self,
        name: str | None = None,
        *channels: str,
        token: bytes = NO_TOKEN,
        since: int = 0,
        time: int = 0,
        identity: bytes = NO_IDENTITY,
        lines: int = 0,
        label: str = "",
        credentials: Credentials = (),
    ) -> Member:
        """A member that has got its greeting. Without `channels` it is alone in a new one."""
        name, channels = name or self.name(), channels or (self.channel(),)
        member, port = self.arrive(name, token, label, credentials)
        member.send(Admit(name, port.ticket, channels, since, time, identity, lines))
        member.be_greeted()
        return member

    def come_back(self, member: Member, *channels: str, label: str = "", **changes: Any) -> Member:
        """The same session on a new connection, as a client does it that has lost the old one."""
        wish: dict[str, Any] = {
            "token": member.welcome.token,
            "since": member.seen[0],
            "time": member.seen[1],
            "identity": member.welcome.identity,
        }
        back = self.enter(
            member.welcome.name,
            *(channels or tuple(name for name in member.channels if name.startswith("#"))),
            label=label or f"{member.name} again",
            **wish | changes,
        )
        back.last_id = member.last_id
        return back


class Member(Wire):
    """A connection that is admitted, or about to be."""

    welcome: Welcome
    live: Live

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.channels: dict[str, Channel] = {}
        self.marked: dict[int, str] = {}  # by place, what READ said
        self.replay: list[Packet] = []
        self.seen = (0, 0)  # seq and time of the latest event or LIVE
        self.last_id = 0
        self._is_live = False
        self._bracket = 0  # of the replay with an id that is coming

    def be_greeted(self) -> None:
        """Take the greeting: WELCOME, CHANNEL of each channel with its read marker, REPLAY, events, LIVE."""
        self.welcome = self.expect(Welcome, "A1")
        place = 0
        while True:
            packet = self.take(expected="CHANNEL or REPLAY")
            if isinstance(packet, Event) and packet.kind is EventKind.READ:
                ensure(packet.place == place, "S12", f"READ of the place {place}", describe(packet))
                self.marked[place] = packet.text
                continue
            if not isinstance(packet, Channel):
                break
            place = packet.place
            ensure(
                packet.name not in self.channels,
                "O2",
                "one CHANNEL for each channel",
                f"a second {packet.name}",
            )
            self.channels[packet.name] = packet
        ensure(packet == Replay(0), "O2", "REPLAY with id 0 after the channels", describe(packet))
        while True:
            packet = self.take(expected="an event or LIVE")
            if isinstance(packet, Live):
                break
            ensure(
                isinstance(packet, Event),
                "O2",
                "nothing but events between REPLAY and LIVE",
                describe(packet),
            )
            self.replay.append(packet)  # type: ignore[arg-type]
        self.live = packet
        ensure(
            packet.seq >= self.seen[0],
            "P26",
            f"LIVE with at least the seq {self.seen[0]} of the replay",
            describe(packet),
        )
        self.seen = (packet.seq, packet.time)
        self._is_live = True

    def take(self, seconds: float | None = None, expected: str = "a packet") -> Packet | None:
        packet = super().take(seconds, expected)
        if isinstance(packet, Replay) and packet.id:
            self._bracket = packet.id
        if isinstance(packet, Answer) and packet.id == self._bracket:
            self._bracket = 0
        if isinstance(packet, Event) and packet.seq and not self._bracket:
            rule = "O6" if self._is_live else "O1"
            ensure(
                packet.seq > self.seen[0], rule, f"an event with a seq above {self.seen[0]}", describe(packet)
            )
            self.seen = (packet.seq, packet.time)
        return packet

    @property
    def channel(self) -> str:
        """The first channel that it is in; direct conversations are none."""
        return next(name for name in self.channels if name.startswith("#"))

    @property
    def said(self) -> list[str]:
        """The lines in the replay."""
        return [
            event.text for event in self.replay if isinstance(event, Event) and event.kind is EventKind.SAID
        ]

    def joined(self) -> Event:
        """Its own JOINED, which has to come once."""
        return self.event(EventKind.JOINED, "O7", person=self.welcome.person)

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def say(self, text: str, channel: str = "") -> int:
        """Say a line; its message id."""
        id = self.next_id()
        self.send(Say(id, channel or self.channel, text))
        return id

    def event(self, kind: EventKind, *rules: str, **fields: Any) -> Event:
        """The next event of this kind with these fields; other packets before it are skipped."""
        return self.find(Event, *rules, kind=kind, **fields)

    def hears(self, text: str, *rules: str, **fields: Any) -> Event:
        """The next SAID with this text."""
        return self.event(EventKind.SAID, *rules, text=text, **fields)

    def says_and_hears(self, text: str) -> Event:
        """Say a line and wait until it is said."""
        id = self.say(text)
        return self.hears(text, "E5", id=id, person=self.welcome.person)

    def up_to(self, text: str) -> list[Packet]:
        """All packets before the SAID with this text: the order shows that nothing else came."""
        packets: list[Packet] = []
        while True:
            packet = self.take(expected=f"SAID with text {text!r}")
            if packet is None:
                raise Failed(f"SAID with text {text!r}", "the end of the connection")
            if isinstance(packet, Event) and packet.kind is EventKind.SAID and packet.text == text:
                return packets
            packets.append(packet)

    def up_to_fence(self) -> list[Packet]:
        """All packets before a line that it says now."""
        text = f"fence {self.next_id()}"
        self.say(text)
        return self.up_to(text)

    def expect_said(self, text: str, *rules: str) -> Event:
        """The next SAID, which must have this text."""
        event = self.event(EventKind.SAID, *rules)
        if event.text != text:
            raise Failed(f"SAID with text {text!r}", describe(event), *rules)
        return event

    def is_alive(self, *rules: str) -> None:
        """PING must be answered: the connection goes on."""
        self.send(Ping(4711))
        self.find(Pong, *rules, id=4711)

    def give(self, command: str, channel: str = "") -> tuple[list[Packet], Answer]:
        """Give a command; what came before its ANSWER, and the ANSWER."""
        id = self.next_id()
        self.send(Command(id, channel or self.channel, command))
        packets: list[Packet] = []
        while True:
            packet = self.take(expected=f"ANSWER with id {id}")
            if packet is None:
                raise Failed(f"ANSWER with id {id}", "the end of the connection", "P36")
            if isinstance(packet, Answer) and packet.id == id:
                return packets, packet
            packets.append(packet)

    def leave(self, reason: str = "") -> None:
        """Say BYE and wait for the end."""
        self.send(Bye(False, Code.GOODBYE, reason))
        self.finish()
        self.rest("Q5")
        self.close()
