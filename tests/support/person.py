"""A member that is played by hand, with commands and an account."""

from __future__ import annotations

import itertools
import json
from typing import Any, Self
from urllib.parse import quote

from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_TOKEN,
    VERSION,
    Answer,
    Bye,
    Channel,
    Command,
    Credential,
    Hello,
    Live,
    Packet,
    Say,
    Status,
    Username,
    Verdict,
)
from tests.support.peer import Peer

Credentials = tuple[tuple[int, bytes], ...]


def by_password(password: str) -> Credentials:
    return ((Credential.PASSWORD, password.encode()),)


def by_token(token: bytes) -> Credentials:
    return ((Credential.DEVICE_TOKEN, token),)


class Person(Peer):
    """One program of a person. rows: of the latest answer."""

    rows: list[Any]

    @classmethod
    def ask_for(
        cls,
        address: str,
        name: str,
        credentials: Credentials = (),
        token: bytes = NO_TOKEN,
        source: str = "",
    ) -> tuple[Self, Status]:
        """The lobby's answer to a name; the connection goes on."""
        person = cls.connect(address, None, source)
        person.send(Hello(VERSION, "test 1.0"), Username(name, token, credentials))
        return person, person.expect(Status)

    @classmethod
    def refused(cls, address: str, name: str, credentials: Credentials = (), source: str = "") -> Status:
        """Why the lobby does not give this name."""
        person, status = cls.ask_for(address, name, credentials, source=source)
        with person:
            assert status.verdict is Verdict.FAIL, status
            return status

    @classmethod
    def come(
        cls,
        address: str,
        name: str,
        credentials: Credentials = (),
        token: bytes = NO_TOKEN,
        source: str = "",
        channel: str = "#general",
    ) -> Self:
        """A program that is live."""
        asking, status = cls.ask_for(address, name, credentials, token, source)
        with asking:
            assert status.verdict is Verdict.PASS, status
            offer = asking.take_port()
        person = cls.connect(address, offer.number, source)
        person.admit(name, offer.ticket, channel=channel)
        person.receive_until(lambda packet: isinstance(packet, Live))
        person._ids, person._looked = itertools.count(1), len(person.packets)
        return person

    def tell(self, command: str, *secrets: str, channel: str = "#general") -> Answer:
        """Give a command in a channel, and wait for its answer. secrets: arguments, percent-encoded."""
        text = " ".join([command, *(quote(secret, safe="") for secret in secrets)])
        id = next(self._ids)
        self.send(Command(id, channel, text))
        answer: Answer = self.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == id)
        self.rows = json.loads(answer.rows or "[]")
        return answer

    def _is_own(self, packet: Packet) -> bool:
        return isinstance(packet, Event) and packet.person == self.welcome.person

    def do(self, command: str, *secrets: str, channel: str = "#general") -> Answer:
        """Give a command that succeeds."""
        answer = self.tell(command, *secrets, channel=channel)
        assert answer.code == Code.OK, answer
        return answer

    def seen(self) -> list[Packet]:
        """The events and descriptions of channels that have come since the last call, or the greeting."""
        self.do("/stats")
        known, self._looked = self._looked, len(self.packets)
        return [packet for packet in self.packets[known:] if isinstance(packet, Event | Channel)]

    def say(self, channel: str, text: str) -> Event | Answer:
        """Say a line: its event, or why it was refused."""
        id = next(self._ids)
        self.send(Say(id, channel, text))
        said: Event | Answer = self.receive_until(
            lambda packet: (isinstance(packet, Answer) or self._is_own(packet)) and packet.id == id
        )
        return said

    def leave(self) -> None:
        """Say goodbye, and wait until the server has heard it."""
        self.send(Bye(False, Code.GOODBYE, ""))
        self.rest()
        self.close()

    def wait_for(self, wanted: Any) -> Packet:
        """The first packet that is `wanted`."""
        found: Packet = self.receive_until(wanted)
        return found
