"""client/client.py: the client as an object."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest

from chatroom.errors import ChatroomError
from chatroom.events import EventKind
from chatroom.outcomes import Code
from chatroom.packets import Bye, Channel, Credential, Port, Replay, Say, Status, Username, Verdict
from client import (
    CaughtUp,
    Client,
    Closed,
    ConfigError,
    Connected,
    ConnectionLost,
    Disconnected,
    Ended,
    NameRefused,
    NeedLogin,
    ProtocolError,
    Refused,
    Retrying,
)
from client.backoff import Backoff
from client.limits import RETRY_LONGEST
from client.updates import Update
from tests.client.fake_server import TICKET, TOKEN, FakeServer, live, own, welcome
from tests.client.fake_server import channel as channel_of
from tests.client.slow_system import SlowSystem
from tests.support.events import said
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import PacketSocket
from tests.support.tasks import Task


def connected(server: FakeServer, **options: object) -> tuple[Client, PacketSocket]:
    """A client that is live, its first two updates taken, and the server's end."""
    client = Client(port=server.port, name="ann", **options)  # type: ignore[arg-type]
    connecting = Task(client.connect)
    peer, _ = server.admit(live(0))
    assert connecting.result() is client
    assert [type(update(client)) for _ in range(2)] == [Connected, CaughtUp]
    return client, peer


def update(client: Client) -> Update:
    """The next update that is no Channel."""
    found = next((found for found in client.updates(PATIENCE) if not isinstance(found, Channel)), None)
    assert found is not None, "no update came"
    return found


def until_ended(client: Client) -> Ended:
    *_, last = client.updates(PATIENCE)
    assert isinstance(last, Ended), last
    return last


# --- connecting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same", [False, True], ids=["new port", "same connection"])
def test_connecting(same: bool) -> None:
    """connect() asks for the name, channel and lines; the name is the one that the server gives."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann", channel="#Test", lines=7)
        connecting = Task(client.connect)
        peer, wanted = server.admit(same=same)
        connecting.result()
        assert (wanted.name, wanted.channels, wanted.since, wanted.lines) == ("ann", ("#test",), 0, 7)
        assert update(client) == Connected("ann", "#test", False)
        assert client.connected
        assert "ann" in repr(client)
        peer.send(said(1, "a"), said(2, "b"), live(2), said(3, "c"))
        assert [update(client) for _ in range(4)] == [
            said(1, "a"),
            said(2, "b"),
            CaughtUp(2, False),
            said(3, "c"),
        ]
        server.dismiss(client)


def test_who_is_where_is_known_when_connect_returns() -> None:
    """It waits for the first part of the greeting, and not for the replay, which may be long."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann", channels=("#test", "#tea"))
        connecting = Task(client.connect)
        lobby, wanted = server.named()
        peer, _ = server.offer(lobby, same=True)
        peer.send(welcome(wanted.name), channel_of("#test", 2), channel_of("#tea", 3))
        eventually(lambda: len(client.rooms) == 2, "the channels are not known")
        assert connecting.is_alive()
        peer.send(Replay(0))
        connecting.result()
        assert [room.name for room in client.rooms] == ["#test", "#tea"]
        assert client.people == 2
        assert [member.name for member in client.members()] == ["bob", "ann"]
        server.dismiss(client)


def test_connect_does_not_wait_for_a_server_that_hangs_up() -> None:
    """Nor for one that says nothing, see GREETING_SECONDS."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann", reconnect=False)
        connecting = Task(client.connect)
        lobby, wanted = server.named()
        peer, _ = server.offer(lobby, same=True)
        peer.send(welcome(wanted.name))
        peer.close()
        connecting.result()
        assert client.rooms == []
        server.dismiss(client)


def test_a_refused_name_can_be_changed() -> None:
    """After NameRefused the same client connects under another name."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann")
        connecting = Task(client.connect)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is in use"))
        with pytest.raises(NameRefused, match="in use"):
            connecting.result()
        client.name = "ann2"
        connecting = Task(client.connect)
        assert server.admit()[1].name == "ann2"
        connecting.result()
        with pytest.raises(ConfigError):
            client.name = "ann3"
        with pytest.raises(ConfigError):
            client.connect()
        server.dismiss(client)


