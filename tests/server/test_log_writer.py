"""The log: it never makes anybody wait, and it does not grow with an attack."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import time
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from server.limits import LOG_BYTES, LOG_KINDS, LOG_LINES, LOG_SAME, LOG_SECONDS
from server.log_lines import TextLines
from server.log_writer import LogWriter, log_to
from tests.end_to_end.programs import ROOT
from tests.server.fakes import Clock
from tests.support.peer import Peer


class Bare(TextLines):
    """Lines without the time."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.getMessage()}{' Traceback' if record.exc_info else ''}"


class Desk:
    """A log that is written into a pipe."""

    def __init__(self, clock: Clock) -> None:
        self.reading, self.writing = os.pipe()
        self.writer = LogWriter(self.writing, clock, Bare())
        self.log = logging.Logger("log")
        self.log.addHandler(self.writer)

    def lines(self) -> list[str]:
        """End the log; all that was written and not read yet."""
        self.writer.close()
        os.close(self.writing)
        with os.fdopen(self.reading, closefd=False) as text:
            return text.read().splitlines()


@contextmanager
def desk(clock: Clock | None = None) -> Iterator[Desk]:
    desk = Desk(clock or Clock())
    try:
        yield desk
    finally:
        desk.writer.close()
        for number in (desk.reading, desk.writing):
            try:
                os.close(number)
            except OSError:
                pass  # lines() has closed it


def test_lines_in_order() -> None:
    """Lines are written in order, each whole; a very long one is cut."""
    with desk() as there:
        there.writer.start()
        for number in range(100):
            there.log.info("line %d é\udc80", number)
        there.log.info("x" * 2 * LOG_BYTES)
        lines = there.lines()
    assert lines[:-1] == [f"line {number} é\\udc80" for number in range(100)]
    assert lines[-1] == "x" * (LOG_BYTES - 1)


def test_repeated_warnings_are_counted() -> None:
    """Of 12,719 refusals of one address some are written, then their number; others are not hidden."""
    clock = Clock()
    with desk(clock) as there:
        for port in range(12_719):
            there.log.warning("< %s: %s", f"127.0.0.2:{port}", "no chat")
        there.log.warning("< %s: %s", "127.0.0.3:1", "no chat either")
        clock.now += LOG_SECONDS
        there.writer.start()
        lines = there.lines()
    assert lines[: LOG_SAME + 1] == [
        *(f"< 127.0.0.2:{port}: no chat" for port in range(LOG_SAME)),
        "< 127.0.0.3:1: no chat either",
    ]
    assert lines[LOG_SAME + 1 :] == [f"{12_719 - LOG_SAME} more like this: < 127.0.0.2:12718: no chat"]


def test_counting_begins_anew() -> None:
    """After LOG_SECONDS the first warnings of a kind are written again."""
    clock = Clock()
    with desk(clock) as there:
        for _ in range(2):
            for _ in range(LOG_SAME + 2):
                there.log.warning("again")
            clock.now += LOG_SECONDS
        there.writer.start()
        lines = there.lines()
    assert lines == 2 * [*["again"] * LOG_SAME, "2 more like this: again"]


def test_only_text_is_kept() -> None:
    """Neither what was logged nor the frames of a traceback live on in the log while it counts."""
    with desk() as there:
        kept = [log_a_failure(there.log) for _ in range(LOG_SAME + 2)]
        gc.collect()
        assert [thing() for thing in kept] == [None] * len(kept)
        there.writer.start()
        lines = there.lines()
    assert sum("2 more like this: failed: Thing" in line for line in lines) == 1


class Thing:
    def __repr__(self) -> str:
        return "Thing"


def log_a_failure(log: logging.Logger) -> weakref.ref[Thing]:
    """Log an error whose frame and arguments refer to a thing; the reference that keeps nothing."""
    thing = Thing()
    try:
        raise ValueError("what went wrong")
    except ValueError:
        log.exception("failed: %r", thing)
    return weakref.ref(thing)


def test_kept_text_is_short() -> None:
    """Of a long text that repeats, the log keeps no more than it writes."""
    with desk() as there:
        tracemalloc.start()
        for number in range(LOG_SAME + 20):
            there.log.warning(f"{number} %s %s", "a" * 1_000_000, "b" * 1_000_000)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size < 1_000_000


def test_addresses_without_end() -> None:
    """A flood from ever new addresses does not fill memory or disk: beyond LOG_KINDS they count together."""
    with desk() as there:
        there.writer.start()
        for number in range(LOG_KINDS + 500):
            there.log.warning("< %s: no chat", f"[2001:db8:{number:x}::1]:7")
        lines = there.lines()
    assert len(lines) <= LOG_KINDS + LOG_SAME + 2
    assert "more like this: " in lines[-1] or "dropped" in lines[-1]


def test_nobody_waits_for_a_full_pipe() -> None:
    """With a pipe that nobody reads, logging goes on at once, and close() comes to an end."""
    with desk() as there:
        os.set_blocking(there.writing, False)
        try:
            while True:
                os.write(there.writing, bytes(LOG_BYTES))
        except BlockingIOError:
            os.set_blocking(there.writing, True)
        there.writer.start()
        for number in range(LOG_LINES * 3):
            there.log.info("line %d", number)
        began = time.monotonic()
        there.writer.close()
        assert time.monotonic() - began < 1.0


def test_what_was_dropped_is_said() -> None:
    """When a stopped terminal goes on, the log says how many lines are missing."""
    with desk() as there:
        for number in range(LOG_LINES + 7):
            there.log.info("line %d", number)
        there.writer.start()
        lines = there.lines()
    assert lines[-2:] == [f"line {LOG_LINES - 1}", "7 lines of the log were dropped: nobody took them"]


def test_a_broken_line_harms_nobody() -> None:
    """A line that cannot be formatted is replaced by its place; the log to a closed stream is dropped."""
    with desk() as there:
        there.writer.start()
        there.log.info("%d", "no number")
        there.log.info("good")
        first, second = there.lines()
    assert "cannot be written: TypeError" in first and second == "good"
    with log_to(None, logging.INFO):
        logging.getLogger("nowhere").warning("lost")


@pytest.mark.slow
def test_a_server_with_a_blocked_stderr() -> None:
    """With a stderr that is full and that nobody reads, newcomers come in, and SIGTERM ends it in time."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writing, True)
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "--port", "0", "--data", ":memory:", "-v"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(b":")[2])
        for _ in range(20):
            with Peer.connect(port) as browser:
                browser.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
                browser.rest()
        with Peer.enter(port, "ann"):
            began = time.monotonic()
            process.terminate()
            assert process.wait(10) == 0
            assert time.monotonic() - began < 2.0
    finally:
        process.kill()
        process.wait()
        for number in (reading, writing):
            os.close(number)
        if process.stdout is not None:
            process.stdout.close()
