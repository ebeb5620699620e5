"""client/pipe.py, in this process, with pipes and a fake server; tests/end_to_end has the real programs."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ChatroomError
from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Channel, Info, Packet, Resumed, Say
from client import Client
from client.pipe import Pipe, as_json_line
from tests.client.fake_server import FakeServer, live, own
from tests.support.events import said
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def piped(
    play: Callable[[FakeServer], None],
    given: bytes = b"",
    *,
    follow: bool = False,
    as_json: bool = False,
    retry_for: float = 0,
    channels: tuple[str, ...] = ("#general",),
) -> tuple[int, str]:
    """Exit code and output of a pipe whose input is `given` and whose server plays `play`."""
    source, feed = os.pipe()
    taken, out = os.pipe()
    os.write(feed, given)
    os.close(feed)
    with FakeServer() as server:
        playing = Task(lambda: play(server))
        client = Client(port=server.port, name="bot", channels=channels, retry_for=retry_for).connect()
        code = Pipe(client, follow=follow, as_json=as_json, retries=False, source=source, out=out).run()
        os.close(source)
        os.close(out)
        playing.result()
    with open(taken, encoding="utf-8") as output:
        return code, output.read()


def store(server: FakeServer, count: int, *before: Packet) -> None:
    """Admit a client, store `count` lines of it, and hang up when it leaves."""
    peer, _ = server.admit(*before, live(0))
    for seq in range(1, count + 1):
        say = peer.expect(Say)
        peer.send(own(seq, say, "bot"))
    peer.expect(Bye)
    peer.close()


def test_lines_are_said_and_their_events_printed_before_the_end() -> None:
    """Exit 0 when everything is stored, and everything that was stored has been printed."""
    code, output = piped(lambda server: store(server, 2), b"one\n\n/two\r\n")
    assert code == 0
    assert [line.split(" ", 1)[1] for line in output.splitlines()] == ["bot: one", "bot: /two"]


def test_nothing_to_say_ends_when_caught_up() -> None:
    """Without input the program ends as soon as the history is complete."""
    old = Event(1, 0, EventKind.SAID, "#general", "bob", "old")
    code, output = piped(lambda server: store(server, 0, old))
    assert (code, output.count("bob: old")) == (0, 1)


@pytest.mark.parametrize("channels", [("#general",), ("#general", "#b")])
def test_only_the_channels_that_were_asked_for(channels: tuple[str, ...]) -> None:
    """Lines of other channels of the same person are not printed; of several, each line names its own."""

    def play(server: FakeServer) -> None:
        tea = Channel(9, "#tea", "", 0, 0, 0, ())
        store(server, 0, tea, said(1, "here"), said(2, "there", channel="#tea", place=9))

    code, output = piped(play, channels=channels)
    named = "#general " if len(channels) > 1 else ""
    assert (code, output.partition(" ")[2]) == (0, f"{named}bob: here\n")


@pytest.mark.slow
def test_what_comes_while_printing_is_held_up_is_not_forgotten() -> None:
    """A line that is confirmed while printing waits for the reader still ends the program."""
    source, feed = os.pipe()
    taken, out = os.pipe()
    os.write(feed, b"one\n")
    os.close(feed)
    woken = threading.Event()
    with FakeServer() as server:

        def play() -> None:
            peer, _ = server.admit(said(1, "x" * 60_000), said(2, "x" * 60_000), live(2), head=2)
            say = peer.expect(Say)
            while not _readable(taken):  # printing has begun, and more is there than a pipe holds
                time.sleep(0.001)
            wake_up = client.on_update
            assert wake_up is not None
            client.on_update = lambda: (wake_up(), woken.set())[1]
            peer.send(own(3, say, "bot"))
            assert woken.wait(PATIENCE)
            while _readable(pipe.wake_ups.fileno()):
                time.sleep(0.001)
            with open(taken, "rb") as output:
                assert output.read().endswith(b"bot: one\n")
            peer.expect(Bye)
            peer.close()

        client = Client(port=server.port, name="bot", retry_for=0)
        playing = Task(play)
        client.connect()
        pipe = Pipe(client, follow=False, as_json=False, retries=False, source=source, out=out)
        assert pipe.run() == 0
        os.close(source)
        os.close(out)
        playing.result()


def _readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_a_refused_line_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """An ANSWER that refuses a line goes to stderr, and the exit code is not 0."""

    def refuse(server: FakeServer) -> None:
        peer, _ = server.admit(live(0))
        peer.send(Answer(peer.expect(Say).id, Code.MUTED, "not said:\x1b[2J you are muted"))
        peer.expect(Bye)
        peer.close()

    code, output = piped(refuse, b"one\n")
    assert (code, output) == (1, "")
    assert capsys.readouterr().err == "chatroom-client: not said:␛[2J you are muted\n"


def test_what_cannot_be_known_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """A line whose event may be gone, and the gap itself, are one line each on stderr; the exit code is 1."""

    def lose(server: FakeServer) -> None:
        peer, _ = server.admit(said(1, "a"), live(1))
        say = peer.expect(Say)
        peer.close()
        peer, _ = server.admit(live(9), confirmed=say.id, resumed=Resumed.GAP)
        peer.send(Info("welcome back"), Answer(say.id + 1, Code.ALREADY, "no failure"))
        peer.expect(Bye)
        peer.close()

    code, output = piped(lose, b"one\n", retry_for=PATIENCE)
    assert code == 1
    assert output.count("\n") == 1
    *_, again, gap, unknown = [line for line in capsys.readouterr().err.splitlines() if "welcome" not in line]
    assert gap == "chatroom-client: some of what you missed is gone: the server does not keep it that long"
    assert again == "chatroom-client: connected again"
    assert unknown == "chatroom-client: it is not known whether the server has stored this: one"


def test_a_server_that_throws_us_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A line on stderr gives why, and how many lines are not stored; exit code 1, with --follow, too."""

    def kick(server: FakeServer) -> None:
        peer, _ = server.admit(live(0))
        peer.expect(Say)
        peer.send(Bye(False, Code.KICKED, "no bots"))
        peer.close()

    code, _ = piped(kick, b"one\n", follow=True)
    assert code == 1
    assert capsys.readouterr().err == (
        "chatroom-client: you were removed from the chatroom: no bots; 1 line is not stored\n"
    )


def test_no_thread_for_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives no thread for the input, the pipe says so, and closes the client."""
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "client-input":
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with FakeServer() as server:
        playing = Task(lambda: store(server, 0))
        client = Client(port=server.port, name="bot").connect()
        pipe = Pipe(client, follow=False, as_json=False, retries=False, source=None, out=None)
        with pytest.raises(ChatroomError, match="can't start new thread"):
            pipe.run()
        assert not client.connected
        playing.result()


def test_signal_handlers_are_given_back() -> None:
    """After the run the earlier signal handlers are back."""
    import signal

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    piped(lambda server: store(server, 0))
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.set_wakeup_fd(-1) == -1


@given(st.text(), st.text(min_size=1))
def test_json_lines_hold_everything_and_drive_no_terminal(text: str, author: str) -> None:
    """Any text comes back from its JSON line, which is one line without a control character."""
    event = Event(1, 0, EventKind.SAID, "#general", author, text)
    line = as_json_line(event)
    assert json.loads(line) == event.as_json()
    assert line.splitlines() == [line]
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line)
