"""The terminal in raw mode, on a pseudo-terminal of the test's own."""

from __future__ import annotations

import os
import pty
import select
import signal
import termios
import threading
from collections.abc import Iterator

import pytest

from chatroom.errors import ConfigError
from client.signals import Terminated
from client.terminal import PosixTerminal


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo-terminal: the window, and what the program has."""
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_raw_inside_as_before_outside(ends: tuple[int, int]) -> None:
    """Keys come one by one, without echo, only inside; signals are handled as before afterwards."""
    _, slave = ends
    before, handler = termios.tcgetattr(slave), signal.getsignal(signal.SIGTERM)
    with PosixTerminal(slave, slave):
        inside = termios.tcgetattr(slave)
        assert not inside[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
        assert not inside[1] & termios.OPOST
    assert termios.tcgetattr(slave) == before
    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_given_back_on_errors(ends: tuple[int, int], error: type[BaseException]) -> None:
    """After an error in the block the terminal has its modes back."""
    _, slave = ends
    before = termios.tcgetattr(slave)
    with pytest.raises(error), PosixTerminal(slave, slave):
        raise error
    assert termios.tcgetattr(slave) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_fatal_signals_end_the_block(ends: tuple[int, int], number: signal.Signals) -> None:
    """A signal that asks the program to end unwinds to the exit code that shells know."""
    with pytest.raises(Terminated) as ended, PosixTerminal(ends[1], ends[1]) as terminal:
        os.kill(os.getpid(), number)
        terminal.wait(5.0, for_room=False)
    assert ended.value.code == 128 + number


def test_a_thread_can_wake_it(ends: tuple[int, int]) -> None:
    """`wake` ends `wait` from any thread, and is harmless when it is too late."""
    with PosixTerminal(ends[1], ends[1]) as terminal:
        waker = threading.Thread(target=terminal.wake)
        waker.start()
        assert terminal.wait(5.0, for_room=False) == (False, True, False)
        waker.join()
        assert terminal.signals() == set()
        for _ in range(100_000):  # more than a pipe holds
            terminal.wake()
        assert terminal.signals() == set()
        assert terminal.wait(0.0, for_room=False) == (False, False, False)
    terminal.wake()


def test_a_resize_ends_the_wait(ends: tuple[int, int]) -> None:
    """A signal ends wait(), which Python would continue after the handler."""
    with PosixTerminal(ends[1], ends[1]) as terminal:
        os.kill(os.getpid(), signal.SIGWINCH)
        assert terminal.wait(5.0, for_room=False)[1]
        assert terminal.signals() == {signal.SIGWINCH}


def test_reading_and_writing(ends: tuple[int, int]) -> None:
    """Typed bytes are read and written text arrives, with line ends unchanged."""
    master, slave = ends
    with PosixTerminal(slave, slave) as terminal:
        os.read(master, 100)  # ?2004h
        os.write(master, b"\x03\r\n")
        assert terminal.wait(5.0, for_room=True) == (True, False, True)
        assert terminal.read() == b"\x03\r\n"
        terminal.write("é\r\n\n")
        assert os.read(master, 100) == "é\r\n\n".encode()


def test_never_made_non_blocking(ends: tuple[int, int]) -> None:
    """The terminal's descriptor stays blocking: the shell uses it, too."""
    with PosixTerminal(ends[1], ends[1]):
        assert os.get_blocking(ends[1])


def test_left_non_blocking_by_another_program(ends: tuple[int, int]) -> None:
    """On a non-blocking terminal nothing is read where nothing was typed, and all that is written arrives."""
    master, slave = ends
    with PosixTerminal(slave, slave) as terminal:
        os.set_blocking(slave, False)
        assert terminal.read() == b""
        assert not terminal.gone
        text = "x" * 100_000
        writer = threading.Thread(target=terminal.write, args=(text,))
        writer.start()
        found = os.read(master, 100)[len("\x1b[?2004h") :]
        while len(found) < len(text):
            found += os.read(master, 65536)
        writer.join()
        assert found == text.encode()
        assert not os.get_blocking(slave)  # left as the other program wants it


