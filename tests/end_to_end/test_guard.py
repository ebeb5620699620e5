"""The guard against strangers over the wire: each command, what others see, what a restart keeps; a raid."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic

import pytest

from chatroom.errors import BadKey, Refused
from chatroom.events import Event, EventKind
from chatroom.limits import NETWORK_GUESSES, NEWCOMER_SECONDS
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Command, Credential, Packet, Say, Verdict, encode
from client import Client
from client.updates import Ended
from tests.end_to_end.host import PASSWORD, Host
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.person import Credentials, Person, by_password
from tests.support.tasks import Task

pytestmark = pytest.mark.usefixtures("cheap_hashes")

WORD = "sesame"
SECONDS = 10.0
"""Within this time after the one command a server under a raid is quiet."""


def with_key(word: str) -> Credentials:
    return ((Credential.SERVER_PASSWORD, word.encode()),)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def grow_old(host: Host) -> None:
    """Let the time go on until nobody who is here is new."""
    order = host.app.chatroom._order
    now = order._now  # type: ignore[attr-defined]
    order._now = lambda: now() + int(NEWCOMER_SECONDS * 1000)  # type: ignore[attr-defined]


def told(packets: list[Packet]) -> list[tuple[EventKind, str, str]]:
    return [(one.kind, one.author, one.text) for one in packets if isinstance(one, Event)]


def test_only_accounts(host: Host) -> None:
    """Strangers are ended and kept out, with words; who was here before sees that they quit, and no more;
    it is so after a restart."""
    ann, bob = host.owner("ann"), host.come("bob")
    grow_old(host)
    eve = host.come("eve")
    bob.seen()
    answer = ann.do("/guard accounts")
    assert answer.words.startswith("only people with an account, and who was here before, can come in;")
    bye = eve.bye()
    assert bye.code == Code.NEED_LOGIN and "with an account" in bye.reason
    assert told(bob.seen()) == [(EventKind.QUIT, "eve", "")]
    status = host.refused("zoe")
    assert (status.code, status.reason) == (
        Code.NEED_LOGIN,
        "at the moment only people with an account can come in: log in, or try again later",
    )
    assert isinstance(bob.say("#general", "hello"), Event)
    token = bob.welcome.token
    bob.socket.shutdown(socket.SHUT_RDWR)
    host.come("bob", token=token).do("/who")
    host.restart()
    assert host.refused("zoe").code == Code.NEED_LOGIN
    host.login("ann").do("/guard off")
    host.come("zoe")


def test_only_the_invited(host: Host) -> None:
    """An account on the list comes in, another one does not; guests cannot be on it."""
    ann, dora = host.owner("ann"), host.account("dora")
    dora.leave()
    answer = ann.do("/guard invited")
    assert "only people who are invited" in answer.words
    status = Person.refused(host.address, "dora", by_password(PASSWORD))
    assert status.code == Code.INVITE_ONLY and "invited" in status.reason
    assert ann.tell("/invite * nobody").words == "there is no account nobody"
    assert ann.do("/invite * dora").words == "dora may come in, whoever else may not"
    assert ann.tell("/invite * dora").words == "dora is invited already"
    host.restart()
    assert host.refused("eve").code == Code.INVITE_ONLY
    dora = host.login("dora")
    assert dora.tell("/invite * dora").code == Code.NEED_ROLE
    ann = host.login("ann")
    assert ann.do("/uninvite * dora").words == "dora is not invited any more"
    assert ann.tell("/uninvite * dora").code == Code.ALREADY


def test_newcomers_are_slowed(host: Host) -> None:
    """They are told when again; others are not slowed, and see nothing of it."""
    ann, bob = host.owner("ann"), host.come("bob")
    grow_old(host)
    eve = host.come("eve")
    answer = ann.do("/guard newcomers 1")
    assert "newcomers say 1 lines a minute each" in answer.words
    assert isinstance(eve.say("#general", "one"), Event)
    refused = eve.say("#general", "two")
    assert isinstance(refused, Answer) and refused.code == Code.SLOW_DOWN
    for command in ("/nick eva", "/topic mine", "/away tea", "/join #den"):
        assert eve.tell(command).code == Code.SLOW_DOWN, command
    assert all(isinstance(bob.say("#general", f"{n}"), Event) for n in range(3))
    assert "eve" not in {author for _, author, text in told(bob.seen()) if text == "two"}
    host.restart()
    ann, eve = host.login("ann"), host.come("eve", token=eve.welcome.token)
    assert isinstance(eve.say("#general", "three"), Answer), "it is still a newcomer"
    ann.do("/guard off")
    assert isinstance(eve.say("#general", "four"), Event)


def test_bad_arguments_and_who_may(host: Host) -> None:
    """Without arguments it shows how it is set; wrong ones get the usage; guests may nothing."""
    ann, eve = host.owner("ann"), host.come("eve")
    shown = ann.do("/guard")
    assert shown.words == (
        "everybody can come in; newcomers say as much as others; the server has no password"
    )
    assert ann.rows == [["opening", "all"], ["newcomers", "off"], ["key", "off"]]
    for wrong in ("maybe", "newcomers", "newcomers x", "newcomers 61", "newcomers -1", "accounts 3"):
        answer = ann.tell(f"/guard {wrong}")
        assert answer.code == Code.BAD_ARGUMENTS and answer.words.startswith("usage: /guard ["), wrong
    for wrong in ("moderated on", "key", "key a b", "nothing off", f"key {'x' * 65}"):
        assert ann.tell(f"/set * {wrong}").code == Code.BAD_ARGUMENTS, wrong
    assert ann.tell("/guard off").words == "it is so already"
    for command in ("/guard", "/guard off", "/set *", "/set * key x", "/invite * ann", "/uninvite * ann"):
        assert eve.tell(command).code == Code.NEED_ROLE, command
    assert told(eve.seen())[1:] == [], "nobody else is told of any of this"


def test_the_servers_password(host: Host) -> None:
    """Who knows it comes in; its guesses are counted by network; it is stored nowhere; a restart keeps it."""
    ann, bob = host.owner("ann"), host.come("bob")
    token = bob.welcome.token
    assert ann.do(f"/set * key {WORD}").words == "key on"
    assert ann.do("/set *").rows == '[["key","on"]]'
    status = host.refused("eve")
    assert (status.code, status.reason) == (
        Code.BAD_KEY,
        "this server has a password: whoever invited you can tell you",
    )
    wrong = Person.refused(host.address, "eve", with_key("open"))
    assert (wrong.code, wrong.reason) == (Code.BAD_KEY, "this is not the password of this server")
    host.come("eve", with_key(WORD))
    person, status = Person.ask_for(host.address, "zoe")
    with person:  # on the same connection, too
        assert status.code == Code.BAD_KEY
        assert person.ask("zoe", hello=False).verdict is Verdict.FAIL
    host.restart()
    host.come("bob", token=token), host.login("ann")
    assert host.refused("zoe").code == Code.BAD_KEY
    assert all(WORD.encode() not in path.read_bytes() for path in host.data.parent.iterdir())
    source = "127.0.0.9"
    for _ in range(NETWORK_GUESSES):
        assert Person.refused(host.address, "zoe", with_key("open"), source=source).code == Code.BAD_KEY
    status = Person.refused(host.address, "zoe", with_key(WORD), source=source)
    assert status.code == Code.SLOW_DOWN and "try again in" in status.reason
    host.come("zoe", with_key(WORD))


def test_who_asks_without_the_servers_password_is_no_warning(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    """A client asks first without it, at each entry. A wrong one is a warning, without the password."""
    host.owner("ann").do(f"/set * key {WORD}")
    assert host.refused("eve").code == Code.BAD_KEY
    person, _ = Person.ask_for(host.address, "zoe")
    person.close()
    assert "has a password" not in caplog.text
    assert Person.refused(host.address, "eve", with_key("open")).code == Code.BAD_KEY
    assert "this is not the password of this server" in caplog.text and "open" not in caplog.text


def test_a_client_shows_the_servers_password(host: Host) -> None:
    """With it the object comes in, also as another person; it comes back without being asked; without it, or
    with another one, the error says so; over an open network it is not sent at all."""
    ann = host.owner("ann")
    ann.do(f"/set * key {WORD}")
    port = int(host.address.rpartition(":")[2])
    for wrong in (None, "open"):
        with pytest.raises(BadKey, match="password"):
            Client(port=port, name="bot", server_password=wrong).connect()
    with Client(port=port, name="bot", server_password=WORD) as bot:
        assert bot.say("hello").wait(PATIENCE)
        bot._opening.cut()
        assert bot.say("again").wait(PATIENCE)
        bot.login("ann", PASSWORD)
        assert bot.account == "ann" and WORD not in repr(bot)


def test_an_ended_client_does_not_come_back(host: Host) -> None:
    """The client of a stranger ends with the reason."""
    ann = host.owner("ann")
    port = int(host.address.rpartition(":")[2])
    with Client(port=port, name="eve") as eve:
        ann.do("/guard accounts")
        ended = next(one for one in eve.updates(PATIENCE) if isinstance(one, Ended))
        assert isinstance(ended.error, Refused) and "with an account" in ended.reason


# --- a raid -------------------------------------------------------------------------------------------------


class Raid:
    """Connections that send lines, names and searches as fast as the server takes them, from 20 addresses."""

    def __init__(self, address: str, number: int) -> None:
        self._stack = ExitStack()
        self.peers = [
            self._stack.enter_context(Peer.come_in(address, f"raider{n}", source=f"127.0.1.{1 + n % 20}"))
            for n in range(number)
        ]
        self._stop = threading.Event()
        self._floods = [self._flood(n) for n in range(number)]
        self._task = Task(self._run)

    def _flood(self, number: int) -> bytes:
        """Some thousand packets: ids rise."""
        packets: list[Packet] = []
        for id in range(1, 1200):
            packets.append(Say(id, "#general", f"spam {id}"))
            if not id % 10:
                packets.append(Command(id, "#general", f"/nick spam{number}x{id}"))
        return b"".join(map(encode, packets))

    def _run(self) -> None:
        left = dict(enumerate(self._floods))
        for peer in self.peers:
            peer.socket.setblocking(False)
        while left and not self._stop.is_set():
            for number, data in [*left.items()]:
                try:
                    sent = self.peers[number].socket.send(data[:8192])
                    left[number] = data[sent:]
                except BlockingIOError:
                    pass
                except OSError:  # the server has ended it
                    del left[number]
                with suppress(OSError):
                    while self.peers[number].socket.recv(65536):
                        pass
            self._stop.wait(0.002)

    def __enter__(self) -> Raid:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._task.result()
        self._stack.close()


def is_spam(packet: Packet) -> bool:
    return isinstance(packet, Event) and packet.text.startswith("spam")


def stand_a_raid(host: Host, number: int) -> tuple[float, float]:
    """A raid, and the one command. Seconds until its answer came, and until all was quiet."""
    ann, bob = host.owner("ann"), host.come("bob")
    grow_old(host)
    with Raid(host.address, number) as raid:
        bob.wait_for(is_spam)
        began = monotonic()
        ann.do("/guard accounts")
        answered = monotonic() - began
        said = bob.say("#general", "is it over?")
        assert isinstance(said, Event)
        look = host.app.chatroom._forwarder.look
        eventually(lambda: look(lambda state: len(state.members)).result() == 2, "raiders are in", SECONDS)
        quiet = monotonic() - began
        known = len(bob.packets)
        assert isinstance(bob.say("#general", "it is"), Event)
        assert not any(map(is_spam, bob.packets[known:]))
        ended = next(
            n for n, packet in enumerate(ann.packets) if isinstance(packet, Answer) and packet.id == 3
        )
        ann.seen()
        assert not any(map(is_spam, ann.packets[ended:])), "nothing was said after the answer"
        assert host.refused("raider0").code == Code.NEED_LOGIN
        assert not any(isinstance(packet, Bye) for packet in (*ann.packets, *bob.packets))
        assert len(raid.peers) == number
    return answered, quiet


@pytest.mark.parametrize("number", [10, *(pytest.param(n, marks=pytest.mark.slow) for n in (40, 200))])
def test_a_raid(host: Host, number: int) -> None:
    """From 20 addresses: with the answer to the one command it is quiet, and the command does not wait behind
    the raiders; members notice nothing."""
    answered, quiet = stand_a_raid(host, number)
    print(f"answered after {answered:.2f} s, quiet after {quiet:.2f} s")
    assert answered < SECONDS and quiet < SECONDS
