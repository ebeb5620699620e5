"""The exchange: packets one by one, under one deadline."""

from __future__ import annotations

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, ProtocolError
from chatroom.exchange import Exchange
from chatroom.packets import Ping, Pong, encode


class ScriptedLink:
    """Returns the given bytes, then fails as at the end; records the sent bytes and the seconds given."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.sent: list[bytes] = []
        self.seconds: list[float] = []

    def receive(self, seconds: float) -> bytes:
        self.seconds.append(seconds)
        if not self.chunks:
            raise ConnectionLost("the end")
        return self.chunks.pop(0)

    def send(self, data: bytes, seconds: float) -> None:
        self.seconds.append(seconds)
        self.sent.append(data)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def exchange(link: ScriptedLink, clock: Clock | None = None) -> Exchange:
    return Exchange(link, Deadline(10.0, clock or Clock()))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_packets_come_one_by_one(size: int) -> None:
    """However the bytes are split, each call gives the next packet; then comes ConnectionLost."""
    data = b"".join(encode(Ping(number)) for number in range(3))
    talk = exchange(ScriptedLink(*(data[at : at + size] for at in range(0, len(data), size))))
    assert [talk.receive() for _ in range(3)] == [Ping(0), Ping(1), Ping(2)]
    with pytest.raises(ConnectionLost, match="the end"):
        talk.receive()


def test_feeding() -> None:
    """feed() takes bytes from elsewhere, and returns None when no packet is complete with them."""
    data = encode(Ping(1)) + encode(Ping(2))
    talk = exchange(ScriptedLink())
    assert talk.feed(data[:5]) is None
    assert [talk.feed(data[5:]), talk.feed(b"")] == [Ping(1), Ping(2)]
    with pytest.raises(ProtocolError):
        talk.feed(b"G")


def test_packets_behind_the_last_one_stay() -> None:
    """Bytes after the last packet stay in the exchange: as packets, or as the beginning of one."""
    talk = exchange(ScriptedLink(encode(Ping(1)) + encode(Ping(2)) + encode(Ping(3))[:4]))
    assert talk.receive() == Ping(1)
    assert list(talk.waiting) == [Ping(2)]
    assert talk.decoder.feed(encode(Ping(3))[4:]) == [Ping(3)]


def test_a_wrong_byte_is_told_without_waiting_for_more() -> None:
    """A packet before a wrong byte is given; then ProtocolError comes, although no more bytes do."""
    talk = exchange(ScriptedLink(encode(Ping(1)) + b"GET / HTTP/1.1"))
    assert talk.receive() == Ping(1)
    with pytest.raises(ProtocolError):
        talk.receive()


def test_one_deadline_for_all_steps() -> None:
    """Each step gets the seconds that are left; after the deadline neither receiving nor sending begins."""
    link, clock = ScriptedLink(encode(Ping(1)), encode(Ping(2))), Clock()
    talk = exchange(link, clock)
    talk.send(Ping(0), Pong(0))
    assert link.sent == [encode(Ping(0)) + encode(Pong(0))]
    clock.now = 4.0
    talk.receive()
    assert link.seconds == [10.0, 6.0]
    clock.now = 10.0
    for step in (talk.receive, lambda: talk.send(Ping(0))):
        with pytest.raises(ConnectionLost, match="too long"):
            step()