PASTE, SAVE, TEA = "\x1b[?2004h", "\x1b[22;2t", "\x1b]2;#tea\x1b\\"
GIVEN_BACK = "\x1b[0m\x1b[?7h\x1b[?2004l"
RESTORE = "\x1b]2;\x1b\\\x1b[23;2t"


def told(master: int, *parts: str) -> None:
    """Reads exactly these parts, which the terminal must have been told, and nothing else."""
    wanted, found = "".join(parts), ""
    while len(found) < len(wanted):
        found += os.read(master, 1000).decode()
    assert found == wanted and not select.select([master], [], [], 0)[0]


def test_the_title_is_given_back(ends: tuple[int, int]) -> None:
    """Saved at the start, set when it changes, given back at the end, also by an error."""
    master, slave = ends
    with pytest.raises(RuntimeError), PosixTerminal(slave, slave, has_title=True) as terminal:
        told(master, PASTE, SAVE)
        terminal.title("#tea")
        terminal.title("#tea")
        told(master, TEA)
        raise RuntimeError
    told(master, GIVEN_BACK, RESTORE)


def test_the_title_after_a_stop(ends: tuple[int, int]) -> None:
    """It is set again; that of before is saved once, also when another program has stopped this one."""
    master, slave = ends
    with PosixTerminal(slave, slave, has_title=True) as terminal:
        terminal.title("#tea")
        told(master, PASTE, SAVE, TEA)
        terminal.take()  # as after SIGSTOP and SIGCONT
        told(master, PASTE, TEA)
        terminal._restore_modes()  # as Ctrl-Z does
        terminal.take()
        told(master, GIVEN_BACK, RESTORE, PASTE, SAVE, TEA)
    told(master, GIVEN_BACK, RESTORE)


def test_no_title_unless_asked_for(ends: tuple[int, int]) -> None:
    """Then nothing is saved, set or emptied."""
    master, slave = ends
    with PosixTerminal(slave, slave) as terminal:
        terminal.title("#tea")
        told(master, PASTE)
    told(master, GIVEN_BACK)


def test_a_closed_terminal_is_gone() -> None:
    """After the window is closed nothing is read or written, no error comes, and `gone` says it."""
    master, slave = pty.openpty()
    with PosixTerminal(slave, slave) as terminal:
        os.close(master)
        terminal.write("lost")
        assert terminal.gone
        assert terminal.read() == b""
        terminal.take()
        terminal.write("lost, too")
    os.close(slave)


def test_a_terminal_that_is_closed_at_the_start() -> None:
    """A terminal that cannot be asked for its modes is an error of one line."""
    read_end, write_end = os.pipe()
    with pytest.raises(ConfigError, match="the terminal cannot be used"), PosixTerminal(read_end, write_end):
        pass
    os.close(read_end)
    os.close(write_end)


def test_a_full_terminal_is_noticed(ends: tuple[int, int]) -> None:
    """has_room() is False while the terminal is full, and True once it was read."""
    master, slave = ends
    with PosixTerminal(slave, slave, has_title=True) as terminal:
        os.set_blocking(slave, False)  # by the test, to fill it
        full = False
        while not full:  # the kernel moves on what was written, until the far end is full, too
            with pytest.raises(BlockingIOError):
                while True:
                    os.write(slave, b"x" * 4096)
            full = not select.select([], [slave], [], 0.1)[1]
        os.set_blocking(slave, True)
        assert not terminal.has_room()
        for number in range(100):
            terminal.title(f"it does not wait {number}")  # else keys would wait, too
        assert terminal.wait(0.0, for_room=True) == (False, False, False)
        while not terminal.has_room():
            os.read(master, 4096)
        assert terminal.wait(5.0, for_room=True) == (False, False, True)
        os.set_blocking(master, False)  # close() would wait for what is not read
        with pytest.raises(BlockingIOError):
            while True:
                os.read(master, 65536)


def test_the_size(ends: tuple[int, int]) -> None:
    """A terminal that does not know its size has the classic one."""
    master, slave = ends
    with PosixTerminal(slave, slave) as terminal:
        assert terminal.size() == (80, 24)
        termios.tcsetwinsize(master, (10, 30))
        assert terminal.size() == (30, 10)
