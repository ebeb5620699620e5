"""People over the wire: what each command does, refuses and tells the others, and what survives a restart."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Live, Packet, Ping, Pong, Say
from chatroom.state import State
from client import Client
from tests.end_to_end.test_accounts import Host, is_event
from tests.support.patience import eventually
from tests.support.peer import Peer
from tests.support.person import Person

pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def say(person: Person, text: str = "hello") -> Event:
    """Say a line, so that the session is remembered; its event."""
    person.send(Say(next(person._ids), "#general", text))
    event = person.receive_until(is_event(EventKind.SAID, person.welcome.name))
    assert isinstance(event, Event)
    return event


def heard(person: Person, kind: EventKind, author: str) -> Event:
    """The first event of this kind and author that another one gets."""
    event = person.receive_until(is_event(kind, author))
    assert isinstance(event, Event)
    return event


def test_nick(host: Host) -> None:
    """The others are told of the new name; it is kept over a restart, whatever name the client asks with."""
    ann, bob, far = host.come("ann"), host.come("bob"), host.come("far", channel="#far")
    say(ann)
    assert ann.do("/nick Zoe").words == "you are Zoe now"
    event = heard(bob, EventKind.RENAMED, "ann")
    assert (event.text, event.person, event.place) == ("Zoe", ann.welcome.person, 0)
    assert ann.tell("/nick zOE").code == Code.OK and ann.do("/nick Zoe").code == Code.OK
    assert bob.tell("/nick zoe").words == "Zoe has this name, or one that looks like it"
    assert bob.tell("/nick").words == "usage: /nick NAME"
    assert bob.tell("/nick a b").code == Code.BAD_NAME and bob.tell("/nick server").code == Code.BAD_NAME
    assert host.refused("Z0e").code == Code.NAME_TAKEN
    assert bob.do("/who").words == "/who #general: 2 here\n  bob, Zoe"
    far.send(Ping(7))
    assert isinstance(far.receive(), Event) and isinstance(far.receive(), Pong)  # only its own JOINED
    token = ann.welcome.token
    host.restart()
    back = host.come("ann", token=token)
    assert (back.welcome.name, back.welcome.person) == ("Zoe", ann.welcome.person)
    assert host.come("ann").welcome.name == "ann"  # the old name is free


def test_a_client_learns_its_new_name(host: Host) -> None:
    """The client takes its new name from RENAMED, in each program of the person."""
    port = int(host.address.rpartition(":")[2])
    with Client("127.0.0.1", port, name="ann") as client:
        client.command("/nick Zoe")
        for update in client.updates():
            if isinstance(update, Event) and update.kind is EventKind.RENAMED:
                break
        assert client.name == "Zoe"


def test_the_nick_of_an_owner(host: Host) -> None:
    """All programs of the person are renamed; its own name stays its own, and nobody else gets it."""
    dora, guest = host.account("dora"), host.come("guest")
    phone = host.login("dora")
    dora.do("/nick Teacher")
    assert heard(phone, EventKind.RENAMED, "dora").text == "Teacher"
    assert host.login("dora").welcome.name == "Teacher"
    assert guest.tell("/nick dora").words == "dora belongs to an account: /login dora"
    assert host.refused("dora").code == Code.NEED_LOGIN
    assert phone.do("/nick DORA").words == "you are dora now"
    assert heard(guest, EventKind.RENAMED, "Teacher").text == "dora"
    guest.do("/nick Carl")
    assert phone.tell("/nick CARL").code == Code.NAME_TAKEN


def test_away_and_back(host: Host) -> None:
    """The others are told; /whois says it, also after a restart; QUIT ends it."""
    ann, bob = host.come("ann"), host.come("bob")
    say(ann)
    assert ann.do("/away lunch").words == "the others see that you are away: lunch"
    assert heard(bob, EventKind.AWAY, "ann").text == "lunch"
    assert ann.tell("/away lunch").words == "you are away already: lunch"
    assert ann.tell("/away " + "x" * 300).code == Code.TOO_LONG
    assert "away: lunch" in bob.do("/whois ann").words
    token = ann.welcome.token
    host.restart()
    ann, bob = host.come("ann", token=token), host.come("carl")
    assert "away: lunch" in bob.do("/whois ann").words
    assert ann.do("/back").words == "you are back"
    assert heard(bob, EventKind.AWAY, "ann").text == ""
    assert ann.tell("/back").words == "you are not away" and ann.tell("/back x").code == Code.BAD_ARGUMENTS
    ann.do("/away")
    ann.leave()
    assert "away" not in host.come("ann", token=token).do("/whois").words


def test_ignore(host: Host) -> None:
    """The list is kept for the person; the ignored one is not told, and cannot write to it."""
    dora, bob = host.account("dora"), host.come("bob")
    say(bob)
    assert dora.do("/ignored").words == "you ignore nobody"
    assert dora.do("/ignore BOB").words == "you ignore bob now; /unignore bob ends it"
    assert dora.tell("/ignore bob").code == Code.ALREADY
    assert dora.tell("/ignore dora").words == "dora: you cannot ignore yourself"
    assert dora.tell("/ignore nobody").words == "nobody is called nobody"
    assert dora.tell("/ignore").words == "usage: /ignore NAME"
    assert bob.tell("/query dora").words == "dora takes no private lines from you"
    token = bob.welcome.token
    host.restart()
    bob, dora = host.come("bob", token=token), host.login("dora")
    bob.do("/nick Rob")
    dora.do("/ignored")
    assert dora.rows == [[bob.welcome.person, "Rob"]]
    assert dora.do("/unignore rob").words == "you read Rob again"
    assert dora.tell("/unignore rob").words == "you do not ignore Rob"
    assert dora.tell("/unignore").code == Code.BAD_ARGUMENTS
    assert bob.do("/query dora").code == Code.OK


def test_direct(host: Host) -> None:
    """Who may begin a direct conversation: everybody, who shares a channel, nobody."""
    dora, bob, eve = host.account("dora"), host.come("bob"), host.come("eve", channel="#far")
    shared = "who is in a channel with you may begin a direct conversation with you"
    assert dora.do("/direct").words == shared
    assert bob.do("/query dora").rows and eve.tell("/query dora").code == Code.MUTED
    dora.do("/direct all")
    assert eve.do("/query dora").rows
    dora.do("/direct nobody")
    assert bob.tell("/query dora").code == Code.MUTED
    assert dora.tell("/direct nobody").words.startswith("it is so already: nobody may begin")
    assert dora.tell("/direct friends").words == "usage: /direct [all|shared|nobody]"
    host.restart()
    assert host.login("dora").do("/direct").words.startswith("nobody may begin")


def test_query(host: Host) -> None:
    """Who is meant by a name, however it is written, and not somebody who took the name later."""
    ann, bob = host.come("ann"), host.come("bob")
    ann.do("/query BOB")
    assert ann.rows == [bob.welcome.person, "bob", 0]
    assert ann.tell("/query").code == Code.BAD_ARGUMENTS
    assert ann.tell("/query nobody").words == "nobody is called nobody"
    bob.leave()
    assert ann.tell("/query bob").code == Code.NO_SUCH_NAME
    other = host.come("bob")
    ann.do("/query bob")
    assert ann.rows[0] == other.welcome.person != bob.welcome.person


def test_seen(host: Host) -> None:
    """When somebody was here last, also after a restart; nothing about those one was in no channel with."""
    ann, dora, bob, eve = (
        host.come("ann"),
        host.account("dora"),
        host.come("bob"),
        host.come("eve", channel="#far"),
    )
    say(ann), say(bob), say(dora)
    assert ann.do("/seen BOB").words.startswith("bob is here since ")
    assert ann.tell("/seen").code == Code.BAD_ARGUMENTS
    assert ann.tell("/seen nobody").words == "nobody is called nobody"
    bob.leave(), dora.leave()
    token = ann.welcome.token
    host.restart()
    ann, eve = host.come("ann", token=token), host.come("eve2", channel="#far")
    for name in ("bob", "dora"):
        assert ann.do(f"/seen {name}").words.startswith(f"{name} was here last at ")
        assert ann.rows[::2] == [name, "absent"]
        assert eve.tell(f"/seen {name}").code == Code.NO_SUCH_NAME
    host.login("dora")
    assert ann.do("/seen dora").words.startswith("dora is here since ")


def test_time(host: Host) -> None:
    """The server's clock, in words for persons and in milliseconds for programs."""
    ann = host.come("ann")
    words = ann.do("/time").words
    assert words.endswith(" UTC") and abs(ann.rows[0] - say(ann).time) < 5000
    assert ann.tell("/time now").code == Code.BAD_ARGUMENTS


