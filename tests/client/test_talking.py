"""client/talking.py: what the user of a client says and asks, against a server that answers line by line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.errors import Refused
from chatroom.events import Event, EventKind, Extra, Setting, extra_number
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Command, Form, Present, Replay, Role, Say
from client import Listing, Member
from tests.client.fake_server import ME, FakeServer
from tests.client.test_link import Stage
from tests.support.events import BOB, NOON, said
from tests.support.tasks import Task

TEA, DIRECT = 9, 30
EVE = 44


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A client that is also in #tea, and has a conversation with bob."""
    with FakeServer() as server:
        made = Stage(server)
        two = (Present(BOB, Role.OWNER, "bob"), Present(ME, 0, "ann"))
        made.peer.send(Channel(TEA, "#tea", "", 0, 0, 2, two))
        made.peer.send(Channel(DIRECT, "@bob", "", Setting.DIRECT, 0, 2, two), said(1))
        made.events(1)
        yield made
        server.dismiss(made.client)


def test_saying_somewhere_else(stage: Stage) -> None:
    """A line names the channel that was given, as the server writes it, else the client's."""
    stage.client.say("a", "#TEA")
    stage.client.channel = "#Tea"
    stage.client.say("b", form=Form.ACT, reply_to=7)
    first, second = stage.peer.expect(Say), stage.peer.expect(Say)
    assert (first.channel, first.form, first.extra) == ("#tea", 0, b"")
    assert (second.channel, second.form, extra_number(second.extra, Extra.REPLY_TO)) == ("#tea", Form.ACT, 7)


def test_a_private_line_says_to_whom(stage: Stage) -> None:
    """The receiver is the other person of the conversation, whatever the name is; nobody else gets it."""
    stage.client.say("psst", "@Bob")
    stage.client.direct("bob", "psst")
    stage.client.direct(BOB, "psst")
    stage.client.say("hello", "@eve", receiver=EVE)
    for name, person in (("@bob", BOB), ("@bob", BOB), ("@bob", BOB), ("@eve", EVE)):
        say = stage.peer.expect(Say)
        assert (say.channel, extra_number(say.extra, Extra.RECEIVER)) == (name, person)
    with pytest.raises(ValueError, match="nobody is known"):
        stage.client.say("psst", "@eve")


def test_the_server_is_asked_who_somebody_is(stage: Stage) -> None:
    """A name that is not known here is looked up; a refusal is raised and nothing is said."""
    for code, rows in ((Code.OK, f'[{EVE}, "eve", 0]'), (Code.NO_SUCH_NAME, ""), (Code.OK, "[]")):
        direct = Task(lambda: stage.client.direct("eve", "psst"))
        command = stage.peer.expect(Command)
        assert command.text == "/query eve"
        stage.peer.send(Answer(command.id, code, "", rows))
        if "eve" in rows:
            direct.result()
            say = stage.peer.expect(Say)
            assert (say.channel, extra_number(say.extra, Extra.RECEIVER)) == ("@eve", EVE)
        else:
            with pytest.raises(Refused) as raised:
                direct.result()
            assert raised.value.code == Code.NO_SUCH_NAME


def test_a_reply_goes_where_the_line_came_from(stage: Stage) -> None:
    """Also in a direct conversation, whose events name the receiver on the wire."""
    namesake = Channel(31, "@bob", "", Setting.DIRECT, 0, 2, (Present(EVE, 0, "bob"), Present(ME, 0, "ann")))
    stage.peer.send(namesake, said(5, channel="@ann", place=DIRECT), said(6, channel="#tea", place=TEA))
    for seq, channel in ((5, "@bob"), (6, "#tea")):
        event = stage.update()
        assert isinstance(event, Event)
        stage.client.reply(event, "yes", form=Form.BOT)
        say = stage.peer.expect(Say)
        assert (say.channel, say.form) == (channel, Form.BOT)
        assert extra_number(say.extra, Extra.REPLY_TO) == seq
        assert extra_number(say.extra, Extra.RECEIVER) == (BOB if channel == "@bob" else 0)


def test_amending(stage: Stage) -> None:
    """Each says which message it is about, and is settled by its own event."""
    lines = [
        stage.client.edit(5, "new"),
        stage.client.delete(6, "#tea"),
        stage.client.react(7, "+1", "@bob"),
    ]
    wanted = [
        (Form.EDIT, "new", "#general", 5),
        (Form.DELETE, "", "#tea", 6),
        (Form.REACT, "+1", "@bob", 7),
    ]
    for line, expected in zip(lines, wanted, strict=True):
        say = stage.peer.expect(Say)
        assert (say.form, say.text, say.channel, extra_number(say.extra, Extra.MESSAGE)) == expected
        assert say.id == line.id and not line.stored
        stage.peer.send(Event(say.id % 1000 + 10, NOON, EventKind.EDITED, "", "ann", "", say.id, ME, 1))
        assert line.wait(5)
    for wrong in (lambda: stage.client.edit(5, ""), lambda: stage.client.react(5, "")):
        with pytest.raises(ValueError):
            wrong()


def test_members(stage: Stage) -> None:
    """Everybody with role and person, by default in the client's channel; nobody of an unknown place."""
    assert stage.client.members("#tea") == [Member("bob", BOB, Role.OWNER), Member("ann", ME, 0)]
    assert [member.name for member in stage.client.members()] == ["bob", "ann"]
    assert stage.client.members("#no") == []
    room = stage.client.room("#tea")
    assert room is not None and stage.client.room(TEA) == room and stage.client.room("#no") is None
    assert (stage.client.people, stage.client.person) == (2, ME)


def test_the_list_of_channels(stage: Stage) -> None:
    """Each row has a type; a row that a client cannot read is left out."""
    asking = Task(stage.client.channels)
    command = stage.peer.expect(Command)
    assert command.text == "/channels"
    rows = '[["#tea", 3, "hot", 33, true], ["#x", "many", "", 0, false], 5, ["#y"]]'
    stage.peer.send(Answer(command.id, Code.OK, "one", rows))
    assert asking.result() == [Listing("#tea", 3, "hot", Setting.KEPT | Setting.COUNTED, True)]


def test_history_and_search(stage: Stage) -> None:
    """Both give the events of the past; what a server refuses is raised."""
    calls = [
        (lambda: stage.client.history(2, "#tea", before=9), "#tea", "/history 2 before:9"),
        (lambda: stage.client.history(), "#general", "/history 50"),
        (lambda: stage.client.search("lunch from:bob"), "#general", "/grep lunch from:bob"),
        (lambda: stage.client.search("lunch", before=5), "#general", "/grep lunch before:5"),
    ]
    for call, channel, text in calls:
        asking = Task(call)
        command = stage.peer.expect(Command)
        assert (command.channel, command.text) == (channel, text)
        stage.peer.send(Replay(command.id), said(1), said(2), Answer(command.id, Code.OK, "", ""))
        assert asking.result() == [said(1), said(2)]
    asking = Task(stage.client.history)
    stage.peer.send(Answer(stage.peer.expect(Command).id, Code.SLOW_DOWN, ""))
    with pytest.raises(Refused):
        asking.result()
