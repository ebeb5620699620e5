"""A watchdog for every test: a test that waits for ever fails, and shows the stack of every thread."""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

TEST_SECONDS = "30"
"""Bound of a test: a hundred times of what it needs, and more than PATIENCE."""

SLOW_TEST_SECONDS = "240"
"""Bound of a test marked `slow`: they drive programs for up to a minute; a busy machine is slower."""

AGAIN_SECONDS = 5.0
"""Interval of further interrupts, for a test whose `finally` hangs, too."""

EXIT_SECONDS = 10.0
"""Bound of the interpreter's exit after the last test: a thread that hangs would keep it for ever."""


class TookTooLong(BaseException):
    """The test reached its bound. No Exception: neither the test nor hypothesis may catch it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("test_seconds", "seconds after which a test has failed", default=TEST_SECONDS)
    parser.addini("slow_test_seconds", "the same for tests marked slow", default=SLOW_TEST_SECONDS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _watched(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _watched(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    with _watched(item):
        return (yield)


def pytest_unconfigure() -> None:
    """End the process, with all stacks, when threads that hang keep the interpreter from exiting."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        faulthandler.dump_traceback_later(EXIT_SECONDS, exit=True)


@contextmanager
def _watched(item: pytest.Item) -> Iterator[None]:
    """Interrupt the main thread, wherever it waits, when the block takes longer than the test may."""
    bound = float(
        item.config.getini("slow_test_seconds" if item.get_closest_marker("slow") else "test_seconds")
    )

    def bark(*_: object) -> None:
        raise TookTooLong(f"{item.nodeid} took longer than {bound:g} s\n\n{stacks()}")

    before = signal.signal(signal.SIGALRM, bark)
    signal.setitimer(signal.ITIMER_REAL, bound, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def stacks() -> str:
    """The stack of every other thread, with the thread's name; pytest itself shows the main thread's."""
    frames = sys._current_frames()
    return "\n".join(
        f"thread {thread.name}:\n{''.join(traceback.format_stack(frames[thread.ident]))}"
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and thread.ident in frames
    )