def test_whois(host: Host) -> None:
    """/whois tells the person, which is the same under another name."""
    ann, bob = host.come("ann"), host.come("bob")
    ann.do("/nick Zoe")
    bob.do("/whois zoe")
    assert dict(bob.rows)["person"] == ann.welcome.person


def test_mistyped_commands(host: Host) -> None:
    """An alias works; an unknown command is answered with the nearest one."""
    ann = host.come("ann")
    assert ann.do("/names").words == "/who #general: 1 here\n  ann"
    answer = ann.tell("/nikc Zoe")
    assert answer.words == "/nikc is no command; did you mean /nick? /help lists the commands"
    assert answer.code == Code.NO_SUCH_COMMAND and ann.rows == ["/nikc", "/nick"]
    assert ann.tell("/xyzzy").words == "/xyzzy is no command; /help lists the commands"
    assert ann.rows == ["/xyzzy", ""]


@pytest.mark.parametrize(
    ("end", "reason"),
    [("reset", "connection lost"), ("close", "connection closed"), ("garbage", "an error in its program")],
)
def test_why_somebody_has_left_is_in_plain_words(host: Host, end: str, reason: str) -> None:
    """What the others will read has no words of sockets in it."""
    bob = host.come("bob")
    say(bob)
    if end == "reset":
        bob.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif end == "garbage":
        bob.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        bob.rest()
    bob.close()

    def reasons() -> list[str]:
        def look(state: State) -> list[str]:
            return [session.reason for session in state.sessions_of(bob.welcome.person)]

        return host.app.chatroom._forwarder.look(look).result()

    eventually(lambda: reasons() == [reason], f"the reason is not {reason}")


