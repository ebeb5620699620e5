"""client/login.py: one connection after the other, without losing or doubling anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.errors import ChatroomError
from chatroom.outcomes import Code
from chatroom.packets import (
    Answer,
    Bye,
    Command,
    Credential,
    Ping,
    Pong,
    Say,
    Status,
    Username,
    Verdict,
)
from client import (
    BadPassword,
    CaughtUp,
    Channel,
    Client,
    Closed,
    ConfigError,
    Connected,
    ConnectionLost,
    Disconnected,
    Ended,
    Event,
    LoggedIn,
    NameRefused,
    NeedEncryption,
    NeedLogin,
    NotLoggedIn,
    Refused,
)
from client.link import Link
from client.updates import Update
from tests.client.fake_server import FakeServer, channel, live, own, welcome
from tests.client.log_server import ACCOUNT, DORA, GUEST, PASSWORD, LogServer
from tests.client.test_account import TOKEN, Drawer
from tests.support.events import NOON, said
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import PacketSocket
from tests.support.tasks import Task

SECOND = b"U" * 16
"""The token of the session after the login."""


class Stage:
    """A fake server with one client, ann, who is connected and live."""

    def __init__(self, server: FakeServer, **options: object) -> None:
        self.server = server
        self.client = Client(port=server.port, name="ann", **options)  # type: ignore[arg-type]
        connecting = Task(self.client.connect)
        self.peer, _ = server.admit(said(1), live(1), head=1)
        connecting.result()
        assert [type(self.update()) for _ in range(3)] == [Connected, Event, CaughtUp]

    def update(self) -> Update:
        """The next update that is no Channel."""
        updates = self.client.updates(PATIENCE)
        update = next((update for update in updates if not isinstance(update, Channel)), None)
        assert update is not None, "no update came"
        return update

    def login(self, password: str | None = "secret") -> tuple[Future[None], PacketSocket, Username]:
        """A login as dora, up to its USERNAME."""
        done = self.client.begin_login("dora", password)
        return done, *self.server.named()

    def change(self, done: Future[None], lobby: PacketSocket) -> PacketSocket:
        """The rest of a login; the new connection, up to LIVE."""
        member, _ = self.server.offer(lobby)
        member.send(welcome("Dora", SECOND, person=DORA), channel(), live(1))
        self.peer.expect(Bye)
        self.peer.close()
        done.result(PATIENCE)
        return member


@pytest.fixture
def stage() -> Iterator[Stage]:
    with FakeServer() as server:
        made = Stage(server)
        yield made
        server.dismiss(made.client)


def test_the_change(stage: Stage) -> None:
    """Another connection, another session, the account's name; BYE on the old connection after WELCOME."""
    done, lobby, asked = stage.login()
    assert asked == Username("dora", bytes(16), ((Credential.PASSWORD, b"secret"),))
    member, admit = stage.server.offer(lobby)
    assert (admit.name, admit.channels, admit.since, admit.time) == ("dora", ("#general",), 1, NOON)
    assert not done.done()
    stage.peer.send(Ping(1))
    member.send(welcome("Dora", SECOND, person=DORA), channel(), said(2), live(2))
    assert [type(packet) for packet in stage.peer.rest() if not isinstance(packet, Pong)] == [Bye]
    stage.peer.close()
    assert stage.update() == LoggedIn("Dora", "dora")
    assert [stage.update() for _ in range(2)] == [said(2), CaughtUp(2, True)]
    done.result(PATIENCE)
    assert (stage.client.name, stage.client.account) == ("Dora", "dora")
    line = stage.client.say("hello")
    member.send(own(3, member.expect(Say), "Dora", DORA))
    assert line.wait(PATIENCE)
    assert stage.update().person == DORA  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.BAD_PASSWORD, BadPassword),
        (Code.NEED_ENCRYPTION, NeedEncryption),
        (Code.SLOW_DOWN, Refused),
        (Code.NAME_TAKEN, NameRefused),
    ],
)
def test_a_wrong_password_costs_nothing(stage: Stage, code: Code, kind: type[ChatroomError]) -> None:
    """The error says why, and the connection is as it was."""
    done, lobby, _ = stage.login()
    early = stage.client.say("typed meanwhile")
    stage.peer.send(own(2, stage.peer.expect(Say)))
    assert early.wait(PATIENCE)
    lobby.send(Status(Verdict.FAIL, code, "not so"))
    with pytest.raises(kind, match="not so"):
        done.result(PATIENCE)
    lobby.expect_end()
    assert isinstance(stage.update(), Event)
    assert stage.update() == NotLoggedIn("not so", code)
    line = stage.client.say("hello")
    stage.peer.send(own(3, stage.peer.expect(Say)))
    assert line.wait(PATIENCE)
    assert (stage.client.name, stage.client.account) == ("ann", "")


