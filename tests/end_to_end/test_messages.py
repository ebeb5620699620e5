"""Forms of lines, direct conversations, and what is edited and deleted, over real connections."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Channel, Command, Form, Packet, Present, Role, Say
from server.history_export import export
from tests.end_to_end.in_process import port_of, running
from tests.end_to_end.programs import ServerProcess
from tests.support.peer import Peer


@pytest.fixture
def port() -> Iterator[int]:
    with running() as app:
        yield port_of(app)


def receiver(person: int) -> bytes:
    return extra_row(Extra.RECEIVER, person, 4)


def answer(peer: Peer, id: int) -> int:
    """The code of the ANSWER to a line."""
    code: int = peer.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == id).code
    return code


def said(peer: Peer, count: int) -> list[Event]:
    """The next lines; other packets between them are skipped."""
    is_line = lambda packet: isinstance(packet, Event) and packet.kind is EventKind.SAID  # noqa: E731
    return [peer.receive_until(is_line) for _ in range(count)]


def events(packets: list[Packet], kind: EventKind = EventKind.SAID) -> list[Event]:
    return [packet for packet in packets if isinstance(packet, Event) and packet.kind is kind]


# --- direct conversations -------------------------------------------------------------------------------


def test_a_line_for_one(port: int) -> None:
    """Both get the conversation and then the line, as the same bytes; a third member gets neither."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "bob") as bob, Peer.enter(port, "eve") as eve:
        ann.send(Say(1, "@bob", "psst", Form.SAY, receiver(2)), Say(2, "#general", "all"))
        for peer, name in ((ann, "@bob"), (bob, "@ann")):
            described = peer.receive_until(lambda packet: isinstance(packet, Channel))
            persons = (Present(1, Role.MEMBER, "ann"), Present(2, Role.MEMBER, "bob"))
            assert described == Channel(2, name, "", Setting.DIRECT, Role.MEMBER, 2, persons)
            line, heard = said(peer, 2)
            assert (line.channel, line.place, line.person, line.text) == ("@bob", 2, 1, "psst")
            assert line.extra == receiver(2) and heard.text == "all"
        bob.send(Say(1, "@ann", "yes?", Form.ACT, receiver(1)))
        assert [one.text for one in (*said(ann, 1), *said(bob, 1))] == ["yes?"] * 2
        ann.send(Say(3, "#general", "the end"))
        assert [one.text for one in said(eve, 2)] == ["all", "the end"]
        assert not any(isinstance(packet, Channel) and packet.place == 2 for packet in eve.packets)


def test_it_comes_with_the_greeting(port: int) -> None:
    """Who comes back gets what was written meanwhile; a fresh program of the person gets the latest lines."""
    with Peer.enter(port, "ann") as ann:
        with Peer.enter(port, "bob") as bob:
            bob.send(Say(1, "#general", "here"), Say(2, "@ann", "first", Form.SAY, receiver(1)))
            seen = said(bob, 2)[-1]
        said(ann, 2)
        ann.send(Say(1, "@bob", "second", Form.SAY, receiver(2)))
        (stored,) = said(ann, 1)
        token, replayed = bob.welcome.token, list[Packet]()
        identity = bob.welcome.identity
        with Peer.come_in(
            port, "bob", seen.seq, replayed=replayed, token=token, time=seen.time, identity=identity
        ) as again:
            assert [one.name for one in again.channels] == ["#general", "@ann"]
            assert events(replayed) == [stored]
            again.send(Say(3, "@ann", "third", Form.SAY, receiver(1)))
            assert said(ann, 1) == said(again, 1)
        fresh = list[Packet]()
        with Peer.come_in(port, "bob", lines=2, replayed=fresh, token=token) as again:
            assert [one.text for one in events(fresh)] == ["here", "second", "third"]


