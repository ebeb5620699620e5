"""/trace over the wire: which thread did what with a line, and when; whom it names, and that it ends."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command, Say
from tests.end_to_end.host import Host
from tests.support.patience import PATIENCE, eventually
from tests.support.person import Person

pytestmark = pytest.mark.usefixtures("cheap_hashes")

LONG = "x" * 60_000


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who does not read is not waited for as long as usual."""
    monkeypatch.setattr("chatroom.tracing.TRACE_SECONDS", 0.2)


class Small(Person):
    """A member with a small socket buffer."""

    @classmethod
    def connect(
        cls,
        address: str | int,
        port: int | None = None,
        source: str = "",
        receive_buffer: int = 4096,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        return super().connect(address, port, source, receive_buffer, tls)


def stalled(host: Host, name: str) -> Person:
    """A member that reads nothing: more waits for it than the sockets of both ends take."""
    person = Small.come(host.address, name)
    host.people.append(person)
    (seat,) = [seat for seat in host.app.chatroom._presence.seats if seat.name == name]
    stream = seat.connection._stream  # type: ignore[attr-defined]
    with socket.fromfd(stream.fileno(), socket.AF_INET, socket.SOCK_STREAM) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    talker = host.come(f"{name}2")
    while stream.buffered < 3 * len(LONG):
        talker.say("#general", LONG)
    talker.leave()
    return person


def said(person: Person, text: str) -> Event:
    """The event of the line with this text."""
    found: Event = person.receive_until(lambda packet: isinstance(packet, Event) and packet.text == text)
    return found


def traced(person: Person, id: int) -> None:
    """The answer to the command with this id comes into the person's rows."""
    answer = person.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == id)
    person.rows = json.loads(answer.rows)


def trace(person: Person, text: str) -> int:
    """Ask for the way of a line, and do not wait for the answer; its id."""
    id = next(person._ids)
    person.send(Command(id, "#general", f"/trace {text}"))
    return id


def timeline(person: Person) -> list[tuple[str, str, list[str]]]:
    """Of the latest answer thread and step, and of those who get the line their names."""
    return [
        (thread, step, rest[0] if rest and isinstance(rest[0], list) else [])
        for _, thread, step, *rest in person.rows
    ]


def test_the_way_of_a_line(host: Host, patient: None) -> None:
    """Three members, one of whom does not read: the steps in order, each in the thread that has done it."""
    stalled(host, "mallory")
    owner, bob = host.owner(), host.come("bob")
    answer = owner.do("/trace who reads this?")
    assert timeline(owner) == [
        ("handler owner1", "read", []),
        ("forwarder", "allowed", []),
        ("handler owner1", "queued", []),
        ("forwarder", "taken", []),
        ("forwarder", "applied", []),
        ("forwarder", "encoded", []),
        ("forwarder", "stored", []),
        ("forwarder", "waits", ["mallory"]),
        ("forwarder", "sent", ["owner1"]),
        ("forwarder", "sent", ["bob"]),
        ("handler owner1", "unsent", ["mallory"]),
    ]
    times = [row[0] for row in owner.rows]
    assert times == sorted(times) and times[0] == 0 and 200_000 <= times[-1] < 5_000_000
    line = said(bob, "who reads this?")
    assert (line.author, line.id) == ("owner1", answer.id)
    assert owner.rows[4][3:] == [line.seq] and owner.rows[3][4:] == [1]
    assert answer.words.startswith(f"/trace: line {line.seq:,}: 2 of 3 have it in 0.")


def test_who_takes_the_rest_later(host: Host) -> None:
    """The flusher sends what a socket did not take at once, and ends the wait."""
    eve, owner = stalled(host, "eve"), host.owner()
    id = trace(owner, "are you there?")
    said(owner, "are you there?")  # eve does not read before
    said(eve, "are you there?")
    traced(owner, id)
    assert timeline(owner)[-3:] == [
        ("forwarder", "waits", ["eve"]),
        ("forwarder", "sent", ["owner1"]),
        ("flusher", "rest", ["eve"]),
    ]


