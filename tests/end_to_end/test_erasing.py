"""Erasing over the wire and in the file: with real programs, killed in the middle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind, Extra, extra_number, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Bye, Form, Packet, Say
from tests.end_to_end.host import PASSWORD, Host
from tests.end_to_end.programs import ROOT, run_program, server
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.person import Person

pytestmark = pytest.mark.usefixtures("cheap_hashes")

SECRETS = (b"xyzzy", b"melusine")


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def traces(path: Path) -> list[bytes]:
    """What is left in the file, and in its log."""
    log = path.with_name(path.name + "-wal")
    data = path.read_bytes() + (log.read_bytes() if log.exists() else b"")
    return [secret for secret in SECRETS if secret in data.lower()]


def is_erased(packet: Packet) -> bool:
    return isinstance(packet, Event) and packet.kind is EventKind.ERASED


def talk(ann: Person, bob: Person) -> int:
    """All that somebody can say; the number of the person."""
    person, number = bob.welcome.person, ann.welcome.person
    line = ann.say("#general", "xyzzy in general")
    assert isinstance(line, Event)
    ann.do("/topic xyzzy topic")
    ann.do("/away xyzzy away")
    ann.send(Say(500, "#general", "xyzzy edited", Form.EDIT, extra_row(Extra.MESSAGE, line.seq)))
    ann.send(Say(501, "#general", "xyzzy!", Form.REACT, extra_row(Extra.MESSAGE, line.seq)))
    ann.send(Say(502, "@bob", "xyzzy to bob", extra=extra_row(Extra.RECEIVER, person, 4)))
    bob.wait_for(lambda packet: isinstance(packet, Event) and packet.text == "xyzzy to bob")
    bob.send(Say(500, "@Melusine", "hello", extra=extra_row(Extra.RECEIVER, number, 4)))
    bob.wait_for(lambda packet: isinstance(packet, Event) and packet.text == "hello")
    return number


def judge(events: list[Event], number: int) -> None:
    """A replay has the events of the person, with nothing in them."""
    own = [event for event in events if event.person == number]
    assert {event.kind for event in own} >= {EventKind.SAID, EventKind.EDITED, EventKind.AWAY}
    assert {event.author for event in own} == {"erased"}
    assert not any(secret in repr(event).lower().encode() for event in events for secret in SECRETS)


def replay(address: str, name: str, *arguments: object) -> tuple[Peer, list[Event]]:
    """A new member of #general, and what it gets of the past."""
    found: list[Packet] = []
    peer = Peer.come_in(address, name, 0, 1000, found)
    return peer, [packet for packet in found if isinstance(packet, Event)]


def test_erase(host: Host) -> None:
    """All programs are told at once; who comes later reads blanks; the name is free, the number is not."""
    owner, bob, ann = host.owner(), host.come("bob"), host.account("Melusine")
    number = talk(ann, bob)
    assert bob.tell("/erase Melusine").code == Code.NEED_ROLE
    answer = owner.do("/erase Melusine")
    assert answer.words == "Melusine is erased, with all that Melusine has said"
    bye = ann.receive_until(lambda packet: isinstance(packet, Bye))
    assert bye.code == Code.KICKED
    told = bob.wait_for(is_erased)
    assert isinstance(told, Event) and told.place == 0
    assert extra_number(told.extra, Extra.TARGET) == number
    assert owner.tell("/erase Melusine").code == Code.NO_SUCH_NAME
    for name in ("zoe", "amy"):
        peer, events = replay(host.address, name)
        peer.close()
        judge(events, number)
        assert peer.channels[0].topic == ""
        eve = host.come("eve")
        eve.do("/grep xyzzy")
        assert not [one for one in eve.packets if isinstance(one, Event) and "xyzzy" in one.text]
        eve.leave()
        eventually(lambda: traces(host.data) == [], "something is left in the file")
        host.restart()
    again = host.account("Melusine")
    assert again.welcome.person > number
    host.login("owner1").do("/erase Melusine")


@pytest.mark.slow
def test_killed_in_the_middle(tmp_path: Path) -> None:
    """kill -9 just after the answer: what the file gives is blanked; the next server finishes the work."""
    data = tmp_path / "history.db"
    with server(tmp_path, data=str(data)) as program, ExitStack() as stack:
        owner, bob, ann = (
            stack.enter_context(Person.come(str(program.port), name)) for name in ("owner", "bob", "Melusine")
        )
        owner.do("/register", PASSWORD)
        owner.do("/owner", data.with_name(data.name + ".code").read_text())
        number = talk(ann, bob)
        for count in range(300):
            ann.say("#general", f"xyzzy {count} " + "xyzzy " * 200)
        owner.do("/erase Melusine")
        program.kill()
    assert run_program("server", "--check", str(data)).returncode == 0
    exported = run_program("server", "--export", str(data))
    assert exported.returncode == 0 and '"erased"' in exported.stdout
    assert not [secret for secret in SECRETS if secret in exported.stdout.lower().encode()]
    with server(tmp_path, data=str(data)) as program:
        peer, events = replay(str(program.port), "zoe")
        peer.close()
        judge(events, number)
        eventually(lambda: traces(data) == [], "something is left in the file")
        program.stop()
    assert traces(data) == []
    checked = run_program("server", "--check", str(data))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
def test_a_client_of_somebody_who_is_erased(tmp_path: Path) -> None:
    """The program ends by itself, and does not come back."""
    data = tmp_path / "history.db"
    with (
        server(tmp_path, data=str(data)) as program,
        Person.come(str(program.port), "owner") as owner,
        subprocess.Popen(
            [sys.executable, "-m", "client", f"127.0.0.1:{program.port}", "--name", "Melusine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        ) as client,
    ):
        try:
            owner.do("/register", PASSWORD)
            owner.do("/owner", data.with_name(data.name + ".code").read_text())
            eventually(lambda: owner.tell("/whois Melusine").code == Code.OK, "the client does not come")
            owner.do("/erase Melusine")
            out, _ = client.communicate(timeout=PATIENCE)
        finally:
            client.kill()
        assert b"Traceback" not in out
        assert owner.tell("/whois Melusine").code == Code.NO_SUCH_NAME