def test_another_of_the_name_gets_nothing(port: int) -> None:
    """A line that is sent again does not reach the guest who has the name now, nor is anything replayed."""
    with Peer.enter(port, "ann") as ann:
        with Peer.enter(port, "bob") as bob:
            ann.send(Say(1, "@bob", "for you", Form.SAY, receiver(2)))
            said(bob, 1)
            bob.send(Bye(False, Code.GOODBYE, ""))
        ann.receive_until(lambda packet: isinstance(packet, Event) and packet.kind is EventKind.QUIT)
        replayed = list[Packet]()
        with Peer.come_in(port, "bob", lines=10, replayed=replayed) as later:
            assert later.welcome.person == 3
            assert not events(replayed) and [one.name for one in later.channels] == ["#general"]
            ann.send(Say(2, "@bob", "for you, too", Form.SAY, receiver(2)), Say(3, "#general", "all"))
            assert answer(ann, 2) == Code.NO_SUCH_NAME
            assert [one.text for one in said(later, 1)] == ["all"]


# --- amendments -----------------------------------------------------------------------------------------


def amend(peer: Peer, id: int, form: Form, seq: int, text: str = "") -> None:
    peer.send(Say(id, "#general", text, form, extra_row(Extra.MESSAGE, seq)))


def event_with(peer: Peer, id: int) -> Event:
    """The next event with this id."""
    found: Event = peer.receive_until(lambda packet: isinstance(packet, Event) and packet.id == id)
    return found


def test_edited_and_deleted(port: int) -> None:
    """Who is here gets the amendments; who comes later gets the last text, and of what is deleted nothing."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "bob") as bob:
        ann.send(Say(1, "#general", "frist"), Say(2, "#general", "secret"))
        first, second = said(ann, 2)
        amend(ann, 3, Form.EDIT, first.seq, "First")
        assert event_with(bob, 3).kind is EventKind.EDITED
        amend(ann, 4, Form.EDIT, first.seq, "first")
        amend(ann, 5, Form.DELETE, second.seq)
        amend(ann, 6, Form.EDIT, second.seq, "back")
        assert answer(ann, 6) == Code.NO_SUCH_MESSAGE
        amend(bob, 7, Form.REACT, first.seq, "+1")
        assert event_with(bob, 7) == event_with(ann, 7)
        assert [one.text for one in events(bob.packets, EventKind.EDITED)] == ["First", "first"]
        replayed = list[Packet]()
        with Peer.come_in(port, "eve", lines=10, replayed=replayed):
            assert [one.text for one in events(replayed)] == ["first", ""]
            assert [one.text for one in events(replayed, EventKind.EDITED)] == ["", "first"]
            assert [one.extra[0] for one in events(replayed)] == [Extra.EDITED, Extra.DELETED]


def test_a_message_that_is_not_there(port: int) -> None:
    """Each amendment that is refused has one answer, and its id can be used again."""
    with Peer.enter(port, "ann") as ann:
        amend(ann, 1, Form.EDIT, 99, "text")
        ann.send(Say(2, "#general", "no message", Form.EDIT), Say(3, "#general", "plain"))
        assert answer(ann, 1) == Code.NO_SUCH_MESSAGE
        assert answer(ann, 2) == Code.BAD_ARGUMENTS
        (line,) = events(ann.packets) or said(ann, 1)
        amend(ann, 3, Form.EDIT, line.seq, "late")
        assert answer(ann, 3) == Code.ALREADY
        amend(ann, 4, Form.EDIT, line.seq, "better")
        assert event_with(ann, 4).text == "better"


@pytest.mark.slow
def test_amended_and_killed(tmp_path: Path) -> None:
    """Whatever was told of an amendment is so after kill -9, in a replay from the file and in an export."""
    data = tmp_path / "history"
    server = ServerProcess(tmp_path / "log", "--data", str(data))
    with Peer.enter(server.port, "ann") as ann:
        ann.send(*[Say(id, "#general", f"text {id}") for id in range(1, 41)])
        lines = said(ann, 40)
        for id, line in enumerate(lines[:30], 41):
            amend(ann, id, Form.EDIT if id % 3 else Form.DELETE, line.seq, "new" if id % 3 else "")
        event_with(ann, 70)
        server.kill()
    again = ServerProcess(tmp_path / "log", "--data", str(data), port=server.port)
    replayed = list[Packet]()
    with Peer.come_in(again.port, "bob", lines=100, replayed=replayed) as bob:
        wanted = ["new" if id % 3 else "" for id in range(41, 71)] + [f"text {id}" for id in range(31, 41)]
        assert [one.text for one in events(replayed)] == wanted
        amend(bob, 1, Form.EDIT, lines[0].seq, "not mine")
        assert answer(bob, 1) == Code.NEED_ROLE
    again.stop()
    again.kill()
    out = io.StringIO()
    export(data, out)
    exported = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["text"] for one in exported if one["kind"] == "said"] == wanted


# --- with commands --------------------------------------------------------------------------------------


def command(peer: Peer, id: int, channel: str, text: str) -> Answer:
    peer.send(Command(id, channel, text))
    found: Answer = peer.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == id)
    return found


def test_commands_in_a_conversation(port: int) -> None:
    """Its history is shown, searched and marked as read, by the name of the other one or by its number."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "bob") as bob, Peer.enter(port, "eve") as eve:
        ann.send(Say(1, "@bob", "the secret plan", Form.SAY, receiver(2)), Say(2, "#general", "no plan"))
        line, _ = said(ann, 2)
        for channel, text in (
            ("@bob", "/history"),
            ("#general", "/history 9"),
            ("#general", "/grep secret plan"),
        ):
            ann.packets.clear()
            assert command(ann, 10, channel, text).code == Code.OK
            found = [one.text for one in events(ann.packets)]
            assert found == (["no plan"] if channel != "@bob" and "grep" not in text else ["the secret plan"])
        for where in ("@bob", str(line.place)):
            ann.packets.clear()
            assert command(ann, 11, "#general", f"/grep plan in:{where}").code == Code.OK
            assert [one.text for one in events(ann.packets)] == ["the secret plan"]
            assert command(eve, 11, "#general", f"/grep plan in:{where}").code == Code.NOT_IN
        assert command(eve, 12, "#general", f"/context {line.seq}").code == Code.NO_SUCH_MESSAGE
        assert command(bob, 12, "@ann", f"/read {line.seq}").code == Code.OK
        assert json.loads(command(bob, 13, "#general", "/query ann").rows) == [1, "ann", line.place]


