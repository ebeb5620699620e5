"""One person of the crowd: it has a name, a token, channels, and does what people do."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final
from urllib.parse import quote

from chatroom.errors import ConnectionLost
from chatroom.events import Event, EventKind, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Credential,
    Form,
    Live,
    Packet,
    Ping,
    Pong,
    Replay,
    Resumed,
    Say,
    Skipped,
    Username,
    Welcome,
)
from tests.chaos.wire import Wire, come_in

CHANNELS: Final = tuple(f"#c{number}" for number in range(1, 13))
PASSWORD: Final = "a long password of a visitor"
_COMMANDS: Final = ("/who", "/history 20", "/grep pear", "/stats", "/whois probe", "/channels", "/sessions")
_WORDS: Final = ("apple", "pear", "plum", "the", "a", "is", "not", "very", "tomorrow", "why", "äöü", "李雷")
_DEEDS: Final = {"say": 80, "direct": 6, "edit": 4, "react": 3, "join": 1, "leave": 1, "ask": 5}
_FRIENDS: Final = 3  # to whom somebody writes alone: a person has a few, not hundreds
_MOST_CHANNELS: Final = 4
_LINES: Final = 20  # of each channel, asked for by whoever comes for the first time
_LONG: Final = 0.002  # share of lines that are a page long


class Visitor:
    """The thread of the crowd uses it. A door only knocks, and changes nothing.

    source:   the address from which it comes
    account:  whether it registers its name
    counts:   of the whole crowd
    stored:   called with the text of each line of its own that the server has stored
    pending:  lines that are not confirmed, by their ids
    may_come_back: the server has said that it should come back at once, and why
    """

    def __init__(
        self,
        name: str,
        source: str,
        account: bool,
        random: Random,
        counts: Counter[str],
        stored: Callable[[str], None],
    ) -> None:
        self.base = self.name = name
        self.source, self.account = source, account
        self.wire: Wire | None = None
        self.may_come_back = False
        self.pending: dict[int, Say] = {}
        self._random, self._counts, self._stored = random, counts, stored
        self._names = itertools.count(2)
        self._numbers = itertools.count(1)
        self._is_registered = self._is_live = False
        self._channels = {"#general", *random.sample(CHANNELS, random.randint(0, 3))}
        self._forget()

    def _forget(self) -> None:
        """Everything that a program keeps of its session."""
        self._counts["lines given up"] += len(self.pending)
        self.pending.clear()
        self._token, self._identity, self._since, self._time = NO_TOKEN, NO_IDENTITY, 0, 0
        self._person = self._id = self._replaying = self._confirmed = 0
        self._own: Event | None = None  # the latest line that it said in a channel
        self._heard: Event | None = None  # and that it heard there
        self._friends: dict[int, str] = {}

    # --- coming and going -----------------------------------------------------------------------------------

    def knock(self, port: int) -> tuple[Wire, Welcome]:
        """One try to come in; any thread. Raises NameRefused, ConnectionLost."""
        fresh = self._token == NO_TOKEN and self._is_registered
        credentials = ((Credential.PASSWORD, PASSWORD.encode()),) if fresh else ()
        channels = tuple(sorted(self._channels)) or ("#general",)
        lines = 0 if self._since else _LINES
        admit = Admit(self.name, b"", channels, self._since, self._time, self._identity, lines)
        wanted = Username(self.name, self._token, credentials)
        return come_in("127.0.0.1", port, wanted, admit, self.source)

    def enter(self, wire: Wire, welcome: Welcome) -> None:
        """It is in."""
        self.wire = wire
        self._welcome(welcome)
        for packet in wire.drain():
            self._take(packet)
        if self.account and not self._is_registered:
            self._command(f"/register {quote(PASSWORD)}")
            self._is_registered = True

    def _welcome(self, welcome: Welcome) -> None:
        if welcome.token != self._token:
            if self._token != NO_TOKEN:
                self._counts["tokens of who had said nothing"] += 1
            since, moment, identity = self._since, self._time, self._identity
            self._forget()
            self._since, self._time, self._identity = since, moment, identity
        self._token, self._identity, self._person = welcome.token, welcome.identity, welcome.person
        self._counts[f"came: {Resumed(welcome.resumed).name.lower()}"] += 1
        if welcome.resumed is not Resumed.EXACT:
            self._since = self._time = 0
        self._confirmed = welcome.confirmed
        self._id = max(self._id, welcome.confirmed)
        self._channels = set()  # CHANNEL tells

    def _say_again(self) -> None:
        """What a cut has left open. Of what was decided, the event came with the replay; else it was refused,
        and its answer is lost (notes/protocol.md)."""
        for id in [id for id in self.pending if id <= self._confirmed]:
            del self.pending[id]
            self._counts["refusals that were lost"] += 1
        self._send(*sorted(self.pending.values()))

    def become_another(self) -> None:
        """The program forgets its session; whoever has no account comes as somebody new."""
        self._forget()
        if not self.account:
            self.name = f"{self.base}-{next(self._names)}"

    def refused(self, code: Code) -> None:
        """A name was not given."""
        self._counts[f"refused: {code.name}"] += 1
        if code in (Code.NAME_TAKEN, Code.NAME_HELD, Code.NEED_LOGIN):
            self.become_another()

    def say_goodbye(self) -> None:
        """The server will hang up."""
        self._send(Bye(False, Code.GOODBYE, ""))

    def cut(self) -> None:
        """The connection breaks, in one of two ways."""
        if self.wire is not None and self._random.random() < 0.25:
            self.wire.reset()
        self.lose()

    def lose(self) -> None:
        """There is no connection any more."""
        self.may_come_back = False
        if self.wire is not None:
            self.wire.close()
        self.wire, self._replaying, self._is_live = None, 0, False

    # --- doing ----------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Do one thing, but not before what a cut has left open is sent again: ids rise."""
        if not self._is_live:
            return
        (deed,) = self._random.choices(list(_DEEDS), list(_DEEDS.values()))
        getattr(self, f"_{deed}")()

    def _say(self) -> None:
        if self._channels:
            self._line(self._random.choice(sorted(self._channels)))

    def _direct(self) -> None:
        if self._friends:
            person, name = self._random.choice(sorted(self._friends.items()))
            self._line(f"@{name}", extra_row(Extra.RECEIVER, person, 4))

    def _edit(self) -> None:
        if self._own is not None:
            text = f"{self._own.text.partition(' ')[0]} edited {next(self._numbers)}"
            self._amend(Form.EDIT, self._own, text)

    def _react(self) -> None:
        if self._heard is not None:
            self._amend(Form.REACT, self._heard, "👍")

    def _amend(self, form: Form, event: Event, text: str) -> None:
        if event.channel in self._channels:
            self._id += 1
            self._send(Say(self._id, event.channel, text, form, extra_row(Extra.MESSAGE, event.seq)))
            self._counts["amendments"] += 1

    def _join(self) -> None:
        if len(self._channels) < _MOST_CHANNELS:
            self._command(f"/join {self._random.choice(CHANNELS)}")

    def _leave(self) -> None:
        others = sorted(self._channels - {"#general"})
        if others:
            self._command("/leave", self._random.choice(others))

    def _ask(self) -> None:
        self._command(self._random.choice(_COMMANDS))

    def _line(self, channel: str, extra: bytes = b"") -> None:
        words = 1000 if self._random.random() < _LONG else int(self._random.expovariate(1 / 8)) + 1
        text = " ".join([f"{self.name}/{next(self._numbers)}", *self._random.choices(_WORDS, k=words)])
        self._id += 1
        packet = Say(self._id, channel, text, Form.SAY, extra)
        self.pending[packet.id] = packet
        self._counts["lines"] += 1
        self._send(packet)

    def _command(self, text: str, channel: str = "") -> None:
        self._id += 1
        self._counts["commands"] += 1
        self._send(Command(self._id, channel or "#general", text))

    def _send(self, *packets: Packet) -> None:
        """Of a connection that has broken, the reader notices it."""
        if self.wire is not None:
            try:
                self.wire.send(*packets)
            except ConnectionLost:
                self._counts["sends that failed"] += 1

    # --- what comes -----------------------------------------------------------------------------------------

    def read(self) -> None:
        """Take what has come. Raises ConnectionLost."""
        assert self.wire is not None
        for packet in self.wire.receive_ready():
            self._take(packet)

    def _take(self, packet: Packet) -> None:
        match packet:
            case Event():
                self._take_event(packet)
            case Skipped(seq, moment) if seq:
                self._since, self._time = seq, moment
            case Live(seq, moment):
                if seq >= self._since:
                    self._since, self._time = seq, moment
                self._is_live = True
                self._say_again()
            case Replay(id):
                self._replaying = id
            case Channel() if not packet.settings & Setting.DIRECT:
                self._channels.add(packet.name)
            case Answer():
                self._take_answer(packet)
            case Ping():
                self._send(Pong(packet.id))
            case Bye():
                self._counts[f"bye: {Code(packet.code).name}"] += 1
                self.may_come_back = packet.code == Code.UNAVAILABLE

    def _take_answer(self, answer: Answer) -> None:
        if answer.id == self._replaying:
            self._replaying = 0
        self.pending.pop(answer.id, None)
        if answer.code != Code.OK:
            self._counts[f"answer: {Code(answer.code).name}"] += 1

    def _take_event(self, event: Event) -> None:
        if not event.seq or self._replaying:
            return
        self._counts["events"] += 1
        if event.seq <= self._since:
            self._counts["out of order"] += 1
        self._since, self._time = event.seq, event.time
        if event.person != self._person:
            self._note_other(event)
            return
        if event.kind is EventKind.JOINED:
            self._channels.add(event.channel)
        elif event.kind is EventKind.LEFT:
            self._channels.discard(event.channel)
        elif event.kind is EventKind.SAID and event.id in self.pending:
            self._settle(event.id)
            if event.channel.startswith("#"):
                self._own = event

    def _note_other(self, event: Event) -> None:
        if event.kind is EventKind.CLOSED:
            self._channels.discard(event.channel)
        elif event.kind is EventKind.SAID and event.channel.startswith("#"):
            self._heard = event
            if len(self._friends) < _FRIENDS:
                self._friends[event.person] = event.author

    def _settle(self, id: int) -> None:
        self._counts["lines confirmed"] += 1
        self._stored(self.pending.pop(id).text.partition(" ")[0])
