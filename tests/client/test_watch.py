"""`--watch`: what the client asks, what it does with the answers, and the program at a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatroom.errors import ConnectionLost, Refused
from chatroom.outcomes import Code
from chatroom.packets import Answer, Info
from chatroom.picture import Numbers, Picture
from client.__main__ import main
from client.limits import WATCH_LATE, WATCH_SECONDS
from client.requests import Answered
from client.updates import Connected, Disconnected, Ended, Retrying, Unanswered, Update
from client.watch import Looks, Screen, print_blocks
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.end_to_end.host import PASSWORD, Host
from tests.support.patience import eventually
from tests.support.tasks import Task
from views.palette import Depth, Ground, palette_of

PLAIN = palette_of(Ground.EITHER, Depth.NONE)


def told(up: float, lines: int = 0) -> str:
    """The rows of an answer."""
    return json.dumps([Picture(Numbers(up=up, lines=lines)).row()])


class FakeClient:
    """Answers as the test says. answers: for poll(), in turn; None: nothing has come yet"""

    name = "ann"

    def __init__(self, *answers: Update | None, first: Answered | None = None) -> None:
        self.on_update: Callable[[], None] | None = None
        self.asked: list[str] = []
        self._first = first or Answered(Code.OK, "", tuple(json.loads(told(1.0))))
        self._answers = list(answers)

    def ask(self, command: str, _timeout: float = 0, _channel: str | None = None) -> Answered:
        self.asked.append(command)
        return self._first

    def command(self, text: str, _channel: str | None = None) -> int:
        self.asked.append(text)
        self._call()
        return len(self.asked)

    def poll(self) -> list[Update]:
        answer = self._answers.pop(0) if self._answers else None
        self._call()
        return [] if answer is None else [answer]

    def _call(self) -> None:
        """More has come."""
        if self.on_update is not None and self._answers:
            self.on_update()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def looks_of(client: FakeClient, clock: Clock) -> Looks:
    looks = Looks(client, "here:1", clock)
    looks.first()
    return looks


def test_a_look_a_second(clock: Clock) -> None:
    """The next look is asked for a second after the one before, and only when that was answered."""
    client = FakeClient()
    looks = looks_of(client, clock)
    assert looks.ask() == WATCH_SECONDS and client.asked == ["/inspect"]
    clock.now += 0.75
    assert looks.ask() == 0.25
    clock.now += 0.25
    assert looks.ask() == WATCH_SECONDS and len(client.asked) == 2
    clock.now += 5
    assert looks.ask() == WATCH_SECONDS and len(client.asked) == 2
    assert not looks.take([Info("unasked"), Answer(7, Code.OK, "", told(9.0))])
    assert looks.take([Answer(2, Code.OK, "", told(2.0, lines=10))])
    assert looks.watched.lately is not None and looks.watched.lately.lines == 10
    assert looks.ask() == WATCH_SECONDS and len(client.asked) == 3


def test_trouble(clock: Clock) -> None:
    """A late answer is told, and a lost connection, until a picture comes; what was lost is asked again."""
    client = FakeClient()
    looks = looks_of(client, clock)
    clock.now += 1
    looks.ask()
    looks.note_delay()
    assert looks.watched.trouble == ""
    clock.now += WATCH_LATE + 0.6
    looks.note_delay()
    assert looks.watched.trouble == "no answer for 3 s"
    looks.take([Disconnected("connection reset"), Unanswered(2, "/inspect", "")])
    assert looks.watched.trouble == "connection reset; trying to reconnect"
    looks.ask()
    clock.now += 9
    looks.take([Retrying(1.0, "refused")])
    looks.note_delay()
    assert looks.watched.trouble == "refused; trying to reconnect" and looks.watched.picture is not None
    looks.take([Connected("ann", "#general", True), Answer(3, Code.OK, "", told(3.0))])
    assert looks.watched.trouble == "" and looks.watched.picture.numbers.up == 3.0


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (Answered(Code.NEED_ROLE, "/inspect needs the role operator"), "only operators .* and ann is none"),
        (Answered(Code.NO_SUCH_COMMAND, "/inspect is no command"), "cannot be watched: /inspect is no comm"),
        (Answered(Code.OK, "", ()), "cannot be watched: its answer is no picture"),
    ],
)
def test_who_may_not_watch(clock: Clock, answered: Answered, words: str) -> None:
    """Who may not, or a server that cannot, is told in one line before anything is painted."""
    with pytest.raises(Refused, match=words):
        looks_of(FakeClient(first=answered), clock)


def test_the_right_may_be_taken_away(clock: Clock) -> None:
    """Whoever is no operator any more sees no more."""
    looks = looks_of(FakeClient(), clock)
    clock.now += 1
    looks.ask()
    with pytest.raises(Refused, match="only operators"):
        looks.take([Answer(2, Code.NEED_ROLE, "", "")])


Step = bytes | tuple[int, int] | int | Callable[[], None]


class FakeTerminal:
    """A terminal whose script has a step for each wait: keys, a new size, a signal, or something to do."""

    def __init__(self, *steps: Step) -> None:
        self.gone = False
        self.suspended = self.taken = 0
        self.written: list[str] = []
        self._steps = list(steps)
        self._size = (80, 24)
        self._keys = b""
        self._signals: set[int] = set()

    def size(self) -> tuple[int, int]:
        return self._size

    def wait(self, _timeout: float | None, *, for_room: bool) -> tuple[bool, bool, bool]:
        assert not for_room
        step = self._steps.pop(0) if self._steps else b"q"
        self._keys = step if isinstance(step, bytes) else b""
        if isinstance(step, tuple):
            self._size, self._signals = step, {signal.SIGWINCH}
        elif isinstance(step, int):
            self._signals = {step}
        elif callable(step):
            step()
        return bool(self._keys), bool(self._signals), False

    def read(self) -> bytes:
        return self._keys

    def write(self, text: str) -> None:
        self.written.append(text)

    def has_room(self) -> bool:
        return True

    def wake(self) -> None:
        pass

    def signals(self) -> set[int]:
        found, self._signals = self._signals, set()
        return found

    def take(self) -> None:
        self.taken += 1

    def suspend(self) -> None:
        """Takes the terminal by itself, behind the signal that ends the stop."""
        self.suspended += 1
        self._signals = {signal.SIGCONT}


def frames(clock: Clock, client: FakeClient, *steps: Step) -> list[str]:
    """What is written while these steps happen."""
    terminal = FakeTerminal(*steps)
    Screen(client, looks_of(client, clock), terminal, PLAIN).run()
    return terminal.written


def test_only_what_has_changed_is_painted(clock: Clock) -> None:
    """The first frame clears the screen; the next ones have the changed rows, in one write, and no more."""

    def later() -> None:
        clock.now += 1

    client = FakeClient(None, Answer(2, Code.OK, "", told(1.04, lines=9)))
    first, second = frames(clock, client, later, later)
    assert first.startswith("\x1b[2J\x1b[1;1H") and first.count("\x1b[K") > 5
    assert second.startswith("\x1b[2;1Hlines") and second.count("\x1b[K") < 5
    assert client.on_update is None


@pytest.mark.parametrize("step", [(40, 12), signal.SIGCONT, b"\x0c", b"\x1a"], ids=repr)
def test_all_is_painted_anew(clock: Clock, step: Step) -> None:
    """After a resize, at Ctrl-L, and when the user comes back."""
    written = frames(clock, FakeClient(), step)
    assert [frame.startswith("\x1b[2J") for frame in written] == [True, True]


@pytest.mark.parametrize(
    ("step", "suspended", "taken"),
    [(signal.SIGCONT, 0, 1), (signal.SIGTSTP, 1, 0), (b"\x1a", 1, 0)],
    ids=repr,
)
def test_the_terminal_is_taken_again(clock: Clock, step: Step, suspended: int, taken: int) -> None:
    """Whoever stops the program from outside does not restore the modes; at Ctrl-Z it does that, once."""
    client, terminal = FakeClient(), FakeTerminal(step, b"x")
    Screen(client, looks_of(client, clock), terminal, PLAIN).run()
    assert (terminal.suspended, terminal.taken) == (suspended, taken)


@pytest.mark.parametrize("key", [b"q", b"Q", b"\x03", b"\x04"])
def test_keys_that_quit(clock: Clock, key: bytes) -> None:
    assert len(frames(clock, FakeClient(), b"x\x1b[A", key, (1, 1))) == 1


def test_the_client_ends(clock: Clock) -> None:
    """When the client gives up, so does the screen."""
    ended = Ended("the server is gone", ConnectionLost("the server is gone"))
    client = FakeClient(None, ended)
    looks = looks_of(client, clock)
    assert Screen(client, looks, FakeTerminal(b"x", b"x", b"x"), PLAIN).run() is ended


def test_blocks_for_a_pipe(clock: Clock) -> None:
    """Each picture is some lines and an empty one; as JSON, one line. A reader that leaves ends it."""
    ended = Ended("closed", None)
    for as_json in (False, True):
        clock.now = 100.0
        client = FakeClient(Answer(2, Code.OK, "", told(2.0)), ended)
        looks = looks_of(client, clock)
        clock.now += 1
        source, sink = os.pipe()
        assert print_blocks(client, looks, sink, as_json) is ended
        printed = os.read(source, 65536).decode()
        os.close(source)
        assert print_blocks(client, looks_of(client, clock), sink, as_json) is None
        os.close(sink)
        if as_json:
            assert [json.loads(line)["numbers"]["up"] for line in printed.splitlines()] == [1.0, 2.0]
        else:
            assert printed.count("\n\n") == 2 and printed.startswith("here:1  up 1.0 s")


# --- the program --------------------------------------------------------------------------------------------


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A server with an owner, who is out."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    host = Host(tmp_path / "history.db")
    host.owner("ann").leave()
    yield host
    host.stop()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(PASSWORD)
    path.chmod(0o600)
    return path


def test_between_pipes(
    host: Host, password: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program prints picture after picture, here as JSON, until the server is gone."""
    monkeypatch.setattr("client.watch.WATCH_SECONDS", 0.02)
    monkeypatch.setattr("server.inspector.INSPECT_EVERY", 0.0)
    arguments = [host.address, "--watch", "--json", "--name", "ann", "--password-file", str(password)]
    running = Task(lambda: main([*arguments, "--retry-for", "0"]))
    printed: list[str] = []

    def pictures() -> list[Any]:
        printed.append(capfd.readouterr().out)
        return [json.loads(line) for line in "".join(printed).splitlines()]

    eventually(lambda: len(pictures()) >= 2, "no two pictures come")
    first, second, *_ = pictures()
    assert first["numbers"]["up"] < second["numbers"]["up"] and first["members"][0][0] == "ann"
    host.stop()
    assert running.result() == 1
    assert capfd.readouterr().err == "chatroom-client: the server is shutting down\n"