def test_a_restart_is_one_line(host: Host) -> None:
    """Thirty members come back after a restart: each is told of it once, and nobody is said to have left or
    joined. Of those who do not come back, the QUIT waits.
    """
    members = [Peer.come_in(host.address, f"m{number:02}") for number in range(30)]
    first = members[0]
    first.send(Say(1, "#general", "before"))
    for member in members:
        event = member.receive_until(lambda packet: isinstance(packet, Event) and packet.text == "before")
    for member in members:
        member.close()
    host.restart()
    returned: list[Peer] = []
    try:
        for number, member in enumerate(members[:28]):
            replayed: list[Packet] = []
            name, token, identity = f"m{number:02}", member.welcome.token, member.welcome.identity
            returned.append(
                Peer.come_in(
                    host.address, name, event.seq, 0, replayed, token, time=event.time, identity=identity
                )
            )
            kinds = [packet.kind for packet in replayed if isinstance(packet, Event)]
            assert kinds == [EventKind.RESTARTED] and isinstance(replayed[-1], Live)
        returned[0].send(Say(2, "#general", "after"))
        for peer in returned:
            kinds = [packet.kind for packet in _until(peer, "after")]
            assert kinds == [EventKind.SAID]
        asker = host.come("asker")
        lost = asker.do("/who").words.partition("connection lost:")[2]
        assert "m29" in lost.replace(",", " ").split()
    finally:
        for peer in returned:
            peer.close()


def _until(peer: Peer, text: str) -> list[Event]:
    """The events up to the line with this text."""
    found: list[Event] = []
    while not found or found[-1].text != text:
        found.append(peer.expect(Event))
    return found