def test_who_may_not(host: Host) -> None:
    """Without the role nothing is said; nor with a role in the channel only."""
    bob, zoe = host.come("bob"), host.come("zoe", channel="#zoo")  # who founds a channel is its owner
    for person, channel in (bob, "#general"), (zoe, "#zoo"):
        answer = person.tell("/trace hello", channel=channel)
        assert (answer.code, answer.words) == (Code.NEED_ROLE, "/trace needs the role operator")
        assert not [
            packet for packet in person.seen() if isinstance(packet, Event) and packet.text == "hello"
        ]


@pytest.mark.parametrize(
    ("command", "channel", "words"),
    [
        ("/trace", "#general", "usage: /trace TEXT"),
        ("/trace  ", "#general", "usage: /trace TEXT"),
        (
            "/trace hello",
            "@bob",
            "you are in your talk with bob, and /trace is for a channel: first /go #CHANNEL",
        ),
        ("/trace hello", "#nowhere", "not said: you are not in #nowhere"),
    ],
)
def test_what_cannot_be_followed(host: Host, command: str, channel: str, words: str) -> None:
    """Without a text, in a direct conversation, or where the member is not, nothing is said."""
    owner, bob = host.owner(), host.come("bob")
    assert owner.tell(command, channel=channel).words == words
    assert not [packet for packet in bob.seen()[1:] if isinstance(packet, Event) and packet.text == "hello"]


def test_it_is_a_line_like_every_other(host: Host) -> None:
    """Its id counts, so that it is not said twice; it is one row, without what a terminal obeys."""
    owner = host.owner()
    owner.do("/trace one\x1b\rline")
    id = next(owner._ids)
    owner.send(Say(id - 1, "#general", "again"))
    again = owner.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == id - 1)
    assert again.code == Code.ALREADY
    (line,) = [packet for packet in owner.packets if isinstance(packet, Event) and packet.id == id - 1]
    assert "\x1b" not in line.text and "\r" not in line.text


def test_two_at_once(host: Host, patient: None) -> None:
    """Two operators follow lines at the same time; each gets the way of its own."""
    stalled(host, "mallory")
    owner, dora = host.owner(), host.account("dora")
    owner.do("/op * dora")
    ids = {person: trace(person, person.welcome.name) for person in (owner, dora)}
    seqs = []
    for person, id in ids.items():
        seqs.append(said(person, person.welcome.name).seq)
        traced(person, id)
        assert [row[3] for row in person.rows if row[2] == "applied"] == seqs[-1:]
        assert timeline(person)[0][0] == f"handler {person.welcome.name}"
        assert [names for _, step, names in timeline(person) if step == "unsent"] == [["mallory"]]
    assert len(set(seqs)) == 2


def test_who_asks_and_goes(host: Host, patient: None) -> None:
    """The line is said although its author is gone; nothing is left of the trace."""
    stalled(host, "mallory")
    owner, bob = host.owner(), host.come("bob")
    trace(owner, "bye")
    said(owner, "bye")  # its handler waits for mallory now
    owner.close()
    host.people.remove(owner)
    said(bob, "bye")
    chatroom = host.app.chatroom
    eventually(
        lambda: "handler owner1" not in chatroom.reaper.names or chatroom.reaper.reap() < 0, "still there"
    )
    assert not chatroom._tracing._traces
    assert not chatroom._forwarder.look(lambda _: chatroom._forwarder._following._awaited).result()


def test_the_server_ends_meanwhile(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that waits does not hold up the end."""
    monkeypatch.setattr("chatroom.tracing.TRACE_SECONDS", PATIENCE)
    stalled(host, "mallory")
    owner = host.owner()
    trace(owner, "hello")
    said(owner, "hello")
    host.app.close()
    assert not host.app.chatroom.reaper.names


def test_a_secret_channel(host: Host) -> None:
    """Where not everybody may come in, nobody is named."""
    owner = host.owner()
    owner.do("/join #secret")
    owner.do("/set key sesame", channel="#secret")
    owner.do("/trace psst", channel="#secret")
    assert owner.rows[-1][2:] == ["sent", [], 1]