def test_a_guest_may_not(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever is no operator reads one line, and the exit code is 1."""
    assert main([host.address, "--watch", "--name", "guest"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "chatroom-client: only operators of the chatroom may watch it, and guest is none\n"


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["q", "\x03", signal.SIGTERM, "\x1a", signal.SIGCONT], ids=repr)
def test_at_a_terminal(host: Host, password: Path, ends: str | signal.Signals) -> None:
    """It shows the threads on a screen of its own, follows the size, and leaves the terminal as it was.

    At Ctrl-Z, too; but here no shell is there to come back from, so the program goes on at once. After a stop
    from outside, with changed modes, it has its own modes again.
    """
    import termios

    options = "--no-color", "--name", "ann", "--password-file", password
    command = python("client", host.address, "--watch", *options)
    with PseudoTerminal(command, 80, 24, HOME=str(password.parent)) as terminal:
        terminal.see("forwarder 1 condition work in the queue")
        terminal.see("handler 1 runs this look at the threads")
        assert terminal.modes() != terminal.modes_before
        assert terminal.output.count("\x1b[?1049h") == 1 and not re.search(r"\x1b\[[0-9;]*m", terminal.output)
        terminal.resize(40, 12)
        terminal.see(lambda rows: rows[0].endswith("q: quit") and rows[-1] != "" and len(rows) == 12)
        if ends == "\x1a":
            terminal.type(ends)
            terminal.see(lambda _: terminal.output.count("\x1b[?1049h") == 2)
            ends = "q"
        if ends == signal.SIGCONT:
            raw = terminal.modes()
            terminal.signal(signal.SIGSTOP)
            termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.modes_before)
            terminal.signal(ends)
            terminal.see(lambda _: terminal.modes() == raw)
            ends = "q"
        if isinstance(ends, str):
            terminal.type(ends)
            assert terminal.wait() == 0
        else:
            terminal.signal(ends)
            assert terminal.wait() == 128 + ends
        assert terminal.modes() == terminal.modes_before
        assert "\x1b[?25h\x1b[?1049l" in terminal.output[-60:]