def test_another_name_is_tried_without_leaving_the_lobby() -> None:
    """`another_name` is asked with the reason."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann", another_name=lambda reason: "ann" + reason[-1])
        connecting = Task(client.connect)
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "try 7"))
        assert lobby.receive().name == "ann7"  # type: ignore[union-attr]
        server.offer(lobby)[0].close()
        with pytest.raises(ConnectionLost):
            connecting.result()
        server.dismiss(client)


def refuse(lobby: PacketSocket, code: Code, words: str = "no") -> None:
    lobby.send(Status(Verdict.FAIL, code, words))


def test_connecting_with_a_password() -> None:
    """The password goes with the first USERNAME; then the client is logged in to the account of that name."""
    with FakeServer() as server:
        client = Client(port=server.port, name="dora", password="secret")
        connecting = Task(client.connect)
        lobby, asked = server.named()
        assert asked.credentials == ((Credential.PASSWORD, b"secret"),)
        member, _ = server.offer(lobby, same=True)
        member.send(welcome("Dora"), live(0))
        connecting.result()
        assert update(client) == Connected("Dora", "#general", False, "dora")
        assert client.account == "dora"
        server.dismiss(client)


def test_a_device_token_is_for_when_the_server_asks() -> None:
    """It is not shown to a server that gives the name to anybody."""
    for needed in (False, True):
        with FakeServer() as server:
            client = Client(port=server.port, name="dora", token=b"t" * 32)
            connecting = Task(client.connect)
            lobby, asked = server.named()
            assert asked.credentials == ()
            if needed:
                refuse(lobby, Code.NEED_LOGIN)
                assert lobby.expect(Username).credentials == ((Credential.DEVICE_TOKEN, b"t" * 32),)
            member, _ = server.offer(lobby, same=True)
            member.send(welcome("dora"), live(0))
            connecting.result()
            assert client.account == ("dora" if needed else "")
            server.dismiss(client)


def test_the_user_is_asked_for_a_password_on_the_same_connection() -> None:
    """`ask_password` gets the reasons; without an answer the refusal is raised."""
    answers: list[str | None] = ["wrong", "secret", None]
    reasons: list[str] = []

    def ask(reason: str) -> str | None:
        reasons.append(reason)
        return answers.pop(0)

    with FakeServer() as server:
        client = Client(port=server.port, name="dora", ask_password=ask)
        for giving_up in (False, True):
            connecting = Task(client.connect)
            lobby, _ = server.named()
            refuse(lobby, Code.NEED_LOGIN, "dora is owned")
            if giving_up:
                with pytest.raises(NeedLogin):
                    connecting.result()
            else:
                assert lobby.expect(Username).credentials == ((Credential.PASSWORD, b"wrong"),)
                refuse(lobby, Code.BAD_PASSWORD, "wrong")
                assert lobby.expect(Username).credentials == ((Credential.PASSWORD, b"secret"),)
                lobby.close()
                with pytest.raises(ConnectionLost):
                    connecting.result()
        assert reasons == ["dora is owned", "wrong", "dora is owned"]
        client.close()


def test_what_is_no_password_is_told_before_anything_is_sent() -> None:
    """An empty text, or one that is too long, needs no server."""
    for wrong in ("", "x" * 2000):
        with pytest.raises(ConfigError):
            Client(name="dora", password=wrong)


def test_a_started_client_that_needs_a_login() -> None:
    """It ends with the error, which has its code; nobody is asked."""
    with FakeServer() as server:
        client = Client(port=server.port, name="dora", ask_password=lambda reason: "secret").start()
        lobby, _ = server.named()
        refuse(lobby, Code.NEED_LOGIN, "dora is owned")
        error = until_ended(client).error
        assert isinstance(error, NeedLogin) and error.code is Code.NEED_LOGIN
        client.close()


def test_a_session_that_is_forgotten_is_no_account() -> None:
    """A client that comes back keeps its account with its session; in another session it is a guest."""
    with FakeServer() as server:
        client = Client(port=server.port, name="dora", password="secret")
        connecting = Task(client.connect)
        peer, _ = server.admit(live(0))
        connecting.result()
        for token, account in ((TOKEN, "dora"), (b"U" * 16, "")):
            peer.close()
            peer, _ = server.admit(live(0), token=token)
            while not isinstance(found := update(client), Connected) or not found.resumed:
                pass
            assert found.account == client.account == account
        server.dismiss(client)


def test_several_channels() -> None:
    """All are asked for; the first one is that of lines that name none."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann", channels=("#A", "#b", "#a"))
        connecting = Task(client.connect)
        _, wanted = server.admit(live(0))
        connecting.result()
        assert wanted.channels == client.asked == ("#a", "#b")
        assert client.channel == "#a"
        server.dismiss(client)
    for wrong in ("#a", ["#a"] * 51):
        with pytest.raises(ConfigError):
            Client(name="ann", channels=wrong)


