"""Streams of packets, broken and cut anywhere, for the decoder as server and client use it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import cast

from chatroom.deadline import Deadline
from chatroom.errors import ProtocolError
from chatroom.events import Event
from chatroom.exchange import Exchange
from chatroom.flow import Flow
from chatroom.limits import MAX_PAYLOAD, MAX_ROWS
from chatroom.packets import HEADER, Burst, Bye, Command, Decoder, Packet, Pong, Say, Skipped, encode
from client.link import sift
from server.backlogs import Backlogs
from server.connection import NativeConnection, NativeDoor
from server.stream import Stream
from tests.fuzz.inputs import Choices, client_packet, cuts, mutate, server_packet, streams
from tests.fuzz.loop import Target

HELD = HEADER.size + MAX_PAYLOAD + MAX_ROWS + MAX_PAYLOAD
"""What the decoder may hold: an unfinished packet, and a message with the fields before it."""

Outcome = tuple[list[Packet], str]
"""The packets of a stream, and the error that ended it; "" for none."""


def decode(pieces: Sequence[bytes], bursts: bool = False) -> Outcome:
    """Feed a stream as a connection does. bursts: with lines in bursts, which are taken apart again."""
    decoder, packets = Decoder(), list[Packet]()
    decoder.bursts = bursts
    try:
        for piece in pieces:
            packets += decoder.feed(piece)
            assert decoder.held <= HELD, decoder.held
            decoder.check()
    except ProtocolError as error:
        return _alone(packets), f"{type(error).__name__}: {error}"
    return _alone(packets), ""


def _alone(packets: Sequence[Packet]) -> list[Packet]:
    """The packets, with each line of a burst as a packet."""
    found: list[Packet] = []
    for packet in packets:
        if isinstance(packet, Burst):
            lines = zip(packet.ids, packet.texts, strict=True)
            found += [Say(id, packet.channel, text.decode(), packet.form) for id, text in lines]
        else:
            found.append(packet)
    return found


def check(data: bytes) -> Outcome:
    """Decode an input whole and in pieces; what comes must be the same, and survive being encoded."""
    pieces = Choices(data).pieces()
    whole, parts = decode([b"".join(pieces)]), decode(pieces)
    assert whole == parts, (whole, parts)
    assert whole == decode(pieces, bursts=True), "in bursts, the same lines"
    again = [packet for packet in whole[0] if not isinstance(packet, Skipped)]
    assert decode([b"".join(map(encode, again))]) == (again, "")
    return whole


def _word(error: str) -> str:
    return error.partition(":")[0] or "decoded"


# --- the server's side ----------------------------------------------------------------------------------


class _Script:
    """A stream whose peer sends these pieces and then closes."""

    peer = "fuzz"
    encrypted = False

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._data = deque(piece for piece in pieces if piece)
        self.sent: list[bytes] = []

    def receive(self, size: int) -> bytes:
        if not self._data:
            return b""
        piece = self._data.popleft()
        if len(piece) > size:
            self._data.appendleft(piece[size:])
        return piece[:size]

    def send(self, data: bytes, _shared: bool = False) -> None:
        self.sent.append(data)

    def rest(self, _seconds: float) -> bool:
        return True

    def ignore(self, *_: object) -> None:
        """What does not matter here."""

    send_all = when_taken = when_passed = submitting = part = release = wait_until_taken = ignore


class _NoLink:
    """The exchange of a handshake that is over."""

    def receive(self, seconds: float) -> bytes:
        raise AssertionError("the handshake is over")

    def send(self, data: bytes, seconds: float) -> None:
        raise AssertionError("the handshake is over")


_DOOR = NativeDoor(lambda stream: None, Flow(), Backlogs())


def run_server(data: bytes) -> str:
    """The bursts of a member's connection, for the decoder's packets."""
    packets, error = check(data)
    script = _Script(Choices(data).pieces())
    exchange = Exchange(_NoLink(), Deadline(60.0))
    connection = NativeConnection(_DOOR, cast(Stream, script), exchange)
    heard: list[Packet] = []
    refused = ""
    try:
        while burst := connection.receive():
            heard += burst
    except ProtocolError as cause:
        refused = f"{type(cause).__name__}: {cause}"
    assert all(isinstance(packet, Burst | Command | Bye) for packet in heard)
    assert len(_alone(heard)) <= len(packets) and (refused or not error), (refused, error)
    for pong in decode(script.sent)[0]:
        assert isinstance(pong, Pong)
    return _word(refused)


# --- the client's side ----------------------------------------------------------------------------------


def run_client(data: bytes) -> str:
    """Sift the bursts of a link, and print its events as JSON."""
    packets, error = check(data)
    pieces = sift(packets)
    assert sum(len(piece) if type(piece) is list else 1 for piece in pieces) == len(packets)
    for packet in packets:
        if type(packet) is Event:
            json.dumps(packet.as_json())
    return _word(error)


# --- inputs ---------------------------------------------------------------------------------------------


def _maker(good: list[bytes], random: Random) -> bytes:
    stream = random.choice(good)
    return cuts(random, mutate(random, stream, good) if random.random() < 0.95 else stream)


@contextmanager
def server_side() -> Iterator[Target]:
    """What clients send."""
    good = streams(Random(1), client_packet)
    yield Target(lambda random: _maker(good, random), run_server)


@contextmanager
def client_side() -> Iterator[Target]:
    """What servers send."""
    good = streams(Random(1), server_packet)
    yield Target(lambda random: _maker(good, random), run_client)