def test_login_waits_for_its_outcome(stage: Stage) -> None:
    """`login` returns when the client is the account's person, and raises what went wrong."""
    logging_in = Task(lambda: stage.client.login("dora", "wrong"))
    lobby, _ = stage.server.named()
    lobby.send(Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong"))
    with pytest.raises(BadPassword):
        logging_in.result()
    logging_in = Task(lambda: (stage.client.login("dora", "secret"), stage.client.account)[1])
    lobby, _ = stage.server.named()
    member, _ = stage.server.offer(lobby)
    member.send(welcome("Dora", SECOND, person=DORA), channel(), live(1))
    stage.peer.expect(Bye)
    stage.peer.close()
    assert logging_in.result() == "dora"


def test_what_is_on_its_way_is_settled_first(stage: Stage) -> None:
    """Lines and commands that were sent are answered on the old connection; later ones go to the new one."""
    line, id = stage.client.say("before"), stage.client.command("/who")
    say, _ = stage.peer.expect(Say), stage.peer.expect(Command)
    done, lobby, _ = stage.login()
    offering = Task(lambda: stage.server.offer(lobby))
    eventually(lambda: stage.client._pending._held, "nothing is held")
    late = stage.client.say("after")
    offering.join(0.05)
    assert offering.is_alive(), "ADMIT came before the line was settled"
    stage.peer.send(own(2, say), Answer(id, Code.OK, "here"))
    member, admit = offering.result()
    assert admit.since == 2
    member.send(welcome("dora", SECOND, person=DORA), channel(), live(2))
    stage.peer.expect(Bye)
    stage.peer.close()
    assert member.expect(Say).text == "after"
    assert line.stored and not late.stored
    done.result(PATIENCE)


def test_lines_that_are_not_settled_in_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login fails, nothing is sent twice, and the lines go on to wait for their events."""
    monkeypatch.setattr("client.login.SETTLE_SECONDS", 0.02)
    line = stage.client.say("before")
    say = stage.peer.expect(Say)
    done, lobby, _ = stage.login()
    with suppressed_end():
        stage.server.offer(lobby)
    with pytest.raises(ConnectionLost, match="on its way"):
        done.result(PATIENCE)
    stage.peer.send(own(2, say))
    assert line.wait(PATIENCE)


def suppressed_end() -> pytest.RaisesExc[AssertionError]:
    """The client hangs up where ADMIT was expected."""
    return pytest.raises(AssertionError, match="None instead of Admit")


@pytest.mark.parametrize("answer", ["fail", "bye", "end"])
def test_not_admitted_after_the_password_was_right(stage: Stage, answer: str) -> None:
    """Whatever the server says instead of WELCOME: events that came meanwhile are told, and all goes on."""
    done, lobby, _ = stage.login()
    member, _ = stage.server.offer(lobby)
    stage.peer.send(said(2))
    if answer == "fail":
        member.send(Status(Verdict.FAIL, Code.FULL, "full"))
    elif answer == "bye":
        member.send(Bye(True, Code.STOPPING, "full"))
    member.close()
    with pytest.raises(ChatroomError):
        done.result(PATIENCE)
    updates = [stage.update() for _ in range(2)]
    assert {type(update) for update in updates} == {NotLoggedIn, Event}
    line = stage.client.say("hello")
    stage.peer.send(own(3, stage.peer.expect(Say)))
    assert line.wait(PATIENCE)


def test_events_during_the_change_come_once(stage: Stage) -> None:
    """What the old connection brings between ADMIT and its end is told by the new one alone."""
    done, lobby, _ = stage.login()
    member, admit = stage.server.offer(lobby)
    stage.peer.send(said(2), said(3))
    member.send(welcome("dora", SECOND, person=DORA, head=2), channel(), said(2))
    stage.peer.send(said(4))
    assert stage.peer.expect(Bye)
    stage.peer.close()
    member.send(said(3), live(3), said(4), said(5))
    done.result(PATIENCE)
    found = [stage.update() for _ in range(6)]
    assert admit.since == 1
    assert found[0] == LoggedIn("dora", "dora")
    assert [update.seq for update in found[1:]] == [2, 3, 3, 4, 5]  # type: ignore[union-attr]  # 3: LIVE


def test_an_old_connection_that_the_server_does_not_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut; the new one does not wait for it for long."""
    monkeypatch.setattr("client.login.PART_SECONDS", 0.02)
    done, lobby, _ = stage.login()
    member, _ = stage.server.offer(lobby)
    member.send(welcome("dora", SECOND, person=DORA), channel(), live(1))
    done.result(PATIENCE)
    stage.peer.expect(Bye)
    assert stage.peer.receive() is None


def test_the_old_connection_breaks_during_the_handshake(stage: Stage) -> None:
    """A login that goes on takes its place; nothing is lost, and the user is told of no loss."""
    done, lobby, _ = stage.login()
    member, _ = stage.server.offer(lobby)
    stage.peer.close()
    member.send(welcome("dora", SECOND, person=DORA), channel(), said(2), live(2))
    done.result(PATIENCE)
    assert [stage.update() for _ in range(3)] == [LoggedIn("dora", "dora"), said(2), CaughtUp(2, True)]


def test_the_old_connection_breaks_before_its_goodbye(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new connection takes its place, and stays: the goodbye was not meant for it."""
    part, changed, parted = Link.part, threading.Event(), threading.Event()

    def late(link: Link, seconds: float) -> None:
        changed.wait(PATIENCE)
        part(link, seconds)
        parted.set()

    monkeypatch.setattr(Link, "part", late)
    done, lobby, _ = stage.login()
    member, _ = stage.server.offer(lobby)
    stage.peer.close()
    member.send(welcome("dora", SECOND, person=DORA), channel(), live(1))
    done.result(PATIENCE)
    assert [stage.update() for _ in range(2)] == [LoggedIn("dora", "dora"), CaughtUp(1, True)]
    changed.set()
    assert parted.wait(PATIENCE)
    line = stage.client.say("still here")
    member.send(own(2, member.expect(Say), "dora", DORA))
    assert line.wait(PATIENCE)
    assert isinstance(stage.update(), Event)
    member.send(Ping(7))
    assert member.expect(Pong) == Pong(7)


def test_a_login_cannot_be_cancelled(stage: Stage) -> None:
    """Whoever waits for its outcome may give up waiting; that does no harm to the client."""
    done, lobby, _ = stage.login()
    assert not done.cancel()
    stage.change(done, lobby)
    assert stage.client.connected


def test_both_connections_break(stage: Stage) -> None:
    """The login fails, and the client comes back as who it was."""
    done, lobby, _ = stage.login()
    stage.peer.close()
    lobby.close()
    with pytest.raises(ConnectionLost):
        done.result(PATIENCE)
    _, asked = stage.server.named()
    assert (asked.name, asked.token, asked.credentials) == ("ann", b"T" * 16, ())
    assert {type(stage.update()) for _ in range(2)} == {NotLoggedIn, Disconnected}


def test_one_login_at_a_time(stage: Stage) -> None:
    """A second one is refused while the first is under way, and possible after it."""
    done, lobby, _ = stage.login()
    with pytest.raises(ConfigError, match="under way"):
        stage.client.begin_login("emil", "secret")
    lobby.close()
    with pytest.raises(ConnectionLost):
        done.result(PATIENCE)
    done, lobby, _ = stage.login()
    stage.change(done, lobby)
    stage.client.begin_login("emil", "secret")
    stage.server.named()


def test_nothing_to_log_in_from() -> None:
    """Without a connection, and without a password, it is told at once."""
    with FakeServer() as server:
        stage = Stage(server)
        for wrong in ("", "x" * 2000):
            with pytest.raises(ConfigError):
                stage.client.begin_login("dora", wrong)
        with pytest.raises(NeedLogin):
            stage.client.login("dora")
        stage.peer.close()
        assert isinstance(stage.update(), Disconnected)
        with pytest.raises(ConnectionLost, match="no connection"):
            stage.client.login("dora", "secret")
        server.dismiss(stage.client)
        with pytest.raises(ConnectionLost):
            stage.client.login("dora", "secret")


@pytest.mark.parametrize("moment", ["lobby", "admit", "settling"])
def test_closing_during_a_login(moment: str) -> None:
    """close() ends a login at once, and leaves no thread."""
    with FakeServer() as server:
        stage = Stage(server)
        if moment == "settling":
            stage.client.say("on its way")
        done, lobby, _ = stage.login()
        if moment == "admit":
            stage.server.offer(lobby)
        offering = Task(lambda: stage.server.offer(lobby)) if moment == "settling" else None
        if offering is not None:
            eventually(lambda: stage.client._pending._held, "nothing is held")
        server.dismiss(stage.client)
        with pytest.raises(ChatroomError):
            done.result(PATIENCE)
        if offering is not None:
            with pytest.raises((AssertionError, OSError)):  # no ADMIT comes
                offering.result()
        *_, last = stage.client.updates(PATIENCE)
        assert last == Ended("closed", None)
        assert threading.active_count() == 1


def test_closing_between_two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is closed when the old connection has just ended closes the new one, too."""
    with FakeServer() as server:
        stage = Stage(server)
        done, lobby, _ = stage.login()
        member, _ = stage.server.offer(lobby)
        stage.client._closing.set()
        member.send(welcome("dora", SECOND, person=DORA), channel(), live(1))
        stage.peer.expect(Bye)
        stage.peer.close()
        member.expect_end()
        with pytest.raises(Closed):
            done.result(PATIENCE)
        server.dismiss(stage.client)


def test_a_login_by_what_this_computer_has_kept() -> None:
    """Without a password the kept tokens are tried; when none is valid, the password is needed."""
    with FakeServer() as server:
        stage = Stage(server, tokens=Drawer(b"a", TOKEN))
        done, lobby, asked = stage.login(None)
        assert asked.credentials == ((Credential.DEVICE_TOKEN, b"a"),)
        lobby.send(Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong"))
        assert lobby.expect(Username).credentials == ((Credential.DEVICE_TOKEN, TOKEN),)
        lobby.send(Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong"))
        with pytest.raises(NeedLogin, match="not valid any more"):
            done.result(PATIENCE)
        server.dismiss(stage.client)


def test_a_login_by_password_is_remembered() -> None:
    """The client asks for a device token by itself, keeps it, and shows nothing of that."""
    drawer = Drawer()
    with FakeServer() as server:
        stage = Stage(server, tokens=drawer)
        done, lobby, _ = stage.login()
        member = stage.change(done, lobby)
        command = member.expect(Command)
        assert command.text.startswith("/device ")
        rows = f'[["token", "Dora", "{TOKEN.hex()}"]]'
        member.send(Answer(command.id, Code.OK, "this program is remembered", rows), said(2))
        assert [type(stage.update()) for _ in range(3)] == [LoggedIn, CaughtUp, Event]
        assert drawer.kept == [("Dora", b"I" * 16, TOKEN)]
        assert stage.client.account == "Dora"
        server.dismiss(stage.client)


def test_coming_back_after_a_login() -> None:
    """By the session's token; if that is forgotten, by a device token; else the end says what is needed."""
    drawer = Drawer()
    with FakeServer() as server:
        stage = Stage(server, tokens=drawer)
        done, lobby, _ = stage.login()
        stage.change(done, lobby).close()
        lobby, asked = server.named()
        assert (asked.name, asked.token, asked.credentials) == ("Dora", SECOND, ())
        drawer.tokens = [TOKEN]
        lobby.send(Status(Verdict.FAIL, Code.NEED_LOGIN, "Dora is owned"))
        asked = lobby.expect(Username)
        assert (asked.name, asked.credentials) == ("dora", ((Credential.DEVICE_TOKEN, TOKEN),))
        member, _ = server.offer(lobby, same=True)
        member.send(welcome("Dora", b"V" * 16, person=DORA), channel(), live(1))
        while not isinstance(found := stage.update(), Connected):
            pass
        assert found == Connected("Dora", "#general", True, "dora")
        member.close()
        lobby, _ = server.named()
        drawer.tokens = []
        lobby.send(Status(Verdict.FAIL, Code.NEED_LOGIN, "Dora is owned"))
        *_, ended = stage.client.updates(PATIENCE)
        assert isinstance(ended, Ended) and isinstance(ended.error, NeedLogin)
        server.dismiss(stage.client)


# --- wherever connections are cut --------------------------------------------------------------------------

STEPS = st.lists(st.sampled_from(["happen", "say", "login", "wrong", "pause"]), min_size=1, max_size=14)
CUTS = st.lists(st.integers(0, 1500), max_size=4)


@settings(max_examples=8, deadline=None)
@given(STEPS, CUTS)
def test_nothing_is_lost_or_doubled_wherever_it_is_cut(steps: list[str], cuts: list[int]) -> None:
    """Logins, lines, events of others and broken connections in any order: each event is told once, in order,
    and each line is in the log once."""
    play(steps, cuts)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(STEPS, CUTS)
def test_nothing_is_lost_or_doubled_at_length(steps: list[str], cuts: list[int]) -> None:
    """The same, more often."""
    play(steps, cuts)


def play(steps: list[str], cuts: list[int]) -> None:
    said_texts: list[str] = []
    with LogServer([10_000, *cuts]) as server:
        client = Client(port=server.port, name="ann").connect()
        try:
            for number, step in enumerate(steps):
                if step == "happen":
                    server.happen(f"event {number}")
                elif step == "say":
                    said_texts.append(f"line {number}")
                    client.say(said_texts[-1])
                elif step == "pause":
                    client.flush(PATIENCE)
                else:
                    _try_login(client, PASSWORD if step == "login" else "wrong", wait=number % 2 == 0)
            assert client.flush(PATIENCE)
            server.happen("the end")
            told = []
            for update in client.updates(PATIENCE):
                assert not isinstance(update, Ended)
                if isinstance(update, Event):
                    told.append(update)
                    if update.text == "the end":
                        break
        finally:
            client.close()
    assert [event.seq for event in told] == list(range(1, len(server.log) + 1))
    assert told == server.log
    assert [event.text for event in server.log if event.person in (GUEST, DORA)] == said_texts


def _try_login(client: Client, password: str, wait: bool) -> None:
    try:
        done = client.begin_login(ACCOUNT, password)
        if wait:
            done.result(PATIENCE)
            assert client.account == ACCOUNT
    except (ConnectionLost, ConfigError, BadPassword, Refused):
        pass  # there is no connection at the moment, a login is under way, or a cut has ended it
