"""What was said, found again over the wire: brackets, what may be seen, and read markers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatroom.errors import HistoryError
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.limits import FETCH_BYTES, MAX_TEXT
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Channel, Command, Form, Packet, Replay, Say
from server.app import App
from tests.end_to_end.in_process import running
from tests.support.patience import eventually
from tests.support.peer import Peer
from tests.support.person import Person, by_password

pytestmark = pytest.mark.usefixtures("cheap_hashes")

AMENDING = (EventKind.EDITED, EventKind.DELETED)


@pytest.fixture(params=["memory", "file"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """A server with either kind of history."""
    data = ":memory:" if request.param == "memory" else str(tmp_path / "history.db")
    with running(data=data) as app:
        yield app


class Talk:
    """One program of a member. row: of the latest answer"""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._id = 0

    def say(self, text: str, channel: str = "#general") -> Event:
        """The stored line."""
        self._id += 1
        self.peer.send(Say(self._id, channel, text))
        found: Event = self.peer.receive_until(
            lambda packet: isinstance(packet, Event) and packet.text == text
        )
        return found

    def fetch(self, text: str, channel: str = "#general") -> tuple[list[Event], Answer]:
        """The lines in the bracket of a command. Nothing else is in it, and it is one piece."""
        self._id += 1
        self.peer.send(Command(self._id, channel, text))
        packets: list[Packet] = []
        while not packets or not isinstance(packets[-1], Answer):
            packet = self.peer.receive()
            assert packet is not None
            if isinstance(packet, Answer | Replay) or packets:
                packets.append(packet)
        *begin, answer = packets
        assert isinstance(answer, Answer) and answer.id == self._id
        assert begin[:1] in ([], [Replay(self._id)])
        rows: list[Any] = json.loads(answer.rows or "[]")
        self.row = rows[0] if rows else None
        events = begin[1:]
        assert all(isinstance(event, Event) and event.kind is EventKind.SAID for event in events)
        return events, answer  # type: ignore[return-value]

    def texts(self, text: str, channel: str = "#general") -> list[str]:
        events, answer = self.fetch(text, channel)
        assert answer.code == Code.OK, answer
        assert [event.seq for event in events] == sorted(event.seq for event in events)
        return [event.text for event in events]


def come(app: App, name: str, channel: str = "#general") -> Talk:
    return Talk(Peer.enter(app.address, name, channel=channel))


def test_a_bracket(app: App) -> None:
    """/history comes as REPLAY with its id, lines as they were said, and its ANSWER; no joining is in it."""
    ann, bob = come(app, "ann"), come(app, "bob")
    with ann.peer, bob.peer:
        said = [ann.say(f"line {number}") for number in range(3)]
        events, answer = bob.fetch("/history 2")
        assert events == said[1:] and answer.words.startswith("more")
        assert bob.row == {"place": said[0].place, "more": True, "before": said[1].seq}
        assert bob.fetch(f"/history 2 before:{bob.row['before']}")[0] == said[:1]


def test_a_search(app: App) -> None:
    """/grep finds a line that was said a moment ago, by its words, its author and its channel."""
    ann, bob = come(app, "ann"), come(app, "bob", "#quiet")
    with ann.peer, bob.peer:
        line, hidden = ann.say("The Exam"), bob.say("an exam", "#quiet")
        assert ann.fetch("/grep exam")[0] == [line]
        assert bob.fetch("/grep exam")[0] == [hidden]
        assert ann.texts("/grep exam from:bob") == []
        assert ann.fetch("/grep exam in:#quiet")[1].code == Code.NOT_IN
        assert ann.fetch(f"/context {hidden.seq}")[1].code == Code.NO_SUCH_MESSAGE
        assert ann.texts(f"/context {line.seq} 3") == ["The Exam"]
        assert ann.fetch("/grep")[1].words.startswith("usage: /grep")


def test_what_was_edited_and_deleted(app: App) -> None:
    """A search finds a line by what it says now; a deleted one is not found, but its place is shown."""
    ann = come(app, "ann")
    with ann.peer:
        first, second = ann.say("exam one"), ann.say("exam two")
        for form, line, text in ((Form.EDIT, first, "test one"), (Form.DELETE, second, "")):
            extra = extra_row(Extra.MESSAGE, line.seq)
            ann.peer.send(Say(line.seq + 100, "#general", text, form, extra))
            ann.peer.receive_until(lambda packet: isinstance(packet, Event) and packet.kind in AMENDING)
        assert ann.texts("/grep exam") == []
        assert ann.texts("/grep one") == ["test one"]
        assert ann.texts("/history") == ["test one", ""]


def test_a_bracket_is_bounded(app: App) -> None:
    """Long lines end a page before FETCH_BYTES; the next page goes on there."""
    ann = come(app, "ann")
    with ann.peer:
        texts = [str(number) * MAX_TEXT for number in range(6)]
        for text in texts:
            ann.say(text)
        page = ann.texts("/history 10")
        assert 0 < len(page) <= FETCH_BYTES // MAX_TEXT and ann.row["more"]
        before = ann.texts(f"/history 10 before:{ann.row['before']}")
        assert before + page == texts


def test_live_events_come_before_or_behind(app: App) -> None:
    """While somebody talks, each bracket is whole: Talk.fetch() refuses anything else in it."""
    ann, bob = come(app, "ann"), come(app, "bob")
    with ann.peer, bob.peer:
        for number in range(30):
            ann.peer.send(Say(number + 1, "#general", f"line {number}"))
            bob.texts("/history 5")


def test_edges_of_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that the index has from an earlier start, and newer ones, are in one page."""
    monkeypatch.setattr("server.maintenance.TEND_SECONDS", 0.02)
    data = str(tmp_path / "history.db")
    with running(data=data) as app:
        ann = come(app, "ann")
        with ann.peer:
            first = ann.say("exam one")
            eventually(lambda: ann.texts("/grep exam") and ann.row["indexed"] >= first.seq, "no index")
    with running(data=data) as app:
        bob = come(app, "bob")
        with bob.peer:
            second = bob.say("exam two")
            assert bob.fetch("/grep exam")[0] == [first, second]
            eventually(lambda: bob.texts("/grep exam") and bob.row["indexed"] >= second.seq, "no index")
            assert bob.fetch("/grep exam")[0] == [first, second]


