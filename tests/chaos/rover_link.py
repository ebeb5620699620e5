"""The connection of a rover: it speaks the wire by itself, comes back by itself, and records what it does.

As the blunt client it resends at once what is not settled, whatever WELCOME confirms, and some of the rest.
Unlike that one it is in several places, and one thread does all: `step` waits for packets, and for nothing
else.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from chatroom.errors import ConnectionLost, NameRefused
from chatroom.events import Event, Extra, Setting, extra_row
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
    Say,
    Skipped,
    Username,
    Welcome,
)
from tests.chaos.records import Recorder, brief, details
from tests.chaos.talker import now
from tests.chaos.wire import Wire, come_in

_LINES: Final = 50
_AGAIN: Final = (
    5  # things that are resent although they were applied; none that was refused: it might succeed
)
_SILENCE: Final = 0.02  # seconds that `step` waits for a packet
_ANSWER_SECONDS: Final = 15.0  # after which a command is not waited for any more
_KINDS: Final = {Form.EDIT: "edited", Form.DELETE: "deleted", Form.REACT: "reacted"}


class Unsettled(NamedTuple):
    """A SAY that is neither shown nor refused yet. done: what to do when it is; with its event or None."""

    packet: Say
    done: Callable[[Event | None], None]


class Asked(NamedTuple):
    """A command that waits for its answer. done: with the code and the rows."""

    text: str
    since: float
    done: Callable[[int, Any], None]


class RoverLink:
    """What a rover has of the chatroom.

    channels: the places of the channels that it is in, by name
    direct:   the other persons of its conversations, by place
    called:   the names of persons, as far as it knows them
    names:    which it would like to have, the best first
    """

    def __init__(
        self,
        port: int,
        names: Sequence[str],
        recorder: Recorder,
        dead_after: float,
        on_event: Callable[[Event], None],
    ) -> None:
        self.names = list(names)
        self.password = ""
        self.channels: dict[str, int] = {"#general": 0}
        self.direct: dict[int, int] = {}
        self.called: dict[int, str] = {}
        self.person = 0
        self.since = 0
        self.unsettled: deque[Unsettled] = deque()
        self.asked: dict[int, Asked] = {}
        self._confirmed: deque[Say] = deque(maxlen=_AGAIN)
        self._port, self._dead_after = port, dead_after
        self._recorder, self._on_event = recorder, on_event
        self._token, self._identity, self._time = NO_TOKEN, NO_IDENTITY, 0
        self._id = secrets.randbits(62)
        self._request = 0
        self._wire: Wire | None = None
        self._replaying = 0  # the request whose events come
        self._heard = 0.0

    @property
    def connected(self) -> bool:
        return self._wire is not None

    @property
    def name(self) -> str:
        """Its own, as it knows it."""
        return self.called.get(self.person, self.names[0])

    def close(self) -> None:
        """Leave with a goodbye, and wait until the server hangs up."""
        if self._wire is None:
            return
        try:
            self._wire.wait_at_most(2.0)
            self._wire.send(Bye(False, Code.GOODBYE, ""))
            while True:
                self._wire.receive()
        except (ConnectionLost, TimeoutError):
            self.drop()

    def drop(self) -> None:
        """The connection is no more. What was asked may or may not be done; what was said will be resent."""
        if self._wire is not None:
            self._wire.close()
        self._wire, self._replaying = None, 0
        for one in self.asked.values():
            one.done(-1, None)
        self.asked.clear()

    # --- saying and asking ----------------------------------------------------------------------------------

    def say(
        self,
        form: Form,
        channel: str,
        text: str,
        done: Callable[[Event | None], None],
        receiver: int = 0,
        message: int = 0,
    ) -> None:
        """Say something that is to be applied once."""
        self._id += 1
        extra = extra_row(Extra.RECEIVER, receiver, 4) if receiver else b""
        extra += extra_row(Extra.MESSAGE, message) if message else b""
        packet = Say(self._id, channel, text, form, extra)
        self._recorder.write(
            "said",
            id=packet.id,
            form=_KINDS.get(form, "said"),
            channel=channel,
            text=text,
            receiver=receiver,
            message=message,
        )
        self.unsettled.append(Unsettled(packet, done))
        self._send(packet)

    def ask(self, text: str, done: Callable[[int, Any], None], channel: str = "", place: int = 0) -> None:
        """Give a command. place: the only one of which lines may come, 0: any, or it is no such command"""
        self._request += 1
        word = text.partition(" ")[0]
        said = word if word in ("/register", "/owner") else text
        self._recorder.write(
            "asked", id=self._request, text=said, place=place, person=self.person, head=self.since, at=now()
        )
        self.asked[self._request] = Asked(text, time.monotonic(), done)
        self._send(Command(self._request, channel or next(iter(self.channels), "#general"), text))

    def _send(self, *packets: Packet) -> None:
        if self._wire is None:
            return
        try:
            self._wire.wait_at_most(self._dead_after)
            self._wire.send(*packets)
        except ConnectionLost:
            self.drop()

    # --- receiving ------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Take what has come; wait a moment for it. A long silence ends the connection."""
        try:
            while self._wire is not None:
                self._wire.wait_at_most(_SILENCE)
                self._take(self._wire.receive())
                self._heard = time.monotonic()
        except TimeoutError:
            silent = time.monotonic() - self._heard
            if silent > self._dead_after:
                self.drop()
            elif silent > self._dead_after / 3:
                self._send(Ping(1))
        except ConnectionLost:
            self.drop()
        late = [id for id, one in self.asked.items() if time.monotonic() - one.since > _ANSWER_SECONDS]
        for id in late:
            self._recorder.write("unanswered", id=id, text=self.asked[id].text.partition(" ")[0])
            self.asked.pop(id).done(-1, None)

    def _take(self, packet: Packet) -> None:
        match packet:
            case Event():
                self._take_event(packet)
            case Skipped(seq, moment) if seq:
                self._saw(seq, moment)
            case Live(seq, moment):
                self._replaying = 0
                self._saw(max(seq, self.since), moment if seq >= self.since else self._time)
            case Replay(id):
                self._replaying = id
            case Channel():
                self._take_channel(packet)
            case Answer():
                self._take_answer(packet)
            case Ping():
                self._send(Pong(packet.id))
            case Bye():
                self._recorder.write("bye", code=packet.code, reason=packet.reason)
                raise ConnectionLost(packet.reason)

    def _saw(self, seq: int, moment: int) -> None:
        self.since, self._time = seq, moment
        self._recorder.write("seen", seq=seq)

    def _take_event(self, event: Event) -> None:
        if not event.seq:
            return  # a signal
        what: dict[str, Any] = details(event.kind.word, event.extra) | {
            "seq": event.seq,
            "kind": event.kind.word,
            "channel": event.channel,
            "author": event.author,
            "text": brief(event.text),
            "person": event.person,
            "place": event.place,
            "time": event.time,
            "id": event.id,
            "at": now(),
        }
        if self._replaying:
            self._recorder.write("found", id_asked=self._replaying, **what)
            return
        self._recorder.write("shown", **what)
        self.since, self._time = event.seq, event.time
        self._follow(event, what.get("target", 0))
        if event.id and event.person == self.person:
            self._settle(event.id, event)
        self._on_event(event)

    def _follow(self, event: Event, target: int) -> None:
        """Keep names and channels."""
        own = event.person == self.person
        is_out = (own and event.kind.word == "left") or event.kind.word == "closed"
        is_out = is_out or (event.kind.word == "kicked" and target == self.person)
        if event.kind.word == "renamed":
            self.called[event.person] = event.text
        elif event.person:
            self.called[event.person] = event.author
        if own and event.kind.word == "joined":
            self.channels[event.channel] = event.place
        elif event.kind.word == "moved" and event.channel in self.channels:
            self.channels[event.text] = self.channels.pop(event.channel)
        elif is_out:
            self.channels.pop(event.channel, None)

    def _take_channel(self, packet: Channel) -> None:
        self._recorder.write("channel", place=packet.place, name=packet.name, at=now())
        for one in packet.members:
            self.called[one.person] = one.name
        if packet.settings & Setting.DIRECT:
            others = [one.person for one in packet.members if one.person != self.person] or [self.person]
            self.direct[packet.place] = others[0]
        else:
            self.channels[packet.name] = packet.place

    def _take_answer(self, answer: Answer) -> None:
        if answer.id == self._replaying:  # also when it comes too late to be waited for
            self._replaying = 0
        if answer.id in self.asked:
            self._recorder.write("answered", id=answer.id, code=answer.code, at=now())
            rows = json.loads(answer.rows) if answer.rows else []
            self.asked.pop(answer.id).done(answer.code, rows)
        elif any(one.packet.id == answer.id for one in self.unsettled):
            if answer.code != Code.ALREADY:
                self._recorder.write("refused", id=answer.id, code=answer.code)
            self._settle(answer.id, None)

    def _settle(self, id: int, event: Event | None) -> None:
        for one in list(self.unsettled):
            if one.packet.id == id:
                self.unsettled.remove(one)
                if event is not None:
                    self._confirmed.append(one.packet)
                    self._recorder.write("confirmed", id=id)
                one.done(event)

    # --- coming in ------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """One try to come in. Raises ConnectionLost, NameRefused."""
        asked = now()
        fresh = self._token == NO_TOKEN and self.password
        credentials = ((Credential.PASSWORD, self.password.encode()),) if fresh else ()
        name, channels = self.names[0], tuple(self.channels) or ("#general",)
        admit = Admit(name, b"", channels, self.since, self._time, self._identity, _LINES)
        wire, welcome = come_in("127.0.0.1", self._port, Username(name, self._token, credentials), admit)
        self._welcomed(welcome, asked)
        self._wire, self._heard = wire, time.monotonic()
        again = [*self._confirmed, *[one.packet for one in self.unsettled]]
        self._send(*sorted(again, key=lambda packet: packet.id))

    def _welcomed(self, welcome: Welcome, asked: int) -> None:
        if welcome.token != self._token:
            self._forget_session()
        self._token, self._identity, self.person = welcome.token, welcome.identity, welcome.person
        self.called[self.person] = welcome.name
        self.channels, self.direct = {}, {}  # CHANNEL tells
        self._recorder.write(
            "welcome",
            asked=asked,
            since=self.since,
            person=welcome.person,
            name=welcome.name,
            head=welcome.head,
            confirmed=welcome.confirmed,
            resumed=welcome.resumed.name,
            at=now(),
        )

    def refused(self, error: NameRefused) -> None:
        """Another name is tried next; a session that is no more is forgotten."""
        self._recorder.write("not in", code=error.code, name=self.names[0], reason=str(error))
        if error.code in (Code.NAME_TAKEN, Code.NAME_HELD):
            self.names.append(self.names.pop(0))
        elif error.code == Code.NEED_LOGIN and self._token != NO_TOKEN:
            self._token = NO_TOKEN
            self._forget_session()

    def _forget_session(self) -> None:
        """Another session does not know what was said in the one before: nothing of that is said again."""
        for one in self.unsettled:
            self._recorder.write("dropped", id=one.packet.id)
            one.done(None)
        self.unsettled.clear()
        self._confirmed.clear()