def test_what_cannot_work_is_refused_before_anything_is_sent() -> None:
    """Bad names, channels, ports and numbers need no server."""
    for name, channel in [("", "#general"), ("a b", "#general"), ("ann", "general"), ("x" * 200, "#general")]:
        with pytest.raises(NameRefused):
            Client(name=name, channel=channel).connect()
    for options in [
        {"port": 0},
        {"port": 70000},
        {"lines": -1},
        {"lines": 70000},
        {"dead_after": 0},
        {"dead_after": 1e300},
    ]:
        with pytest.raises(ConfigError):
            Client(name="ann", **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        Client(name="ann", retry_for=-1)


def test_no_server_no_threads() -> None:
    """connect() raises when there is no server, or the server is no chatroom; no thread or socket is left."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann")
        connecting = Task(client.connect)
        server.named()[0].socket.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        with pytest.raises(ProtocolError):
            connecting.result()
    with pytest.raises(ConnectionLost, match="refused"):
        client.connect()
    assert threading.active_count() == 1
    client.close()
    client.close()


# --- the end -----------------------------------------------------------------------------------------------


def test_close_says_what_is_queued_and_goodbye_and_stops_everything() -> None:
    """Lines, then BYE, then the end of the stream; no thread is left, and iteration ends."""
    with FakeServer() as server:
        client, peer = connected(server)
        client.say("last words")
        closing = Task(client.close)
        assert peer.expect(Say).text == "last words"
        assert peer.expect(Bye) == Bye(False, Code.GOODBYE, "")
        peer.expect_end()
        peer.close()
        closing.result()
        assert threading.active_count() == 1
        assert list(client.updates()) == [Ended("closed", None)]
        assert list(client) == []
        with pytest.raises(Closed):
            client.say("more")
        client.close()


@pytest.mark.slow
def test_close_does_not_depend_on_the_server() -> None:
    """close() takes at most two seconds, also when the server neither answers nor reads."""
    with FakeServer() as server:
        client, _ = connected(server)
        for _ in range(100):
            client.say("x" * 60_000)
        began = time.monotonic()
        client.close()
        assert time.monotonic() - began < 2
        assert threading.active_count() == 1


def test_close_while_connecting() -> None:
    """Another thread may close a client whose server does not answer the handshake."""
    with FakeServer() as server:
        client = Client(port=server.port, name="ann")
        connecting = Task(client.connect)
        server.named()
        client.close()
        with pytest.raises((ConnectionLost, Closed)):
            connecting.result()


def test_close_while_a_host_is_looked_up() -> None:
    """Name servers that do not answer do not delay close()."""
    with SlowSystem() as system:
        client = Client("slow.example", name="ann").start()
        eventually(lambda: system.asked == ["slow.example"], "the host is not looked up")
        began = time.monotonic()
        client.close()
        assert time.monotonic() - began < 1
        assert until_ended(client) == Ended("closed", None)


@pytest.mark.parametrize("moment", ["pause", "handshake"])
def test_close_while_retrying_is_immediate(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a pause between two tries nor a server that hangs in the handshake delays close()."""
    if moment == "pause":
        monkeypatch.setattr(Backoff, "next", lambda _: RETRY_LONGEST)
    with FakeServer() as server:
        client, peer = connected(server)
        peer.close()
        assert isinstance(update(client), Disconnected)
        if moment == "pause":
            retrying = update(client)
            assert isinstance(retrying, Retrying)
            assert retrying.seconds == RETRY_LONGEST
        else:
            server.named()
        began = time.monotonic()
        client.close()
        assert time.monotonic() - began < 1  # milliseconds, but this machine may be busy
        assert until_ended(client) == Ended("closed", None)


def test_the_with_block() -> None:
    """The with block connects, waits a moment for its lines to be stored, and closes."""
    with FakeServer() as server:
        play = Task(lambda: _store_one_line(server))
        with Client(port=server.port, name="ann") as client:
            line = client.say("hello")
        play.result()
        assert line.stored
        assert threading.active_count() == 1


def _store_one_line(server: FakeServer) -> None:
    peer, _ = server.admit(live(0))
    say = peer.expect(Say)
    peer.send(own(1, say))
    peer.expect(Bye)
    peer.close()


def test_a_line_that_is_said_early_goes_to_the_channel() -> None:
    """A started client takes lines before the server is there; they name the channel as the server does."""
    with FakeServer() as server:
        server.stop()
        client = Client(port=server.port, name="ann", channel="#Test").start()
        line = client.say("hello")
        assert isinstance(next(client.updates()), Retrying)
        server.again()
        peer, _ = server.admit(live())
        say = peer.expect(Say)
        assert (say.id, say.channel) == (line.id, "#test")
        with pytest.raises(ConfigError, match="connected already"):
            client.connect()
        server.dismiss(client)


def test_connecting_to_a_server_that_comes_later() -> None:
    """If it is told to, connect() waits for a server that is away, and tells so; close() ends it."""
    with FakeServer() as server:
        server.stop()
        client, told = Client(port=server.port, name="ann"), SimpleQueue[Retrying]()
        connecting = Task(lambda: client.connect(PATIENCE, told.put))
        assert "connection refused" in told.get(timeout=PATIENCE).reason
        server.again()
        server.admit(live())
        assert connecting.result() is client
        server.dismiss(client)
        server.stop()
        late = Client(port=server.port, name="ann")
        connecting = Task(lambda: late.connect(PATIENCE, told.put))
        told.get(timeout=PATIENCE)
        late.close()
        with pytest.raises(Closed):
            connecting.result()
        with pytest.raises(ConnectionLost, match=r"gave up after 0\.01 s: .*connection refused"):
            Client(port=server.port, name="ann").connect(0.01)


def test_starting_with_a_server_that_never_comes() -> None:
    """A started client gives up after `retry_for` seconds; without retries, after the first try."""
    with FakeServer() as server:
        pass
    for retry_for, reason in [(0.05, "gave up after 0.05 s: .*refused"), (0.0, "^cannot connect.*refused")]:
        client = Client(port=server.port, name="ann", retry_for=retry_for).start()
        with pytest.raises(ConnectionLost, match=reason):
            next(iter(client))
        client.close()


def test_starting_cannot_make_a_wrong_name_right() -> None:
    """A name that cannot be is told by start() itself, and one that the server refuses by the end."""
    with pytest.raises(NameRefused):
        Client(name="a b").start()
    with FakeServer() as server:
        client = Client(port=server.port, name="ann").start()
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is in use"))
        with pytest.raises(NameRefused, match="in use"):
            next(iter(client))
        client.close()


def test_nothing_is_swallowed_before_connect() -> None:
    """What would be lost or wait for ever without connect() says that it is missing; close() still ends."""
    client = Client(name="ann")
    uses: list[Callable[[], object]] = [
        lambda: client.say("hello"),
        lambda: client.command("/who"),
        lambda: client.flush(0),
        lambda: next(iter(client)),
        lambda: next(client.updates()),
    ]
    for use in uses:
        with pytest.raises(ConfigError, match=r"call connect\(\) first"):
            use()
    client.close()
    with pytest.raises(Closed):
        client.say("hello")
    assert [type(update) for update in client.updates()] == [Ended]


def test_what_is_no_text_cannot_be_said() -> None:
    """A number, bytes, nothing: a clear error at once, and nothing is sent."""
    with FakeServer() as server:
        client, peer = connected(server)
        uses: list[Callable[[Any], object]] = [client.say, client.command]
        for use in uses:
            for wrong in (3, None, b"x"):
                with pytest.raises(TypeError, match=rf"only text can be said, not {type(wrong).__name__}"):
                    use(wrong)
            with pytest.raises(ValueError, match="empty"):
                use("")
        client.say("right")
        assert peer.expect(Say).text == "right"
        server.dismiss(client)


def test_a_system_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives no thread, connect() says so, and the connection is closed."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with FakeServer() as server:
        playing = Task(server.admit)
        with monkeypatch.context() as patch:
            client = Client(port=server.port, name="ann")
            patch.setattr(threading.Thread, "start", start)
            with pytest.raises(ChatroomError, match="can't start new thread"):
                client.connect()
        peer, _ = playing.result()
        peer.expect_end()
        client.close()


# --- listening ---------------------------------------------------------------------------------------------


def test_iterating_gives_events_only() -> None:
    """`for event in client` gives all events in order, until close()."""
    with FakeServer() as server:
        client, peer = connected(server)
        peer.send(said(1, "a"), said(2, "b"))
        assert [event.text for event in itertools.islice(client, 2)] == ["a", "b"]
        read: SimpleQueue[str] = SimpleQueue()
        reading = Task(lambda: [read.put(event.text) for event in client])
        peer.send(said(3, "c"))
        peer.close()
        peer, _ = server.admit(said(4, "d"), live(4), head=4)
        peer.send(said(5, "e"))
        assert [read.get(timeout=PATIENCE) for _ in range(3)] == ["c", "d", "e"]
        server.dismiss(client)
        reading.result()


def test_an_echo_bot() -> None:
    """The bot of the README answers each line."""
    with FakeServer() as server:

        def bot() -> None:
            with Client(port=server.port, name="echo") as client:
                for event in client:
                    if event.kind is EventKind.SAID and event.author != client.name:
                        client.say(event.text)

        running = Task(bot)
        peer, _ = server.admit(live(0))
        for seq in (1, 3, 5):
            peer.send(said(seq, f"line {seq}"))
            say = peer.expect(Say)
            assert say.text == f"line {seq}"
            peer.send(own(seq + 1, say, "echo"))
        peer.send(Bye(False, Code.KICKED, "no bots here"))
        with pytest.raises(Refused, match="no bots here") as refused:
            running.result()
        assert refused.value.code == Code.KICKED


def test_on_update_is_called_when_something_waits() -> None:
    """on_update is called for each burst, and may be set and removed at any time."""
    called = threading.Event()
    with FakeServer() as server:
        client, peer = connected(server)
        client.on_update = called.set
        peer.send(said(1, "a"))
        assert called.wait(PATIENCE)
        assert client.poll()[-1:] == [said(1, "a")]
        client.on_update = None
        server.dismiss(client)


# --- coming back and giving up -----------------------------------------------------------------------------


def test_a_server_that_is_being_restarted_is_waited_for() -> None:
    """BYE(again) and refused connections are retried with pauses; then everything goes on."""
    with FakeServer() as server:
        client, peer = connected(server)
        server.stop()
        peer.send(Bye(True, Code.STOPPING, "restarting"))
        assert update(client) == Disconnected("restarting")
        retry = update(client)
        assert isinstance(retry, Retrying)
        assert "connection refused" in retry.reason
        server.again()
        server.admit(live(0))
        while not isinstance(found := update(client), Connected):
            assert isinstance(found, Retrying)
        assert found.resumed
        server.dismiss(client)


@pytest.mark.parametrize("step", ["accept", "username", "port", "admit", "welcome"])
def test_a_reconnect_may_fail_in_any_step(step: str) -> None:
    """Whichever step of the handshake breaks, the next try begins from the start and succeeds."""
    with FakeServer() as server:
        client, peer = connected(server)
        line = client.say("hello")
        peer.expect(Say)
        peer.close()
        _fail_at(server, step)
        peer, _ = server.admit(live(0))
        say = peer.expect(Say)
        peer.send(own(1, say))
        assert line.wait(PATIENCE)
        server.dismiss(client)


def _fail_at(server: FakeServer, step: str) -> None:
    if step == "accept":
        server.accept().close()
    elif step == "username":
        server.named()[0].close()
    elif step == "port":
        lobby, _ = server.named()
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # not listening
            lobby.send(Status(Verdict.PASS), Port(nobody.getsockname()[1], TICKET), Status(Verdict.END))
            lobby.expect(Status), lobby.expect(Status)
            lobby.expect_end()
    elif step == "admit":
        server.offer(server.named()[0])[0].send(Status(Verdict.FAIL, Code.EXPIRED, "the ticket has expired"))
    else:
        server.admit()[0].close()


def test_a_name_that_somebody_else_has_now_is_the_end() -> None:
    """NameRefused ends a client that tries to reconnect: somebody else has its name."""
    with FakeServer() as server:
        client, peer = connected(server)
        peer.close()
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is in use"))
        ended = until_ended(client)
        assert isinstance(ended.error, NameRefused)
        assert client.ended == ended
        assert not client.connected
        with pytest.raises(Closed, match="in use"):
            client.say("hello?")
        server.dismiss(client)


def test_a_name_that_our_own_broken_try_may_hold_is_tried_again() -> None:
    """A name that is still reserved for the client's own broken try does not end the client."""
    with FakeServer() as server:
        client, peer = connected(server)
        peer.close()
        server.named()[0].close()
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is being taken"))
        server.admit(live(0))
        assert [type(update(client)) for _ in range(4)] == [Disconnected, Retrying, Retrying, Connected]
        server.dismiss(client)


def test_a_goodbye_for_good_is_the_end() -> None:
    """BYE without `again` (kick, take-over) ends the client with the server's reason and wakes waiters."""
    with FakeServer() as server:
        client, peer = connected(server)
        line = client.say("hello")
        waiting = Task(client.flush)
        peer.expect(Say)
        peer.send(said(1, "bye"), Bye(False, Code.TAKEN_OVER, "taken over by a new connection"))
        peer.close()
        assert update(client) == said(1, "bye")
        ended = until_ended(client)
        assert ended.reason == "taken over by a new connection"
        assert isinstance(ended.error, Refused)
        assert not waiting.result()
        assert client.pending() == [line]
        server.dismiss(client)
        with pytest.raises(Refused):
            list(client)


@pytest.mark.parametrize("options", [{"reconnect": False}, {"retry_for": 0.0}, {"retry_for": 0.05}])
def test_giving_up(options: dict[str, object]) -> None:
    """With reconnect=False, or after retry_for seconds, the client ends with ConnectionLost."""
    with FakeServer() as server:
        client, peer = connected(server, **options)
        server.stop()
        peer.close()
        ended = until_ended(client)
        assert isinstance(ended.error, ConnectionLost)
        assert ("gave up after 0.05 s" in ended.reason) is (options.get("retry_for") == 0.05)
        server.dismiss(client)


def test_many_threads_may_talk() -> None:
    """Lines of several threads go out with rising ids, each thread's in its order."""
    with FakeServer() as server:
        client, peer = connected(server)
        talkers = [
            Task(lambda who=who: [client.say(f"{who} {number}") for number in range(200)]) for who in range(4)
        ]
        says = [peer.expect(Say) for _ in range(800)]
        assert [say.id for say in says] == sorted({say.id for say in says})
        for who, talker in enumerate(talkers):
            lines = talker.result()
            assert [say.id for say in says if say.text.startswith(f"{who} ")] == [line.id for line in lines]
        server.dismiss(client)