def test_a_disk_that_cannot_be_read(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is answered; the member stays, and talks on."""

    def find(*_: object) -> None:
        raise HistoryError("the disk is gone")

    monkeypatch.setattr(app.chatroom._history, "find", find)
    ann = come(app, "ann")
    with ann.peer:
        assert ann.fetch("/history")[1].code == Code.UNAVAILABLE
        assert ann.say("x").text == "x"


# --- read markers -------------------------------------------------------------------------------------------


def is_read(packet: Packet) -> bool:
    return isinstance(packet, Event) and packet.kind is EventKind.READ


def greeting(person: Person) -> list[Packet]:
    """What came up to LIVE, without PING and the like."""
    return [packet for packet in person.packets if isinstance(packet, Channel) or is_read(packet)]


def test_a_marker_is_told_to_the_persons_programs(app: App) -> None:
    """/read reaches the person's other programs at once, and later ones with their greeting."""
    ann = Person.come(app.address, "ann")
    bob = Person.come(app.address, "bob")
    with ann, bob:
        ann.do("/register", "correct horse")
        with Person.come(app.address, "ann", by_password("correct horse")) as other:
            assert [type(packet) for packet in greeting(other)] == [Channel]
            ann.do("/read 2")
            assert ann.rows == [1, 2]
            signal = other.wait_for(is_read)
            assert isinstance(signal, Event)
            assert (signal.seq, signal.text, signal.place, signal.channel) == (0, "2", 1, "#general")
            assert ann.tell("/read 1").code == Code.ALREADY
            assert other.tell("/read 2").code == Code.ALREADY
        with Person.come(app.address, "ann", by_password("correct horse")) as third:
            channel, marker = greeting(third)
            assert isinstance(channel, Channel) and isinstance(marker, Event) and marker.text == "2"
        bob.do("/who")
        assert not any(is_read(packet) for packet in [*bob.packets, *ann.packets])


def test_a_marker_outlives_a_restart(tmp_path: Path) -> None:
    """At a fresh start of the client, after a restart of the server, the marker is there."""
    data = str(tmp_path / "history.db")
    with running(data=data) as app, Person.come(app.address, "ann") as ann:
        ann.do("/register", "correct horse")
        ann.do("/read 2")
        ann.send(Bye(False, Code.GOODBYE, ""))
        ann.rest()
    with running(data=data) as app, Person.come(app.address, "ann", by_password("correct horse")) as ann:
        assert [packet.text for packet in greeting(ann) if isinstance(packet, Event)] == ["2"]