def test_an_invitation(port: int) -> None:
    """The invited is told in the direct conversation with the one who invites."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "bob") as bob:
        assert command(ann, 1, "#general", "/join #tea").code == Code.OK
        assert command(ann, 2, "#tea", "/set invite-only on").code == Code.OK
        assert command(ann, 3, "#tea", "/invite bob").code == Code.OK
        invited = bob.receive_until(
            lambda packet: isinstance(packet, Event) and packet.kind is EventKind.INVITED
        )
        assert (invited.author, invited.channel, invited.text) == ("ann", "@bob", "#tea")
        assert [one.name for one in bob.packets if isinstance(one, Channel)][-1] == "@ann"
        assert command(bob, 1, "#general", "/join #tea").code == Code.OK
        assert command(bob, 2, "#general", "/ignore ann").code == Code.OK
        assert command(bob, 3, "#tea", "/leave").code == Code.OK
        assert command(ann, 4, "#tea", "/invite bob").code == Code.OK
        ann.send(Say(1, "@bob", "come back", Form.SAY, receiver(2)))
        assert answer(ann, 1) == Code.MUTED
        assert command(bob, 4, "#general", "/join #tea").code == Code.OK


def test_a_moderated_channel(port: int) -> None:
    """Who has no voice neither speaks, edits nor reacts there; what was said can be taken back."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "bob") as bob:
        command(ann, 1, "#general", "/join #tea")
        command(bob, 1, "#general", "/join #tea")
        bob.send(Say(1, "#tea", "loud"))
        (line,) = said(bob, 1)
        assert command(ann, 2, "#tea", "/set moderated on").code == Code.OK
        bob.send(Say(2, "#tea", "louder", Form.ACT))
        assert answer(bob, 2) == Code.NEED_ROLE
        for id, form in ((3, Form.EDIT), (4, Form.REACT)):
            amend(bob, id, form, line.seq, "louder")
            assert answer(bob, id) == Code.NEED_ROLE
        amend(bob, 5, Form.DELETE, line.seq)
        assert event_with(ann, 5).kind is EventKind.DELETED
